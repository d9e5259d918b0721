// SPDX-License-Identifier: MIT
/* text_file.c - see text_file.h. */
#include "shim/tool/text_file.h"

#include "shim/file.h"

#include <errno.h>
#include <stdlib.h>

int text_file_read(const char *path, char **ret_text, size_t *ret_len)
{
	struct file_id id;
	char *text, *ended;
	size_t len;
	int r = file_read_head(path, TEXT_FILE_MAX, &text, &len, &id);

	if (r < 0)
		return r;
	ended = realloc(text, len + 1);
	if (ended == NULL) {
		free(text);
		return -ENOMEM;
	}
	ended[len] = '\0';
	*ret_text = ended;
	*ret_len = len;
	return 0;
}

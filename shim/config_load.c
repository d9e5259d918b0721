// SPDX-License-Identifier: MIT
/*
 * config_load.c - the configuration of this process: environment, file, and where complaints go.
 */
#include "shim/config.h"
#include "shim/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMPLAINTS_MAX 8192

static const char *from_environment(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

static const char *from_nowhere(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return NULL;
}

/* One walk over the environment saves most processes eighteen. */
static bool environment_has_any(void)
{
	for (char **variable = environ; variable && *variable; variable++)
		if (strncmp(*variable, CONFIG_PREFIX, strlen(CONFIG_PREFIX)) == 0)
			return true;
	return false;
}

/*
 * Without the file, NULL and 0. A line that the limit cuts is dropped whole: half a value may be
 * another value.
 */
static char *read_config(size_t *ret_len)
{
	struct file_id id;
	char *text = NULL;
	size_t len = 0;

	*ret_len = 0;
	if (file_read_head(CONFIG_FILE, CONFIG_FILE_MAX, &text, &len, &id) < 0)
		return NULL;
	if (len == CONFIG_FILE_MAX) {
		while (len > 0 && text[len - 1] != '\n')
			len--;
	}
	*ret_len = len;
	return text;
}

/*
 * Complaints are kept until the log is configured, which the same text decides. What does not fit
 * is lost: a file with that many mistakes has been complained about enough.
 */
struct complaints {
	char *text; /* borrows; COMPLAINTS_MAX bytes, which nobody touches as long as all is well */
	size_t len;
};

static void collect(void *ctx, const char *line)
{
	struct complaints *c = ctx;
	size_t len = strlen(line) + 1;

	if (len > COMPLAINTS_MAX - c->len)
		return;
	memcpy(c->text + c->len, line, len);
	c->len += len;
}

void config_load(struct config *ret)
{
	static char complaints_text[COMPLAINTS_MAX];
	struct complaints complaints = {complaints_text, 0};
	size_t len;
	char *text = read_config(&len);

	config_parse(environment_has_any() ? from_environment : from_nowhere, NULL, text, len, ret,
		     collect, &complaints);
	free(text);
	log_configure(ret->log, ret->log_file);
	for (size_t at = 0; at < complaints.len; at += strlen(complaints.text + at) + 1)
		log_error("%s", complaints.text + at);
}

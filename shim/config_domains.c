// SPDX-License-Identifier: MIT
/* config_domains.c - see config_domains.h. */
#include "shim/config_domains.h"

#include "shim/lookup_search.h"
#include "shim/name.h"

#include <stdlib.h>
#include <string.h>

/* Cuts `text` into words and folds each in its place. */
static bool fold_all(char *text)
{
	char *to = text, *rest;

	for (char *word = strtok_r(text, " \t", &rest); word != NULL;
	     word = strtok_r(NULL, " \t", &rest)) {
		struct name name;

		if (name_fold(word, &name) < 0 || name.unusual || name.non_ascii ||
		    name.trailing_dot || !search_name_fits(&name))
			return false;
		if (to != text)
			*to++ = ' ';
		memcpy(to, name.text, name.len + 1u);
		to += name.len;
	}
	*to = '\0';
	return true;
}

bool config_domains_parse(const char *value, const char **ret)
{
	char *text = strdup(value);

	if (text == NULL || !fold_all(text)) {
		free(text);
		return false;
	}
	*ret = text;
	return true;
}

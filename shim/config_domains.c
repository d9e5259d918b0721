// SPDX-License-Identifier: MIT
/* config_domains.c - see config_domains.h. */
#include "shim/config_domains.h"

#include <stdlib.h>
#include <string.h>

#define DOMAIN_MAX 253 /* bytes of the longest name that fits a message (RFC 1035 2.3.4) */
#define LABEL_MAX  63

/* In lower case; NUL: no byte of a label. Not tolower(), which asks the locale. */
static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + ('a' - 'A'));
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? c : '\0';
}

/* Copies one domain. Its length, or 0: it is none. */
static size_t take(const char *text, char *ret)
{
	size_t len = 0, label = 0;

	for (;; len++) {
		ret[len] = fold(text[len]);
		if (ret[len] != '\0') {
			if (++label > LABEL_MAX)
				return 0;
			continue;
		}
		if (label == 0 || text[len] != '.')
			break;
		ret[len] = '.';
		label = 0;
	}
	return label > 0 && len <= DOMAIN_MAX && strchr(" \t", text[len]) != NULL ? len : 0;
}

bool config_domains_parse(const char *value, const char **ret)
{
	char *list = malloc(strlen(value) + 2), *to = list;

	if (list == NULL)
		return false;
	for (const char *p = value + strspn(value, " \t"); *p != '\0'; p += strspn(p, " \t")) {
		size_t len = take(p, to);

		if (len == 0) {
			free(list);
			return false;
		}
		p += len;
		to += len;
		*to++ = ' ';
	}
	to[to > list ? -1 : 0] = '\0';
	*ret = list;
	return true;
}

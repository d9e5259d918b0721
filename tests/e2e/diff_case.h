// SPDX-License-Identifier: MIT
/*
 * diff_case.h - one question of the differential test, as a line of text: what the generator
 * writes, the client reads, and a failure prints.
 *
 *	call <TAB> name <TAB> service <TAB> flags <TAB> family <TAB> socktype <TAB>
 *	protocol <TAB> size
 *
 * Strings are percent-encoded; `~` alone is NULL. The client answers with one line a case:
 *
 *	result <TAB> errno <TAB> h_errno <TAB> everything else
 *
 * Header only: the client is one file.
 */
#ifndef TESTS_DIFF_CASE_H
#define TESTS_DIFF_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DIFF_NAME_MAX 512
#define DIFF_LINE_MAX (4 * DIFF_NAME_MAX)

enum diff_call {
	DIFF_GAI,	   /* getaddrinfo */
	DIFF_GAI_NO_HINTS, /* ... with hints NULL */
	DIFF_GHBN,	   /* gethostbyname */
	DIFF_GHBN2,
	DIFF_GHBN_R,
	DIFF_GHBN2_R,
	DIFF_CALLS, /* how many there are */
};

struct diff_case {
	enum diff_call call;
	bool has_name, has_service;
	char name[DIFF_NAME_MAX];
	char service[64];
	int flags, family, socktype, protocol;
	unsigned size; /* of the _r forms' buffer */
};

static const char *const diff_call_names[DIFF_CALLS] = {"getaddrinfo",	   "getaddrinfo-no-hints",
							"gethostbyname",   "gethostbyname2",
							"gethostbyname_r", "gethostbyname2_r"};

static inline void diff_encode(bool present, const char *s, char *buf, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "._-:/*";
	size_t n = 0;

	if (!present)
		buf[n++] = '~';
	for (; present && *s != '\0' && n + 4 < size; s++) {
		if (strchr(plain, *s) != NULL)
			buf[n++] = *s;
		else
			n += (size_t)snprintf(buf + n, size - n, "%%%02x", (unsigned char)*s);
	}
	buf[n] = '\0';
}

/* Takes the field up to the next tab off *line. */
static inline bool diff_decode(char **line, char *buf, size_t size)
{
	char *field = strsep(line, "\t\n");
	size_t n = 0;

	buf[0] = '\0';
	if (field == NULL || strcmp(field, "~") == 0)
		return false;
	while (*field != '\0' && n + 1 < size) {
		unsigned byte = (unsigned char)*field;

		if (byte == '%' && sscanf(field, "%%%2x", &byte) == 1)
			field += 2;
		field++;
		buf[n++] = (char)byte;
	}
	buf[n] = '\0';
	return true;
}

static inline void diff_case_print(const struct diff_case *c, char buf[DIFF_LINE_MAX])
{
	char name[3 * DIFF_NAME_MAX + 8], service[256];

	diff_encode(c->has_name, c->name, name, sizeof name);
	diff_encode(c->has_service, c->service, service, sizeof service);
	snprintf(buf, DIFF_LINE_MAX, "%s\t%s\t%s\t0x%x\t%d\t%d\t%d\t%u", diff_call_names[c->call],
		 name, service, (unsigned)c->flags, c->family, c->socktype, c->protocol, c->size);
}

static inline bool diff_case_parse(char *line, struct diff_case *ret)
{
	char call[32];
	unsigned flags;

	memset(ret, 0, sizeof *ret);
	if (!diff_decode(&line, call, sizeof call))
		return false;
	while (ret->call < DIFF_CALLS && strcmp(call, diff_call_names[ret->call]) != 0)
		ret->call++;
	ret->has_name = diff_decode(&line, ret->name, sizeof ret->name);
	ret->has_service = diff_decode(&line, ret->service, sizeof ret->service);
	if (ret->call == DIFF_CALLS || line == NULL ||
	    sscanf(line, "%x %d %d %d %u", &flags, &ret->family, &ret->socktype, &ret->protocol,
		   &ret->size) != 5)
		return false;
	ret->flags = (int)flags;
	return true;
}

#endif

// SPDX-License-Identifier: MIT
/*
 * json.h - writes JSON (RFC 8259), whatever bytes it is given. One thread.
 *
 *	struct json j;
 *
 *	json_open(&j, stdout);
 *	json_object(&j, NULL);
 *	json_text(&j, "name", name);
 *	json_array(&j, "addresses");
 *	json_text(&j, NULL, "192.0.2.1");	in an array there are no keys: NULL
 *	json_end(&j);
 *	json_end(&j);				after the outermost a newline follows
 *
 * Several outermost values, one after the other, make JSON lines if `j.lines` is set.
 */
#ifndef NOBLOCKDNS_TOOL_JSON_H
#define NOBLOCKDNS_TOOL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 32 /* of objects and arrays in each other */

struct json {
	FILE *out;  /* borrows */
	bool lines; /* each outermost value on one line; else indented */
	unsigned depth;
	struct {
		char closes; /* '}' or ']' */
		bool any;    /* a member was written */
	} open[JSON_DEPTH_MAX];
};

void json_open(struct json *j, FILE *out);

/* A key (NULL in an array and outermost), then a value. Keys are escaped as texts are. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j);

/* NULL is null. Bytes that are no UTF-8 become U+FFFD, each one. */
void json_text(struct json *j, const char *key, const char *text);
void json_bytes(struct json *j, const char *key, const void *text, size_t len);
void json_int(struct json *j, const char *key, int64_t n);
void json_uint(struct json *j, const char *key, uint64_t n);

/* With so many digits behind the point; null for what is no number. */
void json_real(struct json *j, const char *key, double x, unsigned digits);
void json_bool(struct json *j, const char *key, bool yes);
void json_null(struct json *j, const char *key);

#endif

// SPDX-License-Identifier: MIT
/*
 * query.h - one lookup, step by step: what happened, and when. Steps are written down on the thread
 * that looks up and on the io thread.
 */
#ifndef NOBLOCKDNS_TOOL_QUERY_H
#define NOBLOCKDNS_TOOL_QUERY_H

#include "shim/entry.h"
#include "shim/resolve.h"
#include "shim/tool/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* ---- query_lookup.c ---- */

struct query_result {
	int eai; /* 0: there are addresses */
	bool by_libc;
	unsigned n;
	char (*addrs)[64]; /* owns: of malloc(), the caller frees it; in the order of a program's */
	char canon[RESOLVER_NAME_MAX]; /* "": none */
};

/* Looks the name up, once in a process; `family` as in getaddrinfo(). The steps are written down.
 */
void query_look_up(const char *name, int family, struct query_result *ret);

/* ---- query_steps.c ---- */

/* Begins anew: the time is 0. */
void query_begin(void);

/* `what` is one word, static: "cache", "tls". Any thread. */
__attribute__((format(printf, 2, 3))) void query_step(const char *what, const char *fmt, ...);

/* Since query_begin(). */
double query_ms(void);

void query_print_steps(FILE *out);

/* An array, with that key. */
void query_json_steps(struct json *j, const char *key);

/* ---- query_host.c ---- */

/* Before the first lookup of the process: what happens between the resolver and its servers is a
 * step, too. Copied. */
void query_watch_resolver(const struct resolver_conf *upstreams);

/* How many answers have come from servers. */
unsigned query_heard(void);

/* ---- query_order.c ---- */

/* The addresses in the order in which a program gets them, each but the first with what puts it
 * behind the one before. `ret_perm` is as long as they are. The settings are held. */
void query_order(const struct resolve *call, struct lookup_answer *answer, uint16_t *ret_perm);

/* "192.0.2.1" */
void query_address(const struct order_dest *dest, char ret[64]);

#endif

// SPDX-License-Identifier: MIT
/*
 * verb_query.c - `noblockdns query NAME`: one lookup through the code that programs use, in this
 * process, with each step and its time (query.h).
 */
#include "shim/tool/query.h"
#include "shim/tool/say.h"
#include "shim/tool/verb.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

struct values {
	bool v4, v6, no_cache, json;
};

static const struct option_spec options[] = {
	{.name = "ipv4",
	 .letter = '4',
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, v4),
	 .help = "ask for IPv4 addresses alone"},
	{.name = "ipv6",
	 .letter = '6',
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, v6),
	 .help = "ask for IPv6 addresses alone"},
	{.name = "no-cache",
	 .kind = OPTION_SWITCH,
	 .offset = offsetof(struct values, no_cache),
	 .help = "with an empty cache of its own: what is known already is asked for again"},
	OPTION_JSON(struct values, json),
	{0},
};

/* ---- what is printed ---- */

static void print(const struct query_result *r, double total_ms)
{
	query_print_steps(stdout);
	(void)printf("\n%s", r->eai == 0 ? "" : gai_strerror(r->eai));
	for (unsigned i = 0; i < r->n; i++)
		(void)printf("%s\n", r->addrs[i]);
	(void)printf("%stotal %.3f ms\n", r->eai == 0 ? "" : "; ", total_ms);
}

static void print_json(const char *name, const struct query_result *r, double total_ms)
{
	struct json j;

	json_open(&j, stdout);
	json_object(&j, NULL);
	json_text(&j, "name", name);
	json_bool(&j, "libc", r->by_libc);
	json_text(&j, "error", r->eai == 0 ? NULL : gai_strerror(r->eai));
	json_text(&j, "canonical", r->canon[0] ? r->canon : NULL);
	json_array(&j, "addresses");
	for (unsigned i = 0; i < r->n; i++)
		json_text(&j, NULL, r->addrs[i]);
	json_end(&j);
	query_json_steps(&j, "steps");
	json_real(&j, "total_ms", total_ms, 3);
	json_end(&j);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	struct query_result result;
	struct values values = {0};
	int first, status = options_parse(verb, argc, argv, &values, &first);
	double total_ms;

	if (status >= 0)
		return status;
	if (argc - first != 1)
		return say_usage(argc == first ? "query: which name?"
					       : "query: one name at a time");
	if (values.v4 && values.v6)
		return say_usage("query: -4 or -6?");
	if (values.no_cache && setenv("NOBLOCKDNS_CACHE", "private", 1) < 0)
		return say_trouble("query: no memory");
	query_look_up(argv[first], values.v4 ? AF_INET : values.v6 ? AF_INET6 : AF_UNSPEC, &result);
	total_ms = query_ms();
	if (values.json)
		print_json(argv[first], &result, total_ms);
	else
		print(&result, total_ms);
	free(result.addrs);
	return result.eai == 0 ? TOOL_FINE : TOOL_FINDING;
}

const struct verb verb_query = {
	.name = "query",
	.summary = "look one name up, and tell each step and its time",
	.synopsis = "[OPTION...] NAME",
	.more = "The way that getaddrinfo() goes under the shim: nsswitch.conf, the hosts file, "
		"the cache, the upstreams with their transports and certificates, the answer, and "
		"the order of the addresses with the rule of RFC 6724 that decided. The answer "
		"enters the cache as any other. The exit status is 1 if there are no addresses.",
	.options = options,
	.variables = true,
	.run = run,
};

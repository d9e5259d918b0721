// SPDX-License-Identifier: MIT
/*
 * probe.h - does an upstream answer, over which transport, and who is it? One question to one
 * server, through the resolver library that programs use, in this process and on this thread.
 *
 * The question is for the addresses of the root, which has none: it tells nobody anything, and
 * every server has an answer to it, be it a refusal.
 */
#ifndef NOBLOCKDNS_TOOL_PROBE_H
#define NOBLOCKDNS_TOOL_PROBE_H

#include "resolver/resolver.h"

#include <stdbool.h>
#include <stdint.h>

#define PROBE_TEXT 256

struct probe_result {
	bool answered;		       /* whatever it said */
	enum resolver_failure failure; /* where it said nothing, or did not mean it */
	uint32_t ms;
	char why[PROBE_TEXT]; /* the resolver's word for a failure, or "" */
	struct {
		bool seen; /* the server speaks TLS and has shown one */
		char subject[PROBE_TEXT], issuer[PROBE_TEXT], names[PROBE_TEXT];
		char doubt[PROBE_TEXT];	       /* "": it is authentic */
		int64_t not_before, not_after; /* seconds since 1970 */
		unsigned presented;
	} certificate;
};

/*
 * Asks the one upstream of `conf` (nupstreams is 1). 0 and what came of it; a negative errno where
 * it could not be asked: -ENOENT without the library, which is logged.
 */
int probe(const struct resolver_conf *conf, uint32_t timeout_ms, struct probe_result *ret);

#endif

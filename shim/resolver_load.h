// SPDX-License-Identifier: MIT
/*
 * resolver_load.h - finds the resolver library beside this one, opens it, and opens a resolver in
 * it.
 */
#ifndef NOBLOCKDNS_RESOLVER_LOAD_H
#define NOBLOCKDNS_RESOLVER_LOAD_H

#include "resolver/resolver.h"

struct resolver_instance {
	const struct resolver_ops *ops;
	struct resolver *resolver;
};

/*
 * Waits for the loader's lock, if need be for ever. `host` is copied. 0; -ENOENT: the library is
 * not there or does not fit (logged; it will not be otherwise next time); -ENOMEM and other errnos:
 * not this time. One thread at a time.
 */
int resolver_load(const struct resolver_host *host, struct resolver_instance *ret);

#endif

// SPDX-License-Identifier: MIT
/*
 * gai_libc.h - what is left to libc: by all hooks, what it can answer at once; by getaddrinfo_a(),
 * also the requests that only it can look up.
 */
#ifndef NOBLOCKDNS_GAI_LIBC_H
#define NOBLOCKDNS_GAI_LIBC_H

#include "shim/gai_request.h"

/* Can libc's getaddrinfo() answer this at once (numeric, no node, or an error)? Reading services(5)
 * counts as at once. Pure. */
bool gai_libc_is_quick(const char *node, const struct addrinfo *hints);

/*
 * Gives a RUNNING request to libc's getaddrinfo_a(), with a gaicb of our own, so that the program's
 * list stays in one hand. The driver from now on is a thread of libc's. Any thread.
 */
void gai_libc_start(struct gai_request *request);

#endif

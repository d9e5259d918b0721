// SPDX-License-Identifier: MIT
/* resolver_host_internal.h - what resolver_host.c and resolver_host_calls.c share. */
#ifndef NOBLOCKDNS_RESOLVER_HOST_INTERNAL_H
#define NOBLOCKDNS_RESOLVER_HOST_INTERNAL_H

#include "shim/resolver_load.h"

/* The library that was loaded, for whoever has had 0 of resolver_host_open(). */
extern struct resolver_instance resolver_host_instance;

extern const struct resolver_host resolver_host_calls;

/* From here on the resolver can be woken. 0 or -ENOMEM. io thread only. */
int resolver_host_begin_wakes(void);

/* In a forked child. */
void resolver_host_reset_calls(void);

#endif

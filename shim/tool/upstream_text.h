// SPDX-License-Identifier: MIT
/*
 * upstream_text.h - an upstream in words.
 */
#ifndef NOBLOCKDNS_TOOL_UPSTREAM_TEXT_H
#define NOBLOCKDNS_TOOL_UPSTREAM_TEXT_H

#include "resolver/resolver.h"

#define UPSTREAM_TEXT 384

extern const char *const upstream_schemes[RESOLVER_NTRANSPORTS]; /* "udp", ... */

/* "192.0.2.1", "[2001:db8::1%eth0]" */
void upstream_address(const struct sockaddr_storage *addr, char *buf, size_t size);

unsigned upstream_port(const struct resolver_upstream *u);

/* As NOBLOCKDNS_UPSTREAM has it. */
void upstream_text(const struct resolver_upstream *u, char buf[UPSTREAM_TEXT]);

#endif

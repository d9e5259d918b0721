// SPDX-License-Identifier: MIT
/*
 * config_upstream.h - NOBLOCKDNS_UPSTREAM as text, and as a list.
 *
 *	udp://192.0.2.1  tcp://[2001:db8::1]:5353  tls://192.0.2.1:853#dns.example
 *	tls://dns.example
 *
 * Separated by spaces or tabs, in order of preference. IPv6 with a port stands in brackets, without
 * one it may; a scope (%eth0, %2) is part of the address. Ports: 53, with tls:// 853 (RFC 7858
 * section 3.1). With tls:// the server may be given by its name alone: its addresses are asked of
 * resolv.conf's servers, and the name is the one to be authenticated. Clear text has no such check
 * of who answers, so there a name is an error.
 */
#ifndef NOBLOCKDNS_CONFIG_UPSTREAM_H
#define NOBLOCKDNS_CONFIG_UPSTREAM_H

#include "shim/config.h"

/* What the text may be, for the message about one that is not. */
#define CONFIG_UPSTREAM_ALLOWED                                                                    \
	"up to 8 of udp://ADDRESS[:PORT], tcp://ADDRESS[:PORT], tls://ADDRESS[:PORT][#NAME], "     \
	"tls://NAME[:PORT]"

/*
 * 0 and the list; -EINVAL for any error: *ret_n is as it was, what `ret` holds means nothing (a
 * second list would take 3 KB of a stack that may be small). Asks the kernel for the index of a
 * scope that is an interface's name, and nothing else.
 */
int config_upstream_parse(const char *text, struct resolver_upstream ret[RESOLVER_MAX_UPSTREAMS],
			  unsigned *ret_n);

#endif

// SPDX-License-Identifier: MIT
/*
 * sockopts_table.h - the socket options that a program can have set on a TCP socket before
 * connect(), and that a second socket can be given by reading them from the first.
 *
 * Constant data: sockopts.c copies by it, the unit tests walk it.
 */
#ifndef NOBLOCKDNS_SOCKOPTS_TABLE_H
#define NOBLOCKDNS_SOCKOPTS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define SOCKOPT_SIZE_MAX 256

/* One option: the same bytes that getsockopt() gives are what setsockopt() takes. */
struct sockopt {
	uint8_t level; /* SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6 */
	uint8_t name;
	bool varies;   /* in length: `size` is what no whole value fills */
	uint16_t size; /* bytes, at most SOCKOPT_SIZE_MAX */
};

/* In the order in which they are to be set. */
extern const struct sockopt sockopts_table[];
extern const unsigned sockopts_table_n;

#endif

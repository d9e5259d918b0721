// SPDX-License-Identifier: MIT
/*
 * connect_goal.h - may a connect() race, and with which addresses?
 *
 * Not: with an address that no lookup gave, or that stands alone; on loopback; on a socket of which
 * sockopts.h says that it cannot; in a program that races by itself; where the races have taken
 * their share of the descriptors (attempts_room()); with NOBLOCKDNS_RACE=off. The look at the
 * address comes first: it is all that a literal costs.
 *
 * Any thread, signal handlers; no allocation.
 */
#ifndef NOBLOCKDNS_CONNECT_GOAL_H
#define NOBLOCKDNS_CONNECT_GOAL_H

#include "shim/attempts.h"
#include "shim/swap.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct connect_goal {
	int fd;		    /* the program's */
	sa_family_t family; /* of the address as it was given */
	struct order_dest asked, dests[SIBLINGS_MAX];
	unsigned n;
	uint64_t now_ms;
	/* from connect_goal_prepare() on */
	struct swap_id id; /* the socket's */
	struct attempts_goal race;
};

/* Is there another address to try? *ret has been zeroed, but for `fd`. */
bool connect_goal_find(const struct sockaddr *addr, socklen_t len, struct connect_goal *ret);

/* Looks at the program and the socket, and fills in what is to be raced. False: it is libc's call.
 */
bool connect_goal_prepare(struct connect_goal *ret);

#endif

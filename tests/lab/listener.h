// SPDX-License-Identifier: MIT
/*
 * listener.h - TCP servers that only watch: a process that accepts on some ports, at every address
 * of its side, and records of each connection what the client did with it.
 */
#ifndef LAB_LISTENER_H
#define LAB_LISTENER_H

#include "netns.h"

#include <netinet/in.h>
#include <stdint.h>

#define LAB_LISTENER_MAX 4096 /* connections that are recorded */

enum lab_connection_end {
	LAB_CONNECTION_OPEN,
	LAB_CONNECTION_EOF,
	LAB_CONNECTION_RESET,
};

/* One accepted connection. */
struct lab_connection {
	uint16_t port;	      /* ours */
	uint16_t client_port; /* theirs */
	int family;	      /* AF_INET or AF_INET6 on the wire */
	uint32_t octets;      /* received */
	enum lab_connection_end end;
};

struct lab_listener;

/*
 * Listens on `nports` ports from `port` on, both families. Says `greeting` to every client at once,
 * unless it is NULL. All are listening on return.
 */
struct lab_listener *lab_listener_start(struct lab_world *w, enum lab_side side, uint16_t port,
					unsigned nports, const char *greeting);

/* The i-th connection since the start, as it is now; false: there is none. */
bool lab_listener_connection(const struct lab_listener *l, unsigned i, struct lab_connection *ret);

#endif

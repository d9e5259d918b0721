// SPDX-License-Identifier: MIT
/*
 * order.h - the order of destination addresses: RFC 6724 section 6 as glibc 2.36 implements it
 * (RFC 3484 with its tables in gai.conf), stable.
 *
 * The decision is pure: everything that it asks of the network (which source address would be
 * used?) comes from a probe that the caller injects. order_probe_socket is the real one.
 * Any thread; no allocation up to ORDER_STACK_MAX destinations.
 */
#ifndef NOBLOCKDNS_ORDER_H
#define NOBLOCKDNS_ORDER_H

#include "shim/gai_conf.h"
#include "shim/netif.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define ORDER_STACK_MAX 64
#define ORDER_MAX	65535 /* what a permutation of uint16_t can hold */

struct order_dest {
	int family;		/* AF_INET or AF_INET6 */
	uint32_t scope_id;	/* AF_INET6 */
	unsigned char addr[16]; /* 4 or 16 bytes, network order */
};

struct order_probe {
	/*
	 * The source address (v4-mapped for IPv4) that the kernel would use towards `dest`.
	 * 0, or a negative errno: there is none (no route). No packet is sent.
	 */
	int (*source)(void *ctx, const struct order_dest *dest, struct in6_addr *ret);

	/* netif_is_native(), asked at most once for each pair that comes as far as rule 7. */
	bool (*is_native)(void *ctx, uint32_t ifindex);

	/* Releases what source() kept open; called once at the end. */
	void (*done)(void *ctx);
	void *ctx;
};

/*
 * Writes to `ret_perm` [n] the order: ret_perm[0] is the index in `dests` of the address to be
 * tried first. 0, -EINVAL (n over ORDER_MAX), -ENOMEM.
 */
int order_sort(const struct order_dest *dests, unsigned n, const struct gai_conf *conf,
	       const struct netif *netif, const struct order_probe *probe, uint16_t *ret_perm);

/* State of the real probe: one UDP socket a family, kept for the duration of one sort. */
struct order_sockets {
	int fd;
	int family;
};

/* The real probe: connects a UDP socket and asks for its name. `sockets` outlives it. */
struct order_probe order_probe_socket(struct order_sockets *sockets);

#endif

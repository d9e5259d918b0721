// SPDX-License-Identifier: MIT
/*
 * order.h - the order of destination addresses: RFC 6724 section 6 as glibc 2.36 implements it
 * (RFC 3484 with the tables of gai.conf), stable; and what earlier connects have shown (RFC 8305
 * section 4): broken addresses go behind all others, also behind those without a route, which fail
 * at once; between rules 8 and 9, and within a family only, the shorter round trip goes first,
 * where both are known and further than RACE_RTT_TIE_MS apart, then what has worked. Where nothing
 * is known the order is glibc's.
 *
 * The decision is pure: what it asks of the network (which source address would be used?) comes
 * from a probe that the caller injects; order_probe_open() makes the real one. Any thread; no
 * allocation up to ORDER_STACK_MAX destinations.
 *
 * glibc sorts the finished list, in which each address stands once a socket type; here the
 * addresses alone are sorted. The result is the same as long as the rules order the addresses
 * totally, and they do unless gai.conf gives an IPv4 and an IPv6 prefix the same precedence (rule
 * 9, as the history, compares within a family only).
 */
#ifndef NOBLOCKDNS_ORDER_H
#define NOBLOCKDNS_ORDER_H

#include "shim/gai_conf.h"
#include "shim/netif.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ORDER_STACK_MAX 64
#define ORDER_MAX	65535 /* what a permutation of uint16_t can hold */

struct order_dest {
	int family;		/* AF_INET or AF_INET6; a v4-mapped address is AF_INET6 */
	uint32_t scope_id;	/* AF_INET6 */
	unsigned char addr[16]; /* 4 or 16 bytes, network order */
};

/* One and the same address? */
static inline bool order_dest_same(const struct order_dest *a, const struct order_dest *b)
{
	return a->family == b->family &&
	       memcmp(a->addr, b->addr, a->family == AF_INET ? 4 : 16) == 0 &&
	       (a->family == AF_INET || a->scope_id == b->scope_id);
}

/* What earlier connects have shown of an address. */
struct order_known {
	bool broken, works;
	uint32_t srtt_ms; /* 0: not known */
};

/* What the order asks of the network. */
struct order_probe {
	/*
	 * The source address (IPv4 v4-mapped) that the kernel would use towards `dest`. 0, or a
	 * negative errno: there is none. Sends nothing. Equal neighbours are asked once.
	 */
	int (*source)(void *ctx, const struct order_dest *dest, struct in6_addr *ret);

	/* netif_is_native(); asked where rule 7 is reached, at most once an interface. */
	bool (*is_native)(void *ctx, uint32_t ifindex);

	/* NULL: nothing is known of any. */
	void (*known)(void *ctx, const struct order_dest *dest, struct order_known *ret);
	void *ctx; /* borrowed; handed to each */
};

/*
 * Writes to `ret_perm` [n] the order: dests[ret_perm[0]] is to be tried first. 0, -EINVAL (n over
 * ORDER_MAX), -ENOMEM.
 */
int order_sort(const struct order_dest *dests, unsigned n, const struct gai_conf *conf,
	       const struct netif *netif, const struct order_probe *probe, uint16_t *ret_perm);

/* What puts one address before another: a rule of RFC 6724 section 6, or the history. */
enum order_rule {
	ORDER_BROKEN,	   /* the other one is known to be broken */
	ORDER_UNREACHABLE, /* rule 1 */
	ORDER_SCOPE,	   /* rule 2, and so on */
	ORDER_DEPRECATED,
	ORDER_HOME,
	ORDER_LABEL,
	ORDER_PRECEDENCE,
	ORDER_NATIVE,
	ORDER_SMALL_SCOPE, /* rule 8 */
	ORDER_HISTORY,	   /* nearer, or known to work (RFC 8305 section 4) */
	ORDER_PREFIX,	   /* rule 9 */
	ORDER_AS_GIVEN,	   /* rule 10 */
};

/* Why pair[0] stands before pair[1] in what order_sort() has made of both. */
enum order_rule order_explain(const struct order_dest pair[2], const struct gai_conf *conf,
			      const struct netif *netif, const struct order_probe *probe);

/* The UDP socket of the real probe, kept from one destination to the next as glibc does. */
struct order_socket {
	int fd;
	int family;
};

/*
 * Is this result of `source` one that any process on this network would get, be it that there is no
 * route? Not where a descriptor or memory was lacking, or where this process may not ask. A family
 * without socket support counts as not routed where the interfaces have no IPv6 address either.
 */
bool order_is_verdict(int r, const struct netif *netif);

/*
 * The real probe: connects a UDP socket and asks for its name, by raw system calls. `sock` is the
 * caller's, lives until order_probe_close(), and holds at most one descriptor, close-on-exec.
 */
struct order_probe order_probe_open(struct order_socket *sock);
void order_probe_close(struct order_socket *sock);

#endif

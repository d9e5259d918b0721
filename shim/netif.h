// SPDX-License-Identifier: MIT
/*
 * netif.h - the addresses of this network namespace's interfaces, as far as getaddrinfo() needs
 * them: which families AI_ADDRCONFIG admits, and what RFC 6724 rules 3, 4, 7 and 9 ask of a source
 * address. Equal to glibc 2.36's check_pf.
 *
 * netif_read() and netif_is_native() make one netlink dump over a close-on-exec socket that they
 * close again, by raw system calls; any thread. The rest is pure.
 */
#ifndef NOBLOCKDNS_NETIF_H
#define NOBLOCKDNS_NETIF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum netif_flags {
	NETIF_DEPRECATED = 1, /* RFC 4862 2; glibc adds the optimistic ones of RFC 4429 */
	NETIF_HOME = 2,	      /* RFC 6275 home address */
};

struct netif_addr {
	struct in6_addr addr; /* IPv4 v4-mapped */
	uint32_t ifindex;
	uint8_t flags;	    /* enum netif_flags */
	uint8_t prefix_len; /* 0 to 32 for IPv4, 0 to 128 for IPv6 */
};

struct netif {
	bool seen_ipv4; /* an IPv4 address other than 127.0.0.1 */
	bool seen_ipv6; /* an IPv6 address other than ::1 */
	unsigned naddrs;
	struct netif_addr *addrs; /* owned; ordered by address. Empty where seen_ipv6 is false: then
				   * glibc forgets the IPv4 ones, too, which rule 9 can tell */
	uint64_t hash;		  /* of all addresses, in whatever order the kernel gave them, with
				   * flags, prefixes and interfaces: differs after a change */
	uint64_t place;		  /* of those alone that tell one place from another (netstate.h),
				   * without flags and interfaces */
};

/*
 * Asks the kernel. 0, or a negative errno where it refuses (seccomp, no descriptors, -ENOMEM): then
 * take netif_unknown, as glibc does.
 */
int netif_read(struct netif *ret);

/* The same without the addresses themselves: needs no netif_free(), allocates nothing. */
int netif_look(struct netif *ret);

void netif_free(struct netif *netif);

/* Both families seen, no address known. Static: needs no netif_free(). */
extern const struct netif netif_unknown;

/* The entry of an address (IPv4 v4-mapped), or NULL. */
const struct netif_addr *netif_find(const struct netif *netif, const struct in6_addr *addr);

/*
 * Is the interface "native" in the sense of RFC 6724 rule 7: no tunnel, ip6tnl or sit? False where
 * it does not exist or the kernel does not answer.
 */
bool netif_is_native(uint32_t ifindex);

#endif

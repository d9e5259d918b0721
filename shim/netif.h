// SPDX-License-Identifier: MIT
/*
 * netif.h - the addresses of this network namespace's interfaces, as far as getaddrinfo needs them:
 * which families AI_ADDRCONFIG admits, and what RFC 6724 rules 3, 4 and 7 ask of a source address.
 *
 * netif_read() makes one netlink dump over a close-on-exec socket that it closes again; any thread.
 * The rest is pure.
 */
#ifndef NOBLOCKDNS_NETIF_H
#define NOBLOCKDNS_NETIF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum netif_flags {
	NETIF_DEPRECATED = 1, /* RFC 4862: also set while an address is optimistic or in homeless
			       * state, as glibc's check_pf does it: see netif.c */
	NETIF_TEMPORARY = 2,  /* RFC 8981 */
	NETIF_HOME = 4,	      /* RFC 6275 home address */
};

struct netif_addr {
	struct in6_addr addr; /* IPv4 v4-mapped */
	uint8_t flags;	      /* enum netif_flags */
	uint8_t prefix_len;   /* 0 to 32 for IPv4, 0 to 128 for IPv6 */
	uint32_t ifindex;
};

struct netif {
	bool seen_ipv4; /* an IPv4 address other than 127.0.0.1 */
	bool seen_ipv6; /* an IPv6 address other than ::1 */
	unsigned naddrs;
	struct netif_addr *addrs; /* owned; in the kernel's order */
};

/*
 * Asks the kernel. Negative errno where it refuses (seccomp, no descriptors, -ENOMEM): glibc then
 * behaves as netif_unknown.
 */
int netif_read(struct netif *ret);

void netif_free(struct netif *netif);

/* Both families seen, no address known: what glibc assumes where the kernel did not answer. */
extern const struct netif netif_unknown;

/* For the detection of changes: the same for the same set of addresses, flags and interfaces. */
uint64_t netif_hash(const struct netif *netif);

/* The entry of an address (IPv4 v4-mapped), or NULL. */
const struct netif_addr *netif_find(const struct netif *netif, const struct in6_addr *addr);

/*
 * Is the interface "native" in the sense of RFC 6724 rule 7, that is, no tunnel (tunnel, ip6tnl,
 * sit)? Asks the kernel; true where it does not answer, or for index 0xffffffff. Any thread.
 */
bool netif_is_native(uint32_t ifindex);

#endif

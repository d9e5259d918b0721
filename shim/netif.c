// SPDX-License-Identifier: MIT
/*
 * netif.c - RTM_GETADDR and RTM_GETLINK, read the way glibc 2.36 reads them.
 *
 * Of an address with a peer, glibc takes IFA_ADDRESS, which is the peer's; so do we, or the order
 * of destinations would differ.
 */
#include "shim/netif.h"

#include "shim/hash.h"
#include "shim/netlink.h"
#include "shim/v4mapped.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

const struct netif netif_unknown = {.seen_ipv4 = true, .seen_ipv6 = true};

/* IFA_ADDRESS, else IFA_LOCAL, else NULL; at least `len` bytes. */
static const void *find_address(const struct nlmsghdr *message, size_t len)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(message);
	unsigned rest = IFA_PAYLOAD(message);
	const void *local = NULL;

	for (const struct rtattr *a = IFA_RTA(ifa); RTA_OK(a, rest); a = RTA_NEXT(a, rest)) {
		if (RTA_PAYLOAD(a) < len)
			continue;
		if (a->rta_type == IFA_ADDRESS)
			return RTA_DATA(a);
		if (a->rta_type == IFA_LOCAL)
			local = RTA_DATA(a);
	}
	return local;
}

static bool append(struct netif *netif, const struct netif_addr *addr)
{
	unsigned n = netif->naddrs;

	if ((n & (n - 1)) == 0) {
		struct netif_addr *bigger =
			realloc(netif->addrs, (n ? 2 * (size_t)n : 1) * sizeof(*bigger));

		if (!bigger)
			return false;
		netif->addrs = bigger;
	}
	netif->addrs[netif->naddrs++] = *addr;
	return true;
}

/*
 * Does the address tell where this machine is? One that is valid on a link alone does not: each
 * container's interface has one, which comes and goes with it. Nor does a temporary one (RFC 8981),
 * beside which a lasting one of the same prefix stands.
 */
static bool is_of_place(const struct in6_addr *addr, unsigned flags)
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		return addr->s6_addr[12] != 127 &&
		       !(addr->s6_addr[12] == 169 && addr->s6_addr[13] == 254);
	return !IN6_IS_ADDR_LOOPBACK(addr) && !IN6_IS_ADDR_LINKLOCAL(addr) &&
	       !(flags & IFA_F_TEMPORARY);
}

/* Who is told of the addresses. */
struct reader {
	struct netif netif;
	bool keeps; /* them; else only what follows from them */
};

static int add_address(void *ctx, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(message);
	struct reader *reader = ctx;
	struct netif *netif = &reader->netif;
	struct netif_addr entry;
	const void *addr;

	if (message->nlmsg_type != RTM_NEWADDR || message->nlmsg_len < NLMSG_LENGTH(sizeof(*ifa)) ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return 0;
	addr = find_address(message, ifa->ifa_family == AF_INET ? 4 : 16);
	if (!addr)
		return 0;
	memset(&entry, 0, sizeof(entry)); /* padding too: the bytes are hashed */
	if (ifa->ifa_family == AF_INET) {
		entry.addr = v4mapped_make(addr);
		netif->seen_ipv4 |= memcmp(addr, "\x7f\0\0\1", 4) != 0;
	} else {
		memcpy(&entry.addr, addr, 16);
		netif->seen_ipv6 |= !IN6_IS_ADDR_LOOPBACK(&entry.addr);
	}
	entry.prefix_len = ifa->ifa_prefixlen;
	if (is_of_place(&entry.addr, ifa->ifa_flags))
		netif->place += hash_bytes(&entry, sizeof(entry), HASH_K1);
	entry.ifindex = ifa->ifa_index;
	if (ifa->ifa_flags & (IFA_F_DEPRECATED | IFA_F_OPTIMISTIC))
		entry.flags |= NETIF_DEPRECATED;
	if (ifa->ifa_flags & IFA_F_HOMEADDRESS)
		entry.flags |= NETIF_HOME;
	netif->hash += hash_bytes(&entry, sizeof(entry), 0);
	return !reader->keeps || append(netif, &entry) ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
	const struct netif_addr *x = a, *y = b;

	return memcmp(&x->addr, &y->addr, sizeof(x->addr));
}

int netif_read(struct netif *ret)
{
	struct reader reader = {.keeps = true};
	struct netif *netif = &reader.netif;
	int err = netlink_dump(RTM_GETADDR, add_address, &reader);

	if (err) {
		free(netif->addrs);
		return err;
	}
	if (netif->seen_ipv6)
		qsort(netif->addrs, netif->naddrs, sizeof(*netif->addrs), compare);
	else
		netif_free(netif);
	*ret = *netif;
	return 0;
}

int netif_look(struct netif *ret)
{
	struct reader reader = {0};
	int err = netlink_dump(RTM_GETADDR, add_address, &reader);

	if (!err)
		*ret = reader.netif;
	return err;
}

void netif_free(struct netif *netif)
{
	free(netif->addrs);
	netif->addrs = NULL;
	netif->naddrs = 0;
}

const struct netif_addr *netif_find(const struct netif *netif, const struct in6_addr *addr)
{
	const struct netif_addr key = {.addr = *addr};

	if (netif->naddrs == 0)
		return NULL;
	return bsearch(&key, netif->addrs, netif->naddrs, sizeof(key), compare);
}

struct link_query {
	uint32_t ifindex;
	bool native;
};

static int check_link(void *ctx, const struct nlmsghdr *message)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	struct link_query *query = ctx;

	if (message->nlmsg_type != RTM_NEWLINK ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*link)) ||
	    (uint32_t)link->ifi_index != query->ifindex)
		return 0;
	query->native = link->ifi_type != ARPHRD_TUNNEL && link->ifi_type != ARPHRD_TUNNEL6 &&
			link->ifi_type != ARPHRD_SIT;
	return 1;
}

bool netif_is_native(uint32_t ifindex)
{
	struct link_query query = {.ifindex = ifindex};

	return netlink_dump(RTM_GETLINK, check_link, &query) == 1 && query.native;
}

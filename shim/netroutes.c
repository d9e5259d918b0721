// SPDX-License-Identifier: MIT
/* netroutes.c - see netroutes.h. */
#include "shim/netroutes.h"

#include "shim/hash.h"
#include "shim/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <sys/socket.h>

struct routes {
	uint64_t hash, place;
	uint32_t len; /* of all messages */
};

enum { TOO_MANY = 1 };

/* An attribute's value, of 4 bytes or more; NULL where the route has none. */
static const unsigned char *find(const struct nlmsghdr *message, unsigned short type)
{
	unsigned rest = RTM_PAYLOAD(message);

	for (const struct rtattr *a = RTM_RTA(NLMSG_DATA(message)); RTA_OK(a, rest);
	     a = RTA_NEXT(a, rest))
		if (a->rta_type == type && RTA_PAYLOAD(a) >= 4)
			return RTA_DATA(a);
	return NULL;
}

/*
 * Does the route tell where this machine is? One to a link's own addresses does not, nor one to a
 * single host on a link: each container may have one, which comes and goes with it.
 */
static bool is_of_place(const struct nlmsghdr *message)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	const unsigned char *dst = find(message, RTA_DST);
	bool ipv4 = route->rtm_family == AF_INET;

	if (dst == NULL)
		return true;
	if (ipv4 ? dst[0] == 169 && dst[1] == 254 : dst[0] == 0xfe && (dst[1] & 0xc0) == 0x80)
		return false;
	return route->rtm_dst_len < (ipv4 ? 32 : 128) || find(message, RTA_GATEWAY) != NULL;
}

/* A network on a link is there also while nothing on it is up: only where the route to everything
 * leads does it count whether that is. */
static uint64_t hash_route(const struct nlmsghdr *message, bool whole)
{
	struct rtmsg route = *(const struct rtmsg *)NLMSG_DATA(message);
	unsigned rest = RTM_PAYLOAD(message);
	uint64_t hash;

	if (!whole && route.rtm_dst_len != 0)
		route.rtm_flags = 0;
	hash = hash_bytes(&route, sizeof route, HASH_K2);
	for (const struct rtattr *a = RTM_RTA(NLMSG_DATA(message)); RTA_OK(a, rest);
	     a = RTA_NEXT(a, rest))
		if (a->rta_type != RTA_CACHEINFO)
			hash = hash_bytes(a, a->rta_len, hash);
	return hash;
}

static int add_route(void *ctx, const struct nlmsghdr *message)
{
	struct routes *routes = ctx;

	routes->len += message->nlmsg_len;
	if (routes->len > NETROUTES_MAX)
		return TOO_MANY;
	if (message->nlmsg_type != RTM_NEWROUTE ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
		return 0;
	routes->hash += hash_route(message, true);
	if (is_of_place(message))
		routes->place += hash_route(message, false);
	return 0;
}

int netroutes_hash(uint64_t *ret_hash, uint64_t *ret_place)
{
	const struct rtmsg main_table = {.rtm_family = AF_UNSPEC, .rtm_table = RT_TABLE_MAIN};
	struct routes routes = {.hash = HASH_K3};
	int r = netlink_dump_strict(RTM_GETROUTE, &main_table, sizeof main_table, add_route,
				    &routes);

	if (r < 0 && r != -ENOPROTOOPT)
		return r;
	*ret_hash = r == 0 ? routes.hash : 0;
	*ret_place = r == 0 ? routes.place : 0;
	return 0;
}

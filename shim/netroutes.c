// SPDX-License-Identifier: MIT
/* netroutes.c - see netroutes.h. */
#include "shim/netroutes.h"

#include "shim/hash.h"
#include "shim/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

struct routes {
	uint64_t hash;
	uint32_t len; /* of all messages */
};

enum { TOO_MANY = 1 };

static int add_route(void *ctx, const struct nlmsghdr *message)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	struct routes *routes = ctx;
	unsigned rest;
	uint64_t hash;

	routes->len += message->nlmsg_len;
	if (routes->len > NETROUTES_MAX)
		return TOO_MANY;
	if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof *route))
		return 0;
	hash = hash_bytes(route, sizeof *route, HASH_K2);
	rest = RTM_PAYLOAD(message);
	for (const struct rtattr *a = RTM_RTA(route); RTA_OK(a, rest); a = RTA_NEXT(a, rest))
		if (a->rta_type != RTA_CACHEINFO)
			hash = hash_bytes(a, a->rta_len, hash);
	routes->hash += hash;
	return 0;
}

int netroutes_hash(uint64_t *ret_hash)
{
	const struct rtmsg main_table = {.rtm_family = AF_UNSPEC, .rtm_table = RT_TABLE_MAIN};
	struct routes routes = {.hash = HASH_K3};
	int r = netlink_dump_strict(RTM_GETROUTE, &main_table, sizeof main_table, add_route,
				    &routes);

	if (r < 0 && r != -ENOPROTOOPT)
		return r;
	*ret_hash = r == 0 ? routes.hash : 0;
	return 0;
}

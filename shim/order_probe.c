// SPDX-License-Identifier: MIT
/*
 * order_probe.c - the source address towards a destination, from the kernel's routing.
 *
 * An IPv6 socket serves IPv4 destinations as well, and gives v4-mapped names; an IPv4 socket is
 * replaced when an IPv6 destination comes. Where IPv6 sockets are IPv6-only, IPv4 gets its own.
 */
#include "shim/order.h"

#include "shim/sys.h"
#include "shim/v4mapped.h"

#include <string.h>

#define DISCARD_PORT 9 /* RFC 863; routes do not depend on it */

union address {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

void order_probe_close(struct order_socket *sock)
{
	if (sock->fd >= 0)
		sys_close(sock->fd);
	sock->fd = -1;
}

/* A socket that is not connected and can reach `family`, or a negative errno. An IPv6 one is tried
 * first, for it will most likely serve the other destinations as well. */
static int prepare(struct order_socket *sock, int family)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	bool v4_only = sock->family == AF_INET && family == AF_INET;

	if (sock->fd >= 0 && (sock->family == AF_INET6 || family == AF_INET)) {
		(void)sys_call(SYS_connect, sock->fd, (long)&none, sizeof(none), 0, 0, 0);
		return 0;
	}
	order_probe_close(sock);
	sock->family = v4_only ? AF_INET : AF_INET6;
	sock->fd = sys_socket(sock->family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_IP);
	if (sock->fd < 0 && family == AF_INET && !v4_only) {
		sock->family = AF_INET;
		sock->fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_IP);
	}
	return sock->fd < 0 ? sock->fd : 0;
}

static socklen_t to_sockaddr(const struct order_dest *dest, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sa.sa_family = (sa_family_t)dest->family;
	if (dest->family == AF_INET) {
		memcpy(&ret->in4.sin_addr, dest->addr, 4);
		ret->in4.sin_port = htons(DISCARD_PORT);
		return sizeof(ret->in4);
	}
	memcpy(&ret->in6.sin6_addr, dest->addr, 16);
	ret->in6.sin6_port = htons(DISCARD_PORT);
	ret->in6.sin6_scope_id = dest->scope_id;
	return sizeof(ret->in6);
}

static int connect_to(struct order_socket *sock, const struct order_dest *dest)
{
	union address addr;
	socklen_t len = to_sockaddr(dest, &addr);
	int err = prepare(sock, dest->family);

	if (err)
		return err;
	return (int)sys_call(SYS_connect, sock->fd, (long)&addr, len, 0, 0, 0);
}

static int source(void *ctx, const struct order_dest *dest, struct in6_addr *ret)
{
	struct order_socket *sock = ctx;
	union address name;
	socklen_t len = sizeof(name);
	int err = connect_to(sock, dest);

	if (err == -EAFNOSUPPORT && sock->family == AF_INET6 && dest->family == AF_INET) {
		order_probe_close(sock);
		sock->family = AF_INET;
		err = connect_to(sock, dest);
	}
	if (!err)
		err = (int)sys_call(SYS_getsockname, sock->fd, (long)&name, (long)&len, 0, 0, 0);
	if (err)
		return err;
	*ret = name.sa.sa_family == AF_INET6 ? name.in6.sin6_addr
					     : v4mapped_make(&name.in4.sin_addr);
	return 0;
}

static bool is_native(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	return netif_is_native(ifindex);
}

bool order_is_verdict(int r, const struct netif *netif)
{
	switch (r) {
	case 0:
	case -EADDRNOTAVAIL:
	case -EHOSTUNREACH:
	case -EINVAL: /* a route of type blackhole */
	case -ENETUNREACH:
		return true;
	case -EAFNOSUPPORT:
		return !netif->seen_ipv6;
	}
	return false;
}

struct order_probe order_probe_open(struct order_socket *sock)
{
	*sock = (struct order_socket){.fd = -1, .family = AF_UNSPEC};
	return (struct order_probe){.source = source, .is_native = is_native, .ctx = sock};
}

// SPDX-License-Identifier: MIT
/*
 * doctor_ipv6.c - is IPv6 there, and does it lead anywhere? Told from the interfaces, the routes (a
 * UDP socket that is connected sends nothing), and the upstreams that were asked over it.
 */
#include "shim/netif.h"
#include "shim/tool/doctor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define GLOBAL_UNICAST "2000::1" /* RFC 4291 section 2.4: nothing is sent there */
#define AVOID                                                                                      \
	"have the network repaired, or IPv6 turned off; until then the shim tries IPv4 after "     \
	"250 ms, and remembers"

/* An address that others can answer to: neither link-local nor loopback nor v4-mapped. */
static bool has_address(const struct netif *netif)
{
	for (unsigned i = 0; i < netif->naddrs; i++) {
		const struct in6_addr *a = &netif->addrs[i].addr;

		if (!IN6_IS_ADDR_V4MAPPED(a) && !IN6_IS_ADDR_LINKLOCAL(a) &&
		    !IN6_IS_ADDR_LOOPBACK(a))
			return true;
	}
	return false;
}

static bool has_route(void)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool there;

	if (fd < 0)
		return false;
	(void)inet_pton(AF_INET6, GLOBAL_UNICAST, &to.sin6_addr);
	there = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
	(void)close(fd);
	return there;
}

void doctor_ipv6(struct doctor *d, const struct doctor_families *f)
{
	struct netif netif;
	bool address = false;

	d->area = "network";
	if (netif_read(&netif) == 0) {
		address = has_address(&netif);
		netif_free(&netif);
	}
	if (f->asked6 > 0 && f->answered6 == 0 && f->answered4 > 0)
		doctor_find(d, DOCTOR_BAD, "ipv6-broken", AVOID,
			    "IPv6 leads nowhere: %u upstreams answer over IPv4, and none of %u "
			    "over IPv6",
			    f->answered4, f->asked6);
	else if (f->answered6 > 0)
		doctor_find(d, DOCTOR_GOOD, "ipv6", NULL, "IPv6 works: %u of %u upstreams answer",
			    f->answered6, f->asked6);
	else if (!address)
		doctor_find(d, DOCTOR_GOOD, "ipv6", NULL, "this machine has no IPv6 address");
	else if (!has_route())
		doctor_find(d, DOCTOR_NOTE, "ipv6-no-route", AVOID,
			    "this machine has an IPv6 address, and no route for it: connects over "
			    "IPv6 fail at once");
	else
		doctor_find(d, DOCTOR_NOTE, "ipv6-untried",
			    "name an upstream with an IPv6 address to have it tried",
			    "this machine has IPv6 and a route; whether it leads anywhere is not "
			    "known, as no upstream is asked over it");
}

// SPDX-License-Identifier: MIT
/* netroutes.c, in a network namespace of each test's own: what changes the hash, and what not. */
#include "shim/netroutes.h"

#include "shim/netns.h"
#include "shim/netstate.h"
#include "shim/settings.h"
#include "tests/unit/test_cache_util.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef RTF_EXPIRES
#define RTF_EXPIRES 0x00400000 /* linux/ipv6_route.h, which net/route.h excludes */
#endif

static int sock;

static void enter_namespace(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		cr_skip_test("no network namespace: %s", strerror(errno));
	sock = socket(AF_INET6, SOCK_DGRAM, 0);
	cr_assert_geq(sock, 0);
	ifr.ifr_flags = IFF_UP;
	cr_assert_eq(ioctl(sock, SIOCSIFFLAGS, &ifr), 0);
}

TestSuite(netroutes, .init = enter_namespace);

static uint64_t hash(void)
{
	uint64_t got = 1, place;

	cr_assert_eq(netroutes_hash(&got, &place), 0);
	return got;
}

/* Routes 10.x.y.0/24 through lo. `request` is SIOCADDRT or SIOCDELRT. */
static void change_ipv4(unsigned long request, unsigned number)
{
	char lo[] = "lo";
	struct rtentry route = {.rt_dev = lo, .rt_flags = RTF_UP};
	struct sockaddr_in *dst = (struct sockaddr_in *)&route.rt_dst,
			   *mask = (struct sockaddr_in *)&route.rt_genmask;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	dst->sin_family = mask->sin_family = AF_INET;
	dst->sin_addr.s_addr = htonl(0x0a000000 + (number << 8));
	mask->sin_addr.s_addr = htonl(0xffffff00);
	cr_assert_eq(ioctl(fd, request, &route), 0, "%s", strerror(errno));
	close(fd);
}

/* A route 2001:db8::/32 through lo, of this metric, which expires in so many seconds (0: never). */
static void change_ipv6(unsigned long request, uint32_t metric, unsigned seconds)
{
	struct in6_rtmsg route = {
		.rtmsg_dst_len = 32,
		.rtmsg_metric = metric,
		.rtmsg_flags = RTF_UP | (seconds != 0 ? RTF_EXPIRES : 0),
		.rtmsg_info = seconds * (unsigned)sysconf(_SC_CLK_TCK),
		.rtmsg_ifindex = (int)if_nametoindex("lo"),
	};

	inet_pton(AF_INET6, "2001:db8::", &route.rtmsg_dst);
	cr_assert_eq(ioctl(sock, request, &route), 0, "%s", strerror(errno));
}

Test(netroutes, route_of_ipv4_changes_the_hash_until_it_goes)
{
	uint64_t before = hash(), with;

	change_ipv4(SIOCADDRT, 1);
	with = hash();
	cr_expect_neq(with, before);
	cr_expect_eq(hash(), with);
	change_ipv4(SIOCDELRT, 1);
	cr_expect_eq(hash(), before);
}

Test(netroutes, route_of_ipv6_changes_the_hash_until_it_goes)
{
	uint64_t before = hash(), with;

	change_ipv6(SIOCADDRT, 1024, 0);
	with = hash();
	cr_expect_neq(with, before);
	change_ipv6(SIOCDELRT, 1024, 0);
	change_ipv6(SIOCADDRT, 512, 0);
	cr_expect_neq(hash(), with, "the metric does not count");
}

/* Each router advertisement sets the time anew. */
Test(netroutes, time_that_runs_out_is_no_change)
{
	uint64_t before = hash(), with;

	change_ipv6(SIOCADDRT, 1024, 1000);
	with = hash();
	cr_expect_neq(with, before);
	usleep(50000);
	cr_expect_eq(hash(), with);
}

Test(netroutes, too_many_routes_are_not_read_to_the_end)
{
	uint64_t all;
	unsigned n;

	for (n = 1; n <= 2000 && hash() != 0; n++)
		change_ipv4(SIOCADDRT, n);
	cr_assert_eq(hash(), 0u);
	cr_assert_gt(n, 100u, "only %u routes are too many", n);
	change_ipv4(SIOCADDRT, n);
	all = hash();
	cr_expect_eq(all, 0u);
}

static uint64_t place(void)
{
	uint64_t hash_now, got = 1;

	cr_assert_eq(netroutes_hash(&hash_now, &got), 0);
	return got;
}

Test(netroutes, route_to_a_network_is_of_the_place)
{
	uint64_t before = place(), with;

	change_ipv4(SIOCADDRT, 1);
	with = place();
	cr_expect_neq(with, before);
	change_ipv6(SIOCADDRT, 1024, 0);
	cr_expect_neq(place(), with);
	change_ipv6(SIOCDELRT, 1024, 0);
	change_ipv4(SIOCDELRT, 1);
	cr_expect_eq(place(), before);
}

/* ---- as a process sees it ---- */

#define NOW_MS 5000000

Test(netroutes, changed_route_is_another_network_within_a_second)
{
	struct settings settings = {.cache = private_cache(CACHE_SIZE_MIN),
				    .netns = netns_identify()};
	uint64_t before;

	if (settings.netns == 0)
		cr_skip_test("the kernel does not tell the network namespace");
	before = netstate_get(&settings, NOW_MS)->hash;
	change_ipv6(SIOCADDRT, 1024, 0);
	cr_expect_eq(netstate_get(&settings, NOW_MS + NETSTATE_CHECK_MS - 1)->hash, before);
	cr_expect_neq(netstate_get(&settings, NOW_MS + NETSTATE_CHECK_MS)->hash, before);
	change_ipv6(SIOCDELRT, 1024, 0);
	cr_expect_eq(netstate_get(&settings, NOW_MS + 2 * NETSTATE_CHECK_MS)->hash, before);
}

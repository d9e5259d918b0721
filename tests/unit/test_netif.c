// SPDX-License-Identifier: MIT
/*
 * test_netif.c - what the kernel tells of the interfaces, compared with getifaddrs(3), and in a
 * network namespace of the test's own.
 */
#include "shim/netif.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct in6_addr mapped(const struct sockaddr *sa)
{
	struct in6_addr addr = {0};

	if (sa->sa_family == AF_INET6)
		return ((const struct sockaddr_in6 *)sa)->sin6_addr;
	addr.s6_addr[10] = addr.s6_addr[11] = 0xff;
	memcpy(addr.s6_addr + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	return addr;
}

static struct netif read_netif(void)
{
	struct netif netif;
	int err = netif_read(&netif);

	cr_assert_eq(err, 0, "%s", strerror(-err));
	return netif;
}

Test(netif, equals_getifaddrs)
{
	struct netif netif = read_netif();
	bool want4 = false, want6 = false;
	struct ifaddrs *list;

	cr_assert_eq(getifaddrs(&list), 0);
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr ||
		    (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6) ||
		    (i->ifa_flags & IFF_POINTOPOINT))
			continue;
		struct in6_addr addr = mapped(i->ifa_addr);
		const struct netif_addr *found = netif_find(&netif, &addr);

		if (i->ifa_addr->sa_family == AF_INET)
			want4 |= addr.s6_addr[12] != 127 || addr.s6_addr[15] != 1;
		else
			want6 |= !IN6_IS_ADDR_LOOPBACK(&addr);
		if (netif.seen_ipv6) {
			cr_expect_not_null(found, "an address of %s", i->ifa_name);
			/* Link-local ones may stand on two interfaces. */
			if (found && !IN6_IS_ADDR_LINKLOCAL(&addr))
				cr_expect_eq(found->ifindex, if_nametoindex(i->ifa_name));
		}
	}
	freeifaddrs(list);
	cr_expect_eq(netif.seen_ipv4, want4);
	cr_expect_eq(netif.seen_ipv6, want6);
	netif_free(&netif);
}

/* A namespace where lo is up. Skips the test where it may not be made. */
static void enter_namespace(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};
	int fd;

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		cr_skip_test("no network namespace: %s", strerror(errno));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_geq(fd, 0);
	ifr.ifr_flags = IFF_UP;
	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

static void set_address(const char *interface, const char *address)
{
	struct ifreq ifr = {0};
	struct sockaddr_in *in4 = (struct sockaddr_in *)&ifr.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(ifr.ifr_name, interface);
	in4->sin_family = AF_INET;
	inet_pton(AF_INET, address, &in4->sin_addr);
	cr_assert_eq(ioctl(fd, SIOCSIFADDR, &ifr), 0, "%s", strerror(errno));
	close(fd);
}

Test(netif, loopback_addresses_alone_do_not_count)
{
	struct netif netif;

	enter_namespace();
	netif = read_netif();
	cr_expect_not(netif.seen_ipv4);
	cr_expect_not(netif.seen_ipv6);
	cr_expect_eq(netif.naddrs, 0);
	netif_free(&netif);
}

Test(netif, any_other_loopback_address_counts_and_changes_the_hash)
{
	struct netif before, after;

	enter_namespace();
	before = read_netif();
	set_address("lo:1", "127.0.0.2");
	after = read_netif();
	cr_expect(after.seen_ipv4);
	cr_expect_not(after.seen_ipv6);
	cr_expect_neq(before.hash, after.hash);
	netif_free(&after);
	after = read_netif();
	set_address("lo:1", "127.0.0.3");
	netif_free(&before);
	before = read_netif();
	cr_expect_neq(before.hash, after.hash);
	netif_free(&before);
	netif_free(&after);
}

Test(netif, look_sees_what_a_read_does)
{
	struct netif read = read_netif(), look;

	cr_assert_eq(netif_look(&look), 0);
	cr_expect_eq(look.hash, read.hash);
	cr_expect_eq(look.seen_ipv4, read.seen_ipv4);
	cr_expect_eq(look.seen_ipv6, read.seen_ipv6);
	cr_expect_eq(look.naddrs, 0u);
	cr_expect_null(look.addrs);
	netif_free(&read);
}

Test(netif, hash_is_the_same_for_the_same_addresses)
{
	struct netif a = read_netif(), b = read_netif();

	cr_expect_eq(a.hash, b.hash);
	netif_free(&a);
	netif_free(&b);
}

Test(netif, dump_larger_than_one_message)
{
	char name[IFNAMSIZ], address[32];
	struct netif few, many;

	enter_namespace();
	few = read_netif();
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "lo:%d", i);
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 250, 1 + i % 250);
		set_address(name, address);
	}
	many = read_netif();
	cr_expect(many.seen_ipv4);
	cr_expect_neq(few.hash, many.hash);
	set_address("lo:499", "10.9.9.9"); /* the last one of the dump counts, too */
	netif_free(&few);
	few = read_netif();
	cr_expect_neq(few.hash, many.hash);
	netif_free(&few);
	netif_free(&many);
}

Test(netif, native)
{
	cr_expect(netif_is_native(if_nametoindex("lo")));
	cr_expect_not(netif_is_native(0x7ffffff0));
	cr_expect_not(netif_is_native(UINT32_MAX));
}

Test(netif, no_descriptor_left)
{
	struct netif netif;
	int before = dup(0), after;

	close(before);
	for (int i = 0; i < 3; i++) {
		netif = read_netif();
		netif_free(&netif);
		netif_is_native(1);
	}
	after = dup(0);
	cr_expect_eq(before, after);
	close(after);
}

Test(netif, no_descriptor_to_be_had)
{
	struct rlimit limit, none;
	struct netif netif;
	bool native;
	int err;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	err = netif_read(&netif);
	native = netif_is_native(1);
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_expect_eq(err, -EMFILE);
	cr_expect_not(native);
}

Test(netif, find)
{
	struct netif_addr addrs[] = {{.addr = {{{0}}}, .ifindex = 1},
				     {.addr = {{{0, [15] = 1}}}, .ifindex = 2},
				     {.addr = {{{0xfe, 0x80}}}, .ifindex = 3}};
	struct netif netif = {.addrs = addrs, .naddrs = 3};

	for (unsigned i = 0; i < 3; i++) {
		const struct netif_addr *found = netif_find(&netif, &addrs[i].addr);

		cr_assert_not_null(found);
		cr_expect_eq(found->ifindex, i + 1);
	}
	cr_expect_null(netif_find(&netif, &(struct in6_addr){{{1}}}));
	cr_expect_null(netif_find(&netif_unknown, &addrs[0].addr));
}

// SPDX-License-Identifier: MIT
/* sockopts.c: may this socket race? */
#include "tests/unit/sockopts_rig.h"

#include <errno.h>
#include <linux/in6.h>
#include <linux/tcp.h>

static enum sockopts_bar bar_of(int fd)
{
	struct sockopts_facts facts;

	cr_assert_eq(sockopts_examine(fd, &facts), 0);
	close(fd);
	return facts.bar;
}

static int with_int(int family, int level, int name, int value)
{
	int fd = fresh(family);

	cr_assert_eq(setsockopt(fd, level, name, &value, sizeof value), 0,
		     "level %d, option %d: %s", level, name, strerror(errno));
	return fd;
}

Test(sockopts, fresh_socket_may_race)
{
	struct sockopts_facts facts;

	cr_assert_eq(sockopts_examine(fresh(AF_INET), &facts), 0);
	cr_expect_eq(facts.bar, SOCKOPTS_FREE);
	cr_expect_eq(facts.family, AF_INET);
	cr_expect_not(facts.v6only);
	cr_assert_eq(sockopts_examine(fresh(AF_INET6), &facts), 0);
	cr_expect_eq(facts.bar, SOCKOPTS_FREE);
	cr_expect_eq(facts.family, AF_INET6);
}

Test(sockopts, v6only_and_send_timeout_are_told)
{
	int fd = with_int(AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	struct timeval timeout = {.tv_sec = 2, .tv_usec = 500000};
	struct sockopts_facts facts;

	cr_expect_eq(sockopts_sndtimeo_ms(fd), 0u);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
	cr_assert_eq(sockopts_examine(fd, &facts), 0);
	cr_expect(facts.v6only);
	cr_expect_eq(sockopts_sndtimeo_ms(fd), 2500u);
}

Test(sockopts, socket_that_is_routed_apart_is_told)
{
	const int one = 1;
	struct sockopts_facts facts = {0};
	int fd = fresh(AF_INET);

	cr_assert_eq(sockopts_examine(fd, &facts), 0);
	cr_expect_not(facts.own_route);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_DONTROUTE, &one, sizeof one), 0);
	cr_assert_eq(sockopts_examine(fd, &facts), 0);
	cr_expect_eq(facts.bar, SOCKOPTS_FREE);
	cr_expect(facts.own_route);
}

Test(sockopts, other_protocols_do_not_race)
{
	int mptcp = socket(AF_INET, SOCK_STREAM, 262);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
	struct sockopts_facts facts;

	cr_expect_eq(bar_of(socket(AF_INET, SOCK_DGRAM, 0)), SOCKOPTS_NOT_TCP);
	cr_expect_eq(bar_of(socket(AF_UNIX, SOCK_STREAM, 0)), SOCKOPTS_NOT_TCP);
	cr_expect(mptcp < 0 || bar_of(mptcp) == SOCKOPTS_NOT_TCP);
	cr_expect(raw < 0 || bar_of(raw) == SOCKOPTS_NOT_TCP);
	cr_expect_eq(sockopts_examine(open("/dev/null", O_RDONLY), &facts), -ENOTSOCK);
}

Test(sockopts, socket_in_use_does_not_race)
{
	struct sockaddr_in addr;
	int listener = fresh(AF_INET);

	listen_on_loopback(listener, 1, &addr);
	cr_expect_eq(bar_of(begin_connect(&addr)), SOCKOPTS_IN_USE);
	cr_expect_eq(bar_of(listener), SOCKOPTS_IN_USE);
}

Test(sockopts, bound_socket_does_not_race)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
	int fd = fresh(AF_INET), one = 1;
	struct sockopts_facts facts;

	bind(fd, (struct sockaddr *)&addr, sizeof addr);
	cr_expect_eq(bar_of(fd), SOCKOPTS_BOUND);
	addr.sin_addr.s_addr = 0;
	fd = fresh(AF_INET);
	bind(fd, (struct sockaddr *)&addr, sizeof addr); /* a port alone */
	cr_expect_eq(bar_of(fd), SOCKOPTS_BOUND);
	fd = with_int(AF_INET6, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	cr_expect(sockopts_examine(fd, &facts) == 0 && facts.bar == SOCKOPTS_FREE,
		  "the option alone bars nothing");
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof one);
	cr_assert_eq(bind(fd, (struct sockaddr *)&mapped, sizeof mapped), 0);
	cr_expect_eq(bar_of(fd), SOCKOPTS_BOUND);
}

Test(sockopts, options_that_bar_a_race)
{
	int fd = fresh(AF_INET);

	cr_expect_eq(bar_of(with_int(AF_INET, SOL_SOCKET, SO_BINDTOIFINDEX, 1)), SOCKOPTS_DEVICE);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	cr_expect_eq(bar_of(fd), SOCKOPTS_DEVICE);
	cr_expect_eq(bar_of(with_int(AF_INET, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)),
		     SOCKOPTS_FASTOPEN);
	cr_expect_eq(bar_of(with_int(AF_INET6, IPPROTO_TCP, TCP_MAXSEG, 1000)), SOCKOPTS_SEGMENT);
	cr_expect_eq(bar_of(with_int(AF_INET, IPPROTO_TCP, TCP_WINDOW_CLAMP, 20000)),
		     SOCKOPTS_SEGMENT);
	fd = fresh(AF_INET6);
	attach_filter(fd);
	cr_expect_eq(bar_of(fd), SOCKOPTS_FILTER);
}

Test(sockopts, options_of_the_privileged_that_bar_a_race)
{
	int one = 1, fd = fresh(AF_INET);

	if (setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof one) < 0)
		cr_skip("CAP_NET_ADMIN is missing");
	cr_expect_eq(bar_of(fd), SOCKOPTS_TRANSPARENT);
	cr_expect_eq(bar_of(with_int(AF_INET6, IPPROTO_IPV6, IPV6_TRANSPARENT, 1)),
		     SOCKOPTS_TRANSPARENT);
}

Test(sockopts, every_bar_has_a_text)
{
	for (int bar = SOCKOPTS_FREE; bar <= SOCKOPTS_SIGNED; bar++)
		cr_expect_str_neq(sockopts_bar_to_str((enum sockopts_bar)bar), "?");
}

// SPDX-License-Identifier: MIT
/* sockopts.c: buffers, sockets that have begun to connect, and what cannot be copied. */
#include "tests/unit/sockopts_rig.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <sched.h>
#include <sys/syscall.h>

static void check_buffers(int from)
{
	int to = fresh(AF_INET);

	cr_assert_eq(sockopts_copy(from, to), 0);
	cr_expect_eq(read_int(to, SO_SNDBUF), read_int(from, SO_SNDBUF));
	cr_expect_eq(read_int(to, SO_RCVBUF), read_int(from, SO_RCVBUF));
	cr_expect_eq(read_int(to, SO_BUF_LOCK), read_int(from, SO_BUF_LOCK));
	close(to);
}

Test(sockopts, buffers_that_nobody_set_stay_unlocked)
{
	int from = fresh(AF_INET);

	check_buffers(from);
	cr_expect_eq(read_int(from, SO_BUF_LOCK), 0);
}

Test(sockopts, buffer_sizes_are_copied_with_their_lock)
{
	int from = fresh(AF_INET), size = 30000;

	setsockopt(from, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	check_buffers(from);
	size = 1; /* below the least */
	setsockopt(from, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	check_buffers(from);
}

Test(sockopts, forced_buffer_size_is_copied)
{
	int from = fresh(AF_INET), size = 50000000;

	if (setsockopt(from, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		cr_skip("CAP_NET_ADMIN is missing");
	check_buffers(from);
	cr_expect_eq(read_int(from, SO_SNDBUF), 2 * size);
}

/* RCVLOWAT raises an unlocked receive buffer. */
Test(sockopts, buffer_behind_rcvlowat_is_copied_unlocked)
{
	int from = fresh(AF_INET), size = 200000;

	setsockopt(from, SOL_SOCKET, SO_RCVLOWAT, &size, sizeof size);
	check_buffers(from);
	cr_expect_geq(read_int(from, SO_RCVBUF), 2 * size);
}

/* ---- sockets that have begun to connect ---- */

static void expect_fresh(int from, const char *when)
{
	int to = fresh(AF_INET), other = fresh(AF_INET);
	struct value want, got;

	cr_assert_eq(sockopts_copy(from, to), 0);
	for (unsigned i = 0; i < sockopts_table_n; i++) {
		if (get(other, &sockopts_table[i], &want))
			cr_expect(get(to, &sockopts_table[i], &got) && equal(&want, &got),
				  "%s: level %d, option %d was set", when, sockopts_table[i].level,
				  sockopts_table[i].name);
	}
	cr_expect_eq(read_int(to, SO_BUF_LOCK), 0, "%s", when);
	close(to);
	close(other);
}

/* A full queue of connections drops the SYN, so the socket stays in SYN-SENT. */
Test(sockopts, socket_that_connects_has_nothing_to_copy)
{
	struct sockaddr_in addr;
	struct sockopts_facts facts;
	int fd = -1;

	listen_on_loopback(fresh(AF_INET), 0, &addr);
	for (int i = 0; i < 4; i++)
		fd = begin_connect(&addr);
	cr_assert_eq(sockopts_examine(fd, &facts), 0);
	cr_assert_eq(facts.bar, SOCKOPTS_IN_USE);
	expect_fresh(fd, "connecting");
}

Test(sockopts, socket_that_was_refused_has_nothing_to_copy)
{
	struct sockaddr_in addr;

	listen_on_loopback(fresh(AF_INET), -1, &addr); /* the port is taken, and closed */
	expect_fresh(begin_connect(&addr), "refused");
}

Test(sockopts, options_of_a_socket_that_connects_are_copied)
{
	struct sockaddr_in addr;
	int fd = -1, idle = 77, to = fresh(AF_INET);
	struct value got;
	static const struct sockopt keepidle = {IPPROTO_TCP, TCP_KEEPIDLE, false, sizeof(int)};

	listen_on_loopback(fresh(AF_INET), 0, &addr);
	for (int i = 0; i < 4; i++)
		fd = begin_connect(&addr);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	cr_assert_eq(sockopts_copy(fd, to), 0);
	get(to, &keepidle, &got);
	cr_expect_eq(got.bytes[0], idle);
}

Test(sockopts, filter_cannot_be_copied)
{
	int from = fresh(AF_INET);

	attach_filter(from);
	cr_expect_eq(sockopts_copy(from, fresh(AF_INET)), -EOPNOTSUPP);
}

Test(sockopts, socket_of_another_owner_cannot_be_copied)
{
	int from = fresh(AF_INET);

	if (fchown(from, 12345, (gid_t)-1) < 0)
		cr_skip("not root");
	cr_expect_eq(sockopts_copy(from, fresh(AF_INET)), -EOPNOTSUPP);
}

Test(sockopts, socket_of_another_namespace_cannot_be_copied)
{
	int from = fresh(AF_INET);

	if (unshare(CLONE_NEWNET) < 0)
		cr_skip("no network namespaces");
	cr_expect_eq(sockopts_copy(from, fresh(AF_INET)), -EOPNOTSUPP);
}

static void drop_all_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	cr_assert_eq(syscall(SYS_capset, &header, none), 0);
}

Test(sockopts, option_beyond_our_rights_is_an_error)
{
	int from = fresh(AF_INET), mark = 7;

	if (setsockopt(from, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0)
		cr_skip("CAP_NET_ADMIN is missing");
	drop_all_capabilities();
	cr_expect_eq(sockopts_copy(from, fresh(AF_INET)), -EPERM);
}

Test(sockopts, header_that_is_too_long_cannot_be_copied)
{
	unsigned char header[264] = {0, 32};
	int from = fresh(AF_INET6);

	/* RFC 8200: one option of padding that fills it. */
	header[2] = 1;
	header[3] = 255;
	header[259] = 1;
	header[260] = 3;
	if (setsockopt(from, IPPROTO_IPV6, IPV6_DSTOPTS, header, sizeof header) < 0)
		cr_skip("the kernel refuses the header");
	cr_expect_eq(sockopts_copy(from, fresh(AF_INET6)), -EOPNOTSUPP);
}

Test(sockopts, errno_is_left_alone)
{
	struct sockopts_facts facts;

	errno = EXFULL;
	sockopts_copy(fresh(AF_INET), fresh(AF_INET));
	cr_expect_eq(sockopts_examine(-1, &facts), -EBADF);
	cr_expect_eq(sockopts_copy(-1, -1), -EOPNOTSUPP);
	cr_expect_eq(errno, EXFULL);
}

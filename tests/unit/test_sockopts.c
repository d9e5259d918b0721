// SPDX-License-Identifier: MIT
/* sockopts.c: every option of the table on the sockets of the running kernel, and what the kernel
 * has besides. */
#include "shim/sockopts.h"

#include "shim/sockopts_table.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/in6.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const int families[] = {AF_INET, AF_INET6};

static int fresh(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	cr_assert_geq(fd, 0, "no socket of family %d", family);
	return fd;
}

struct value {
	unsigned char bytes[SOCKOPT_SIZE_MAX];
	socklen_t len;
};

static bool get(int fd, const struct sockopt *o, struct value *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->len = o->size;
	return getsockopt(fd, o->level, o->name, ret->bytes, &ret->len) == 0;
}

static bool equal(const struct value *a, const struct value *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* ---- each option of the table ---- */

/* Values that are none of the small numbers. */
static const struct {
	int level, name;
	struct value value;
} special[] = {
	{SOL_SOCKET, SO_LINGER, {{1, 0, 0, 0, 5}, 8}},
	{SOL_SOCKET, SO_RCVTIMEO_OLD, {{3}, 2 * sizeof(long)}},
	{SOL_SOCKET, SO_SNDTIMEO_OLD, {{3}, 2 * sizeof(long)}},
	{SOL_SOCKET, SO_TIMESTAMPING_OLD, {{SOF_TIMESTAMPING_SOFTWARE}, 8}},
	{SOL_SOCKET, SO_TIMESTAMPING_NEW, {{SOF_TIMESTAMPING_SOFTWARE}, 8}},
	{SOL_SOCKET, SO_MAX_PACING_RATE, {{0, 0, 1}, sizeof(long)}},
	{SOL_SOCKET, SO_TXTIME, {{CLOCK_MONOTONIC}, 8}},
	{IPPROTO_IP, IP_OPTIONS, {{1, 1, 1, 0}, 4}}, /* RFC 791: three times nothing, the end */
	{IPPROTO_IP, IP_UNICAST_IF, {{0, 0, 0, 1}, 4}},
	{IPPROTO_IP, 51, {{0x40, 0x9c, 0x50, 0xc3}, 4}}, /* IP_LOCAL_PORT_RANGE: 40000 to 50000 */
	{IPPROTO_IPV6, IPV6_UNICAST_IF, {{0, 0, 0, 1}, 4}},
	/* RFC 8200: padding of 4 bytes after the two of the header. */
	{IPPROTO_IPV6, IPV6_HOPOPTS, {{0, 0, 1, 4}, 8}},
	{IPPROTO_IPV6, IPV6_DSTOPTS, {{0, 0, 1, 4}, 8}},
	{IPPROTO_IPV6, IPV6_RTHDRDSTOPTS, {{0, 0, 1, 4}, 8}},
	/* RFC 8754: a segment routing header with one address. */
	{IPPROTO_IPV6, IPV6_RTHDR, {{0, 2, 4, 0, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, [23] = 1}, 24}},
	{IPPROTO_TCP, TCP_CONGESTION, {"reno", 4}},
	{IPPROTO_TCP, TCP_CONGESTION, {"cubic", 5}},
};

/* What no program can change here, and so no test. */
static const struct {
	int level, name;
	const char *why;
} immovable[] = {
	{SOL_SOCKET, SO_BSDCOMPAT, "ignored since Linux 2.2"},
	{SOL_SOCKET, SO_PASSCRED, "accepted on other sockets than TCP alone, by newer kernels"},
	{SOL_SOCKET, SO_PASSSEC, "likewise"},
	{SOL_SOCKET, SO_RESERVE_MEM, "needs a memory control group"},
	{IPPROTO_TCP, TCP_THIN_DUPACK, "ignored since Linux 4.15"},
};

static bool is_immovable(const struct sockopt *o)
{
	for (size_t i = 0; i < LENGTH(immovable); i++) {
		if (immovable[i].level == o->level && immovable[i].name == o->name)
			return true;
	}
	return false;
}

static bool try_value(int fd, const struct sockopt *o, const void *value, socklen_t len,
		      const struct value *before)
{
	struct value now;

	return setsockopt(fd, o->level, o->name, value, len) == 0 && get(fd, o, &now) &&
	       !equal(&now, before);
}

/* Gives the option another value than the fresh one; false: none was found. */
static bool change(int fd, const struct sockopt *o)
{
	static const int numbers[] = {1, 0, 2, 3, 7, 30, 100, 1000, 5000, 20000, 300000};
	struct value before;

	if (!get(fd, o, &before))
		return false;
	for (size_t i = 0; i < LENGTH(special); i++) {
		if (special[i].level == o->level && special[i].name == o->name &&
		    try_value(fd, o, special[i].value.bytes, special[i].value.len, &before))
			return true;
	}
	for (size_t i = 0; i < LENGTH(numbers) && o->size == sizeof(int); i++) {
		if (try_value(fd, o, &numbers[i], sizeof numbers[i], &before))
			return true;
	}
	return false;
}

static void check_option(int family, const struct sockopt *o)
{
	int from = fresh(family), to = fresh(family);
	struct value want, got;
	int copied;

	if (!change(from, o)) {
		cr_expect(!get(from, o, &want) || is_immovable(o) || geteuid() != 0,
			  "family %d, level %d, option %d: no value was taken", family, o->level,
			  o->name);
	} else {
		copied = sockopts_copy(from, to);
		get(from, o, &want);
		get(to, o, &got);
		cr_expect_eq(copied, 0, "family %d, level %d, option %d: %s", family, o->level,
			     o->name, strerror(-copied));
		cr_expect(equal(&want, &got), "family %d, level %d, option %d: not copied", family,
			  o->level, o->name);
	}
	close(from);
	close(to);
}

Test(sockopts, every_option_of_the_table_is_copied)
{
	for (size_t f = 0; f < LENGTH(families); f++) {
		for (unsigned i = 0; i < sockopts_table_n; i++) {
			if (sockopts_table[i].level != IPPROTO_IPV6 || families[f] == AF_INET6)
				check_option(families[f], &sockopts_table[i]);
		}
	}
}

/* All that can stand together. */
Test(sockopts, all_options_at_once_are_copied)
{
	for (size_t f = 0; f < LENGTH(families); f++) {
		int from = fresh(families[f]), to = fresh(families[f]);
		struct value want, got;
		unsigned changed = 0;

		for (unsigned i = 0; i < sockopts_table_n; i++)
			changed += change(from, &sockopts_table[i]);
		cr_assert_gt(changed, 40);
		cr_assert_eq(sockopts_copy(from, to), 0);
		for (unsigned i = 0; i < sockopts_table_n; i++) {
			if (!get(from, &sockopts_table[i], &want))
				continue;
			cr_expect(get(to, &sockopts_table[i], &got) && equal(&want, &got),
				  "family %d, level %d, option %d", families[f],
				  sockopts_table[i].level, sockopts_table[i].name);
		}
		close(from);
		close(to);
	}
}

/* ---- what the kernel has besides ---- */

static const struct {
	int level, name;
	const char *why;
} not_copied[] = {
	{SOL_SOCKET, SO_TYPE, "read only"},
	{SOL_SOCKET, SO_ERROR, "read only"},
	{SOL_SOCKET, SO_SNDBUF, "read back doubled: by copy_buffer()"},
	{SOL_SOCKET, SO_RCVBUF, "likewise"},
	{SOL_SOCKET, SO_PEERCRED, "read only"},
	{SOL_SOCKET, SO_SNDLOWAT, "read only"},
	{SOL_SOCKET, SO_BINDTODEVICE, "bars the race"},
	{SOL_SOCKET, SO_BINDTOIFINDEX, "bars the race"},
	{SOL_SOCKET, SO_ATTACH_FILTER, "bars the race"},
	{SOL_SOCKET, SO_ACCEPTCONN, "read only"},
	{SOL_SOCKET, SO_PROTOCOL, "read only"},
	{SOL_SOCKET, SO_DOMAIN, "read only"},
	{SOL_SOCKET, SO_BPF_EXTENSIONS, "read only"},
	{SOL_SOCKET, SO_INCOMING_CPU, "reads the latest packet's, steers listeners"},
	{SOL_SOCKET, SO_MEMINFO, "read only"},
	{SOL_SOCKET, SO_INCOMING_NAPI_ID, "read only"},
	{SOL_SOCKET, SO_RCVTIMEO_NEW, "SO_RCVTIMEO_OLD in another form"},
	{SOL_SOCKET, SO_SNDTIMEO_NEW, "SO_SNDTIMEO_OLD in another form"},
	{IPPROTO_IP, IP_HDRINCL, "raw sockets"},
	{IPPROTO_IP, IP_ROUTER_ALERT, "raw sockets"},
	{IPPROTO_IP, IP_PKTOPTIONS, "read only"},
	{IPPROTO_IP, IP_TRANSPARENT, "bars the race"},
	{IPPROTO_IP, IP_NODEFRAG, "raw sockets"},
	{IPPROTO_IP, IP_RECVFRAGSIZE, "raw sockets and UDP"},
	{IPPROTO_IP, IP_MULTICAST_IF, "refused on TCP"},
	{IPPROTO_IP, IP_MULTICAST_TTL, "refused on TCP"},
	{IPPROTO_IP, 52 /* IP_PROTOCOL */, "read only"},
	{IPPROTO_IPV6, IPV6_2292PKTOPTIONS, "reads what came in"},
	{IPPROTO_IPV6, IPV6_MULTICAST_IF, "refused on TCP"},
	{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, "refused on TCP"},
	{IPPROTO_IPV6, IPV6_ROUTER_ALERT, "raw sockets"},
	{IPPROTO_IPV6, IPV6_TRANSPARENT, "bars the race"},
	{IPPROTO_TCP, TCP_MAXSEG, "bars the race"},
	{IPPROTO_TCP, TCP_WINDOW_CLAMP, "bars the race"},
	{IPPROTO_TCP, TCP_INFO, "read only"},
	{IPPROTO_TCP, TCP_REPAIR, "a connection that is not new"},
	{IPPROTO_TCP, TCP_TIMESTAMP, "a clock"},
	{IPPROTO_TCP, TCP_CC_INFO, "read only"},
	{IPPROTO_TCP, TCP_SAVED_SYN, "read only"},
	{IPPROTO_TCP, TCP_FASTOPEN_CONNECT, "bars the race"},
	{IPPROTO_TCP, TCP_ULP, "bars the race"},
	{IPPROTO_TCP, TCP_FASTOPEN_KEY, "for listeners"},
	{IPPROTO_TCP, 43 /* TCP_IS_MPTCP */, "read only"},
};

static bool is_accounted_for(int level, int name)
{
	for (unsigned i = 0; i < sockopts_table_n; i++) {
		if (sockopts_table[i].level == level && sockopts_table[i].name == name)
			return true;
	}
	for (size_t i = 0; i < LENGTH(not_copied); i++) {
		if (not_copied[i].level == level && not_copied[i].name == name)
			return true;
	}
	return false;
}

Test(sockopts, every_option_of_this_kernel_is_accounted_for)
{
	static const int levels[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP};
	unsigned known = 0;

	for (size_t l = 0; l < LENGTH(levels); l++) {
		for (int name = 0; name < UINT8_MAX; name++) {
			int fd = fresh(AF_INET6), value;
			socklen_t len = sizeof value;

			if (getsockopt(fd, levels[l], name, &value, &len) == 0) {
				known++;
				cr_expect(is_accounted_for(levels[l], name),
					  "level %d, option %d is new", levels[l], name);
			}
			close(fd);
		}
	}
	cr_expect_gt(known, 80);
}

/* ---- buffers ---- */

static int read_int(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	getsockopt(fd, SOL_SOCKET, name, &value, &len);
	return value;
}

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

static void listen_on_loopback(int fd, int backlog, struct sockaddr_in *ret)
{
	socklen_t len = sizeof *ret;

	*ret = (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cr_assert_eq(bind(fd, (struct sockaddr *)ret, sizeof *ret), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)ret, &len), 0);
	if (backlog >= 0)
		cr_assert_eq(listen(fd, backlog), 0);
}

static int begin_connect(const struct sockaddr_in *addr)
{
	int fd = fresh(AF_INET);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	connect(fd, (const struct sockaddr *)addr, sizeof *addr);
	return fd;
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

/* ---- what cannot be copied ---- */

static void attach_filter(int fd)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	struct sock_fprog program = {.len = 1, .filter = &all};

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
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

/* ---- may it race ---- */

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

// SPDX-License-Identifier: MIT
/* sockopts.c: every option of the table on the sockets of the running kernel, and what the kernel
 * has besides. */
#include "tests/unit/sockopts_rig.h"

#include <errno.h>
#include <linux/in6.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <time.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const int families[] = {AF_INET, AF_INET6};

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

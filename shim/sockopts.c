// SPDX-License-Identifier: MIT
/*
 * sockopts.c - sockopts.h by the table of sockopts_table.h.
 *
 * Which options a program has set cannot be asked. A fresh socket has the defaults of its system
 * and namespace; what reads differently from them was set, and is set on the copy too. An option
 * that was set to its default stays unset, which is the same.
 *
 * Cost: some 13 system calls (5 us) to examine, some 200 (60 us) to copy. The copy is made only for
 * the attempts that a race starts after its first.
 */
#include "shim/sockopts.h"

#include "shim/sockopts_table.h"
#include "shim/sys.h"

#include <assert.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#define NAME_TCP_AO_INFO 40  /* Linux 6.7 */
#define TCP_STATE_CLOSE	 7   /* of tcp_info: neither connected, nor connecting, nor listening */
#define DEFAULT_MAXSEG	 536 /* RFC 9293 section 3.7.1: what an unconnected socket reads */

/* An option that is one int. An option that the kernel does not know reads as `fallback`. */
static int read_int(int fd, int level, int name, int fallback)
{
	int value = fallback;
	socklen_t len = sizeof value;

	return sys_getsockopt(fd, level, name, &value, &len) < 0 ? fallback : value;
}

/* Has a value: one of an option whose length is 0 while it is not set. */
static bool has_length(int fd, int level, int name, socklen_t len)
{
	char value[16];

	return sys_getsockopt(fd, level, name, value, &len) == 0 && len > 0;
}

/* SO_GET_FILTER counts instructions, and refuses (-EACCES) what is not classic BPF. */
static bool has_filter(int fd)
{
	socklen_t len = 0;
	int ret = sys_getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &len);

	return ret == -EACCES || (ret == 0 && len > 0);
}

/* -ENOENT: there are none. A kernel that does not know the option is not asked again. */
static bool has_keys(int fd)
{
	static _Atomic bool unknown;
	char info[64] = {0};
	socklen_t len = sizeof info;
	int ret;

	if (unknown)
		return false;
	ret = sys_getsockopt(fd, IPPROTO_TCP, NAME_TCP_AO_INFO, info, &len);
	if (ret == -ENOPROTOOPT)
		unknown = true;
	return ret == 0;
}

union name {
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool is_bound(const union name *name)
{
	static const struct in6_addr mapped_any = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	if (name->v4.sin_family == AF_INET)
		return name->v4.sin_port != 0 || name->v4.sin_addr.s_addr != INADDR_ANY;
	return name->v6.sin6_port != 0 ||
	       (memcmp(&name->v6.sin6_addr, &in6addr_any, sizeof in6addr_any) != 0 &&
		memcmp(&name->v6.sin6_addr, &mapped_any, sizeof mapped_any) != 0);
}

static bool is_device_bound(int fd)
{
	int index = read_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, -1);

	/* Before Linux 5.0 there is only the name. */
	return index < 0 ? has_length(fd, SOL_SOCKET, SO_BINDTODEVICE, 16) : index > 0;
}

/* Any other than a TCP socket of IPv4 or IPv6 that has not been used yet: whoever has neither
 * address nor port. */
static enum sockopts_bar bar_of_state(int fd, const union name *name)
{
	unsigned char state = 0;
	socklen_t len = sizeof state;

	if (name->v4.sin_family != AF_INET && name->v4.sin_family != AF_INET6)
		return SOCKOPTS_NOT_TCP;
	if (read_int(fd, SOL_SOCKET, SO_PROTOCOL, 0) != IPPROTO_TCP)
		return SOCKOPTS_NOT_TCP;
	if (!is_bound(name))
		return SOCKOPTS_FREE;
	/* Raw sockets of the protocol TCP, whose port is that, do not have it. The state is its
	 * first byte. */
	if (sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) < 0)
		return SOCKOPTS_NOT_TCP;
	return state == TCP_STATE_CLOSE ? SOCKOPTS_BOUND : SOCKOPTS_IN_USE;
}

static enum sockopts_bar bar_of_options(int fd)
{
	if (is_device_bound(fd))
		return SOCKOPTS_DEVICE;
	if (read_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0) != 0)
		return SOCKOPTS_FASTOPEN;
	if (has_filter(fd))
		return SOCKOPTS_FILTER;
	/* IPV6_TRANSPARENT is another name of the same flag. */
	if (read_int(fd, IPPROTO_IP, IP_TRANSPARENT, 0) != 0)
		return SOCKOPTS_TRANSPARENT;
	if (has_length(fd, IPPROTO_TCP, TCP_ULP, 16))
		return SOCKOPTS_ULP;
	if (read_int(fd, IPPROTO_TCP, TCP_MAXSEG, DEFAULT_MAXSEG) != DEFAULT_MAXSEG ||
	    read_int(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, 0) != 0)
		return SOCKOPTS_SEGMENT;
	return has_keys(fd) ? SOCKOPTS_SIGNED : SOCKOPTS_FREE;
}

/* In the kernel's own struct timeval. Never 0 for a bound that is shorter than 1 ms. */
uint64_t sockopts_sndtimeo_ms(int fd)
{
	long tv[2] = {0, 0};
	socklen_t len = sizeof tv;

	if (sys_getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO_OLD, tv, &len) < 0 || tv[0] < 0)
		return 0;
	return (uint64_t)tv[0] * 1000 + ((uint64_t)tv[1] + 999) / 1000;
}

int sockopts_examine(int fd, struct sockopts_facts *ret)
{
	struct sockopts_facts facts = {0};
	union name name = {0};
	socklen_t len = sizeof name;
	int error = sys_getsockname(fd, &name, &len);

	if (error < 0)
		return error;
	facts.family = name.v4.sin_family;
	facts.bar = bar_of_state(fd, &name);
	if (facts.bar == SOCKOPTS_FREE)
		facts.bar = bar_of_options(fd);
	if (facts.bar == SOCKOPTS_NOT_TCP)
		facts.family = 0;
	if (facts.bar == SOCKOPTS_FREE) {
		facts.v6only =
			facts.family == AF_INET6 && read_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0;
		facts.own_route = read_int(fd, SOL_SOCKET, SO_MARK, 0) != 0 ||
				  read_int(fd, SOL_SOCKET, SO_DONTROUTE, 0) != 0;
	}
	*ret = facts;
	return 0;
}

/*
 * A socket belongs to the network namespace and to the user (whom policy routing and firewalls ask
 * for) that it was made in and by: the program may have changed both since.
 */
static bool same_origin(int from, int to)
{
	uint64_t from_ns = 0, to_ns = 0;
	socklen_t from_len = sizeof from_ns, to_len = sizeof to_ns;
	struct stat from_stat, to_stat;

	if (sys_getsockopt(from, SOL_SOCKET, SO_NETNS_COOKIE, &from_ns, &from_len) == 0 &&
	    sys_getsockopt(to, SOL_SOCKET, SO_NETNS_COOKIE, &to_ns, &to_len) == 0 &&
	    from_ns != to_ns)
		return false;
	return sys_fstat(from, &from_stat) == 0 && sys_fstat(to, &to_stat) == 0 &&
	       from_stat.st_uid == to_stat.st_uid;
}

/*
 * The kernel doubles what it is given (socket(7)). Setting a size stops the kernel's own tuning of
 * it; SO_BUF_LOCK, later in the table, says whether that was so. SO_SNDBUFFORCE and SO_RCVBUFFORCE
 * get past the system's limit where the program had the right to, too.
 */
static int copy_buffer(int from, int to, int name, int force)
{
	int want = read_int(from, SOL_SOCKET, name, -1);
	int half = want / 2;
	int ret;

	if (want == read_int(to, SOL_SOCKET, name, -1))
		return 0;
	ret = sys_setsockopt(to, SOL_SOCKET, name, &half, sizeof half);
	if (ret == 0 && read_int(to, SOL_SOCKET, name, -1) != want)
		ret = sys_setsockopt(to, SOL_SOCKET, force, &half, sizeof half);
	return ret;
}

/* Errors of getsockopt() that say of an option that there is none on this socket. */
static bool is_unknown(int error)
{
	return error == -ENOPROTOOPT || error == -EOPNOTSUPP || error == -EINVAL;
}

static int copy_option(int from, int to, const struct sockopt *option)
{
	char want[SOCKOPT_SIZE_MAX], have[SOCKOPT_SIZE_MAX];
	socklen_t want_len = option->size, have_len = option->size;
	int ret;

	ret = sys_getsockopt(from, option->level, option->name, want, &want_len);
	if (ret < 0)
		return is_unknown(ret) ? 0 : ret;
	if (option->varies && want_len == option->size)
		return -EOPNOTSUPP;
	ret = sys_getsockopt(to, option->level, option->name, have, &have_len);
	if (ret < 0)
		return ret;
	if (want_len == have_len && memcmp(want, have, want_len) == 0)
		return 0;
	return sys_setsockopt(to, option->level, option->name, want, want_len);
}

int sockopts_copy(int from, int to)
{
	bool inet6 = read_int(from, SOL_SOCKET, SO_DOMAIN, 0) == AF_INET6;
	int ret;

	if (!same_origin(from, to) || has_filter(from) || has_keys(from))
		return -EOPNOTSUPP;
	ret = copy_buffer(from, to, SO_SNDBUF, SO_SNDBUFFORCE);
	if (ret == 0)
		ret = copy_buffer(from, to, SO_RCVBUF, SO_RCVBUFFORCE);
	for (unsigned i = 0; i < sockopts_table_n && ret == 0; i++) {
		if (sockopts_table[i].level != IPPROTO_IPV6 || inet6)
			ret = copy_option(from, to, &sockopts_table[i]);
	}
	return ret;
}

const char *sockopts_bar_to_str(enum sockopts_bar bar)
{
	switch (bar) {
	case SOCKOPTS_FREE:
		return "free";
	case SOCKOPTS_NOT_TCP:
		return "not TCP";
	case SOCKOPTS_IN_USE:
		return "in use";
	case SOCKOPTS_BOUND:
		return "bound";
	case SOCKOPTS_DEVICE:
		return "bound to a device";
	case SOCKOPTS_FASTOPEN:
		return "TCP Fast Open";
	case SOCKOPTS_FILTER:
		return "filter attached";
	case SOCKOPTS_TRANSPARENT:
		return "transparent";
	case SOCKOPTS_ULP:
		return "upper layer protocol";
	case SOCKOPTS_SEGMENT:
		return "own segment size or window";
	case SOCKOPTS_SIGNED:
		return "signed segments";
	}
	return "?";
}

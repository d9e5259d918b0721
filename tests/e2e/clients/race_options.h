// SPDX-License-Identifier: MIT
/*
 * race_options.h - socket options that a program sets before connect() and may read afterwards:
 * they must be as it set them, whichever address it is connected to.
 */
#ifndef RACE_OPTIONS_H
#define RACE_OPTIONS_H

#include "client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>

struct option_set {
	const char *name;
	int level, option, value;
};

static const struct option_set option_sets[] = {
	{"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1},
	{"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 65536},
	{"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 50000},
	{"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 5},
	{"SO_MARK", SOL_SOCKET, SO_MARK, 77},
	{"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 3},
	{"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1},
	{"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1},
	{"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 33},
	{"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 7},
	{"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 4},
	{"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 12345},
	{"TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 4},
	{"TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384},
	{"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, 0x20},
	{"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44},
	{"IP_TOS", IPPROTO_IP, IP_TOS, 0x10},
	{"IP_TTL", IPPROTO_IP, IP_TTL, 55},
};

#define OPTION_SETS (sizeof option_sets / sizeof option_sets[0])

struct options_before {
	int values[OPTION_SETS]; /* as the kernel says them after they were set; -1: not had */
	struct linger linger;
	struct timeval rcvtimeo;
	int fd_flags, file_flags;
};

static inline int option_get(int fd, const struct option_set *o)
{
	int value = -1;
	socklen_t len = sizeof value;

	return getsockopt(fd, o->level, o->option, &value, &len) == 0 ? value : -1;
}

static inline void options_set(int fd, struct options_before *ret)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 9};
	const struct timeval rcvtimeo = {.tv_sec = 8, .tv_usec = 500000};
	socklen_t len;

	for (unsigned i = 0; i < OPTION_SETS; i++) {
		const struct option_set *o = &option_sets[i];

		(void)setsockopt(fd, o->level, o->option, &o->value, sizeof o->value);
	}
	/* Some options change others. */
	for (unsigned i = 0; i < OPTION_SETS; i++)
		ret->values[i] = option_get(fd, &option_sets[i]);
	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
	must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &rcvtimeo, sizeof rcvtimeo) == 0);
	len = sizeof ret->linger;
	must(getsockopt(fd, SOL_SOCKET, SO_LINGER, &ret->linger, &len) == 0);
	len = sizeof ret->rcvtimeo;
	must(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ret->rcvtimeo, &len) == 0);
	ret->fd_flags = fcntl(fd, F_GETFD);
	ret->file_flags = fcntl(fd, F_GETFL);
}

/* The first that is not as it was; "kept": none. */
static inline const char *options_changed(int fd, const struct options_before *before)
{
	struct linger linger;
	struct timeval rcvtimeo;
	socklen_t len;

	for (unsigned i = 0; i < OPTION_SETS; i++)
		if (option_get(fd, &option_sets[i]) != before->values[i])
			return option_sets[i].name;
	len = sizeof linger;
	must(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len) == 0);
	if (memcmp(&linger, &before->linger, sizeof linger) != 0)
		return "SO_LINGER";
	len = sizeof rcvtimeo;
	must(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &rcvtimeo, &len) == 0);
	if (memcmp(&rcvtimeo, &before->rcvtimeo, sizeof rcvtimeo) != 0)
		return "SO_RCVTIMEO";
	if (fcntl(fd, F_GETFD) != before->fd_flags)
		return "FD_CLOEXEC";
	return fcntl(fd, F_GETFL) == before->file_flags ? "kept" : "O_flags";
}

#endif

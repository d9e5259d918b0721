// SPDX-License-Identifier: MIT
/* sockopts_rig.h - sockets as they are when they are new, and what they are given. */
#ifndef SOCKOPTS_RIG_H
#define SOCKOPTS_RIG_H

#include "shim/sockopts.h"
#include "shim/sockopts_table.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int fresh(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	cr_assert_geq(fd, 0, "no socket of family %d", family);
	return fd;
}

struct value {
	unsigned char bytes[SOCKOPT_SIZE_MAX];
	socklen_t len;
};

static inline bool get(int fd, const struct sockopt *o, struct value *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->len = o->size;
	return getsockopt(fd, o->level, o->name, ret->bytes, &ret->len) == 0;
}

static inline bool equal(const struct value *a, const struct value *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static inline int read_int(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	getsockopt(fd, SOL_SOCKET, name, &value, &len);
	return value;
}

static inline void listen_on_loopback(int fd, int backlog, struct sockaddr_in *ret)
{
	socklen_t len = sizeof *ret;

	*ret = (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	cr_assert_eq(bind(fd, (struct sockaddr *)ret, sizeof *ret), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)ret, &len), 0);
	if (backlog >= 0)
		cr_assert_eq(listen(fd, backlog), 0);
}

static inline int begin_connect(const struct sockaddr_in *addr)
{
	int fd = fresh(AF_INET);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	connect(fd, (const struct sockaddr *)addr, sizeof *addr);
	return fd;
}

static inline void attach_filter(int fd)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	struct sock_fprog program = {.len = 1, .filter = &all};

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

#endif

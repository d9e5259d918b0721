// SPDX-License-Identifier: MIT
/*
 * netlink.c - the dump: ask, which binds the socket, and read until NLMSG_DONE. Only the kernel's
 * answer to this question is read: the sender's port is 0 and the sequence number the question's.
 */
#include "shim/netlink.h"

#include "shim/sys.h"

#include <linux/rtnetlink.h>
#include <string.h>

#define SEQUENCE 1    /* a socket asks once */
#define BUF_SIZE 8192 /* the kernel sends no more at once to one who reads that much */

struct request {
	struct nlmsghdr header;
	char body[NETLINK_BODY_MAX];
};

static int send_request(int fd, uint16_t type, const void *body, size_t len)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct request request = {
		.header = {.nlmsg_len = (uint32_t)NLMSG_SPACE(len),
			   .nlmsg_type = type,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			   .nlmsg_seq = SEQUENCE},
	};
	long n;

	memcpy(request.body, body, len);
	do {
		n = sys_call(SYS_sendto, fd, (long)&request, request.header.nlmsg_len, 0,
			     (long)&kernel, sizeof(kernel));
	} while (n == -EINTR);
	return n < 0 ? (int)n : 0;
}

/* One datagram of the kernel's. Its length; 0 for somebody else's; negative errno. */
static ssize_t receive(int fd, void *buf, size_t size)
{
	struct sockaddr_nl from;
	struct iovec iov = {buf, size};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	do {
		n = sys_call(SYS_recvmsg, fd, (long)&msg, 0, 0, 0, 0);
	} while (n == -EINTR);
	if (n < 0)
		return n;
	if (n == 0 || (msg.msg_flags & MSG_TRUNC))
		return -EIO;
	return from.nl_pid == 0 ? n : 0;
}

/* 1: NLMSG_DONE has come. Else as netlink_dump(). */
static int read_messages(const void *buf, ssize_t len, netlink_message *each, void *ctx,
			 int *ret_value)
{
	const struct nlmsghdr *message = buf;

	for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
		if (message->nlmsg_seq != SEQUENCE)
			continue;
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			return -EIO;
		*ret_value = each(ctx, message);
		if (*ret_value)
			return 1;
	}
	return 0;
}

static int dump(int fd, uint16_t type, const void *body, size_t len, netlink_message *each,
		void *ctx)
{
	char buf[BUF_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	int value = 0, err = send_request(fd, type, body, len);

	while (!err) {
		ssize_t n = receive(fd, buf, sizeof(buf));

		err = n < 0 ? (int)n : read_messages(buf, n, each, ctx, &value);
	}
	return err < 0 ? err : value;
}

int netlink_dump(uint16_t type, netlink_message *each, void *ctx)
{
	const struct rtgenmsg family = {.rtgen_family = AF_UNSPEC};
	int fd = sys_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int r;

	if (fd < 0)
		return fd;
	r = dump(fd, type, &family, sizeof(family), each, ctx);
	sys_close(fd);
	return r;
}

int netlink_dump_strict(uint16_t type, const void *body, size_t len, netlink_message *each,
			void *ctx)
{
	int fd = sys_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), on = 1, r;

	if (fd < 0)
		return fd;
	r = sys_setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (r == 0)
		r = dump(fd, type, body, len, each, ctx);
	sys_close(fd);
	return r;
}

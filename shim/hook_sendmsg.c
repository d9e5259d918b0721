// SPDX-License-Identifier: MIT
/*
 * hook_sendmsg.c - sendmsg, sendmmsg: a number that races is settled before it is passed to another
 * process (SCM_RIGHTS), which would be left with the placeholder (racing.h).
 *
 * Any thread, signal handlers; a cancellation point, as libc's.
 */
#include "shim/hooks.h"
#include "shim/racing.h"

#include <string.h>

static void settle_rights(const struct cmsghdr *cmsg)
{
	size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd), sizeof(fd));
		if (racing_is(fd))
			racing_settle(fd);
	}
}

/* Only while there are races. What the kernel would refuse is not looked at. */
__attribute__((noinline, cold)) static void settle_passed(const struct msghdr *msg)
{
	struct msghdr copy;

	if (!msg || !msg->msg_control || msg->msg_controllen < sizeof(struct cmsghdr))
		return;
	copy = *msg;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c; c = CMSG_NXTHDR(&copy, c)) {
		size_t room = copy.msg_controllen - (size_t)((char *)c - (char *)copy.msg_control);

		if (c->cmsg_len < CMSG_LEN(0) || c->cmsg_len > room)
			return;
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			settle_rights(c);
	}
}

ssize_t nbd_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (racing_any())
		settle_passed(msg);
	return real_sendmsg(fd, msg, flags);
}

int nbd_sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	if (racing_any() && msgs)
		for (unsigned i = 0; i < n; i++)
			settle_passed(&msgs[i].msg_hdr);
	return real_sendmmsg(fd, msgs, n, flags);
}

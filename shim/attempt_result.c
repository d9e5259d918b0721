// SPDX-License-Identifier: MIT
/* attempt_result.c - see attempt_result.h. */
#include "shim/attempt_result.h"

#include "shim/private_fd.h"
#include "shim/sys.h"

#include <linux/tcp.h>
#include <netinet/in.h>

/* linux/tcp.h does not have the states, and netinet/tcp.h does not go with it. */
enum { SYN_SENT = 2, SYN_RECV = 3, CLOSED = 7 };

/* A second connect() ends the first: 0, its error, or -EALREADY. The address is not looked at, but
 * where the program has ended the first meanwhile: then it is one that is refused at once. */
static int connect_again(int fd)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = INADDR_BROADCAST};

	return sys_connect(fd, (const struct sockaddr *)&any, sizeof any);
}

void attempt_look_at(int fd, enum attempt_manner manner, struct attempt_result *ret)
{
	struct tcp_info info = {.tcpi_state = 0};
	socklen_t len = sizeof info;
	int r = sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);

	*ret = (struct attempt_result){.state = ATTEMPT_CONNECTING};
	if (r < 0) {
		*ret = (struct attempt_result){.state = ATTEMPT_FAILED, .error = -r};
		return;
	}
	if (info.tcpi_state == SYN_SENT || info.tcpi_state == SYN_RECV)
		return;
	if (info.tcpi_state == CLOSED) {
		ret->state = ATTEMPT_FAILED;
		if (manner != ATTEMPT_LOOK)
			ret->error = -connect_again(fd);
		return;
	}
	ret->state = ATTEMPT_CONNECTED;
	if (info.tcpi_total_retrans == 0)
		ret->rtt_us = info.tcpi_rtt;
	if (manner == ATTEMPT_FINISH)
		(void)connect_again(fd);
}

void attempt_look(int handle, enum attempt_manner manner, struct attempt_result *ret)
{
	int fd;

	private_fd_lock();
	fd = private_fd_number_locked(handle);
	if (fd < 0)
		*ret = (struct attempt_result){.state = ATTEMPT_FAILED, .error = EBADF};
	else
		attempt_look_at(fd, manner, ret);
	private_fd_unlock();
}

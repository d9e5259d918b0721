// SPDX-License-Identifier: MIT
/* netns.c - see netns.h. */
#include "shim/netns.h"

#include "shim/file.h"
#include "shim/hash.h"
#include "shim/sys.h"

#include <sys/socket.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static uint64_t identify_by_proc(void)
{
	struct file_id id;

	file_identify("/proc/thread-self/ns/net", &id);
	return id.ino == 0 ? 0 : hash_fold(id.dev ^ HASH_K0, id.ino ^ HASH_K1);
}

uint64_t netns_identify_socket(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;

	if (sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_NETNS_COOKIE, (long)&cookie, (long)&len,
		     0) < 0)
		return identify_by_proc();
	return cookie;
}

uint64_t netns_identify(void)
{
	int fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t netns;

	if (fd < 0)
		return identify_by_proc();
	netns = netns_identify_socket(fd);
	sys_close(fd);
	return netns;
}

// SPDX-License-Identifier: MIT
/*
 * fd_util.h - what the clients of the descriptor and fork tests share: a lookup that must succeed,
 * and the descriptors of this process as the kernel sees them.
 *
 * The private descriptors are those that a lookup added. They are asked about with raw system
 * calls, which no hook sees.
 */
#ifndef FD_UTIL_H
#define FD_UTIL_H

#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"

#define FD_LIST_MAX 1024

struct fd_list {
	int fd[FD_LIST_MAX];
	int n;
};

/* A name below fd.test that nobody has looked up before. 0 or EAI_*. */
static inline int fd_look_up(void)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *res = NULL;
	static _Atomic unsigned serial;
	char name[64];
	int r;

	snprintf(name, sizeof(name), "n%ld-%u.fd.test", (long)syscall(SYS_gettid), ++serial);
	r = getaddrinfo(name, "80", &hints, &res);
	if (r == 0)
		freeaddrinfo(res);
	return r;
}

static inline void fd_must_look_up(void)
{
	int r = fd_look_up();

	if (r != 0) {
		dprintf(1, "lookup: %s\n", gai_strerror(r));
		_exit(1);
	}
}

static inline bool fd_is_open(int fd)
{
	return syscall(SYS_fcntl, fd, F_GETFD) >= 0;
}

/* Every open descriptor from 3 on but the one that lists them. */
static inline struct fd_list fd_all(void)
{
	struct fd_list list = {.n = 0};

	for (int fd = 3; fd < 65536 && list.n < FD_LIST_MAX; fd++) {
		if (fd_is_open(fd))
			list.fd[list.n++] = fd;
	}
	return list;
}

/* Looks up, and returns what that has opened. At least one. */
static inline struct fd_list fd_private(void)
{
	struct fd_list before = fd_all(), after, list = {.n = 0};

	fd_must_look_up();
	after = fd_all();
	for (int i = 0; i < after.n; i++) {
		bool old = false;

		for (int k = 0; k < before.n; k++)
			old |= before.fd[k] == after.fd[i];
		if (!old)
			list.fd[list.n++] = after.fd[i];
	}
	must(list.n > 0);
	return list;
}

static inline void fd_must_all_be_open(const struct fd_list *list)
{
	for (int i = 0; i < list->n; i++)
		must(fd_is_open(list->fd[i]));
}

/* Is there a thread of the shim? */
static inline bool fd_has_io_thread(void)
{
	DIR *tasks = opendir("/proc/self/task");
	bool found = false;

	must(tasks != NULL);
	for (struct dirent *d; (d = readdir(tasks));) {
		char path[64], name[32] = "";
		FILE *comm;

		if (snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", d->d_name) < 0)
			continue;
		comm = fopen(path, "r");
		if (comm && fgets(name, sizeof(name), comm))
			found |= strcmp(name, "noblockdns\n") == 0;
		if (comm)
			fclose(comm);
	}
	closedir(tasks);
	return found;
}

#endif

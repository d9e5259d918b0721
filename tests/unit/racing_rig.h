// SPDX-License-Identifier: MIT
/*
 * racing_rig.h - races under a number of the test's own, over loopback (race_servers.h). The test
 * is the program: what it does past the hooks it does with libc, the rest with nbd_*().
 */
#ifndef RACING_RIG_H
#define RACING_RIG_H

#include "shim/hooks.h"
#include "shim/process.h"
#include "shim/racing.h"
#include "tests/unit/race_servers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DELAY_MS       30
#define NEVER_MS       2000  /* a delay that no test waits for */
#define PATIENCE_MS    20000 /* before a test gives up */
#define IO_DESCRIPTORS 4     /* the io thread's own (io.h) */

static struct attempts_goal rig_goal;

static inline void rig_candidate(unsigned n)
{
	struct sockaddr_in addr = race_server_at(n);
	struct order_dest *dest = &rig_goal.dests[rig_goal.n++];

	dest->family = AF_INET;
	memcpy(dest->addr, &addr.sin_addr, 4);
}

/* 127.0.0.1 is a black hole, 127.0.0.2 answers; returns the second listener. */
static inline int rig_dead_and_alive(void)
{
	int listener;

	hooks_resolve();
	cr_assert_eq(process_check(), PROCESS_OWNER);
	race_black_hole(1);
	listener = race_listen(2);
	rig_candidate(1);
	rig_candidate(2);
	return listener;
}

/* As the hook of connect() on a non-blocking socket. What racing_begin() says. */
static inline int rig_begin_on(int fd, uint32_t delay_ms)
{
	struct swap_id id;
	struct attempts *a;

	rig_goal.family = AF_INET;
	rig_goal.ipv4 = true;
	rig_goal.port = race_port();
	rig_goal.delay_ms = delay_ms;
	a = attempts_new(&rig_goal);
	cr_assert_not_null(a);
	cr_assert_eq(attempts_first(a, fd), -EINPROGRESS);
	cr_assert_eq(swap_identify(fd, &id), 0);
	return racing_begin(fd, &id, swap_copy(fd, &id), a);
}

static inline int rig_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* A socket whose race is on. */
static inline int rig_begin(uint32_t delay_ms)
{
	int fd = rig_socket();

	cr_assert_eq(rig_begin_on(fd, delay_ms), 0);
	return fd;
}

/* As connect() on a blocking socket, up to where it falls asleep. `over` is to wake who waits for
 * the end. */
static inline struct attempts *rig_begin_blocking(int fd, uint32_t delay_ms, attempts_over_fn over,
						  struct swap_id *ret_id)
{
	struct attempts *a;
	int own;

	rig_goal.family = AF_INET;
	rig_goal.ipv4 = true;
	rig_goal.blocking = true;
	rig_goal.port = race_port();
	rig_goal.delay_ms = delay_ms;
	a = attempts_new(&rig_goal);
	cr_assert_not_null(a);
	cr_assert_eq(attempts_first(a, fd), -EINPROGRESS);
	cr_assert_eq(swap_identify(fd, ret_id), 0);
	own = swap_copy(fd, ret_id);
	cr_assert_gt(own, 0);
	cr_assert_eq(racing_watch(fd, ret_id, a), 0);
	cr_assert_eq(attempts_start(a, own, over, NULL), 0);
	return a;
}

static inline enum attempts_end rig_wait_end(struct attempts *a)
{
	const struct timespec patience = {.tv_sec = PATIENCE_MS / 1000};

	while (attempts_end(a) == ATTEMPTS_RUNNING)
		cr_assert_neq(
			sys_futex_wait(attempts_end_word(a), ATTEMPTS_RUNNING, &patience, false),
			-ETIMEDOUT);
	return attempts_end(a);
}

/* What fork() has given: the child ends at once. */
static inline void rig_exit_of_child(pid_t pid)
{
	int status = -1;

	if (pid == 0)
		_exit(0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

/* poll()'s revents; 0: nothing came. */
static inline int rig_wait(int fd, short events, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, timeout_ms) == 1 ? p.revents : 0;
}

static inline int rig_error(int fd)
{
	int error = -1;
	socklen_t len = sizeof error;

	cr_assert_eq(nbd_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

/* The N of 127.0.0.N; 0: not connected. */
static inline unsigned rig_peer(int fd)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof addr;

	if (nbd_getpeername(fd, (struct sockaddr *)&addr, &len) < 0)
		return 0;
	return ntohl(addr.sin_addr.s_addr) & 0xff;
}

static inline bool rig_is_tcp(int fd)
{
	int domain = 0;
	socklen_t len = sizeof domain;

	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len), 0);
	return domain == AF_INET;
}

/* Until nothing is left of the races but the io thread. */
static inline void rig_all_gone(void)
{
	for (int i = 0; private_fd_count() > IO_DESCRIPTORS && i < PATIENCE_MS; i++)
		usleep(1000);
	cr_expect_leq(private_fd_count(), IO_DESCRIPTORS, "%u private descriptors",
		      private_fd_count());
	cr_expect_not(racing_any());
}

#endif

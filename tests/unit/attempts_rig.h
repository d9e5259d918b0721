// SPDX-License-Identifier: MIT
/*
 * attempts_rig.h - one race over loopback, on the io thread (race_servers.h), of a socket of the
 * program's.
 */
#ifndef ATTEMPTS_RIG_H
#define ATTEMPTS_RIG_H

#include "shim/attempts_internal.h"

#include "shim/private_fd.h"
#include "shim/sys.h"
#include "tests/unit/race_servers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define DELAY_MS       50
#define PATIENCE_MS    20000
#define IO_DESCRIPTORS 4       /* the io thread's own (io.h) */
#define NEVER_MS       3600000 /* a delay that no test waits for */

static struct attempts_goal goal;
static int fd; /* the program's */
static struct attempts *a;
static _Atomic int overs;

static inline void candidate(unsigned n)
{
	struct sockaddr_in addr = race_server_at(n);
	struct order_dest *dest = &goal.dests[goal.n++];

	dest->family = AF_INET;
	memcpy(dest->addr, &addr.sin_addr, 4);
}

static inline void over(struct attempts *race, uint64_t now_ms)
{
	(void)now_ms;
	atomic_fetch_add(&overs, 1);
	(void)sys_futex_wake(attempts_end_word(race), 1, false);
}

static inline void first(bool blocking, uint32_t delay_ms)
{
	goal.family = AF_INET;
	goal.ipv4 = true;
	goal.blocking = blocking;
	goal.port = race_port();
	goal.delay_ms = delay_ms;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
	a = attempts_new(&goal);
	cr_assert_not_null(a);
	cr_assert_eq(attempts_first(a, fd), -EINPROGRESS);
}

static inline void begin(bool blocking, uint32_t delay_ms)
{
	first(blocking, delay_ms);
	cr_assert_eq(attempts_start(a, private_fd_copy(fd), over, &goal), 0);
}

static inline enum attempts_end wait_end(void)
{
	const struct timespec patience = {.tv_sec = PATIENCE_MS / 1000};

	while (attempts_end(a) == ATTEMPTS_RUNNING)
		cr_assert_neq(
			sys_futex_wait(attempts_end_word(a), ATTEMPTS_RUNNING, &patience, false),
			-ETIMEDOUT);
	return attempts_end(a);
}

static inline bool has_connection(int listener)
{
	return poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, 0) == 1;
}

static inline void wait_private(unsigned n)
{
	for (int i = 0; private_fd_count() != n && i < PATIENCE_MS; i++)
		usleep(1000);
	cr_assert_eq(private_fd_count(), n);
}

static inline int number_of(int handle)
{
	return private_fd_number(handle);
}

#endif

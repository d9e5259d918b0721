// SPDX-License-Identifier: MIT
/*
 * test_racing_numbers.c - numbers that race are closed, duplicated and replaced, through the hooks
 * and past them.
 */
#include "shim/swap.h"
#include "tests/unit/racing_rig.h"
#include "tests/unit/sandbox.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool is_null(int fd)
{
	struct stat here, null;

	return fstat(fd, &here) == 0 && stat("/dev/null", &null) == 0 &&
	       here.st_rdev == null.st_rdev;
}

Test(racing_numbers, close_ends_it)
{
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(nbd_close(fd), 0);
	cr_expect_not(is_open(fd));
	cr_expect_not(racing_is(fd));
	rig_all_gone();
	cr_expect_eq(nbd_close(fd), -1);
}

Test(racing_numbers, close_range_and_closefrom_end_them)
{
	int a, b;

	rig_dead_and_alive();
	a = rig_begin(NEVER_MS);
	b = rig_begin(NEVER_MS);
	cr_assert_eq(nbd_close_range((unsigned)a, (unsigned)a, 0), 0);
	cr_expect_not(racing_is(a));
	cr_expect(racing_is(b));
	nbd_closefrom(a);
	cr_expect_not(racing_is(b));
	cr_expect_not(is_open(b));
	rig_all_gone();
}

Test(racing_numbers, duplicate_of_a_race_gets_the_winner_too)
{
	int fd, copies[3];

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	copies[0] = nbd_dup(fd);
	copies[1] = nbd_fcntl(fd, F_DUPFD_CLOEXEC, (void *)100);
	copies[2] = nbd_dup2(fd, 200);
	cr_assert_eq(copies[2], 200);
	cr_assert_eq(rig_wait(copies[0], POLLOUT, PATIENCE_MS), POLLOUT);
	rig_all_gone();
	for (int i = 0; i < 3; i++)
		cr_expect_eq(rig_peer(copies[i]), 2, "copy %d", i);
	cr_expect_eq(rig_peer(fd), 2);
	cr_expect_eq(fcntl(copies[0], F_GETFD), 0);
	cr_expect_eq(fcntl(copies[1], F_GETFD), FD_CLOEXEC);
}

Test(racing_numbers, duplicate_from_before_gets_the_winner_too)
{
	int fd, copy;

	rig_dead_and_alive();
	fd = rig_socket();
	copy = nbd_dup(fd);
	cr_assert_eq(rig_begin_on(fd, DELAY_MS), 0);
	cr_expect(racing_is(copy));
	cr_assert_eq(rig_wait(copy, POLLOUT, PATIENCE_MS), POLLOUT);
	rig_all_gone();
	cr_expect_eq(rig_peer(copy), 2);
	cr_expect_eq(rig_peer(fd), 2);
}

Test(racing_numbers, race_goes_on_under_the_duplicate)
{
	int fd, copy;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	copy = nbd_dup(fd);
	cr_assert_eq(nbd_close(fd), 0);
	cr_expect(racing_is(copy));
	cr_assert_eq(rig_wait(copy, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_peer(copy), 2);
	cr_expect_not(is_open(fd));
	rig_all_gone();
}

/* What OpenJDK does to a descriptor that another thread may be using. */
Test(racing_numbers, dup2_onto_ends_it)
{
	int fd, null = open("/dev/null", O_RDWR);

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(nbd_dup2(null, fd), fd);
	cr_expect_not(racing_is(fd));
	rig_all_gone();
	cr_expect(is_null(fd));
}

Test(racing_numbers, dup2_that_fails_leaves_it)
{
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_expect_eq(nbd_dup2(999, fd), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(nbd_dup2(fd, fd), fd);
	cr_expect_eq(nbd_dup3(fd, fd, 0), -1);
	cr_expect_eq(errno, EINVAL);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_peer(fd), 2);
}

Test(racing_numbers, more_duplicates_than_are_kept_settle_it)
{
	int fd, copy = -1;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	for (int i = 0; i < 12; i++)
		copy = nbd_dup(fd);
	cr_expect_not(racing_any());
	cr_expect(rig_is_tcp(fd));
	cr_expect(rig_is_tcp(copy));
}

/*
 * What other threads see --------------------------------------------------------------------------
 */

static void *count_events(void *arg)
{
	const int *sets = arg; /* of the races, and one that ends it */
	struct epoll_event events[2];
	long seen = 0;
	int n;

	while ((n = epoll_wait(sets[0], events, 2, -1)) != 0)
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == sets[1])
				return (void *)seen;
			seen++;
		}
	return NULL;
}

/* Which a placeholder is, once those who sleep on it have been woken. */
Test(racing_numbers, number_that_is_closed_is_not_seen_writable)
{
	int sets[2] = {nbd_epoll_create1(0), eventfd(0, 0)};
	struct epoll_event end = {.events = EPOLLIN, .data.fd = sets[1]};
	void *seen = NULL;
	pthread_t thread;

	rig_dead_and_alive();
	cr_assert_eq(pthread_create(&thread, NULL, count_events, sets), 0);
	for (int i = 0; i < 100; i++) {
		int fd = rig_begin(NEVER_MS);
		struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};

		cr_assert_eq(nbd_epoll_ctl(sets[0], EPOLL_CTL_ADD, fd, &event), 0);
		cr_assert_eq(nbd_close(fd), 0);
	}
	cr_assert_eq(nbd_epoll_ctl(sets[0], EPOLL_CTL_ADD, sets[1], &end), 0);
	cr_assert_eq(eventfd_write(sets[1], 1), 0);
	pthread_join(thread, &seen);
	cr_expect_null(seen, "%ld events", (long)seen);
}

static void *look_for_races(void *arg)
{
	const _Atomic bool *stop = arg;

	while (!*stop)
		(void)racing_next(0, UINT_MAX);
	return NULL;
}

/* What thread sanitizer has to say. */
Test(racing_numbers, are_looked_for_while_others_begin)
{
	_Atomic bool stop = false;
	pthread_t thread;
	int fds[20];

	rig_dead_and_alive();
	cr_assert_eq(pthread_create(&thread, NULL, look_for_races, &stop), 0);
	for (int i = 0; i < 20; i++)
		fds[i] = rig_begin(NEVER_MS);
	cr_expect_eq(racing_next(0, UINT_MAX), fds[0]);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(nbd_close(fds[i]), 0);
	stop = true;
	pthread_join(thread, NULL);
}

static void *close_cancelled(void *arg)
{
	(void)pthread_cancel(pthread_self());
	(void)nbd_close(*(int *)arg);
	return NULL;
}

Test(racing_numbers, close_is_a_cancellation_point)
{
	void *result = NULL;
	pthread_t thread;
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_assert_eq(pthread_create(&thread, NULL, close_cancelled, &fd), 0);
	pthread_join(thread, &result);
	cr_expect_eq(result, PTHREAD_CANCELED);
	cr_expect(racing_is(fd));
}

/* A connected socket whose close() waits for a peer that takes nothing; *ret_peer ends that. */
static int lingering(int listener, int *ret_peer)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = PATIENCE_MS / 1000};
	struct sockaddr_in addr = race_server_at(2);
	static const char data[65536];
	int fd = rig_socket();

	(void)connect(fd, (struct sockaddr *)&addr, sizeof addr);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	*ret_peer = accept(listener, NULL, NULL);
	while (write(fd, data, sizeof data) > 0)
		;
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
	return fd;
}

struct onto {
	int oldfd, newfd;
	_Atomic bool done;
};

static void *dup_onto(void *arg)
{
	struct onto *o = arg;

	(void)nbd_dup2(o->oldfd, o->newfd);
	o->done = true;
	return NULL;
}

/* The file that dup2() closes is the program's, and may make it wait: nobody else. */
Test(racing_numbers, dup2_onto_a_socket_that_lingers_holds_nobody_up)
{
	int listener = rig_dead_and_alive(), peer, other;
	struct swap_id was;
	struct onto o;
	pthread_t thread;

	o.newfd = lingering(listener, &peer);
	cr_assert_eq(swap_identify(o.newfd, &was), 0);
	o.oldfd = rig_begin(NEVER_MS);
	other = rig_begin(NEVER_MS);
	o.done = false;
	cr_assert_eq(pthread_create(&thread, NULL, dup_onto, &o), 0);
	while (swap_is(o.newfd, &was))
		usleep(1000);
	cr_expect_eq(rig_error(other), 0);
	cr_expect_eq(rig_peer(other), 0);
	cr_expect_not(o.done, "dup2() was waited for");
	close(peer); /* resets: there is something unread */
	pthread_join(thread, NULL);
	cr_expect(racing_is(o.newfd));
	cr_assert_eq(nbd_close(o.oldfd), 0);
	cr_expect(racing_is(o.newfd), "not a duplicate");
}

/*
 * Past the hooks ----------------------------------------------------------------------------------
 */

Test(racing_numbers, raw_close_and_reuse_is_left_alone)
{
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	close(fd);
	cr_assert_eq(open("/dev/null", O_RDWR), fd);
	rig_all_gone();
	cr_expect(is_null(fd));
}

Test(racing_numbers, raw_close_and_reuse_is_the_programs_for_every_hook)
{
	int fd, value = 0;
	socklen_t len = sizeof value;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	close(fd);
	cr_assert_eq(socket(AF_UNIX, SOCK_STREAM, 0), fd);
	cr_expect_eq(nbd_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &len), 0);
	cr_expect_eq(value, AF_UNIX);
	cr_expect_not(racing_is(fd));
	rig_all_gone();
}

/* The number of a race that the program ended behind our back races again. */
Test(racing_numbers, number_can_race_again)
{
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	close(fd);
	cr_assert_eq(rig_begin(DELAY_MS), fd);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_peer(fd), 2);
	rig_all_gone();
}

/*
 * What cannot be had ------------------------------------------------------------------------------
 */

/* The plain connect goes on under the number. */
static void must_be_untouched(int fd)
{
	cr_expect_not(racing_is(fd));
	cr_expect_not(racing_any());
	cr_expect(rig_is_tcp(fd));
}

Test(racing_numbers, descriptor_limit_leaves_the_plain_connect)
{
	struct rlimit was, limit;
	int fd, r = -1;

	rig_dead_and_alive();
	fd = rig_socket();
	getrlimit(RLIMIT_NOFILE, &was);
	for (limit = was, limit.rlim_cur = (rlim_t)fd + 1; r < 0; limit.rlim_cur++) {
		setrlimit(RLIMIT_NOFILE, &limit);
		r = rig_begin_on(fd, NEVER_MS);
		setrlimit(RLIMIT_NOFILE, &was);
		if (r == 0)
			break;
		must_be_untouched(fd);
		cr_assert_eq(close(fd), 0);
		rig_all_gone();
		cr_assert_eq(rig_socket(), fd);
		cr_assert_lt(limit.rlim_cur, 64);
	}
	cr_expect(racing_is(fd));
}

static void refuse_socketpair(void)
{
	cr_assert(sandbox_refuses(SYS_socketpair, EPERM));
}

Test(racing_numbers, refused_socketpair_leaves_the_plain_connect)
{
	int fd;

	rig_dead_and_alive();
	fd = rig_socket();
	refuse_socketpair();
	cr_expect_eq(rig_begin_on(fd, NEVER_MS), -EPERM);
	must_be_untouched(fd);
}

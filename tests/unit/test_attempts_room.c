// SPDX-License-Identifier: MIT
/*
 * test_attempts_room.c - descriptors that races leave to the program.
 */
#include "shim/counters.h"
#include "tests/unit/racing_rig.h"

#include <sys/resource.h>

static void limit(unsigned n)
{
	const struct rlimit r = {.rlim_cur = n, .rlim_max = n < 1024 ? 1024 : n};

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
}

/* Races until there is no room; how many. */
static int begin_all(int fds[64], uint32_t delay_ms)
{
	int n = 0;

	while (n < 64 && attempts_room(fds[n] = rig_socket()))
		cr_assert_eq(rig_begin_on(fds[n++], delay_ms), 0);
	close(fds[n]);
	return n;
}

/* 8 of the 20 are for the io thread and lookups, and each race is promised three. */
Test(attempts_room, races_keep_to_a_quarter_of_the_limit)
{
	int fds[64];

	rig_dead_and_alive();
	limit(80);
	cr_assert_eq(begin_all(fds, NEVER_MS), 4);
	cr_expect_leq(private_fd_count(), 20);
	for (int i = 0; i < 4; i++)
		nbd_close(fds[i]);
	rig_all_gone();
	limit(1024);
	fds[0] = rig_socket();
	cr_expect(attempts_room(fds[0]));
}

/* None is refused its second attempt. */
Test(attempts_room, races_that_have_begun_are_carried_out)
{
	int fds[64], n;

	rig_dead_and_alive();
	limit(80);
	n = begin_all(fds, DELAY_MS);
	for (int i = 0; i < n; i++) {
		cr_assert_eq(rig_wait(fds[i], POLLOUT, PATIENCE_MS), POLLOUT);
		cr_expect_eq(rig_peer(fds[i]), 2);
	}
	cr_expect_gt(n, 0);
	rig_all_gone();
}

Test(attempts_room, numbers_in_the_upper_half_do_not_race)
{
	limit(1024);
	cr_expect(attempts_room(511));
	cr_expect_not(attempts_room(512));
}

/* The program may lower the limit in the middle of a race: the first attempt is all there is. */
Test(attempts_room, further_attempt_needs_room_too)
{
	uint64_t failed = counters_read(COUNTER_FAILED);
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	limit(8);
	for (int i = 0; counters_read(COUNTER_FAILED) == failed && i < PATIENCE_MS; i++)
		usleep(1000);
	cr_assert_eq(counters_read(COUNTER_FAILED), failed + 1);
	cr_expect(racing_is(fd));
	cr_expect_eq(rig_peer(fd), 0);
	cr_assert_eq(nbd_close(fd), 0);
	rig_all_gone();
}

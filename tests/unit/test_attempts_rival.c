// SPDX-License-Identifier: MIT
/* attempts.c: programs that race by themselves. */
#include "shim/clock.h"
#include "shim/counters.h"
#include "tests/unit/attempts_rig.h"

#define WHILE_MS 200 /* after which they try another address */

/* Never its turn; were it, the IPv4 sockets of these races would connect to 127.0.0.9. */
static const struct order_dest other_family = {.family = AF_INET6, .addr = {127, 0, 0, 9}};

static void begin_dual_stack(bool blocking)
{
	race_black_hole(2);
	candidate(2);
	candidate(3);
	goal.dests[goal.n++] = other_family;
	begin(blocking, NEVER_MS);
}

static bool is_rival_after(const struct order_dest *dest, uint64_t after_ms)
{
	return attempts_rival(-1, dest, goal.port, a->since_ms + after_ms);
}

Test(attempts, rival_is_told_from_a_second_connection)
{
	begin_dual_stack(false);
	cr_expect(!is_rival_after(&goal.dests[0], WHILE_MS), "the one that was asked for");
	cr_expect(!is_rival_after(&goal.dests[1], WHILE_MS), "of the same family");
	cr_expect(!attempts_rival(-1, &other_family, goal.port ^ 1, a->since_ms + WHILE_MS),
		  "at another port");
	cr_expect(is_rival_after(&other_family, WHILE_MS));
	cr_assert(attempts_stop(a));
	cr_expect(!is_rival_after(&other_family, WHILE_MS), "the race is over");
	attempts_release(a);
}

Test(attempts, address_asked_for_at_the_same_time_is_no_rival)
{
	begin_dual_stack(false);
	cr_expect(!is_rival_after(&other_family, 60));
	cr_assert(attempts_stop(a));
	attempts_release(a);
}

Test(attempts, address_asked_for_much_later_is_no_rival)
{
	begin_dual_stack(false);
	cr_expect(!is_rival_after(&other_family, 1000));
	cr_assert(attempts_stop(a));
	attempts_release(a);
}

Test(attempts, blocking_connects_are_no_rivals)
{
	begin_dual_stack(true);
	cr_expect(!is_rival_after(&other_family, WHILE_MS));
	cr_assert(attempts_stop(a));
	attempts_release(a);
}

/* A proxy that takes the addresses of a name in turn. */
Test(attempts, address_asked_for_before_is_no_rival)
{
	cr_assert(!attempts_rival(-1, &other_family, race_port(), clock_boot_ms()));
	begin_dual_stack(false);
	cr_expect(!is_rival_after(&other_family, WHILE_MS));
	cr_assert(attempts_stop(a));
	attempts_release(a);
}

/* A socket of the program's own, connected or not, for the rival. */
static int rival_to(unsigned server)
{
	struct sockaddr_in addr = race_server_at(server);
	int rival = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)connect(rival, (struct sockaddr *)&addr, sizeof addr);
	cr_assert(attempts_rival(rival, &other_family, goal.port, a->since_ms + WHILE_MS));
	return rival;
}

Test(attempts, first_closed_when_the_rival_is_connected_shows_a_program_that_races)
{
	begin_dual_stack(false);
	race_listen(4);
	rival_to(4);
	cr_expect(!attempts_raced(), "the first goes on");
	attempts_closed(a, a->since_ms + WHILE_MS + 20);
	cr_expect(attempts_raced());
	cr_assert(attempts_stop(a));
	attempts_release(a);
}

/* After an outage: the program gives up what hangs. */
Test(attempts, first_closed_while_the_rival_hangs_shows_nothing)
{
	begin_dual_stack(false);
	rival_to(2);
	attempts_closed(a, a->since_ms + WHILE_MS + 20);
	cr_expect(!attempts_raced());
	cr_assert(attempts_stop(a));
	attempts_release(a);
}

Test(attempts, first_closed_long_after_its_rival_shows_nothing)
{
	begin_dual_stack(false);
	race_listen(4);
	rival_to(4);
	attempts_closed(a, a->since_ms + WHILE_MS + NEVER_MS);
	cr_expect(!attempts_raced());
	cr_assert(attempts_stop(a));
	attempts_release(a);
}

/* setsockopt(), bind(), SCM_RIGHTS: whatever settles a race. */
Test(attempts, race_with_a_rival_that_is_stopped_shows_nothing)
{
	begin_dual_stack(false);
	race_listen(4);
	rival_to(4);
	cr_assert(attempts_stop(a));
	cr_expect(!attempts_raced());
	attempts_release(a);
}

static void raise_flag(struct io_task *task, uint64_t now_ms)
{
	(void)now_ms;
	(void)task;
	atomic_fetch_add(&overs, 1);
}

/* The SYN that is repeated after a second is refused. */
Test(attempts, rival_has_its_time_also_when_the_first_fails)
{
	static struct io_task task = {.run = raise_flag};
	struct pollfd failed = {.events = 0};
	int first_server = race_black_hole(2), second = race_listen(3);

	candidate(2);
	candidate(3);
	goal.dests[goal.n++] = other_family;
	begin(false, NEVER_MS);
	cr_assert(is_rival_after(&other_family, WHILE_MS));
	close(first_server);
	failed.fd = fd;
	cr_assert_eq(poll(&failed, 1, PATIENCE_MS), 1);
	while (counters_read(COUNTER_FAILED) == 0)
		usleep(1000);
	cr_assert_eq(io_submit(&task), 0); /* runs when what the failure has led to is done */
	while (atomic_load(&overs) == 0)
		usleep(1000);
	cr_expect(!has_connection(second));
	cr_assert(attempts_stop(a));
	attempts_release(a);
}

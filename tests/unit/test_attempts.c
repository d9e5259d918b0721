// SPDX-License-Identifier: MIT
/*
 * attempts.c and its parts: races over loopback, on the io thread. A listener answers, a port that
 * nobody listens on refuses, and a listener whose queue is full is a black hole.
 */
#include "shim/attempts_internal.h"

#include "shim/clock.h"
#include "shim/counters.h"
#include "shim/private_fd.h"
#include "shim/sys.h"
#include "tests/unit/race_servers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DELAY_MS       50
#define PATIENCE_MS    20000
#define IO_DESCRIPTORS 4       /* the io thread's own (io.h) */
#define NEVER_MS       3600000 /* a delay that no test waits for */

static struct attempts_goal goal;
static int fd; /* the program's */
static struct attempts *a;
static _Atomic int overs;

static void candidate(unsigned n)
{
	struct sockaddr_in addr = race_server_at(n);
	struct order_dest *dest = &goal.dests[goal.n++];

	dest->family = AF_INET;
	memcpy(dest->addr, &addr.sin_addr, 4);
}

static void over(struct attempts *race, uint64_t now_ms)
{
	(void)now_ms;
	atomic_fetch_add(&overs, 1);
	(void)sys_futex_wake(attempts_end_word(race), 1, false);
}

static void first(bool blocking, uint32_t delay_ms)
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

static void begin(bool blocking, uint32_t delay_ms)
{
	first(blocking, delay_ms);
	cr_assert_eq(attempts_start(a, private_fd_copy(fd), over, &goal), 0);
}

static enum attempts_end wait_end(void)
{
	const struct timespec patience = {.tv_sec = PATIENCE_MS / 1000};

	while (attempts_end(a) == ATTEMPTS_RUNNING)
		cr_assert_neq(
			sys_futex_wait(attempts_end_word(a), ATTEMPTS_RUNNING, &patience, false),
			-ETIMEDOUT);
	return attempts_end(a);
}

/* The caller of a blocking connect(): sleeps in a second one, and tells. The error, or 0. */
static int wait_first(void)
{
	struct sockaddr_in addr = race_server_at(2);
	int error = connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ? errno : 0;

	if (error == 0)
		cr_assert(attempts_connected(a, 0));
	else
		cr_assert_eq(attempts_failed(a, error), 0);
	return error;
}

static bool has_connection(int listener)
{
	return poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, 0) == 1;
}

static void wait_private(unsigned n)
{
	for (int i = 0; private_fd_count() != n && i < PATIENCE_MS; i++)
		usleep(1000);
	cr_assert_eq(private_fd_count(), n);
}

static int number_of(int handle)
{
	return private_fd_number(handle);
}

Test(attempts, first_attempt_wins_alone)
{
	int second;

	race_listen(2);
	second = race_listen(3);
	candidate(2);
	candidate(3);
	begin(false, NEVER_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_assert_eq(attempts_winner(a), attempts_own(a));
	cr_assert_eq(attempts_arg(a), &goal);
	cr_assert(!has_connection(second));
	attempts_release(a);
}

Test(attempts, second_wins_over_a_black_hole)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;

	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(false, DELAY_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_assert_neq(attempts_winner(a), attempts_own(a));
	cr_assert_eq(getpeername(number_of(attempts_winner(a)), (struct sockaddr *)&peer, &len), 0);
	cr_assert_eq(peer.sin_addr.s_addr, race_server_at(3).sin_addr.s_addr);
	attempts_release(a);
}

/* Were it not at once, the next attempt would be NEVER_MS away. */
Test(attempts, refusal_starts_the_next_at_once)
{
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(false, NEVER_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	attempts_release(a);
}

/* As connect() itself would have had it: the error is to be read from what is shown. */
Test(attempts, all_refused_leaves_the_error_to_be_read)
{
	int error = 0;
	socklen_t len = sizeof error;

	close(race_listen(2));
	candidate(2);
	candidate(3);
	candidate(4);
	begin(false, NEVER_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_LOST);
	cr_assert_eq(attempts_error(a), ECONNREFUSED);
	getsockopt(number_of(attempts_winner(a)), SOL_SOCKET, SO_ERROR, &error, &len);
	cr_assert_eq(error, ECONNREFUSED);
	attempts_release(a);
}

static void error_is_of_the_first(bool blocking)
{
	const int retries = 1; /* 3 s */
	int error = 0;
	socklen_t len = sizeof error;

	race_black_hole(2);
	close(race_listen(3));
	candidate(2);
	candidate(3);
	first(blocking, DELAY_MS);
	cr_assert_eq(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof retries), 0);
	cr_assert_eq(attempts_start(a, private_fd_copy(fd), over, &goal), 0);
	if (blocking)
		cr_assert_eq(wait_first(), ETIMEDOUT);
	cr_assert_eq(wait_end(), ATTEMPTS_LOST);
	cr_assert(blocking || attempts_winner(a) == attempts_own(a));
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	cr_expect_eq(blocking ? attempts_error(a) : error, ETIMEDOUT);
	attempts_release(a);
}

Test(attempts, error_is_that_of_the_first_though_another_failed_before)
{
	error_is_of_the_first(false);
}

Test(attempts, error_of_a_blocking_socket_is_that_of_the_first)
{
	error_is_of_the_first(true);
}

static void candidate_ipv6(const char *text)
{
	struct order_dest *dest = &goal.dests[goal.n++];
	struct in6_addr addr;

	cr_assert_eq(inet_pton(AF_INET6, text, &addr), 1);
	dest->family = IN6_IS_ADDR_V4MAPPED(&addr) ? AF_INET : AF_INET6;
	memcpy(dest->addr, &addr.s6_addr[dest->family == AF_INET ? 12 : 0],
	       dest->family == AF_INET ? 4 : 16);
}

/* History may have another address tried before the one that was asked for. */
Test(attempts, refused_at_once_is_the_error_of_the_address_asked_for)
{
	goal.family = AF_INET6;
	goal.ipv4 = true;
	goal.port = race_port();
	candidate_ipv6("fe80::1");	    /* has no scope: EINVAL */
	candidate_ipv6("::ffff:224.0.0.1"); /* ENETUNREACH */
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	for (unsigned reversed = 0; reversed < 2; reversed++) {
		a = attempts_new(&goal);
		cr_assert_not_null(a);
		a->race.order[0] = (unsigned char)reversed;
		a->race.order[1] = (unsigned char)!reversed;
		cr_expect_eq(attempts_first(a, fd), -EINVAL);
		attempts_release(a);
	}
}

Test(attempts, refused_blocking_socket_can_be_used_again)
{
	struct sockaddr_in addr;

	close(race_listen(2));
	candidate(2);
	candidate(3);
	begin(true, NEVER_MS);
	cr_assert_eq(wait_first(), ECONNREFUSED);
	cr_assert_eq(wait_end(), ATTEMPTS_LOST);
	cr_assert_eq(attempts_error(a), ECONNREFUSED);
	attempts_release(a);
	race_listen(4);
	addr = race_server_at(4);
	cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
}

/* What connect() says the second time depends on the kind of the first (attempt_result.h). */
Test(attempts, connected_socket_is_as_after_a_connect_of_its_kind)
{
	for (int blocking = 0; blocking < 2; blocking++) {
		struct sockaddr_in addr = race_server_at(2);
		int listener = race_listen(2);

		goal.n = 0;
		candidate(2);
		candidate(3);
		begin(blocking, NEVER_MS);
		if (blocking)
			cr_assert_eq(wait_first(), 0);
		cr_assert_eq(wait_end(), blocking ? ATTEMPTS_FIRST : ATTEMPTS_WON);
		cr_assert_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, blocking ? 0 : O_NONBLOCK);
		errno = 0;
		cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), -blocking);
		cr_assert_eq(errno, blocking ? EISCONN : 0);
		attempts_release(a);
		close(listener);
	}
}

/* Of a blocking socket the caller tells; were its failure not the next one's turn, that would be
 * NEVER_MS away. */
Test(attempts, blocking_refusal_starts_the_next_at_once)
{
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(true, NEVER_MS);
	cr_assert_eq(wait_first(), ECONNREFUSED);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	attempts_release(a);
}

/* What it says when the race is over changes nothing. */
Test(attempts, first_that_is_connected_too_late_has_not_won)
{
	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(true, DELAY_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_expect_not(attempts_connected(a, 0));
	cr_expect_eq(attempts_failed(a, ECONNRESET), 0);
	cr_expect_eq(attempts_end(a), ATTEMPTS_WON);
	cr_expect_neq(attempts_winner(a), attempts_own(a));
	attempts_release(a);
}

Test(attempts, blocking_first_that_wins_is_counted_once)
{
	uint64_t won = counters_read(COUNTER_WON_IPV4_FIRST);
	uint64_t stopped = counters_read(COUNTER_STOPPED);

	race_listen(2);
	candidate(2);
	candidate(3);
	begin(true, NEVER_MS);
	cr_assert_eq(wait_first(), 0);
	cr_expect_not(attempts_stop(a));
	attempts_release(a);
	wait_private(IO_DESCRIPTORS); /* the io thread, which may have been starting, is through */
	cr_expect_eq(counters_read(COUNTER_WON_IPV4_FIRST), won + 1);
	cr_expect_eq(counters_read(COUNTER_STOPPED), stopped);
}

/* How often the io thread has gone to sleep. */
static unsigned long io_sleeps(void)
{
	static const char field[] = "voluntary_ctxt_switches:";
	unsigned long sleeps = 0;
	DIR *tasks = opendir("/proc/self/task");

	cr_assert_not_null(tasks);
	for (struct dirent *d; (d = readdir(tasks)) != NULL;) {
		char path[300], text[2048] = "";
		int in;

		snprintf(path, sizeof path, "/proc/self/task/%s/status", d->d_name);
		in = open(path, O_RDONLY | O_CLOEXEC);
		if (in >= 0 && read(in, text, sizeof text - 1) > 0 &&
		    strstr(text, "\tnoblockdns\n") != NULL)
			sleeps = strtoul(strstr(text, field) + sizeof field - 1, NULL, 10);
		close(in);
	}
	closedir(tasks);
	return sleeps;
}

/* The caller is woken by the kernel alone: the first repetition of its SYN, after a second, is
 * answered, by when the io thread has come to rest. */
Test(attempts, blocking_first_that_wins_wakes_no_other_thread)
{
	unsigned long sleeps;
	int listener = race_black_hole(2);

	candidate(2);
	candidate(3);
	begin(true, NEVER_MS);
	cr_assert_eq(listen(listener, 2048), 0);
	usleep(500000);
	sleeps = io_sleeps();
	cr_assert_gt(sleeps, 0u);
	cr_assert_eq(wait_first(), 0);
	attempts_release(a);
	cr_expect_eq(io_sleeps(), sleeps);
	wait_private(IO_DESCRIPTORS);
	cr_expect_eq(io_sleeps(), sleeps);
}

Test(attempts, stop_ends_all_but_the_first)
{
	unsigned before;
	int listener;

	/* The io thread's own descriptors are there from here on. */
	listener = race_listen(2);
	candidate(2);
	candidate(3);
	begin(false, NEVER_MS);
	wait_end();
	attempts_release(a);
	wait_private(before = IO_DESCRIPTORS);

	goal.n = 0;
	close(listener);
	overs = 0;
	race_black_hole(2);
	race_black_hole(3);
	candidate(2);
	candidate(3);
	begin(false, DELAY_MS);
	wait_private(before + 2); /* the copy of the first, and the second */
	cr_assert(attempts_stop(a));
	cr_assert(!attempts_stop(a));
	cr_assert_eq(attempts_end(a), ATTEMPTS_STOPPED);
	wait_private(before + 1);
	attempts_release(a);
	wait_private(before);
	cr_assert_eq(overs, 0);
	cr_assert_eq(poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 0), 0,
		     "the program's own attempt has ended");
}

static int linger_of(int number)
{
	struct linger linger = {.l_onoff = -1};
	socklen_t len = sizeof linger;

	cr_assert_eq(getsockopt(number, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
	return linger.l_onoff;
}

static void first_that_lingers(void)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 5};

	first(false, DELAY_MS);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
	cr_assert_eq(attempts_start(a, private_fd_copy(fd), over, &goal), 0);
}

/* The test has what is closed as well, and so can see what it was like. */
Test(attempts, first_that_has_lost_does_not_linger)
{
	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	first_that_lingers();
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	cr_expect_eq(linger_of(number_of(attempts_winner(a))), 1);
	cr_expect_eq(linger_of(fd), 1, "before its end it is the program's");
	attempts_release(a);
	wait_private(IO_DESCRIPTORS);
	cr_expect_eq(linger_of(fd), 0);
}

Test(attempts, private_socket_that_has_lost_does_not_linger)
{
	int handle, kept;

	race_black_hole(2);
	race_black_hole(3);
	candidate(2);
	candidate(3);
	first_that_lingers();
	wait_private(IO_DESCRIPTORS + 2);
	while ((handle = atomic_load(&a->attempts[1].handle)) == 0)
		usleep(1000);
	private_fd_lock(); /* the options are copied under it */
	kept = fcntl(private_fd_number_locked(handle), F_DUPFD_CLOEXEC, 0);
	private_fd_unlock();
	cr_assert_eq(linger_of(kept), 1);
	cr_assert(attempts_stop(a));
	wait_private(IO_DESCRIPTORS + 1);
	cr_expect_eq(linger_of(kept), 0);
	cr_expect_eq(linger_of(fd), 1, "the first attempt goes on");
	attempts_release(a);
}

/* It takes some 60 us to make an attempt like the first: the option is set somewhere in them. */
#define OPTION_RACES 40

Test(attempts, option_set_while_an_attempt_starts_is_set_on_it)
{
	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	for (int i = 1; i <= OPTION_RACES; i++) {
		unsigned before;
		int got = 0;
		socklen_t len = sizeof got;

		begin(false, 2);
		before = i == 1 ? IO_DESCRIPTORS + 1 : private_fd_count();
		while (private_fd_count() <= before && attempts_end(a) == ATTEMPTS_RUNNING)
			;
		for (uint64_t now = clock_boot_ns(); clock_boot_ns() < now + (unsigned)i * 4000;)
			;
		cr_assert_eq(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &i, sizeof i), 0);
		attempts_option(a, IPPROTO_TCP, TCP_KEEPIDLE, &i, sizeof i);
		cr_assert_eq(wait_end(), ATTEMPTS_WON);
		cr_assert_eq(getsockopt(number_of(attempts_winner(a)), IPPROTO_TCP, TCP_KEEPIDLE,
					&got, &len),
			     0);
		cr_assert_eq(got, i);
		attempts_release(a);
		close(fd);
	}
}

Test(attempts, server_on_this_machine_has_answered)
{
	race_listen(2);
	candidate(2);
	first(false, NEVER_MS);
	cr_assert(attempts_answered(a, fd));
	attempts_release(a);
}

Test(attempts, black_hole_has_not_answered)
{
	race_black_hole(2);
	candidate(2);
	first(false, NEVER_MS);
	cr_assert(!attempts_answered(a, fd));
	attempts_release(a);
}

Test(attempts, refusal_is_no_answer_and_stays_to_be_read)
{
	int error = 0;
	socklen_t len = sizeof error;

	close(race_listen(2));
	candidate(2);
	first(false, NEVER_MS);
	cr_assert(!attempts_answered(a, fd));
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	cr_assert_eq(error, ECONNREFUSED);
	attempts_release(a);
}

Test(attempts, late_address_does_no_harm_to_a_race_that_is_over)
{
	race_listen(2);
	candidate(2);
	goal.more = true;
	begin(false, NEVER_MS);
	cr_assert_eq(wait_end(), ATTEMPTS_WON);
	attempts_release(a);
}

/* From then on the race is counted. */
static void wait_over(void)
{
	while (atomic_load(&overs) == 0)
		usleep(1000);
	cr_assert_eq(attempts_end(a), ATTEMPTS_WON);
}

Test(attempts, each_connect_is_counted)
{
	race_listen(4);
	candidate(2); /* refuses */
	candidate(3); /* refuses */
	candidate(4);
	begin(false, NEVER_MS);
	wait_over();
	cr_expect_eq(counters_read(COUNTER_ATTEMPTS), 3u);
	cr_expect_eq(counters_read(COUNTER_FAILED), 2u);
	cr_expect_eq(counters_read(COUNTER_SAVED_MS), 0u, "the first had failed");
	attempts_release(a);
}

Test(attempts, no_more_is_saved_than_the_first_was_silent)
{
	uint64_t since_ms = clock_boot_ms();

	race_black_hole(2);
	race_listen(3);
	candidate(2);
	candidate(3);
	begin(false, DELAY_MS);
	wait_over();
	cr_expect_geq(counters_read(COUNTER_SAVED_MS), DELAY_MS);
	cr_expect_leq(counters_read(COUNTER_SAVED_MS), clock_boot_ms() - since_ms);
	attempts_release(a);
}

/* ---- programs that race by themselves ---- */

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

#define RACES 1000

Test(attempts, thousand_at_once_all_win)
{
	static struct attempts *races[RACES];
	struct rlimit limit;
	unsigned before;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 4 * RACES)
		cr_skip_test("%lu descriptors are allowed", (unsigned long)limit.rlim_cur);
	race_listen(2);
	candidate(3); /* refuses */
	candidate(2);
	begin(false, NEVER_MS);
	wait_end();
	attempts_release(a);
	wait_private(before = IO_DESCRIPTORS);
	for (int i = 0; i < RACES; i++) {
		begin(false, NEVER_MS);
		races[i] = a;
		close(fd);
	}
	for (int i = 0; i < RACES; i++) {
		a = races[i];
		cr_assert_eq(wait_end(), ATTEMPTS_WON);
		attempts_release(a);
	}
	wait_private(before);
}

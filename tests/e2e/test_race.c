// SPDX-License-Identifier: MIT
/*
 * test_race.c - the scenarios of Happy Eyeballs, as one table (its columns are explained in
 * race_run.h): what the network does, and what an unmodified program must see of it. Scenarios of
 * several programs, of many connects and of programs of the distribution stand in files of their
 * own: test_race_history.c (23, 24), test_race_many.c (16), test_race_itself.c (25).
 *
 * C is 250 ms, the delay between two attempts; R is 50 ms, the wait for the other family's answer.
 * `in to 6 delay 20` makes a round trip of 20 ms. After a failure the next attempt starts within
 * 10 ms (the smallest delay that RFC 8305 section 5 allows), which `4<10` says.
 */
#include "tests/e2e/race_checks.h"

#define EDGES	 (RACE_BIT(RACE_EPOLL_ET) | RACE_BIT(RACE_EPOLL_BEFORE) | RACE_BIT(RACE_EPOLL_ONESHOT))
#define BLOCKING RACE_BIT(RACE_BLOCK)

/* "At once": up to 10 ms from the start. */
#define AT_ONCE .at_ms = 10, .early_ms = 10

static const struct race_case table[] = {
	{1, "both families fast", RACE_ALL, 1, 1, .net = "in to 6 delay 20;in to 4 delay 20",
	 .client = "linger", .family = 6, .at_ms = 20, .syns = "6@0"},

	{2, "IPv6 0 ms slower", RACE_FOUR, 1, 1, .family = 6, .at_ms = 0, .syns = "6@0"},
	{2, "IPv6 100 ms slower", RACE_FOUR, 1, 1, .net = "in to 6 delay 100", .family = 6,
	 .at_ms = 100, .syns = "6@0"},
	{2, "IPv6 200 ms slower", RACE_FOUR, 1, 1, .net = "in to 6 delay 200", .family = 6,
	 .at_ms = 200, .syns = "6@0"},
	{2, "IPv6 300 ms slower", RACE_FOUR, 1, 1, .net = "in to 6 delay 300", .family = 4,
	 .at_ms = 250, .syns = "6@0 4@250"},
	{2, "IPv6 400 ms slower", RACE_FOUR, 1, 1, .net = "in to 6 delay 400", .family = 4,
	 .at_ms = 250, .syns = "6@0 4@250"},
	{2, "IPv6 290 ms, IPv4 100 ms", RACE_FOUR, 1, 1,
	 .net = "in to 6 delay 290;in to 4 delay 100", .family = 6, .at_ms = 290,
	 .syns = "6@0 4@250"},

	{3, "AAAA 0 ms late", RACE_FOUR, 1, 1, .zero = RACE_FROM_A, .family = 6, .at_ms = 0,
	 .syns = "6@0"},
	{3, "AAAA 30 ms late", RACE_FOUR, 1, 1, .dns = "AAAA delay 30", .zero = RACE_FROM_A,
	 .family = 6, .at_ms = 30, .syns = "6@30"},
	{3, "AAAA 100 ms late", RACE_FOUR, 1, 1, .dns = "AAAA delay 100", .zero = RACE_FROM_A,
	 .family = 4, .at_ms = 50, .syns = "4@50"},
	{3, "AAAA 500 ms late", RACE_FOUR, 1, 1, .dns = "AAAA delay 500", .zero = RACE_FROM_A,
	 .family = 4, .at_ms = 50, .syns = "4@50"},
	{3, "AAAA 1000 ms late", RACE_FOUR, 1, 1, .dns = "AAAA delay 1000", .zero = RACE_FROM_A,
	 .family = 4, .at_ms = 50, .syns = "4@50"},

	{4, "A 30 ms late, IPv6 works", RACE_FOUR, 1, 1, .dns = "A delay 30",
	 .zero = RACE_FROM_AAAA, .family = 6, .at_ms = 30, .early_ms = 30, .syns = "6<30"},
	{4, "A 500 ms late, IPv6 works", RACE_FOUR, 1, 1, .dns = "A delay 500",
	 .zero = RACE_FROM_AAAA, .family = 6, .at_ms = 50, .early_ms = 50, .syns = "6<50"},
	{4, "A lost, IPv6 works", RACE_FOUR, 1, 1, .dns = "A drop", .zero = RACE_FROM_AAAA,
	 .family = 6, .at_ms = 50, .early_ms = 50, .syns = "6<50"},

	{5, "AAAA lost", RACE_FOUR, 1, 1, .dns = "AAAA drop", .zero = RACE_FROM_A, .family = 4,
	 .at_ms = 50, .early_ms = 50, .syns = "4<50"},

	/* Only an AF_INET6 socket can reach both families. */
	{6, "A now, IPv4 dead, AAAA 150 ms late", RACE_FOUR, 1, 1, .dns = "AAAA delay 150",
	 .zero = RACE_FROM_A, .net = "to 4 drop", .client = "mapped", .family = 6, .at_ms = 300,
	 .early_ms = 150, .syns = "4@50 6<300"},

	{7, "3 + 3 addresses, all slow", RACE_FOUR, 3, 3,
	 .net = "in to 6 delay 1500;in to 4 delay 1500", .family = 6, .at_ms = 1500,
	 .syns = "6@0 4@250 6@500 4@750 6@1000 4@1250"},

	/* At most C, the round trip, and 20 ms. */
	{8, "IPv6 black hole", RACE_ALL, 1, 1, .net = "to 6 drop;in to 4 delay 20",
	 .client = "linger", .family = 4, .at_ms = 270, .best_ms = 290, .syns = "6@0 4@250"},

	{9, "IPv6 refused", RACE_FOUR, 1, 1, .net = "to 6 refuse", .family = 4, AT_ONCE,
	 .syns = "6@0 4<10"},

	{10, "IPv6 unreachable (ICMP)", RACE_FOUR, 1, 1, .net = "to 6 unreachable", .family = 4,
	 AT_ONCE, .syns = "6@0 4<10"},
	{10, "IPv6 unreachable (route), asked for", RACE_FOUR, 1, 1,
	 .ip = "route add unreachable 6", .client = "first=6", .family = 4, AT_ONCE,
	 .syns = "4<10"},
	{10, "IPv6 unreachable (route)", RACE_FOUR, 1, 1, .ip = "route add unreachable 6",
	 .family = 4, .at_ms = 0, .syns = "4@0"},
	/* The route is there, an address of our own is not. */
	{10, "IPv6 without a source, asked for", RACE_FOUR, 1, 1, .alone = true,
	 .ip = "addr del " LAB_NEAR_V6 "/64 dev lab0;addr del ::1/128 dev lo", .client = "first=6",
	 .family = 4, AT_ONCE, .syns = "4<10"},

	{11, "all refused", RACE_FOUR, 1, 1, .net = "to 6 refuse;to 4 refuse",
	 .error = "ECONNREFUSED", AT_ONCE, .syns = "6@0 4<10"},

	/* The kernel gives up 3 s after a SYN (see race_net_start()); the last one leaves at C. */
	{12, "all dead, the kernel gives up", RACE_FOUR, 1, 1, .net = "to 6 drop;to 4 drop",
	 .error = "ETIMEDOUT", .at_ms = 3250, .early_ms = 250, .syns = "6@0 4@250"},
	{12, "all dead, waits 600 ms", RACE_WAITING, 1, 1, .net = "to 6 drop;to 4 drop",
	 .client = "timeout=600", .error = "gave-up", .at_ms = 600, .syns = "6@0 4@250"},
	{12, "all dead, SO_SNDTIMEO 600 ms", BLOCKING, 1, 1, .net = "to 6 drop;to 4 drop",
	 .client = "timeout=600", .error = "EINPROGRESS", .at_ms = 600, .syns = "6@0 4@250"},
	/* The interrupted program waits for what it has begun, as the kernel wants it. */
	{12, "a signal at 100 ms, IPv6 600 ms", BLOCKING, 1, 1, .net = "in to 6 delay 600",
	 .client = "act=signal", .family = 6, .at_ms = 600, .syns = "6@0",
	 .check = interrupted_at_100_ms},
	{12, "SA_RESTART at 100 ms, IPv6 dead", RACE_FOUR, 1, 1, .net = "to 6 drop",
	 .client = "act=signal-restart", .family = 4, .at_ms = 250, .syns = "6@0 4@250"},

	{13, "first dead, IPv4 refused, next IPv6 works", RACE_FOUR, 2, 1,
	 .net = "to 6.1 drop;to 4 refuse", .family = 6, .at_ms = 260, .early_ms = 10,
	 .syns = "6@0 4@250 6<260"},

	{14, "8 IPv6 dead + 1 IPv4", RACE_FOUR, 8, 1, .net = "to 6 drop", .family = 4, .at_ms = 250,
	 .syns = "6@0 4@250"},
	{14, "8 + 1 dead, waits 2 s", RACE_WAITING, 8, 1, .net = "to 6 drop;to 4 drop",
	 .client = "timeout=2000", .error = "gave-up", .at_ms = 2000,
	 .syns = "6@0 4@250 6@500 6@750 6@1000 6@1250"},
	{14, "8 + 1 dead, SO_SNDTIMEO 2 s", BLOCKING, 8, 1, .net = "to 6 drop;to 4 drop",
	 .client = "timeout=2000", .error = "EINPROGRESS", .at_ms = 2000,
	 .syns = "6@0 4@250 6@500 6@750 6@1000 6@1250"},

	/* The server of the one that lost sees its end and no byte: so it is in every row. */
	{15, "IPv6 299 ms, IPv4 C + 50 ms", RACE_FOUR, 1, 1,
	 .net = "in to 6 delay 299;in to 4 delay 50", .at_ms = 300, .syns = "6@0 4@250"},
	{15, "IPv6 300 ms, IPv4 C + 50 ms", RACE_FOUR, 1, 1,
	 .net = "in to 6 delay 300;in to 4 delay 50", .at_ms = 300, .syns = "6@0 4@250"},
	{15, "IPv6 301 ms, IPv4 C + 50 ms", RACE_FOUR, 1, 1,
	 .net = "in to 6 delay 301;in to 4 delay 50", .at_ms = 300, .syns = "6@0 4@250"},

	/* A blocking connect() goes on when another thread closes, without the shim too. */
	{17, "closed after 400 ms, all dead", RACE_WAITING, 1, 1, .net = "to 6 drop;to 4 drop",
	 .client = "close=400", .error = "gave-up", .at_ms = 400, .syns = "6@0 4@250",
	 .check = gone_within_100_ms},

	{18, "300 ms in both families", RACE_FOUR, 1, 1,
	 .net = "in to 6 delay 300;in to 4 delay 300", .family = 6, .at_ms = 300,
	 .syns = "6@0 4@250", .check = no_reset_before_the_winner},

	/* The whole process stands still from 100 to 500 ms. */
	{19, "IPv6 dead, stopped across C", RACE_FOUR, 1, 1, .net = "to 6 drop",
	 .client = "stop=400", .family = 4, .at_ms = 500, .early_ms = 10, .syns = "6@0 4<500"},

	{20, "one event, IPv6 dead", EDGES, 1, 1, .net = "to 6 drop", .client = "linger",
	 .family = 4, .at_ms = 250, .syns = "6@0 4@250"},
	{20, "one event, IPv6 works", EDGES, 1, 1, .net = "in to 6 delay 20", .client = "linger",
	 .family = 6, .at_ms = 20, .syns = "6@0"},

	{21, "O_NONBLOCK and options, IPv4 wins", RACE_ALL, 1, 1, .net = "to 6 drop",
	 .client = "options timeout=1000", .family = 4, .at_ms = 250, .syns = "6@0 4@250",
	 .check = options_are_kept},
	{21, "O_NONBLOCK and options, IPv6 wins", RACE_ALL, 1, 1, .net = "in to 6 delay 20",
	 .client = "options timeout=1000", .family = 6, .at_ms = 20, .syns = "6@0",
	 .check = options_are_kept},

	{22, "server speaks first, IPv6 dead", RACE_FOUR, 1, 1, .net = "to 6 drop;in to 4 delay 20",
	 .client = "greet", .family = 4, .at_ms = 270, .syns = "6@0 4@250",
	 .check = greeting_has_come},
	{22, "server speaks first, both at once", RACE_FOUR, 1, 1,
	 .net = "in to 6 delay 300;in to 4 delay 50", .client = "greet", .at_ms = 300,
	 .syns = "6@0 4@250", .check = greeting_has_come},

	{26, "dup at 100 ms, IPv6 600 ms", RACE_FOUR, 1, 1, .net = "in to 6 delay 600",
	 .client = "act=dup timeout=3000", .family = 4, .at_ms = 250, .syns = "6@0 4@250",
	 .check = alias_is_the_same},
	{26, "SCM_RIGHTS at 100 ms, IPv6 600 ms", RACE_FOUR, 1, 1, .net = "in to 6 delay 600",
	 .client = "act=scm timeout=3000", .at_ms = 600, .early_ms = 350,
	 .check = alias_is_the_same},
	{26, "fork at 100 ms, IPv6 600 ms", RACE_FOUR, 1, 1, .net = "in to 6 delay 600",
	 .client = "act=fork timeout=3000", .at_ms = 600, .early_ms = 350,
	 .check = child_has_a_socket},
	{26, "looked at, option set at 100 ms", RACE_WAITING, 1, 1, .net = "to 6 drop",
	 .client = "act=look timeout=3000", .family = 4, .at_ms = 250, .syns = "6@0 4@250",
	 .check = looks_like_connecting},
};

/* All cases of a scenario in one network, or those that need one alone. */
static void run_row(struct lab_world *w, unsigned row, bool alone)
{
	struct race_case cases[RACE_CASES_MAX];
	unsigned n = 0;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].row == row && table[i].alone == alone)
			cases[n++] = table[i];
	race_run(w, cases, n);
}

#define ROW(number, name)                                                                          \
	LabTest(race, row_##name, RACE_WORLD)                                                      \
	{                                                                                          \
		run_row(w, number, false);                                                         \
	}

ROW(1, 01_first_family_is_fast)
ROW(2, 02_first_family_is_slower)
ROW(3, 03_aaaa_is_late)
ROW(4, 04_a_is_late)
ROW(5, 05_aaaa_is_lost)
ROW(6, 06_aaaa_is_late_and_a_is_dead)
ROW(7, 07_many_slow_addresses)
ROW(8, 08_black_hole)
ROW(9, 09_refused)
ROW(10, 10_unreachable)
ROW(11, 11_all_refused)
ROW(12, 12_all_dead)
ROW(13, 13_first_fallback_is_refused)
ROW(14, 14_many_dead_addresses)
ROW(15, 15_two_win_at_once)
ROW(17, 17_closed_during_the_race)
ROW(18, 18_long_round_trip)
ROW(19, 19_io_thread_is_delayed)
ROW(20, 20_one_event)
ROW(21, 21_options_are_kept)
ROW(22, 22_server_speaks_first)
ROW(26, 26_meanwhile)

LabTest(race, row_10_no_source_address, RACE_WORLD)
{
	run_row(w, 10, true);
}

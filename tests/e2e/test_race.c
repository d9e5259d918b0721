// SPDX-License-Identifier: MIT
/*
 * test_race.c - the scenarios of Happy Eyeballs, as tables (the columns are explained in
 * race_run.h): what the network does, and what an unmodified program must see of it. Scenarios of
 * several programs, of many connects and of programs of the distribution stand in files of their
 * own: test_race_history.c, test_race_many.c, test_race_programs.c.
 *
 * C is 250 ms, the delay between two attempts; R is 50 ms, the wait for the other family's answer.
 * `in to 6 delay 20` makes a round trip of 20 ms. After a failure the next attempt starts within
 * 10 ms (the smallest delay that RFC 8305 section 5 allows), which `4<10` says.
 */
#include "tests/e2e/race_run.h"

#include <string.h>

#define RACE(name, ...)                                                                            \
	LabTest(race, name, RACE_WORLD)                                                            \
	{                                                                                          \
		static const struct race_case cases[] = {__VA_ARGS__};                             \
                                                                                                   \
		race_run(w, cases, sizeof cases / sizeof cases[0]);                                \
	}

/* ---- who is first ---- */

RACE(row_01_first_family_is_fast, {.row = 1,
				   .what = "both families fast",
				   .modes = RACE_ALL,
				   .nv6 = 1,
				   .nv4 = 1,
				   .net = "in to 6 delay 20;in to 4 delay 20",
				   .client = "linger",
				   .family = 6,
				   .at_ms = 20,
				   .syns = "6@0"})

#define SLOWER(MS, ...)                                                                            \
	{                                                                                          \
		.row = 2, .what = "IPv6 " #MS " ms slower", .modes = RACE_FOUR, .nv6 = 1,          \
		.nv4 = 1, .net = "in to 6 delay " #MS, __VA_ARGS__                                 \
	}

RACE(row_02_first_family_is_slower, SLOWER(0, .family = 6, .at_ms = 0, .syns = "6@0"),
     SLOWER(100, .family = 6, .at_ms = 100, .syns = "6@0"),
     SLOWER(200, .family = 6, .at_ms = 200, .syns = "6@0"),
     SLOWER(300, .family = 4, .at_ms = 250, .syns = "6@0 4@250"),
     SLOWER(400, .family = 4, .at_ms = 250, .syns = "6@0 4@250"),
     {.row = 2,
      .what = "IPv6 290 ms, IPv4 100 ms",
      .modes = RACE_FOUR,
      .nv6 = 1,
      .nv4 = 1,
      .net = "in to 6 delay 290;in to 4 delay 100",
      .family = 6,
      .at_ms = 290,
      .syns = "6@0 4@250"})

/* ---- answers that are late ---- */

#define ANSWERS(ROW, WHAT, DNS, ZERO, ...)                                                         \
	{                                                                                          \
		.row = ROW, .what = WHAT, .modes = RACE_FOUR, .nv6 = 1, .nv4 = 1, .dns = DNS,      \
		.zero = ZERO, __VA_ARGS__                                                          \
	}

RACE(row_03_aaaa_is_late,
     ANSWERS(3, "AAAA 0 ms late", NULL, RACE_FROM_A, .family = 6, .at_ms = 0, .syns = "6@0"),
     ANSWERS(3, "AAAA 30 ms late", "AAAA delay 30", RACE_FROM_A, .family = 6, .at_ms = 30,
	     .syns = "6@30"),
     ANSWERS(3, "AAAA 100 ms late", "AAAA delay 100", RACE_FROM_A, .family = 4, .at_ms = 50,
	     .syns = "4@50"),
     ANSWERS(3, "AAAA 500 ms late", "AAAA delay 500", RACE_FROM_A, .family = 4, .at_ms = 50,
	     .syns = "4@50"),
     ANSWERS(3, "AAAA 1000 ms late", "AAAA delay 1000", RACE_FROM_A, .family = 4, .at_ms = 50,
	     .syns = "4@50"))

RACE(row_04_a_is_late,
     ANSWERS(4, "A 30 ms late, IPv6 works", "A delay 30", RACE_FROM_AAAA, .family = 6, .at_ms = 30,
	     .early_ms = 30, .syns = "6<30"),
     ANSWERS(4, "A 500 ms late, IPv6 works", "A delay 500", RACE_FROM_AAAA, .family = 6,
	     .at_ms = 50, .early_ms = 50, .syns = "6<50"),
     ANSWERS(4, "A lost, IPv6 works", "A drop", RACE_FROM_AAAA, .family = 6, .at_ms = 50,
	     .early_ms = 50, .syns = "6<50"))

RACE(row_05_aaaa_is_lost, ANSWERS(5, "AAAA lost", "AAAA drop", RACE_FROM_A, .family = 4,
				  .at_ms = 50, .early_ms = 50, .syns = "4<50"))

/* Only an AF_INET6 socket can reach both. */
RACE(row_06_aaaa_is_late_and_a_is_dead,
     ANSWERS(6, "A now, IPv4 dead, AAAA 150 ms late", "AAAA delay 150", RACE_FROM_A,
	     .net = "to 4 drop", .client = "mapped", .family = 6, .at_ms = 300, .early_ms = 150,
	     .syns = "4@50 6<300"))

/* ---- addresses that do not answer ---- */

RACE(row_07_many_slow_addresses, {.row = 7,
				  .what = "3 + 3 addresses, all slow",
				  .modes = RACE_FOUR,
				  .nv6 = 3,
				  .nv4 = 3,
				  .net = "in to 6 delay 1500;in to 4 delay 1500",
				  .family = 6,
				  .at_ms = 1500,
				  .syns = "6@0 4@250 6@500 4@750 6@1000 4@1250"})

RACE(row_08_black_hole, {.row = 8,
			 .what = "IPv6 black hole",
			 .modes = RACE_ALL,
			 .nv6 = 1,
			 .nv4 = 1,
			 .net = "to 6 drop;in to 4 delay 20",
			 .client = "linger",
			 .family = 4,
			 .at_ms = 270,
			 .syns = "6@0 4@250"})

RACE(row_09_refused, {.row = 9,
		      .what = "IPv6 refused",
		      .modes = RACE_FOUR,
		      .nv6 = 1,
		      .nv4 = 1,
		      .net = "to 6 refuse",
		      .family = 4,
		      .at_ms = 10,
		      .early_ms = 10,
		      .syns = "6@0 4<10"})

RACE(row_10_unreachable,
     {.row = 10,
      .what = "IPv6 unreachable (ICMP)",
      .modes = RACE_FOUR,
      .nv6 = 1,
      .nv4 = 1,
      .net = "to 6 unreachable",
      .family = 4,
      .at_ms = 10,
      .early_ms = 10,
      .syns = "6@0 4<10"},
     {.row = 10,
      .what = "IPv6 unreachable (route), asked for",
      .modes = RACE_FOUR,
      .nv6 = 1,
      .nv4 = 1,
      .ip = "route add unreachable 6",
      .client = "first=6",
      .family = 4,
      .at_ms = 10,
      .early_ms = 10,
      .syns = "4<10"},
     {.row = 10,
      .what = "IPv6 unreachable (route)",
      .modes = RACE_FOUR,
      .nv6 = 1,
      .nv4 = 1,
      .ip = "route add unreachable 6",
      .family = 4,
      .at_ms = 0,
      .syns = "4@0"})

/* The route is there, an address of our own is not. */
RACE(row_10_no_source_address,
     {.row = 10,
      .what = "IPv6 without a source address, asked for",
      .modes = RACE_FOUR,
      .nv6 = 1,
      .nv4 = 1,
      .ip = "addr del " LAB_NEAR_V6 "/64 dev lab0;addr del ::1/128 dev lo",
      .client = "first=6",
      .family = 4,
      .at_ms = 10,
      .early_ms = 10,
      .syns = "4<10"})

RACE(row_11_all_refused, {.row = 11,
			  .what = "all refused",
			  .modes = RACE_FOUR,
			  .nv6 = 1,
			  .nv4 = 1,
			  .net = "to 6 refuse;to 4 refuse",
			  .error = "ECONNREFUSED",
			  .at_ms = 10,
			  .early_ms = 10,
			  .syns = "6@0 4<10"})

/* ---- nobody answers: the program's own rules ---- */

#define DEAD(WHAT, MODES, ...)                                                                     \
	{                                                                                          \
		.row = 12, .what = WHAT, .modes = MODES, .nv6 = 1, .nv4 = 1,                       \
		.net = "to 6 drop;to 4 drop", .syns = "6@0 4@250", __VA_ARGS__                     \
	}

/* The kernel gives up 3 s after a SYN (see race_net_start()); the last one leaves at C. */
RACE(row_12_all_dead,
     DEAD("all dead, the kernel gives up", RACE_FOUR, .error = "ETIMEDOUT", .at_ms = 3250,
	  .early_ms = 250),
     DEAD("all dead, waits 600 ms", RACE_WAITING, .client = "timeout=600", .error = "gave-up",
	  .at_ms = 600),
     DEAD("all dead, SO_SNDTIMEO 600 ms", RACE_BIT(RACE_BLOCK), .client = "timeout=600",
	  .error = "EINPROGRESS", .at_ms = 600))

static const char *interrupted_at_100_ms(const struct race_seen *seen)
{
	const double ms = race_value(seen->job, "first_ms");

	if (strcmp(race_text(seen->job, "first"), "EINTR") != 0)
		return "connect() was not interrupted";
	return ms < 100 - RACE_EARLY_MS || ms > 100 + RACE_SLOP_MS(100) ? "EINTR at a wrong time"
									: NULL;
}

/* The interrupted program waits for what it has begun, as the kernel wants it. */
RACE(row_12_signals,
     {.row = 12,
      .what = "a signal at 100 ms, IPv6 600 ms",
      .modes = RACE_BIT(RACE_BLOCK),
      .nv6 = 1,
      .nv4 = 1,
      .net = "in to 6 delay 600",
      .client = "act=signal",
      .family = 6,
      .at_ms = 600,
      .syns = "6@0",
      .check = interrupted_at_100_ms},
     {.row = 12,
      .what = "SA_RESTART at 100 ms, IPv6 dead",
      .modes = RACE_FOUR,
      .nv6 = 1,
      .nv4 = 1,
      .net = "to 6 drop",
      .client = "act=signal-restart",
      .family = 4,
      .at_ms = 250,
      .syns = "6@0 4@250"})

/* ---- several attempts ---- */

RACE(row_13_first_fallback_is_refused, {.row = 13,
					.what = "first dead, IPv4 refused, second IPv6 works",
					.modes = RACE_FOUR,
					.nv6 = 2,
					.nv4 = 1,
					.net = "to 6.1 drop;to 4 refuse",
					.family = 6,
					.at_ms = 260,
					.early_ms = 10,
					.syns = "6@0 4@250 6<260"})

#define SIX_AT_A_TIME "6@0 4@250 6@500 6@750 6@1000 6@1250"

RACE(row_14_many_dead_addresses,
     {.row = 14,
      .what = "8 IPv6 dead + 1 IPv4",
      .modes = RACE_FOUR,
      .nv6 = 8,
      .nv4 = 1,
      .net = "to 6 drop",
      .family = 4,
      .at_ms = 250,
      .syns = "6@0 4@250"},
     {.row = 14,
      .what = "8 + 1 dead, waits 2 s",
      .modes = RACE_WAITING,
      .nv6 = 8,
      .nv4 = 1,
      .net = "to 6 drop;to 4 drop",
      .client = "timeout=2000",
      .error = "gave-up",
      .at_ms = 2000,
      .syns = SIX_AT_A_TIME},
     {.row = 14,
      .what = "8 + 1 dead, SO_SNDTIMEO 2 s",
      .modes = RACE_BIT(RACE_BLOCK),
      .nv6 = 8,
      .nv4 = 1,
      .net = "to 6 drop;to 4 drop",
      .client = "timeout=2000",
      .error = "EINPROGRESS",
      .at_ms = 2000,
      .syns = SIX_AT_A_TIME})

/* The server of the one that lost sees its end and no byte: race_run() looks at every server. */
#define TWINS(MS)                                                                                  \
	{                                                                                          \
		.row = 15, .what = "IPv6 " #MS " ms, IPv4 C + 50 ms", .modes = RACE_FOUR,          \
		.nv6 = 1, .nv4 = 1, .net = "in to 6 delay " #MS ";in to 4 delay 50", .at_ms = 300, \
		.early_ms = 2, .syns = "6@0 4@250"                                                 \
	}

RACE(row_15_two_win_at_once, TWINS(299), TWINS(300), TWINS(301))

RACE(row_17_closed_during_the_race, {.row = 17,
				     .what = "closed after 400 ms, all dead",
				     .modes = RACE_WAITING,
				     .nv6 = 1,
				     .nv4 = 1,
				     .net = "to 6 drop;to 4 drop",
				     .client = "close=400",
				     .error = "gave-up",
				     .at_ms = 400,
				     .syns = "6@0 4@250"})

static const char *no_reset_before_the_winner(const struct race_seen *seen)
{
	const double rst_ms = seen->capture->first_rst_ms;

	return rst_ms != 0 && rst_ms < seen->zero_ms + 300 - RACE_EARLY_MS ? "RST to a SYN-ACK"
									   : NULL;
}

RACE(row_18_long_round_trip, {.row = 18,
			      .what = "300 ms in both families",
			      .modes = RACE_FOUR,
			      .nv6 = 1,
			      .nv4 = 1,
			      .net = "in to 6 delay 300;in to 4 delay 300",
			      .family = 6,
			      .at_ms = 300,
			      .syns = "6@0 4@250",
			      .check = no_reset_before_the_winner})

/* The whole process stands still from 100 to 500 ms. */
RACE(row_19_io_thread_is_delayed, {.row = 19,
				   .what = "IPv6 dead, stopped across C",
				   .modes = RACE_FOUR,
				   .nv6 = 1,
				   .nv4 = 1,
				   .net = "to 6 drop",
				   .client = "stop=400",
				   .family = 4,
				   .at_ms = 500,
				   .early_ms = 10,
				   .syns = "6@0 4<500"})

/* ---- what the program sees of its socket ---- */

RACE(row_20_one_event_edge_triggered,
     {.row = 20,
      .what = "edge-triggered: one event, IPv6 dead",
      .modes = RACE_BIT(RACE_EPOLL_ET) | RACE_BIT(RACE_EPOLL_BEFORE) | RACE_BIT(RACE_EPOLL_ONESHOT),
      .nv6 = 1,
      .nv4 = 1,
      .net = "to 6 drop",
      .client = "linger",
      .family = 4,
      .at_ms = 250,
      .syns = "6@0 4@250"},
     {.row = 20,
      .what = "edge-triggered: one event, IPv6 works",
      .modes = RACE_BIT(RACE_EPOLL_ET) | RACE_BIT(RACE_EPOLL_BEFORE) | RACE_BIT(RACE_EPOLL_ONESHOT),
      .nv6 = 1,
      .nv4 = 1,
      .net = "in to 6 delay 20",
      .client = "linger",
      .family = 6,
      .at_ms = 20,
      .syns = "6@0"})

static const char *options_are_kept(const struct race_seen *seen)
{
	static char why[64];
	const char *changed = race_text(seen->job, "options");

	if (strcmp(changed, "kept") == 0)
		return NULL;
	snprintf(why, sizeof why, "%.40s changed", changed);
	return why;
}

RACE(row_21_options_are_kept,
     {.row = 21,
      .what = "O_NONBLOCK and options, IPv4 wins",
      .modes = RACE_ALL,
      .nv6 = 1,
      .nv4 = 1,
      .net = "to 6 drop",
      .client = "options timeout=1000",
      .family = 4,
      .at_ms = 250,
      .syns = "6@0 4@250",
      .check = options_are_kept},
     {.row = 21,
      .what = "O_NONBLOCK and options, IPv6 wins",
      .modes = RACE_ALL,
      .nv6 = 1,
      .nv4 = 1,
      .net = "in to 6 delay 20",
      .client = "options timeout=1000",
      .family = 6,
      .at_ms = 20,
      .syns = "6@0",
      .check = options_are_kept})

static const char *greeting_has_come(const struct race_seen *seen)
{
	return strcmp(race_text(seen->job, "byte"), "S") == 0 ? NULL : "first byte lost";
}

#define GREETS(WHAT, NET, ...)                                                                     \
	{                                                                                          \
		.row = 22, .what = WHAT, .modes = RACE_FOUR, .nv6 = 1, .nv4 = 1, .net = NET,       \
		.client = "greet", .check = greeting_has_come, __VA_ARGS__                         \
	}

RACE(row_22_server_speaks_first,
     GREETS("server speaks first, IPv6 dead", "to 6 drop;in to 4 delay 20", .family = 4,
	    .at_ms = 270, .syns = "6@0 4@250"),
     GREETS("server speaks first, both at once", "in to 6 delay 300;in to 4 delay 50", .at_ms = 300,
	    .syns = "6@0 4@250"))

/* ---- fork, dup and SCM_RIGHTS at 100 ms ---- */

/* The other name of the socket leads to the same connection. */
static const char *alias_is_the_same(const struct race_seen *seen)
{
	if (race_value(seen->job, "alias_tcp") != 1)
		return "the alias is no TCP socket";
	return race_value(seen->job, "alias_same") == 1 ? NULL : "the alias is another connection";
}

/* The child has what its parent has, or the first attempt. */
static const char *child_has_a_socket(const struct race_seen *seen)
{
	const double port = race_value(seen->job, "port");

	if (race_value(seen->job, "child_tcp") != 1)
		return "the child has no TCP socket";
	return race_value(seen->job, "child_family") == 6 ||
			       race_value(seen->job, "child_port") == port
		       ? NULL
		       : "the child's socket is not connected";
}

#define MEANWHILE(WHAT, ACT, ...)                                                                  \
	{                                                                                          \
		.row = 26, .what = WHAT, .modes = RACE_FOUR, .nv6 = 1, .nv4 = 1,                   \
		.net = "in to 6 delay 600", .client = "act=" ACT, __VA_ARGS__                      \
	}

RACE(row_26_meanwhile,
     MEANWHILE("dup at 100 ms, IPv6 600 ms", "dup", .family = 4, .at_ms = 250, .syns = "6@0 4@250",
	       .check = alias_is_the_same),
     MEANWHILE("SCM_RIGHTS at 100 ms, IPv6 600 ms", "scm", .at_ms = 600, .early_ms = 350,
	       .check = alias_is_the_same),
     MEANWHILE("fork at 100 ms, IPv6 600 ms", "fork", .at_ms = 600, .early_ms = 350,
	       .check = child_has_a_socket))

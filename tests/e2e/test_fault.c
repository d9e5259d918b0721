// SPDX-License-Identifier: MIT
/*
 * test_fault.c - an upstream that is down, slow, lossy or crowded: a table of its faults, and what
 * lookups may take meanwhile.
 */
#include "tests/e2e/fault_run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define STALE_MS 300 /* NOBLOCKDNS_STALE_AFTER_MS where it is not set */
#define PATIENT	 "nameserver 127.0.0.1\n"

#define NEW                                                                                        \
	FAULT_LISTEN "rr *.test 300 A 192.0.2.2\n"                                                 \
		     "rr *.test 300 AAAA 2001:db8::2\n"

#define RUN(...) fault_run(w, &(const struct fault_case){__VA_ARGS__})

/* ---- killed ---- */

/* Two seconds, and a little. */
static void fresh_again(struct fault *f)
{
	static const char fresh[] = "5.many.test: 2001:db8::2 192.0.2.2\n";
	size_t len;

	fault_serve(f, NEW);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "-n", "40", "-w", "50", "5.many.test"));
	len = strlen(shim_got.out);
	lab_assert(len >= strlen(fresh) && strcmp(shim_got.out + len - strlen(fresh), fresh) == 0,
		   "(after two seconds: %s)", shim_got.out);
}

/* The same where no process lives long enough for an answer that it does not wait for. */
static void fresh_for_the_short_lived(struct fault *f)
{
	unsigned long long end_ns;

	fault_serve(f, NEW);
	end_ns = lab_now_ns() + 2000000000;
	do {
		lab_assert(lab_now_ns() < end_ns, "(after two seconds: %s)", shim_got.out);
		shim_run(NULL, SHIM_ARGV("clients/lookup", "www.test"));
	} while (strcmp(shim_got.out, "www.test: 2001:db8::2 192.0.2.2\n") != 0);
}

/* Of 104,000 lookups: a thread that waits for a lock whose holder has lost its core. */
#define NOISE 100

#define MANY                                                                                       \
	.fill = "-c 1000 many.test", .who = "8 x 13 x 1000",                                       \
	.client = "-p 8 -t 13 -c 1000 many.test", .expected = "each waits once, 320 ms",           \
	.waited = 8 + NOISE, .once = true, .longest_ms = STALE_MS + 20, .end = fresh_again

LabTest(fault, killed, FAULT_WORLD)
{
	RUN(.row = 1, .what = "killed: nobody listens", MANY, .begin = fault_gone);
}

LabTest(fault, frozen, FAULT_WORLD)
{
	RUN(.row = 1, .what = "frozen: nothing comes", MANY, .begin = fault_silent);
}

LabTest(fault, frozen_for_the_short_lived, FAULT_WORLD)
{
	RUN(.row = 1, .what = "frozen, then processes that end at once", .fill = "www.test",
	    .begin = fault_silent, .who = "50", .client = "-t 50 www.test",
	    .expected = "320 ms once, fresh in 2 s", .waited = 2, .once = true,
	    .longest_ms = STALE_MS + 20, .end = fresh_for_the_short_lived);
}

LabTest(fault, killed_for_the_short_lived, FAULT_WORLD)
{
	RUN(.row = 1, .what = "killed, then processes that end at once", .fill = "www.test",
	    .begin = fault_gone, .who = "50", .client = "-t 50 www.test",
	    .expected = "320 ms once, fresh in 2 s", .waited = 2, .once = true,
	    .longest_ms = STALE_MS + 20, .end = fresh_for_the_short_lived);
}

LabTest(fault, servfail, FAULT_WORLD)
{
	RUN(.row = 1, .what = "SERVFAIL to everything", .fill = "www.test",
	    .script = FAULT_OLD "on * * servfail\n", .who = "8 x 50",
	    .client = "-p 8 -t 50 www.test", .expected = "nobody waits long", .waited = 8,
	    .longest_ms = STALE_MS + 20, .name = "www.test", .asked = 6, .least_asked = 1);
}

/* ---- crowded ---- */

static bool is_one_of_each(const struct fault *f, const char *name)
{
	return shim_asked(f->dns, name, LAB_A) == 1 && shim_asked(f->dns, name, LAB_AAAA) == 1;
}

/* On a busy machine the one who asks may have no core until its lease has ended (lease.h), and
 * somebody else asks, too: then another crowd. */
static void once_at_least(struct fault *f)
{
	bool good = is_one_of_each(f, "www.test");

	for (int i = 0; i < 4 && !good; i++) {
		char words[32];

		snprintf(words, sizeof words, "-p 200 crowd%d.test", i);
		fault_look_up(NULL, words);
		good = is_one_of_each(f, strrchr(words, ' ') + 1);
	}
	lab_assert(good);
}

LabTest(fault, cold_name_for_a_crowd, .resolv_conf = PATIENT)
{
	RUN(.row = 2, .what = "a cold name, 100 ms away", .script = FAULT_OLD "on * * delay 100\n",
	    .who = "200 x 1", .client = "-p 200 www.test", .expected = "one query of each type",
	    .waited = FAULT_ANY, .longest_ms = 5000, .name = "www.test", .asked = 200,
	    .least_asked = 1, .end = once_at_least);
}

/* ---- lossy ---- */

/*
 * Names that live for four seconds, 200 ms away: their prefetch comes 400 ms before the end. Every
 * 16 ms each is looked up once, for a little more than three lives. What is lost is sent again a
 * second later, when the name has expired: then what is stale is given.
 */
#define SLOW                                                                                       \
	FAULT_LISTEN "rr *.test 4 A 192.0.2.1\n"                                                   \
		     "rr *.test 4 AAAA 2001:db8::1\n"                                              \
		     "on * * delay 200\n"

#define LOSSES                                                                                     \
	SLOW "on 1.steady.test A after 1 first 1 drop\n"                                           \
	     "on 1.steady.test A after 3 first 1 drop\n"                                           \
	     "on 2.steady.test AAAA after 1 first 1 drop\n"                                        \
	     "on 2.steady.test AAAA after 3 first 1 drop\n"                                        \
	     "on 3.steady.test A after 1 first 2 drop\n"                                           \
	     "on 4.steady.test * after 2 first 2 drop\n"                                           \
	     "on 4.steady.test * after 6 first 2 drop\n"                                           \
	     "on 5.steady.test * after 2 first 6 drop\n"                                           \
	     "on 6.steady.test AAAA after 1 first 2 drop\n"                                        \
	     "on 7.steady.test AAAA first 1 drop\n"

#define STEADY "nobody waits, 2 queries a TTL"

static void two_queries_a_ttl(struct fault *f)
{
	for (int i = 0; i < 8; i++) {
		char name[32];

		snprintf(name, sizeof name, "%d.steady.test", i);
		lab_assert(shim_asked(f->dns, name, LAB_A) <= 8, "(A of %s)", name);
		lab_assert(shim_asked(f->dns, name, LAB_AAAA) <= 8, "(AAAA of %s)", name);
	}
}

LabTest(fault, steady_use_of_lossy_names, .resolv_conf = PATIENT)
{
	RUN(.row = 3, .what = "200 ms away, one packet in ten lost", .script = LOSSES,
	    .who = "8 x 800 in 13 s", .client = "-1 -t 800 -w 2000 -c 8 steady.test",
	    .expected = STEADY, .longest_ms = 1, .end = two_queries_a_ttl);
}

/* Nothing else is heard of the server meanwhile. */
LabTest(fault, steady_use_of_one_lossy_name, .resolv_conf = PATIENT)
{
	RUN(.row = 3, .what = "200 ms away, a whole refresh lost",
	    .script = SLOW "on * * after 2 first 2 drop\n", .who = "1000 in 10 s",
	    .client = "-1 -t 1000 -w 10000 www.test", .expected = STEADY, .longest_ms = 1,
	    .name = "www.test", .asked = 6, .least_asked = 3);
}

/* Each of them asks when the lease has ended, and nobody waits for another's. */
LabTest(fault, steady_use_of_one_lossy_name_by_many, .resolv_conf = PATIENT)
{
	RUN(.row = 3, .what = "200 ms away, AAAA of a refresh lost",
	    .script = SLOW "on * AAAA after 1 first 1 drop\n", .who = "4 x 500 in 6 s",
	    .client = "-1 -p 4 -t 500 -w 12000 www.test", .expected = STEADY, .longest_ms = 1,
	    .name = "www.test", .asked = 4, .least_asked = 2);
}

/* ---- holders that die ---- */

LabTest(fault, dying_holders, .resolv_conf = PATIENT)
{
	RUN(.row = 4, .what = "holders killed every 500 ms",
	    .script = FAULT_OLD "on * A first 3 drop\non * AAAA first 3 drop\n", .who = "5 x 1",
	    .client = "-d -p 5 www.test", .expected = "the last has it, deadline 10 s",
	    .waited = FAULT_ANY, .longest_ms = 10000, .name = "www.test", .asked = 8,
	    .least_asked = 4);
}

static void kill_holder(struct fault *f)
{
	const struct lab_proc_opts opts = {.argv = SHIM_ARGV("clients/lookup", "www.test"),
					   .preload = true};
	pid_t pid = lab_proc_spawn(f->w, &opts);

	lab_dns_wait_count(f->dns, "www.test", LAB_A, 1, 10000);
	lab_dns_wait_count(f->dns, "www.test", LAB_AAAA, 1, 10000);
	lab_assert(kill(pid, SIGKILL) == 0);
	lab_proc_wait(pid, 10000);
}

LabTest(fault, killed_holder, .resolv_conf = PATIENT)
{
	RUN(.row = 4, .what = "holder killed by SIGKILL",
	    .script = FAULT_OLD "on * A first 1 drop\non * AAAA first 1 drop\n",
	    .begin = kill_holder, .who = "8 x 1", .client = "-p 8 www.test",
	    .expected = "answers within 1000 ms", .waited = 8, .longest_ms = 1000,
	    .name = "www.test", .asked = 2, .least_asked = 2);
}

/* ---- flapping ---- */

LabTest(fault, flapping, FAULT_WORLD)
{
	RUN(.row = 5, .what = "away every other second", .fill = "www.test",
	    .meanwhile = fault_flaps, .who = "4 x 350 in 7 s",
	    .client = "-p 4 -t 350 -w 20000 www.test", .expected = "no error, 320 ms",
	    .waited = FAULT_ANY, .longest_ms = STALE_MS + 20, .name = "www.test", .asked = 30,
	    .least_asked = 3);
}

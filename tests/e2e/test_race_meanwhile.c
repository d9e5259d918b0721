// SPDX-License-Identifier: MIT
/*
 * test_race_meanwhile.c - what a program may do with a socket while its connect() is in progress:
 * the answers are the kernel's, word for word, while the first attempt is alone (10 ms) and when
 * there are two (350 ms).
 *
 * The questions are in clients/race_ask.c; in clients/race_call.c, what happens to a blocking
 * connect() that others disturb.
 */
#include "tests/e2e/shim_run.h"
#include "tests/lab/forwarder.h"

#define QUESTIONS 14
#define CALLS	  20 /* that last for 350 ms */

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr dead.test 300 AAAA " LAB_FAR_V6(1) "\n"                                                \
					       "rr dead.test 300 A " LAB_FAR_V4(1) "\n"

/* Runs the client with the shim and without, over two black holes; both must say the same. */
static void compare(struct lab_world *w, const char *const *argv, unsigned races)
{
	static const struct lab_rule rules[] = {
		{.match = {.family = AF_INET, .syn = true}, .action = LAB_BLACKHOLE},
		{.match = {.family = AF_INET6, .syn = true}, .action = LAB_BLACKHOLE},
	};
	const struct lab_proc_opts opts = {.argv = argv};
	struct lab_forwarder *f;
	static struct lab_proc_result libc;
	struct lab_proc_opts with = opts;

	lab_dns_start_text(w, ZONE);
	f = lab_forwarder_start(w, &(struct lab_forwarder_opts){.rules = rules, .nrules = 2});
	lab_proc_run(w, &opts, &libc);
	lab_assert(libc.status == 0, "(%s)", libc.out);
	lab_assert_int(lab_forwarder_packets(f, 0), 0);
	with.preload = true;
	lab_proc_run(w, &with, &shim_got);
	shim_must_equal(argv[0], &libc, &shim_got);
	lab_assert(lab_forwarder_packets(f, 0) >= races, "(%llu have raced)",
		   (unsigned long long)lab_forwarder_packets(f, 0));
}

LabTest(race, meanwhile_all_answers_are_the_kernels, .far = true)
{
	compare(w, SHIM_ARGV("clients/race_ask", "dead.test", "8000", "10", "350"), QUESTIONS);
}

LabTest(race, blocking_call_ends_as_the_kernels, .far = true)
{
	shim_not_under("address", "its runtime trips over a siglongjmp() from an alternate stack");
	compare(w, SHIM_ARGV("clients/race_call", "dead.test", "8001", "60", "350"), CALLS);
}

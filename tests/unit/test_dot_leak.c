// SPDX-License-Identifier: MIT
/*
 * test_dot_leak.c - what is left behind by ten thousand connections that end badly: nothing.
 *
 * The rounds are made by threads of their own, since malloc counts what a thread keeps for its next
 * allocations as allocated; when it ends it gives that back, and OpenSSL what it keeps for it.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dot_rig.h"

#define ROUNDS	   10000
#define FEW_ROUNDS 500

static struct rig rig;

/* What is allowed; a reset may overtake the answer. */
static struct {
	unsigned rounds;
	int error, otherwise;
} plan;

static void *run(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < plan.rounds; i++) {
		const struct rig_call *call;

		rig.ncalls = rig.nended = 0;
		call = rig_lookup(&rig, "www.test");
		cr_assert(call->error == plan.error || call->error == plan.otherwise,
			  "round %u: %d\n%s", i, call->error, rig.host.log);
		rig_wait_nopen(&rig, 0);
	}
	return NULL;
}

static size_t allocated_after(unsigned rounds)
{
	pthread_t thread;

	plan.rounds = rounds;
	cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
	pthread_join(thread, NULL);
	return mallinfo2().uordblks;
}

static void must_leave_nothing(const char *tls, const char *rules, unsigned rounds)
{
	size_t before, after;

	mallopt(M_ARENA_MAX, 1); /* which is the one that mallinfo2() tells of */
	rig_serve(&rig, tls, rules);
	rig_open(&rig);
	before = allocated_after(20);
	after = allocated_after(rounds);
	if (!RIG_SANITIZED) /* they have an allocator, and a leak detector, of their own
			     */
		cr_expect_lt(after, before + rounds, "%zu bytes more after %u rounds",
			     after - before, rounds);
	cr_expect_eq(rig.host.nsockets, rig.host.nclosed);
	rig_close(&rig);
}

Test(dot_leak, answers_and_resets, .timeout = 240)
{
	plan.otherwise = -ECONNRESET;
	must_leave_nothing("cert good", "on * * reset-after", ROUNDS);
}

Test(dot_leak, resets_without_an_answer, .timeout = 60)
{
	plan.error = plan.otherwise = -ECONNRESET;
	must_leave_nothing("cert good", "on * * reset", FEW_ROUNDS);
}

Test(dot_leak, handshakes_that_fail, .timeout = 60)
{
	plan.error = plan.otherwise = -EACCES;
	must_leave_nothing("cert unknown-ca", "", FEW_ROUNDS);
}

Test(dot_leak, clear_text, .timeout = 60)
{
	plan.error = plan.otherwise = -EPROTO;
	must_leave_nothing("plain", "", FEW_ROUNDS);
}

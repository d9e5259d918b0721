// SPDX-License-Identifier: MIT
/*
 * test_dot_threads.c - the transport over TLS on more threads than one, one after the other:
 * io_run() lends it the threads of the program, which end when they like, also long after a view
 * was closed.
 */
#include <criterion/criterion.h>
#include <malloc.h>
#include <pthread.h>

#include "dot_rig.h"

static struct rig rig;
static pthread_barrier_t barrier;

static void *look_up_and_stay(void *unused)
{
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	pthread_barrier_wait(&barrier); /* closed by the other thread */
	pthread_barrier_wait(&barrier);
	return unused;
}

/* What OpenSSL keeps for a thread is of no use to it any more, and must not be looked for. */
static void look_up_on_a_thread_that_outlives_it(const char *tls)
{
	pthread_t thread;

	rig_serve(&rig, tls, "");
	rig_open(&rig);
	pthread_barrier_init(&barrier, NULL, 2);
	cr_assert_eq(pthread_create(&thread, NULL, look_up_and_stay, NULL), 0);
	pthread_barrier_wait(&barrier);
	mallopt(M_PERTURB, 0xa5); /* what is freed is no pointer */
	rig_close(&rig);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	mallopt(M_PERTURB, 0);
	pthread_barrier_destroy(&barrier);
}

Test(dot_threads, thread_may_end_after_the_transport)
{
	look_up_on_a_thread_that_outlives_it("cert good");
}

Test(dot_threads, thread_may_end_after_the_transport_tls_1_2)
{
	look_up_on_a_thread_that_outlives_it("version 1.2");
}

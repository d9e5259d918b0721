// SPDX-License-Identifier: MIT
/*
 * interrupt_client.c - programs whose threads are interrupted by signals, or cancelled, in a
 * lookup: interrupt_client MODE.
 */
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "life_util.h"

#define THREADS 64

static _Atomic bool stop;

static _Atomic int handled;

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&handled, 1);
}

static pthread_t main_thread;

static void *send_signals(void *arg)
{
	while (!atomic_load(&stop)) {
		pthread_kill(main_thread, SIGUSR1);
		usleep(2000);
	}
	return arg;
}

static pthread_t start_signals(void (*handler)(int))
{
	const struct sigaction action = {.sa_handler = handler}; /* no SA_RESTART */
	pthread_t thread;

	must(sigaction(SIGUSR1, &action, NULL) == 0);
	main_thread = pthread_self();
	must(pthread_create(&thread, NULL, send_signals, NULL) == 0);
	return thread;
}

static void stop_signals(pthread_t thread)
{
	atomic_store(&stop, true);
	must(pthread_join(thread, NULL) == 0);
}

static void signals_in_a_lookup(void)
{
	pthread_t thread = start_signals(on_signal);

	must_find("a.slow.test");
	must(atomic_load(&handled) > 10);
	stop_signals(thread);
}

/* Deadline: 500 ms. Each signal must not begin the wait anew. */
static void signals_do_not_postpone_the_deadline(void)
{
	pthread_t thread = start_signals(on_signal);
	double start = now_ms();

	must(look_up("a.lost.test") == EAI_AGAIN);
	must(now_ms() - start < 3000);
	stop_signals(thread);
}

static volatile int handler_result = -1;

static void look_up_in_handler(int sig)
{
	(void)sig;
	handler_result = look_up("handler.life.test");
}

static void *signal_once(void *arg)
{
	usleep(50000);
	pthread_kill(main_thread, SIGUSR1);
	return arg;
}

/* The thread sleeps in a lookup, and holds no lock of libc's when the handler runs. */
static void lookup_in_a_handler(void)
{
	const struct sigaction action = {.sa_handler = look_up_in_handler};
	pthread_t thread;

	must(sigaction(SIGUSR1, &action, NULL) == 0);
	main_thread = pthread_self();
	must(pthread_create(&thread, NULL, signal_once, NULL) == 0);
	must_find("a.slow.test");
	must(handler_result == 0);
	must(pthread_join(thread, NULL) == 0);
}

/* Each its own: a failure is remembered. */
static const char *lost_name(char ret[32])
{
	static _Atomic unsigned n;

	snprintf(ret, 32, "a%u.lost.test", atomic_fetch_add(&n, 1));
	return ret;
}

static void *wait_for_nothing(void *arg)
{
	char name[32];

	look_up(lost_name(name));
	return arg;
}

static void *wait_for_no_host(void *arg)
{
	char name[32];

	gethostbyname(lost_name(name));
	return arg;
}

static void cancel_and_join(pthread_t thread)
{
	void *result;

	must(pthread_cancel(thread) == 0);
	must(pthread_join(thread, &result) == 0);
	must(result == PTHREAD_CANCELED);
}

/* The deadline is 10 s. */
static void cancelled_lookup(void)
{
	double start = now_ms();
	pthread_t thread;

	must(pthread_create(&thread, NULL, wait_for_nothing, NULL) == 0);
	usleep(100000);
	cancel_and_join(thread);
	must(now_ms() - start < 3000);
	must_find_number("after", 0);
}

static void *wait_cancelled(void *arg)
{
	pthread_cancel(pthread_self());
	look_up("a.lost.test");
	return arg;
}

static void lookup_of_a_cancelled_thread(void)
{
	double start = now_ms();
	pthread_t thread;
	void *result;

	must(pthread_create(&thread, NULL, wait_cancelled, NULL) == 0);
	must(pthread_join(thread, &result) == 0);
	must(result == PTHREAD_CANCELED);
	must(now_ms() - start < 3000);
}

/* ---- what the callers in its thread have to tidy up (built with -fexceptions) ---- */

static _Atomic unsigned tidied;

static void tidy(const int *unused)
{
	(void)unused;
	atomic_fetch_add(&tidied, 1);
}

static void *wait_with_something_to_tidy(void *arg)
{
	void *(*const *wait)(void *) = arg;
	__attribute__((cleanup(tidy))) int something = 0;

	return (*wait)(&something);
}

static void *wait_for_no_host_in_buffer(void *arg)
{
	struct hostent host, *result;
	char name[32], buf[1024];
	int h_err;

	gethostbyname_r(lost_name(name), &host, buf, sizeof buf, &result, &h_err);
	return arg;
}

static void *suspend_for_list(void *arg)
{
	static char name[32];
	static struct gaicb item = {.ar_name = name}, *list[] = {&item};

	lost_name(name);
	getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	gai_suspend((const struct gaicb *const *)list, 1, NULL);
	return arg;
}

static void callers_are_unwound(void)
{
	static void *(*const waits[])(void *) = {wait_for_nothing, wait_for_no_host,
						 wait_for_no_host_in_buffer, suspend_for_list};
	unsigned n = sizeof waits / sizeof *waits;

	for (unsigned i = 0; i < n; i++) {
		pthread_t thread;

		must(pthread_create(&thread, NULL, wait_with_something_to_tidy,
				    (void *)&waits[i]) == 0);
		usleep(100000);
		cancel_and_join(thread);
		must(atomic_load(&tidied) == i + 1);
	}
}

static void *wait_uncancelled(void *arg)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	must_find("a.slow.test");
	atomic_store(&stop, true);
	pthread_setcancelstate(old, NULL);
	pthread_testcancel();
	return arg;
}

static void cancellation_disabled(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, wait_uncancelled, NULL) == 0);
	usleep(50000);
	cancel_and_join(thread);
	must(atomic_load(&stop)); /* it had its answer first */
}

static _Atomic unsigned batch;

static void cancel_many(int n, void *(*look_up_in_thread)(void *))
{
	pthread_t threads[THREADS];

	atomic_fetch_add(&batch, 1);
	for (int round = 0; round < n; round++) {
		start_threads(threads, THREADS, look_up_in_thread);
		usleep(5000);
		for (int i = 0; i < THREADS; i++)
			cancel_and_join(threads[i]);
	}
	usleep(2700000); /* the deadline is 500 ms, and queries go on for 2 s: they are over */
	must_find_number("after", 0);
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1100; fd++)
		n += syscall(SYS_fcntl, fd, F_GETFD) >= 0;
	return n;
}

static void cancel_and_weigh(void *(*look_up_in_thread)(void *))
{
	unsigned descriptors;
	size_t bytes;

	cancel_many(5, look_up_in_thread);
	descriptors = open_descriptors();
	bytes = mallinfo2().uordblks;
	cancel_many(5, look_up_in_thread);
	must(open_descriptors() <= descriptors);
	/* A fetch is more than 1 KB, and these were 320; what malloc keeps for threads counts, too.
	 */
	must(mallinfo2().uordblks < bytes + 100000);
}

static void cancelled_lookups_leak_nothing(void)
{
	cancel_and_weigh(wait_for_nothing);
}

/* Its buffer of 2 KB is the function's own. */
static void cancelled_gethostbyname_leaks_nothing(void)
{
	cancel_and_weigh(wait_for_no_host);
}

/* All of a batch ask for the same name: the first does, the others wait for it. */
static void *wait_for_others(void *arg)
{
	char name[32];

	snprintf(name, sizeof name, "b%u.lost.test", atomic_load(&batch));
	look_up(name);
	return arg;
}

static void cancelled_waits_leak_nothing(void)
{
	cancel_and_weigh(wait_for_others);
}

/* ---- to leave it ---- */

static sigjmp_buf outside;

static void leave(int sig)
{
	(void)sig;
	siglongjmp(outside, 1);
}

/* What a lookup has left behind for the end of its thread is called by pthread_exit(). */
static void *leave_a_lookup(void *arg)
{
	if (sigsetjmp(outside, 1) == 0) {
		look_up("a.lost.test");
		return arg;
	}
	must_find_number("after", 0);
	atomic_store(&stop, true);
	pthread_exit(NULL);
}

static void left_by_longjmp(void)
{
	const struct sigaction action = {.sa_handler = leave};
	pthread_t thread;

	must(sigaction(SIGUSR1, &action, NULL) == 0);
	must(pthread_create(&thread, NULL, leave_a_lookup, NULL) == 0);
	usleep(100000);
	must(pthread_kill(thread, SIGUSR1) == 0);
	must(pthread_join(thread, NULL) == 0);
	must(atomic_load(&stop));
	must_find_number("after", 1);
}

static const struct mode modes[] = {
	{"signals_in_a_lookup", signals_in_a_lookup},
	{"signals_do_not_postpone_the_deadline", signals_do_not_postpone_the_deadline},
	{"lookup_in_a_handler", lookup_in_a_handler},
	{"cancelled_lookup", cancelled_lookup},
	{"lookup_of_a_cancelled_thread", lookup_of_a_cancelled_thread},
	{"callers_are_unwound", callers_are_unwound},
	{"cancellation_disabled", cancellation_disabled},
	{"cancelled_lookups_leak_nothing", cancelled_lookups_leak_nothing},
	{"cancelled_gethostbyname_leaks_nothing", cancelled_gethostbyname_leaks_nothing},
	{"cancelled_waits_leak_nothing", cancelled_waits_leak_nothing},
	{"left_by_longjmp", left_by_longjmp},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}

// SPDX-License-Identifier: MIT
/*
 * gai_wait MODE - gai_suspend(), gai_cancel() and fork. Answers below slow.test are late, those
 * below dead.test never come. The modes in `equal` (test_gai_a.c) pass with libc alone as well.
 */
#include "gai_util.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct batch b;

static void start(void)
{
	must(getaddrinfo_a(GAI_NOWAIT, b.list, b.n, NULL) == 0);
}

static int suspend_for(long ms)
{
	const struct timespec timeout = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	return gai_suspend(constant(b.list), b.n, &timeout);
}

static void suspend_times_out(void)
{
	batch_add(&b, "n.dead.test");
	start();
	must(suspend_for(20) == EAI_AGAIN);
	must(suspend_for(0) == EAI_AGAIN);
	must(gai_error(b.list[0]) == EAI_INPROGRESS);
}

static void unanswered_name_fails(void)
{
	batch_add(&b, "n.dead.test.");
	must(getaddrinfo_a(GAI_WAIT, b.list, 1, NULL) == 0);
	must(gai_error(b.list[0]) == EAI_AGAIN);
	must(b.requests[0].ar_result == NULL);
}

static void suspend_returns_in_time(void)
{
	batch_add(&b, "n.slow.test");
	start();
	must(suspend_for(20000) == 0);
	must(gai_error(b.list[0]) == 0);
	must(suspend_for(20000) == EAI_ALLDONE);
}

static void suspend_ends_with_the_first(void)
{
	batch_add(&b, "n.dead.test");
	batch_add(&b, "n.slow.test");
	start();
	must(gai_suspend(constant(b.list), 2, NULL) == 0);
	must(gai_error(b.list[0]) == EAI_INPROGRESS);
	must(gai_error(b.list[1]) == 0);
}

static void suspend_ignores_others(void)
{
	struct gaicb never = {.ar_name = "www.test"};
	struct gaicb *list[] = {&never, NULL};

	batch_add(&b, "n.dead.test");
	start();
	must(gai_suspend(constant(list), 2, NULL) == EAI_ALLDONE);
}

static void on_alarm(int signo)
{
	(void)signo;
}

static void suspend_is_interrupted(void)
{
	struct sigaction action = {.sa_handler = on_alarm};

	sigaction(SIGALRM, &action, NULL);
	batch_add(&b, "n.dead.test");
	start();
	ualarm(50000, 0);
	must(gai_suspend(constant(b.list), 1, NULL) == EAI_INTR);
	ualarm(50000, 0);
	must(suspend_for(20000) == EAI_INTR);
}

/* A handler that restarts system calls restarts a sleep without a limit. */
static void suspend_is_restarted(void)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

	sigaction(SIGALRM, &action, NULL);
	batch_add(&b, "n.slow.test");
	start();
	ualarm(20000, 0);
	must(gai_suspend(constant(b.list), 1, NULL) == 0);
}

static void wait_is_not_interrupted(void)
{
	struct sigaction action = {.sa_handler = on_notify_signal};

	sigaction(SIGALRM, &action, NULL);
	batch_add(&b, "n.slow.test");
	ualarm(20000, 0);
	must(getaddrinfo_a(GAI_WAIT, b.list, 1, NULL) == 0);
	must(atomic_load(&notified) == 1);
	must(gai_error(b.list[0]) == 0);
}

static void *suspend_forever(void *arg)
{
	(void)arg;
	gai_suspend(constant(b.list), b.n, NULL);
	return NULL;
}

static void suspend_can_be_cancelled(void)
{
	pthread_t thread;
	void *result;

	batch_add(&b, "n.dead.test");
	start();
	must(pthread_create(&thread, NULL, suspend_forever, NULL) == 0);
	sleep_ms(20);
	must(pthread_cancel(thread) == 0);
	must(pthread_join(thread, &result) == 0);
	must(result == PTHREAD_CANCELED);
	must(gai_error(b.list[0]) == EAI_INPROGRESS);
}

/* Each of the search list's answers is in time, both together are not. */
static void deadline_spans_the_search_list(void)
{
	struct addrinfo *list = NULL;

	must(getaddrinfo("short1", NULL, NULL, &list) == EAI_AGAIN);
	batch_add(&b, "short2");
	must(getaddrinfo_a(GAI_WAIT, b.list, 1, NULL) == 0);
	must(gai_error(b.list[0]) == EAI_AGAIN);
	must(b.requests[0].ar_result == NULL);
}

/* ---- gai_cancel ---- */

/* Until it is not being worked on, which takes microseconds. */
static void cancel(struct gaicb *gaicb)
{
	int eai;

	do
		eai = gai_cancel(gaicb);
	while (eai == EAI_NOTCANCELED);
	must(eai == EAI_CANCELED);
}

/* Wherever it is: asked for already, or in the queue behind what is. */
static void cancel_ends_a_request(void)
{
	for (int i = 0; i < 200; i++)
		batch_add(&b, "n%d.dead.test", i);
	start();
	sleep_ms(20);
	for (int i = 0; i < 200; i += 199) {
		cancel(b.list[i]);
		must(gai_error(b.list[i]) == EAI_CANCELED);
		must(gai_cancel(b.list[i]) == EAI_ALLDONE);
	}
	must(batch_count(&b, EAI_INPROGRESS) == 198);
}

static void cancel_of_others_finds_nothing(void)
{
	struct gaicb never = {.ar_name = "www.test"};

	must(gai_cancel(&never) == EAI_ALLDONE);
	must(gai_cancel(NULL) == EAI_ALLDONE);
	batch_add(&b, "www.test");
	must(getaddrinfo_a(GAI_WAIT, b.list, 1, NULL) == 0);
	must(gai_cancel(b.list[0]) == EAI_ALLDONE);
	must(gai_error(b.list[0]) == 0);
}

/* What is cancelled makes room at once for what waits behind it. */
static void cancel_makes_room(void)
{
	static struct batch behind;

	for (int i = 0; i < 200; i++)
		batch_add(&b, "n%d.dead.test", i);
	start();
	batch_add(&behind, "www.test");
	must(getaddrinfo_a(GAI_NOWAIT, behind.list, 1, NULL) == 0);
	for (int i = 0; i < 200; i++)
		cancel(b.list[i]);
	suspend_until_done(&behind);
	must(gai_error(behind.list[0]) == 0);
}

/* The program may unmap everything then, and the answer that comes later harms nobody. */
static void cancelled_is_not_touched(void)
{
	struct batch *mapped = mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(mapped != MAP_FAILED);
	for (int i = 0; i < 100; i++)
		batch_add(mapped, "n%d.slow.test", i);
	must(getaddrinfo_a(GAI_NOWAIT, mapped->list, mapped->n, NULL) == 0);
	sleep_ms(20);
	for (int i = 0; i < 100; i++)
		cancel(mapped->list[i]);
	must(munmap(mapped, sizeof *mapped) == 0);
	batch_add(&b, "late.slow.test");
	start();
	suspend_until_done(&b);
	sleep_ms(200);
}

static void *cancel_soon(void *arg)
{
	(void)arg;
	sleep_ms(50);
	for (int i = 0; i < b.n; i++)
		cancel(b.list[i]);
	return NULL;
}

static void cancel_ends_a_wait(void)
{
	pthread_t thread;

	batch_add(&b, "n1.dead.test");
	batch_add(&b, "n2.dead.test");
	must(pthread_create(&thread, NULL, cancel_soon, NULL) == 0);
	must(getaddrinfo_a(GAI_WAIT, b.list, b.n, NULL) == 0);
	must(batch_count(&b, EAI_CANCELED) == 2);
	must(pthread_join(thread, NULL) == 0);
}

static void cancel_notifies_and_wakes(void)
{
	struct sigevent event = by_thread();
	pthread_t thread;

	batch_add(&b, "n1.dead.test");
	batch_add(&b, "n2.dead.test");
	must(getaddrinfo_a(GAI_NOWAIT, b.list, b.n, &event) == 0);
	must(pthread_create(&thread, NULL, cancel_soon, NULL) == 0);
	must(gai_suspend(constant(b.list), b.n, NULL) == 0);
	must(pthread_join(thread, NULL) == 0);
	wait_notified(1);
}

static void *cancel_some(void *arg)
{
	int first = (int)(intptr_t)arg;

	for (int i = first; i < b.n; i += 7) {
		int eai = gai_cancel(b.list[i]);

		must(eai == EAI_CANCELED || eai == EAI_NOTCANCELED || eai == EAI_ALLDONE);
		if (i % 50 == first)
			sleep_ms(1);
	}
	return NULL;
}

/* Answers and cancellations at the same time: each request ends once, and has a result or not. */
static void cancel_races_with_answers(void)
{
	struct sigevent event = by_thread();
	pthread_t threads[4];

	for (int i = 0; i < BATCH_MAX; i++)
		batch_add(&b, "n%d.cold.test", i);
	must(getaddrinfo_a(GAI_NOWAIT, b.list, b.n, &event) == 0);
	for (intptr_t t = 0; t < 4; t++)
		must(pthread_create(&threads[t], NULL, cancel_some, (void *)t) == 0);
	for (int t = 0; t < 4; t++)
		must(pthread_join(threads[t], NULL) == 0);
	wait_notified(1);
	must(batch_count(&b, 0) + batch_count(&b, EAI_CANCELED) == b.n);
	for (int i = 0; i < b.n; i++)
		must((b.requests[i].ar_result != NULL) == (gai_error(b.list[i]) == 0));
}

/* ---- the io thread ---- */

/* c-ares reads a socket until it is empty: one that blocks would stop every lookup. */
static void private_sockets_do_not_block(void)
{
	int nsockets = 0;

	batch_add(&b, "n.slow.test");
	start();
	sleep_ms(50);
	for (int fd = 3; fd < 1024; fd++) {
		int type, flags = (int)syscall(SYS_fcntl, fd, F_GETFL, 0);
		socklen_t size = sizeof type;

		if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
			continue;
		must(flags & O_NONBLOCK);
		nsockets++;
	}
	must(nsockets >= 3); /* A and AAAA, and what wakes the thread */
}

/* ---- fork ---- */

static int child_of_a_pending_list(void)
{
	static struct batch own;

	must(gai_error(b.list[0]) == EAI_INPROGRESS);
	must(gai_suspend(constant(b.list), b.n, NULL) == EAI_ALLDONE);
	must(gai_cancel(b.list[0]) == EAI_ALLDONE);
	batch_add(&own, "child.slow.test");
	must(getaddrinfo_a(GAI_WAIT, own.list, 1, NULL) == 0);
	must(gai_error(own.list[0]) == 0);
	return 0;
}

static void child_starts_clean(void)
{
	struct sigevent event = by_thread();
	int status;
	pid_t pid;

	batch_add(&b, "n1.slow.test");
	batch_add(&b, "n2.slow.test");
	must(getaddrinfo_a(GAI_NOWAIT, b.list, b.n, &event) == 0);
	pid = fork();
	if (pid == 0)
		_exit(child_of_a_pending_list());
	must(waitpid(pid, &status, 0) == pid && status == 0);
	wait_notified(1);
	must(batch_count(&b, 0) == 2);
}

static const struct mode modes[] = {
	{"suspend_times_out", suspend_times_out},
	{"unanswered_name_fails", unanswered_name_fails},
	{"deadline_spans_the_search_list", deadline_spans_the_search_list},
	{"suspend_returns_in_time", suspend_returns_in_time},
	{"suspend_ends_with_the_first", suspend_ends_with_the_first},
	{"suspend_ignores_others", suspend_ignores_others},
	{"suspend_is_interrupted", suspend_is_interrupted},
	{"suspend_is_restarted", suspend_is_restarted},
	{"wait_is_not_interrupted", wait_is_not_interrupted},
	{"suspend_can_be_cancelled", suspend_can_be_cancelled},
	{"cancel_ends_a_request", cancel_ends_a_request},
	{"cancel_of_others_finds_nothing", cancel_of_others_finds_nothing},
	{"cancel_makes_room", cancel_makes_room},
	{"cancelled_is_not_touched", cancelled_is_not_touched},
	{"cancel_ends_a_wait", cancel_ends_a_wait},
	{"cancel_notifies_and_wakes", cancel_notifies_and_wakes},
	{"cancel_races_with_answers", cancel_races_with_answers},
	{"private_sockets_do_not_block", private_sockets_do_not_block},
	{"child_starts_clean", child_starts_clean},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}

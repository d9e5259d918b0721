// SPDX-License-Identifier: MIT
/*
 * gai_notify MODE - what getaddrinfo_a() promises about arguments and notifications. Every mode
 * passes with libc alone as well.
 */
#include "gai_util.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

static struct batch b;

static void bad_mode(void)
{
	batch_add(&b, "www.test");
	errno = 0;
	must(getaddrinfo_a(7, b.list, 1, NULL) == EAI_SYSTEM);
	must(errno == EINVAL);
	must(b.requests[0].ar_result == NULL);
}

static void keeps_errno(void)
{
	batch_add(&b, "www.test");
	batch_add(&b, "nope.test.");
	errno = 4711;
	must(getaddrinfo_a(GAI_WAIT, b.list, 2, NULL) == 0);
	must(errno == 4711);
	must(gai_error(b.list[0]) == 0);
	must(gai_error(b.list[1]) == EAI_NONAME);
	must(errno == 4711);
}

static void failure_leaves_result_alone(void)
{
	struct addrinfo mine;

	batch_add(&b, "nope.test.");
	b.requests[0].ar_result = &mine;
	must(getaddrinfo_a(GAI_WAIT, b.list, 1, NULL) == 0);
	must(b.requests[0].ar_result == &mine);
}

static void empty_list(void)
{
	struct gaicb *none[2] = {NULL, NULL};
	struct sigevent event = by_signal();

	must(getaddrinfo_a(GAI_WAIT, none, 2, NULL) == 0);
	must(getaddrinfo_a(GAI_WAIT, none, 0, &event) == 0);
	must(gai_suspend(constant(none), 2, NULL) == EAI_ALLDONE);
	must(atomic_load(&notified) == 0);
	must(getaddrinfo_a(GAI_NOWAIT, none, 2, &event) == 0);
	wait_notified(1);
	event = by_thread();
	must(getaddrinfo_a(GAI_NOWAIT, none, 2, &event) == 0);
	wait_notified(2);
}

/* Cold, and then the same list again, warm. */
static void signal_tells_who_and_what(void)
{
	sigset_t set;
	siginfo_t info;
	int payload;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
				 .sigev_signo = SIGRTMIN + 1,
				 .sigev_value.sival_ptr = &payload};

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 2; i++) {
		const struct timespec soon = {.tv_nsec = 20000000};

		batch_clear(&b);
		batch_add(&b, "www.test");
		batch_add(&b, "nope.test.");
		must(getaddrinfo_a(GAI_NOWAIT, b.list, 2, &event) == 0);
		must(sigwaitinfo(&set, &info) == SIGRTMIN + 1);
		must(info.si_code == SI_ASYNCNL);
		must(info.si_pid == getpid());
		must(info.si_uid == getuid());
		must(info.si_value.sival_ptr == &payload);
		must(gai_error(b.list[0]) == 0 && gai_error(b.list[1]) == EAI_NONAME);
		must(sigtimedwait(&set, NULL, &soon) == -1 && errno == EAGAIN);
	}
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
	int payload;
	sigset_t mask;
	char name[16];
	int detach_state;
	size_t stack_size;
	pthread_t thread;
} seen; /* guarded by lock */

static void on_thread(union sigval value)
{
	pthread_attr_t attr;

	pthread_mutex_lock(&lock);
	seen.payload = value.sival_int;
	seen.thread = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &seen.mask);
	prctl(PR_GET_NAME, seen.name);
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getdetachstate(&attr, &seen.detach_state);
	pthread_attr_getstacksize(&attr, &seen.stack_size);
	pthread_attr_destroy(&attr);
	pthread_mutex_unlock(&lock);
	atomic_fetch_add(&notified, 1);
}

static void look_up_and_see(pthread_attr_t *attr)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD,
				 .sigev_notify_function = on_thread,
				 .sigev_notify_attributes = attr,
				 .sigev_value.sival_int = 4711};
	sigset_t set, old;
	char name[16];

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &old);
	batch_clear(&b);
	batch_add(&b, "www.test");
	atomic_store(&notified, 0);
	must(getaddrinfo_a(GAI_NOWAIT, b.list, 1, &event) == 0);
	wait_notified(1);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	must(gai_error(b.list[0]) == 0);
	must(seen.payload == 4711);
	must(!pthread_equal(seen.thread, pthread_self()));
	for (int s = 1; s < NSIG; s++)
		must(sigismember(&seen.mask, s) != 1);
	prctl(PR_GET_NAME, name);
	must(strcmp(seen.name, name) == 0);
}

/* Cold and warm: the thread is started by another thread each time. */
static void thread_is_detached_and_unmasked(void)
{
	for (int i = 0; i < 2; i++) {
		look_up_and_see(NULL);
		must(seen.detach_state == PTHREAD_CREATE_DETACHED);
	}
}

static void thread_has_the_attributes(void)
{
	pthread_attr_t attr;
	void *result;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 768 << 10);
	for (int i = 0; i < 2; i++) {
		look_up_and_see(&attr);
		must(seen.detach_state == PTHREAD_CREATE_JOINABLE);
		must(seen.stack_size >= 768 << 10); /* a sanitizer adds its own */
		must(seen.stack_size < 2 << 20);
		must(pthread_join(seen.thread, &result) == 0);
		must(result == NULL);
	}
}

static void thread_id_notifies_nobody(void)
{
	struct sigevent event = by_signal();

	event.sigev_notify = SIGEV_THREAD_ID;
	batch_add(&b, "www.test");
	must(getaddrinfo_a(GAI_NOWAIT, b.list, 1, &event) == 0);
	suspend_until_done(&b);
	sleep_ms(20);
	must(atomic_load(&notified) == 0);
}

static void same_gaicb_again(void)
{
	batch_add(&b, "www.test");
	for (int i = 0; i < 3; i++) {
		must(getaddrinfo_a(GAI_NOWAIT, b.list, 1, NULL) == 0);
		suspend_until_done(&b);
		must(gai_error(b.list[0]) == 0);
		freeaddrinfo(b.requests[0].ar_result);
		b.requests[0].ar_result = NULL;
		snprintf(b.names[0], sizeof b.names[0], "n%d.cold.test", i);
	}
}

static const struct mode modes[] = {
	{"bad_mode", bad_mode},
	{"keeps_errno", keeps_errno},
	{"failure_leaves_result_alone", failure_leaves_result_alone},
	{"empty_list", empty_list},
	{"signal_tells_who_and_what", signal_tells_who_and_what},
	{"thread_is_detached_and_unmasked", thread_is_detached_and_unmasked},
	{"thread_has_the_attributes", thread_has_the_attributes},
	{"thread_id_notifies_nobody", thread_id_notifies_nobody},
	{"same_gaicb_again", same_gaicb_again},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}

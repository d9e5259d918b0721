// SPDX-License-Identifier: MIT
/*
 * life_client.c - programs that look names up at awkward moments of their lives, under limits, and
 * in threads that are interrupted or cancelled: life_client MODE [ARGUMENT].
 *
 * Prints what went wrong and exits with 1, or exits with 0. Every name below life.test is
 * 192.0.2.9; names below slow.test take their time, names below lost.test are never answered.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 64

#define must(cond) ((cond) ? (void)0 : die(__LINE__, #cond, errno))

static const char *argument;

static void die(int line, const char *what, int err)
{
	dprintf(1, "life_client.c:%d: not so: %s (errno %s)\n", line, what, strerror(err));
	_exit(1);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* 0 with the one right address, 1 with another, or EAI_* (negative). */
static int look_up(const char *name)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	const struct sockaddr_in *in;
	int r = getaddrinfo(name, "80", &hints, &list);

	if (r != 0)
		return r;
	in = (const struct sockaddr_in *)list->ai_addr;
	if (list->ai_next != NULL || in->sin_addr.s_addr != htonl(0xc0000209))
		r = 1;
	freeaddrinfo(list);
	return r;
}

static void must_find(const char *name)
{
	int r = look_up(name);

	if (r != 0) {
		dprintf(1, "%s: %s\n", name, r > 0 ? "wrong address" : gai_strerror(r));
		_exit(1);
	}
}

static void must_find_number(const char *prefix, int number)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%d.life.test", prefix, number);
	must_find(name);
}

static void must_exit_with_0(pid_t pid)
{
	int status = -1;

	must(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (status != 0)
		dprintf(1, "child: wait status %#x\n", (unsigned)status);
	must(status == 0);
}

/* ---- many names, many threads ---- */

static void many_names(void)
{
	char name[64];

	for (int i = 0; i < atoi(argument); i++) {
		const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
		struct addrinfo *list;

		snprintf(name, sizeof(name), "n%d.many.test", i);
		must(getaddrinfo(name, NULL, &hints, &list) == 0);
		freeaddrinfo(list);
	}
}

static pthread_barrier_t barrier;

static void *find_my_name_twice(void *number)
{
	for (int i = 0; i < 2; i++) {
		pthread_barrier_wait(&barrier);
		must_find_number("t", (int)(intptr_t)number);
	}
	return NULL;
}

static void start_threads(pthread_t *threads, int n, void *(*body)(void *))
{
	for (intptr_t i = 0; i < n; i++)
		must(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
}

static void join_threads(const pthread_t *threads, int n)
{
	for (int i = 0; i < n; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

static void names_of_threads(void)
{
	pthread_t threads[THREADS];

	must(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
	start_threads(threads, THREADS, find_my_name_twice);
	join_threads(threads, THREADS);
}

/* ---- fork and vfork ---- */

static _Atomic bool stop;

static void *keep_looking_up(void *number)
{
	for (int i = 0; !atomic_load(&stop); i++)
		must_find_number(i % 2 ? "busy" : "warm",
				 i % 2 ? (int)(intptr_t)number * 1000 + i : 0);
	return NULL;
}

static void look_up_in_child(int number, int depth)
{
	pid_t pid = fork();

	if (pid != 0) {
		must_exit_with_0(pid);
		return;
	}
	must_find_number("warm", 0);
	must_find_number(depth ? "grandchild" : "child", number);
	must_find_number("warm", 0);
	if (depth == 0)
		look_up_in_child(number, 1);
	_exit(0);
}

static void children_of_busy_threads(void)
{
	pthread_t threads[4];

	must_find_number("warm", 0);
	start_threads(threads, 4, keep_looking_up);
	for (int i = 0; i < 25; i++)
		look_up_in_child(i, 0);
	atomic_store(&stop, true);
	join_threads(threads, 4);
}

static volatile int vfork_results[3];

static void vfork_child(void)
{
	pid_t pid;

	must_find_number("warm", 0);
	pid = vfork();
	if (pid == 0) {
		vfork_results[0] = look_up("warm0.life.test");
		vfork_results[1] = look_up("vfork.life.test");
		vfork_results[2] = look_up("warm0.life.test");
		_exit(0);
	}
	must_exit_with_0(pid);
	for (int i = 0; i < 3; i++)
		must(vfork_results[i] == 0);
	must_find_number("warm", 0);
	must_find_number("after", 0);
}

/* ---- loaders ---- */

static void *load(void *path)
{
	void *library = dlopen(path, RTLD_NOW);

	if (library == NULL)
		dprintf(1, "%s\n", dlerror());
	must(library != NULL);
	return library;
}

static void look_up_in_dlopen(void)
{
	must(dlclose(load((void *)argument)) == 0); /* its destructor looks up, too */
}

static void *first_lookup(void *arg)
{
	must_find_number("first", 0);
	return arg;
}

static void *load_another(void *arg)
{
	must(dlopen("libanl.so.1", RTLD_NOW) != NULL);
	return arg;
}

/* The library's constructor takes its time; the others come while it holds the loader's lock. */
static void look_up_under_the_loaders_lock(void)
{
	pthread_t threads[3];

	must(pthread_create(&threads[0], NULL, load, (void *)argument) == 0);
	usleep(20000);
	must(pthread_create(&threads[1], NULL, load_another, NULL) == 0);
	must(pthread_create(&threads[2], NULL, first_lookup, NULL) == 0);
	join_threads(threads, 3);
}

/* ---- signals and cancellation ---- */

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

static void *wait_for_nothing(void *arg)
{
	look_up("a.lost.test");
	return arg;
}

static void *wait_for_no_host(void *arg)
{
	gethostbyname("a.lost.test");
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

static void cancel_many(int n, void *(*look_up_in_thread)(void *))
{
	pthread_t threads[THREADS];

	for (int round = 0; round < n; round++) {
		start_threads(threads, THREADS, look_up_in_thread);
		usleep(5000);
		for (int i = 0; i < THREADS; i++)
			cancel_and_join(threads[i]);
	}
	usleep(700000); /* the deadline is 500 ms: the queries are over */
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

/* ---- exit ---- */

static void key_destructor(void *arg)
{
	(void)arg;
	must_find_number("key", 0);
	atomic_store(&stop, true);
}

static void *set_key(void *arg)
{
	pthread_key_t key;

	must(pthread_key_create(&key, key_destructor) == 0);
	must(pthread_setspecific(key, &key) == 0);
	return arg;
}

static void lookup_at_thread_exit(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, set_key, NULL) == 0);
	must(pthread_join(thread, NULL) == 0);
	must(atomic_load(&stop));
}

static void exit_while_a_thread_waits(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, wait_for_nothing, NULL) == 0);
	usleep(100000);
	exit(0);
}

/* The first thread ends; the others go on, and the process with them. */
static void *find_and_exit(void *arg)
{
	(void)arg;
	usleep(50000);
	must_find_number("late", 0);
	exit(0);
}

static void main_thread_ends_first(void)
{
	pthread_t thread;

	must_find_number("early", 0);
	must(pthread_create(&thread, NULL, find_and_exit, NULL) == 0);
	pthread_exit(NULL);
}

/* ---- limits ---- */

/* Every system call of that name fails with EPERM from here on. */
static void refuse(const char *call)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int number = seccomp_syscall_resolve_name(call);

	must(filter != NULL && number != __NR_SCMP_ERROR);
	must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) == 0);
	must(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

/* The argument: system calls, separated by commas. */
static void refused_calls(void)
{
	char calls[256], *rest = calls, *call;

	snprintf(calls, sizeof(calls), "%s", argument);
	while ((call = strsep(&rest, ",")) != NULL)
		refuse(call);
	for (int i = 0; i < 2; i++) {
		must_find("a.life.test");
		must_find("b.life.test");
		must(look_up("nope.test") == EAI_NONAME);
	}
}

/* Nothing but libc's answers may be seen: 0 or what it says for want of memory. */
static void little_memory(void)
{
	struct rlimit limit;
	unsigned long pages;
	FILE *f = fopen("/proc/self/statm", "re");
	int r;

	must(f != NULL && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	must(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = pages * (unsigned long)sysconf(_SC_PAGESIZE) + strtoul(argument, NULL, 0);
	must(setrlimit(RLIMIT_AS, &limit) == 0);
	r = look_up("a.life.test");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_AS, &limit) == 0);
	dprintf(1, "%s\n", r == 0 ? "found" : r > 0 ? "wrong" : gai_strerror(r));
	must_find("a.life.test");
	must_find("b.life.test");
}

/* All numbers in use: libc can open no socket either. */
static void no_descriptor(void)
{
	const struct rlimit some = {64, 64};
	int last = -1, fd;

	if (strcmp(argument, "warm") == 0)
		must_find("a.life.test");
	must(setrlimit(RLIMIT_NOFILE, &some) == 0);
	while ((fd = dup(0)) >= 0)
		last = fd;
	if (strcmp(argument, "warm") == 0)
		usleep(1100000); /* files are looked at again */
	errno = 0;
	fd = look_up("a.life.test");
	dprintf(1, "%s, %s\n",
		fd == 0	 ? "found"
		: fd > 0 ? "wrong"
			 : gai_strerror(fd),
		strerror(errno));
	for (int i = 0; i < 20; i++)
		syscall(SYS_close, last - i);
	must_find("b.life.test");
}

static void *find_slow(void *arg)
{
	double start = now_ms();
	int r = look_up("a.slow.test");

	must(r == 0 || r == EAI_AGAIN || r == EAI_SYSTEM || r == EAI_NONAME);
	must(now_ms() - start < 3000);
	return arg;
}

/* The deadline is 1 s. The lookup's own socket goes, too, and under libc it would fail as well. */
static void descriptors_lost_in_a_lookup(void)
{
	pthread_t thread;

	must_find("a.life.test");
	must(pthread_create(&thread, NULL, find_slow, NULL) == 0);
	usleep(100000);
	for (int fd = 3; fd < 1100; fd++)
		syscall(SYS_close, fd);
	must_find("b.life.test");
	must(pthread_join(thread, NULL) == 0);
	must_find("c.life.test");
}

/* ---- another network ---- */

static void print(const char *name)
{
	int r = look_up(name);

	dprintf(1, "%s: %s\n", name, r == 0 ? "found" : r > 0 ? "wrong" : gai_strerror(r));
}

static void leave_the_network(void)
{
	if (unshare(CLONE_NEWNET) != 0) {
		dprintf(1, "unshare: %s\n", strerror(errno));
		_exit(77);
	}
}

/* What is known of the old one may be told for a second. */
static void another_network(void)
{
	must_find("a.life.test");
	leave_the_network();
	usleep(1100000);
	print("a.life.test");
	print("b.life.test");
}

static void child_in_another_network(void)
{
	pid_t pid;

	must_find("a.life.test");
	pid = fork();
	if (pid == 0) {
		leave_the_network();
		print("a.life.test");
		print("b.life.test");
		_exit(0);
	}
	must_exit_with_0(pid);
	must_find("c.life.test");
}

/* ---- another folder, user, root ---- */

static void folder_changes(void)
{
	must(chdir("/") == 0);
	must_find("a.life.test");
	must_find("a.life.test");
}

static void root_changes(void)
{
	must(chroot(argument) == 0 && chdir("/") == 0);
	print("a.life.test");
	print("a.life.test");
}

/* setuid() has to reach every thread, the shim's too. */
static void user_changes(void)
{
	must_find("a.life.test");
	must(setgid(65534) == 0 && setuid(65534) == 0);
	must_find("a.life.test");
	usleep(1100000); /* the folder of the former user is out of reach, and that is noticed */
	must_find("a.life.test");
	must_find("a.life.test");
}

static void *find_on_a_small_stack(void *arg)
{
	must_find("a.life.test");
	must_find("a.life.test");
	return arg;
}

static void small_stack(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	must(pthread_attr_init(&attr) == 0);
	must(pthread_attr_setstacksize(&attr, 32 << 10) == 0);
	must(pthread_create(&thread, &attr, find_on_a_small_stack, NULL) == 0);
	must(pthread_join(thread, NULL) == 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{"folder_changes", folder_changes},
	{"root_changes", root_changes},
	{"user_changes", user_changes},
	{"small_stack", small_stack},
	{"another_network", another_network},
	{"child_in_another_network", child_in_another_network},
	{"many_names", many_names},
	{"names_of_threads", names_of_threads},
	{"children_of_busy_threads", children_of_busy_threads},
	{"vfork_child", vfork_child},
	{"look_up_in_dlopen", look_up_in_dlopen},
	{"look_up_under_the_loaders_lock", look_up_under_the_loaders_lock},
	{"signals_in_a_lookup", signals_in_a_lookup},
	{"signals_do_not_postpone_the_deadline", signals_do_not_postpone_the_deadline},
	{"lookup_in_a_handler", lookup_in_a_handler},
	{"cancelled_lookup", cancelled_lookup},
	{"lookup_of_a_cancelled_thread", lookup_of_a_cancelled_thread},
	{"cancellation_disabled", cancellation_disabled},
	{"cancelled_lookups_leak_nothing", cancelled_lookups_leak_nothing},
	{"cancelled_gethostbyname_leaks_nothing", cancelled_gethostbyname_leaks_nothing},
	{"lookup_at_thread_exit", lookup_at_thread_exit},
	{"exit_while_a_thread_waits", exit_while_a_thread_waits},
	{"main_thread_ends_first", main_thread_ends_first},
	{"refused_calls", refused_calls},
	{"little_memory", little_memory},
	{"no_descriptor", no_descriptor},
	{"descriptors_lost_in_a_lookup", descriptors_lost_in_a_lookup},
};

int main(int argc, char **argv)
{
	argument = argc > 2 ? argv[2] : "";
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run();
			return 0;
		}
	}
	return 2;
}

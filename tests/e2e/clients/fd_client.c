// SPDX-License-Identifier: MIT
/*
 * fd_client.c - a program that mistreats its descriptor table: fd_client MODE.
 *
 * Prints what went wrong and exits with 1, or exits with 0.
 */
#include "fd_util.h"

#include <limits.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static void close_loop(void)
{
	struct fd_list ours = fd_private();

	for (int fd = 3; fd < 1024; fd++) {
		bool open = fd_is_open(fd);

		must((close(fd) == 0) == open);
	}
	fd_must_all_be_open(&ours);
	fd_must_look_up();
}

static void hooked_close_range(void)
{
	struct fd_list ours = fd_private();
	int own = dup(0), high = fcntl(0, F_DUPFD, 1000);

	must(close_range(3, UINT_MAX, 0) == 0);
	must(!fd_is_open(own) && !fd_is_open(high));
	fd_must_all_be_open(&ours);
	fd_must_look_up();
}

static void hooked_closefrom(void)
{
	struct fd_list ours = fd_private();
	int own = dup(0), high = fcntl(0, F_DUPFD, 1000);

	closefrom(3);
	must(!fd_is_open(own) && !fd_is_open(high));
	fd_must_all_be_open(&ours);
	fd_must_look_up();
}

static void raw_close_range(void)
{
	fd_must_look_up();
	must(syscall(SYS_close_range, 3, UINT_MAX, 0) == 0);
	fd_must_look_up();
	fd_must_look_up();
}

/* Our numbers taken over, past every hook, by files of the program: they must stay as they are. */
static void raw_dup2_over(void)
{
	struct fd_list ours = fd_private();
	int pipe_fds[2];
	char byte;

	must(pipe2(pipe_fds, O_NONBLOCK) == 0);
	for (int i = 0; i < ours.n; i++)
		must(syscall(SYS_dup3, pipe_fds[1], ours.fd[i], 0) == ours.fd[i]);
	fd_must_look_up();
	fd_must_all_be_open(&ours);
	must(read(pipe_fds[0], &byte, 1) == -1); /* nobody wrote into it */
	for (int i = 0; i < ours.n; i++)
		must(close(ours.fd[i]) == 0 && !fd_is_open(ours.fd[i]));
}

static void dup2_onto(void)
{
	struct fd_list ours = fd_private();

	for (int i = 0; i < ours.n; i++) {
		errno = 0;
		must(dup2(0, ours.fd[i]) == ours.fd[i]);
		must(errno == 0);
	}
	fd_must_look_up();
	for (int i = 0; i < ours.n; i++)
		must(close(ours.fd[i]) == 0 && !fd_is_open(ours.fd[i]));
	fd_must_look_up();
}

static void copy_is_refused(void)
{
	struct fd_list ours = fd_private();

	for (int i = 0; i < ours.n; i++) {
		must(dup(ours.fd[i]) == -1 && errno == EBADF);
		must(dup2(ours.fd[i], 900) == -1 && errno == EBADF);
		must(fcntl(ours.fd[i], F_DUPFD, 3) == -1 && errno == EBADF);
		must(fcntl(ours.fd[i], F_SETFD, 0) == 0);
		must(syscall(SYS_fcntl, ours.fd[i], F_GETFD) == FD_CLOEXEC);
	}
}

/* With 0 to 2 closed the next descriptors of an unmodified program are 0, 1 and 2. */
static void low_numbers_stay_free(void)
{
	close(0);
	close(2);
	fd_must_look_up();
	must(!fd_is_open(0) && !fd_is_open(2));
	must(open("/dev/null", O_RDONLY) == 0);
	must(open("/dev/null", O_WRONLY) == 2);
	must(open("/dev/null", O_RDONLY) == 3);
}

static void tiny_limit(void)
{
	const struct rlimit tiny = {16, 16};

	must(setrlimit(RLIMIT_NOFILE, &tiny) == 0);
	fd_must_look_up();
}

/* No descriptor left for us: libc's lookup cannot work either, but nobody may crash or hang. */
static void no_descriptor_left(void)
{
	const struct rlimit none = {3, 4096}, enough = {64, 4096};

	must(setrlimit(RLIMIT_NOFILE, &none) == 0);
	must(fd_look_up() != 0);
	must(setrlimit(RLIMIT_NOFILE, &enough) == 0);
	fd_must_look_up();
}

static void exec_list(void)
{
	fd_must_look_up();
	execl("/proc/self/exe", "fd_client", "none_open", (char *)NULL);
	must(false);
}

static void none_open(void)
{
	must(fd_all().n == 0);
}

static void every_private_is_cloexec_and_high(void)
{
	struct fd_list ours = fd_private();

	for (int i = 0; i < ours.n; i++) {
		must(syscall(SYS_fcntl, ours.fd[i], F_GETFD) == FD_CLOEXEC);
		must(ours.fd[i] >= 40);
	}
}

/* The number of descriptors does not grow with the number of lookups. */
static void no_leak(void)
{
	int before;

	for (int i = 0; i < 20; i++)
		fd_must_look_up();
	before = fd_all().n;
	for (int i = 0; i < 300; i++)
		fd_must_look_up();
	must(fd_all().n <= before + 2);
}

/* In a table of its own: a file of the program at each private number, and lookups. */
static void *leave_and_overwrite(void *arg)
{
	const struct fd_list *ours = arg;

	must(unshare(CLONE_FILES) == 0);
	for (int i = 0; i < ours->n; i++)
		must(dup2(0, ours->fd[i]) == ours->fd[i]);
	fd_must_look_up();
	closefrom(3);
	fd_must_look_up();
	return arg;
}

/* They leave nothing behind in the table of the others, and take nothing there. */
static void threads_with_tables_of_their_own(void)
{
	struct fd_list ours = fd_private(), after;
	pthread_t thread;

	for (int i = 0; i < 50; i++) {
		must(pthread_create(&thread, NULL, leave_and_overwrite, &ours) == 0);
		must(pthread_join(thread, NULL) == 0);
		fd_must_look_up();
	}
	after = fd_all();
	fd_must_all_be_open(&ours);
	must(after.n <= ours.n + 2);
}

static void on_signal(int sig)
{
	int saved = errno, fd = dup(0);

	(void)sig;
	dup2(0, fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	close(fd);
	for (fd = 40; fd < 48; fd++)
		close(fd); /* where the private ones are */
	errno = saved;
}

static pthread_t main_thread;
static _Atomic bool stop;

static void *send_signals(void *arg)
{
	while (!atomic_load(&stop)) {
		pthread_kill(main_thread, SIGUSR1);
		usleep(50);
	}
	return arg;
}

/* close() and dup2() are async-signal-safe; a handler may come while we hold a lock. */
static void signal_handler_closes(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pthread_t thread;

	must(sigaction(SIGUSR1, &action, NULL) == 0);
	main_thread = pthread_self();
	must(pthread_create(&thread, NULL, send_signals, NULL) == 0);
	for (int i = 0; i < 200; i++)
		fd_must_look_up();
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
}

static void *close_and_open(void *arg)
{
	while (!atomic_load(&stop)) {
		for (int fd = 800; fd < 1024; fd++)
			close(fd);
		close_range(800, UINT_MAX, 0);
	}
	return arg;
}

/* A program that sweeps its table in one thread while others look up. Some sweep may meet a
 * descriptor between its birth and its registration; the lookup must then recover. */
static void sweeping_thread(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, close_and_open, NULL) == 0);
	for (int i = 0; i < 200; i++)
		fd_must_look_up();
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
}

/* A pending cancellation takes effect in close(), as in libc, and not under a lock. */
static void *cancelled_in_close(void *arg)
{
	pthread_cancel(pthread_self());
	close(*(int *)arg);
	return arg;
}

static void close_is_a_cancellation_point(void)
{
	pthread_t thread;
	void *result;
	int fd;

	fd_must_look_up();
	fd = dup(0);
	must(pthread_create(&thread, NULL, cancelled_in_close, &fd) == 0);
	pthread_join(thread, &result);
	must(result == PTHREAD_CANCELED);
	fd_must_look_up();
}

static const struct mode modes[] = {
	{"close_loop", close_loop},
	{"close_range", hooked_close_range},
	{"closefrom", hooked_closefrom},
	{"raw_close_range", raw_close_range},
	{"raw_dup2_over", raw_dup2_over},
	{"dup2_onto", dup2_onto},
	{"copy_is_refused", copy_is_refused},
	{"low_numbers_stay_free", low_numbers_stay_free},
	{"tiny_limit", tiny_limit},
	{"no_descriptor_left", no_descriptor_left},
	{"exec", exec_list},
	{"none_open", none_open},
	{"every_private_is_cloexec_and_high", every_private_is_cloexec_and_high},
	{"no_leak", no_leak},
	{"own_tables", threads_with_tables_of_their_own},
	{"signal_handler_closes", signal_handler_closes},
	{"sweeping_thread", sweeping_thread},
	{"close_is_a_cancellation_point", close_is_a_cancellation_point},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}

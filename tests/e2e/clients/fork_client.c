// SPDX-License-Identifier: MIT
/*
 * fork_client.c - programs that look names up on both sides of fork, vfork, exec and exit:
 * fork_client MODE.
 *
 * Prints what went wrong and exits with 1, or exits with 0.
 */
#include "fd_util.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

static void in_fork(void (*body)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		body();
		_exit(0);
	}
	must_exit_with_0(pid);
}

/* By the shim, not by the libc that it falls back to. */
static void shim_looks_up(void)
{
	fd_must_look_up();
	must(fd_has_io_thread());
}

static void child_looks_up(void)
{
	fd_must_look_up();
	in_fork(shim_looks_up);
	fd_must_look_up();
}

static void grandchild_looks_up(void)
{
	in_fork(shim_looks_up);
	fd_must_look_up();
}

static void grandchildren(void)
{
	fd_must_look_up();
	in_fork(grandchild_looks_up);
}

/* Of the name's address. */
static unsigned char last_octet(const char *name)
{
	const struct addrinfo hints = {.ai_family = AF_INET};
	struct addrinfo *found = NULL;
	unsigned char octet;

	must(getaddrinfo(name, NULL, &hints, &found) == 0);
	octet = ((const unsigned char *)&((struct sockaddr_in *)found->ai_addr)->sin_addr)[3];
	freeaddrinfo(found);
	return octet;
}

/* It has an answer, and stops; then its children look up, one each, until the answer is another. */
static void children_hear_of_servers(void)
{
	unsigned char old = last_octet("www.test");
	int status = 0;

	raise(SIGSTOP);
	for (int i = 0; i < 10 && status == 0; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(last_octet("www.test") != old);
		must(pid > 0 && waitpid(pid, &status, 0) == pid);
		usleep(700000); /* by then another one may try the servers */
	}
	must(status != 0);
}

/* daemon(): the parent, with its io thread, is gone when the child looks up. */
static void daemon_looks_up(void)
{
	int pipe_fds[2];
	char byte = 1;

	fd_must_look_up();
	must(pipe(pipe_fds) == 0);
	if (fork() == 0) {
		must(daemon(1, 1) == 0);
		byte = (char)fd_look_up();
		must(write(pipe_fds[1], &byte, 1) == 1);
		_exit(0);
	}
	close(pipe_fds[1]);
	must(read(pipe_fds[0], &byte, 1) == 1);
	must(byte == 0);
}

static struct fd_list ours;

/* It opens as many of its own, perhaps at the same numbers; with ours they would be twice as many.
 */
static void none_of_ours_is_left(void)
{
	fd_must_all_be_open(&ours);
	fd_must_look_up();
	must(fd_all().n <= ours.n);
}

static void child_keeps_none_of_the_parents(void)
{
	ours = fd_private();
	in_fork(none_of_ours_is_left);
	fd_must_look_up();
}

static _Atomic bool stop;

static void *keep_looking_up(void *arg)
{
	while (!atomic_load(&stop))
		fd_must_look_up();
	return arg;
}

/* Locks of ours, and of malloc, are held at most of these forks. */
static void forks_of_a_busy_program(void)
{
	pthread_t threads[4];

	start_threads(threads, 4, keep_looking_up);
	for (int i = 0; i < 100; i++)
		in_fork(shim_looks_up);
	atomic_store(&stop, true);
	join_threads(threads, 4);
}

static void *look_up_once(void *arg)
{
	fd_must_look_up();
	return arg;
}

static void eight_threads_look_up(void)
{
	pthread_t threads[8];

	start_threads(threads, 8, look_up_once);
	join_threads(threads, 8);
}

static void threads_of_a_child(void)
{
	fd_must_look_up();
	for (int i = 0; i < 20; i++)
		in_fork(eight_threads_look_up);
}

static volatile pid_t handlers_child = -1;

static void fork_once(int sig)
{
	(void)sig;
	if (handlers_child == -1)
		handlers_child = fork();
}

/* The child comes out of the handler in the middle of the lookup, without the thread that would
 * have ended it. */
static void fork_in_a_handler(void)
{
	const struct itimerval soon = {.it_value.tv_usec = 100000};
	struct addrinfo *list = NULL;

	must(signal(SIGALRM, fork_once) != SIG_ERR);
	must(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	must(getaddrinfo("slow.fd.test", NULL, NULL, &list) == 0);
	freeaddrinfo(list);
	if (handlers_child == 0)
		_exit(0);
	must_exit_with_0(handlers_child);
}

/*
 * vfork -------------------------------------------------------------------------------------------
 */

static volatile int vfork_result;

static void in_vfork(void (*body)(void))
{
	pid_t pid;

	vfork_result = -1;
	pid = vfork();
	if (pid == 0) {
		body();
		_exit(0);
	}
	must_exit_with_0(pid);
}

static void look_up_in_vfork(void)
{
	vfork_result = fd_look_up();
}

static void vfork_child_looks_up(void)
{
	ours = fd_private();
	in_vfork(look_up_in_vfork);
	must(vfork_result == 0);
	fd_must_all_be_open(&ours);
	fd_must_look_up();
	must(fd_all().n <= ours.n + 2);
}

static void look_up_slow_in_vfork(void)
{
	struct addrinfo *list = NULL;

	vfork_result = getaddrinfo("slow.fd.test", NULL, NULL, &list);
	if (vfork_result == 0)
		freeaddrinfo(list);
}

/* Another process asks for that. */
static void vfork_child_looks_up_slowly(void)
{
	fd_must_look_up();
	in_vfork(look_up_slow_in_vfork);
	must(vfork_result == 0);
	fd_must_look_up();
}

static void vfork_child_looks_up_first(void)
{
	in_vfork(look_up_in_vfork);
	must(vfork_result == 0);
	must(fd_all().n == 0);
	must(!fd_has_io_thread());
	shim_looks_up();
}

static void close_all(void)
{
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	close_range(3, UINT_MAX, 0);
	closefrom(3);
}

static void vfork_child_closes_all(void)
{
	ours = fd_private();
	in_vfork(close_all);
	fd_must_all_be_open(&ours);
	close_all(); /* and they are protected as before */
	fd_must_all_be_open(&ours);
	fd_must_look_up();
}

static void close_all_and_look(void)
{
	close_all();
	must(fd_all().n == 0);
}

static void forked_child_really_closes(void)
{
	ours = fd_private();
	in_fork(close_all_and_look);
	fd_must_all_be_open(&ours);
	fd_must_look_up();
}

static int clone_main(void *arg)
{
	(void)arg;
	close_all();
	vfork_result = fd_look_up();
	return 0;
}

static void clone_child_with_our_memory(void)
{
	static _Alignas(16) char stack[256 << 10];

	ours = fd_private();
	must_exit_with_0(clone(clone_main, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	must(vfork_result == 0);
	fd_must_all_be_open(&ours);
	fd_must_look_up();
}

/*
 * No new system calls -----------------------------------------------------------------------------
 */

/* Kills for whatever libc's own descriptor functions would not call. */
static void sandbox(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	static const int allowed[] = {
		SCMP_SYS(read), SCMP_SYS(write),      SCMP_SYS(close),	      SCMP_SYS(close_range),
		SCMP_SYS(dup),	SCMP_SYS(dup2),	      SCMP_SYS(dup3),	      SCMP_SYS(fcntl),
		SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
	};

	must(filter != NULL);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0);
	must(seccomp_load(filter) == 0);
}

static void sandboxed_descriptor_calls(void)
{
	sandbox();
	close_all();
	must(dup2(0, ours.fd[0]) == ours.fd[0]);
	must(dup3(0, ours.fd[0], O_CLOEXEC) == ours.fd[0]);
	must(fcntl(ours.fd[0], F_SETFD, 0) == 0);
	must(close(ours.fd[0]) == 0);
	close(dup(0));
}

static void sandboxed_child(void)
{
	ours = fd_private();
	in_fork(sandboxed_descriptor_calls);
}

/*
 * exec, exit --------------------------------------------------------------------------------------
 */

extern char **environ;

static void spawned_programs(void)
{
	char name[] = "true", *argv[] = {name, NULL};
	pid_t pid;

	fd_must_look_up();
	for (int i = 0; i < 20; i++) {
		must(posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0);
		must_exit_with_0(pid);
		must(system("exit 0") == 0);
	}
	fd_must_look_up();
}

static void look_up_at_exit(void)
{
	fd_must_look_up();
}

static void exit_handler_looks_up(void)
{
	must(atexit(look_up_at_exit) == 0);
	fd_must_look_up();
	exit(0);
}

static void exit_handler_looks_up_first(void)
{
	must(atexit(look_up_at_exit) == 0);
	exit(0);
}

/* In a child that leaves by exit(), not _exit(), while threads of it are inside of lookups. */
static void exit_while_busy(void)
{
	pthread_t threads[4];

	start_threads(threads, 4, keep_looking_up);
	fd_must_look_up();
	exit(0);
}

static void exits_of_a_busy_program(void)
{
	for (int i = 0; i < 100; i++)
		in_fork(exit_while_busy);
}

/*
 * Thread ids --------------------------------------------------------------------------------------
 */

static void *fork_and_look_up(void *arg)
{
	in_fork(shim_looks_up);
	return arg;
}

/* fork() in a thread other than the first: the child's only thread is a copy of that one. */
static void fork_in_a_thread(void)
{
	pthread_t thread;

	fd_must_look_up();
	must(pthread_create(&thread, NULL, fork_and_look_up, NULL) == 0);
	pthread_join(thread, NULL);
}

static const struct mode modes[] = {
	{"fork_in_a_handler", fork_in_a_handler},
	{"child_looks_up", child_looks_up},
	{"grandchildren", grandchildren},
	{"children_hear_of_servers", children_hear_of_servers},
	{"daemon", daemon_looks_up},
	{"child_keeps_none", child_keeps_none_of_the_parents},
	{"busy_forks", forks_of_a_busy_program},
	{"threads_of_a_child", threads_of_a_child},
	{"vfork_child_looks_up", vfork_child_looks_up},
	{"vfork_child_looks_up_slowly", vfork_child_looks_up_slowly},
	{"vfork_child_looks_up_first", vfork_child_looks_up_first},
	{"vfork_child_closes_all", vfork_child_closes_all},
	{"forked_child_really_closes", forked_child_really_closes},
	{"clone_child", clone_child_with_our_memory},
	{"sandboxed_child", sandboxed_child},
	{"spawned_programs", spawned_programs},
	{"exit_handler", exit_handler_looks_up},
	{"exit_handler_first", exit_handler_looks_up_first},
	{"busy_exits", exits_of_a_busy_program},
	{"fork_in_a_thread", fork_in_a_thread},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}

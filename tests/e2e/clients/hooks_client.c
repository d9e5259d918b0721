// SPDX-License-Identifier: MIT
/*
 * hooks_client.c - a program that calls hooked functions at odd moments: hooks_client MODE.
 *
 * The function in .preinit_array runs before the constructor of any library, the shim's included.
 * Prints what went wrong and exits with 1, or exits with 0.
 */
#include "fd_util.h"

#include <limits.h>
#include <pthread.h>
#include <sys/auxv.h>

static bool early; /* HOOKS_EARLY=1 */

/* libc's answers, errno included, from functions that nobody has looked up yet. */
static void descriptors_before_constructors(void)
{
	int fd = dup(1), high;

	must(fd > 2);
	must(dup2(1, fd) == fd);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 700);
	must(high >= 700);
	must(fcntl(high, F_GETFD) == FD_CLOEXEC);
	must(dup3(1, high, 0) == high && fcntl(high, F_GETFD) == 0);
	must(close(fd) == 0);
	errno = 0;
	must(close(fd) == -1 && errno == EBADF);
	must(dup2(fd, fd) == -1 && errno == EBADF);
	must(dup3(1, 1, 0) == -1 && errno == EINVAL);
	must(close_range((unsigned)high, (unsigned)high, 0) == 0 && !fd_is_open(high));
	must(close_range(5, 4, 0) == -1 && errno == EINVAL);
	closefrom(700);
}

__attribute__((used)) static void preinit(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	for (; *envp; envp++)
		early |= strcmp(*envp, "HOOKS_EARLY=1") == 0;
	if (!early)
		return;
	descriptors_before_constructors();
	fd_must_look_up();
}

__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(int, char **,
									      char **) = preinit;

__attribute__((constructor)) static void constructor(void)
{
	if (early)
		fd_must_look_up();
}

__attribute__((destructor)) static void destructor(void)
{
	if (early)
		fd_must_look_up();
}

static void lookup_starts_the_thread(void)
{
	must(!fd_has_io_thread());
	fd_must_look_up();
	must(fd_has_io_thread());
}

static void stands_aside(void)
{
	must(getauxval(AT_SECURE) == 1);
	fd_must_look_up();
	must(!fd_has_io_thread());
	must(fd_all().n == 0);
}

/* errno is what the program left there, whether the shim was idle, missed or hit. */
static void errno_is_kept(void)
{
	struct addrinfo *res;
	int fd;

	for (int i = 0; i < 3; i++) {
		errno = 4711;
		must(getaddrinfo("same.fd.test", "80", NULL, &res) == 0);
		must(errno == 4711);
		freeaddrinfo(res);
		fd = dup(0);
		must(dup2(0, fd) == fd && close(fd) == 0);
		must(close_range(900, 1000, 0) == 0);
		must(errno == 4711);
	}
}

/* A daemon that has closed its stderr: the next socket gets the number. Its peer must not read a
 * complaint of ours, for which the test has given cause. */
static void log_spares_a_socket(void)
{
	int pair[2];
	char byte;

	must(close(2) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	must(pair[0] == 2);
	fd_must_look_up();
	must(recv(pair[1], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
}

static void one_lookup(void)
{
	fd_must_look_up();
}

static void *look_up_twenty(void *arg)
{
	for (int i = 0; i < 20; i++)
		fd_must_look_up();
	return arg;
}

static void sixty_four_threads(void)
{
	pthread_t threads[64];

	start_threads(threads, 64, look_up_twenty);
	join_threads(threads, 64);
}

static void nothing(void)
{
}

static const struct mode modes[] = {
	{"nothing", nothing},
	{"lookup", one_lookup},
	{"lookup_starts_the_thread", lookup_starts_the_thread},
	{"stands_aside", stands_aside},
	{"errno_is_kept", errno_is_kept},
	{"threads", sixty_four_threads},
	{"log_spares_a_socket", log_spares_a_socket},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}

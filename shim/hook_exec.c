// SPDX-License-Identifier: MIT
/*
 * hook_exec.c - execve and its kin: the program that comes next finds, under a number that races,
 * the socket that it would find there without us (racing.h).
 *
 * What posix_spawn(), system() and popen() start is not seen. Any thread, signal handlers, children
 * of vfork; no allocation, no cancellation point. errno is what libc's function says. Lists of
 * arguments become arrays on the stack, as in libc.
 */
#include "shim/hooks.h"
#include "shim/racing.h"

#include <unistd.h>

static void hand_down(void)
{
	if (racing_any())
		racing_exec();
}

int nbd_execve(const char *path, char *const argv[], char *const envp[])
{
	hand_down();
	return real_execve(path, argv, envp);
}

int nbd_execv(const char *path, char *const argv[])
{
	hand_down();
	return real_execv(path, argv);
}

int nbd_execvp(const char *file, char *const argv[])
{
	hand_down();
	return real_execvp(file, argv);
}

int nbd_execvpe(const char *file, char *const argv[], char *const envp[])
{
	hand_down();
	return real_execvpe(file, argv, envp);
}

int nbd_fexecve(int fd, char *const argv[], char *const envp[])
{
	hand_down();
	return real_fexecve(fd, argv, envp);
}

int nbd_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	hand_down();
	return real_execveat(dir, path, argv, envp, flags);
}

/*
 * Lists -------------------------------------------------------------------------------------------
 *
 * `list` is what follows `arg`, and stays where it is.
 */

/* What the array of them takes, its NULL included. */
static size_t array_size(const char *arg, va_list list)
{
	size_t n = 1;
	va_list rest;

	va_copy(rest, list);
	for (; arg; arg = va_arg(rest, const char *))
		n++;
	va_end(rest);
	return n * sizeof(arg);
}

static char *const *fill(char **argv, const char *arg, va_list list)
{
	size_t n = 0;
	va_list rest;

	va_copy(rest, list);
	for (; arg; arg = va_arg(rest, const char *))
		argv[n++] = (char *)arg;
	va_end(rest);
	argv[n] = NULL;
	return argv;
}

/* On the caller's stack. */
#define ARRAY(arg, list) fill(__builtin_alloca(array_size(arg, list)), arg, list)

/* The pointer behind the NULL. */
static char *const *environment(const char *arg, va_list list)
{
	char *const *envp;
	va_list rest;

	va_copy(rest, list);
	while (arg)
		arg = va_arg(rest, const char *);
	envp = va_arg(rest, char *const *);
	va_end(rest);
	return envp;
}

int nbd_execl(const char *path, const char *arg, va_list list)
{
	return nbd_execve(path, ARRAY(arg, list), environ);
}

int nbd_execle(const char *path, const char *arg, va_list list)
{
	return nbd_execve(path, ARRAY(arg, list), environment(arg, list));
}

int nbd_execlp(const char *file, const char *arg, va_list list)
{
	return nbd_execvp(file, ARRAY(arg, list));
}

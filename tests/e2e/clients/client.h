// SPDX-License-Identifier: MIT
/*
 * client.h - what every program of the end-to-end tests with several modes is made of: it says what
 * went wrong and exits with 1, or exits with 0.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define must(cond) ((cond) ? (void)0 : client_die(__FILE__, __LINE__, #cond, errno))

static inline void client_die(const char *file, int line, const char *what, int err)
{
	dprintf(1, "%s:%d: not so: %s (errno %s)\n", file, line, what, strerror(err));
	_exit(1);
}

static inline void must_exit_with_0(pid_t pid)
{
	int status = -1;

	must(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (status != 0)
		dprintf(1, "child %ld: wait status %#x\n", (long)pid, (unsigned)status);
	must(status == 0);
}

/* Each with its number as the argument. */
static inline void start_threads(pthread_t *threads, int n, void *(*body)(void *))
{
	for (intptr_t i = 0; i < n; i++)
		must(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
}

static inline void join_threads(const pthread_t *threads, int n)
{
	for (int i = 0; i < n; i++)
		must(pthread_join(threads[i], NULL) == 0);
}

struct mode {
	const char *name;
	void (*run)(void);
};

/* The rest of main(): 0, or 2 where no mode has the name. The list ends with {NULL, NULL}. */
static inline int run_mode(const struct mode *modes, const char *name)
{
	for (; name != NULL && modes->name != NULL; modes++) {
		if (strcmp(modes->name, name) == 0) {
			modes->run();
			return 0;
		}
	}
	return 2;
}

#endif

// SPDX-License-Identifier: MIT
/*
 * handler_client.c - a program whose signal handler calls connect() in the middle of malloc(), as a
 * handler may (signal-safety(7)):
 *
 *	handler_client HOST PORT [block]
 *
 * Looks the name up, then interrupts its own malloc(), and connects in the handler; then outside;
 * then again in the handler. An allocation in the handler would meet the lock of that malloc(): it
 * is told, and ends the program. Prints what came of the three connects, and how many threads there
 * were before.
 */
#include "client.h"

#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *old);

#define VISIBLE __attribute__((visibility("default"))) /* to the libraries */

static _Thread_local volatile bool armed; /* the next allocation is interrupted */
static _Thread_local volatile bool inside;

static void check(const char *what)
{
	if (!inside)
		return;
	(void)!write(STDOUT_FILENO, what, strlen(what));
	_exit(1);
}

VISIBLE void *malloc(size_t size)
{
	check("malloc() in the handler\n");
	if (armed) {
		armed = false;
		inside = true;
		raise(SIGUSR1);
		inside = false;
	}
	return __libc_malloc(size);
}

VISIBLE void *calloc(size_t n, size_t size)
{
	check("calloc() in the handler\n");
	return __libc_calloc(n, size);
}

VISIBLE void *realloc(void *old, size_t size)
{
	check("realloc() in the handler\n");
	return __libc_realloc(old, size);
}

VISIBLE void free(void *old)
{
	check("free() in the handler\n");
	__libc_free(old);
}

static struct sockaddr_storage to;
static socklen_t to_len;
static bool block;
static volatile int fd = -1, error;
static void *volatile free_it; /* a compiler knows malloc() */

static void on_signal(int sig)
{
	(void)sig;
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | (block ? 0 : SOCK_NONBLOCK), 0);
	error = connect(fd, (const struct sockaddr *)&to, to_len) == 0 ? 0 : errno;
}

/* "0", or why not. */
static const char *end_of_connect(void)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int now = error;
	socklen_t len = sizeof now;

	if (now == EINPROGRESS && poll(&p, 1, 10000) == 1)
		must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &now, &len) == 0);
	close(fd);
	return strerrorname_np(now);
}

static const char *in_handler(void)
{
	fd = -1;
	armed = true;
	free_it = malloc(1);
	free(free_it);
	must(fd >= 0);
	return end_of_connect();
}

static unsigned count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned n = 0;

	must(dir != NULL);
	for (const struct dirent *d; (d = readdir(dir)) != NULL;)
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	unsigned threads;

	must(argc > 2);
	block = argc > 3;
	must(getaddrinfo(argv[1], argv[2], &hints, &list) == 0);
	memcpy(&to, list->ai_addr, to_len = list->ai_addrlen);
	freeaddrinfo(list);
	must(signal(SIGUSR1, on_signal) != SIG_ERR);
	threads = count_threads();
	printf("threads=%u handler=%s", threads, in_handler());
	on_signal(0);
	printf(" outside=%s", end_of_connect());
	printf(" again=%s\n", in_handler());
	return 0;
}

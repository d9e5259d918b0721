// SPDX-License-Identifier: MIT
/*
 * gai_util.h - what the clients of the getaddrinfo_a() tests share: a batch of requests with names
 * of their own, a counter of notifications, and the process as the kernel sees it.
 */
#ifndef GAI_UTIL_H
#define GAI_UTIL_H

#include <dirent.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define BATCH_MAX 1000

struct batch {
	int n;
	struct gaicb requests[BATCH_MAX];
	struct gaicb *list[BATCH_MAX];
	char names[BATCH_MAX][64];
};

static inline const struct gaicb *const *constant(struct gaicb **list)
{
	return (const struct gaicb *const *)list;
}

/* One more request; its name is printf-formatted. */
static inline void __attribute__((format(printf, 2, 3)))
batch_add(struct batch *b, const char *fmt, ...)
{
	va_list ap;

	must(b->n < BATCH_MAX);
	va_start(ap, fmt);
	vsnprintf(b->names[b->n], sizeof b->names[b->n], fmt, ap);
	va_end(ap);
	b->requests[b->n] = (struct gaicb){.ar_name = b->names[b->n]};
	b->list[b->n] = &b->requests[b->n];
	b->n++;
}

static inline void batch_clear(struct batch *b)
{
	for (int i = 0; i < b->n; i++)
		if (b->requests[i].ar_result != NULL)
			freeaddrinfo(b->requests[i].ar_result);
	b->n = 0;
}

/* How many of the requests have that status. */
static inline int batch_count(struct batch *b, int eai)
{
	int n = 0;

	for (int i = 0; i < b->n; i++)
		n += gai_error(&b->requests[i]) == eai;
	return n;
}

static inline int count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	int n = 0;

	must(dir != NULL);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2; /* "." and ".." */
}

static inline int count_threads(void)
{
	return count_entries("/proc/self/task");
}

static inline int count_descriptors(void)
{
	return count_entries("/proc/self/fd") - 1; /* the folder's own */
}

static inline void sleep_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* Sleeps until every request is done, by gai_suspend(). Returns the most threads seen. */
static inline int suspend_until_done(struct batch *b)
{
	int peak = 0, now, eai;

	do {
		eai = gai_suspend(constant(b->list), b->n, NULL);
		must(eai == 0 || eai == EAI_ALLDONE || eai == EAI_INTR);
		now = count_threads();
		if (now > peak)
			peak = now;
	} while (eai != EAI_ALLDONE);
	must(batch_count(b, EAI_INPROGRESS) == 0);
	return peak;
}

/* Notifications that have come. */
static _Atomic int notified;

static inline void on_notify_thread(union sigval value)
{
	(void)value;
	atomic_fetch_add(&notified, 1);
}

static inline void on_notify_signal(int signo)
{
	(void)signo;
	atomic_fetch_add(&notified, 1);
}

static inline struct sigevent by_thread(void)
{
	return (struct sigevent){.sigev_notify = SIGEV_THREAD,
				 .sigev_notify_function = on_notify_thread};
}

/* A real-time signal, so that two would not become one. */
static inline struct sigevent by_signal(void)
{
	struct sigaction action = {.sa_handler = on_notify_signal};

	sigaction(SIGRTMIN, &action, NULL);
	return (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
}

static inline void wait_notified(int n)
{
	while (atomic_load(&notified) < n)
		sleep_ms(1);
	sleep_ms(20); /* for one too many */
	must(atomic_load(&notified) == n);
}

#endif

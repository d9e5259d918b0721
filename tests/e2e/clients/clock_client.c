// SPDX-License-Identifier: MIT
/*
 * clock_client MODE NAME - a program whose clocks jump, for the shim as well: it has a
 * clock_gettime() of its own, which libraries find before libc's.
 *
 *	resume      looks NAME up; meanwhile the machine sleeps for an hour (CLOCK_BOOTTIME jumps,
 *		    CLOCK_MONOTONIC does not); prints the result and the seconds since then
 *	resume_a    the same by getaddrinfo_a()
 *	sleep       looks NAME up, sleeps for an hour, looks it up again; prints both results
 *	wall        looks NAME up; CLOCK_REALTIME jumps ten years ahead, then twenty back; looks it
 *		    up after each, and prints the results
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "client.h"
#include "eai.h"

#define HOUR_S	3600
#define YEARS_S (10L * 365 * 86400)

static _Atomic long boot_s, wall_s; /* what the clocks are ahead by */
static const char *name;

#define EVERYBODYS __attribute__((visibility("default")))

EVERYBODYS int clock_gettime(clockid_t clock, struct timespec *ret)
{
	long r = syscall(SYS_clock_gettime, clock, ret);

	if (r == 0 && clock == CLOCK_BOOTTIME)
		ret->tv_sec += atomic_load(&boot_s);
	if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret->tv_sec += atomic_load(&wall_s);
	return (int)r;
}

EVERYBODYS time_t time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}

EVERYBODYS int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
	return 0;
}

/* A test of the shim proves nothing where the shim has another clock. */
static void must_be_everybodys(void)
{
	must(dlsym(RTLD_DEFAULT, "clock_gettime") == (void *)clock_gettime);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void print(int eai, const struct addrinfo *list)
{
	char text[INET6_ADDRSTRLEN];

	if (eai != 0) {
		printf("%s\n", eai_to_str(eai));
		return;
	}
	for (; list != NULL; list = list->ai_next) {
		getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0,
			    NI_NUMERICHOST);
		printf("%s%s", text, list->ai_next == NULL ? "\n" : " ");
	}
}

static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

static void look_up(void)
{
	struct addrinfo *list = NULL;
	int eai = getaddrinfo(name, NULL, &hints, &list);

	print(eai, list);
	if (list != NULL)
		freeaddrinfo(list);
}

/* ---- modes ---- */

static void *sleep_soon(void *ret_resumed_s)
{
	usleep(300000);
	atomic_store(&boot_s, HOUR_S);
	*(double *)ret_resumed_s = now_s();
	return NULL;
}

static void time_resume(void (*look)(void))
{
	pthread_t thread;
	double resumed_s = 0;

	must(pthread_create(&thread, NULL, sleep_soon, &resumed_s) == 0);
	look();
	must(pthread_join(thread, NULL) == 0);
	printf("%d\n", (int)(now_s() - resumed_s));
}

static void resume(void)
{
	time_resume(look_up);
}

static void look_up_a(void)
{
	struct gaicb cb = {.ar_name = name, .ar_request = &hints}, *list[] = {&cb};

	must(getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0);
	while (gai_error(&cb) == EAI_INPROGRESS)
		usleep(10000);
	print(gai_error(&cb), cb.ar_result);
}

static void resume_a(void)
{
	time_resume(look_up_a);
}

static void sleep_between(void)
{
	look_up();
	atomic_store(&boot_s, HOUR_S);
	look_up();
}

static void wall(void)
{
	look_up();
	atomic_store(&wall_s, YEARS_S);
	look_up();
	atomic_store(&wall_s, -YEARS_S);
	look_up();
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {
		{"resume", resume}, {"resume_a", resume_a}, {"sleep", sleep_between},
		{"wall", wall},	    {NULL, NULL},
	};

	if (argc != 3)
		return 2;
	name = argv[2];
	must_be_everybodys();
	return run_mode(modes, argv[1]);
}

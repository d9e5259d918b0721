// SPDX-License-Identifier: MIT
/*
 * compare_client.c - an event loop as `noblockdns compare` meets it.
 *
 *	compare_client stall FILE NAME...   a timer ticks; at each tick the next name is looked up
 * in the loop. How long each lookup took goes into FILE, a line each, in nanoseconds.
 * compare_client connect FILE NAME    the same with a blocking connect to the name's first
 * address, port 80; the lookup is done before the loop compare_client quiet                twenty
 * ticks, and work of 2 ms at each compare_client forever              ticks until it is killed
 */
#include "client.h"

#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#define TICK_NS 20000000

static char **args;
static FILE *measured;
static int loop, timer;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void open_loop(void)
{
	const struct itimerspec every = {{0, TICK_NS}, {0, TICK_NS}};

	must((loop = epoll_create1(EPOLL_CLOEXEC)) >= 0);
	must((timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) >= 0);
	must(timerfd_settime(timer, 0, &every, NULL) == 0);
	must(epoll_ctl(loop, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN}) == 0);
}

static void wait_for_tick(void)
{
	struct epoll_event event;
	uint64_t ticks;

	must(epoll_wait(loop, &event, 1, -1) == 1);
	must(read(timer, &ticks, sizeof(ticks)) == sizeof(ticks));
}

static struct addrinfo *look_up(const char *name)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;

	must(getaddrinfo(name, "80", &hints, &list) == 0);
	return list;
}

static void tell(uint64_t ns)
{
	must(fprintf(measured, "%llu\n", (unsigned long long)ns) > 0);
}

static void stall(void)
{
	uint64_t before;

	must((measured = fopen(args[0], "a")) != NULL);
	open_loop();
	for (char **name = args + 1; *name; name++) {
		wait_for_tick();
		before = now_ns();
		freeaddrinfo(look_up(*name));
		tell(now_ns() - before);
	}
	wait_for_tick();
	must(fclose(measured) == 0);
}

static void connect_to(void)
{
	struct addrinfo *first = look_up(args[1]);
	int fd = socket(first->ai_family, SOCK_STREAM, 0);
	uint64_t before;

	must(fd >= 0);
	must((measured = fopen(args[0], "a")) != NULL);
	open_loop();
	wait_for_tick();
	before = now_ns();
	must(connect(fd, first->ai_addr, first->ai_addrlen) == 0);
	tell(now_ns() - before);
	wait_for_tick();
	freeaddrinfo(first);
	must(fclose(measured) == 0);
}

static void quiet(void)
{
	open_loop();
	for (int i = 0; i < 20; i++) {
		uint64_t until;

		wait_for_tick();
		until = now_ns() + 2000000;
		while (now_ns() < until)
			;
	}
}

static void forever(void)
{
	for (open_loop();;)
		wait_for_tick();
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {{"stall", stall},
					    {"connect", connect_to},
					    {"quiet", quiet},
					    {"forever", forever},
					    {NULL, NULL}};

	args = argv + (argc > 2 ? 2 : argc);
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}

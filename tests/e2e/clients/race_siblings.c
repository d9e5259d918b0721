// SPDX-License-Identifier: MIT
/*
 * race_siblings.c - a program with two connects to different addresses of one name, one after the
 * other, and none of its own accord to a third: a pool, a proxy.
 *
 *	race_siblings threads|poll same|other HOST PORT MS
 *
 * With two threads, or two non-blocking sockets; to the first address, and MS later to the next of
 * the same family, or to the first of the other one. It prints how many are connected, for which it
 * waits as long as no connect() takes that gets an answer.
 */
#include "race_meanwhile.h"

#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

#define PATIENCE_S 15

static int fds[2];
static const struct addrinfo *targets[2];

static void choose(const struct addrinfo *list, bool same)
{
	const struct addrinfo *next = list->ai_next;

	while (next != NULL && (next->ai_family == list->ai_family) != same)
		next = next->ai_next;
	must(next != NULL);
	targets[0] = list;
	targets[1] = next;
}

static void open_one(unsigned i, int flags)
{
	fds[i] = socket(targets[i]->ai_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	must(fds[i] >= 0);
}

static void *connect_one(void *arg)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	unsigned i = (unsigned)(intptr_t)arg;

	open_one(i, 0);
	must(setsockopt(fds[i], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0);
	(void)connect(fds[i], targets[i]->ai_addr, targets[i]->ai_addrlen);
	return NULL;
}

static void in_threads(useconds_t between_us)
{
	pthread_t threads[2];

	must(pthread_create(&threads[0], NULL, connect_one, (void *)0) == 0);
	usleep(between_us);
	must(pthread_create(&threads[1], NULL, connect_one, (void *)1) == 0);
	join_threads(threads, 2);
}

static void in_one_loop(useconds_t between_us)
{
	for (unsigned i = 0; i < 2; i++) {
		if (i == 1)
			usleep(between_us);
		open_one(i, SOCK_NONBLOCK);
		must(connect(fds[i], targets[i]->ai_addr, targets[i]->ai_addrlen) == -1 &&
		     errno == EINPROGRESS);
	}
	for (unsigned i = 0; i < 2; i++)
		(void)poll(&(struct pollfd){.fd = fds[i], .events = POLLOUT}, 1, PATIENCE_S * 1000);
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	useconds_t between_us;

	if (argc != 6)
		return 2;
	between_us = (useconds_t)atoi(argv[5]) * 1000;
	must(getaddrinfo(argv[3], argv[4], &hints, &list) == 0);
	choose(list, strcmp(argv[2], "same") == 0);
	strcmp(argv[1], "poll") == 0 ? in_one_loop(between_us) : in_threads(between_us);
	printf("connected=%d\n", (peer_family(fds[0]) != 0) + (peer_family(fds[1]) != 0));
	freeaddrinfo(list);
	return 0;
}

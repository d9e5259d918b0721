// SPDX-License-Identifier: MIT
/*
 * life_util.h - what the clients of the lifetime, interrupt and limits tests share. Every name
 * below life.test is 192.0.2.9; names below slow.test take their time, names below lost.test are
 * never answered.
 */
#ifndef LIFE_UTIL_H
#define LIFE_UTIL_H

#include <arpa/inet.h>
#include <netdb.h>
#include <time.h>

#include "client.h"

static inline double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* 0 with the one right address, 1 with another, or EAI_* (negative). */
static inline int look_up(const char *name)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	const struct sockaddr_in *in;
	int r = getaddrinfo(name, "80", &hints, &list);

	if (r != 0)
		return r;
	in = (const struct sockaddr_in *)list->ai_addr;
	if (list->ai_next != NULL || in->sin_addr.s_addr != htonl(0xc0000209))
		r = 1;
	freeaddrinfo(list);
	return r;
}

static inline void must_find(const char *name)
{
	int r = look_up(name);

	if (r != 0) {
		dprintf(1, "%s: %s\n", name, r > 0 ? "wrong address" : gai_strerror(r));
		_exit(1);
	}
}

static inline void must_find_number(const char *prefix, int number)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%d.life.test", prefix, number);
	must_find(name);
}

#endif

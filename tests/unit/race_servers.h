// SPDX-License-Identifier: MIT
/*
 * race_servers.h - servers for races on loopback: 127.0.0.N either answers, or refuses, or is a
 * black hole (a listener whose queue is full drops SYNs). All have the same port.
 */
#ifndef RACE_SERVERS_H
#define RACE_SERVERS_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of this test and its children alone, and none that the kernel gives to a socket that asks for any
 * (32768 to 60999): another test could have that one on the next address. */
static inline in_port_t race_port(void)
{
	static in_port_t port;

	if (port == 0)
		port = htons((in_port_t)(10000 + getpid() % 20000));
	return port;
}

/* 127.0.0.N */
static inline struct sockaddr_in race_server_at(unsigned n)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = race_port(),
				    .sin_addr.s_addr = htonl(0x7f000000 + n)};
}

static inline int race_listen(unsigned n)
{
	struct sockaddr_in addr = race_server_at(n);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	cr_assert_eq(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	cr_assert_eq(bind(s, (struct sockaddr *)&addr, sizeof addr), 0);
	cr_assert_eq(listen(s, 2048), 0);
	return s;
}

/* The queue of a listener holds one more than its backlog; SYNs to a full one are dropped. */
static inline int race_black_hole(unsigned n)
{
	struct sockaddr_in addr = race_server_at(n);
	int s = race_listen(n);

	cr_assert_eq(listen(s, 0), 0);
	for (int i = 0; i < 4; i++) {
		int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		(void)connect(c, (struct sockaddr *)&addr, sizeof addr);
	}
	return s;
}

#endif

// SPDX-License-Identifier: MIT
/*
 * loopback_rig.h - the resolver over its real transport (resolver/channel.c, transport_ares.c),
 * against a server in the test itself, on loopback. For the test_resolver_ares*.c files; each has a
 * rig of its own.
 *
 * The clock is the test's; what the test waits for is bounded by PATIENCE_MS of real time, and it
 * fails when that is used up.
 */
#ifndef LOOPBACK_RIG_H
#define LOOPBACK_RIG_H

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_host.h"
#include "packet_maker.h"

#define NAME	    "www.example.com"
#define PATIENCE_MS 5000
#define SPARE_MS    2000 /* channel_spare.c's */

static struct fake_host host;
static struct resolver *r;
static struct resolver_view *view;
static struct maker m;

static struct {
	int udp, tcp;
	struct sockaddr_in addr;
} server;

static struct {
	unsigned ncalls;
	struct resolver_rrset rrset; /* pointers are stale */
} result;

/* A packet that the server got. */
struct asked {
	struct sockaddr_in from;
	unsigned len;
	unsigned char bytes[512];
};

/* A port that is free for UDP may be taken for TCP. */
static inline bool bind_both(void)
{
	socklen_t len = sizeof(server.addr);

	server.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	server.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	server.addr.sin_family = AF_INET;
	server.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.addr.sin_port = 0;
	cr_assert_eq(bind(server.udp, (struct sockaddr *)&server.addr, len), 0);
	cr_assert_eq(getsockname(server.udp, (struct sockaddr *)&server.addr, &len), 0);
	if (!bind(server.tcp, (struct sockaddr *)&server.addr, len))
		return true;
	close(server.udp);
	close(server.tcp);
	return false;
}

static inline void bind_server(void)
{
	unsigned tries = 100;

	while (!bind_both())
		cr_assert(--tries, "no port is free for UDP and TCP");
	cr_assert_eq(listen(server.tcp, 8), 0);
}

static inline void open_view_to(in_addr_t addr, bool use_tcp)
{
	struct resolver_conf conf = {
		.nupstreams = 1, .timeout_ms = 5000, .attempts = 2, .use_tcp = use_tcp};
	struct sockaddr_in *in = (struct sockaddr_in *)&conf.upstreams[0].addr;

	bind_server();
	*in = server.addr;
	in->sin_addr.s_addr = htonl(addr);
	fake_host_init(&host);
	cr_assert_eq(noblockdns_resolver.open(&host.host, &r), 0);
	cr_assert_eq(noblockdns_resolver.view_open(r, &conf, &view), 0);
}

static inline void open_view(bool use_tcp)
{
	open_view_to(INADDR_LOOPBACK, use_tcp);
}

static inline void on_done(void *arg, const struct resolver_rrset *rrset)
{
	(void)arg;
	result.ncalls++;
	result.rrset = *rrset;
}

/* Whoever asks waits for `patience_ms`; the question goes on for 60 s. */
static inline struct resolver_query *ask_for(enum resolver_type type, unsigned patience_ms)
{
	const struct resolver_question question = {
		.name = NAME,
		.type = type,
		.deadline_ms = host.now_ms + 60000,
		.given_up_ms = host.now_ms + patience_ms,
		.done = on_done,
	};
	struct resolver_query *q;

	cr_assert_eq(noblockdns_resolver.query(view, &question, host.now_ms, &q), 0);
	return q;
}

static inline struct resolver_query *ask(enum resolver_type type)
{
	return ask_for(type, 60000);
}

/* Lets the resolver work until done() was called `ncalls` times. */
static inline void run_until(unsigned ncalls)
{
	for (int waited_ms = 0; result.ncalls < ncalls && waited_ms < PATIENCE_MS;
	     waited_ms += 10) {
		fake_host_poll(&host, r, 10);
		fake_host_advance(&host, r, host.now_ms);
	}
	cr_assert_eq(result.ncalls, ncalls, "done() was called %u times, not %u", result.ncalls,
		     ncalls);
}

/* Lets the resolver do what is to do without waiting. */
static inline void run_briefly(void)
{
	while (fake_host_poll(&host, r, 20) > 0)
		;
	fake_host_advance(&host, r, host.now_ms);
}

static inline void wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int ready = 0;

	for (int waited_ms = 0; !ready && waited_ms < PATIENCE_MS; waited_ms += 10) {
		ready = poll(&p, 1, 10);
		if (!ready)
			fake_host_poll(&host, r, 0);
	}
	cr_assert_eq(ready, 1, "the server got nothing");
}

static inline struct asked take(void)
{
	struct asked a;
	socklen_t from_len = sizeof(a.from);

	wait_readable(server.udp);
	a.len = (unsigned)recvfrom(server.udp, a.bytes, sizeof(a.bytes), 0,
				   (struct sockaddr *)&a.from, &from_len);
	return a;
}

static inline void send_from(int fd, const struct asked *to, const void *bytes, unsigned len)
{
	cr_assert_eq(
		sendto(fd, bytes, len, 0, (const struct sockaddr *)&to->from, sizeof(to->from)),
		(ssize_t)len);
}

static inline uint16_t id_of(const struct asked *a)
{
	return (uint16_t)(a->bytes[0] << 8 | a->bytes[1]);
}

static inline void make_answer(uint16_t id, unsigned flags, const char *name)
{
	maker_begin(&m, id, MAKER_ANSWER | flags, name, ns_t_a);
	maker_addr(&m, name, 60, "192.0.2.1");
}

static inline void answer(const struct asked *a)
{
	make_answer(id_of(a), 0, NAME);
	send_from(server.udp, a, m.bytes, m.len);
}

static inline void expect_answer(void)
{
	run_until(1);
	cr_assert_eq(result.rrset.kind, RESOLVER_ANSWER, "kind %d, failure %d", result.rrset.kind,
		     result.rrset.failure);
	cr_assert_eq(host.held, 0, "hold() without drop()");
}

static inline void close_all(void)
{
	noblockdns_resolver.close(r);
	cr_assert_eq(fake_host_nopen(&host), 0, "%u sockets are open", fake_host_nopen(&host));
	cr_assert_eq(host.held, 0);
}

#endif

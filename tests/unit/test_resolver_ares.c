// SPDX-License-Identifier: MIT
/*
 * test_resolver_ares.c - the resolver over its real transport (resolver/channel.c,
 * transport_ares.c), against a server in the test itself, on loopback. The clock is the test's;
 * what the test waits for is bounded by PATIENCE_MS of real time, and it fails when that is used
 * up.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
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

static void bind_server(void)
{
	socklen_t len = sizeof(server.addr);

	server.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	server.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	server.addr.sin_family = AF_INET;
	server.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(server.udp, (struct sockaddr *)&server.addr, len), 0);
	cr_assert_eq(getsockname(server.udp, (struct sockaddr *)&server.addr, &len), 0);
	cr_assert_eq(bind(server.tcp, (struct sockaddr *)&server.addr, len), 0);
	cr_assert_eq(listen(server.tcp, 8), 0);
}

static void open_view_to(in_addr_t addr, bool use_tcp)
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

static void open_view(bool use_tcp)
{
	open_view_to(INADDR_LOOPBACK, use_tcp);
}

static void on_done(void *arg, const struct resolver_rrset *rrset)
{
	(void)arg;
	result.ncalls++;
	result.rrset = *rrset;
}

static struct resolver_query *ask(enum resolver_type type)
{
	const struct resolver_question question = {
		.name = NAME, .type = type, .deadline_ms = host.now_ms + 60000, .done = on_done};
	struct resolver_query *q;

	cr_assert_eq(noblockdns_resolver.query(view, &question, host.now_ms, &q), 0);
	return q;
}

/* Lets the resolver work until done() was called `ncalls` times. */
static void run_until(unsigned ncalls)
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
static void run_briefly(void)
{
	while (fake_host_poll(&host, r, 20) > 0)
		;
	fake_host_advance(&host, r, host.now_ms);
}

static void wait_readable(int fd)
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

static struct asked take(void)
{
	struct asked a;
	socklen_t from_len = sizeof(a.from);

	wait_readable(server.udp);
	a.len = (unsigned)recvfrom(server.udp, a.bytes, sizeof(a.bytes), 0,
				   (struct sockaddr *)&a.from, &from_len);
	return a;
}

static void send_from(int fd, const struct asked *to, const void *bytes, unsigned len)
{
	cr_assert_eq(
		sendto(fd, bytes, len, 0, (const struct sockaddr *)&to->from, sizeof(to->from)),
		(ssize_t)len);
}

static uint16_t id_of(const struct asked *a)
{
	return (uint16_t)(a->bytes[0] << 8 | a->bytes[1]);
}

static void make_answer(uint16_t id, unsigned flags, const char *name)
{
	maker_begin(&m, id, MAKER_ANSWER | flags, name, ns_t_a);
	maker_addr(&m, name, 60, "192.0.2.1");
}

static void answer(const struct asked *a)
{
	make_answer(id_of(a), 0, NAME);
	send_from(server.udp, a, m.bytes, m.len);
}

static void expect_answer(void)
{
	run_until(1);
	cr_assert_eq(result.rrset.kind, RESOLVER_ANSWER, "kind %d, failure %d", result.rrset.kind,
		     result.rrset.failure);
	cr_assert_eq(host.held, 0, "hold() without drop()");
}

static void close_all(void)
{
	noblockdns_resolver.close(r);
	cr_assert_eq(fake_host_nopen(&host), 0, "%u sockets are open", fake_host_nopen(&host));
	cr_assert_eq(host.held, 0);
}

/* ---- UDP ---- */

Test(ares, answer_over_udp)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	answer(&a);
	expect_answer();
	cr_assert_eq(result.rrset.naddrs, 1);
	cr_assert_eq(host.nsockets, 1);
	fake_host_advance(&host, r, host.now_ms + SPARE_MS);
	cr_assert_eq(fake_host_nopen(&host), 0, "the socket is still open");
	close_all();
}

/* ---- the spare socket ---- */

static struct asked ask_and_answer(unsigned ncalls)
{
	struct asked a;

	ask(RESOLVER_A);
	a = take();
	answer(&a);
	run_until(ncalls);
	cr_assert_eq(result.rrset.kind, RESOLVER_ANSWER);
	return a;
}

Test(ares, next_question_takes_the_spare_socket_and_another_port)
{
	struct asked first, second;

	open_view(false);
	first = ask_and_answer(1);
	second = ask_and_answer(2);
	cr_assert_eq(host.nsockets, 1);
	cr_assert_neq(first.from.sin_port, second.from.sin_port);
	close_all();
}

/* The timer has had no time to renew it. */
Test(ares, spare_that_is_taken_at_once_has_another_port_too)
{
	struct asked first, second;

	open_view(false);
	ask(RESOLVER_A);
	first = take();
	answer(&first);
	while (result.ncalls == 0)
		cr_assert_gt(fake_host_poll(&host, r, PATIENCE_MS), 0);
	ask(RESOLVER_A);
	second = take();
	cr_assert_eq(host.nsockets, 1);
	cr_assert_neq(first.from.sin_port, second.from.sin_port);
	close_all();
}

static in_port_t port_of(unsigned socket)
{
	struct sockaddr_in self;
	socklen_t len = sizeof(self);

	cr_assert_eq(getsockname(host.sockets[socket].fd, (struct sockaddr *)&self, &len), 0);
	return self.sin_port;
}

/* It would stand in the way of the answer that is still to come. */
Test(ares, spare_is_renewed_after_the_last_answer)
{
	struct asked first, second;

	open_view(false);
	ask(RESOLVER_A);
	first = take();
	ask(RESOLVER_A);
	second = take();
	answer(&first);
	run_until(1);
	run_briefly();
	cr_expect_eq(port_of(0), first.from.sin_port, "renewed while one is waited for");
	answer(&second);
	run_until(2);
	run_briefly();
	cr_expect_neq(port_of(0), first.from.sin_port, "not renewed");
	close_all();
}

Test(ares, spare_that_is_sent_something_is_closed)
{
	struct asked a;
	socklen_t len = sizeof(a.from);

	open_view(false);
	a = ask_and_answer(1);
	cr_assert_eq(fake_host_nopen(&host), 1);
	cr_assert_eq(getsockname(host.sockets[0].fd, (struct sockaddr *)&a.from, &len), 0);
	answer(&a);
	run_briefly();
	cr_assert_eq(fake_host_nopen(&host), 0);
	ask_and_answer(2);
	close_all();
}

/* A second answer, perhaps a forged one, must not stay in the socket for the next question. */
Test(ares, socket_that_holds_another_packet_is_no_spare)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	answer(&a);
	answer(&a);
	expect_answer();
	cr_assert_eq(fake_host_nopen(&host), 0);
	close_all();
}

/* What c-ares reads after it is nothing, and that is no error of the socket. */
Test(ares, dropped_packet_does_not_cost_the_spare)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	make_answer((uint16_t)(id_of(&a) ^ 1), 0, NAME);
	send_from(server.udp, &a, m.bytes, m.len);
	run_briefly();
	cr_assert_eq(result.ncalls, 0);
	answer(&a);
	expect_answer();
	ask_and_answer(2);
	cr_assert_eq(host.nsockets, 1, "%u sockets were made", host.nsockets);
	close_all();
}

Test(ares, spare_that_the_program_took_is_replaced)
{
	open_view(false);
	ask_and_answer(1);
	host.sockets[0].stolen = true;
	ask_and_answer(2);
	cr_assert_eq(host.nsockets, 2);
	close_all();
}

Test(ares, scope_and_family_of_an_ipv6_upstream)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct resolver_conf conf = {.nupstreams = 1, .timeout_ms = 5000, .attempts = 2};
	struct sockaddr_in6 from;
	socklen_t len = sizeof(in6);
	unsigned char bytes[512];

	server.udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (server.udp < 0 || bind(server.udp, (struct sockaddr *)&in6, len))
		cr_skip_test("no IPv6 loopback here");
	getsockname(server.udp, (struct sockaddr *)&in6, &len);
	memcpy(&conf.upstreams[0].addr, &in6, sizeof(in6));
	fake_host_init(&host);
	noblockdns_resolver.open(&host.host, &r);
	noblockdns_resolver.view_open(r, &conf, &view);
	ask(RESOLVER_A);
	wait_readable(server.udp);
	len = sizeof(from);
	recvfrom(server.udp, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len);
	make_answer((uint16_t)(bytes[0] << 8 | bytes[1]), 0, NAME);
	sendto(server.udp, m.bytes, m.len, 0, (struct sockaddr *)&from, len);
	expect_answer();
	close_all();
}

/* "nameserver 0.0.0.0": the answers come from 127.0.0.1. */
Test(ares, unspecified_upstream_is_the_loopback)
{
	struct asked a;

	open_view_to(INADDR_ANY, false);
	ask(RESOLVER_A);
	a = take();
	answer(&a);
	expect_answer();
	close_all();
}

/* Something that must not be taken for the answer. */
enum lie {
	LIE_ID,
	LIE_QUESTION,
	LIE_TYPE,
	LIE_CLASS,
	LIE_QUERY,
	LIE_OPCODE,
	LIE_NO_QUESTION,
	LIE_SHORT,
	LIE_EMPTY,
	LIE_PORT,
	LIE_COUNT,
};

static void tell(enum lie lie, const struct asked *a, int stranger)
{
	int fd = server.udp;

	make_answer(id_of(a), 0, NAME);
	switch (lie) {
	case LIE_ID:
		m.bytes[0] ^= 1;
		break;
	case LIE_QUESTION:
		make_answer(id_of(a), 0, "www.example.org");
		break;
	case LIE_TYPE:
		m.bytes[12 + 17 + 1] = ns_t_aaaa;
		break;
	case LIE_CLASS:
		m.bytes[12 + 17 + 3] = ns_c_chaos;
		break;
	case LIE_QUERY:
		m.bytes[2] &= 0x7f;
		break;
	case LIE_OPCODE:
		m.bytes[2] |= ns_o_notify << 3;
		break;
	case LIE_NO_QUESTION:
		m.bytes[5] = 0;
		break;
	case LIE_SHORT:
		m.len = 11;
		break;
	case LIE_EMPTY:
		m.len = 0;
		break;
	case LIE_PORT:
		fd = stranger;
		break;
	case LIE_COUNT:
		break;
	}
	send_from(fd, a, m.bytes, m.len);
}

Test(ares, lies_are_dropped_and_the_truth_awaited)
{
	int stranger = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	for (enum lie lie = 0; lie < LIE_COUNT; lie++) {
		tell(lie, &a, stranger);
		run_briefly();
		cr_assert_eq(result.ncalls, 0, "lie %d was believed", lie);
		cr_assert_eq(fake_host_nopen(&host), 1, "lie %d ended the attempt", lie);
	}
	answer(&a);
	expect_answer();
	close_all();
}

Test(ares, flood_of_junk_does_not_hide_the_answer)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	for (int i = 0; i < 100; i++)
		tell(i % LIE_PORT, &a, -1);
	answer(&a);
	expect_answer();
	close_all();
}

Test(ares, answer_in_another_case_is_accepted)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	make_answer(id_of(&a), 0, "WWW.Example.COM");
	send_from(server.udp, &a, m.bytes, m.len);
	expect_answer();
	close_all();
}

/* Without its EDNS flag c-ares reports 512 bytes of a datagram at most. */
Test(ares, datagram_beyond_512_bytes_arrives_whole)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	maker_begin(&m, id_of(&a), MAKER_ANSWER, NAME, ns_t_a);
	for (uint32_t i = 0; i < 74; i++)
		maker_question_addr(&m, 60, i);
	cr_assert(m.len > 1200 && m.len <= 1232);
	send_from(server.udp, &a, m.bytes, m.len);
	expect_answer();
	cr_assert_eq(result.rrset.naddrs, 74);
	close_all();
}

Test(ares, bare_formerr_header_turns_edns_off)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	cr_assert_eq(a.bytes[11], 1, "no EDNS");
	a.bytes[2] |= 0x80;
	a.bytes[3] = ns_r_formerr;
	memset(a.bytes + 4, 0, 8);
	send_from(server.udp, &a, a.bytes, 12);
	run_briefly();
	a = take();
	cr_assert_eq(a.bytes[11], 0, "still EDNS");
	answer(&a);
	expect_answer();
	close_all();
}

Test(ares, a_and_aaaa_leave_from_different_ports)
{
	struct asked first, second;

	open_view(false);
	ask(RESOLVER_A);
	ask(RESOLVER_AAAA);
	first = take();
	second = take();
	cr_assert_neq(first.from.sin_port, second.from.sin_port);
	cr_assert_neq(id_of(&first), id_of(&second));
	close_all();
}

Test(ares, retransmit_leaves_from_another_port_and_both_are_heard)
{
	struct asked first, second;

	open_view(false);
	ask(RESOLVER_A);
	first = take();
	fake_host_advance(&host, r, host.now_ms + 1000);
	second = take();
	cr_assert_neq(first.from.sin_port, second.from.sin_port);
	answer(&first);
	expect_answer();
	cr_assert_eq(fake_host_nopen(&host), 1, "the second attempt's socket is still open");
	close_all();
}

Test(ares, closed_port_fails_at_once)
{
	open_view(false);
	close(server.udp);
	ask(RESOLVER_A);
	run_until(1);
	cr_assert_eq(result.rrset.failure, RESOLVER_UNREACHABLE);
	cr_assert_eq(fake_host_nopen(&host), 0);
	close_all();
}

Test(ares, stolen_socket_is_replaced)
{
	struct asked a;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	host.sockets[0].stolen = true;
	answer(&a);
	run_briefly();
	cr_assert_eq(result.ncalls, 0);
	a = take();
	answer(&a);
	expect_answer();
	close_all();
}

Test(ares, no_descriptor_left_fails_at_once)
{
	open_view(false);
	host.socket_error = EMFILE;
	ask(RESOLVER_A);
	run_until(1);
	cr_assert_eq(result.rrset.failure, RESOLVER_NO_MEMORY);
	close_all();
}

Test(ares, cancel_closes_the_socket)
{
	struct resolver_query *q;

	open_view(false);
	q = ask(RESOLVER_A);
	cr_assert_eq(fake_host_nopen(&host), 1);
	noblockdns_resolver.cancel(q);
	cr_assert_eq(fake_host_nopen(&host), 0);
	close_all();
}

Test(ares, view_close_closes_the_sockets)
{
	open_view(false);
	ask(RESOLVER_A);
	ask(RESOLVER_AAAA);
	noblockdns_resolver.view_close(view);
	cr_assert_eq(result.ncalls, 2);
	cr_assert_eq(fake_host_nopen(&host), 0);
	close_all();
}

Test(ares, abandon_closes_the_sockets_and_calls_nobody)
{
	open_view(false);
	ask(RESOLVER_A);
	noblockdns_resolver.abandon(r);
	cr_assert_eq(result.ncalls, 0);
	cr_assert_eq(fake_host_nopen(&host), 0);
}

Test(ares, many_queries_share_a_few_sockets)
{
	enum { N = 50 };
	static struct asked all[N];

	open_view(false);
	for (int i = 0; i < N; i++)
		ask(RESOLVER_A);
	cr_assert_eq(host.nsockets, 8);
	for (int i = 0; i < N; i++)
		all[i] = take();
	for (int i = N - 1; i >= 0; i--) /* not in the order of asking */
		answer(&all[i]);
	run_until(N);
	cr_assert_eq(result.rrset.kind, RESOLVER_ANSWER);
	cr_assert_eq(fake_host_nopen(&host), 2, "%u spare sockets", fake_host_nopen(&host));
	fake_host_advance(&host, r, host.now_ms + SPARE_MS);
	cr_assert_eq(fake_host_nopen(&host), 0);
	close_all();
}

Test(ares, cancel_of_one_leaves_those_on_the_same_socket)
{
	enum { N = 16 };
	static struct asked all[N];
	struct resolver_query *queries[N];

	open_view(false);
	for (int i = 0; i < N; i++) {
		queries[i] = ask(RESOLVER_A);
		all[i] = take();
	}
	for (int i = 0; i < N; i += 2)
		noblockdns_resolver.cancel(queries[i]);
	for (int i = 0; i < N; i++)
		answer(&all[i]);
	run_until(N / 2);
	run_briefly();
	cr_assert_eq(result.ncalls, N / 2);
	close_all();
}

/* ---- TCP ---- */

static int accept_one(void)
{
	wait_readable(server.tcp);
	return accept4(server.tcp, NULL, NULL, SOCK_CLOEXEC);
}

static struct asked take_stream(int fd)
{
	struct asked a = {.len = 0};
	unsigned char prefix[2];

	wait_readable(fd);
	cr_assert_eq(recv(fd, prefix, 2, MSG_WAITALL), 2);
	a.len = (unsigned)(prefix[0] << 8 | prefix[1]);
	cr_assert_leq(a.len, sizeof(a.bytes));
	cr_assert_eq(recv(fd, a.bytes, a.len, MSG_WAITALL), (ssize_t)a.len);
	return a;
}

/* Sends what the maker holds, as a message; the resolver reads while it is written. */
static void send_stream(int fd)
{
	static unsigned char message[2 + MAKER_MAX];
	unsigned sent = 0;

	message[0] = (unsigned char)(m.len >> 8);
	message[1] = (unsigned char)m.len;
	memcpy(message + 2, m.bytes, m.len);
	while (sent < m.len + 2) {
		ssize_t n = send(fd, message + sent, m.len + 2 - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			sent += (unsigned)n;
		else
			cr_assert(n < 0 && errno == EAGAIN, "send: %s", strerror(errno));
		fake_host_poll(&host, r, 0);
	}
}

static void answer_stream(int fd, const struct asked *a)
{
	make_answer(id_of(a), 0, NAME);
	send_stream(fd);
}

Test(ares, truncated_answer_is_asked_again_over_tcp)
{
	struct asked a;
	int fd;

	open_view(false);
	ask(RESOLVER_A);
	a = take();
	make_answer(id_of(&a), MAKER_TC, NAME);
	send_from(server.udp, &a, m.bytes, m.len);
	run_briefly();
	fd = accept_one();
	a = take_stream(fd);
	answer_stream(fd, &a);
	expect_answer();
	close_all();
}

Test(ares, truncated_answer_and_no_tcp_fails_at_once)
{
	struct asked a;

	open_view(false);
	close(server.tcp);
	ask(RESOLVER_A);
	a = take();
	make_answer(id_of(&a), MAKER_TC, NAME);
	send_from(server.udp, &a, m.bytes, m.len);
	run_until(1);
	cr_assert_eq(result.rrset.failure, RESOLVER_UNREACHABLE);
	close_all();
}

Test(ares, answer_of_64_kb_over_tcp)
{
	struct asked a;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	a = take_stream(fd);
	maker_begin(&m, id_of(&a), MAKER_ANSWER, NAME, ns_t_a);
	for (uint32_t i = 0; i < 4093; i++)
		maker_question_addr(&m, 60, i);
	cr_assert(m.len > 65500);
	send_stream(fd);
	expect_answer();
	cr_assert_eq(result.rrset.naddrs, 4093);
	close_all();
}

Test(ares, answer_byte_by_byte_over_tcp)
{
	struct asked a;
	unsigned char prefix[2];
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	a = take_stream(fd);
	make_answer(id_of(&a), 0, NAME);
	prefix[0] = 0;
	prefix[1] = (unsigned char)m.len;
	for (unsigned i = 0; i < m.len + 2; i++) {
		cr_assert_eq(result.ncalls, 0);
		cr_assert_eq(send(fd, i < 2 ? prefix + i : m.bytes + i - 2, 1, 0), 1);
		run_briefly();
	}
	expect_answer();
	close_all();
}

Test(ares, answers_over_one_connection_in_any_order)
{
	struct asked first, second;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	ask(RESOLVER_A);
	fd = accept_one();
	first = take_stream(fd);
	second = take_stream(fd);
	cr_assert_neq(id_of(&first), id_of(&second));
	answer_stream(fd, &second);
	answer_stream(fd, &first);
	run_until(2);
	cr_assert_eq(host.nsockets, 1);
	close_all();
}

/* Asks and answers one question over TCP; returns the server's end of the connection. */
static int open_connection(void)
{
	struct asked a;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	a = take_stream(fd);
	answer_stream(fd, &a);
	expect_answer();
	result.ncalls = 0;
	return fd;
}

Test(ares, connection_is_used_again)
{
	int fd = open_connection();
	struct asked a;

	ask(RESOLVER_A);
	a = take_stream(fd);
	answer_stream(fd, &a);
	expect_answer();
	cr_assert_eq(host.nsockets, 1);
	close_all();
}

Test(ares, connection_is_closed_when_idle)
{
	open_connection();
	cr_assert_eq(fake_host_nopen(&host), 1);
	fake_host_advance(&host, r, host.now_ms + 19999);
	cr_assert_eq(fake_host_nopen(&host), 1);
	fake_host_advance(&host, r, host.now_ms + 1);
	cr_assert_eq(fake_host_nopen(&host), 0);
	close_all();
}

Test(ares, connection_closed_by_the_server_while_idle_is_opened_anew)
{
	int fd = open_connection();
	struct asked a;

	close(fd);
	run_briefly();
	cr_assert_eq(fake_host_nopen(&host), 0);
	ask(RESOLVER_A);
	fd = accept_one();
	a = take_stream(fd);
	answer_stream(fd, &a);
	expect_answer();
	close_all();
}

Test(ares, connection_closed_under_a_question_is_not_a_failure)
{
	int fd = open_connection();
	struct asked a;

	ask(RESOLVER_A);
	take_stream(fd);
	close(fd);
	fd = accept_one();
	a = take_stream(fd);
	answer_stream(fd, &a);
	expect_answer();
	close_all();
}

Test(ares, new_connection_closed_without_an_answer_is_a_failure)
{
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	take_stream(fd);
	close(fd);
	run_until(1);
	cr_assert_eq(result.rrset.failure, RESOLVER_UNREACHABLE);
	close_all();
}

Test(ares, silent_connection_is_replaced)
{
	struct asked a;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	take_stream(fd);
	fake_host_advance(&host, r, host.now_ms + 1000);
	cr_assert_eq(host.nsockets, 2);
	cr_assert_eq(fake_host_nopen(&host), 1, "the old connection is still open");
	fd = accept_one();
	a = take_stream(fd);
	answer_stream(fd, &a);
	expect_answer();
	close_all();
}

Test(ares, message_of_length_zero_is_a_failure)
{
	static const unsigned char zero[2];
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	take_stream(fd);
	cr_assert_eq(send(fd, zero, 2, 0), 2);
	run_until(1);
	cr_assert_eq(result.rrset.kind, RESOLVER_FAILURE);
	close_all();
}

Test(ares, wrong_id_over_tcp_is_passed_over)
{
	struct asked a;
	int fd;

	open_view(true);
	ask(RESOLVER_A);
	fd = accept_one();
	a = take_stream(fd);
	make_answer(id_of(&a) ^ 1, 0, NAME);
	send_stream(fd);
	run_briefly();
	cr_assert_eq(result.ncalls, 0);
	answer_stream(fd, &a);
	expect_answer();
	close_all();
}

/* ---- descriptors behind c-ares's back ---- */

FILE *__wrap_fopen(const char *path, const char *mode);

Test(ares, random_file_is_no_descriptor)
{
	unsigned char zero[31] = {0}, bytes[31] = {0};
	FILE *f = __wrap_fopen("/dev/urandom", "rb");

	cr_assert_not_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	cr_assert_eq(fileno(f), -1);
	cr_assert_eq(fread(bytes, 1, sizeof(bytes), f), sizeof(bytes));
	cr_assert_neq(memcmp(bytes, zero, sizeof(bytes)), 0);
	fclose(f);
}

Test(ares, other_files_are_opened_as_usual)
{
	FILE *f = __wrap_fopen("/proc/self/stat", "r");

	cr_assert_not_null(f);
	cr_assert_geq(fileno(f), 0);
	fclose(f);
	cr_assert_null(__wrap_fopen("/nonexistent/file", "r"));
}

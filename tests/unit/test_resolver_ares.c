// SPDX-License-Identifier: MIT
/*
 * test_resolver_ares.c - questions over UDP: what counts as an answer, what happens to the sockets,
 * and what ends an attempt.
 */
#include <malloc.h>

#include "loopback_rig.h"

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
	cr_assert_eq(result.rrset.failure, RESOLVER_LOCAL_ERROR);
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

/* Somebody always waits, and nothing ever comes: a question that is over must not stay for ever. A
 * thousand on each of eight channels, of 2 KB, may. */
Test(ares, server_that_is_silent_for_long_costs_no_more_memory)
{
	enum { NLIVE = 32, N = 60000, LIMIT = 40 << 20 };
	struct resolver_query *live[NLIVE];

	open_view(false);
	for (int i = 0; i < N; i++) {
		if (i >= NLIVE)
			noblockdns_resolver.cancel(live[i % NLIVE]);
		live[i % NLIVE] = ask(RESOLVER_A);
	}
	cr_assert_lt(mallinfo2().uordblks, LIMIT, "%zu bytes", mallinfo2().uordblks);
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

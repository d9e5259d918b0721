// SPDX-License-Identifier: MIT
/*
 * test_resolver_bootstrap.c - the addresses of an upstream that is known by its host name
 * (resolver/bootstrap.c): what is asked of whom, what is handed over and when.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "query_fixture.h"
#include "resolver/address.h"

#define HOST	"dns.example"
#define SERVER	50 /* the bootstrap servers' addresses end in this, and 1 more */
#define HALF_MS 50 /* what one type is waited for */

/* What found() was called with, by lookup. */
static struct {
	unsigned ncalls;
	int error;
	uint64_t at_ms; /* after the start */
	unsigned naddrs;
	struct sockaddr_storage addrs[16];
	uint32_t ttl_s;
} found[3];

static struct transport_lookup *lookups[3];
static bool look_up_again; /* within the next found() */

static struct resolver_conf by_name(unsigned nservers)
{
	struct resolver_conf conf = fixture_conf("s");

	conf.upstreams[0] = (struct resolver_upstream){.transport = RESOLVER_TLS, .port = 8853};
	strcpy(conf.upstreams[0].host, HOST);
	for (unsigned i = 0; i < nservers; i++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&conf.bootstrap[i];

		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(0x0a000000 + SERVER + i);
		in->sin_port = htons(53);
	}
	conf.nbootstrap = nservers;
	return conf;
}

/* The question is packet 0, over the fake TLS. */
static void open_conf(const struct resolver_conf *conf)
{
	memset(found, 0, sizeof(found));
	fixture_open(conf);
	fixture_ask();
	fixture_expect_nsends(1);
}

static void open_view(unsigned nservers)
{
	struct resolver_conf conf = by_name(nservers);

	open_conf(&conf);
}

static void look_up(unsigned k);

static void on_found(void *arg, int error, const struct sockaddr_storage *addrs, unsigned naddrs,
		     uint32_t ttl_s)
{
	unsigned k = (unsigned)(uintptr_t)arg;

	found[k].ncalls++;
	found[k].error = error;
	found[k].at_ms = fixture_host.now_ms - FIXTURE_START;
	found[k].naddrs = naddrs;
	found[k].ttl_s = ttl_s;
	if (!error)
		memcpy(found[k].addrs, addrs, naddrs * sizeof(*addrs));
	lookups[k] = NULL;
	if (look_up_again) {
		look_up_again = false;
		look_up(2);
	}
}

/* As an engine starts it, from a task. */
static void look_up(unsigned k)
{
	const struct transport_resolver *resolver = &fake_tls_conf.resolver;
	unsigned ncalls = found[k].ncalls;

	cr_assert_eq(resolver->start(resolver->ctx, on_found, (void *)(uintptr_t)k, &lookups[k]),
		     0);
	cr_assert_eq(found[k].ncalls, ncalls, "found() was called from inside start()");
}

static void run(void)
{
	noblockdns_resolver.tick(fixture_r, fixture_host.now_ms);
	fixture_advance(fixture_host.now_ms - FIXTURE_START);
}

/* Lookup 0 now: the questions are the next two packets. */
static void start(void)
{
	run(); /* so that the resolver knows the time */
	look_up(0);
	run();
}

static unsigned type_of(unsigned i)
{
	return fake_sends[i].packet[12 + sizeof(HOST) + 2];
}

/* Packet `i`, one of the two questions, gets these addresses ("a b c"), or NODATA, or an error. */
static void answer(unsigned i, unsigned rcode, const char *addrs, uint32_t ttl_s)
{
	static struct maker m;
	char copy[512], *save = NULL;

	maker_begin(&m, 0, MAKER_ANSWER | rcode, HOST, type_of(i));
	snprintf(copy, sizeof(copy), "%s", addrs);
	for (char *a = strtok_r(copy, " ", &save); a; a = strtok_r(NULL, " ", &save))
		maker_addr(&m, HOST, ttl_s, a);
	fake_answer(i, m.bytes, m.len);
	run();
}

static const char *found_to_str(unsigned k)
{
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < found[k].naddrs; i++) {
		char one[ADDRESS_TEXT];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					address_to_str(&found[k].addrs[i], one));
	}
	return text;
}

static void expect_found(unsigned k, const char *addrs, uint32_t ttl_s, uint64_t at_ms)
{
	cr_assert_eq(found[k].ncalls, 1, "found() was called %u times", found[k].ncalls);
	cr_assert_eq(found[k].error, 0, "error %d", found[k].error);
	cr_assert_str_eq(found_to_str(k), addrs);
	cr_assert_eq(found[k].ttl_s, ttl_s, "TTL %u", found[k].ttl_s);
	cr_assert_eq(found[k].at_ms, at_ms, "at %lu ms", (unsigned long)found[k].at_ms);
}

static void expect_unreachable(unsigned k, uint64_t at_ms)
{
	cr_assert_eq(found[k].ncalls, 1, "found() was called %u times", found[k].ncalls);
	cr_assert_eq(found[k].error, -EHOSTUNREACH, "error %d", found[k].error);
	cr_assert_eq(found[k].at_ms, at_ms, "at %lu ms", (unsigned long)found[k].at_ms);
}

/* As an engine that is closed. */
static void close_view(void)
{
	for (unsigned k = 0; k < 3; k++)
		if (lookups[k])
			fake_tls_conf.resolver.cancel(lookups[k]);
	fixture_close();
}

/* ---- what is asked ---- */

Test(resolver_bootstrap, asks_for_both_types_in_clear_text)
{
	open_view(1);
	start();
	fixture_expect_nsends(3);
	fixture_expect_send(1, SERVER, RESOLVER_UDP, 0);
	fixture_expect_send(2, SERVER, RESOLVER_UDP, 0);
	cr_assert_eq(type_of(1), RESOLVER_AAAA);
	cr_assert_eq(type_of(2), RESOLVER_A);
	cr_assert_eq(memcmp(fake_sends[1].packet + 12, "\3dns\7example", 13), 0);
	close_view();
}

Test(resolver_bootstrap, truncated_answer_goes_on_over_tcp)
{
	open_view(1);
	start();
	answer(1, MAKER_TC, "", 0);
	fixture_expect_send(3, SERVER, RESOLVER_TCP, 0);
	close_view();
}

Test(resolver_bootstrap, nothing_is_asked_of_an_upstream_over_tls)
{
	open_view(2);
	start();
	fixture_advance(3000);
	cr_assert_gt(fake_nsends, 5);
	for (unsigned i = 1; i < fake_nsends; i++) {
		cr_assert_eq(fake_sends[i].protocol, RESOLVER_UDP, "packet %u", i);
		cr_assert(fake_sends[i].upstream == SERVER || fake_sends[i].upstream == SERVER + 1,
			  "packet %u", i);
	}
	close_view();
}

/* ---- what is handed over ---- */

Test(resolver_bootstrap, ipv6_first_with_the_port_and_the_lesser_ttl)
{
	open_view(1);
	start();
	fixture_advance(10);
	answer(2, 0, "192.0.2.1 192.0.2.2", 60);
	cr_assert_eq(found[0].ncalls, 0);
	fixture_advance(20);
	answer(1, 0, "2001:db8::1", 90);
	expect_found(0, "[2001:db8::1]:8853 192.0.2.1:8853 192.0.2.2:8853", 60, 20);
	close_view();
}

Test(resolver_bootstrap, other_type_is_waited_for_50_ms)
{
	open_view(1);
	start();
	fixture_advance(10);
	answer(2, 0, "192.0.2.1", 60);
	fixture_advance(10 + HALF_MS - 1);
	cr_assert_eq(found[0].ncalls, 0);
	fixture_advance(10 + HALF_MS);
	expect_found(0, "192.0.2.1:8853", 60, 10 + HALF_MS);
	close_view();
}

Test(resolver_bootstrap, type_without_addresses_is_no_reason_to_wait)
{
	open_view(1);
	start();
	answer(1, 0, "", 0);
	fixture_advance(500);
	cr_assert_eq(found[0].ncalls, 0);
	answer(2, 0, "192.0.2.1", 60);
	expect_found(0, "192.0.2.1:8853", 60, 500);
	close_view();
}

Test(resolver_bootstrap, many_addresses_leave_room_for_the_other_family)
{
	open_view(1);
	start();
	answer(1, 0, "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5", 60);
	answer(2, 0, "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5", 60);
	cr_assert_eq(found[0].naddrs, 8);
	cr_assert_eq(found[0].addrs[3].ss_family, AF_INET6);
	cr_assert_eq(found[0].addrs[4].ss_family, AF_INET);
	close_view();
}

Test(resolver_bootstrap, name_that_does_not_exist_ends_it_at_once)
{
	open_view(1);
	start();
	fixture_advance(7);
	answer(1, ns_r_nxdomain, "", 0);
	answer(2, ns_r_nxdomain, "", 0);
	expect_unreachable(0, 7);
	close_view();
}

Test(resolver_bootstrap, silence_ends_after_three_seconds)
{
	open_view(1);
	start();
	fixture_advance(10000);
	expect_unreachable(0, 3000);
	close_view();
}

Test(resolver_bootstrap, without_servers_nothing_is_asked)
{
	open_view(0);
	start();
	expect_unreachable(0, 0);
	fixture_expect_nsends(1);
	close_view();
}

/* ---- again ---- */

Test(resolver_bootstrap, each_lookup_asks_anew)
{
	open_view(1);
	start();
	answer(1, 0, "", 0);
	answer(2, 0, "192.0.2.1", 60);
	expect_found(0, "192.0.2.1:8853", 60, 0);
	fixture_advance(60000);
	found[0].ncalls = 0;
	start();
	fixture_expect_nsends(5);
	answer(3, 0, "", 0);
	answer(4, 0, "192.0.2.9", 40);
	expect_found(0, "192.0.2.9:8853", 40, 60000);
	close_view();
}

Test(resolver_bootstrap, old_addresses_serve_on_when_there_are_no_new_ones)
{
	open_view(1);
	start();
	answer(1, 0, "", 0);
	answer(2, 0, "192.0.2.1", 60);
	fixture_advance(60000);
	found[0].ncalls = 0;
	start();
	fixture_advance(70000);
	expect_found(0, "192.0.2.1:8853", 30, 61800);
	close_view();
}

Test(resolver_bootstrap, lookups_at_the_same_time_are_one)
{
	open_view(1);
	look_up(0);
	look_up(1);
	run();
	fixture_expect_nsends(3);
	answer(1, 0, "2001:db8::1", 60);
	answer(2, 0, "192.0.2.1", 60);
	expect_found(0, "[2001:db8::1]:8853 192.0.2.1:8853", 60, 0);
	expect_found(1, "[2001:db8::1]:8853 192.0.2.1:8853", 60, 0);
	close_view();
}

Test(resolver_bootstrap, lookup_that_is_cancelled_is_not_told)
{
	open_view(1);
	look_up(0);
	look_up(1);
	run();
	fake_tls_conf.resolver.cancel(lookups[0]);
	lookups[0] = NULL;
	answer(1, ns_r_nxdomain, "", 0);
	answer(2, 0, "192.0.2.1", 60);
	cr_assert_eq(found[0].ncalls, 0);
	expect_found(1, "192.0.2.1:8853", 60, 0);
	close_view();
}

Test(resolver_bootstrap, found_may_look_up_again)
{
	open_view(1);
	start();
	look_up_again = true;
	answer(1, ns_r_nxdomain, "", 0);
	answer(2, 0, "192.0.2.1", 60);
	run();
	expect_found(0, "192.0.2.1:8853", 60, 0);
	cr_assert_eq(found[2].ncalls, 0, "told of a lookup before its own");
	fixture_expect_nsends(5);
	answer(3, ns_r_nxdomain, "", 0);
	answer(4, 0, "192.0.2.2", 60);
	expect_found(2, "192.0.2.2:8853", 60, 0);
	close_view();
}

Test(resolver_bootstrap, view_that_closes_ends_it)
{
	open_view(1);
	start();
	cr_assert(fake_sends[1].live && fake_sends[2].live);
	close_view();
	cr_assert_eq(found[0].ncalls, 0);
}

/* ---- the question that waits for it ---- */

Test(resolver_bootstrap, question_fails_when_the_upstream_has_no_address)
{
	open_view(0);
	fixture_fail(0, -EHOSTUNREACH);
	fixture_expect_failure(RESOLVER_UNREACHABLE, 0);
	cr_assert_eq(fixture_count_log("upstream " HOST ":8853 does not answer"), 1, "%s",
		     fixture_host.log);
	close_view();
}

static void open_opportunistic(void)
{
	struct resolver_conf conf = by_name(1);

	conf.tls.opportunistic = true;
	open_conf(&conf);
}

Test(resolver_bootstrap, clear_text_goes_to_an_address_with_a_route)
{
	open_opportunistic();
	start();
	answer(1, 0, "fe80::1", 60); /* none to this one, without a scope */
	answer(2, 0, "127.0.0.9", 60);
	fixture_fail(0, -ECONNREFUSED);
	fixture_expect_send(3, 9, RESOLVER_UDP, 0);
	cr_assert_eq(fake_sends[3].port, 53);
	close_view();
}

Test(resolver_bootstrap, no_clear_text_without_an_address)
{
	open_opportunistic();
	start();
	answer(1, ns_r_nxdomain, "", 0);
	answer(2, ns_r_nxdomain, "", 0);
	fixture_fail(0, -EHOSTUNREACH);
	fixture_expect_failure(RESOLVER_UNREACHABLE, 0);
	fixture_ask();
	fixture_expect_send(3, 0, RESOLVER_TLS, 0);
	close_view();
}

Test(resolver_bootstrap, upstream_without_address_and_name_is_refused)
{
	struct resolver_conf good = by_name(1), nameless = by_name(1), udp = by_name(1);
	struct resolver_view *other;

	nameless.upstreams[0].host[0] = '\0';
	udp.upstreams[0].transport = RESOLVER_UDP;
	open_conf(&good);
	cr_assert_eq(noblockdns_resolver.view_open(fixture_r, &nameless, &other), -EINVAL);
	cr_assert_eq(noblockdns_resolver.view_open(fixture_r, &udp, &other), -EINVAL);
	close_view();
}

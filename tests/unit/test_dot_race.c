// SPDX-License-Identifier: MIT
/*
 * test_dot_race.c - an upstream that is known by its name: its addresses are looked up, and race.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dot_rig.h"
#include "resolver/dot_race.h"

static struct rig rig;

/* The one who looks up: what the test sees of it. */
static struct {
	transport_found *found;
	void *arg;
	unsigned nstarted, ncancelled;
	int error;
} lookup;

static int start_lookup(void *ctx, transport_found *found, void *arg, struct transport_lookup **ret)
{
	(void)ctx;
	if (lookup.error)
		return lookup.error;
	lookup.found = found;
	lookup.arg = arg;
	lookup.nstarted++;
	*ret = (struct transport_lookup *)&lookup;
	return 0;
}

static void cancel_lookup(struct transport_lookup *l)
{
	(void)l;
	lookup.ncancelled++;
}

static struct sockaddr_storage server_addr;

/* A server for dns.test, which is not said where it is. */
static void start_named(const char *tls)
{
	rig_serve(&rig, tls, "");
	server_addr = rig.upstream.addr;
	memset(&rig.upstream.addr, 0, sizeof(rig.upstream.addr));
	snprintf(rig.upstream.host, sizeof(rig.upstream.host), "dns.test");
	rig.resolver = (struct transport_resolver){.start = start_lookup, .cancel = cancel_lookup};
	rig_open(&rig);
}

/* Asks, and has the lookup started. */
static struct rig_call *ask(void)
{
	struct rig_call *call = rig_ask(&rig, "www.test");

	fake_host_advance(&rig.host, rig.r, rig.host.now_ms);
	return call;
}

static void give(const struct sockaddr_storage *addrs, unsigned naddrs, uint32_t ttl_s)
{
	lookup.found(lookup.arg, 0, addrs, naddrs, ttl_s);
	reactor_settle(&rig.r->reactor);
}

/* A socket of ours that takes connections and says nothing. */
static struct sockaddr_storage silent(int family)
{
	struct sockaddr_storage addr = {.ss_family = (sa_family_t)family};
	socklen_t len =
		family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (family == AF_INET)
		((struct sockaddr_in *)&addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&addr)->sin6_addr = in6addr_loopback;
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	return addr;
}

/* An address where nobody listens. */
static struct sockaddr_storage refusing(void)
{
	struct sockaddr_storage addr = {.ss_family = AF_INET};
	socklen_t len = sizeof(struct sockaddr_in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	((struct sockaddr_in *)&addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	return addr; /* bound for the test's life, so that nobody else listens there */
}

/* ---- looking up ---- */

Test(dot_race, addresses_are_looked_up_at_the_first_question)
{
	struct rig_call *call;

	start_named("names dns.test");
	cr_expect_eq(lookup.nstarted, 0);
	call = ask();
	cr_expect_eq(lookup.nstarted, 1);
	give(&server_addr, 1, 60);
	rig_wait(&rig, 1);
	cr_expect_eq(call->error, 0);
	cr_expect(call->authenticated);
	rig_close(&rig);
}

Test(dot_race, questions_meanwhile_share_the_lookup)
{
	start_named("names dns.test");
	ask();
	ask();
	cr_expect_eq(lookup.nstarted, 1);
	give(&server_addr, 1, 60);
	rig_wait(&rig, 2);
	rig_close(&rig);
}

Test(dot_race, addresses_are_used_again_until_their_time)
{
	start_named("names dns.test,127.0.0.1 answers 1");
	ask();
	give(&server_addr, 1, 60);
	rig_wait(&rig, 1);
	rig_wait_nopen(&rig, 0);
	rig_lookup(&rig, "www.test");
	cr_expect_eq(lookup.nstarted, 1);
	rig_wait_nopen(&rig, 0);
	rig_pass(&rig, 60000);
	ask();
	cr_expect_eq(lookup.nstarted, 2);
	give(&server_addr, 1, 60);
	rig_wait(&rig, 3);
	rig_close(&rig);
}

Test(dot_race, failed_lookup_fails_the_questions)
{
	start_named("names dns.test");
	ask();
	lookup.found(lookup.arg, -EHOSTUNREACH, NULL, 0, 0);
	reactor_settle(&rig.r->reactor);
	rig_wait(&rig, 1);
	cr_expect_eq(rig.calls[0].error, -EHOSTUNREACH);
	rig_close(&rig);
}

Test(dot_race, old_addresses_are_better_than_none)
{
	start_named("names dns.test answers 1");
	ask();
	give(&server_addr, 1, 0);
	rig_wait(&rig, 1);
	rig_wait_nopen(&rig, 0);
	ask();
	cr_assert_eq(lookup.nstarted, 2);
	lookup.found(lookup.arg, -EHOSTUNREACH, NULL, 0, 0);
	reactor_settle(&rig.r->reactor);
	rig_wait(&rig, 2);
	cr_expect_eq(rig.calls[1].error, 0);
	rig_close(&rig);
}

Test(dot_race, lookup_that_cannot_start_fails_the_questions)
{
	start_named("names dns.test");
	lookup.error = -ENOMEM;
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -ENOMEM);
	rig_close(&rig);
}

Test(dot_race, closing_cancels_the_lookup)
{
	struct rig_call *call;

	start_named("names dns.test");
	call = ask();
	transport_dot.cancel(call->attempt);
	rig_close(&rig);
	cr_expect_eq(lookup.ncancelled, 1);
}

/* ---- racing ---- */

Test(dot_race, next_address_starts_after_250_ms)
{
	struct sockaddr_storage addrs[2];

	start_named("names dns.test");
	addrs[0] = silent(AF_INET);
	addrs[1] = server_addr;
	ask();
	give(addrs, 2, 60);
	rig_settle(&rig);
	rig_pass(&rig, DOT_RACE_DELAY_MS - 1);
	cr_expect_eq(rig_nopen(&rig), 1);
	rig_pass(&rig, 1);
	cr_expect_eq(rig_nopen(&rig), 2);
	rig_wait(&rig, 1);
	cr_expect_eq(rig.calls[0].error, 0);
	cr_expect_eq(rig_nopen(&rig), 1, "the loser is closed");
	rig_close(&rig);
}

Test(dot_race, refused_address_starts_the_next_at_once)
{
	struct sockaddr_storage addrs[2];

	start_named("names dns.test");
	addrs[0] = refusing();
	addrs[1] = server_addr;
	ask();
	give(addrs, 2, 60);
	rig_wait(&rig, 1); /* the clock stands still */
	cr_expect_eq(rig.calls[0].error, 0);
	rig_close(&rig);
}

Test(dot_race, families_alternate)
{
	struct sockaddr_storage addrs[4];

	start_named("names dns.test");
	addrs[0] = silent(AF_INET6);
	addrs[1] = silent(AF_INET6);
	addrs[2] = silent(AF_INET);
	addrs[3] = server_addr;
	ask();
	give(addrs, 4, 60);
	rig_pass(&rig, DOT_RACE_DELAY_MS);
	cr_expect_eq(rig.host.sockets[0].domain, AF_INET6);
	cr_expect_eq(rig.host.sockets[1].domain, AF_INET);
	rig_pass(&rig, DOT_RACE_DELAY_MS);
	cr_expect_eq(rig.host.sockets[2].domain, AF_INET6);
	rig_pass(&rig, DOT_RACE_DELAY_MS);
	rig_wait(&rig, 1);
	cr_expect_eq(rig.calls[0].error, 0);
	rig_close(&rig);
}

Test(dot_race, all_is_over_after_3_s)
{
	struct sockaddr_storage addrs[2];

	start_named("names dns.test");
	addrs[0] = silent(AF_INET);
	addrs[1] = silent(AF_INET);
	ask();
	give(addrs, 2, 60);
	rig_pass(&rig, DOT_CONNECT_MS - 1);
	cr_expect_not(rig.calls[0].ended);
	rig_pass(&rig, 1);
	rig_settle(&rig);
	cr_expect_eq(rig.calls[0].error, -ETIMEDOUT);
	cr_expect_eq(rig_nopen(&rig), 0);
	rig_close(&rig);
}

Test(dot_race, refused_server_outweighs_an_unreachable_one)
{
	struct sockaddr_storage addrs[2];

	start_named("cert expired names dns.test");
	addrs[0] = refusing();
	addrs[1] = server_addr;
	ask();
	give(addrs, 2, 60);
	rig_wait(&rig, 1);
	cr_expect_eq(rig.calls[0].error, -EACCES);
	rig_close(&rig);
}

/* Whoever holds the address of another server wins nothing. */
Test(dot_race, wrong_server_does_not_win)
{
	static struct rig wrong;
	struct sockaddr_storage addrs[2];

	rig_serve(&wrong, "cert wrong-name", "");
	start_named("names dns.test");
	addrs[0] = wrong.upstream.addr;
	addrs[1] = server_addr;
	ask();
	give(addrs, 2, 60);
	rig_wait(&rig, 1);
	cr_expect_eq(rig.calls[0].error, 0);
	cr_expect_eq(lab_dns_count(wrong.server, NULL, LAB_ANY_TYPE, LAB_ANY_TRANSPORT), 0);
	rig_close(&rig);
	lab_dns_free(wrong.server);
}

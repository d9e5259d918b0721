// SPDX-License-Identifier: MIT
/*
 * siblings_lookup.c: lookups, as a program makes them, and what connect() would find afterwards.
 * The resolver library is the real one, the upstream a thread, which may keep an answer back.
 */
#include "shim/siblings_lookup.h"

#include "shim/clock.h"
#include "shim/hooks.h"
#include "shim/siblings.h"
#include "tests/unit/test_cache_util.h"
#include "tests/unit/test_lookup_util.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER	 12 /* bytes of a message's header (RFC 1035 4.1.1) */
#define NAME	 "www.test"
#define QUESTION (HEADER + sizeof NAME + 1 + 4)

/* ---- the upstream ---- */

enum keeping { KEEPS_NOTHING, KEEPS_AAAA, HAS_NO_AAAA };

static _Atomic int keeping; /* enum keeping */
static char dir[64];
static int server;

/* A packet that was kept back. */
struct packet {
	unsigned char bytes[512];
	struct sockaddr_in from;
	bool any;
};

static void answer(struct packet *p, bool is_a)
{
	static const unsigned char a[] = {0xc0, HEADER, 0, 1, 0,   1, 0, 0,
					  1,	44,	0, 4, 192, 0, 2, 1};
	static const unsigned char aaaa[] = {0xc0, HEADER, 0,	 28,   0,    1,	   0, 0, 1, 44,
					     0,	   16,	   0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,
					     0,	   0,	   0,	 0,    0,    0,	   0, 1};
	bool empty = !is_a && atomic_load(&keeping) == HAS_NO_AAAA;
	size_t len = is_a ? sizeof a : sizeof aaaa;

	p->bytes[2] = 0x81; /* QR, RD */
	p->bytes[3] = 0x80; /* RA */
	memset(p->bytes + 6, 0, 6);
	p->bytes[7] = !empty;
	memcpy(p->bytes + QUESTION, is_a ? a : aaaa, len);
	sendto(server, p->bytes, QUESTION + (empty ? 0 : len), 0, (struct sockaddr *)&p->from,
	       sizeof p->from);
}

static void *serve(void *arg)
{
	static struct packet kept, p;

	for (;;) {
		socklen_t len = sizeof p.from;
		ssize_t n = recvfrom(server, p.bytes, sizeof p.bytes, 0, (struct sockaddr *)&p.from,
				     &len);
		bool is_a = n >= (ssize_t)QUESTION && p.bytes[QUESTION - 3] == RESOLVER_A;

		if (kept.any && atomic_load(&keeping) != KEEPS_AAAA) {
			answer(&kept, false);
			kept.any = false;
		}
		if (n < (ssize_t)QUESTION)
			continue;
		if (is_a || atomic_load(&keeping) != KEEPS_AAAA) {
			answer(&p, is_a);
		} else {
			kept = p;
			kept.any = true;
		}
	}
	return arg;
}

/* The socket is bound here, so that a child of a test may ask before there is the thread. */
static void set_up(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval look = {.tv_usec = 5000};
	socklen_t len = sizeof at;
	char text[128];

	server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(server, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(getsockname(server, (struct sockaddr *)&at, &len), 0);
	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof look);
	snprintf(text, sizeof text, "udp://127.0.0.1:%u", ntohs(at.sin_port));
	setenv("NOBLOCKDNS_UPSTREAM", text, 1);
	setenv("NOBLOCKDNS_RESOLUTION_DELAY_MS", "50", 1);
	scratch_make(dir);
	snprintf(text, sizeof text, "%s/cache", dir);
	setenv("NOBLOCKDNS_CACHE", text, 1);
	hooks_resolve();
}

static void start_server(void)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void tear_down(void)
{
	scratch_remove(dir);
}

TestSuite(siblings_lookup, .init = set_up, .fini = tear_down);

/* ---- the program ---- */

static struct order_dest a, aaaa; /* the addresses of NAME */

static void fill_addresses(void)
{
	a = (struct order_dest){.family = AF_INET, .addr = {192, 0, 2, 1}};
	aaaa = (struct order_dest){.family = AF_INET6, .addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
}

/* The number of addresses that getaddrinfo() gives. */
static unsigned look_up(int family)
{
	const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	unsigned n = 0;

	fill_addresses();
	cr_assert_eq(nbd_getaddrinfo(NAME, "80", &hints, &list), 0);
	for (const struct addrinfo *i = list; i != NULL; i = i->ai_next)
		n++;
	freeaddrinfo(list);
	return n;
}

static unsigned find(const struct order_dest *dest, struct order_dest ret[SIBLINGS_MAX],
		     bool *ret_more)
{
	return siblings_find(dest, clock_boot_ms(), ret, ret_more);
}

static void expect_siblings(const struct order_dest *dest, unsigned n)
{
	struct order_dest got[SIBLINGS_MAX];
	bool more;

	cr_expect_eq(find(dest, got, &more), n, "got %u, wanted %u", find(dest, got, &more), n);
}

Test(siblings_lookup, fresh_answer_is_noted)
{
	start_server();
	cr_assert_eq(look_up(AF_UNSPEC), 2u);
	expect_siblings(&a, 2);
	expect_siblings(&aaaa, 2);
}

/* Of a process that has asked nobody: what another one has put into the cache. */
Test(siblings_lookup, hit_is_noted_in_another_process)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		start_server();
		_exit(look_up(AF_UNSPEC) == 2 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
	fill_addresses();
	expect_siblings(&a, 0);
	cr_assert_eq(look_up(AF_UNSPEC), 2u, "with nobody to answer");
	expect_siblings(&a, 2);
}

/* The filter lets a name through again that other lookups have pushed out, or that is asked for in
 * another way. */
Test(siblings_lookup, hit_for_one_family_is_noted_beside_the_other)
{
	start_server();
	cr_assert_eq(look_up(AF_UNSPEC), 2u);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(look_up(AF_INET6), 1u);
	expect_siblings(&a, 2);
	expect_siblings(&aaaa, 1);
}

Test(siblings_lookup, one_family_gets_no_sibling_of_the_other)
{
	start_server();
	cr_assert_eq(look_up(AF_INET6), 1u);
	expect_siblings(&aaaa, 1);
	expect_siblings(&a, 0);
}

Test(siblings_lookup, without_a_cache_it_is_noted)
{
	setenv("NOBLOCKDNS_CACHE", "off", 1);
	start_server();
	cr_assert_eq(look_up(AF_UNSPEC), 2u);
	expect_siblings(&a, 2);
}

Test(siblings_lookup, in_a_private_cache_it_is_noted)
{
	setenv("NOBLOCKDNS_CACHE", "private", 1);
	start_server();
	cr_assert_eq(look_up(AF_UNSPEC), 2u);
	cr_assert_eq(look_up(AF_UNSPEC), 2u);
	expect_siblings(&a, 2);
}

Test(siblings_lookup, gethostbyname_is_noted)
{
	start_server();
	fill_addresses();
	cr_assert_not_null(nbd_gethostbyname(NAME));
	expect_siblings(&a, 1);
}

Test(siblings_lookup, without_races_nothing_is_noted)
{
	setenv("NOBLOCKDNS_RACE", "off", 1);
	start_server();
	cr_assert_eq(look_up(AF_UNSPEC), 2u);
	cr_expect(!siblings_any());
}

Test(siblings_lookup, literal_is_not_noted)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;

	fill_addresses();
	cr_assert_eq(nbd_getaddrinfo("192.0.2.1", "80", &hints, &list), 0);
	freeaddrinfo(list);
	cr_expect(!siblings_any());
}

Test(siblings_lookup, hosts_file_is_noted)
{
	static const struct net net = {.hosts = "192.0.2.7 www.test\n192.0.2.1 www.test\n"
						"127.0.0.1 www.test\n"};
	static const struct config config = {.race = true};
	const struct settings settings = {.config = &config};
	struct order_dest got[SIBLINGS_MAX];
	struct looked_up looked_up;
	bool more;

	fill_addresses();
	net_addrinfo(&net, NAME, AF_UNSPEC, 0, &looked_up);
	cr_assert_eq(looked_up.answer.addrs.n, 3u);
	siblings_take(&looked_up.answer, NULL, AF_UNSPEC, &settings, 1000);
	cr_expect_eq(siblings_find(&a, 1000 + SIBLINGS_HOLD_MS - 1, got, &more), 2u);
	cr_expect(got[0].addr[3] == 7 && got[1].addr[3] == 1, "in the order of the file");
	cr_expect(!more);
	cr_expect_eq(siblings_find(&a, 1000 + SIBLINGS_HOLD_MS, got, &more), 0u);
	lookup_answer_free(&looked_up.answer);
}

/* ---- one family's answer is late ---- */

/* Looks up while AAAA is kept back; then it comes, as `then` says. The test's own time limit is the
 * only one. */
static void look_up_without_aaaa(enum keeping then)
{
	struct order_dest got[SIBLINGS_MAX];
	bool more;

	atomic_store(&keeping, KEEPS_AAAA);
	start_server();
	cr_assert_eq(look_up(AF_UNSPEC), 1u);
	cr_assert_eq(find(&a, got, &more), 1u);
	cr_assert(more);
	atomic_store(&keeping, then);
	while (more) {
		usleep(1000);
		find(&a, got, &more);
	}
}

Test(siblings_lookup, late_answer_extends_the_list)
{
	struct order_dest got[SIBLINGS_MAX];
	bool more;

	look_up_without_aaaa(KEEPS_NOTHING);
	cr_assert_eq(find(&a, got, &more), 2u);
	cr_expect_arr_eq(&got[0], &a, sizeof a, "what the program was given comes first");
	cr_expect_arr_eq(&got[1], &aaaa, sizeof aaaa);
}

Test(siblings_lookup, late_negative_answer_ends_the_waiting)
{
	look_up_without_aaaa(HAS_NO_AAAA);
	expect_siblings(&a, 1);
}

/* ---- the end of a list ---- */

/* A cache entry of one address, at `stored_ms`; noted at `now_ms`. */
static void take(uint64_t stored_ms, uint32_t ttl_s, uint64_t now_ms)
{
	static const struct config config = {.race = true};
	const struct settings settings = {.config = &config};
	struct lookup_answer found;

	fill_addresses();
	lookup_answer_init(&found);
	cr_assert(lookup_addrs_add(&found.addrs, AF_INET, a.addr));
	found.entry = (struct entry){.key = 1};
	found.entry.rr[ENTRY_A] = (struct entry_rrset){
		.kind = RESOLVER_ANSWER, .stored_ms = stored_ms, .ttl_s = ttl_s, .naddrs = 1};
	siblings_take(&found, NULL, AF_UNSPEC, &settings, now_ms);
	lookup_answer_free(&found);
}

static unsigned found_at(uint64_t now_ms)
{
	struct order_dest got[SIBLINGS_MAX];
	bool more;

	return siblings_find(&a, now_ms, got, &more);
}

Test(siblings_lookup, list_holds_half_a_minute_beyond_the_ttl)
{
	take(1000, 100, 50000);
	cr_expect_eq(found_at(130999), 1u);
	cr_expect_eq(found_at(131000), 0u);
}

Test(siblings_lookup, answer_that_may_not_be_kept_holds_half_a_minute)
{
	take(1000, 0, 1000);
	cr_expect_eq(found_at(30999), 1u);
	cr_expect_eq(found_at(31000), 0u);
}

Test(siblings_lookup, stale_answer_holds_half_a_minute)
{
	take(1000, 100, 5000000);
	cr_expect_eq(found_at(5029999), 1u);
	cr_expect_eq(found_at(5030000), 0u);
}

Test(siblings_lookup, long_ttl_is_cut)
{
	take(1000, 86400, 1000);
	cr_expect_eq(found_at(1000 + SIBLINGS_HOLD_MS - 1), 1u);
	cr_expect_eq(found_at(1000 + SIBLINGS_HOLD_MS), 0u);
}

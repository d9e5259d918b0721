// SPDX-License-Identifier: MIT
/*
 * fetch.c and fetch_job.c: the AD bit on its way from an upstream through the entry that a caller
 * is handed into the cache. The resolver library is the real one, the upstream a thread.
 */
#include "shim/fetch.h"

#include "shim/cache.h"
#include "shim/clock.h"
#include "shim/settings.h"
#include "tests/unit/test_cache_util.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER 12 /* bytes of a message's header (RFC 1035 4.1.1) */
#define NAME   "www.test"

/* Answers each question for A with an address, for AAAA with nothing; AD is set in both. */
static void *serve(void *arg)
{
	static const unsigned char address[] = {0xc0, HEADER, 0, 1, 0,	 1, 0, 0,
						1,    44,     0, 4, 192, 0, 2, 1};
	int fd = *(int *)arg;

	for (;;) {
		unsigned char msg[512 + sizeof address];
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		ssize_t n = recvfrom(fd, msg, 512, 0, (struct sockaddr *)&from, &from_len);
		size_t len = HEADER + strlen(NAME) + 2 + 4;
		bool is_a = n > 0 && msg[len - 3] == RESOLVER_A;

		if (n < (ssize_t)len)
			continue;
		msg[2] = 0x81; /* QR, RD */
		msg[3] = 0xa0; /* RA, AD */
		memset(msg + 6, 0, 6);
		msg[7] = is_a;
		memcpy(msg + len, address, sizeof address);
		len += is_a ? sizeof address : 0;
		sendto(fd, msg, len, 0, (struct sockaddr *)&from, from_len);
	}
	return NULL;
}

static char dir[64];

static void set_up(void)
{
	static int fd;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	char text[128];
	pthread_t thread;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	cr_assert_eq(pthread_create(&thread, NULL, serve, &fd), 0);
	snprintf(text, sizeof text, "udp://127.0.0.1:%u", ntohs(at.sin_port));
	setenv("NOBLOCKDNS_UPSTREAM", text, 1);
	scratch_make(dir);
	snprintf(text, sizeof text, "%s/cache", dir);
	setenv("NOBLOCKDNS_CACHE", text, 1);
}

static void tear_down(void)
{
	scratch_remove(dir);
}

TestSuite(fetch, .init = set_up, .fini = tear_down);

/* Fetches the name, and expects `ad` in the answer and in the cache. */
static void fetch_with_ad(bool ad)
{
	unsigned char room[CACHE_ENTRY_MAX] __attribute__((aligned(ENTRY_ALIGN)));
	uint64_t now_ms = clock_boot_ms(), hash;
	rcu_token token = rcu_read_lock();
	const struct settings *s = settings_get(now_ms);
	struct fetch *fetch;
	struct entry entry;
	struct blob *blob;
	struct name name;
	size_t need;

	cr_assert_eq(name_fold(NAME, &name), 0);
	cr_assert_eq(fetch_start(s,
				 &(struct fetch_question){.name = &name,
							  .spelling = NAME,
							  .types = FETCH_A | FETCH_AAAA,
							  .deadline_ms = now_ms + 5000},
				 &fetch),
		     0);
	blob = fetch_wait(fetch, UINT64_MAX);
	cr_assert_not_null(blob);
	cr_assert_eq(entry_decode(blob->data, blob->size, &entry), 0);
	cr_assert_eq(entry.rr[ENTRY_A].kind, RESOLVER_ANSWER);
	cr_expect_eq(entry.rr[ENTRY_A].ad, ad, "the answer's");
	hash = cache_hash(s->cache, s->view, name.text, name.len);
	cr_assert_eq(cache_lookup(s->cache, hash, s->view, name.text, name.len, room, sizeof room,
				  &entry, &need),
		     0);
	cr_expect_eq(entry.rr[ENTRY_A].ad, ad, "the cache's");
	blob_release(blob);
	rcu_read_unlock(token);
}

Test(fetch, ad_is_kept_where_trust_ad_believes_it)
{
	setenv("RES_OPTIONS", "trust-ad", 1);
	fetch_with_ad(true);
}

Test(fetch, ad_is_dropped_where_nobody_believes_it)
{
	setenv("RES_OPTIONS", "", 1);
	fetch_with_ad(false);
}

// SPDX-License-Identifier: MIT
/* test_upstream_stats.c - what is counted of servers, and the figures seen from outside. */
#include "shim/upstream_stats.h"

#include "shim/tool/stats.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(upstream_stats, .init = scratch_file_make, .fini = scratch_file_remove);

static void note(struct cache *cache, enum resolver_event_kind kind, const char *upstream,
		 uint32_t ms)
{
	upstream_stats_note(cache, &(struct resolver_event){.kind = kind,
							    .transport = RESOLVER_TLS,
							    .upstream = upstream,
							    .ms = ms,
							    .resumed = ms == 7});
}

static void look(struct stats *ret)
{
	struct cache_found found = {.fd = -1};

	snprintf(found.path, sizeof(found.path), "%s", scratch_path);
	cr_assert_eq(cache_found_open(&found), 0);
	cr_assert_eq(stats_read(&found, ret), 0);
	cache_found_close(&found);
}

Test(upstream_stats, each_server_and_transport_has_its_own_figures)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	struct stats stats;

	note(cache, RESOLVER_ASKED, "[2001:db8::1]:853", 0);
	note(cache, RESOLVER_ASKED, "192.0.2.1:853", 0);
	note(cache, RESOLVER_ASKED, "192.0.2.1:853", 0);
	note(cache, RESOLVER_UNHEARD, "192.0.2.1:853", 0);
	note(cache, RESOLVER_HANDSHAKE, "192.0.2.1:853", 0);
	note(cache, RESOLVER_HANDSHAKE, "192.0.2.1:853", 7);
	upstream_stats_note(cache, &(struct resolver_event){.kind = RESOLVER_ASKED,
							    .transport = RESOLVER_UDP,
							    .upstream = "192.0.2.1:853"});
	look(&stats);
	cr_assert_eq(stats.nservers, 3);
	cr_expect_str_eq(stats.servers[0].name, "192.0.2.1:853");
	cr_expect_eq(stats.servers[0].transport, RESOLVER_UDP);
	cr_expect_eq(stats.servers[0].counts[UPSTREAM_ASKED], 1);
	cr_expect_eq(stats.servers[1].counts[UPSTREAM_ASKED], 2);
	cr_expect_eq(stats.servers[1].counts[UPSTREAM_HEARD], 0);
	cr_expect_eq(stats.servers[1].counts[UPSTREAM_UNHEARD], 1);
	cr_expect_eq(stats.servers[1].counts[UPSTREAM_HANDSHAKES], 2);
	cr_expect_eq(stats.servers[1].counts[UPSTREAM_RESUMED], 1);
	cr_expect_str_eq(stats.servers[2].name, "[2001:db8::1]:853");
}

Test(upstream_stats, times_fall_into_buckets)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	static const uint32_t times[] = {0, 1, 2, 3, 5000, 5001, RESOLVER_MS_UNKNOWN};
	struct stats stats;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		note(cache, RESOLVER_HEARD, "192.0.2.1:53", times[i]);
	look(&stats);
	cr_expect_eq(stats.took[0], 2);
	cr_expect_eq(stats.took[1], 1);
	cr_expect_eq(stats.took[2], 1);
	cr_expect_eq(stats.took[UPSTREAM_STATS_BUCKETS - 1], 1);
	cr_expect_eq(stats.took[UPSTREAM_STATS_BUCKETS], 1);
	cr_expect_eq(stats.sum_ms, 10007);
	cr_expect_eq(stats.servers[0].counts[UPSTREAM_HEARD], 7);
}

Test(upstream_stats, servers_beyond_the_last_place_take_nobodys)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	struct stats stats;
	char name[128];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "a-very-long-name-%02d.%s:853", i,
			 "example.example.example.example.example.example.example");
		note(cache, RESOLVER_ASKED, name, 0);
	}
	look(&stats);
	cr_assert_eq(stats.nservers, UPSTREAM_STATS_SERVERS);
	for (unsigned i = 0; i < stats.nservers; i++) {
		cr_expect_eq(stats.servers[i].counts[UPSTREAM_ASKED], 1);
		cr_expect_eq(strlen(stats.servers[i].name), UPSTREAM_STATS_NAME - 1);
	}
}

static uint32_t round_trip_of(const struct cache *cache, const char *upstream)
{
	return upstream_stats_round_trip(cache, upstream, RESOLVER_TLS);
}

Test(upstream_stats, round_trip_is_remembered_and_smoothed)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	struct resolver_event event = {.kind = RESOLVER_HEARD,
				       .transport = RESOLVER_TLS,
				       .upstream = "192.0.2.1:53",
				       .srtt_ms = 40};

	cr_expect_eq(round_trip_of(cache, "192.0.2.1:53"), 0);
	upstream_stats_note(cache, &event);
	cr_expect_eq(round_trip_of(cache, "192.0.2.1:53"), 40);
	event.srtt_ms = 600;
	upstream_stats_note(cache, &event);
	event.srtt_ms = 0;
	upstream_stats_note(cache, &event);
	cr_expect_eq(round_trip_of(cache, "192.0.2.1:53"), 110);
	cr_expect_eq(round_trip_of(cache, "192.0.2.2:53"), 0);
	cr_expect_eq(upstream_stats_round_trip(cache, "192.0.2.1:53", RESOLVER_UDP), 0);
}

Test(upstream_stats, damaged_round_trip_is_replaced)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	struct resolver_event event = {.kind = RESOLVER_HEARD,
				       .transport = RESOLVER_TLS,
				       .upstream = "192.0.2.1:53",
				       .srtt_ms = 40};

	upstream_stats_note(cache, &event);
	atomic_store(&upstream_stats_of(cache)->servers[0].srtt_ms, UINT64_MAX);
	cr_expect_eq(round_trip_of(cache, "192.0.2.1:53"), 0);
	upstream_stats_note(cache, &event);
	cr_expect_eq(round_trip_of(cache, "192.0.2.1:53"), 40);
}

Test(upstream_stats, nothing_is_remembered_where_all_places_are_taken)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	char name[32];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "192.0.2.%d:53", i);
		upstream_stats_note(cache, &(struct resolver_event){.kind = RESOLVER_HEARD,
								    .transport = RESOLVER_TLS,
								    .upstream = name,
								    .srtt_ms = 7});
	}
	cr_expect_eq(round_trip_of(cache, "192.0.2.30:53"), 7);
	cr_expect_eq(round_trip_of(cache, "192.0.2.31:53"), 0);
}

#define THREADS 4
#define TIMES	2000

static void *ask_many(void *arg)
{
	char name[32];

	for (int i = 0; i < TIMES; i++) {
		snprintf(name, sizeof(name), "192.0.2.%d:53", i % 10);
		note(arg, RESOLVER_ASKED, name, 0);
	}
	return NULL;
}

Test(upstream_stats, threads_share_places_and_lose_nothing)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	pthread_t threads[THREADS];
	struct stats stats;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, ask_many, cache);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	look(&stats);
	cr_assert_eq(stats.nservers, 10);
	for (unsigned i = 0; i < 10; i++)
		cr_expect_eq(stats.servers[i].counts[UPSTREAM_ASKED], THREADS * TIMES / 10);
}

/* ---- hostile bytes ---- */

Test(upstream_stats, random_bytes_stay_one_line_a_figure)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	unsigned char *page = cache_region_stats(cache);
	struct stats stats;
	size_t size, metrics = 0;
	char *text, *end;
	FILE *out;

	srandom(3);
	for (size_t i = 0; i < CACHE_PAGE; i++)
		page[i] = (unsigned char)random();
	for (int i = 0; i < UPSTREAM_STATS_SERVERS; i++)
		upstream_stats_of(cache)->servers[i].transport = (uint64_t)i % 4;
	look(&stats);
	cr_expect_gt(stats.nservers, 10);
	out = open_memstream(&text, &size);
	stats_print_prometheus(out, &stats);
	stats_print_json(out, &stats, true);
	stats_print(out, &stats, &stats, 1);
	fclose(out);
	cr_expect_eq(strlen(text), size);
	for (char *line = text; *line; line = end + 1) {
		end = strchr(line, '\n');
		cr_assert_not_null(end);
		metrics += strncmp(line, "noblockdns_upstream_queries_total{", 34) == 0;
	}
	cr_expect_eq(metrics, stats.nservers);
	free(text);
}

// SPDX-License-Identifier: MIT
/* stats_print.c - the counters for a reader, and as JSON: see stats.h. */
#include "shim/tool/json.h"
#include "shim/tool/stats.h"
#include "shim/tool/table.h"
#include "shim/tool/upstream_text.h"

#include <inttypes.h>

#define BAR 40 /* columns, of the fullest bucket */

static uint64_t won(const struct stats *stats)
{
	return stats->counters[COUNTER_WON_IPV6_FIRST] + stats->counters[COUNTER_WON_IPV6_LATER] +
	       stats->counters[COUNTER_WON_IPV4_FIRST] + stats->counters[COUNTER_WON_IPV4_LATER];
}

/* ---- for a reader ---- */

static void print_lookups(FILE *out, const struct stats *s, const struct stats *before,
			  double seconds)
{
	uint64_t hits = s->counters[COUNTER_HITS], misses = s->counters[COUNTER_MISSES];

	terminal_write(out, TERMINAL_BOLD, "Questions");
	(void)fprintf(out, "\n  %" PRIu64 " hits, %" PRIu64 " misses", hits, misses);
	if (hits + misses > 0)
		(void)fprintf(out, ": %.1f %% answered from the cache",
			      100.0 * (double)hits / (double)(hits + misses));
	(void)fputc('\n', out);
	if (before != NULL && seconds > 0)
		(void)fprintf(out, "  now %.1f hits and %.1f misses a second\n",
			      (double)(hits - before->counters[COUNTER_HITS]) / seconds,
			      (double)(misses - before->counters[COUNTER_MISSES]) / seconds);
	(void)fprintf(out,
		      "  of the misses %" PRIu64 " waited for another's question, %" PRIu64
		      " had a stale answer, %" PRIu64 " a remembered failure\n",
		      s->counters[COUNTER_WAITED], s->counters[COUNTER_STALE],
		      s->counters[COUNTER_REMEMBERED]);
	(void)fprintf(out, "  %" PRIu64 " asked anew before they expired\n",
		      s->counters[COUNTER_PREFETCHES]);
}

static void print_servers(FILE *out, const struct stats *s)
{
	static const struct table_column columns[] = {
		{"UPSTREAM", TABLE_LEFT}, {"TRANSPORT", TABLE_LEFT}, {"QUERIES", TABLE_RIGHT},
		{"ANSWERS", TABLE_RIGHT}, {"FAILURES", TABLE_RIGHT}, {"HANDSHAKES", TABLE_RIGHT},
		{"RESUMED", TABLE_RIGHT}};
	struct table t;

	if (s->nservers == 0)
		return;
	table_open(&t, sizeof(columns) / sizeof(columns[0]), columns);
	for (unsigned i = 0; i < s->nservers; i++) {
		const struct stats_server *server = &s->servers[i];

		table_cell(&t, "%s", server->name);
		table_cell(&t, "%s", upstream_schemes[server->transport]);
		for (int c = 0; c < UPSTREAM_COUNTS; c++)
			table_cell(&t, "%" PRIu64, server->counts[c]);
	}
	(void)fputc('\n', out);
	table_write(&t, out);
	table_free(&t);
}

static void print_bar(FILE *out, uint64_t n, uint64_t most)
{
	for (uint64_t i = 0; most > 0 && i < (n * BAR + most - 1) / most; i++)
		(void)fputc('#', out);
}

static void print_times(FILE *out, const struct stats *s)
{
	uint64_t most = 0, all = 0;

	for (unsigned i = 0; i <= UPSTREAM_STATS_BUCKETS; i++) {
		most = s->took[i] > most ? s->took[i] : most;
		all += s->took[i];
	}
	if (all == 0)
		return;
	(void)fputc('\n', out);
	terminal_write(out, TERMINAL_BOLD, "Answers took");
	(void)fprintf(out, " %.1f ms on average\n", (double)s->sum_ms / (double)all);
	for (unsigned i = 0; i <= UPSTREAM_STATS_BUCKETS; i++) {
		if (i < UPSTREAM_STATS_BUCKETS)
			(void)fprintf(out, "  up to %4u ms %8" PRIu64 " ", upstream_stats_ms[i],
				      s->took[i]);
		else
			(void)fprintf(out, "  longer        %8" PRIu64 " ", s->took[i]);
		print_bar(out, s->took[i] % (UINT64_MAX / BAR), most % (UINT64_MAX / BAR));
		(void)fputc('\n', out);
	}
}

static void print_races(FILE *out, const struct stats *s)
{
	(void)fputc('\n', out);
	terminal_write(out, TERMINAL_BOLD, "Connects");
	(void)fprintf(out,
		      "\n  %" PRIu64 " begun, %" PRIu64 " failed; %" PRIu64
		      " races, of which %" PRIu64 " were won, %" PRIu64 " lost, %" PRIu64
		      " stopped\n",
		      s->counters[COUNTER_ATTEMPTS], s->counters[COUNTER_FAILED],
		      s->counters[COUNTER_RACES], won(s), s->counters[COUNTER_LOST],
		      s->counters[COUNTER_STOPPED]);
	(void)fprintf(out,
		      "  won over IPv6: %" PRIu64 " by the first attempt, %" PRIu64
		      " by a later one; over IPv4: %" PRIu64 " and %" PRIu64 "\n",
		      s->counters[COUNTER_WON_IPV6_FIRST], s->counters[COUNTER_WON_IPV6_LATER],
		      s->counters[COUNTER_WON_IPV4_FIRST], s->counters[COUNTER_WON_IPV4_LATER]);
	(void)fprintf(out,
		      "  %" PRIu64 " did not begin with a broken family; %.1f s saved at least\n",
		      s->counters[COUNTER_AVOIDED], (double)s->counters[COUNTER_SAVED_MS] / 1000);
}

void stats_print(FILE *out, const struct stats *stats, const struct stats *before, double seconds)
{
	print_lookups(out, stats, before, seconds);
	print_servers(out, stats);
	print_times(out, stats);
	print_races(out, stats);
}

/* ---- JSON ---- */

static void put_servers(struct json *j, const struct stats *s)
{
	static const char *const names[UPSTREAM_COUNTS] = {"queries", "answers", "failures",
							   "handshakes", "resumed"};

	json_array(j, "upstreams");
	for (unsigned i = 0; i < s->nservers; i++) {
		json_object(j, NULL);
		json_text(j, "upstream", s->servers[i].name);
		json_text(j, "transport", upstream_schemes[s->servers[i].transport]);
		for (int c = 0; c < UPSTREAM_COUNTS; c++)
			json_uint(j, names[c], s->servers[i].counts[c]);
		json_end(j);
	}
	json_end(j);
}

void stats_print_json(FILE *out, const struct stats *stats, bool lines)
{
	struct json j;

	json_open(&j, out);
	j.lines = lines;
	json_object(&j, NULL);
	json_object(&j, "counters");
	for (int i = 0; i < COUNTERS; i++)
		json_uint(&j, counter_to_str((enum counter)i), stats->counters[i]);
	json_end(&j);
	put_servers(&j, stats);
	json_array(&j, "answers_took");
	for (unsigned i = 0; i <= UPSTREAM_STATS_BUCKETS; i++) {
		json_object(&j, NULL);
		if (i < UPSTREAM_STATS_BUCKETS)
			json_uint(&j, "up_to_ms", upstream_stats_ms[i]);
		else
			json_null(&j, "up_to_ms");
		json_uint(&j, "count", stats->took[i]);
		json_end(&j);
	}
	json_end(&j);
	json_uint(&j, "answers_took_ms", stats->sum_ms);
	json_end(&j);
}

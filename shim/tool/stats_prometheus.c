// SPDX-License-Identifier: MIT
/*
 * stats_prometheus.c - the counters in Prometheus' text format: each metric with its HELP and TYPE,
 * counters ending in _total, times in seconds, buckets that hold all that is not longer.
 */
#include "shim/tool/stats.h"
#include "shim/tool/upstream_text.h"

#include <inttypes.h>

#define PREFIX "noblockdns_"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	(void)fprintf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name,
		      type);
}

static void put_plain(FILE *out, const struct stats *stats)
{
	static const struct {
		enum counter counter;
		const char *name, *help;
	} plain[] = {
		{COUNTER_HITS, "cache_hits_total", "Questions answered from the cache."},
		{COUNTER_MISSES, "cache_misses_total",
		 "Questions to which the cache had no fresh answer."},
		{COUNTER_WAITED, "cache_waits_total",
		 "Misses that waited for the answer to another's question."},
		{COUNTER_STALE, "cache_stale_answers_total",
		 "Misses answered with what had expired (RFC 8767)."},
		{COUNTER_REMEMBERED, "cache_remembered_failures_total",
		 "Misses that ended in a remembered failure (RFC 9520)."},
		{COUNTER_PREFETCHES, "cache_prefetches_total",
		 "Answers asked for anew before they expired."},
		{COUNTER_RACES, "races_total", "Races begun among the addresses of a name."},
		{COUNTER_LOST, "races_lost_total", "Races in which every address failed."},
		{COUNTER_STOPPED, "races_stopped_total", "Races ended early, by the program."},
		{COUNTER_AVOIDED, "races_avoided_total",
		 "Races that did not begin with a family known to be broken."},
		{COUNTER_ATTEMPTS, "connect_attempts_total", "Connects begun."},
		{COUNTER_FAILED, "connect_failures_total", "Connects that failed."},
		{COUNTER_RETRIES, "background_retries_total",
		 "Connects to broken addresses in the background."},
		{COUNTER_RETRIES_WORKED, "background_retries_worked_total",
		 "Connects in the background that succeeded."},
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		head(out, plain[i].name, "counter", plain[i].help);
		(void)fprintf(out, PREFIX "%s %" PRIu64 "\n", plain[i].name,
			      stats->counters[plain[i].counter]);
	}
	head(out, "race_saved_seconds_total", "counter",
	     "How long first attempts had been silent when others won.");
	(void)fprintf(out, PREFIX "race_saved_seconds_total %.3f\n",
		      (double)stats->counters[COUNTER_SAVED_MS] / 1000);
}

static void put_wins(FILE *out, const struct stats *stats)
{
	static const struct {
		enum counter counter;
		const char *family, *attempt;
	} wins[] = {
		{COUNTER_WON_IPV6_FIRST, "ipv6", "first"},
		{COUNTER_WON_IPV6_LATER, "ipv6", "later"},
		{COUNTER_WON_IPV4_FIRST, "ipv4", "first"},
		{COUNTER_WON_IPV4_LATER, "ipv4", "later"},
	};

	head(out, "races_won_total", "counter",
	     "Races won, by the family of the winner and whether it was the first attempt.");
	for (size_t i = 0; i < sizeof(wins) / sizeof(wins[0]); i++)
		(void)fprintf(out,
			      PREFIX "races_won_total{family=\"%s\",attempt=\"%s\"} %" PRIu64 "\n",
			      wins[i].family, wins[i].attempt, stats->counters[wins[i].counter]);
}

/* The name is printable; what is left are the format's own characters. */
static void put_labels(FILE *out, const struct stats_server *s)
{
	(void)fputs("{upstream=\"", out);
	for (const char *c = s->name; *c; c++) {
		if (*c == '\\' || *c == '"')
			(void)fputc('\\', out);
		(void)fputc(*c, out);
	}
	(void)fprintf(out, "\",transport=\"%s\"", upstream_schemes[s->transport]);
}

static void put_servers(FILE *out, const struct stats *stats)
{
	static const struct {
		enum upstream_count count;
		const char *name, *help;
	} metrics[] = {
		{UPSTREAM_ASKED, "upstream_queries_total", "Packets sent, probes too."},
		{UPSTREAM_HEARD, "upstream_answers_total", "Answers that came."},
		{UPSTREAM_UNHEARD, "upstream_failures_total",
		 "Packets without an answer in time, or that could not be sent."},
	};

	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		head(out, metrics[m].name, "counter", metrics[m].help);
		for (unsigned i = 0; i < stats->nservers; i++) {
			(void)fprintf(out, PREFIX "%s", metrics[m].name);
			put_labels(out, &stats->servers[i]);
			(void)fprintf(out, "} %" PRIu64 "\n",
				      stats->servers[i].counts[metrics[m].count]);
		}
	}
}

static void put_handshakes(FILE *out, const struct stats *stats)
{
	head(out, "upstream_handshakes_total", "counter",
	     "Connections over TLS, by whether a session was resumed.");
	for (unsigned i = 0; i < stats->nservers; i++) {
		const struct stats_server *s = &stats->servers[i];
		uint64_t resumed = s->counts[UPSTREAM_RESUMED];

		for (int is = 0; s->transport == RESOLVER_TLS && is < 2; is++) {
			(void)fputs(PREFIX "upstream_handshakes_total", out);
			put_labels(out, s);
			(void)fprintf(out, ",resumed=\"%s\"} %" PRIu64 "\n", is ? "true" : "false",
				      is ? resumed : s->counts[UPSTREAM_HANDSHAKES] - resumed);
		}
	}
}

static void put_times(FILE *out, const struct stats *stats)
{
	uint64_t sum = 0;

	head(out, "upstream_answer_seconds", "histogram",
	     "How long answers took, from the question, with connecting.");
	for (unsigned i = 0; i < UPSTREAM_STATS_BUCKETS; i++) {
		sum += stats->took[i];
		(void)fprintf(out, PREFIX "upstream_answer_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			      upstream_stats_ms[i] / 1000.0, sum);
	}
	sum += stats->took[UPSTREAM_STATS_BUCKETS];
	(void)fprintf(out,
		      PREFIX "upstream_answer_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n" PREFIX
			     "upstream_answer_seconds_sum %.3f\n" PREFIX
			     "upstream_answer_seconds_count %" PRIu64 "\n",
		      sum, (double)stats->sum_ms / 1000, sum);
}

void stats_print_prometheus(FILE *out, const struct stats *stats)
{
	put_plain(out, stats);
	put_wins(out, stats);
	put_servers(out, stats);
	put_handshakes(out, stats);
	put_times(out, stats);
}

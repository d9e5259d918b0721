// SPDX-License-Identifier: MIT
/*
 * cold.c - how long a lookup takes that has to ask a server: every name is a new one.
 *
 * All peers take turns within one process, one lookup each, and the first of a turn changes: a
 * disturbance of the machine meets all of them alike. The first lookup of each, which opens
 * sockets, and with the shim loads the resolver and starts its thread, is a figure of its own.
 */
#include "peers.h"

#include <unistd.h>

#define MAX_PEERS 4

struct contender {
	const char *subject;
	const struct peer *peer;
	uint64_t first_ns;
	struct bench_samples samples;
};

static uint64_t time_one(const struct contender *c, const char *zone, const char *run, unsigned i,
			 uint64_t clock_cost)
{
	char name[BENCH_NAME_SIZE];
	uint64_t start, took;

	snprintf(name, sizeof name, "%s-%u-%s.%s", run, i, c->subject, zone);
	start = bench_now_ns();
	peer_call(c->peer, name);
	took = bench_now_ns() - start;
	return took > clock_cost ? took - clock_cost : 0;
}

/* SUBJECT=PEER */
static struct contender contender_of(char *argument, unsigned ncalls)
{
	char *equals = strchr(argument, '=');
	struct contender c = {.subject = argument};

	if (equals == NULL)
		bench_die("wants SUBJECT=PEER", argument);
	*equals = '\0';
	c.peer = peer_find(equals + 1);
	bench_samples_init(&c.samples, ncalls);
	return c;
}

int main(int argc, char **argv)
{
	struct contender contenders[MAX_PEERS];
	unsigned n = argc > 4 ? (unsigned)argc - 4 : 0;
	unsigned ncalls = argc > 3 ? (unsigned)atoi(argv[3]) : 0;
	uint64_t cost = bench_clock_cost_ns();

	if (n == 0 || n > MAX_PEERS || ncalls == 0) {
		fputs("usage: cold ZONE RUN CALLS SUBJECT=PEER...\n"
		      "RUN becomes part of each name: another one at each call.\n",
		      stderr);
		return 2;
	}
	for (unsigned k = 0; k < n; k++) {
		contenders[k] = contender_of(argv[4 + k], ncalls);
		contenders[k].first_ns = time_one(&contenders[k], argv[1], argv[2], 0, cost);
	}
	for (unsigned i = 1; i <= ncalls; i++)
		for (unsigned k = 0; k < n; k++) {
			struct contender *c = &contenders[(i + k) % n];

			bench_sample(&c->samples, time_one(c, argv[1], argv[2], i, cost));
		}
	for (unsigned k = 0; k < n; k++) {
		bench_emit(contenders[k].subject, "first", (double)contenders[k].first_ns);
		bench_emit_times(contenders[k].subject, "p50", &contenders[k].samples);
	}
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * warm.c - how long a lookup takes whose answer is known: names that were asked once before, in a
 * random order, on one core.
 *
 * The p50 comes from batches of 16 lookups, in which the clock's own cost vanishes; p90, p99 and
 * max from single ones, less the clock's cost. With -l there is no measuring at all, only the
 * lookups: for strace, callgrind and perf, which count from outside.
 */
#include "peers.h"

#include <unistd.h>

#define BATCH 16

struct job {
	const struct peer *peer;
	char (*names)[BENCH_NAME_SIZE];
	unsigned nnames;
	unsigned ncalls;
	uint64_t random;
};

/* Into `ret`, as a program has a name at hand that it asks for: in its core's cache. */
static void next_name(struct job *job, char ret[BENCH_NAME_SIZE])
{
	memcpy(ret, job->names[(uint32_t)bench_random(&job->random) % job->nnames],
	       BENCH_NAME_SIZE);
}

static void measure_batches(struct job *job, struct bench_samples *ret)
{
	char names[BATCH][BENCH_NAME_SIZE];

	for (unsigned i = 0; i < job->ncalls; i += BATCH) {
		uint64_t start;

		for (unsigned k = 0; k < BATCH; k++)
			next_name(job, names[k]);
		start = bench_now_ns();
		for (unsigned k = 0; k < BATCH; k++)
			peer_call(job->peer, names[k]);
		bench_sample(ret, (bench_now_ns() - start) / BATCH);
	}
}

static void measure_singles(struct job *job, struct bench_samples *ret)
{
	uint64_t cost = bench_clock_cost_ns();
	char name[BENCH_NAME_SIZE];

	for (unsigned i = 0; i < job->ncalls; i++) {
		uint64_t start, took;

		next_name(job, name);
		start = bench_now_ns();
		peer_call(job->peer, name);
		took = bench_now_ns() - start;
		bench_sample(ret, took > cost ? took - cost : 0);
	}
}

static void measure(struct job *job, const char *subject)
{
	struct bench_samples batches, singles;

	bench_samples_init(&batches, job->ncalls / BATCH + 1);
	bench_samples_init(&singles, job->ncalls);
	measure_batches(job, &batches);
	measure_singles(job, &singles);
	bench_sort(&batches);
	bench_emit(subject, "p50", (double)bench_percentile(&batches, 500));
	bench_emit_times(subject, "p50_single", &singles);
}

static void loop(struct job *job)
{
	char name[BENCH_NAME_SIZE];

	for (unsigned i = 0; i < job->ncalls; i++) {
		next_name(job, name);
		peer_call(job->peer, name);
	}
}

static _Noreturn void usage(void)
{
	fputs("usage: warm [-l] [-s SUBJECT] [-n NAMES] [-c CALLS] [-k CORE] PEER ZONE\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct job job = {.nnames = 16, .ncalls = 20000, .random = 88172645463325252u};
	const char *subject = NULL;
	bool loop_only = false;
	int option;

	while ((option = getopt(argc, argv, "ls:n:c:k:")) != -1) {
		if (option == 'l')
			loop_only = true;
		else if (option == 's')
			subject = optarg;
		else if (option == 'n')
			job.nnames = (unsigned)atoi(optarg);
		else if (option == 'c')
			job.ncalls = (unsigned)atoi(optarg);
		else if (option == 'k')
			bench_pin(atoi(optarg));
		else
			usage();
	}
	if (argc - optind != 2 || job.nnames == 0)
		usage();
	job.peer = peer_find(argv[optind]);
	job.names = bench_names(argv[optind + 1], job.nnames);
	peer_floor_fill(job.names, job.nnames);
	for (unsigned i = 0; i < job.nnames; i++)
		peer_call(job.peer, job.names[i]);
	if (loop_only)
		loop(&job);
	else
		measure(&job, subject ? subject : argv[optind]);
	return 0;
}

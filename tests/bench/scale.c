// SPDX-License-Identifier: MIT
/*
 * scale.c - how many warm lookups two processes on two cores make beside one: whether readers of
 * the shared cache slow each other down.
 *
 * Two processes, one on each core, work in short spans: the first alone, the second alone, both at
 * once, and again. A rate is that of the least disturbed tenth of the spans: a program beside us
 * that takes a core takes it from some spans, while readers that disturb each other would do so in
 * every one. `wall` is the lookups of both a second beside the mean of the two alone. `cpu` is the
 * same by processor time, with medians.
 */
#include "peers.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH	64
#define SPAN_MS 10

enum span_kind { FIRST_ALONE, SECOND_ALONE, BOTH, SPAN_KINDS };

/* Written by the parent before it raises `number`, read by the children after it. */
struct shared {
	atomic_uint number; /* of the span; the children wait for the next */
	_Atomic uint64_t start_ns;
	atomic_uint kind;
	atomic_uint finished;
	double wall_rate[2]; /* lookups a second, of each child; after `finished` */
	double cpu_rate[2];
};

struct job {
	const struct peer *peer;
	char (*names)[BENCH_NAME_SIZE];
	unsigned nnames, nspans;
	struct shared *shared;
};

/* Rates of one kind of span: of the first child, of the second. */
struct rates {
	struct bench_samples wall[2], cpu[2];
};

static void work(const struct job *job, int core, uint64_t *random)
{
	uint64_t count = 0, start = job->shared->start_ns, end = start + SPAN_MS * 1000000u;
	uint64_t cpu, now;

	while (bench_now_ns() < start)
		;
	cpu = bench_ns(CLOCK_PROCESS_CPUTIME_ID);
	do {
		for (unsigned i = 0; i < BATCH; i++)
			peer_call(job->peer,
				  job->names[(uint32_t)bench_random(random) % job->nnames]);
		count += BATCH;
		now = bench_now_ns();
	} while (now < end);
	cpu = bench_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	job->shared->wall_rate[core] = (double)count * 1e9 / (double)(now - start);
	job->shared->cpu_rate[core] = (double)count * 1e9 / (double)cpu;
}

static _Noreturn void run_child(const struct job *job, int core)
{
	uint64_t random = 88172645463325252u + (unsigned)core;

	bench_pin(core);
	for (unsigned i = 0; i < job->nnames; i++)
		peer_call(job->peer, job->names[i]);
	atomic_fetch_add(&job->shared->finished, 1);
	for (unsigned number = 1; number <= job->nspans * SPAN_KINDS; number++) {
		while (atomic_load(&job->shared->number) < number)
			usleep(50);
		if (job->shared->kind == BOTH || (int)job->shared->kind == core)
			work(job, core, &random);
		atomic_fetch_add(&job->shared->finished, 1);
	}
	_exit(0);
}

static void wait_for_both(const struct job *job)
{
	int status;

	while (atomic_load(&job->shared->finished) < 2) {
		if (waitpid(-1, &status, WNOHANG) > 0 && status != 0)
			bench_die("a child", "failed");
		usleep(200);
	}
	atomic_store(&job->shared->finished, 0);
}

static void start_children(const struct job *job)
{
	for (int core = 0; core < 2; core++) {
		pid_t pid = fork();

		if (pid < 0)
			bench_die("fork", strerror(errno));
		if (pid == 0)
			run_child(job, core);
	}
	wait_for_both(job);
}

static void run_span(const struct job *job, enum span_kind kind, struct rates *rates)
{
	job->shared->kind = kind;
	job->shared->start_ns = bench_now_ns() + 1000000;
	atomic_fetch_add(&job->shared->number, 1);
	wait_for_both(job);
	for (int core = 0; core < 2; core++) {
		if (kind != BOTH && (int)kind != core)
			continue;
		bench_sample(&rates->wall[core], (uint64_t)job->shared->wall_rate[core]);
		bench_sample(&rates->cpu[core], (uint64_t)job->shared->cpu_rate[core]);
	}
}

/* The sum of the children's rates in the `permille`th span. */
static double sum(struct bench_samples s[2], unsigned permille)
{
	bench_sort(&s[0]);
	bench_sort(&s[1]);
	return (double)(bench_percentile(&s[0], permille) + bench_percentile(&s[1], permille));
}

int main(int argc, char **argv)
{
	struct job job = {.nnames = 16};
	struct rates alone, both;
	double one, two;

	if (argc != 5) {
		fputs("usage: scale SUBJECT PEER ZONE SPANS\n", stderr);
		return 2;
	}
	job.peer = peer_find(argv[2]);
	job.names = bench_names(argv[3], job.nnames);
	job.nspans = (unsigned)atoi(argv[4]);
	peer_floor_fill(job.names, job.nnames);
	for (int core = 0; core < 2; core++) {
		bench_samples_init(&alone.wall[core], job.nspans);
		bench_samples_init(&alone.cpu[core], job.nspans);
		bench_samples_init(&both.wall[core], job.nspans);
		bench_samples_init(&both.cpu[core], job.nspans);
	}
	job.shared = mmap(NULL, sizeof *job.shared, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job.shared == MAP_FAILED)
		bench_die("memory", strerror(errno));
	start_children(&job);
	for (unsigned i = 0; i < job.nspans; i++)
		for (enum span_kind kind = FIRST_ALONE; kind < SPAN_KINDS; kind++)
			run_span(&job, kind, kind == BOTH ? &both : &alone);
	one = sum(alone.wall, 900) / 2;
	two = sum(both.wall, 900);
	bench_emit(argv[1], "rate_one", one);
	bench_emit(argv[1], "rate_two", two);
	bench_emit(argv[1], "wall", two / one);
	bench_emit(argv[1], "cpu", sum(both.cpu, 500) / (sum(alone.cpu, 500) / 2));
	return 0;
}

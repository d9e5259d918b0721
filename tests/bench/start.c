// SPDX-License-Identifier: MIT
/*
 * start.c - what a preloaded library costs a new process.
 *
 *	start true RUNS CORE SUBJECT=LIBRARY...       /bin/true, from its start to its end
 *	start first NAME RUNS CORE SUBJECT=LIBRARY... the first lookup, measured inside the process
 *
 * An empty LIBRARY means none. All subjects take turns, one process each, and the first of a turn
 * changes. `over_first` is what a subject takes longer than the first one.
 */
#include "peers.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SUBJECTS 4
#define MAX_ENV	     256

struct subject {
	const char *name;
	char preload[4096]; /* LD_PRELOAD=..., or empty */
	char *env[MAX_ENV];
	struct bench_samples samples;
};

static void subject_init(struct subject *s, char *argument, size_t nruns)
{
	char *equals = strchr(argument, '=');
	unsigned n = 0;

	if (equals == NULL)
		bench_die("wants SUBJECT=LIBRARY", argument);
	*equals = '\0';
	s->name = argument;
	for (char **e = environ; *e != NULL && n < MAX_ENV - 2; e++)
		if (strncmp(*e, "LD_PRELOAD=", 11) != 0)
			s->env[n++] = *e;
	if (equals[1] != '\0') {
		snprintf(s->preload, sizeof s->preload, "LD_PRELOAD=%s", equals + 1);
		s->env[n] = s->preload;
	}
	bench_samples_init(&s->samples, nruns);
}

static void run(const char *path, char *const argv[], const struct subject *s,
		const posix_spawn_file_actions_t *actions)
{
	pid_t pid;
	int status, r = posix_spawn(&pid, path, actions, NULL, argv, s->env);

	if (r != 0)
		bench_die(path, strerror(r));
	if (waitpid(pid, &status, 0) != pid || status != 0)
		bench_die(path, "failed");
}

static uint64_t time_true(const struct subject *s, void *arg)
{
	static char path[] = "/bin/true";
	char *const argv[] = {path, NULL};
	uint64_t start = bench_now_ns();

	(void)arg;
	run(path, argv, s, NULL);
	return bench_now_ns() - start;
}

/* The child writes its figure into a pipe. */
static uint64_t time_first(const struct subject *s, void *name)
{
	static char self[] = "/proc/self/exe", child[] = "child";
	char *const argv[] = {self, child, name, NULL};
	posix_spawn_file_actions_t actions;
	uint64_t took;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		bench_die("pipe", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	run(self, argv, s, &actions);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (read(fds[0], &took, sizeof took) != sizeof took)
		bench_die("child", "said nothing");
	close(fds[0]);
	return took;
}

/* The process whose first lookup is measured. The clock's first reading is not in the figure. */
static int child_main(const char *name)
{
	uint64_t start = bench_now_ns(), took;

	start = bench_now_ns();
	peer_call(peer_find("stream"), name);
	took = bench_now_ns() - start;
	return write(1, &took, sizeof took) == sizeof took ? 0 : 1;
}

/* Median of what a run takes longer than the first subject's run of the same turn: those two met
 * the same machine. Before the samples are sorted. */
static void emit_difference(const struct subject *first, const struct subject *s)
{
	struct bench_samples differences;
	const int64_t offset = INT64_MAX / 2; /* samples have no sign */

	bench_samples_init(&differences, s->samples.n);
	for (size_t i = 0; i < s->samples.n; i++)
		bench_sample(&differences, (uint64_t)((int64_t)s->samples.v[i] -
						      (int64_t)first->samples.v[i] + offset));
	bench_sort(&differences);
	bench_emit(s->name, "over_first",
		   (double)((int64_t)bench_percentile(&differences, 500) - offset));
	free(differences.v);
}

static _Noreturn void usage(void)
{
	fputs("usage: start true RUNS CORE SUBJECT=LIBRARY...\n"
	      "       start first NAME RUNS CORE SUBJECT=LIBRARY...\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static struct subject subjects[MAX_SUBJECTS];
	bool first = argc > 1 && strcmp(argv[1], "first") == 0;
	int at = first ? 3 : 2;
	unsigned n, nruns;

	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return child_main(argv[2]);
	if (argc < at + 3 || argc - at - 2 > MAX_SUBJECTS)
		usage();
	nruns = (unsigned)atoi(argv[at]);
	bench_pin(atoi(argv[at + 1]));
	n = (unsigned)(argc - at - 2);
	for (unsigned k = 0; k < n; k++)
		subject_init(&subjects[k], argv[at + 2 + (int)k], nruns);
	for (unsigned i = 0; i < nruns; i++)
		for (unsigned k = 0; k < n; k++) {
			struct subject *s = &subjects[(i + k) % n];

			bench_sample(&s->samples,
				     first ? time_first(s, argv[2]) : time_true(s, NULL));
		}
	for (unsigned k = 1; k < n; k++)
		emit_difference(&subjects[0], &subjects[k]);
	for (unsigned k = 0; k < n; k++)
		bench_emit_times(subjects[k].name, "p50", &subjects[k].samples);
	return 0;
}

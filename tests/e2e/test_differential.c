// SPDX-License-Identifier: MIT
/*
 * test_differential.c - the shim must answer as libc does. One client asks the same questions in
 * the same world, once without and once with the shim, there twice: from the network, then from the
 * cache. The surroundings and the questions come from a seed (diff_config.h, diff_cases.c).
 *
 *	NBD_DIFF_SEED=n      another seed than the fixed one
 *	NBD_DIFF_ONLY=c[:i]  configuration c alone, and of its differences only question i
 *	NBD_DIFF_CONFIGS=n   how many configurations
 *	NBD_DIFF_SHOWN=n     how many differences are printed
 */
#include "tests/e2e/diff_compare.h"
#include "tests/e2e/diff_config.h"
#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <stdlib.h>
#include <sys/mman.h>

#define SEED	20260101
#define CONFIGS 60
#define CASES	100 /* a configuration */
#define ROUNDS	2   /* with the shim: cold, warm */
#define SHOWN	12  /* differences that are printed in full, unless $NBD_DIFF_SHOWN says more */

/* What the worlds report: a shared mapping. */
struct tally {
	uint64_t seed;
	int only_config, only_case; /* -1: all */
	unsigned config;
	unsigned compared;
	unsigned verdicts[DIFF_VERDICTS];
	unsigned shown, to_show;
};

static char *read_answers(const char *path, char *lines[], unsigned n)
{
	FILE *file = fopen(path, "r");
	size_t size = 16u << 20, used;
	char *text = malloc(size), *at = text;

	if (file == NULL || text == NULL)
		lab_fail("cannot read %s", path);
	used = fread(text, 1, size - 1, file);
	text[used] = '\0';
	fclose(file);
	for (unsigned i = 0; i < n; i++) {
		lines[i] = strsep(&at, "\n");
		if (at == NULL)
			lab_fail("%s: %u answers instead of %u", path, i, n);
	}
	return text;
}

/* Runs the client; its answers go to lines[n * rounds]. */
static char *ask_all(struct lab_world *w, const struct diff_config *config, bool preload,
		     unsigned rounds, char *lines[])
{
	static struct lab_proc_result result;
	char cases[128], answers[128], count[16];
	const char *const argv[] = {"clients/diff_client", count, cases, answers, NULL};

	snprintf(cases, sizeof cases, "%s/cases", lab_world_dir(w));
	snprintf(answers, sizeof answers, "%s/answers%d", lab_world_dir(w), preload);
	snprintf(count, sizeof count, "%u", rounds);
	lab_proc_run(w,
		     &(struct lab_proc_opts){.argv = argv,
					     .env = config->env_list,
					     .preload = preload,
					     .timeout_ms = 60000},
		     &result);
	if (result.status != 0 || result.err[0] != '\0')
		lab_fail("client %s the shim: status %d, signal %d%s: %s",
			 preload ? "with" : "without", result.status, result.signal,
			 result.timed_out ? ", timed out" : "", result.err);
	return read_answers(answers, lines, CASES * rounds);
}

static void show(struct tally *t, const struct diff_case *c, unsigned item, unsigned round,
		 const char *libc, const char *ours)
{
	char text[DIFF_LINE_MAX];

	if (t->only_case < 0 && ++t->shown > t->to_show)
		return;
	diff_case_print(c, text);
	fprintf(stderr,
		"NBD_DIFF_SEED=%llu NBD_DIFF_ONLY=%u:%u, %s\n  case %s\n  libc %s\n  ours %s\n",
		(unsigned long long)t->seed, t->config, item, round == 0 ? "cold" : "warm", text,
		libc, ours);
}

static void write_cases(struct lab_world *w, const struct tally *t,
			const struct diff_config *config, struct diff_case *cases)
{
	char path[128], line[DIFF_LINE_MAX];
	FILE *file;

	snprintf(path, sizeof path, "%s/cases", lab_world_dir(w));
	file = fopen(path, "w");
	if (file == NULL)
		lab_fail("cannot write %s", path);
	for (unsigned i = 0; i < CASES; i++) {
		diff_case_make(t->seed, t->config, i, config, &cases[i]);
		diff_case_print(&cases[i], line);
		fprintf(file, "%s\n", line);
	}
	fclose(file);
}

struct run {
	struct tally *tally;
	const struct diff_config *config;
};

static void compare_in_world(struct lab_world *w, void *arg)
{
	const struct run *run = arg;
	struct tally *t = run->tally;
	static struct diff_case cases[CASES];
	static char *libc[CASES], *ours[CASES * ROUNDS];

	if (run->config->links.used != 0)
		lab_ip(w, LAB_NEAR, "%s", run->config->links.s);
	lab_dns_start_text(w, run->config->server.s);
	if (run->config->server2.used != 0)
		lab_dns_start_text(w, run->config->server2.s);
	write_cases(w, t, run->config, cases);
	ask_all(w, run->config, false, 1, libc);
	ask_all(w, run->config, true, ROUNDS, ours);
	for (unsigned i = 0; i < CASES * ROUNDS; i++) {
		unsigned item = i % CASES;
		enum diff_verdict v = diff_compare(&cases[item], libc[item], ours[i]);

		if (t->only_case >= 0 && item != (unsigned)t->only_case)
			continue;
		t->compared += i < CASES;
		t->verdicts[v]++;
		if (v == DIFF_DIFFERENT || t->only_case >= 0)
			show(t, &cases[item], item, i / CASES, libc[item], ours[i]);
	}
}

static void print_files(const struct diff_config *c)
{
	fprintf(stderr,
		"-- resolv.conf\n%s-- hosts\n%s-- nsswitch.conf\n%s-- host.conf\n%s"
		"-- gai.conf%s\n%s-- host name %s\n-- links\n%s-- environment\n",
		c->resolv_conf.s, c->hosts.s, c->nsswitch.s, c->host_conf.s,
		c->has_gai_conf ? "" : " (absent)", c->gai_conf.s, c->hostname, c->links.s);
	for (unsigned i = 0; i < c->nenv; i++)
		fprintf(stderr, "%s\n", c->env[i]);
	fprintf(stderr, "-- server\n%s-- the server before it\n%s", c->server.s, c->server2.s);
}

static void run_config(struct tally *t)
{
	static struct diff_config config;
	struct lab_result result;
	const struct lab_file files[] = {{DIFF_ALIASES_PATH, config.host_aliases.s}, {NULL, NULL}};
	struct run run = {t, &config};
	struct lab_world_opts opts = {
		.resolv_conf = config.resolv_conf.s,
		.hosts = config.hosts.s,
		.nsswitch = config.nsswitch.s,
		.host_conf = config.host_conf.s,
		.files = files,
		.timeout_s = 200,
	};

	diff_config_make(t->seed, t->config, &config);
	opts.gai_conf = config.has_gai_conf ? config.gai_conf.s : NULL;
	opts.hostname = config.hostname;
	if (t->only_config >= 0)
		print_files(&config);
	lab_world_run(&opts, compare_in_world, &run, &result);
	if (result.outcome == LAB_FAILED)
		fprintf(stderr, "NBD_DIFF_SEED=%llu NBD_DIFF_ONLY=%u\n",
			(unsigned long long)t->seed, t->config);
	lab_report(&result);
}

static struct tally *new_tally(void)
{
	const char *seed = getenv("NBD_DIFF_SEED"), *only = getenv("NBD_DIFF_ONLY");
	const char *shown = getenv("NBD_DIFF_SHOWN");
	struct tally *t =
		mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert(t != MAP_FAILED);
	t->seed = seed != NULL ? strtoull(seed, NULL, 0) : SEED;
	t->to_show = shown != NULL ? (unsigned)atoi(shown) : SHOWN;
	t->only_config = t->only_case = -1;
	if (only != NULL)
		sscanf(only, "%d:%d", &t->only_config, &t->only_case);
	return t;
}

Test(differential, generated_cases_equal_libc)
{
	const char *configs = getenv("NBD_DIFF_CONFIGS");
	unsigned n = configs != NULL ? (unsigned)atoi(configs) : CONFIGS;
	struct tally *t = new_tally();

	for (unsigned i = 0; i < n; i++) {
		if (t->only_config >= 0 && i != (unsigned)t->only_config)
			continue;
		t->config = i;
		run_config(t);
	}
	for (int v = 0; v < DIFF_VERDICTS; v++)
		fprintf(stderr, "differential: %u %s\n", t->verdicts[v], diff_verdict_names[v]);
	cr_assert(t->verdicts[DIFF_DIFFERENT] == 0,
		  "%u of %u questions (each asked %d times) differ", t->verdicts[DIFF_DIFFERENT],
		  t->compared, ROUNDS);
}

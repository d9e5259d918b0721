// SPDX-License-Identifier: MIT
/*
 * test_race_programs.c - programs as the distribution ships them connect to a name of which IPv6 is
 * a black hole and IPv4 works, with a round trip of 20 ms.
 *
 * Measured is the time from the start of the program to the moment at which the server accepts, so
 * each program is also run with a name that has IPv4 alone: that is its own share. The table goes
 * to the output and to race_programs.txt in the build folder.
 *
 * A machine that is busy makes a program slow now and then; it never makes one fast. So the
 * quickest of three runs counts, and a run that goes wrong counts at once.
 */
#include "tests/e2e/race_programs.h"
#include "tests/e2e/shim_run.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/servers.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEAD_V4	      LAB_FAR_V4(66)
#define STALL_MS      2900 /* two SYNs, and the wait for the answer to each: 1 s and 2 s */
#define LIMIT_MS      500
#define NEXT_LIMIT_MS 200 /* under the Connection Attempt Delay: nothing was waited for */
#define NOISE_MS      100
#define TURNS	      3

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr " RACE_BLACK_HOLE " 300 AAAA " RACE_V6 "\n"                                            \
	"rr " RACE_BLACK_HOLE " 300 A " RACE_V4 "\n"                                               \
	"rr " RACE_DEAD_IPV4 " 300 A " DEAD_V4 "\n"                                                \
	"rr " RACE_DEAD_IPV4 " 300 A " RACE_V4 "\n"                                                \
	"rr " RACE_IPV4_ALONE " 300 A " RACE_V4 "\n"

/* What was measured of one program. In shared memory: some are measured at once. */
struct row {
	const char *skipped; /* why it was not run, or NULL */
	struct race_outcome ipv4_alone;
	struct race_outcome libc; /* RACE_BLACK_HOLE, without the shim */
	struct race_outcome shim; /* ... with it, and a cache that knows nothing */
	struct race_outcome next; /* ... and with the cache that this run has left */
};

static struct race_services *services;
static struct row *rows;

/* ---- the surroundings ---- */

static void shell(struct lab_world *w, const char *text)
{
	static struct lab_proc_result got;

	lab_proc_run(w,
		     &(struct lab_proc_opts){
			     .argv = SHIM_ARGV("sh", "-ec", text),
			     .env = SHIM_ENV(race_programs_text("DIR=%s", lab_world_dir(w)),
					     race_programs_text("HOME=%s", lab_world_dir(w)))},
		     &got);
	lab_assert(got.status == 0, "(%s: %s)", text, got.err);
}

static void make_files(struct lab_world *w)
{
	char config[256];

	if (lab_find_program("git"))
		shell(w, "git init -q --bare $DIR/" RACE_GIT_FOLDER "/x.git\n"
			 "cd $DIR/" RACE_GIT_FOLDER "/x.git\n"
			 "export GIT_AUTHOR_NAME=lab GIT_AUTHOR_EMAIL=lab@lab.test\n"
			 "export GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=lab@lab.test\n"
			 "git update-ref refs/heads/main"
			 " $(git commit-tree -m x $(git mktree </dev/null))");
	if (lab_find_program("ssh-keygen"))
		shell(w, "ssh-keygen -q -t ed25519 -N '' -f $DIR/key");
	snprintf(config, sizeof(config), "%s/" RACE_SSHD_CONFIG, lab_world_dir(w));
	lab_file_overwrite(config,
			   race_programs_text("HostKey %s/key\nAuthorizedKeysFile %s/key.pub\n"
					      "StrictModes no\nUsePAM no\nPermitRootLogin yes\n"
					      "LogLevel QUIET\n",
					      lab_world_dir(w), lab_world_dir(w)));
	mkdir("/run/sshd", 0755);
}

static const char *why_skip(const struct race_program *p)
{
	char setgroups[16] = "";

	if (!lab_find_program(p->package_of) ||
	    (p->service == RACE_SSH && !lab_find_program("sshd")))
		return "not installed";
	lab_file_read("/proc/self/setgroups", setgroups, sizeof(setgroups));
	return p->root && strncmp(setgroups, "deny", 4) == 0 ? "needs root" : NULL;
}

static void start(struct lab_world *w)
{
	static const struct lab_rule rules[] = {
		{.match = {.family = AF_INET6}, .action = LAB_BLACKHOLE},
		{.match = {.remote = DEAD_V4}, .action = LAB_BLACKHOLE},
		{.delay_us = 10000},
	};
	enum race_service kinds[RACE_PROGRAMS];

	rows = mmap(NULL, RACE_PROGRAMS * sizeof(*rows), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	lab_assert(rows != MAP_FAILED);
	for (unsigned i = 0; i < RACE_PROGRAMS; i++) {
		kinds[i] = race_programs[i].service;
		rows[i].skipped = why_skip(&race_programs[i]);
	}
	make_files(w);
	lab_dns_start_text(w, ZONE);
	lab_forwarder_start(w, &(struct lab_forwarder_opts){
				       .rules = rules, .nrules = sizeof(rules) / sizeof(rules[0])});
	services = race_services_start(w, kinds, RACE_PROGRAMS);
}

/* ---- the measurements ---- */

static const char *host_of(unsigned i)
{
	return race_programs[i].host ? race_programs[i].host : RACE_BLACK_HOLE;
}

static void run_libc(struct lab_world *w, unsigned i, const char *host, struct race_outcome *ret)
{
	race_program_run(w, services, &(struct race_run){.i = i, .host = host}, ret);
}

/* The second run has all files in memory. */
static void measure_ipv4_alone(struct lab_world *w)
{
	for (unsigned i = 0; i < RACE_PROGRAMS; i++)
		for (int turn = 0; turn < 2 && !rows[i].skipped; turn++)
			run_libc(w, i, RACE_IPV4_ALONE, &rows[i].ipv4_alone);
}

/* Those that wait do it at the same time; of the others the time matters. */
static void measure_libc(struct lab_world *w)
{
	pid_t pids[RACE_PROGRAMS] = {0};

	lab_file_overwrite("/proc/sys/net/ipv4/tcp_syn_retries", "1\n");
	for (unsigned i = 0; i < RACE_PROGRAMS; i++) {
		if (rows[i].skipped || race_programs[i].habit != RACE_STALLS)
			continue;
		pids[i] = lab_fork_side(w, LAB_NEAR);
		if (pids[i] == 0) {
			run_libc(w, i, host_of(i), &rows[i].libc);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < RACE_PROGRAMS; i++)
		if (pids[i] != 0)
			lab_proc_wait(pids[i], 0);
	for (unsigned i = 0; i < RACE_PROGRAMS; i++)
		if (!rows[i].skipped && race_programs[i].habit != RACE_STALLS)
			run_libc(w, i, host_of(i), &rows[i].libc);
	lab_file_overwrite("/proc/sys/net/ipv4/tcp_syn_retries", "6\n");
}

/* The latest that the server may accept; of a cache that knows the network, and of one that does
 * not. */
static int limit_ms(unsigned i, bool next)
{
	const struct row *r = &rows[i];

	if (race_programs[i].habit == RACE_RACES)
		return r->libc.accepted_ms + NOISE_MS;
	return r->ipv4_alone.accepted_ms + (next ? NEXT_LIMIT_MS : LIMIT_MS);
}

static bool within(unsigned i, const struct race_outcome *o, bool next)
{
	return o->served && o->accepted_ms >= 0 && o->accepted_ms <= limit_ms(i, next);
}

/* The quickest of some runs, or the first one that goes wrong. */
static void measure_shim(struct lab_world *w, unsigned i, bool next, struct race_outcome *ret)
{
	struct race_outcome o = {.served = true, .accepted_ms = -1};

	for (int turn = 0;
	     turn < TURNS && o.served && o.accepted_ms < STALL_MS && !within(i, ret, next);
	     turn++) {
		const char *cache =
			race_programs_text("%s/cache.%u.%d", lab_world_dir(w), i, next ? 0 : turn);

		race_program_run(
			w, services,
			&(struct race_run){
				.i = i, .host = host_of(i), .preload = true, .cache = cache},
			&o);
		if (turn == 0 || !o.served || o.accepted_ms < ret->accepted_ms)
			*ret = o;
	}
}

/* ---- what came out ---- */

static const char *took(const struct race_outcome *o)
{
	if (o->ended_ms == 0)
		return "-";
	return o->accepted_ms >= 0 ? race_programs_text("%d ms", o->accepted_ms)
				   : race_programs_text("gave up, %.1f s", o->ended_ms / 1000.0);
}

static void print_rows(FILE *to)
{
	fprintf(to, "%-26s %11s %17s %10s %13s\n", "from start to accept", "IPv4 alone",
		"without the shim", "with it", "next process");
	for (unsigned i = 0; i < RACE_PROGRAMS; i++) {
		const struct row *r = &rows[i];

		if (r->skipped)
			fprintf(to, "%-26s %s\n", race_programs[i].name, r->skipped);
		else
			fprintf(to, "%-26s %11s %17s %10s %13s\n", race_programs[i].name,
				took(&r->ipv4_alone), took(&r->libc), took(&r->shim),
				took(&r->next));
	}
	fflush(to);
}

static void print_table(void)
{
	FILE *file = fopen(race_programs_text("%s/race_programs.txt", lab_build_dir()), "we");

	lab_assert(file != NULL, "(%s)", strerror(errno));
	print_rows(file);
	fclose(file);
	print_rows(stdout);
}

static const char *said(const struct race_outcome *o)
{
	return o->served ? "served" : o->complaint;
}

/* What is wrong with a program's row, or NULL. */
static const char *fault(unsigned i)
{
	const struct row *r = &rows[i];
	const char *name = race_programs[i].name;
	bool stalled = r->libc.accepted_ms < 0 || r->libc.accepted_ms >= STALL_MS;

	if (r->skipped)
		return NULL;
	if (!r->ipv4_alone.served)
		return race_programs_text("%s: not served over IPv4 alone: %s", name,
					  r->ipv4_alone.complaint);
	if (stalled != (race_programs[i].habit == RACE_STALLS))
		return race_programs_text("%s: without the shim %s", name, took(&r->libc));
	if (!within(i, &r->shim, false))
		return race_programs_text("%s: %s instead of %d ms: %s", name, took(&r->shim),
					  limit_ms(i, false), said(&r->shim));
	if (!within(i, &r->next, true))
		return race_programs_text("%s: the next process: %s instead of %d ms: %s", name,
					  took(&r->next), limit_ms(i, true), said(&r->next));
	return NULL;
}

LabTest(race_programs, connect_where_ipv6_is_a_black_hole, .far = true, .timeout_s = 300)
{
	const char *faults = "";

	shim_not_under(NULL, "its runtime disturbs some of these programs");
	start(w);
	measure_ipv4_alone(w);
	measure_libc(w);
	for (unsigned i = 0; i < RACE_PROGRAMS; i++) {
		if (rows[i].skipped)
			continue;
		measure_shim(w, i, false, &rows[i].shim);
		if (within(i, &rows[i].shim, false))
			measure_shim(w, i, true, &rows[i].next);
	}
	print_table();
	for (unsigned i = 0; i < RACE_PROGRAMS; i++)
		if (fault(i))
			faults = race_programs_text("%s\n%s", faults, fault(i));
	lab_assert_str(faults, "");
}

// SPDX-License-Identifier: MIT
/* fault_run.c - see fault_run.h. */
#include "tests/e2e/fault_run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 16

/* What a busy machine may add where times are limited; what is printed is what was measured. */
#define SLACK_MS 250

void fault_sleep_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* ---- faults ---- */

void fault_gone(struct fault *f)
{
	lab_dns_vanish(f->dns);
}

void fault_silent(struct fault *f)
{
	siginfo_t info;

	lab_assert(kill(lab_dns_pid(f->dns), SIGSTOP) == 0);
	lab_assert(waitid(P_PID, (id_t)lab_dns_pid(f->dns), &info, WSTOPPED | WNOWAIT) == 0);
}

void fault_serve(struct fault *f, const char *script)
{
	if (f->dns != NULL)
		lab_dns_stop(f->dns);
	f->dns = lab_dns_start_text(f->w, script);
}

void fault_flaps(struct fault *f)
{
	for (;;) {
		fault_sleep_ms(1000);
		lab_dns_vanish(f->dns);
		fault_sleep_ms(1000);
		lab_dns_return(f->dns);
	}
}

/* ---- lookups ---- */

static void split(char *text, const char *ret[WORDS_MAX])
{
	char *rest = NULL, *word = strtok_r(text, " ", &rest);
	unsigned n = 1;

	ret[0] = "clients/stale_client";
	for (; word != NULL && n < WORDS_MAX - 1; word = strtok_r(NULL, " ", &rest))
		ret[n++] = word;
	ret[n] = NULL;
}

struct fault_toll fault_look_up(const char *env, const char *words)
{
	const char *argv[WORDS_MAX], *const envs[] = {env, NULL};
	struct fault_toll t = {0};
	char text[256];
	int n;

	snprintf(text, sizeof text, "%s", words);
	split(text, argv);
	lab_proc_run(NULL,
		     &(struct lab_proc_opts){
			     .argv = argv, .env = envs, .preload = true, .timeout_ms = 100000},
		     &shim_got);
	lab_assert_str(shim_got.err, "");
	n = sscanf(shim_got.out,
		   "errors %u slow %u crawling %u longest %u again %u waited %u spread %u wall %u",
		   &t.errors, &t.slow, &t.crawling, &t.longest_ms, &t.again, &t.waited,
		   &t.spread_ms, &t.wall_ms);
	lab_assert(n == 8, "(stale_client says \"%s\")", shim_got.out);
	return t;
}

/* ---- a row ---- */

static pid_t start_meanwhile(struct fault *f)
{
	pid_t pid = f->c->meanwhile != NULL ? lab_fork_side(f->w, LAB_NEAR) : -1;

	if (pid == 0) {
		f->c->meanwhile(f);
		_exit(0);
	}
	return pid;
}

static void end_meanwhile(struct fault *f, pid_t pid)
{
	if (pid < 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	kill(lab_dns_pid(f->dns), SIGCONT);
}

static uint64_t asked(const struct fault *f, uint16_t type)
{
	return f->c->name != NULL ? shim_asked(f->dns, f->c->name, type) : 0;
}

static void say(const struct fault *f)
{
	const struct fault_toll *t = &f->toll;
	char measured[96], queries[64] = "";
	const char *const cells[RESULT_CELLS] = {f->c->what, f->c->who, f->c->expected, measured,
						 queries};

	snprintf(measured, sizeof measured, "%u errors, %u again, %u waited, %u ms", t->errors,
		 t->again, t->waited, t->longest_ms);
	if (f->c->name != NULL)
		snprintf(queries, sizeof queries, "%llu A, %llu AAAA",
			 (unsigned long long)asked(f, LAB_A),
			 (unsigned long long)asked(f, LAB_AAAA));
	result_table_add(RESULT_FAULTS, f->c->row, cells);
}

static void judge(const struct fault *f)
{
	const struct fault_case *c = f->c;
	const struct fault_toll *t = &f->toll;

	lab_assert_int(t->errors, 0);
	lab_assert_int(t->again, c->again);
	if (c->waited != FAULT_ANY)
		lab_assert(t->waited <= c->waited, "(%u, at most %u)", t->waited, c->waited);
	lab_assert(!c->once || t->crawling == 0, "(%u processes waited again)", t->crawling);
	lab_assert(t->longest_ms <= c->longest_ms + SLACK_MS, "(%u ms, at most %u)", t->longest_ms,
		   c->longest_ms);
	lab_assert(t->wall_ms + 1 >= c->least_ms, "(%u ms, at least %u)", t->wall_ms, c->least_ms);
	for (int i = 0; c->name != NULL && i < 2; i++) {
		unsigned long long n = asked(f, i == 0 ? LAB_A : LAB_AAAA);

		lab_assert(n <= c->asked && n >= c->least_asked, "(%llu %s queries, %u to %u)", n,
			   i == 0 ? "A" : "AAAA", c->least_asked, c->asked);
	}
}

void fault_run(struct lab_world *w, const struct fault_case *c)
{
	struct fault f = {.w = w, .c = c};
	pid_t meanwhile;

	if (c->fill != NULL) {
		fault_serve(&f, FAULT_OLD);
		lab_assert_int(fault_look_up(c->env, c->fill).again, 0);
		fault_sleep_ms(FAULT_EXPIRED_MS);
	}
	if (c->script != NULL || f.dns == NULL)
		fault_serve(&f, c->script != NULL ? c->script : FAULT_OLD);
	if (c->begin != NULL)
		c->begin(&f);
	meanwhile = start_meanwhile(&f);
	f.toll = fault_look_up(c->env, c->client);
	end_meanwhile(&f, meanwhile);
	say(&f);
	judge(&f);
	if (c->end != NULL)
		c->end(&f);
}

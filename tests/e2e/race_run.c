// SPDX-License-Identifier: MIT
/*
 * race_run.c - what the programs of a scenario must have seen and sent, and the lines of the table
 * that say so (race_run.h).
 */
#include "tests/e2e/race_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAGGER_US 8000 /* between two starts, so that they do not hinder one another */
#define AGAIN_MAX  2
#define JOBS_MAX   (RACE_CASES_MAX * 2 * RACE_MODES)

static double end_ms(const struct race_job *job)
{
	return race_value(job, "start") + race_value(job, "connect_ms");
}

double race_took_ms(const struct race_net *net, const struct race_job *job)
{
	return end_ms(job) - race_zero_ms(net, job);
}

static void add(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Appends what fits. */
static void add(char *buf, size_t size, const char *fmt, ...)
{
	const size_t used = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + used, size - used, fmt, ap);
	va_end(ap);
}

/* "IPv4 after 251 ms" */
static void print_end(const char *error, int family, double ms, char *buf, size_t size)
{
	if (strcmp(error, "0") != 0)
		snprintf(buf, size, "%s after %.0f ms", error, ms);
	else if (family == 0)
		snprintf(buf, size, "connected after %.0f ms", ms);
	else
		snprintf(buf, size, "IPv%d after %.0f ms", family, ms);
}

static const char *wanted_error(const struct race_case *c)
{
	return c->error != NULL ? c->error : "0";
}

static void print_expected(const struct race_case *c, char *buf, size_t size)
{
	print_end(wanted_error(c), c->family, c->at_ms, buf, size);
	if (c->syns != NULL)
		add(buf, size, ", SYN %s", c->syns);
}

void race_job_print(const struct race_net *net, const struct race_job *job, char *buf, size_t size)
{
	static struct race_capture capture;
	const double zero = race_zero_ms(net, job);
	char syns[256];

	print_end(race_text(job, "error"), (int)race_value(job, "family"), end_ms(job) - zero, buf,
		  size);
	race_capture_read(net->capture, job->port, &capture);
	race_capture_print(&capture, zero, syns, sizeof syns);
	if (job->shim)
		add(buf, size, ", SYN %s", syns);
}

/*
 * Of the connections that reached the servers one got the program's byte, and the others none, but
 * their end (a FIN, since nobody read from them).
 */
static const char *check_servers(const struct race_net *net, uint16_t port, unsigned octets)
{
	struct lab_connection c;
	unsigned got = 0;

	for (unsigned i = 0; lab_listener_connection(net->listener, i, &c); i++) {
		for (unsigned ms = 0; c.port == port && c.end == LAB_CONNECTION_OPEN && ms < 1000;
		     ms++) {
			usleep(1000);
			lab_listener_connection(net->listener, i, &c);
		}
		if (c.port != port)
			continue;
		got += c.octets;
		if (c.octets == 0 && c.end != LAB_CONNECTION_EOF)
			return "a server saw something else than the end of a lost connection";
	}
	return got == octets ? NULL : "not one byte at one server";
}

/* What holds for every program, whatever became of its connect. NULL: all is well. */
static const char *check_always(const struct race_net *net, const struct race_job *job)
{
	const bool connected = strcmp(race_text(job, "error"), "0") == 0;

	if (race_value(job, "nonblock") != (job->mode != RACE_BLOCK))
		return "O_NONBLOCK changed";
	if (race_value(job, "fds") > 0)
		return "descriptors left";
	if (race_value(job, "connecting") > 0)
		return "attempts left";
	if (connected && job->mode != RACE_BLOCK && race_value(job, "events") != 1)
		return "not exactly one event";
	if (connected && strtoul(race_text(job, "flags"), NULL, 0) & ~0x5u) /* IN and OUT */
		return "an event besides writable and readable";
	return check_servers(net, job->port, connected);
}

static bool is_late(const struct race_case *c, double ms)
{
	return ms > c->at_ms + RACE_SLOP_MS(c->at_ms);
}

/* On a busy machine everything may be late, and then other answers may come first. */
static struct race_verdict judge_times(const struct race_case *c, const struct race_seen *seen)
{
	static char why[128];
	const double ms = seen->end_ms - seen->zero_ms;
	bool late = is_late(c, ms);

	if (c->family != 0 && race_value(seen->job, "family") != c->family)
		return (struct race_verdict){"wrong family", late};
	if (c->syns != NULL &&
	    !race_capture_is(seen->capture, seen->zero_ms, c->syns, why, sizeof why, &late))
		return (struct race_verdict){why, late};
	if (late)
		return (struct race_verdict){"too late", true};
	if (ms < c->at_ms - c->early_ms - RACE_EARLY_MS)
		return (struct race_verdict){"too early", false};
	return (struct race_verdict){NULL, false};
}

struct race_verdict race_judge(const struct race_net *net, const struct race_job *job,
			       const struct race_case *c)
{
	static struct race_capture capture;
	const struct race_seen seen = {.net = net,
				       .job = job,
				       .capture = &capture,
				       .zero_ms = race_zero_ms(net, job),
				       .end_ms = end_ms(job)};
	const char *wrong = check_always(net, job);

	race_capture_read(net->capture, job->port, &capture);
	if (strcmp(race_text(job, "error"), wanted_error(c)) != 0)
		wrong = "wrong result";
	if (wrong == NULL && c->check != NULL)
		wrong = c->check(&seen);
	return wrong != NULL ? (struct race_verdict){wrong, false} : judge_times(c, &seen);
}

void race_conclude(const struct race_net *net, const struct race_case *c,
		   const struct race_job *with, const struct race_job *without, char *failures,
		   size_t size)
{
	const char *wrong = race_judge(net, with, c).wrong;
	char expected[256], measured[768], libc[512] = "-";

	print_expected(c, expected, sizeof expected);
	race_job_print(net, with, measured, sizeof measured);
	if (without != NULL)
		race_job_print(net, without, libc, sizeof libc);
	if (wrong != NULL) {
		add(measured, sizeof measured, " FAILED: %s", wrong);
		add(failures, size, "\n%s, %s: expected %.150s; %.230s", c->what,
		    race_mode_to_str(with->mode), expected, measured);
	}
	race_table_add(c->row, c->what, race_mode_to_str(with->mode), expected, measured, libc);
}

/* All cases in all their modes at once, each without the shim [i] and with it [i + 1]. */
static unsigned run_all(struct race_net *net, struct race_job jobs[JOBS_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < net->ncases; i++)
		for (enum race_mode mode = 0; mode < RACE_MODES; mode++) {
			if ((net->cases[i].modes & RACE_BIT(mode)) == 0)
				continue;
			for (int shim = 0; shim <= 1; shim++) {
				race_job_start(net, i, mode, shim, NULL, &jobs[n++]);
				usleep(STAGGER_US);
			}
		}
	for (unsigned i = 0; i < n; i++)
		race_job_end(&jobs[i]);
	return n;
}

/* Once more, and by itself, where it was nothing but late. */
static void run_late_again(struct race_net *net, struct race_job *job)
{
	const struct race_case *c = &net->cases[job->icase];

	for (unsigned i = 0; i < AGAIN_MAX && race_judge(net, job, c).late; i++) {
		race_job_start(net, job->icase, job->mode, true, NULL, job);
		race_job_end(job);
	}
}

/* What one program in the crowd reaches, another one may miss; but all cannot be slow. */
static void check_best(const struct race_net *net, unsigned icase, const struct race_job *jobs,
		       unsigned n)
{
	const struct race_case *c = &net->cases[icase];
	double best_ms = 1e9;

	for (unsigned i = 0; i < n; i++) {
		const double ms = race_took_ms(net, &jobs[i]);

		if (jobs[i].icase == icase && jobs[i].shim && ms < best_ms)
			best_ms = ms;
	}
	if (c->best_ms > 0 && best_ms > c->best_ms)
		lab_fail("%s: the fastest took %.1f ms, not %.1f", c->what, best_ms, c->best_ms);
}

void race_run(struct lab_world *w, const struct race_case *cases, unsigned ncases)
{
	static struct race_job jobs[JOBS_MAX];
	const bool greets = cases->client != NULL && strstr(cases->client, "greet") != NULL;
	char failures[1800] = "";
	struct race_net net;
	unsigned n;

	race_net_start(w, cases, ncases, greets ? "S" : NULL, &net);
	n = run_all(&net, jobs);
	for (unsigned i = 0; i < n; i += 2) {
		run_late_again(&net, &jobs[i + 1]);
		race_conclude(&net, &cases[jobs[i].icase], &jobs[i + 1], &jobs[i], failures,
			      sizeof failures);
	}
	if (failures[0] != '\0')
		lab_fail("%s", failures);
	for (unsigned i = 0; i < ncases; i++)
		check_best(&net, i, jobs, n);
}

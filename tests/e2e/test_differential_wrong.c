// SPDX-License-Identifier: MIT
/*
 * test_differential_wrong.c - lost, wrong and broken answers, where a lookup may wait: does the
 * shim end with what libc ends with? One process asks each question, all at the same time.
 */
#include "tests/e2e/diff_compare.h"
#include "tests/e2e/diff_text.h"
#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <netdb.h>
#include <stdlib.h>

/* What libc does with an answer, where that is not what we do (deviations.md). */
enum deviation {
	NONE,
	LOST,		/* nothing comes */
	BROKEN_ANSWER,	/* one that cannot be parsed */
	NOT_A_RESPONSE, /* one that is a question by its header */
};

static const struct {
	const char *action;
	bool v4, v6; /* the records that the name has */
	enum deviation deviation;
} rows[] = {
	{"drop", true, true, LOST},
	{"drop", true, false, LOST},
	{"drop", false, true, LOST},
	{"wrong-id", true, true, LOST},
	{"wrong-question", true, true, LOST},
	{"no-question", true, true, LOST},
	{"wrong-port", true, true, LOST},
	{"not-response", true, true, NOT_A_RESPONSE},
	{"garbage 40", true, true, LOST},
	{"cut 11", true, true, BROKEN_ANSWER},
	{"cut 40", true, true, BROKEN_ANSWER},
	{"bad-rdlen", true, true, NONE},
	{"bad-pointer", true, true, BROKEN_ANSWER},
	{"bad-count", true, true, BROKEN_ANSWER},
	{"garbage-body", true, true, BROKEN_ANSWER},
};
static const char *const types[] = {"A", "AAAA", "*"};
static const struct {
	enum diff_call call;
	int family;
} calls[] = {{DIFF_GAI, AF_UNSPEC}, {DIFF_GAI, AF_INET}, {DIFF_GHBN2_R, AF_INET6}};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NAMES	     (COUNT(rows) * COUNT(types))
#define CASES	     (NAMES * COUNT(calls))

static void make_script(struct diff_text *script)
{
	diff_add(script, "listen 127.0.0.1:53\nrr test 60 SOA 60\n");
	for (size_t n = 0; n < NAMES; n++) {
		size_t row = n / COUNT(types);

		if (rows[row].v4)
			diff_add(script, "rr n%zu.test 60 A 192.0.2.1\n", n);
		if (rows[row].v6)
			diff_add(script, "rr n%zu.test 60 AAAA 2001:db8::1\n", n);
		diff_add(script, "on n%zu.test %s %s\n", n, types[n % COUNT(types)],
			 rows[row].action);
	}
}

static void make_case(size_t i, struct diff_case *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->call = calls[i % COUNT(calls)].call;
	ret->family = calls[i % COUNT(calls)].family;
	ret->socktype = 1;
	ret->size = 8192;
	ret->has_name = true;
	snprintf(ret->name, sizeof ret->name, "n%zu.test", i / COUNT(calls));
}

static void case_path(struct lab_world *w, const char *kind, size_t i, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s%zu", lab_world_dir(w), kind, i);
}

/* Asks every case in a process of its own; answers go to files called `kind`. */
static void ask_all(struct lab_world *w, const char *kind, bool preload)
{
	static const char *const env[] = {"NOBLOCKDNS_CACHE=private", NULL};
	pid_t pids[CASES];

	for (size_t i = 0; i < CASES; i++) {
		char in[128], out[128];
		const char *const argv[] = {"clients/diff_client", "1", in, out, NULL};

		case_path(w, "case", i, in, sizeof in);
		case_path(w, kind, i, out, sizeof out);
		pids[i] = lab_proc_spawn(
			w, &(struct lab_proc_opts){.argv = argv, .env = env, .preload = preload});
	}
	for (size_t i = 0; i < CASES; i++)
		lab_assert_int(lab_proc_wait(pids[i], 60000), 0);
}

static void write_cases(struct lab_world *w)
{
	for (size_t i = 0; i < CASES; i++) {
		char path[128], line[DIFF_LINE_MAX];
		struct diff_case c;

		make_case(i, &c);
		diff_case_print(&c, line);
		strcat(line, "\n");
		case_path(w, "case", i, path, sizeof path);
		lab_file_replace(path, line);
	}
}

static const char *answer(struct lab_world *w, const char *kind, size_t i, char *buf, size_t size)
{
	char path[128];

	case_path(w, kind, i, path, sizeof path);
	if (lab_file_read(path, buf, size) < 0)
		lab_fail("no %s", path);
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static bool failed(const char *answer)
{
	return strstr(answer, "192.0.2.1") == NULL && strstr(answer, "2001:db8::1") == NULL;
}

static bool is_meant(enum deviation deviation, const char *libc, const char *ours)
{
	switch (deviation) {
	case NONE:
		return false;
	case LOST: /* what came for the other type counts, but not as "no data" for both */
		return failed(libc) && (!failed(ours) || strstr(ours, "\tTRY_AGAIN\t") != NULL);
	case BROKEN_ANSWER: /* the other type's answer counts; where there is none, both fail */
		return !failed(ours) || failed(libc);
	case NOT_A_RESPONSE:
		return strstr(ours, "\tTRY_AGAIN\t") != NULL || !failed(ours);
	}
	return false;
}

/* 1 and a report, if it differs. */
static unsigned compare(struct lab_world *w, size_t i)
{
	size_t name = i / COUNT(calls), row = name / COUNT(types);
	char libc[4096], ours[4096];
	struct diff_case c;

	make_case(i, &c);
	answer(w, "libc", i, libc, sizeof libc);
	answer(w, "ours", i, ours, sizeof ours);
	if (diff_compare(&c, libc, ours) != DIFF_DIFFERENT ||
	    is_meant(rows[row].deviation, libc, ours))
		return 0;
	fprintf(stderr, "%s to %s,%s%s, %s family %d\n  libc %s\n  ours %s\n", rows[row].action,
		types[name % COUNT(types)], rows[row].v4 ? " A" : "", rows[row].v6 ? " AAAA" : "",
		diff_call_names[c.call], c.family, libc, ours);
	return 1;
}

LabTest(differential, wrong_answers_end_as_in_libc,
	.resolv_conf = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
{
	static struct diff_text script;
	unsigned different = 0;

	make_script(&script);
	lab_dns_start_text(w, script.s);
	write_cases(w);
	ask_all(w, "libc", false);
	ask_all(w, "ours", true);
	for (size_t i = 0; i < CASES; i++)
		different += compare(w, i);
	lab_assert_int(different, 0);
}

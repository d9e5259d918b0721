// SPDX-License-Identifier: MIT
/*
 * race_net.c - the network of a scenario, and the programs that are started in it (race_run.h).
 */
#include "tests/e2e/race_run.h"
#include "tests/lab/proc.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_PORT     8000
#define PORTS	       512
#define JOB_TIMEOUT_MS 20000

static const char *const mode_names[RACE_MODES] = {
	[RACE_BLOCK] = "block",
	[RACE_POLL] = "poll",
	[RACE_EPOLL_LT] = "epoll-lt",
	[RACE_EPOLL_ET] = "epoll-et",
	[RACE_SELECT] = "select",
	[RACE_EPOLL_ONESHOT] = "epoll-oneshot",
	[RACE_EPOLL_EXCLUSIVE] = "epoll-exclusive",
	[RACE_EPOLL_NESTED] = "epoll-nested",
	[RACE_EPOLL_BEFORE] = "epoll-before",
	[RACE_ASYNC] = "async",
};

const char *race_mode_to_str(enum race_mode mode)
{
	return mode_names[mode];
}

/* ---- the network ---- */

static void add(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add(char *buf, size_t size, const char *fmt, ...)
{
	const size_t used = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(buf + used, size - used, fmt, ap) >= (int)(size - used))
		lab_fail("a scenario is too long");
	va_end(ap);
}

/* The records of the case's names, and what happens to queries for them. */
static void add_zone(const struct race_case *c, unsigned number, char *text, size_t size)
{
	char rules[256];
	char *rest = rules;
	const char *rule;

	for (unsigned k = 1; k <= c->nv6; k++)
		add(text, size, "rr *.c%u.test 60 AAAA 2001:db8:2::%x:%x\n", number, number, k);
	for (unsigned k = 1; k <= c->nv4; k++)
		add(text, size, "rr *.c%u.test 60 A 198.51.100.%u\n", number, 16 * number + k);
	if (c->dns == NULL)
		return;
	snprintf(rules, sizeof rules, "%s", c->dns);
	while ((rule = strsep(&rest, ";")) != NULL)
		add(text, size, "on *.c%u.test %s\n", number, rule);
}

/* "6", "4", "6.2" to an address or a prefix; any other word stays as it is. */
static void add_word(const char *word, bool address, unsigned number, char *line, size_t size)
{
	unsigned k = 0;

	if (!address || (word[0] != '4' && word[0] != '6') ||
	    (word[1] != '\0' && sscanf(word + 1, ".%u", &k) != 1))
		add(line, size, "%s ", word);
	else if (word[0] == '6' && k == 0)
		add(line, size, "2001:db8:2::%x:0/112 ", number);
	else if (word[0] == '6')
		add(line, size, "2001:db8:2::%x:%x ", number, k);
	else if (k == 0)
		add(line, size, "198.51.100.%u/28 ", 16 * number);
	else
		add(line, size, "198.51.100.%u ", 16 * number + k);
}

static void add_line(char *text, unsigned number, char *line, size_t size)
{
	bool address = false;
	const char *word;

	while ((word = strsep(&text, " ")) != NULL) {
		if (*word != '\0')
			add_word(word, address, number, line, size);
		address = strcmp(word, "to") == 0 || strcmp(word, "unreachable") == 0;
	}
}

static void parse_rule(char *text, unsigned number, struct lab_rule *ret)
{
	char line[256] = "", error[256];

	add_line(text, number, line, sizeof line);
	if (lab_rule_parse(line, error, sizeof error, ret) != 0)
		lab_fail("rule `%s`: %s", line, error);
}

static unsigned parse_rules(const struct race_case *cases, unsigned ncases,
			    struct lab_rule ret[LAB_MAX_RULES])
{
	unsigned n = 0;

	for (unsigned i = 0; i < ncases; i++) {
		char rules[512];
		char *rest = rules, *rule;

		snprintf(rules, sizeof rules, "%s", cases[i].net != NULL ? cases[i].net : "");
		while (*rules != '\0' && (rule = strsep(&rest, ";")) != NULL) {
			if (n == LAB_MAX_RULES)
				lab_fail("too many rules");
			parse_rule(rule, i + 1, &ret[n++]);
		}
	}
	return n;
}

static void change_near_side(struct lab_world *w, const struct race_case *c, unsigned number)
{
	char changes[512], lines[1024] = "";
	char *rest = changes, *line;

	if (c->ip == NULL)
		return;
	snprintf(changes, sizeof changes, "%s", c->ip);
	while ((line = strsep(&rest, ";")) != NULL) {
		add_line(line, number, lines, sizeof lines);
		add(lines, sizeof lines, "\n");
	}
	lab_ip(w, LAB_NEAR, "%s", lines);
}

/* A connect to nowhere ends after 2 or 3 s instead of 2 minutes: enough to be seen. */
static void shorten_kernel_timeout(void)
{
	lab_file_overwrite("/proc/sys/net/ipv4/tcp_syn_retries", "1\n");
}

void race_net_start(struct lab_world *w, const struct race_case *cases, unsigned ncases,
		    const char *greeting, struct race_net *ret)
{
	static struct lab_rule rules[LAB_MAX_RULES];
	static char zone[16384];
	struct race_net net = {.w = w, .cases = cases, .ncases = ncases};

	lab_assert(ncases <= RACE_CASES_MAX);
	shorten_kernel_timeout();
	snprintf(zone, sizeof zone, "listen 127.0.0.1:53\nrr test 300 SOA 60\n");
	for (unsigned i = 0; i < ncases; i++)
		add_zone(&cases[i], i + 1, zone, sizeof zone);
	net.dns = lab_dns_start_text(w, zone);
	snprintf(net.capture, sizeof net.capture, "%s/race.pcap", lab_world_dir(w));
	net.forwarder = lab_forwarder_start(
		w, &(struct lab_forwarder_opts){.rules = rules,
						.nrules = parse_rules(cases, ncases, rules),
						.capture = net.capture});
	for (unsigned i = 0; i < ncases; i++)
		change_near_side(w, &cases[i], i + 1);
	net.listener = lab_listener_start(w, LAB_FAR, FIRST_PORT, PORTS, greeting);
	*ret = net;
}

/* ---- programs ---- */

/* In the child. */
static _Noreturn void exec_client(const struct race_net *net, const struct race_job *job,
				  const char *cache)
{
	const char *words = net->cases[job->icase].client;
	char path[256], port[8], copy[128];
	char *rest = copy;
	const char *argv[16] = {"race_client", race_mode_to_str(job->mode), job->name, port};
	unsigned argc = 4;
	int out = open(job->out, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	snprintf(port, sizeof port, "%u", job->port);
	snprintf(copy, sizeof copy, "%s", words != NULL ? words : "");
	while (*copy != '\0' && (argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	argv[argc] = NULL;
	dup2(out, 1);
	dup2(out, 2);
	if (job->shim) {
		setenv("LD_PRELOAD", lab_preload(), 1);
		setenv("NOBLOCKDNS_CACHE", cache != NULL ? cache : "private", 1);
	}
	snprintf(path, sizeof path, "%s/clients/race_client", lab_build_dir());
	execv(path, (char *const *)argv);
	_exit(127);
}

void race_job_start(struct race_net *net, unsigned icase, enum race_mode mode, bool shim,
		    const char *cache, struct race_job *ret)
{
	struct race_job job = {.icase = icase, .mode = mode, .shim = shim};

	lab_assert(net->njobs < PORTS);
	job.port = (uint16_t)(FIRST_PORT + net->njobs);
	snprintf(job.name, sizeof job.name, "%s-%u.c%u.test", race_mode_to_str(mode), net->njobs++,
		 icase + 1);
	snprintf(job.out, sizeof job.out, "%s/%s.out", lab_world_dir(net->w), job.name);
	job.pid = lab_fork_side(net->w, LAB_NEAR);
	if (job.pid == 0)
		exec_client(net, &job, cache);
	*ret = job;
}

void race_job_end(struct race_job *job)
{
	int status = lab_proc_wait(job->pid, JOB_TIMEOUT_MS);

	if (lab_file_read(job->out, job->said, sizeof job->said) < 0)
		job->said[0] = '\0';
	job->said[strcspn(job->said, "\n")] = '\0';
	if (status != 0)
		lab_fail("%s, %s the shim: wait status %#x, said: %s", job->name,
			 job->shim ? "with" : "without", (unsigned)status, job->said);
}

const char *race_text(const struct race_job *job, const char *key)
{
	static char value[128];
	char wanted[64];
	const char *at;

	snprintf(wanted, sizeof wanted, " %s=", key);
	at = strstr(job->said, wanted);
	if (at == NULL && strncmp(job->said, wanted + 1, strlen(wanted + 1)) == 0)
		at = job->said - 1;
	snprintf(value, sizeof value, "%s", at != NULL ? at + strlen(wanted) : "");
	value[strcspn(value, " \n")] = '\0';
	return value;
}

double race_value(const struct race_job *job, const char *key)
{
	return strtod(race_text(job, key), NULL);
}

/* CLOCK_MONOTONIC when the query came; 0: it has not. */
static double query_ms(const struct race_net *net, const char *name, uint16_t type)
{
	struct lab_dns_query q;

	for (uint64_t i = 0; lab_dns_query_at(net->dns, i, &q); i++)
		if (q.type == type && strcasecmp(q.name, name) == 0)
			return (double)q.at_ns / 1e6;
	return 0;
}

double race_zero_ms(const struct race_net *net, const struct race_job *job)
{
	switch (net->cases[job->icase].zero) {
	case RACE_FROM_A:
		return query_ms(net, job->name, LAB_A);
	case RACE_FROM_AAAA:
		return query_ms(net, job->name, LAB_AAAA);
	case RACE_FROM_CONNECT:
		break;
	}
	return race_value(job, "start");
}

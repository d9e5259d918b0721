// SPDX-License-Identifier: MIT
/*
 * dot_run.h - what the suites about DNS over TLS share: upstreams and the lab's authority in the
 * environment, and a program under the shim that is asked one name after the other.
 *
 * Everything here ends the test where it fails. One thread.
 */
#ifndef DOT_RUN_H
#define DOT_RUN_H

#include "tests/e2e/shim_run.h"
#include "tests/lab/testca.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DOT_DEADLINE_MS 1000 /* of a lookup that is to fail */
#define DOT_SLACK_MS	1500 /* a busy machine's */

/*
 * The environment of every program that is started from here on: these upstreams, the lab's
 * authority, and a log of level info in dot_log().
 */
static inline void dot_use(struct lab_world *w, const char *upstreams)
{
	char path[128];

	snprintf(path, sizeof path, "%s/ca.pem", lab_world_dir(w));
	lab_ca_write(path);
	setenv("NOBLOCKDNS_TLS_CA", path, 1);
	setenv("NOBLOCKDNS_UPSTREAM", upstreams, 1);
	snprintf(path, sizeof path, "%s/shim.log", lab_world_dir(w));
	setenv("NOBLOCKDNS_LOG_FILE", path, 1);
	setenv("NOBLOCKDNS_LOG", "info", 1);
}

static inline void dot_deadline(unsigned ms)
{
	char text[16];

	snprintf(text, sizeof text, "%u", ms);
	setenv("NOBLOCKDNS_DEADLINE_MS", text, 1);
}

/* What the shim has logged. Static storage. */
static inline const char *dot_log(struct lab_world *w)
{
	static char text[65536];
	char path[128];

	snprintf(path, sizeof path, "%s/shim.log", lab_world_dir(w));
	text[0] = '\0';
	lab_file_read(path, text, sizeof text);
	return text;
}

/* What it logs from here on is all that there is. */
static inline void dot_log_remove(struct lab_world *w)
{
	char path[128];

	snprintf(path, sizeof path, "%s/shim.log", lab_world_dir(w));
	unlink(path);
}

static inline struct lab_dns_tls dot_tls(const struct lab_dns *dns)
{
	struct lab_dns_tls tls;

	lab_dns_tls(dns, &tls);
	return tls;
}

static inline uint64_t dot_queries(const struct lab_dns *dns, enum lab_dns_transport transport)
{
	return lab_dns_count(dns, NULL, LAB_ANY_TYPE, transport);
}

/* ---- a program that is asked ---- */

struct dot_program {
	pid_t pid;
	FILE *to, *from;
};

struct dot_said {
	char what[64]; /* address or EAI_* */
	unsigned fds;
	unsigned ms;
	size_t heap; /* bytes; 0 under a sanitizer */
};

/* Starts clients/ask_client under the shim. */
static inline struct dot_program dot_start(struct lab_world *w)
{
	struct dot_program p;
	char path[4096];
	int to[2], from[2];

	lab_assert(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	snprintf(path, sizeof path, "%s/clients/ask_client", lab_build_dir());
	p.pid = lab_fork_side(w, LAB_NEAR);
	if (p.pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		setenv("LD_PRELOAD", lab_preload(), 1);
		/* mallinfo2() takes for used what the thread caches hold */
		setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
		execl(path, "ask_client", (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	p.to = fdopen(to[1], "w");
	p.from = fdopen(from[0], "r");
	lab_assert(p.to != NULL && p.from != NULL);
	return p;
}

static inline struct dot_said dot_ask(struct dot_program *p, const char *name)
{
	struct dot_said said;
	char line[512];

	fprintf(p->to, "%s\n", name);
	fflush(p->to);
	lab_assert(fgets(line, sizeof line, p->from) != NULL, "(%s)", name);
	lab_assert(sscanf(line, "%*s %63[^ ] fds %u ms %u heap %zu", said.what, &said.fds, &said.ms,
			  &said.heap) == 4,
		   "(%s)", line);
	return said;
}

/* Asks; the answer must be that. */
static inline struct dot_said dot_says(struct dot_program *p, const char *name, const char *what)
{
	struct dot_said said = dot_ask(p, name);

	if (strcmp(said.what, what) != 0)
		lab_fail("%s: expected %s, got %s", name, what, said.what);
	return said;
}

/* Asks; it must fail for now, within the deadline of dot_deadline(DOT_DEADLINE_MS). */
static inline struct dot_said dot_fails(struct dot_program *p, const char *name)
{
	struct dot_said said = dot_says(p, name, "EAI_AGAIN");

	lab_assert(said.ms <= DOT_DEADLINE_MS + DOT_SLACK_MS, "(%s took %u ms)", name, said.ms);
	return said;
}

static inline void dot_end(struct dot_program *p)
{
	fputs("\n", p->to);
	fclose(p->to);
	lab_assert_int(lab_proc_wait(p->pid, 10000), 0);
	fclose(p->from);
}

#endif

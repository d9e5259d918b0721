// SPDX-License-Identifier: MIT
/*
 * race_run.h - one scenario of Happy Eyeballs: a network, programs that connect in it in several
 * ways, with the shim and without it, and what must come of it.
 *
 * A scenario is one or more cases. Each has names and addresses of its own, so that all of them,
 * in all modes, with and without the shim, run in one network at the same time: the name
 * MODE-N.cCASE.test has `nv6` addresses 2001:db8:2::CASE:1... and `nv4` addresses from
 * 198.51.100.(16 * CASE + 1) on, CASE counting from 1, and every program its own port.
 *
 * Everything here ends the test where it fails. One thread.
 */
#ifndef RACE_RUN_H
#define RACE_RUN_H

#include "tests/e2e/race_capture.h"
#include "tests/e2e/result_table.h"
#include "tests/lab/dnsscript.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/labtest.h"
#include "tests/lab/listener.h"

/* RFC 8305 section 8, and the defaults of NOBLOCKDNS_RACE_DELAY_MS and _RESOLUTION_DELAY_MS. */
#define RACE_C_MS 250
#define RACE_R_MS 50

enum race_mode {
	RACE_BLOCK,
	RACE_POLL,
	RACE_EPOLL_LT,
	RACE_EPOLL_ET,
	RACE_SELECT,
	RACE_EPOLL_ONESHOT,
	RACE_EPOLL_EXCLUSIVE,
	RACE_EPOLL_NESTED,
	RACE_EPOLL_BEFORE,
	RACE_ASYNC,
	RACE_MODES,
};

#define RACE_BIT(mode) (1u << (mode))
#define RACE_FOUR      0x00fu /* blocking, poll, both kinds of epoll */
#define RACE_WAITING   0x00eu /* those of them whose socket does not block */
#define RACE_ALL       0x3ffu

/* What times are counted from. */
enum race_zero {
	RACE_FROM_CONNECT, /* the program's connect() */
	RACE_FROM_A,	   /* the query for A at the server, which answers at once */
	RACE_FROM_AAAA,
};

struct race_seen;

struct race_case {
	unsigned row; /* the number of the scenario */
	const char *what;
	unsigned modes; /* RACE_BIT() of each */
	unsigned nv6, nv4;
	bool alone;	 /* disturbs the other cases of its row */
	const char *dns; /* "AAAA delay 150; A drop": what happens to queries; or NULL */
	const char *net; /* forwarder's rules, `;` between them; after `to`, 6 and 4 stand for the
			  * case's prefixes, 6.1, 6.2 ... for its addresses; or NULL */
	const char *ip;	 /* lines for `ip`, near side; likewise, after `unreachable`; or NULL */
	const char *client; /* words for race_client; with `greet` all servers speak first */
	enum race_zero zero;
	const char *error; /* NULL: connected; or errno's name, or "gave-up" */
	int family;	   /* of the peer: 4 or 6; 0: any or none */
	double at_ms;	   /* when the program knows */
	double early_ms;   /* how much sooner is right, too; 0: only what clocks need */
	double best_ms;	   /* the fastest of its modes is no slower than that; 0: not asked */
	const char *syns;  /* as in race_capture.h; NULL: any */
	/* What else must be; says what is wrong. NULL: nothing. */
	const char *(*check)(const struct race_seen *seen);
};

#define RACE_CASES_MAX 12

struct race_net {
	struct lab_world *w;
	const struct race_case *cases;
	unsigned ncases;
	struct lab_dns *dns;
	struct lab_forwarder *forwarder;
	struct lab_listener *listener;
	char capture[128];
	unsigned njobs; /* each has a port and a name of its own */
};

/* One run of race_client. */
struct race_job {
	unsigned icase;
	enum race_mode mode;
	bool shim;
	uint16_t port;
	char name[64], out[160];
	pid_t pid;
	char said[1024]; /* its line, once it has ended */
};

/* What a check can look at. */
struct race_seen {
	const struct race_net *net;
	const struct race_job *job;
	const struct race_capture *capture;
	double zero_ms, end_ms; /* CLOCK_MONOTONIC */
};

const char *race_mode_to_str(enum race_mode mode);

/* The world's options for LabTest: DNS at 127.0.0.1, which is patient for 2 s. */
#define RACE_WORLD                                                                                 \
	.far = true, .resolv_conf = "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n"

/* DNS on the near side, servers on the far one, and the forwarder between them. */
void race_net_start(struct lab_world *w, const struct race_case *cases, unsigned ncases,
		    const char *greeting, struct race_net *ret);

/* Starts race_client; `cache` as NOBLOCKDNS_CACHE, NULL: private. */
void race_job_start(struct race_net *net, unsigned icase, enum race_mode mode, bool shim,
		    const char *cache, struct race_job *ret);
void race_job_end(struct race_job *job);

/* The value of `key` in what the client said: as a number (0 where it is not there), as text. */
double race_value(const struct race_job *job, const char *key);
const char *race_text(const struct race_job *job, const char *key); /* static storage; "" */

/* When times are counted from. */
double race_zero_ms(const struct race_net *net, const struct race_job *job);

/* "connected over IPv4 after 251 ms, SYN 6@0 4@250": of a job that has ended. */
void race_job_print(const struct race_net *net, const struct race_job *job, char *buf, size_t size);

/* From the zero of times until the program knew. */
double race_took_ms(const struct race_net *net, const struct race_job *job);

/* Runs all cases of a scenario in all their modes, prints them, and fails if one is not right. */
void race_run(struct lab_world *w, const struct race_case *cases, unsigned ncases);

struct race_verdict {
	const char *wrong; /* NULL: nothing; static storage */
	bool late;	   /* ... and something was late, which may be the machine's fault */
};

/* Whether a job of the shim's has come out as `c` says. */
struct race_verdict race_judge(const struct race_net *net, const struct race_job *job,
			       const struct race_case *c);

/* The same as a line of the table, and of `failures` where it is wrong. `without` may be NULL. */
void race_conclude(const struct race_net *net, const struct race_case *c,
		   const struct race_job *with, const struct race_job *without, char *failures,
		   size_t size);

/* A line of the table that is printed when all tests have run. */
static inline void race_table_add(unsigned row, const char *what, const char *mode,
				  const char *expected, const char *measured, const char *without)
{
	const char *const cells[RESULT_CELLS] = {what, mode, expected, measured, without};

	result_table_add(RESULT_RACES, row, cells);
}

#endif

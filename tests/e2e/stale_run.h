// SPDX-License-Identifier: MIT
/*
 * stale_run.h - what the suites about servers that are down, slow or crowded share: a server whose
 * names live for a second, the ways in which it becomes another, and what lookups cost meanwhile.
 *
 * Where time counts, lookups of more than 100 ms are counted, which no lookup needs that waits for
 * nobody.
 */
#ifndef STALE_RUN_H
#define STALE_RUN_H

#include "tests/e2e/shim_run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONF	   "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n" /* deadline: 1 s */
#define EXPIRED_MS 1200
#define STALE_MS   300 /* NOBLOCKDNS_STALE_AFTER_MS where it is not set */

#define LISTEN                                                                                     \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 1 SOA 1\n"
#define OLD                                                                                        \
	LISTEN "rr www.test 1 A 192.0.2.1\n"                                                       \
	       "rr www.test 1 AAAA 2001:db8::1\n"                                                  \
	       "rr *.many.test 1 A 192.0.2.1\n"                                                    \
	       "rr *.many.test 1 AAAA 2001:db8::1\n"
#define NEW                                                                                        \
	LISTEN "rr *.test 300 A 192.0.2.2\n"                                                       \
	       "rr *.test 300 AAAA 2001:db8::2\n"

#define WWW	"www.test: 2001:db8::1 192.0.2.1\n"
#define LOOK_UP SHIM_ARGV("clients/lookup", "www.test")

/* For an answer that does come, on whatever machine. */
#define PATIENT SHIM_ENV("NOBLOCKDNS_STALE_AFTER_MS=9000")

static inline void sleep_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* ---- what stale_client says ---- */

struct toll {
	unsigned errors, slow, crawling, longest_ms;
};

static inline struct toll toll_of(const char *const *env, const char *const *argv)
{
	struct toll toll;

	shim_run(env, argv);
	lab_assert_str(shim_got.err, "");
	if (sscanf(shim_got.out, "errors %u slow %u crawling %u longest %u", &toll.errors,
		   &toll.slow, &toll.crawling, &toll.longest_ms) != 4)
		lab_fail("stale_client says \"%s\"", shim_got.out);
	lab_assert_int(toll.errors, 0);
	return toll;
}

#define toll(...) toll_of(NULL, SHIM_ARGV("clients/stale_client", __VA_ARGS__))

/* The server as it was when www.test was asked, which has expired meanwhile. */
static inline struct lab_dns *start_expired(struct lab_world *w)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(NULL, LOOK_UP, WWW);
	sleep_ms(EXPIRED_MS);
	return dns;
}

/* From then on it behaves in another way. */
static inline struct lab_dns *start_other(struct lab_world *w, struct lab_dns *dns,
					  const char *script)
{
	lab_dns_stop(dns);
	return lab_dns_start_text(w, script);
}

static inline void fall_silent(const struct lab_dns *dns)
{
	siginfo_t info;

	lab_assert(kill(lab_dns_pid(dns), SIGSTOP) == 0);
	lab_assert(waitid(P_PID, (id_t)lab_dns_pid(dns), &info, WSTOPPED | WNOWAIT) == 0);
}

static inline void speak_again(const struct lab_dns *dns)
{
	lab_assert(kill(lab_dns_pid(dns), SIGCONT) == 0);
}

#endif

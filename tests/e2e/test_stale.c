// SPDX-License-Identifier: MIT
/*
 * test_stale.c - servers that are down, slow or crowded: who waits, what is given (RFC 8767), and
 * how often servers are asked (RFC 9520).
 *
 * Names live for a second. Where time counts, lookups of more than 100 ms are counted, which no
 * lookup needs that waits for nobody.
 */
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

static void sleep_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* ---- what stale_client says ---- */

struct toll {
	unsigned errors, slow, crawling, longest_ms;
};

static struct toll toll_of(const char *const *env, const char *const *argv)
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
static struct lab_dns *start_expired(struct lab_world *w)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(NULL, LOOK_UP, WWW);
	sleep_ms(EXPIRED_MS);
	return dns;
}

/* From then on it behaves in another way. */
static struct lab_dns *start_other(struct lab_world *w, struct lab_dns *dns, const char *script)
{
	lab_dns_stop(dns);
	return lab_dns_start_text(w, script);
}

static void fall_silent(const struct lab_dns *dns)
{
	siginfo_t info;

	lab_assert(kill(lab_dns_pid(dns), SIGSTOP) == 0);
	lab_assert(waitid(P_PID, (id_t)lab_dns_pid(dns), &info, WSTOPPED | WNOWAIT) == 0);
}

static void speak_again(const struct lab_dns *dns)
{
	lab_assert(kill(lab_dns_pid(dns), SIGCONT) == 0);
}

/* ---- stale answers ---- */

LabTest(stale, silent_server_is_waited_for_once, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);
	struct toll first, then;

	fall_silent(dns);
	first = toll("-t", "50", "www.test");
	then = toll("-t", "50", "www.test");
	speak_again(dns);
	lab_assert_int(first.slow, 1);
	lab_assert(first.longest_ms >= STALE_MS - 1, "(%u ms)", first.longest_ms);
	lab_assert_int(then.slow, 0);
}

LabTest(stale, server_that_is_gone_is_not_waited_for, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);

	lab_dns_vanish(dns);
	shim_says(NULL, LOOK_UP, WWW);
	lab_assert_int(toll("-t", "50", "www.test").slow, 0);
}

LabTest(stale, wait_is_as_configured, .resolv_conf = CONF)
{
	static const char *const env[] = {"NOBLOCKDNS_STALE_AFTER_MS=700", NULL};
	struct lab_dns *dns = start_expired(w);
	struct toll got;

	fall_silent(dns);
	got = toll_of(env, SHIM_ARGV("clients/stale_client", "-t", "3", "www.test"));
	speak_again(dns);
	lab_assert_int(got.slow, 1);
	lab_assert(got.longest_ms >= 699, "(%u ms)", got.longest_ms);
}

static void must_stay(struct lab_world *w, const char *rule)
{
	struct lab_dns *dns = start_expired(w);
	char script[1024];

	snprintf(script, sizeof script, OLD "on * * %s\n", rule);
	start_other(w, dns, script);
	shim_says(NULL, LOOK_UP, WWW);
	shim_says(NULL, LOOK_UP, WWW); /* known by now */
	sleep_ms(FAILURE_MS);
	shim_says(NULL, LOOK_UP, WWW);
}

LabTest(stale, servfail_replaces_no_answer, .resolv_conf = CONF)
{
	must_stay(w, "servfail");
}

LabTest(stale, refusal_replaces_no_answer, .resolv_conf = CONF)
{
	must_stay(w, "refused");
}

LabTest(stale, silence_replaces_no_answer, .resolv_conf = CONF)
{
	must_stay(w, "drop");
}

LabTest(stale, nonsense_replaces_no_answer, .resolv_conf = CONF)
{
	must_stay(w, "formerr");
}

LabTest(stale, nxdomain_replaces_an_answer)
{
	struct lab_dns *dns = start_expired(w);

	dns = start_other(w, dns, LISTEN "on * * nxdomain\n");
	shim_says(PATIENT, LOOK_UP, "www.test: EAI_NONAME\n");
	lab_dns_vanish(dns);
	shim_says(PATIENT, LOOK_UP, "www.test: EAI_NONAME\n");
}

LabTest(stale, nodata_replaces_an_answer)
{
	struct lab_dns *dns = start_expired(w);

	start_other(w, dns, LISTEN "on * * empty\n");
	shim_says(PATIENT, LOOK_UP, "www.test: EAI_NODATA\n");
}

LabTest(stale, nxdomain_is_not_given_stale, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, LISTEN);

	shim_says(NULL, LOOK_UP, "www.test: EAI_NONAME\n");
	sleep_ms(EXPIRED_MS);
	start_other(w, dns, LISTEN "on * * servfail\n");
	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n"); /* known by now */
}

LabTest(stale, none_where_it_is_turned_off, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);

	lab_dns_vanish(dns);
	shim_says(SHIM_ENV("NOBLOCKDNS_STALE_MAX=0"), LOOK_UP, "www.test: EAI_AGAIN\n");
}

LabTest(stale, none_that_is_too_old, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);

	sleep_ms(1000);
	lab_dns_vanish(dns);
	shim_says(SHIM_ENV("NOBLOCKDNS_STALE_MAX=1"), LOOK_UP, "www.test: EAI_AGAIN\n");
	sleep_ms(FAILURE_MS);
	shim_says(NULL, LOOK_UP, WWW);
}

LabTest(stale, getaddrinfo_a_has_them_too, .resolv_conf = CONF)
{
	static const char *const argv[] = {"clients/gai_list", "wait", "2", NULL};
	static char before[sizeof shim_got.out];
	struct lab_dns *dns = lab_dns_start_text(w, OLD "rr *.cold.test 1 A 192.0.2.3\n");
	struct toll got;

	shim_run(NULL, argv);
	snprintf(before, sizeof before, "%s", shim_got.out);
	lab_assert(strstr(before, "192.0.2.1") != NULL && strstr(before, "192.0.2.3") != NULL,
		   "(%s)", before);
	sleep_ms(EXPIRED_MS);
	fall_silent(dns);
	shim_says(NULL, argv, before);
	got = toll("www.test");
	speak_again(dns);
	lab_assert_int(got.slow, 0); /* that the server is silent is known by now */
}

/* ---- an upstream that is down for all ---- */

static void storm(struct lab_world *w, void (*leave)(struct lab_dns *dns))
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);
	struct toll got;

	lab_assert_int(toll("-c", "1000", "many.test").errors, 0);
	sleep_ms(EXPIRED_MS);
	leave(dns);
	got = toll("-p", "8", "-t", "13", "-c", "1000", "many.test");
	lab_assert_int(got.crawling, 0);
	start_other(w, dns, NEW);
	/* Two seconds, and a little. */
	shim_run(NULL, SHIM_ARGV("clients/lookup", "-n", "40", "-w", "50", "5.many.test"));
	lab_assert(strcmp(shim_got.out + strlen(shim_got.out) -
				  strlen("5.many.test: 2001:db8::2 192.0.2.2\n"),
			  "5.many.test: 2001:db8::2 192.0.2.2\n") == 0,
		   "(after two seconds: %s)", shim_got.out);
}

static void freeze(struct lab_dns *dns)
{
	fall_silent(dns);
}

LabTest(stale, storm_on_a_silent_server, .resolv_conf = CONF)
{
	storm(w, freeze);
}

LabTest(stale, storm_on_a_server_that_is_gone, .resolv_conf = CONF)
{
	storm(w, lab_dns_vanish);
}

/* One name, whose own question is in flight when the server comes back. */
LabTest(stale, single_name_is_fresh_soon_after_the_return)
{
	struct lab_dns *dns = start_expired(w);

	fall_silent(dns);
	lab_assert_int(toll("-t", "150", "-w", "10000", "www.test").slow, 1);
	start_other(w, dns, NEW);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "-n", "40", "-w", "50", "www.test"));
	lab_assert(strstr(shim_got.out, "www.test: 2001:db8::2 192.0.2.2\n") != NULL,
		   "(after two seconds: %s)", shim_got.out);
}

LabTest(stale, server_that_comes_and_goes_breaks_no_lookup, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);
	const struct lab_proc_opts opts = {.argv = SHIM_ARGV("clients/stale_client", "-p", "4",
							     "-t", "250", "-w", "20000",
							     "www.test"),
					   .preload = true};
	pid_t pid = lab_proc_spawn(w, &opts);

	for (int i = 0; i < 3; i++) {
		sleep_ms(1000);
		lab_dns_vanish(dns);
		sleep_ms(1000);
		lab_dns_return(dns);
	}
	lab_assert_int(lab_proc_wait(pid, 30000), 0);
	lab_assert(shim_asked(dns, "www.test", LAB_A) >= 3);
}

/* ---- one question at a time ---- */

LabTest(stale, two_hundred_processes_ask_once)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on * * delay 100\n");

	toll("-p", "200", "www.test");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "www.test", LAB_AAAA), 1);
}

LabTest(stale, one_takes_over_from_a_killed_holder)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on www.test A first 1 drop\n"
							"on www.test AAAA first 1 drop\n");
	const struct lab_proc_opts opts = {.argv = LOOK_UP, .preload = true};
	pid_t pid = lab_proc_spawn(w, &opts);
	struct toll got;

	lab_dns_wait_count(dns, "www.test", LAB_A, 1, 10000);
	lab_dns_wait_count(dns, "www.test", LAB_AAAA, 1, 10000);
	lab_assert(kill(pid, SIGKILL) == 0);
	lab_proc_wait(pid, 10000);
	got = toll("-p", "8", "www.test");
	lab_assert_int(got.crawling, 0);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_assert_int(shim_asked(dns, "www.test", LAB_AAAA), 2);
}

/* An answer that is not to be kept serves its asker alone: nobody waits for a second such. */
LabTest(stale, ttl_0_does_not_line_askers_up)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "rr zero.test 0 A 192.0.2.3\n"
							"on * * delay 100\n");
	struct toll got = toll("-p", "40", "zero.test");

	lab_assert(got.longest_ms < 2000, "(%u ms for 40 processes)", got.longest_ms);
	lab_assert(shim_asked(dns, "zero.test", LAB_A) > 1);
}

/* ---- prefetch ---- */

/* 10 s: the first answer and the two that replace it in time. */
LabTest(stale, name_in_steady_use_never_misses)
{
	struct lab_dns *dns = lab_dns_start_text(w, LISTEN "rr www.test 5 A 192.0.2.1\n"
							   "rr www.test 5 AAAA 2001:db8::1\n"
							   "on * * delay 200\n");
	struct toll got = toll("-p", "3", "-t", "1000", "-w", "10000", "www.test");

	lab_assert_int(got.crawling, 0);
	for (uint16_t type = LAB_A; type <= LAB_AAAA; type = (uint16_t)(type + LAB_AAAA - LAB_A)) {
		uint64_t n = shim_asked(dns, "www.test", type);

		lab_assert(n >= 3 && n <= 6, "(%llu queries)", (unsigned long long)n);
	}
}

/* ---- TTLs ---- */

LabTest(stale, ttl_0_is_never_given_again, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, LISTEN "rr www.test 0 A 192.0.2.1\n");

	shim_says(NULL, LOOK_UP, "www.test: 192.0.2.1\n");
	shim_says(NULL, LOOK_UP, "www.test: 192.0.2.1\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_dns_vanish(dns);
	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
}

/* RFC 2181 section 8. */
LabTest(stale, ttl_of_32_bits_is_none)
{
	struct lab_dns *dns = lab_dns_start_text(w, LISTEN "rr www.test 2147483648 A 192.0.2.1\n"
							   "rr www.test 4294967295 AAAA ::1:1\n");

	for (int i = 0; i < 3; i++)
		shim_says(NULL, LOOK_UP, "www.test: ::0.1.0.1 192.0.2.1\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 3);
	lab_assert_int(shim_asked(dns, "www.test", LAB_AAAA), 3);
}

/* RFC 2308 section 5: not kept. What it replaces is not given any more, all the same. */
LabTest(stale, negative_answer_without_soa_takes_away_what_was_there, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);

	dns = start_other(w, dns, LISTEN "on * * nxdomain\non * * no-soa\n");
	shim_says(PATIENT, LOOK_UP, "www.test: EAI_NONAME\n");
	shim_says(PATIENT, LOOK_UP, "www.test: EAI_NONAME\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_dns_vanish(dns);
	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
}

LabTest(stale, answer_with_ttl_0_takes_away_what_was_there, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);

	dns = start_other(w, dns, LISTEN "rr www.test 0 A 192.0.2.7\nrr www.test 0 AAAA ::7\n");
	shim_says(PATIENT, LOOK_UP, "www.test: ::7 192.0.2.7\n");
	lab_dns_vanish(dns);
	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
}

/* ---- failures ---- */

LabTest(stale, failure_is_remembered_by_all, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on www.test * servfail\n");
	uint64_t n;

	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
	n = shim_asked(dns, "www.test", LAB_A);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-n", "2", "-j", "8", "www.test"),
		  "www.test: EAI_AGAIN\nwww.test: EAI_AGAIN\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), n);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "1.many.test"),
		  "1.many.test: 2001:db8::1 192.0.2.1\n");
	sleep_ms(FAILURE_MS);
	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
	lab_assert(shim_asked(dns, "www.test", LAB_A) > n);
}

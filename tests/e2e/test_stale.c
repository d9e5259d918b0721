// SPDX-License-Identifier: MIT
/*
 * test_stale.c - what is given in place of an answer that does not come, and when (RFC 8767).
 */
#include "tests/e2e/stale_run.h"

/* What the machine takes of a wait is taken off it, see stale_client.c. */
#define SLACK_MS 50

LabTest(stale, silent_server_is_waited_for_once, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);
	struct toll first, then;

	fall_silent(dns);
	first = toll("-t", "50", "www.test");
	then = toll("-p", "2", "-t", "50", "www.test");
	speak_again(dns);
	lab_assert_int(first.slow, 1);
	lab_assert(first.longest_ms >= STALE_MS - SLACK_MS, "(%u ms)", first.longest_ms);
	lab_assert(then.slow <= 1, "(%u)", then.slow); /* one new process may find out */
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
	lab_assert(got.longest_ms >= 700 - SLACK_MS, "(%u ms)", got.longest_ms);
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
	got = toll("-p", "2", "www.test");
	speak_again(dns);
	/* That the server is silent is known by now: one new process may find out whether it is. */
	lab_assert(got.slow <= 1, "(%u)", got.slow);
}

/* That their parent has waited for answers does not help them. */
LabTest(stale, children_that_are_over_at_once_have_fresh_ones_in_the_end)
{
	static const char *const argv[] = {"clients/fork_client", "children_hear_of_servers", NULL};
	const struct lab_proc_opts opts = {.argv = argv, .preload = true};
	struct lab_dns *dns = lab_dns_start_text(w, OLD);
	pid_t pid = lab_proc_spawn(w, &opts);
	siginfo_t info;

	lab_assert(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT) == 0);
	sleep_ms(EXPIRED_MS);
	lab_dns_vanish(dns);
	/* the servers are silent from now on */
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	start_other(w, dns, NEW "on * * delay 100\n");
	lab_assert(kill(pid, SIGCONT) == 0);
	lab_assert_int(lab_proc_wait(pid, 30000), 0);
}

/* ---- what replaces an answer without being kept ---- */

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

// SPDX-License-Identifier: MIT
/*
 * test_asked.c - how often servers are asked: one question at a time across processes, prefetch,
 * TTLs, failures that are remembered (RFC 9520).
 */
#include "tests/e2e/stale_run.h"

/* ---- one question at a time ---- */

LabTest(asked, two_hundred_processes_ask_once)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on * * delay 100\n");

	toll("-p", "200", "www.test");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "www.test", LAB_AAAA), 1);
}

/* Each has to read its settings first, between its look at the clock and the one at the lease. */
LabTest(asked, new_programs_ask_once)
{
	struct lab_dns *dns = lab_dns_start_text(w, NEW "on * * delay 300\n");
	const struct lab_proc_opts opts = {.argv = LOOK_UP, .preload = true};
	pid_t pids[60];

	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++)
		pids[i] = lab_proc_spawn(w, &opts);
	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++)
		lab_assert_int(lab_proc_wait(pids[i], 10000), 0);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "www.test", LAB_AAAA), 1);
}

LabTest(asked, one_takes_over_from_a_killed_holder)
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
LabTest(asked, ttl_0_does_not_line_askers_up)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "rr zero.test 0 A 192.0.2.3\n"
							"on * * delay 100\n");
	struct toll got = toll("-p", "40", "zero.test");

	lab_assert(got.longest_ms < 2000, "(%u ms for 40 processes)", got.longest_ms);
	lab_assert(shim_asked(dns, "zero.test", LAB_A) > 1);
}

/* Another process has asked, and has no answer yet. */
static pid_t others_ask(struct lab_world *w, const struct lab_dns *dns, uint16_t type,
			const char *const *argv)
{
	const struct lab_proc_opts opts = {.argv = argv, .preload = true};
	pid_t pid = lab_proc_spawn(w, &opts);

	lab_dns_wait_count(dns, "www.test", type, 1, 10000);
	return pid;
}

/* Shorter than a lease. */
#define IMPATIENT SHIM_ENV("NOBLOCKDNS_DEADLINE_MS=400")

LabTest(asked, nobody_waits_for_a_type_that_nobody_asks_for)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on www.test A drop\n");
	pid_t pid = others_ask(w, dns, LAB_A, SHIM_ARGV("clients/lookup", "-4", "www.test"));

	shim_says(IMPATIENT, SHIM_ARGV("clients/lookup", "-6", "www.test"),
		  "www.test: 2001:db8::1\n");
	lab_assert(kill(pid, SIGKILL) == 0);
	lab_proc_wait(pid, 10000);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "www.test", LAB_AAAA), 1);
}

/* The second asks for both; the third has its A of it. */
LabTest(asked, one_takes_over_who_asks_for_more)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on www.test A first 1 drop\n"
							"on www.test * delay 200\n");
	pid_t first = others_ask(w, dns, LAB_A, SHIM_ARGV("clients/lookup", "-4", "www.test"));
	pid_t second = others_ask(w, dns, LAB_AAAA, LOOK_UP);

	shim_says(IMPATIENT, SHIM_ARGV("clients/lookup", "-4", "www.test"),
		  "www.test: 192.0.2.1\n");
	lab_assert(kill(first, SIGKILL) == 0);
	lab_proc_wait(first, 10000);
	lab_assert_int(lab_proc_wait(second, 10000), 0);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_assert_int(shim_asked(dns, "www.test", LAB_AAAA), 1);
}

LabTest(asked, getaddrinfo_a_is_waited_for)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "rr *.cold.test 1 A 192.0.2.3\n"
							"on * * delay 300\n");
	pid_t pid = others_ask(w, dns, LAB_AAAA, SHIM_ARGV("clients/gai_list", "wait", "2"));

	shim_says(NULL, LOOK_UP, WWW);
	lab_assert_int(lab_proc_wait(pid, 10000), 0);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "www.test", LAB_AAAA), 1);
}

/* ---- prefetch ---- */

/* 10 s: the first answer and the two that replace it in time. */
LabTest(asked, name_in_steady_use_never_misses)
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

LabTest(asked, ttl_0_is_never_given_again, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, LISTEN "rr www.test 0 A 192.0.2.1\n");

	shim_says(NULL, LOOK_UP, "www.test: 192.0.2.1\n");
	shim_says(NULL, LOOK_UP, "www.test: 192.0.2.1\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_dns_vanish(dns);
	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
}

/* ---- failures ---- */

LabTest(asked, failure_is_remembered_by_all, .resolv_conf = CONF)
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

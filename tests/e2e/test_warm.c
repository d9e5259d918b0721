// SPDX-License-Identifier: MIT
/* A name that any process of this user has looked up: what its next lookup costs, and sees. */
#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr alias.test 300 CNAME www.test\n"                                                       \
	"rr short.test 1 A 192.0.2.3\n"

static struct lab_proc_result got;

static void look_up_in(const char *const *argv, const char *expected)
{
	const struct lab_proc_opts opts = {.argv = argv, .preload = true};

	lab_proc_run(NULL, &opts, &got);
	lab_assert_str(got.err, "");
	lab_assert_str(got.out, expected);
	lab_assert_int(got.status, 0);
}

#define look_up(expected, ...)                                                                     \
	look_up_in((const char *const[]){"clients/lookup", __VA_ARGS__, NULL}, expected)

static void assert_asked(struct lab_dns *dns, const char *name, unsigned a, unsigned aaaa)
{
	lab_assert_int(lab_dns_count(dns, name, LAB_A, LAB_ANY_TRANSPORT), a);
	lab_assert_int(lab_dns_count(dns, name, LAB_AAAA, LAB_ANY_TRANSPORT), aaaa);
}

LabTest(warm, second_process_asks_nobody)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	look_up("www.test: 2001:db8::1 192.0.2.1\n", "www.test");
	look_up("www.test: 2001:db8::1 192.0.2.1\n", "www.test");
	assert_asked(dns, "www.test", 1, 1);
}

LabTest(warm, server_that_died_is_not_missed)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	look_up("alias.test: 2001:db8::1 192.0.2.1 (www.test)\n", "-c", "alias.test");
	lab_dns_stop(dns);
	look_up("ALIAS.test: 2001:db8::1 192.0.2.1 (www.test)\n", "-c", "ALIAS.test");
}

LabTest(warm, letters_of_the_caller_come_back)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	look_up("www.test: 2001:db8::1 192.0.2.1 (www.test)\n", "-c", "www.test");
	look_up("WWW.Test: 2001:db8::1 192.0.2.1 (WWW.Test)\n", "-c", "WWW.Test");
	assert_asked(dns, "www.test", 1, 1);
}

LabTest(warm, one_family_serves_the_other_call)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	look_up("www.test: 192.0.2.1\n", "-4", "www.test");
	assert_asked(dns, "www.test", 1, 0);
	look_up("www.test: 2001:db8::1 192.0.2.1\n", "www.test");
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_AAAA, LAB_ANY_TRANSPORT), 1);
	look_up("www.test: 2001:db8::1\n", "-6", "www.test");
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_AAAA, LAB_ANY_TRANSPORT), 1);
}

LabTest(warm, negative_answer_is_kept_for_the_soa_minimum)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	look_up("nope.test: EAI_NONAME\n", "nope.test");
	look_up("nope.test: EAI_NONAME\n", "nope.test");
	assert_asked(dns, "nope.test", 1, 1);
}

LabTest(warm, answer_without_soa_is_not_kept)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE "on nope.test * no-soa\n");

	look_up("nope.test: EAI_NONAME\n", "nope.test");
	look_up("nope.test: EAI_NONAME\n", "nope.test");
	assert_asked(dns, "nope.test", 2, 2);
}

LabTest(warm, expired_answer_is_asked_again)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	look_up("short.test: 192.0.2.3\nshort.test: 192.0.2.3\n", "-n2", "-4", "-w1100",
		"short.test");
	assert_asked(dns, "short.test", 2, 0);
}

LabTest(warm, no_system_call)
{
	const char *const argv[] = {"clients/warm_syscalls", "www.test", NULL};
	const struct lab_proc_opts opts = {.argv = argv, .preload = true};

	if (lab_sanitizer() != NULL)
		lab_skip("a sanitizer's allocator maps memory every few thousand calls");
	lab_dns_start_text(w, ZONE);
	for (int tries = 0; tries < 5; tries++) {
		lab_proc_run(w, &opts, &got);
		lab_assert(got.signal == 0, "(killed by %s: a warm lookup entered the kernel)",
			   strsignal(got.signal));
		if (got.status != 3) /* 3: the machine stalled */
			break;
	}
	lab_assert_int(got.status, 0);
}

/* ---- changes of the configuration, seen by a running program ---- */

LabTest(warm, changed_server_is_asked_within_a_second)
{
	const char *const argv[] = {"clients/lookup", "-4", "-n3", "-w1100", "www.test", NULL};
	struct lab_dns *old = lab_dns_start_text(w, ZONE);
	struct lab_dns *new = lab_dns_start_text(w, "listen 127.0.0.2:53\n"
						    "rr www.test 300 A 192.0.2.99\n");
	const struct lab_proc_opts opts = {.argv = argv, .preload = true};
	pid_t pid = lab_proc_spawn(w, &opts);

	lab_dns_wait_count(old, "www.test", LAB_A, 1, 10000);
	lab_file_replace("/etc/resolv.conf", "nameserver 127.0.0.2\n");
	lab_assert_int(lab_proc_wait(pid, 20000), 0);
	lab_assert_int(lab_dns_count(old, "www.test", LAB_A, LAB_ANY_TRANSPORT), 1);
	lab_assert_int(lab_dns_count(new, "www.test", LAB_A, LAB_ANY_TRANSPORT), 1);
}

LabTest(warm, views_do_not_share)
{
	lab_dns_start_text(w, ZONE);
	lab_dns_start_text(w, "listen 127.0.0.2:53\nrr www.test 300 A 192.0.2.99\n");
	look_up("www.test: 192.0.2.1\n", "-4", "www.test");
	lab_file_replace("/etc/resolv.conf", "nameserver 127.0.0.2\n");
	look_up("www.test: 192.0.2.99\n", "-4", "www.test");
	lab_file_replace("/etc/resolv.conf", "nameserver 127.0.0.1\n");
	look_up("www.test: 192.0.2.1\n", "-4", "www.test");
}

LabTest(warm, hosts_file_comes_first_once_it_has_the_name)
{
	lab_dns_start_text(w, ZONE);
	look_up("www.test: 192.0.2.1\n", "-4", "www.test");
	lab_file_overwrite("/etc/hosts", "192.0.2.7 www.test\n");
	look_up("www.test: 192.0.2.7\n", "-4", "www.test");
}

// SPDX-License-Identifier: MIT
/*
 * test_rebind.c - the rebinding guard: what a program is given of a name with private addresses,
 * with the guard and without it.
 */
#include "tests/e2e/dot_run.h"

#include <stdlib.h>

#define RECORDS                                                                                    \
	"rr com 300 SOA 60\n"                                                                      \
	"rr www.example.com 300 A 192.0.2.1\n"                                                     \
	"rr www.example.com 300 AAAA 2001:db8::1\n"                                                \
	"rr in.example.com 300 A 192.168.1.1\n"                                                    \
	"rr in.example.com 300 AAAA fd00::1\n"                                                     \
	"rr four.example.com 300 A 10.0.0.1\n"                                                     \
	"rr four.example.com 300 AAAA 2001:db8::4\n"                                               \
	"rr six.example.com 300 A 192.0.2.6\n"                                                     \
	"rr six.example.com 300 AAAA ::1\n"                                                        \
	"rr mixed.example.com 300 A 127.0.0.1\n"                                                   \
	"rr mixed.example.com 300 A 192.0.2.7\n"                                                   \
	"rr mixed.example.com 300 AAAA fe80::1\n"                                                  \
	"rr mixed.example.com 300 AAAA 2001:db8::7\n"                                              \
	"rr alias.example.com 300 CNAME in.example.com\n"                                          \
	"rr out.example.com 300 CNAME www.corp.example.com\n"                                      \
	"rr www.corp.example.com 300 A 10.1.1.1\n"                                                 \
	"rr www.corp.example.com 300 AAAA fd00::2\n"                                               \
	"rr cname.corp.example.com 300 CNAME in.example.com\n"                                     \
	"rr zero.example.com 0 A 127.0.0.1\n"                                                      \
	"rr zero.example.com 0 AAAA ::1\n"                                                         \
	"rr late.example.com 300 A 192.0.2.8\n"                                                    \
	"rr late.example.com 300 AAAA fd00::8\n"                                                   \
	"on late.example.com AAAA delay 120\n"                                                     \
	"rr *.many.example.com 300 A 127.0.0.1\n"                                                  \
	"rr box.home.arpa 300 A 10.2.2.2\n"                                                        \
	"rr printer 300 A 10.3.3.3\n"
#define ZONE "listen 127.0.0.1:53\n" RECORDS

#define LOOKUP(...) SHIM_ARGV("clients/lookup", __VA_ARGS__)
#define GUARD	    SHIM_ENV("NOBLOCKDNS_REBIND_GUARD=on")
#define GUARD_BUT(domains)                                                                         \
	SHIM_ENV("NOBLOCKDNS_REBIND_GUARD=on", "NOBLOCKDNS_REBIND_ALLOW=" domains)
#define GUARD_WARNS SHIM_ENV("NOBLOCKDNS_REBIND_GUARD=on", "NOBLOCKDNS_LOG=warn")

#define IN_OPEN	   "in.example.com: fd00::1 192.168.1.1\n"
#define IN_REFUSED "in.example.com: EAI_NODATA\n"

LabTest(rebind, guard_is_off_by_default)
{
	lab_dns_start_text(w, ZONE);
	shim_says(NULL, LOOKUP("in.example.com"), IN_OPEN);
	shim_says(SHIM_ENV("NOBLOCKDNS_REBIND_ALLOW=corp.example.com"), LOOKUP("in.example.com"),
		  IN_OPEN);
}

/* Twice: as the answer comes, and from the cache. */
LabTest(rebind, private_addresses_of_a_public_name_are_refused)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_says(GUARD, LOOKUP("-n", "2", "in.example.com"), IN_REFUSED IN_REFUSED);
	shim_says(GUARD, LOOKUP("-4", "in.example.com"), IN_REFUSED);
	shim_says(GUARD, LOOKUP("-6", "in.example.com"), IN_REFUSED);
	lab_assert_int(shim_asked(dns, "in.example.com", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "in.example.com", LAB_AAAA), 1);
}

LabTest(rebind, public_addresses_are_given)
{
	lab_dns_start_text(w, ZONE);
	shim_says(GUARD, LOOKUP("www.example.com", "four.example.com", "six.example.com"),
		  "www.example.com: 2001:db8::1 192.0.2.1\n"
		  "four.example.com: 2001:db8::4\n"
		  "six.example.com: 192.0.2.6\n");
	shim_says(GUARD, LOOKUP("-4", "four.example.com"), "four.example.com: EAI_NODATA\n");
}

LabTest(rebind, one_of_two_is_left)
{
	lab_dns_start_text(w, ZONE);
	shim_says(GUARD, LOOKUP("-n", "2", "mixed.example.com"),
		  "mixed.example.com: 2001:db8::7 192.0.2.7\n"
		  "mixed.example.com: 2001:db8::7 192.0.2.7\n");
}

LabTest(rebind, name_that_is_asked_decides)
{
	lab_dns_start_text(w, ZONE);
	shim_says(GUARD_BUT("corp.example.com"),
		  LOOKUP("alias.example.com", "out.example.com", "www.corp.example.com"),
		  "alias.example.com: EAI_NODATA\n"
		  "out.example.com: EAI_NODATA\n"
		  "www.corp.example.com: fd00::2 10.1.1.1\n");
	shim_says(GUARD_BUT("lan CORP.example.com"), LOOKUP("-c", "cname.corp.example.com"),
		  "cname.corp.example.com: fd00::1 192.168.1.1 (in.example.com)\n");
}

LabTest(rebind, names_that_nobody_can_register_may_be_private)
{
	lab_dns_start_text(w, ZONE);
	shim_says(GUARD, LOOKUP("printer", "box.home.arpa"),
		  "printer: 10.3.3.3\nbox.home.arpa: 10.2.2.2\n");
}

LabTest(rebind, search_list_is_no_allow_list,
	.resolv_conf = "nameserver 127.0.0.1\nsearch example.com corp.example.com\n")
{
	lab_dns_start_text(w, ZONE);
	shim_says(GUARD, LOOKUP("in", "www"), "in: EAI_NODATA\nwww: 2001:db8::1 192.0.2.1\n");
	shim_says(GUARD_BUT("example.com"), LOOKUP("in"), "in: fd00::1 192.168.1.1\n");
}

LabTest(rebind, hosts_file_is_the_users)
{
	lab_dns_start_text(w, ZONE);
	lab_file_replace("/etc/hosts", "127.0.0.1 localhost\n10.9.9.9 in.example.com\n");
	shim_says(GUARD, LOOKUP("-4", "in.example.com", "localhost"),
		  "in.example.com: 10.9.9.9\nlocalhost: 127.0.0.1\n");
}

LabTest(rebind, gethostbyname_is_guarded)
{
	static const char *const ask[] = {"getent", "ahostsv4", "in.example.com", NULL};
	static const char *const old[] = {"getent", "hosts", "in.example.com", NULL};

	lab_dns_start_text(w, ZONE);
	shim_run(NULL, old);
	lab_assert(strstr(shim_got.out, "fd00::1") != NULL, "(%s)", shim_got.out);
	shim_run(GUARD, old);
	lab_assert_str(shim_got.out, "");
	lab_assert_int(shim_got.status, 2); /* not found */
	shim_run(GUARD, ask);
	lab_assert_str(shim_got.out, "");
}

/* One cache file, and in turn. */
LabTest(rebind, processes_with_other_settings_share_no_answer)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	for (int i = 0; i < 2; i++) {
		shim_says(GUARD, LOOKUP("in.example.com"), IN_REFUSED);
		shim_says(NULL, LOOKUP("in.example.com"), IN_OPEN);
		shim_says(GUARD_BUT("in.example.com"), LOOKUP("in.example.com"), IN_OPEN);
		shim_says(GUARD_BUT("corp.example.com"), LOOKUP("in.example.com"), IN_REFUSED);
	}
	lab_assert_int(shim_asked(dns, "in.example.com", LAB_A), 4);
	lab_assert_int(shim_asked(dns, "in.example.com", LAB_AAAA), 4);
}

LabTest(rebind, answer_that_comes_late_is_guarded)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_says(GUARD, LOOKUP("-n", "2", "-w", "500", "late.example.com"),
		  "late.example.com: 192.0.2.8\nlate.example.com: 192.0.2.8\n");
	lab_assert_int(shim_asked(dns, "late.example.com", LAB_AAAA), 1);
}

/* The attack itself. A refused answer is one: what was there before does not come back. */
LabTest(rebind, name_that_turns_private_loses_its_address)
{
	struct lab_dns *dns = lab_dns_start_text(w, "listen 127.0.0.1:53\n"
						    "rr com 300 SOA 60\n"
						    "rr evil.example.com 1 A 192.0.2.66\n");

	shim_says(GUARD, LOOKUP("evil.example.com"), "evil.example.com: 192.0.2.66\n");
	lab_dns_stop(dns);
	usleep(1200 * 1000);
	dns = lab_dns_start_text(w, "listen 127.0.0.1:53\n"
				    "rr com 300 SOA 60\n"
				    "rr evil.example.com 300 A 127.0.0.1\n");
	shim_says(SHIM_ENV("NOBLOCKDNS_REBIND_GUARD=on", "NOBLOCKDNS_STALE_AFTER_MS=9000"),
		  LOOKUP("evil.example.com"), "evil.example.com: EAI_NODATA\n");
	lab_dns_vanish(dns);
	shim_says(GUARD, LOOKUP("evil.example.com"), "evil.example.com: EAI_NODATA\n");
}

LabTest(rebind, answer_over_tls_is_guarded)
{
	struct lab_dns *dns = lab_dns_start_text(w, "listen 127.0.0.1:853 tls\n" RECORDS);

	dot_use(w, "tls://127.0.0.1#dns.test");
	shim_says(GUARD, LOOKUP("in.example.com", "four.example.com"),
		  IN_REFUSED "four.example.com: 2001:db8::4\n");
	shim_says(NULL, LOOKUP("in.example.com"), IN_OPEN);
	lab_assert(dot_queries(dns, LAB_TLS) > 0);
}

/* ---- what the user hears of it, and how it is configured ---- */

/* Both types, and asked for three times: TTL 0. */
LabTest(rebind, refused_name_is_logged_once)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_run(GUARD_WARNS, LOOKUP("-n", "3", "zero.example.com"));
	shim_warned("zero.example.com has a private address");
	lab_assert_int(shim_asked(dns, "zero.example.com", LAB_A), 3);
}

LabTest(rebind, names_without_end_do_not_fill_the_log)
{
	static char text[70][32];
	const char *argv[72] = {"clients/lookup"};

	lab_dns_start_text(w, ZONE);
	for (int i = 0; i < 70; i++) {
		snprintf(text[i], sizeof text[i], "%d.many.example.com", i);
		argv[1 + i] = text[i];
	}
	shim_run(GUARD_WARNS, argv);
	lab_assert_int(shim_lines_with(shim_got.out, "EAI_NODATA"), 70);
	lab_assert_int(shim_lines_with(shim_got.err, "rebinding guard: "), 64);
	lab_assert_int(shim_lines_with(shim_got.err, " further names "), 1);
}

LabTest(rebind, file_configures_it)
{
	lab_dns_start_text(w, ZONE);
	lab_file_replace("/etc/noblockdns.conf",
			 "rebind_guard = on\nrebind_allow = lan corp.example.com\n");
	shim_says(NULL, LOOKUP("in.example.com", "www.corp.example.com"),
		  IN_REFUSED "www.corp.example.com: fd00::2 10.1.1.1\n");
	shim_says(SHIM_ENV("NOBLOCKDNS_REBIND_ALLOW="), LOOKUP("www.corp.example.com"),
		  "www.corp.example.com: EAI_NODATA\n");
	shim_says(SHIM_ENV("NOBLOCKDNS_REBIND_GUARD=off"), LOOKUP("in.example.com"), IN_OPEN);
}

LabTest(rebind, list_that_is_not_allowed_is_empty)
{
	lab_dns_start_text(w, ZONE);
	shim_run(GUARD_BUT(".example.com"), LOOKUP("in.example.com"));
	shim_warned("NOBLOCKDNS_REBIND_ALLOW: \".example.com\" is not allowed (domains like "
		    "corp.example, separated by spaces); using the default");
	lab_assert_str(shim_got.out, IN_REFUSED);
}

/* ---- libc is no way around ---- */

LabTest(rebind, escaped_name_is_refused)
{
	static const char *const argv[] = {"clients/lookup", "in.ex\\097mple.com", NULL};

	lab_dns_start_text(w, ZONE);
	shim_says(NULL, argv, "in.ex\\097mple.com: fd00::1 192.168.1.1\n");
	shim_says(GUARD, argv, "in.ex\\097mple.com: EAI_NONAME\n");
}

LabTest(rebind, module_that_is_libcs_is_told_of)
{
	lab_dns_start_text(w, ZONE);
	lab_file_replace("/etc/nsswitch.conf", "hosts: files nosuchmodule dns\n");
	shim_run(GUARD, LOOKUP("in.example.com"));
	shim_warned("not guarded against rebinding");
}

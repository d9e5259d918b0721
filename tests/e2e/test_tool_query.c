// SPDX-License-Identifier: MIT
/*
 * test_tool_query.c - `noblockdns query`: each step of a lookup is told, as it was.
 */
#include "tests/e2e/dot_run.h"
#include "tests/e2e/stale_run.h"
#include "tests/e2e/tool_run.h"

#define SCRIPT                                                                                     \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 60 SOA 60\n"                                                                      \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr alias.test 300 CNAME www.test\n"                                                       \
	"rr short.test 1 A 192.0.2.3\n"

/* These steps, in this order. */
static void steps(const char *const *parts)
{
	const char *at = shim_got.out;

	for (; *parts != NULL; parts++) {
		at = strstr(at, *parts);
		lab_assert(at != NULL, "(\"%s\" is not in its place in \"%.1800s\")", *parts,
			   shim_got.out);
	}
}

#define STEPS(...) steps(SHIM_ARGV(__VA_ARGS__))

LabTest(tool_query, cold_name_is_asked_for)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	TOOL("query", "alias.test");
	tool_ended(0);
	STEPS("nsswitch  modules: files dns", "settings  upstream udp://127.0.0.1:53",
	      "alias.test is not in the hosts file", "no fresh answer for A and AAAA",
	      "alias.test has to be asked for", "asked of 127.0.0.1:53 over udp",
	      "127.0.0.1:53 has answered over udp within ", "answer    A: 1 record, TTL 300",
	      "an alias of www.test", " first\n", "\n2001:db8::1\n192.0.2.1\n", "total ");
	lab_assert_int(shim_asked(dns, "alias.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "alias.test", LAB_AAAA), 1);
}

LabTest(tool_query, programs_answer_is_found_in_the_cache)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	shim_run(NULL, LOOK_UP);
	TOOL("query", "www.test");
	STEPS("cache     www.test: A and AAAA found", "cache     A: 1 record, TTL 300",
	      "stored 0 s ago", "2001:db8::1\n192.0.2.1\n");
	tool_did_not_print("upstream  A");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
	TOOL("query", "--no-cache", "-4", "www.test");
	STEPS("a cache of its own", "has to be asked for: A\n", "\n192.0.2.1\n");
	tool_did_not_print("2001:db8::1");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
}

LabTest(tool_query, hosts_file_comes_first, .hosts = "192.0.2.77 box.test\n")
{
	lab_dns_start_text(w, SCRIPT);
	TOOL("query", "box.test");
	STEPS("box.test is in the hosts file", "\n192.0.2.77\n");
	tool_did_not_print("has to be asked");
	TOOL("query", "192.0.2.1");
	STEPS("an address, or nothing that is looked up", "\n192.0.2.1\n");
}

LabTest(tool_query, missing_name_is_1)
{
	lab_dns_start_text(w, SCRIPT);
	TOOL("query", "none.test");
	tool_ended(1);
	STEPS("answer    A: no such name, TTL 60", "Name or service not known; total ");
	TOOL("query", "none.test", "--json");
	tool_printed("\"error\": \"Name or service not known\"");
	tool_printed("\"addresses\": []");
}

LabTest(tool_query, second_upstream_and_stale_answer_are_told, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	TOOL("query", "--upstream", "udp://127.0.0.9 udp://127.0.0.1", "www.test");
	STEPS("asked of 127.0.0.9:53 over udp: 1. of 2",
	      "127.0.0.9:53 over udp: Connection refused",
	      "asked of 127.0.0.1:53 over udp: 2. of 2", "\n192.0.2.1\n");
	TOOL("query", "short.test");
	sleep_ms(1200);
	lab_dns_vanish(dns);
	TOOL("query", "short.test");
	tool_ended(0);
	STEPS("cache     A: 1 record, TTL 1, expired", "this is stale", "\n192.0.2.3\n");
}

LabTest(tool_query, tls_is_told_with_certificate_and_resumption)
{
	lab_dns_start_text(w, "listen 127.0.0.53:853 tls\nrr *.test 300 A 192.0.2.1\n");
	dot_use(w, "tls://127.0.0.53#dns.test");
	TOOL("query", "a.test");
	tool_ended(0);
	STEPS("upstream tls://127.0.0.53:853#dns.test", "A asked of 127.0.0.53:853 over tls",
	      "tls       certificate of CN=", "days left",
	      "tls       TLSv1.3 with 127.0.0.53:853, full handshake, authenticated",
	      "127.0.0.53:853 has answered over tls");
	TOOL("query", "b.test");
	STEPS("tls       TLSv1.3 with 127.0.0.53:853, session resumed, authenticated");
	tool_did_not_print("certificate");
}

LabTest(tool_query, mistakes_are_one_line)
{
	TOOL("query");
	tool_ended(2);
	tool_complained("query: which name?");
	TOOL("query", "-4", "-6", "a.test");
	tool_complained("query: -4 or -6?");
}

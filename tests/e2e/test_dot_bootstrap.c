// SPDX-License-Identifier: MIT
/*
 * test_dot_bootstrap.c - upstreams over TLS that are given by name: their addresses are asked for
 * in clear text, and nothing else is.
 */
#include "tests/e2e/dot_run.h"

#define NAMES	  "rr *.test 0 A 192.0.2.1\nrr *.test 0 AAAA 2001:db8::1\n"
#define ANSWER	  "192.0.2.1"
#define BOOTSTRAP "listen 127.0.0.1:53\nrr www.test 0 A 192.0.2.66\n"

/* resolv.conf's server is asked for the upstream's addresses, and for nothing else. */
LabTest(dot_bootstrap, upstream_by_name_is_bootstrapped)
{
	struct lab_dns *clear = lab_dns_start_text(w, BOOTSTRAP "rr dns.test 300 A 127.0.0.2\n");
	struct lab_dns *dns = lab_dns_start_text(w, NAMES "listen 127.0.0.2:853 tls\n");

	dot_use(w, "tls://dns.test");
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	lab_assert_int(shim_asked(clear, "www.test", LAB_ANY_TYPE), 0);
	lab_assert(shim_asked(clear, "dns.test", LAB_A) > 0);
	lab_assert_int(shim_asked(clear, NULL, LAB_ANY_TYPE),
		       shim_asked(clear, "dns.test", LAB_ANY_TYPE));
	lab_assert_str(dot_tls(dns).sni, "dns.test");
}

LabTest(dot_bootstrap, addresses_of_an_upstream_race)
{
	struct lab_dns *mute = lab_dns_start_text(w, NAMES "listen 127.0.0.2:853 tls silent\n");
	struct dot_program p;

	lab_dns_start_text(w,
			   BOOTSTRAP "rr dns.test 300 A 127.0.0.2\nrr dns.test 300 A 127.0.0.3\n");
	lab_dns_start_text(w, NAMES "listen 127.0.0.3:853 tls\n");
	dot_use(w, "tls://dns.test");
	p = dot_start(w);
	/* 250 ms later the second one is tried (RFC 8305 section 8) */
	lab_assert(dot_says(&p, "www.test", ANSWER).ms < 250 + DOT_SLACK_MS);
	lab_assert_int(dot_queries(mute, LAB_TLS), 0);
	dot_end(&p);
}

LabTest(dot_bootstrap, upstream_that_cannot_be_bootstrapped_fails_in_private)
{
	struct lab_dns *clear = lab_dns_start_text(w, BOOTSTRAP);

	dot_use(w, "tls://dns.test");
	dot_deadline(DOT_DEADLINE_MS);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"));
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\n");
	lab_assert_int(shim_asked(clear, "www.test", LAB_ANY_TYPE), 0);
}

// SPDX-License-Identifier: MIT
/*
 * test_dot_wrong.c - DNS over TLS with servers that break the protocol: the lookup ends in time,
 * nothing leaks, a later one works, and strict mode never sends a packet in clear text.
 *
 * Every scripted server listens on port 53 of its address, too, and resolv.conf names it: whatever
 * is sent there is a leak. TTLs are 0: each lookup is a query.
 */
#include "tests/e2e/dot_run.h"

#define ROWS(a) (sizeof(a) / sizeof *(a))
#define NAMES                                                                                      \
	"rr *.test 0 A 192.0.2.1\nrr *.test 0 AAAA 2001:db8::1\n"                                  \
	"rr big.test 0 A 10.0.0.0*4000\n"
#define SERVER	  NAMES "listen 127.0.0.1:53\nlisten 127.0.0.1:853 tls "
#define UPSTREAM  "tls://127.0.0.1#dns.test"
#define THE_FIRST "192.0.2.1"
#define LEFT_MS	  20000

/* From here on each program meets the server for itself: it is not told of others' failures. */
static void use_alone(struct lab_world *w)
{
	dot_use(w, UPSTREAM);
	dot_deadline(DOT_DEADLINE_MS);
	setenv("NOBLOCKDNS_CACHE", "private", 1);
}

/* Nothing came in clear text. */
static void must_be_private(const struct lab_dns *dns)
{
	lab_assert_int(dot_queries(dns, LAB_UDP), 0);
	lab_assert_int(dot_queries(dns, LAB_TCP), 0);
}

/* ---- wrong answers ---- */

/* A connection that let a question down is kept as long as that may be answered; then as many
 * descriptors are left as before. */
static void leaves_nothing(struct dot_program *p, const char *fault, unsigned fds)
{
	unsigned long long end = lab_now_ns() + LEFT_MS * 1000000ULL;
	unsigned now = dot_says(p, "after.test", THE_FIRST).fds;

	if (now > fds + 1)
		lab_fail("%s: %u descriptors before, %u after", fault, fds, now);
	while (now != fds) {
		if (lab_now_ns() > end)
			lab_fail("%s: %u descriptors before, %u left", fault, fds, now);
		usleep(50000);
		now = dot_says(p, "after.test", THE_FIRST).fds;
	}
}

/* One name's queries are answered wrongly, over and over. */
static void survives_wrong_answer(struct lab_world *w, const char *fault)
{
	struct lab_dns *dns = lab_dns_startf(w, SERVER "\non bad.test * tls %s\n", fault);
	struct dot_program p = dot_start(w);
	struct dot_said before = dot_says(&p, "before.test", THE_FIRST), said;
	uint64_t asked;

	said = dot_ask(&p, "bad.test");
	if (strcmp(said.what, "EAI_AGAIN") != 0 || said.ms > DOT_DEADLINE_MS + DOT_SLACK_MS)
		lab_fail("%s: %s after %u ms", fault, said.what, said.ms);
	leaves_nothing(&p, fault, before.fds);
	asked = shim_asked(dns, "bad.test", LAB_A);
	/* the free try and a few more, but no loop */
	lab_assert(asked >= 1 && asked <= 12, "(%s: %llu queries)", fault,
		   (unsigned long long)asked);
	must_be_private(dns);
	dot_end(&p);
	lab_dns_free(dns);
}

static void survive_wrong_answers(struct lab_world *w, const char *const *faults, size_t n)
{
	use_alone(w);
	for (size_t i = 0; i < n; i++)
		survives_wrong_answer(w, faults[i]);
}

LabTest(dot_wrong, broken_connection_ends_the_lookup_in_time)
{
	static const char *const faults[] = {"close", "reset", "close-length", "close-half"};

	survive_wrong_answers(w, faults, ROWS(faults));
}

LabTest(dot_wrong, silence_ends_the_lookup_in_time)
{
	static const char *const faults[] = {"drop", "drip 1000", "delay 60000"};

	survive_wrong_answers(w, faults, ROWS(faults));
}

LabTest(dot_wrong, nonsense_is_not_believed)
{
	static const char *const faults[] = {"wrong-id",      "wrong-question", "no-question",
					     "not-response",  "garbage 5",	"garbage 300",
					     "garbage 65535", "cut 20"};

	survive_wrong_answers(w, faults, ROWS(faults));
}

LabTest(dot_wrong, unasked_answers_beside_the_right_one_do_no_harm)
{
	static const char *const faults[] = {"twice", "wrong-id\non odd.test * tls then-right 50",
					     "wrong-question\non odd.test * tls then-right 50"};

	dot_use(w, UPSTREAM);
	for (size_t i = 0; i < ROWS(faults); i++) {
		struct lab_dns *dns =
			lab_dns_startf(w, SERVER "\non odd.test * tls %s\n", faults[i]);
		struct dot_program p = dot_start(w);

		dot_says(&p, "odd.test", THE_FIRST);
		dot_says(&p, "after.test", THE_FIRST);
		must_be_private(dns);
		dot_end(&p);
		lab_dns_free(dns);
	}
}

/* Each lookup has its answer although the connection never survives it. */
LabTest(dot_wrong, close_or_reset_after_each_answer_is_normal)
{
	static const char *const faults[] = {"answers 1\n", "\non * * tls close-after\n",
					     "\non * * tls reset-after\n"};

	dot_use(w, UPSTREAM);
	for (size_t i = 0; i < ROWS(faults); i++) {
		struct lab_dns *dns = lab_dns_startf(w, SERVER "%s", faults[i]);
		struct dot_program p = dot_start(w);
		struct dot_said first = dot_says(&p, "one.test", THE_FIRST), last;

		for (unsigned k = 0; k < 20; k++)
			dot_says(&p, "more.test", THE_FIRST);
		last = dot_says(&p, "last.test", THE_FIRST);
		/* the end of the first connection may have been seen already */
		if (last.fds > first.fds + 1)
			lab_fail("row %zu: %u descriptors, then %u", i, first.fds, last.fds);
		must_be_private(dns);
		dot_end(&p);
		lab_dns_free(dns);
	}
}

LabTest(dot_wrong, answers_come_in_any_order)
{
	static const char both[] = "www.test: 2001:db8::1 192.0.2.1\n";
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "\non a.test A delay 30\n"
							   "on b.test AAAA delay 30\n");

	dot_use(w, UPSTREAM);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "www.test"), both);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "a.test"), "a.test: 2001:db8::1 192.0.2.1\n");
	shim_says(NULL, SHIM_ARGV("clients/lookup", "b.test"), "b.test: 2001:db8::1 192.0.2.1\n");
	must_be_private(dns);
}

LabTest(dot_wrong, answer_of_64_kb_is_whole)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);
	unsigned n = 0;

	dot_use(w, UPSTREAM);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "-4", "big.test"));
	lab_assert_str(shim_got.err, "");
	for (const char *p = shim_got.out; (p = strstr(p, " 10.0.")) != NULL; p++)
		n++;
	lab_assert_int(n, 4000);
	must_be_private(dns);
}

/* Over TLS there is nowhere to ask again: it must end, and must not be asked for in clear text. */
LabTest(dot_wrong, truncated_answer_ends_the_lookup)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "\non cut.test * tls tc\n");
	struct dot_program p;

	dot_use(w, UPSTREAM);
	dot_deadline(DOT_DEADLINE_MS);
	p = dot_start(w);
	lab_assert(dot_ask(&p, "cut.test").ms <= DOT_DEADLINE_MS + DOT_SLACK_MS);
	dot_says(&p, "after.test", THE_FIRST);
	must_be_private(dns);
	dot_end(&p);
}

LabTest(dot_wrong, request_to_renegotiate_ends_the_lookup)
{
	struct lab_dns *dns =
		lab_dns_start_text(w, SERVER "version 1.2\non again.test * tls renegotiate\n");
	struct dot_program p;

	dot_use(w, UPSTREAM);
	dot_deadline(DOT_DEADLINE_MS);
	p = dot_start(w);
	lab_assert(dot_ask(&p, "again.test").ms <= DOT_DEADLINE_MS + DOT_SLACK_MS);
	dot_says(&p, "after.test", THE_FIRST);
	must_be_private(dns);
	dot_end(&p);
}

LabTest(dot_wrong, servfail_of_one_is_asked_of_the_next)
{
	struct lab_dns *one = lab_dns_start_text(w, SERVER "\non * * servfail\n");
	struct lab_dns *two = lab_dns_start_text(w, "rr *.test 0 A 192.0.2.2\n"
						    "listen 127.0.0.2:853 tls\n");

	dot_use(w, UPSTREAM " tls://127.0.0.2#dns.test");
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.2\n");
	must_be_private(one);
	lab_assert(dot_queries(two, LAB_TLS) > 0);
}

/* ---- no handshake ---- */

/* Asks until there is an answer; fails the test after `ms`. */
static void recovers_within(struct dot_program *p, unsigned ms)
{
	unsigned long long end = lab_now_ns() + ms * 1000000ULL;

	while (strcmp(dot_ask(p, "again.test").what, THE_FIRST) != 0) {
		if (lab_now_ns() > end)
			lab_fail("no answer %u ms after the server behaves again", ms);
		usleep(50000);
	}
}

static void survives_no_handshake(struct lab_world *w, const char *fault)
{
	struct lab_dns *dns = lab_dns_startf(w, SERVER "%s\n", fault);
	struct dot_program p = dot_start(w);
	unsigned fds;

	dot_fails(&p, "one.test");
	fds = dot_fails(&p, "two.test").fds;
	lab_assert_int(dot_queries(dns, LAB_ANY_TRANSPORT), 0);
	lab_assert(lab_dns_connections(dns) > 0, "(%s)", fault);
	lab_dns_free(dns);
	dns = lab_dns_start_text(w, SERVER);
	recovers_within(&p, 2000 + DOT_DEADLINE_MS + DOT_SLACK_MS);
	/* at most the connection that was not there before */
	lab_assert(dot_says(&p, "after.test", THE_FIRST).fds <= fds + 1);
	must_be_private(dns);
	dot_end(&p);
	lab_dns_free(dns);
}

static void survive_no_handshakes(struct lab_world *w, const char *const *faults, size_t n)
{
	use_alone(w);
	for (size_t i = 0; i < n; i++)
		survives_no_handshake(w, faults[i]);
}

LabTest(dot_wrong, server_that_does_not_speak_tls_is_survived)
{
	static const char *const faults[] = {"hangup", "plain", "version 1.1"};

	survive_no_handshakes(w, faults, ROWS(faults));
}

LabTest(dot_wrong, server_that_stalls_the_handshake_is_survived)
{
	static const char *const faults[] = {"silent", "drip 1000", "delay 60000"};

	survive_no_handshakes(w, faults, ROWS(faults));
}

LabTest(dot_wrong, closed_port_fails_at_once_and_in_private)
{
	struct lab_dns *dns = lab_dns_start_text(w, NAMES "listen 127.0.0.1:53\n");
	struct dot_program p;

	dot_use(w, UPSTREAM);
	dot_deadline(DOT_DEADLINE_MS);
	p = dot_start(w);
	dot_fails(&p, "www.test");
	must_be_private(dns);
	dot_end(&p);
}

/* ---- certificates ---- */

struct bad_cert {
	const char *cert;     /* of the server */
	const char *upstream; /* how it is named */
	const char *words;    /* in the log */
};

static const struct bad_cert bad_certs[] = {
	{"cert wrong-name", "tls://127.0.0.1#dns.test", "for another name"},
	{"cert wrong-name", "tls://127.0.0.1", "for another address"},
	{"", "tls://127.0.0.1#else.test", "for another name"},
	{"names dns.test", "tls://127.0.0.1", "for another address"},
	{"cert expired", "tls://127.0.0.1#dns.test", "expired"},
	{"cert not-yet", "tls://127.0.0.1#dns.test", "not valid yet"},
	{"cert self-signed", "tls://127.0.0.1#dns.test", "self-signed"},
	{"cert unknown-ca", "tls://127.0.0.1#dns.test", "issuer is not known"},
	{"cert cn-only", "tls://127.0.0.1#dns.test", "for another name"},
};

LabTest(dot_wrong, bad_certificate_gets_no_query_and_the_next_upstream_is_asked)
{
	lab_dns_start_text(w, "rr *.test 0 A 192.0.2.2\nlisten 127.0.0.2:853 tls\n");
	for (size_t i = 0; i < ROWS(bad_certs); i++) {
		const struct bad_cert *bad = &bad_certs[i];
		struct lab_dns *dns = lab_dns_startf(w, SERVER "%s\n", bad->cert);
		char upstreams[128];

		snprintf(upstreams, sizeof upstreams, "%s tls://127.0.0.2#dns.test", bad->upstream);
		dot_use(w, upstreams);
		dot_log_remove(w);
		shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"),
			  "www.test: 192.0.2.2\n");
		if (dot_queries(dns, LAB_ANY_TRANSPORT) != 0 || dot_tls(dns).hellos == 0)
			lab_fail("row %zu: a query was sent, or no handshake was tried", i);
		lab_assert(strstr(dot_log(w), bad->words) != NULL,
			   "(row %zu wants \"%s\", got: %s)", i, bad->words, dot_log(w));
		lab_dns_free(dns);
	}
}

LabTest(dot_wrong, bad_certificate_alone_fails_in_private)
{
	use_alone(w);
	for (size_t i = 0; i < ROWS(bad_certs); i++) {
		struct lab_dns *dns = lab_dns_startf(w, SERVER "%s\n", bad_certs[i].cert);
		struct dot_program p;

		setenv("NOBLOCKDNS_UPSTREAM", bad_certs[i].upstream, 1);
		p = dot_start(w);
		dot_fails(&p, "www.test");
		lab_assert_int(dot_queries(dns, LAB_ANY_TRANSPORT), 0);
		lab_assert(dot_tls(dns).hellos > 0, "(row %zu: no handshake was tried)", i);
		dot_end(&p);
		lab_dns_free(dns);
	}
}

LabTest(dot_wrong, authority_that_is_not_configured_is_not_believed)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);

	dot_use(w, UPSTREAM);
	dot_deadline(DOT_DEADLINE_MS);
	shim_run(SHIM_ENV("NOBLOCKDNS_TLS_CA"), SHIM_ARGV("clients/lookup", "www.test"));
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\n");
	lab_assert_int(dot_queries(dns, LAB_ANY_TRANSPORT), 0);
}

LabTest(dot_wrong, one_pin_must_be_in_the_chain)
{
	static const char other[] = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);
	char both[160];

	dot_use(w, UPSTREAM);
	dot_deadline(DOT_DEADLINE_MS);
	setenv("NOBLOCKDNS_TLS_PIN", other, 1);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"));
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\n");
	lab_assert_int(dot_queries(dns, LAB_ANY_TRANSPORT), 0);
	lab_assert(strstr(dot_log(w), "pin") != NULL, "(%s)", dot_log(w));

	setenv("NOBLOCKDNS_TLS_PIN", lab_ca_server_pin(), 1);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	snprintf(both, sizeof both, "%s %s", other, lab_ca_pin());
	setenv("NOBLOCKDNS_TLS_PIN", both, 1);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "two.test"), "two.test: 192.0.2.1\n");
}

/* ---- opportunistic ---- */

LabTest(dot_wrong, opportunistic_takes_any_certificate)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "cert self-signed\n");

	dot_use(w, UPSTREAM);
	setenv("NOBLOCKDNS_TLS", "opportunistic", 1);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	must_be_private(dns);
	lab_assert(dot_queries(dns, LAB_TLS) > 0);
}

static void falls_back(struct lab_world *w, const char *listener)
{
	struct lab_dns *dns = lab_dns_startf(w, NAMES "listen 127.0.0.1:53\n%s", listener);
	struct dot_program p;

	dot_use(w, UPSTREAM);
	setenv("NOBLOCKDNS_TLS", "opportunistic", 1);
	p = dot_start(w);
	dot_says(&p, "one.test", THE_FIRST);
	lab_assert(dot_queries(dns, LAB_UDP) > 0);
	lab_assert_int(dot_queries(dns, LAB_TLS), 0);
	dot_says(&p, "two.test", THE_FIRST);
	dot_end(&p);
	lab_dns_free(dns);
}

LabTest(dot_wrong, opportunistic_falls_back_to_clear_text)
{
	falls_back(w, "");
	falls_back(w, "listen 127.0.0.1:853 tls plain\n");
	falls_back(w, "listen 127.0.0.1:853 tls hangup\n");
	falls_back(w, "listen 127.0.0.1:853 tls silent\n");
}

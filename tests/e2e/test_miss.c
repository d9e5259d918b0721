// SPDX-License-Identifier: MIT
/* The way of a miss: how often servers are asked, and what happens when they misbehave. */
#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr *.bad.test 300 A 192.0.2.1\n"                                                          \
	"rr *.bad.test 300 AAAA 2001:db8::1\n"                                                     \
	"rr loop1.test 60 CNAME loop2.test\n"                                                      \
	"rr loop2.test 60 CNAME loop1.test\n"                                                      \
	"rr victim.test 60 A 192.0.2.5\n"                                                          \
	"rr big.test 60 A 10.0.0.1*4000\n"

#define DEADLINE_MS 1000 /* one server, timeout:1, attempts:1 */
#define FAILURE_MS  1100 /* a failure is remembered for a second (RFC 9520 section 3.2) */
#define CONF	    "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"

static struct lab_proc_result got;

static const char *look_up(bool preload, const char *const *argv)
{
	const struct lab_proc_opts opts = {.argv = argv, .preload = preload};

	lab_proc_run(NULL, &opts, &got);
	lab_assert_str(got.err, "");
	lab_assert_int(got.status, 0);
	return got.out;
}

#define with_shim(...) look_up(true, (const char *const[]){"clients/lookup", __VA_ARGS__, NULL})
#define with_libc(...) look_up(false, (const char *const[]){"clients/lookup", __VA_ARGS__, NULL})

static uint64_t count(struct lab_dns *dns, const char *name, uint16_t type)
{
	return lab_dns_count(dns, name, type, LAB_ANY_TRANSPORT);
}

LabTest(miss, sixty_four_threads_ask_once)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE "on * * delay 100\n");

	lab_assert_str(with_shim("-j64", "www.test"), "www.test: 2001:db8::1 192.0.2.1\n");
	lab_assert_int(count(dns, "www.test", LAB_A), 1);
	lab_assert_int(count(dns, "www.test", LAB_AAAA), 1);
}

LabTest(miss, a_and_aaaa_leave_from_two_ports)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	struct lab_dns_query a, b;

	with_shim("www.test");
	lab_assert(lab_dns_query_at(dns, 0, &a) && lab_dns_query_at(dns, 1, &b));
	lab_assert(a.type != b.type);
	lab_assert(a.source_port != b.source_port, "(both from %u)", a.source_port);
	lab_assert_int(a.edns_size, 1232);
}

/* Who knows of a server that it is quick asks it again before a second is over. */
LabTest(miss, lost_packet_costs_less_where_others_know_the_server)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE "on lost.bad.test A first 1 drop\n"
							 "on gone.bad.test A first 1 drop\n");
	struct lab_dns_query first, second;

	with_shim("-4", "gone.bad.test");
	with_shim("-4", "lost.bad.test");
	lab_assert(lab_dns_query_at(dns, 0, &first) && lab_dns_query_at(dns, 1, &second));
	lab_assert(second.at_ns - first.at_ns >= 600000000u, "(a stranger was hurried)");
	lab_assert(lab_dns_query_at(dns, 2, &first) && lab_dns_query_at(dns, 3, &second));
	lab_assert(second.at_ns - first.at_ns < 600000000u, "(it was not remembered)");
	lab_assert_int(count(dns, NULL, LAB_A), 4);
}

LabTest(miss, single_request_asks_one_after_the_other,
	.resolv_conf = "nameserver 127.0.0.1\noptions single-request\n")
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE "on www.test A delay 50\n");
	struct lab_dns_query a, b;

	lab_assert_str(with_shim("www.test"), "www.test: 2001:db8::1 192.0.2.1\n");
	lab_assert(lab_dns_query_at(dns, 0, &a) && lab_dns_query_at(dns, 1, &b));
	lab_assert_int(a.type, LAB_A);
	lab_assert(b.at_ns - a.at_ns >= 50000000u, "(AAAA was asked before A was answered)");
}

LabTest(miss, aaaa_that_never_comes_costs_the_resolution_delay, .resolv_conf = CONF)
{
	lab_dns_start_text(w, ZONE "on www.test AAAA drop\n");
	lab_assert_str(with_shim("www.test"), "www.test: 192.0.2.1\n");
}

LabTest(miss, second_server_answers_for_a_dead_first,
	.resolv_conf = "nameserver 127.0.0.9\nnameserver 127.0.0.1\n")
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	lab_assert_str(with_shim("www.test"), "www.test: 2001:db8::1 192.0.2.1\n");
	lab_assert_int(count(dns, "www.test", LAB_A), 1);
}

LabTest(miss, use_vc_asks_over_tcp, .resolv_conf = "nameserver 127.0.0.1\noptions use-vc\n")
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	lab_assert_str(with_shim("www.test"), "www.test: 2001:db8::1 192.0.2.1\n");
	lab_assert_int(lab_dns_count(dns, NULL, LAB_ANY_TYPE, LAB_UDP), 0);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_ANY_TYPE, LAB_TCP), 2);
}

LabTest(miss, four_thousand_addresses_come_over_tcp)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	const char *out = with_shim("-4", "big.test");
	unsigned n = 0;

	for (const char *p = out; (p = strstr(p, " 10.0.")) != NULL; p++)
		n++;
	lab_assert_int(n, 4000);
	lab_assert(lab_dns_count(dns, "big.test", LAB_A, LAB_TCP) > 0);
}

LabTest(miss, records_of_another_name_are_not_believed)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE "on www.test * poison\n");

	with_shim("www.test");
	lab_assert_str(with_shim("-4", "victim.test"), "victim.test: 192.0.2.5\n");
	lab_assert_int(count(dns, "victim.test", LAB_A), 1);
}

/* ---- a server that lies, stalls, or breaks the protocol ---- */

struct misbehaviour {
	const char *name;
	const char *rule;
	const char *instead; /* what the shim says where it means to be stricter than libc */
};

/* In each row the first lookup meets the rule (it sends at most 3 queries a type and transport),
 * and the second, in another process, a server that has recovered: if anything false had been
 * cached, it would show there. */
static const struct misbehaviour misbehaviours[] = {
	{"wrong id", "wrong-id", NULL},
	{"wrong question", "wrong-question", NULL},
	{"wrong source port", "wrong-port", NULL},
	{"no question", "no-question", NULL},
	{"garbage", "garbage 200", NULL},
	{"short garbage", "garbage 5", NULL},
	{"cut in the header", "cut 9", NULL},
	{"no answer", "drop", NULL},
	{"SERVFAIL", "servfail", NULL},
	{"REFUSED", "refused", NULL},
	{"NOTIMP", "notimp", NULL},
	{"FORMERR", "formerr", NULL},
	{"not a response", "not-response", "EAI_AGAIN"}, /* libc takes it for one */
	{"garbage after the question", "garbage-body", NULL},
	{"cut", "cut 40", NULL},
	{"bad RDLENGTH", "bad-rdlen", NULL},
	{"bad pointer", "bad-pointer", NULL},
	{"bad count", "bad-count", NULL},
};

static void assert_in_time(const char *row)
{
	double ms = strtod(strrchr(got.out, ' '), NULL);

	lab_assert(ms < DEADLINE_MS + 500, "(%s: %.0f ms, deadline %d)", row, ms, DEADLINE_MS);
}

static void misbehave(struct lab_world *w, unsigned row)
{
	const struct misbehaviour *m = &misbehaviours[row];
	char asked[32], expected[512], shim[512];
	struct lab_dns *dns;

	snprintf(asked, sizeof asked, "row%u.bad.test", row); /* nothing is cached of it */
	dns = lab_dns_startf(w, ZONE "on *.bad.test * first 12 %s\n", m->rule);
	snprintf(expected, sizeof expected, "%.500s", with_libc(asked));
	if (m->instead != NULL)
		snprintf(expected, sizeof expected, "%s: %s\n", asked, m->instead);
	lab_dns_free(dns);
	dns = lab_dns_startf(w, ZONE "on *.bad.test * first 12 %s\n", m->rule);
	with_shim("-v", asked);
	assert_in_time(m->name);
	*strrchr(got.out, ' ') = '\0';
	snprintf(shim, sizeof shim, "%.500s\n", got.out);
	if (strcmp(shim, expected) != 0)
		lab_fail("%s: expected %s, got %s", m->name, expected, shim);
	lab_dns_free(dns);
	dns = lab_dns_start_text(w, ZONE);
	usleep(FAILURE_MS * 1000);
	with_shim(asked);
	snprintf(expected, sizeof expected, "%s: 2001:db8::1 192.0.2.1\n", asked);
	if (strcmp(got.out, expected) != 0)
		lab_fail("after %s: expected %s, got %s", m->name, expected, got.out);
	lab_dns_free(dns);
}

LabTest(miss, misbehaving_server_gives_libcs_error_and_leaves_no_trace, .resolv_conf = CONF)
{
	for (unsigned i = 0; i < sizeof misbehaviours / sizeof misbehaviours[0]; i++)
		misbehave(w, i);
}

LabTest(miss, alias_loop_fails, .resolv_conf = CONF)
{
	lab_dns_start_text(w, ZONE);
	with_shim("-v", "loop1.test");
	lab_assert(strncmp(got.out, "loop1.test: EAI_", 16) == 0, "(%s)", got.out);
	assert_in_time("alias loop");
}

LabTest(miss, truncated_answer_that_tcp_does_not_complete_fails, .resolv_conf = CONF)
{
	lab_dns_start_text(w, ZONE "on www.test * udp truncate\non www.test * tcp close\n");
	with_shim("-v", "www.test");
	lab_assert(strncmp(got.out, "www.test: EAI_AGAIN", 19) == 0, "(%s)", got.out);
	assert_in_time("truncated");
}

LabTest(miss, right_answer_after_a_wrong_one_is_taken)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE "on www.test * wrong-id\n"
							 "on www.test * then-right 50\n");

	lab_assert_str(with_shim("www.test"), "www.test: 2001:db8::1 192.0.2.1\n");
	lab_assert_int(count(dns, "www.test", LAB_A), 1);
}

LabTest(miss, server_without_edns_is_asked_without)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE "on * * formerr-edns\n");

	lab_assert_str(with_shim("-4", "www.test"), "www.test: 192.0.2.1\n");
	lab_assert_int(count(dns, "www.test", LAB_A), 2);
}

/* What has come by the deadline is not lost, whichever question of the call it answers. */
LabTest(miss, half_an_answer_counts_for_every_name_of_a_search,
	.resolv_conf = "nameserver 127.0.0.1\nsearch a.test b.test\noptions timeout:1 attempts:1 "
		       "no-tld-query\n")
{
	lab_dns_start_text(w, ZONE "on half AAAA drop\non half.b.test AAAA drop\n"
				   "on half.a.test * delay 300\n");
	with_shim("-v", "half");
	lab_assert(strncmp(got.out, "half: EAI_NONAME", 16) == 0, "(%s)", got.out);
	assert_in_time("half");
}

LabTest(miss, nobody_listens, .resolv_conf = CONF)
{
	with_shim("-v", "www.test");
	lab_assert(strncmp(got.out, "www.test: EAI_AGAIN", 19) == 0, "(%s)", got.out);
	assert_in_time("nobody listens");
}

// SPDX-License-Identifier: MIT
/*
 * test_lab_script.c - each behaviour of the scripted DNS server, seen from a client.
 */
#include "tests/lab/dnsquery.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <errno.h>
#include <string.h>

#define SERVER "127.0.0.1:53"
#define BASE                                                                                       \
	"listen " SERVER "\nlisten [::1]:5353\nseed 1\n"                                           \
	"rr test 900 SOA 60\n"                                                                     \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 A 192.0.2.2\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr alias.test 60 CNAME Other.test\n"                                                      \
	"rr other.test 60 CNAME www.test\n"                                                        \
	"rr loop1.test 60 CNAME loop2.test\n"                                                      \
	"rr loop2.test 60 CNAME loop1.test\n"                                                      \
	"rr big.test 60 A 10.0.0.250*4000\n"                                                       \
	"rr forever.test 4294967295 A 192.0.2.3\n"                                                 \
	"rr zero.test 0 A 192.0.2.3\n"                                                             \
	"rr *.wild.test 60 A 192.0.2.9\n"                                                          \
	"rr a.b.deep.test 60 A 192.0.2.9\n"

static struct lab_dns_reply reply; /* of the last question */

static int try_ask(const char *name, uint16_t type, enum lab_dns_transport transport,
		   uint16_t edns_size)
{
	const struct lab_dns_question q = {.server = SERVER,
					   .name = name,
					   .type = type,
					   .transport = transport,
					   .edns_size = edns_size,
					   .timeout_ms = 400};

	return lab_dns_ask(&q, &reply);
}

static void ask(const char *name, uint16_t type, enum lab_dns_transport transport)
{
	int rc = try_ask(name, type, transport, 0);

	lab_assert(rc == 0, "(%s: %s)", name, strerror(-rc));
}

static void assert_rr(unsigned i, const char *owner, uint16_t type, const char *data)
{
	lab_assert(reply.parsed && i < reply.nanswers, "(record %u)", i);
	lab_assert_str(reply.answers[i].owner, owner);
	lab_assert_int(reply.answers[i].type, type);
	lab_assert_str(reply.answers[i].data, data);
}

/* A test in a world with the base table and these rules. */
#define ScriptTest(name, rules)                                                                    \
	static void name##_steps(struct lab_dns *dns);                                             \
	LabTest(lab_script, name)                                                                  \
	{                                                                                          \
		name##_steps(lab_dns_start_text(w, BASE rules));                                   \
	}                                                                                          \
	static void name##_steps(struct lab_dns *dns __attribute__((unused)))

ScriptTest(answer_echoes_letter_case, "")
{
	ask("wWw.TesT", LAB_A, LAB_UDP);
	lab_assert_str(reply.question, "wWw.TesT");
	assert_rr(0, "wWw.TesT", LAB_A, "192.0.2.1");
	assert_rr(1, "wWw.TesT", LAB_A, "192.0.2.2");
	lab_assert_int(reply.answers[0].ttl_s, 300);
	lab_assert_int(reply.nanswers, 2);
	lab_assert_int(reply.id, reply.sent_id);
	lab_assert_int(reply.source_port, 53);
}

ScriptTest(chain_is_followed, "")
{
	ask("alias.test", LAB_A, LAB_TCP);
	assert_rr(0, "alias.test", LAB_CNAME, "Other.test");
	assert_rr(1, "Other.test", LAB_CNAME, "www.test");
	assert_rr(2, "www.test", LAB_A, "192.0.2.1");
	lab_assert_int(reply.nanswers, 4);
}

ScriptTest(reverse_puts_the_chain_last, "on alias.test * reverse\n")
{
	ask("alias.test", LAB_AAAA, LAB_UDP);
	assert_rr(0, "www.test", LAB_AAAA, "2001:db8::1");
	assert_rr(2, "alias.test", LAB_CNAME, "Other.test");
}

ScriptTest(shuffle_keeps_every_record, "on * * shuffle\n")
{
	unsigned cnames = 0;

	ask("alias.test", LAB_A, LAB_UDP);
	for (unsigned i = 0; i < reply.nanswers; i++)
		cnames += reply.answers[i].type == LAB_CNAME;
	lab_assert_int(reply.nanswers, 4);
	lab_assert_int(cnames, 2);
}

ScriptTest(loop_is_sent_once_around, "")
{
	ask("loop1.test", LAB_A, LAB_UDP);
	assert_rr(0, "loop1.test", LAB_CNAME, "loop2.test");
	assert_rr(1, "loop2.test", LAB_CNAME, "loop1.test");
	lab_assert_int(reply.nanswers, 2);
	lab_assert_int(reply.rcode, 0);
}

ScriptTest(negative_answers_carry_the_soa, "")
{
	ask("none.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.rcode, 3);
	lab_assert_int(reply.authority.type, LAB_SOA);
	lab_assert_int(reply.authority.ttl_s, 900);
	lab_assert_str(reply.authority.data, "60");
	ask("zero.test", LAB_AAAA, LAB_UDP);
	lab_assert_int(reply.rcode, 0);
	lab_assert_int(reply.nanswers, 0);
	lab_assert_int(reply.nauthority, 1);
	ask("b.deep.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.rcode, 0);
	ask("outside", LAB_A, LAB_UDP);
	lab_assert_int(reply.rcode, 3);
	lab_assert_int(reply.nauthority, 0);
}

ScriptTest(wildcard_answers_below_itself, "")
{
	ask("any.wild.test", LAB_A, LAB_UDP);
	assert_rr(0, "any.wild.test", LAB_A, "192.0.2.9");
	ask("wild.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.nanswers, 0);
	lab_assert_int(reply.rcode, 0);
}

ScriptTest(ttls_of_32_bits, "on www.test * ttl 7\n")
{
	ask("forever.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.answers[0].ttl_s, 4294967295);
	ask("zero.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.answers[0].ttl_s, 0);
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.answers[1].ttl_s, 7);
}

ScriptTest(big_answer_needs_tcp, "")
{
	ask("big.test", LAB_A, LAB_UDP);
	lab_assert(reply.truncated);
	lab_assert_int(reply.nanswers, 0);
	ask("big.test", LAB_A, LAB_TCP);
	lab_assert(!reply.truncated);
	lab_assert_int(reply.nanswers, 4000);
	lab_assert(reply.size > 64000, "(%zu)", reply.size);
	assert_rr(0, "big.test", LAB_A, "10.0.0.250");
	assert_rr(6, "big.test", LAB_A, "10.0.1.0");
}

ScriptTest(opt_is_answered_with_opt, "on zero.test * no-opt\n")
{
	lab_assert_int(try_ask("www.test", LAB_A, LAB_UDP, 1232), 0);
	lab_assert(reply.has_opt && reply.parsed);
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert(!reply.has_opt);
	lab_assert_int(try_ask("zero.test", LAB_A, LAB_UDP, 1232), 0);
	lab_assert(!reply.has_opt && reply.nanswers == 1);
}

ScriptTest(rcodes, "on s.test * servfail\non r.test * refused\non f.test * formerr\n"
		   "on n.test * notimp\non www.test AAAA nxdomain\non x.test * rcode 9\n")
{
	static const struct {
		const char *name;
		unsigned rcode;
	} cases[] = {{"s.test", 2}, {"r.test", 5}, {"f.test", 1}, {"n.test", 4}, {"x.test", 9}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ask(cases[i].name, LAB_A, LAB_UDP);
		lab_assert_int(reply.rcode, cases[i].rcode);
		lab_assert_int(reply.nanswers, 0);
	}
	ask("www.test", LAB_AAAA, LAB_UDP);
	lab_assert_int(reply.rcode, 3);
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.rcode, 0);
}

ScriptTest(edns_can_be_refused, "on www.test * formerr-edns\non zero.test * drop-edns\n")
{
	lab_assert_int(try_ask("www.test", LAB_A, LAB_UDP, 1232), 0);
	lab_assert_int(reply.rcode, 1);
	lab_assert(!reply.has_opt);
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.rcode, 0);
	lab_assert_int(try_ask("zero.test", LAB_A, LAB_UDP, 1232), -ETIMEDOUT);
	ask("zero.test", LAB_A, LAB_UDP);
}

ScriptTest(delays_add_up_and_hold_nobody_up, "on www.test A delay 60\non *.test A delay 40\n"
					     "on zero.test AAAA delay 0\n")
{
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert(reply.elapsed_ns >= 100000000, "(%llu ns)", reply.elapsed_ns);
	ask("www.test", LAB_AAAA, LAB_UDP);
	lab_assert(reply.elapsed_ns < 40000000, "(%llu ns)", reply.elapsed_ns);
}

ScriptTest(first_and_after_bound_a_rule, "on www.test A first 2 drop\n"
					 "on www.test AAAA after 1 servfail\n")
{
	lab_assert_int(try_ask("www.test", LAB_A, LAB_UDP, 0), -ETIMEDOUT);
	lab_assert_int(try_ask("www.test", LAB_A, LAB_TCP, 0), -ETIMEDOUT);
	ask("www.test", LAB_A, LAB_UDP);
	assert_rr(0, "www.test", LAB_A, "192.0.2.1");
	ask("www.test", LAB_AAAA, LAB_UDP);
	lab_assert_int(reply.rcode, 0);
	ask("www.test", LAB_AAAA, LAB_UDP);
	lab_assert_int(reply.rcode, 2);
}

ScriptTest(truncation_is_udp_only, "on www.test * truncate\n")
{
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert(reply.parsed && reply.truncated);
	lab_assert_int(reply.nanswers, 0);
	ask("www.test", LAB_A, LAB_TCP);
	lab_assert(!reply.truncated);
	lab_assert_int(reply.nanswers, 2);
}

ScriptTest(lies_about_the_header, "on www.test A wrong-id\non www.test AAAA not-response\n"
				  "on zero.test A no-question\non zero.test AAAA wrong-question\n"
				  "on forever.test A wrong-port\non forever.test AAAA bad-count\n")
{
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.id, (uint16_t)(reply.sent_id + 1));
	ask("www.test", LAB_AAAA, LAB_UDP);
	lab_assert(!(reply.flags & 0x8000));
	ask("zero.test", LAB_A, LAB_UDP);
	lab_assert_str(reply.question, "");
	ask("zero.test", LAB_AAAA, LAB_UDP);
	lab_assert_str(reply.question, "wrong.zero.test");
	ask("forever.test", LAB_A, LAB_UDP);
	lab_assert(reply.parsed && reply.source_port != 53);
	ask("forever.test", LAB_AAAA, LAB_UDP);
	lab_assert(!reply.parsed);
}

ScriptTest(damaged_packets_do_not_parse, "on a.test A garbage 100\non www.test A garbage-body\n"
					 "on www.test AAAA cut 20\non zero.test A bad-rdlen\n"
					 "on forever.test A bad-pointer\n")
{
	ask("a.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.size, 100);
	ask("a.test", LAB_A, LAB_TCP);
	lab_assert_int(reply.size, 100);
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert(!reply.parsed && reply.id == reply.sent_id);
	ask("www.test", LAB_AAAA, LAB_UDP);
	lab_assert(!reply.parsed);
	lab_assert_int(reply.size, 20);
	ask("zero.test", LAB_A, LAB_UDP);
	lab_assert(!reply.parsed);
	ask("forever.test", LAB_A, LAB_UDP);
	lab_assert(!reply.parsed);
}

ScriptTest(poison_is_added, "on www.test A poison\n")
{
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.nanswers, 4);
	assert_rr(2, "victim.test", LAB_A, "192.0.2.66");
	assert_rr(3, "victim.test", LAB_AAAA, "2001:db8::66");
}

ScriptTest(negative_answer_without_soa, "on none.test * no-soa\non www.test * empty\n")
{
	ask("none.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.rcode, 3);
	lab_assert_int(reply.nauthority, 0);
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.rcode, 0);
	lab_assert_int(reply.nanswers, 0);
	lab_assert_int(reply.nauthority, 1);
}

ScriptTest(ad_flag, "on www.test * ad-always\non zero.test * ad\n")
{
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert(reply.flags & 0x20);
	ask("zero.test", LAB_A, LAB_UDP);
	lab_assert(!(reply.flags & 0x20));
}

ScriptTest(tcp_can_end_early, "on www.test A close\non www.test AAAA reset\n"
			      "on zero.test * drop\non forever.test * close-after\n")
{
	lab_assert_int(try_ask("www.test", LAB_A, LAB_TCP, 0), -EPIPE);
	lab_assert_int(try_ask("www.test", LAB_AAAA, LAB_TCP, 0), -ECONNRESET);
	lab_assert_int(try_ask("zero.test", LAB_A, LAB_TCP, 0), -ETIMEDOUT);
	lab_assert_int(try_ask("www.test", LAB_A, LAB_UDP, 0), -ETIMEDOUT);
	ask("forever.test", LAB_A, LAB_TCP);
	assert_rr(0, "forever.test", LAB_A, "192.0.2.3");
	lab_assert_int(lab_dns_connections(dns), 4);
}

ScriptTest(connections_can_be_closed_at_once, "on * * tcp first 1 close-accept\n")
{
	int rc = try_ask("www.test", LAB_A, LAB_TCP, 0);

	lab_assert(rc == -EPIPE || rc == -ECONNRESET, "(%s)", strerror(-rc));
	ask("www.test", LAB_A, LAB_TCP);
	lab_assert_int(lab_dns_connections(dns), 2);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_A, LAB_TCP), 1);
}

ScriptTest(right_answer_follows_the_wrong_one, "on www.test A wrong-id\n"
					       "on www.test A then-right 100\n")
{
	static const char *const argv[] = {"dig",	 "+tries=1", "+time=2", "+short",
					   "@127.0.0.1", "www.test", "A",	NULL};
	static struct lab_proc_result r;

	/* A real client throws the first one away and takes the second. */
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = argv}, &r);
	lab_assert(strstr(r.out, "192.0.2.1\n"), "(%s)", r.out);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_A, LAB_UDP), 1);
}

ScriptTest(queries_are_counted, "")
{
	struct lab_dns_query query;

	ask("www.test", LAB_A, LAB_UDP);
	ask("WWW.test", LAB_A, LAB_UDP);
	ask("www.test", LAB_A, LAB_TCP);
	lab_assert_int(try_ask("www.test", LAB_AAAA, LAB_UDP, 1232), 0);
	lab_assert_int(lab_dns_count(dns, "www.test.", LAB_A, LAB_UDP), 2);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_A, LAB_ANY_TRANSPORT), 3);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_ANY_TYPE, LAB_ANY_TRANSPORT), 4);
	lab_assert_int(lab_dns_count(dns, NULL, LAB_AAAA, LAB_UDP), 1);
	lab_assert_int(lab_dns_count(dns, "other.test", LAB_A, LAB_UDP), 0);
	lab_assert(lab_dns_query_at(dns, 1, &query));
	lab_assert_str(query.name, "WWW.test");
	lab_assert(lab_dns_query_at(dns, 3, &query));
	lab_assert_int(query.edns_size, 1232);
	lab_assert_int(query.id, reply.sent_id);
	lab_assert(!lab_dns_query_at(dns, 4, &query));
	lab_dns_reset_counts(dns);
	lab_assert_int(lab_dns_count(dns, NULL, LAB_ANY_TYPE, LAB_ANY_TRANSPORT), 0);
}

ScriptTest(stopped_server_keeps_its_counters, "")
{
	ask("www.test", LAB_A, LAB_UDP);
	lab_dns_stop(dns);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_A, LAB_UDP), 1);
	lab_assert_int(try_ask("www.test", LAB_A, LAB_TCP, 0), -ECONNREFUSED);
}

LabTest(lab_script, table_form_is_equal_to_text)
{
	static const char *const listen[] = {SERVER, NULL};
	static const struct lab_dns_rr rrs[] = {{"www.test", 5, LAB_A, "192.0.2.8"},
						{NULL, 0, 0, NULL}};
	static const struct lab_dns_rule rules[] = {
		{.type = LAB_A, .first = 1, .action = LAB_DNS_RCODE, .value = 2},
		{.action = LAB_DNS_ACTIONS}};

	lab_dns_start(w, &(struct lab_dns_script){.listen = listen, .rrs = rrs, .rules = rules});
	ask("www.test", LAB_A, LAB_UDP);
	lab_assert_int(reply.rcode, 2);
	ask("www.test", LAB_A, LAB_UDP);
	assert_rr(0, "www.test", LAB_A, "192.0.2.8");
}

Test(lab_script, bad_line_is_named)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{"", "line 1: no `listen`"},
		{"listen x\n", "line 1: listen: bad address `x `"},
		{"listen ::1 udp\n", "line 1: listen: bad address `::1 udp`"},
		{"listen ::1 tls version 2\n", "line 1: listen: bad `version`"},
		{"listen ::1\nhello\n", "line 2: `hello` is none of listen, side, seed, rr, on"},
		{"rr a 1 A 1.2.3\n", "line 1: bad data `1.2.3`"},
		{"rr a -1 A 1.2.3.4\n", "line 1: bad TTL `-1`"},
		{"rr a 4294967296 A 1.2.3.4\n", "line 1: bad TTL `4294967296`"},
		{"\non a A explode\n", "line 2: unknown action `explode`"},
		{"on a A delay x\n", "line 1: `delay` wants a number"},
		{"on a A drop now\n", "line 1: what is `now`?"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct lab_dns_script *script = NULL;
		char error[128] = "";
		int rc = lab_dns_script_parse(cases[i].text, error, sizeof(error), &script);

		cr_assert_eq(rc, -EINVAL, "%s", cases[i].text);
		cr_assert_str_eq(error, cases[i].error);
	}
}

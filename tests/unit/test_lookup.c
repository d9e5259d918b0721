// SPDX-License-Identifier: MIT
/*
 * test_lookup.c - which questions a lookup asks, in which order, and what it makes of the answers.
 * That libc does the same is shown by tests/e2e/test_differential.c.
 */
#include "tests/unit/test_lookup_util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEARCH "nameserver 127.0.0.1\nsearch corp.test example.test\n"

static const struct net_row nothing[] = {{.name = NULL}};

struct expected {
	const char *resolv_conf;
	const char *name;
	const char *questions; /* for AF_UNSPEC */
};

/* Where no name exists, every candidate is asked for. */
static void check_candidates(const struct expected *e)
{
	const struct net net = {.rows = nothing, .resolv_conf = e->resolv_conf};
	struct looked_up l;

	net_addrinfo(&net, e->name, AF_UNSPEC, 0, &l);
	cr_expect_str_eq(l.questions, e->questions, "%s under\n%s\nexpected %s\ngot      %s",
			 e->name, e->resolv_conf, e->questions, l.questions);
	cr_expect(l.answer.eai == EAI_NONAME, "%s: %d", e->name, l.answer.eai);
}

Test(lookup, search_list_and_ndots_give_the_candidates)
{
	static const struct expected table[] = {
		{SEARCH, "www", "www.corp.test A+AAAA, www.example.test A+AAAA, www A+AAAA"},
		{SEARCH, "www.test",
		 "www.test A+AAAA, www.test.corp.test A+AAAA, www.test.example.test A+AAAA"},
		{SEARCH, "www.", "www A+AAAA"},
		{SEARCH, "www.test.", "www.test A+AAAA"},
		{SEARCH "options ndots:2\n", "www.test",
		 "www.test.corp.test A+AAAA, www.test.example.test A+AAAA, www.test A+AAAA"},
		{SEARCH "options ndots:0\n", "www",
		 "www A+AAAA, www.corp.test A+AAAA, www.example.test A+AAAA"},
		{SEARCH "options no-tld-query\n", "www",
		 "www.corp.test A+AAAA, www.example.test A+AAAA"},
		{"search .\n", "www", "www A+AAAA"},
		{"search . corp.test\n", "www", "www A+AAAA, www.corp.test A+AAAA"},
		{"search corp.test.\n", "www", "www.corp.test A+AAAA, www A+AAAA"},
		{"nameserver 127.0.0.1\n", "www", "www A+AAAA"},
		{SEARCH "options no-aaaa\n", "www.", "www A"},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		check_candidates(&table[i]);
}

Test(lookup, spelling_of_the_program_goes_on_the_wire)
{
	const struct net net = {.rows = nothing, .resolv_conf = "search Corp.test\n"};
	struct looked_up l;

	net_addrinfo(&net, "WwW", AF_INET, 0, &l);
	cr_expect_str_eq(l.questions, "WwW.Corp.test A, WwW A");
}

Test(lookup, name_of_n_candidates_runs_n_plus_1_times)
{
	const struct net net = {.rows = nothing, .resolv_conf = SEARCH};
	struct looked_up l;

	net_addrinfo(&net, "www", AF_UNSPEC, 0, &l);
	cr_expect(l.runs == 4, "%u", l.runs);
}

Test(lookup, first_candidate_with_records_ends_the_search)
{
	static const struct net_row rows[] = {
		{"www.corp.test", NODATA, NODATA, NULL},
		{"www.example.test", NODATA, ANSWERS, NULL},
		{"www", ANSWERS, ANSWERS, NULL},
		{.name = NULL},
	};
	const struct net net = {.rows = rows, .resolv_conf = SEARCH};
	struct looked_up l;

	net_addrinfo(&net, "www", AF_UNSPEC, 0, &l);
	cr_expect(l.answer.eai == 0);
	cr_expect_str_eq(l.answer.names.canon, "www.example.test");
	cr_expect_str_eq(l.questions, "www.corp.test A+AAAA, www.example.test A+AAAA");
}

Test(lookup, cname_to_nowhere_ends_the_search)
{
	static const struct net_row rows[] = {
		{"www.corp.test", NODATA, NODATA, "gone.test"},
		{"www.example.test", ANSWERS, ANSWERS, NULL},
		{.name = NULL},
	};
	const struct net net = {.rows = rows, .resolv_conf = SEARCH};
	struct looked_up l;

	net_addrinfo(&net, "www", AF_UNSPEC, 0, &l);
	cr_expect(l.answer.eai == EAI_NONAME);
	cr_expect_str_eq(l.questions, "www.corp.test A+AAAA");
	net_hostent(&net, "www", AF_INET, &l);
	cr_expect(l.answer.h_err == NO_RECOVERY);
	cr_expect(lookup_hostent_error(&l.answer) == EAGAIN);
}

Test(lookup, servfail_in_a_search_goes_on_to_the_next_domain)
{
	static const struct net_row rows[] = {
		{"www.corp.test", FAILS(SERVFAIL), FAILS(SERVFAIL), NULL},
		{"www.example.test", ANSWERS, NODATA, NULL},
		{.name = NULL},
	};
	const struct net net = {.rows = rows, .resolv_conf = SEARCH};
	struct looked_up l;

	net_addrinfo(&net, "www", AF_UNSPEC, 0, &l);
	cr_expect(l.answer.eai == 0, "%d", l.answer.eai);
	cr_expect_str_eq(l.questions, "www.corp.test A+AAAA, www.example.test A+AAAA");
}

Test(lookup, servfail_in_a_search_makes_its_failure_temporary)
{
	static const struct net_row rows[] = {
		{"www.corp.test", FAILS(SERVFAIL), FAILS(SERVFAIL), NULL},
		{.name = NULL},
	};
	const struct net net = {.rows = rows, .resolv_conf = SEARCH};
	struct looked_up l;

	net_addrinfo(&net, "www", AF_UNSPEC, 0, &l);
	cr_expect(l.answer.eai == EAI_AGAIN, "%d", l.answer.eai);
}

Test(lookup, refusal_and_timeout_skip_the_rest_of_the_search_list)
{
	static const struct net_row refused[] = {
		{"www.corp.test", FAILS(REFUSED), FAILS(REFUSED), NULL}, {.name = NULL}};
	static const struct net_row timeout[] = {
		{"www.corp.test", FAILS(TIMEOUT), FAILS(TIMEOUT), NULL}, {.name = NULL}};
	struct looked_up l;

	net_addrinfo(&(struct net){.rows = refused, .resolv_conf = SEARCH}, "www", AF_UNSPEC, 0,
		     &l);
	cr_expect_str_eq(l.questions, "www.corp.test A+AAAA, www A+AAAA");
	net_addrinfo(&(struct net){.rows = timeout, .resolv_conf = SEARCH}, "www", AF_UNSPEC, 0,
		     &l);
	cr_expect_str_eq(l.questions, "www.corp.test A+AAAA, www A+AAAA");
}

Test(lookup, unreachable_servers_end_the_search)
{
	static const struct net_row rows[] = {
		{"www.corp.test", FAILS(UNREACHABLE), FAILS(UNREACHABLE), NULL}, {.name = NULL}};
	const struct net net = {.rows = rows, .resolv_conf = SEARCH};
	struct looked_up l;

	net_addrinfo(&net, "www", AF_UNSPEC, 0, &l);
	cr_expect_str_eq(l.questions, "www.corp.test A+AAAA");
	cr_expect(l.answer.eai == EAI_AGAIN);
}

Test(lookup, answers_to_a_and_aaaa_combine)
{
	static const struct {
		struct net_row row;
		int eai;
	} table[] = {
		{{"www.test", ANSWERS, FAILS(SERVFAIL), NULL}, 0},
		{{"www.test", FAILS(SERVFAIL), ANSWERS, NULL}, 0},
		{{"www.test", NXDOMAIN, ANSWERS, NULL}, 0},
		{{"www.test", ANSWERS, FAILS(TIMEOUT), NULL}, 0},
		{{"www.test", NODATA, NODATA, NULL}, EAI_NODATA},
		{{"www.test", NXDOMAIN, NXDOMAIN, NULL}, EAI_NONAME},
		{{"www.test", NODATA, FAILS(SERVFAIL), NULL}, EAI_NODATA},
		{{"www.test", FAILS(SERVFAIL), NODATA, NULL}, EAI_NODATA},
		{{"www.test", NODATA, NXDOMAIN, NULL}, EAI_NONAME},
		{{"www.test", FAILS(SERVFAIL), NXDOMAIN, NULL}, EAI_NONAME},
		{{"www.test", FAILS(TIMEOUT), ANSWERS, NULL}, 0},
		{{"www.test", FAILS(TIMEOUT), NODATA, NULL}, EAI_AGAIN},
		{{"www.test", NODATA, FAILS(TIMEOUT), NULL}, EAI_AGAIN},
		{{"www.test", NXDOMAIN, FAILS(TIMEOUT), NULL}, EAI_NONAME},
		{{"www.test", FAILS(SERVFAIL), FAILS(SERVFAIL), NULL}, EAI_AGAIN},
		{{"www.test", FAILS(REFUSED), FAILS(TIMEOUT), NULL}, EAI_AGAIN},
		{{"www.test", FAILS(FORMERR), FAILS(FORMERR), NULL}, EAI_NONAME},
		{{"www.test", FAILS(MALFORMED), FAILS(MALFORMED), NULL}, EAI_NONAME},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct net_row rows[] = {table[i].row, {.name = NULL}};
		const struct net net = {.rows = rows};
		struct looked_up l;

		net_addrinfo(&net, "www.test", AF_UNSPEC, 0, &l);
		cr_expect(l.answer.eai == table[i].eai, "row %zu: expected %d, got %d", i,
			  table[i].eai, l.answer.eai);
	}
}

Test(lookup, no_aaaa_asks_for_a_in_its_place)
{
	static const struct net_row rows[] = {{"www.test", ANSWERS, ANSWERS, NULL}, {.name = NULL}};
	const struct net net = {.rows = rows, .resolv_conf = "options no-aaaa\n"};
	struct looked_up l;

	net_addrinfo(&net, "www.test", AF_INET6, 0, &l);
	cr_expect_str_eq(l.questions, "www.test A");
	cr_expect(l.answer.eai == EAI_NODATA, "the name exists: %d", l.answer.eai);
	net_addrinfo(&net, "gone.test", AF_INET6, 0, &l);
	cr_expect(l.answer.eai == EAI_NONAME, "it does not: %d", l.answer.eai);
	net_addrinfo(&net, "www.test", AF_UNSPEC, 0, &l);
	cr_expect(l.answer.eai == 0 && l.answer.addrs.n == 1);
}

Test(lookup, mapped_addresses_are_asked_for_when_they_are_wanted)
{
	static const struct net_row rows[] = {{"four.test", ANSWERS, NODATA, NULL},
					      {"both.test", ANSWERS, ANSWERS, NULL},
					      {.name = NULL}};
	const struct net net = {.rows = rows};
	struct looked_up l;

	net_addrinfo(&net, "four.test", AF_INET6, AI_V4MAPPED, &l);
	cr_expect_str_eq(l.questions, "four.test AAAA, four.test A");
	cr_expect(l.answer.addrs.n == 1 && l.answer.addrs.mapped);
	net_addrinfo(&net, "both.test", AF_INET6, AI_V4MAPPED, &l);
	cr_expect_str_eq(l.questions, "both.test AAAA");
	cr_expect(l.answer.addrs.n == 1 && !l.answer.addrs.mapped);
	net_addrinfo(&net, "both.test", AF_INET6, AI_V4MAPPED | AI_ALL, &l);
	cr_expect_str_eq(l.questions, "both.test AAAA, both.test A");
	cr_expect(l.answer.addrs.n == 2);
	net_addrinfo(&net, "four.test", AF_INET6, AI_ALL, &l);
	cr_expect_str_eq(l.questions, "four.test AAAA");
}

Test(lookup, mapping_is_forgotten_between_two_sources)
{
	static const struct net_row rows[] = {{"www.test", NODATA, ANSWERS, NULL}, {.name = NULL}};
	const struct net net = {.rows = rows};
	struct looked_up l;

	net_addrinfo(&net, "www.test", AF_INET6, AI_V4MAPPED, &l); /* files has neither */
	cr_expect(l.answer.addrs.n == 1 && !l.answer.addrs.mapped);
}

Test(lookup, source_that_has_the_name_is_the_last)
{
	const struct net net = {.rows = nothing, .hosts = "192.0.2.9 www.test\n"};
	struct looked_up l;

	net_addrinfo(&net, "www.test", AF_UNSPEC, 0, &l);
	cr_expect_str_eq(l.questions, "");
	cr_expect(l.answer.eai == 0 && l.answer.addrs.n == 1);
	net_hostent(&net, "www.test", AF_INET, &l);
	cr_expect(l.from_files);
}

Test(lookup, nsswitch_order_and_actions_decide)
{
	static const struct net_row rows[] = {{"down.test", FAILS(TIMEOUT), FAILS(TIMEOUT), NULL},
					      {.name = NULL}};
	static const char hosts[] = "192.0.2.9 www.test down.test\n";
	struct net net = {.rows = rows, .hosts = hosts, .nsswitch = "hosts: dns files\n"};
	struct looked_up l;

	net_addrinfo(&net, "www.test", AF_UNSPEC, 0, &l);
	cr_expect_str_eq(l.questions, "www.test A+AAAA");
	cr_expect(l.answer.eai == 0);
	net.nsswitch = "hosts: dns [NOTFOUND=return] files\n";
	net_addrinfo(&net, "www.test", AF_UNSPEC, 0, &l);
	cr_expect(l.answer.eai == EAI_NONAME);
	net_addrinfo(&net, "down.test", AF_UNSPEC, 0, &l);
	cr_expect(l.answer.eai == 0, "a time-out is UNAVAIL: %d", l.answer.eai);
	net.nsswitch = "hosts: dns [UNAVAIL=return] files\n";
	net_addrinfo(&net, "down.test", AF_UNSPEC, 0, &l);
	cr_expect(l.answer.eai == EAI_AGAIN);
}

Test(lookup, what_is_not_ours_goes_to_libc)
{
	static const struct {
		const char *resolv_conf, *nsswitch, *name;
		int family, flags;
	} table[] = {
		{NULL, "hosts: sss files\n", "www.test", AF_UNSPEC, 0},
		{"sortlist 192.0.2.0\n", NULL, "www.test", AF_INET, 0},
		{NULL, NULL, "w\\119w.test", AF_UNSPEC, 0},
		{NULL, NULL, "sp ace.test", AF_INET6, AI_CANONNAME},
		{NULL, NULL, "1.2.3.4.5", AF_INET, 0},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct net net = {.rows = nothing,
					.resolv_conf = table[i].resolv_conf,
					.nsswitch = table[i].nsswitch};
		struct looked_up l;

		net_addrinfo(&net, table[i].name, table[i].family, table[i].flags, &l);
		cr_expect(l.result == LOOKUP_LIBC, "row %zu", i);
		cr_expect_str_eq(l.questions, "");
	}
}

/* libc would believe an answer with a private address. */
Test(lookup, escape_is_no_way_around_the_guard)
{
	const struct net net = {.rows = nothing, .guarded = true};
	struct looked_up l;

	net_addrinfo(&net, "w\\119w.test", AF_UNSPEC, 0, &l);
	cr_expect(l.result == LOOKUP_DONE);
	cr_expect_eq(l.answer.eai, EAI_NONAME);
	net_hostent(&net, "w\\119w.test", AF_INET, &l);
	cr_expect(l.result == LOOKUP_DONE);
	cr_expect_eq(l.answer.h_err, HOST_NOT_FOUND);
}

Test(lookup, empty_list_of_sources_is_a_system_error)
{
	const struct net net = {.rows = nothing, .nsswitch = "hosts:\n"};
	struct looked_up l;

	net_addrinfo(&net, "www.test", AF_UNSPEC, 0, &l);
	cr_expect(l.result == LOOKUP_DONE && l.answer.eai == EAI_SYSTEM);
	net_hostent(&net, "www.test", AF_INET, &l);
	cr_expect(l.answer.h_err == NETDB_INTERNAL && lookup_hostent_error(&l.answer) == EINVAL);
}

Test(lookup, name_that_is_no_host_name_is_not_asked_for)
{
	static const char *const names[] = {"-www.test",     "sp ace.test", ".www.test",
					    "www..test",     "*.test",	    "www.test..",
					    "m\xc3\xbc.test"};
	const struct net net = {.rows = nothing, .resolv_conf = SEARCH};
	char label[80] = "";
	struct looked_up l;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		net_addrinfo(&net, names[i], AF_UNSPEC, 0, &l);
		cr_expect(l.result == LOOKUP_DONE && l.answer.eai == EAI_NONAME, "%s", names[i]);
		cr_expect_str_eq(l.questions, "");
	}
	memset(label, 'x', 64);
	net_addrinfo(&net, label, AF_UNSPEC, 0, &l);
	cr_expect_str_eq(l.questions, "");
}

Test(lookup, candidate_that_is_too_long_ends_the_search)
{
	const struct net net = {.rows = nothing, .resolv_conf = SEARCH};
	char name[256];
	struct looked_up l;

	for (int i = 0; i < 250; i++)
		name[i] = i % 50 == 49 ? '.' : 'x';
	name[249] = 'x';
	name[250] = '\0';
	net_addrinfo(&net, name, AF_INET, 0, &l);
	cr_expect(l.runs == 2, "the name alone: %s", l.questions);
	cr_expect(l.answer.h_err == HOST_NOT_FOUND);
}

Test(lookup, host_alias_is_searched_for_in_place_of_the_name)
{
	char path[] = "/tmp/aliases.XXXXXX";
	int fd = mkstemp(path);
	const struct net net = {.rows = nothing, .resolv_conf = SEARCH, .host_aliases = path};
	struct looked_up l;

	cr_assert(fd >= 0);
	cr_assert(dprintf(fd, "nick www.test\nnack other\nother www\n") > 0);
	close(fd);
	net_addrinfo(&net, "nick", AF_INET, 0, &l);
	cr_expect_str_eq(l.questions, "www.test A, www.test.corp.test A, www.test.example.test A");
	net_addrinfo(&net, "nack", AF_INET, 0, &l);
	cr_expect_str_eq(l.questions, "www A", "an alias of an alias is asked as it stands: %s",
			 l.questions);
	net_addrinfo(&net, "nick.", AF_INET, 0, &l);
	cr_expect_str_eq(l.questions, "nick A");
	unlink(path);
}

Test(lookup, error_of_gethostbyname_r_follows_the_status)
{
	static const struct {
		const char *resolv_conf;
		struct net_row row;
		int h_err, err;
	} table[] = {
		{NULL, {"www.test", NXDOMAIN, NXDOMAIN, NULL}, HOST_NOT_FOUND, 0},
		{NULL, {"www.test", NODATA, NODATA, NULL}, NO_DATA, 0},
		{NULL, {"www.test", FAILS(TIMEOUT), NODATA, NULL}, TRY_AGAIN, EAGAIN},
		{NULL, {"www.test", FAILS(SERVFAIL), NODATA, NULL}, TRY_AGAIN, EAGAIN},
		{"options use-vc\n", {"www.test", FAILS(SERVFAIL), NODATA, NULL}, TRY_AGAIN, 0},
		{"options use-vc\n", {"www.test", FAILS(REFUSED), NODATA, NULL}, NO_RECOVERY, 0},
		{NULL, {"www.test", FAILS(FORMERR), NODATA, NULL}, NO_RECOVERY, 0},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const struct net_row rows[] = {table[i].row, {.name = NULL}};
		const struct net net = {.rows = rows, .resolv_conf = table[i].resolv_conf};
		struct looked_up l;

		net_hostent(&net, "www.test", AF_INET, &l);
		cr_expect(l.answer.h_err == table[i].h_err, "row %zu: h_errno %d", i,
			  l.answer.h_err);
		cr_expect(lookup_hostent_error(&l.answer) == table[i].err, "row %zu: errno %d", i,
			  lookup_hostent_error(&l.answer));
	}
}

Test(lookup, more_addresses_than_fit_inline_are_kept)
{
	struct lookup_answer answer;
	unsigned char addr[4] = {10, 0, 0, 0};

	lookup_answer_init(&answer);
	for (unsigned i = 0; i < 5 * LOOKUP_INLINE; i++) {
		addr[3] = (unsigned char)i;
		cr_assert(lookup_addrs_add(&answer.addrs, AF_INET, addr));
	}
	cr_expect(answer.addrs.n == 5 * LOOKUP_INLINE);
	for (unsigned i = 0; i < answer.addrs.n; i++)
		cr_expect(answer.addrs.v[i].addr[3] == i);
	lookup_answer_free(&answer);
}

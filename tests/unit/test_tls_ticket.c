// SPDX-License-Identifier: MIT
/* test_tls_ticket.c - sessions that are resumed, and tickets that should not be. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dot_rig.h"
#include "resolver/tls_ticket.h"

static struct rig rig;

static void start(const char *tls)
{
	rig_serve(&rig, tls, "");
	rig_open(&rig);
}

/* ---- resumption ---- */

Test(tls_ticket, next_process_resumes_without_certificates)
{
	const struct rig_call *call;

	start("cert good");
	rig_lookup(&rig, "www.test");
	cr_expect_eq(rig.tls->nverified, 1);
	rig_reopen(&rig);
	call = rig_lookup(&rig, "www.test");
	cr_expect_eq(call->error, 0);
	cr_expect(call->authenticated);
	cr_expect_eq(rig.tls->nverified, 0);
	cr_expect_eq(rig.tls->nresumed, 1);
	cr_expect_eq(rig_tls(&rig).resumed, 1);
	rig_close(&rig);
}

Test(tls_ticket, tls_1_2_resumes_too)
{
	start("version 1.2");
	rig_lookup(&rig, "www.test");
	rig_reopen(&rig);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	cr_expect_eq(rig_tls(&rig).resumed, 1);
	cr_expect_eq(rig.tls->nverified, 0);
	rig_close(&rig);
}

Test(tls_ticket, tickets_are_kept_before_the_first_answer)
{
	start("cert good");
	cr_expect_eq(rig_lookup(&rig, "www.test")->nputs, 2, "as many as the server gives");
	rig_close(&rig);
}

/* The server says a week: too long for what no certificate is looked at for. */
Test(tls_ticket, ticket_is_kept_for_a_day)
{
	start("cert good");
	rig_lookup(&rig, "www.test");
	cr_expect_eq(rig.host.ticket.lifetime_s, 86400u);
	rig_close(&rig);
}

Test(tls_ticket, no_ticket_is_shown_twice)
{
	start("cert good");
	for (int i = 0; i < 10; i++) {
		rig_lookup(&rig, "www.test");
		rig_reopen(&rig);
	}
	cr_expect_eq(rig_tls(&rig).resumed, 9);
	cr_expect_eq(rig_tls(&rig).repeated, 0);
	rig_close(&rig);
}

Test(tls_ticket, server_without_tickets_works)
{
	start("tickets 0");
	rig_lookup(&rig, "www.test");
	rig_reopen(&rig);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	cr_expect_eq(rig.host.nputs, 0);
	rig_close(&rig);
}

/* ---- what must not be resumed ---- */

Test(tls_ticket, key_differs_by_server_and_policy)
{
	struct sockaddr_storage addr = {.ss_family = AF_INET}, other = addr;
	struct tls_context tls = {.conf = {.npins = 0}}, changed;
	uint64_t key = tls_ticket_key(&tls, &addr, "dns.test", 1);

	cr_expect_eq(tls_ticket_key(&tls, &addr, "dns.test", 1), key);
	((struct sockaddr_in *)&other)->sin_port = htons(853);
	cr_expect_neq(tls_ticket_key(&tls, &other, "dns.test", 1), key);
	cr_expect_neq(tls_ticket_key(&tls, &addr, "other.test", 1), key);
	cr_expect_neq(tls_ticket_key(&tls, &addr, "", 1), key);
	cr_expect_neq(tls_ticket_key(&tls, &addr, "dns.test", 2), key);
	changed = (struct tls_context){.conf = {.opportunistic = true}};
	cr_expect_neq(tls_ticket_key(&changed, &addr, "dns.test", 1), key);
	changed = (struct tls_context){.conf = {.npins = 1}};
	cr_expect_neq(tls_ticket_key(&changed, &addr, "dns.test", 1), key);
	changed = (struct tls_context){.conf = {.ca_file = "/ca.pem"}};
	cr_expect_neq(tls_ticket_key(&changed, &addr, "dns.test", 1), key);
}

/* The verdict is part of what is kept. */
Test(tls_ticket, strict_does_not_resume_what_was_in_doubt)
{
	uint64_t key;

	rig_serve(&rig, "cert self-signed", "");
	rig.conf.opportunistic = true;
	rig_open(&rig);
	rig_lookup(&rig, "www.test");
	rig.conf.opportunistic = false;
	cr_assert_gt(rig.host.ticket.len, 0u);
	transport_dot.close(rig.t);
	tls_context_close(rig.tls);
	cr_assert_eq(tls_context_open(&rig.r->reactor, &rig.conf, &rig.tls), 0);
	key = tls_ticket_key(rig.tls, &rig.upstream.addr, "", 1);
	rig.host.ticket.key = key; /* somebody has moved it */
	cr_assert_eq(transport_dot.open(&rig.r->reactor,
					&(struct transport_conf){.upstream = rig.upstream,
								 .tls = rig.tls,
								 .ticket_seed = 1},
					&rig.t),
		     0);
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, -EACCES);
	cr_expect_eq(rig_tls(&rig).resumed, 0);
	rig_close(&rig);
}

/* ---- hostile tickets ---- */

static void must_still_work(const char *what, unsigned which)
{
	const struct rig_call *call;

	rig_reopen(&rig);
	call = rig_lookup(&rig, "www.test");
	cr_assert_eq(call->error, 0, "%s %u: %d\n%s", what, which, call->error, rig.host.log);
	cr_assert(call->authenticated);
}

Test(tls_ticket, every_changed_octet_costs_resumption_at_most)
{
	start("cert good");
	rig_lookup(&rig, "www.test");
	for (unsigned i = 0; i < rig.host.ticket.len; i += 3) {
		rig.host.ticket.data[i] ^= 0x41;
		must_still_work("octet", i);
		rig.host.log[0] = '\0';
		rig.ncalls = rig.nended = 0;
	}
	rig_close(&rig);
}

Test(tls_ticket, cut_ticket_costs_resumption_at_most)
{
	start("cert good");
	rig_lookup(&rig, "www.test");
	for (unsigned i = 1; i < 50; i++) {
		rig.host.ticket.len = i;
		must_still_work("length", i);
		rig.ncalls = rig.nended = 0;
	}
	rig_close(&rig);
}

Test(tls_ticket, random_ticket_costs_resumption_at_most)
{
	start("cert good");
	rig_lookup(&rig, "www.test");
	for (unsigned i = 1; i < 50; i++) {
		rig.host.ticket.len = RESOLVER_TICKET_MAX;
		rig.host.host.random(&rig.host, rig.host.ticket.data, RESOLVER_TICKET_MAX);
		must_still_work("random", i);
		rig.ncalls = rig.nended = 0;
	}
	rig_close(&rig);
}

// SPDX-License-Identifier: MIT
/* query_fixture.c - see query_fixture.h. */
#include "query_fixture.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <string.h>

struct fake_host fixture_host;
struct resolver *fixture_r;
struct resolver_view *fixture_view;
struct fixture_result fixture_result;
void (*fixture_then)(void);
uint32_t fixture_remembered_ms;

struct resolver_conf fixture_conf(const char *transports)
{
	struct resolver_conf conf = {
		.nupstreams = (unsigned)strlen(transports),
		.timeout_ms = 5000,
		.attempts = 2,
	};

	for (unsigned i = 0; i < conf.nupstreams; i++) {
		struct sockaddr_in *in = (struct sockaddr_in *)&conf.upstreams[i].addr;
		char t = transports[i];

		conf.upstreams[i].transport = t == 's'	 ? RESOLVER_TLS
					      : t == 't' ? RESOLVER_TCP
							 : RESOLVER_UDP;
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(0x0a000000 + i);
		in->sin_port = htons(t == 's' ? 853 : 53);
	}
	return conf;
}

void fixture_open(const struct resolver_conf *conf)
{
	fake_host_init(&fixture_host);
	fixture_host.now_ms = FIXTURE_START;
	fixture_host.remembered_ms = fixture_remembered_ms;
	fake_nsends = 0;
	fixture_result = (struct fixture_result){0};
	cr_assert_eq(resolver_open_with(&fixture_host.host, fake_engines_tls, &fixture_r), 0);
	cr_assert_eq(noblockdns_resolver.view_open(fixture_r, conf, &fixture_view), 0);
}

void fixture_close(void)
{
	noblockdns_resolver.close(fixture_r);
	cr_assert_eq(fixture_host.wake_ms, UINT64_MAX, "the host would tick a closed resolver");
	cr_assert_eq(fake_ntransports, 0, "%u transports are open", fake_ntransports);
	for (unsigned i = 0; i < fake_nsends; i++)
		cr_assert(!fake_sends[i].live, "attempt %u is alive", i);
}

static void on_done(void *arg, const struct resolver_rrset *rrset)
{
	void (*then)(void) = fixture_then;

	(void)arg;
	fixture_then = NULL;
	fixture_result = (struct fixture_result){
		.ncalls = fixture_result.ncalls + 1,
		.kind = rrset->kind,
		.failure = rrset->failure,
		.at_ms = fixture_host.now_ms - FIXTURE_START,
		.naddrs = rrset->naddrs,
		.ad = rrset->ad,
	};
	if (then)
		then();
}

struct resolver_query *fixture_ask_until(const char *name, uint64_t deadline_ms)
{
	const struct resolver_question question = {
		.name = name,
		.type = RESOLVER_A,
		.deadline_ms = FIXTURE_START + deadline_ms,
		.given_up_ms = FIXTURE_START + deadline_ms - FIXTURE_LATE,
		.done = on_done,
	};
	struct resolver_query *q;
	unsigned ncalls = fixture_result.ncalls;

	cr_assert_eq(noblockdns_resolver.query(fixture_view, &question, fixture_host.now_ms, &q),
		     0);
	cr_assert_eq(fixture_result.ncalls, ncalls, "done() was called from inside query()");
	return q;
}

struct resolver_query *fixture_ask(void)
{
	fixture_result = (struct fixture_result){0};
	return fixture_ask_until(FIXTURE_NAME,
				 fixture_host.now_ms - FIXTURE_START + FIXTURE_DEADLINE);
}

void fixture_advance(uint64_t at_ms)
{
	fake_host_advance(&fixture_host, fixture_r, FIXTURE_START + at_ms);
}

/* The end of an attempt is a task, which may start a timer that is due at once. */
static void run_tasks(void)
{
	noblockdns_resolver.tick(fixture_r, fixture_host.now_ms);
	fixture_advance(fixture_host.now_ms - FIXTURE_START);
}

void fixture_answer(unsigned i, unsigned flags)
{
	static struct maker m;

	maker_begin(&m, 0, MAKER_ANSWER | flags, FIXTURE_NAME, ns_t_a);
	if (!(flags & 0xf) && !(flags & MAKER_TC))
		maker_addr(&m, FIXTURE_NAME, 60, "192.0.2.1");
	fake_answer(i, m.bytes, m.len);
	run_tasks();
}

void fixture_fail(unsigned i, int error)
{
	fake_fail(i, error);
	run_tasks();
}

void fixture_expect_send(unsigned i, unsigned upstream, enum resolver_transport protocol,
			 uint64_t at_ms)
{
	cr_assert_gt(fake_nsends, i, "packet %u was not sent", i);
	cr_assert_eq(fake_sends[i].upstream, upstream, "packet %u: upstream %u, not %u", i,
		     fake_sends[i].upstream, upstream);
	cr_assert_eq(fake_sends[i].protocol, protocol, "packet %u: protocol %d, not %d", i,
		     fake_sends[i].protocol, protocol);
	cr_assert_eq(fake_sends[i].at_ms - FIXTURE_START, at_ms, "packet %u: at %lu ms, not %lu", i,
		     (unsigned long)(fake_sends[i].at_ms - FIXTURE_START), (unsigned long)at_ms);
}

void fixture_expect_nsends(unsigned n)
{
	cr_assert_eq(fake_nsends, n, "%u packets were sent, not %u", fake_nsends, n);
}

unsigned fixture_count_log(const char *what)
{
	unsigned n = 0;

	for (const char *p = fixture_host.log; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void expect_end(enum resolver_kind kind, enum resolver_failure failure, uint64_t at_ms)
{
	const struct fixture_result *is = &fixture_result;

	cr_assert_eq(is->ncalls, 1, "done() was called %u times", is->ncalls);
	cr_assert(is->kind == kind && is->failure == failure,
		  "kind %d, failure %d; not kind %d, failure %d", is->kind, is->failure, kind,
		  failure);
	cr_assert_eq(is->at_ms, at_ms, "at %lu ms, not %lu", (unsigned long)is->at_ms,
		     (unsigned long)at_ms);
}

void fixture_expect_answer(uint64_t at_ms)
{
	expect_end(RESOLVER_ANSWER, RESOLVER_FAILURE_NONE, at_ms);
}

void fixture_expect_failure(enum resolver_failure failure, uint64_t at_ms)
{
	expect_end(RESOLVER_FAILURE, failure, at_ms);
}

// SPDX-License-Identifier: MIT
/* dot_rig.c - see dot_rig.h. */
#include "dot_rig.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/packet.h"

#define PATIENCE_MS 10000

static uint16_t free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(in);

	cr_assert_eq(bind(fd, (struct sockaddr *)&in, len), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	close(fd);
	return ntohs(in.sin_port);
}

void rig_serve(struct rig *rig, const char *tls, const char *rules)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&rig->upstream.addr;

	memset(rig, 0, sizeof(*rig));
	rig->upstream.transport = RESOLVER_TLS;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons(free_port());
	lab_ca_make();
	snprintf(rig->ca, sizeof(rig->ca), "/tmp/nbd-dot-ca.%d", (int)getpid());
	lab_ca_write(rig->ca);
	rig->conf.ca_file = rig->ca;
	rig->server = lab_dns_startf(NULL,
				     "listen 127.0.0.1:%u tls %s\n"
				     "rr www.test 300 A 192.0.2.1\n%s\n",
				     ntohs(in->sin_port), tls, rules);
}

static void open_transport(struct rig *rig)
{
	const struct transport_conf conf = {
		.upstream = rig->upstream,
		.tls = rig->tls,
		.ticket_seed = 1,
		.resolver = rig->resolver,
	};

	cr_assert_eq(transport_dot.open(&rig->r->reactor, &conf, &rig->t), 0);
}

void rig_open(struct rig *rig)
{
	static const struct transport_ops *const engines[RESOLVER_NTRANSPORTS] = {NULL};

	fake_host_init(&rig->host);
	cr_assert_eq(resolver_open_with(&rig->host.host, engines, &rig->r), 0);
	cr_assert_eq(tls_context_open(&rig->r->reactor, &rig->conf, &rig->tls), 0);
	rig->r->reactor.now_ms = rig->host.now_ms;
	rig->given_up_ms = UINT64_MAX;
	open_transport(rig);
}

void rig_reopen(struct rig *rig)
{
	transport_dot.close(rig->t);
	tls_context_close(rig->tls);
	cr_assert_eq(tls_context_open(&rig->r->reactor, &rig->conf, &rig->tls), 0);
	open_transport(rig);
}

static void on_done(void *arg, const struct attempt_result *result)
{
	struct rig_call *call = arg;

	cr_assert_not(call->ended, "an attempt has ended twice");
	call->ended = true;
	call->order = ++call->rig->nended;
	call->error = result->error;
	call->authenticated = result->authenticated;
	call->sent_ms = result->sent_ms;
	call->len = result->len;
	call->nputs = call->rig->host.nputs;
	call->rcode = result->error ? 0 : result->packet[3] & 0x0f;
}

struct rig_call *rig_ask(struct rig *rig, const char *name)
{
	struct rig_call *call = &rig->calls[rig->ncalls++];
	const struct attempt_user user = {
		.done = on_done, .arg = call, .given_up_ms = rig->given_up_ms};
	struct packet_question question;
	unsigned char packet[PACKET_MAX];
	unsigned len;

	cr_assert_leq(rig->ncalls, RIG_CALLS_MAX);
	cr_assert_eq(packet_question_init(&question, name, RESOLVER_A), 0);
	len = packet_build(&question, PACKET_EDNS | PACKET_KEEPALIVE | PACKET_PADDING, packet);
	*call = (struct rig_call){.rig = rig};
	cr_assert_eq(transport_dot.start(rig->t, packet, len, &user, &call->attempt), 0);
	reactor_settle(&rig->r->reactor);
	return call;
}

void rig_wait(struct rig *rig, unsigned nended)
{
	for (int waited_ms = 0; rig->nended < nended && waited_ms < PATIENCE_MS; waited_ms += 10) {
		fake_host_advance(&rig->host, rig->r, rig->host.now_ms);
		if (rig->nended < nended && fake_host_poll(&rig->host, rig->r, 10) > 0)
			waited_ms -= 10;
	}
	cr_assert_eq(rig->nended, nended, "%u attempts have ended, not %u; log:\n%s", rig->nended,
		     nended, rig->host.log);
}

struct rig_call *rig_lookup(struct rig *rig, const char *name)
{
	struct rig_call *call = rig_ask(rig, name);

	rig_wait(rig, rig->nended + 1);
	cr_assert(call->ended);
	return call;
}

void rig_settle(struct rig *rig)
{
	do
		fake_host_advance(&rig->host, rig->r, rig->host.now_ms);
	while (fake_host_poll(&rig->host, rig->r, 20) > 0);
}

void rig_pass(struct rig *rig, unsigned ms)
{
	fake_host_advance(&rig->host, rig->r, rig->host.now_ms + ms);
}

void rig_wait_nopen(struct rig *rig, unsigned nopen)
{
	for (int waited_ms = 0; rig_nopen(rig) != nopen && waited_ms < PATIENCE_MS;
	     waited_ms += 10) {
		fake_host_advance(&rig->host, rig->r, rig->host.now_ms);
		fake_host_poll(&rig->host, rig->r, 10);
	}
	cr_assert_eq(rig_nopen(rig), nopen, "%u sockets are open, not %u", rig_nopen(rig), nopen);
}

unsigned rig_nopen(const struct rig *rig)
{
	return fake_host_nopen(&rig->host);
}

struct lab_dns_tls rig_tls(const struct rig *rig)
{
	struct lab_dns_tls counts;

	lab_dns_tls(rig->server, &counts);
	return counts;
}

void rig_close(struct rig *rig)
{
	transport_dot.close(rig->t);
	tls_context_close(rig->tls);
	noblockdns_resolver.close(rig->r);
	cr_expect_eq(rig_nopen(rig), 0, "%u sockets are open", rig_nopen(rig));
	cr_expect_eq(rig->host.held, 0, "%u numbers are held", rig->host.held);
	lab_dns_free(rig->server);
	unlink(rig->ca);
}

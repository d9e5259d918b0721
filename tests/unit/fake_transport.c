// SPDX-License-Identifier: MIT
/* fake_transport.c - see fake_transport.h. */
#include "fake_transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct transport {
	struct reactor *reactor;
	unsigned upstream, port;
	enum resolver_transport protocol;
};

struct attempt {
	struct reactor_task task;
	struct transport *transport;
	struct fake_send *send;
	struct attempt_user user;
	int error;
	unsigned char *answer;
	unsigned len;
};

struct fake_send fake_sends[FAKE_SENDS_MAX];
unsigned fake_nsends;
unsigned fake_ntransports;
int fake_start_error;
bool fake_authenticated;
bool fake_connecting;
struct transport_conf fake_tls_conf;

static int open_fake(struct reactor *reactor, const struct transport_conf *conf,
		     enum resolver_transport protocol, struct transport **ret)
{
	const struct sockaddr_in *in = (const void *)&conf->upstream.addr;

	*ret = malloc(sizeof(**ret));
	**ret = (struct transport){
		.reactor = reactor,
		.upstream = ntohl(in->sin_addr.s_addr) & 0xff,
		.port = ntohs(in->sin_port),
		.protocol = protocol,
	};
	fake_ntransports++;
	return 0;
}

static int open_udp(struct reactor *reactor, const struct transport_conf *conf,
		    struct transport **ret)
{
	return open_fake(reactor, conf, RESOLVER_UDP, ret);
}

static int open_tcp(struct reactor *reactor, const struct transport_conf *conf,
		    struct transport **ret)
{
	return open_fake(reactor, conf, RESOLVER_TCP, ret);
}

static int open_tls(struct reactor *reactor, const struct transport_conf *conf,
		    struct transport **ret)
{
	fake_tls_conf = *conf;
	return open_fake(reactor, conf, RESOLVER_TLS, ret);
}

static void close_fake(struct transport *t)
{
	free(t);
	fake_ntransports--;
}

static void deliver(struct reactor_task *task)
{
	struct attempt *a = container_of(task, struct attempt, task);

	bool tls = a->transport->protocol == RESOLVER_TLS;

	a->send->live = false;
	a->user.done(a->user.arg, &(struct attempt_result){
					  .error = a->error,
					  .packet = a->answer,
					  .len = a->len,
					  .authenticated = tls && fake_authenticated,
					  .sent_ms = tls && fake_connecting ? 0 : a->send->at_ms,
				  });
	free(a->answer);
	free(a);
}

static int start_fake(struct transport *t, const unsigned char *packet, unsigned len,
		      const struct attempt_user *user, struct attempt **ret)
{
	struct fake_send *send = &fake_sends[fake_nsends];
	struct attempt *a;

	if (fake_start_error)
		return fake_start_error;
	if (fake_nsends == FAKE_SENDS_MAX)
		abort();
	a = calloc(1, sizeof(*a));
	*send = (struct fake_send){
		.upstream = t->upstream,
		.port = t->port,
		.protocol = t->protocol,
		.at_ms = t->reactor->now_ms,
		.given_up_ms = user->given_up_ms,
		.live = true,
		.edns = packet[11],
		.ad = packet[3] & 0x20,
		.len = len,
		.attempt = a,
	};
	memcpy(send->packet, packet, len);
	fake_nsends++;
	a->transport = t;
	a->send = send;
	a->user = *user;
	reactor_task_init(&a->task, deliver);
	*ret = a;
	return 0;
}

static void cancel_fake(struct attempt *a)
{
	a->send->live = false;
	reactor_task_cancel(&a->task);
	free(a->answer);
	free(a);
}

static void end(unsigned i, int error, const void *packet, unsigned len)
{
	struct attempt *a = fake_sends[i].attempt;

	if (!fake_sends[i].live)
		abort();
	a->error = error;
	if (!error) {
		a->answer = malloc(len);
		memcpy(a->answer, packet, len);
		a->len = len;
	}
	reactor_defer(a->transport->reactor, &a->task);
}

void fake_fail(unsigned i, int error)
{
	end(i, error, NULL, 0);
}

void fake_answer(unsigned i, const void *packet, unsigned len)
{
	end(i, 0, packet, len);
}

static const struct transport_ops fake_udp = {
	.name = "fake UDP",
	.open = open_udp,
	.close = close_fake,
	.start = start_fake,
	.cancel = cancel_fake,
};

static const struct transport_ops fake_tcp = {
	.name = "fake TCP",
	.open = open_tcp,
	.close = close_fake,
	.start = start_fake,
	.cancel = cancel_fake,
};

const struct transport_ops *const fake_engines[RESOLVER_NTRANSPORTS] = {
	[RESOLVER_UDP] = &fake_udp,
	[RESOLVER_TCP] = &fake_tcp,
};

static const struct transport_ops fake_tls = {
	.name = "fake TLS",
	.open = open_tls,
	.close = close_fake,
	.start = start_fake,
	.cancel = cancel_fake,
};

const struct transport_ops *const fake_engines_tls[RESOLVER_NTRANSPORTS] = {
	[RESOLVER_UDP] = &fake_udp,
	[RESOLVER_TCP] = &fake_tcp,
	[RESOLVER_TLS] = &fake_tls,
};

// SPDX-License-Identifier: MIT
/*
 * probe.c - see probe.h: a resolver_host of poll(2) and plain descriptors, of which a handle is the
 * number itself. One thread.
 */
#include "shim/tool/probe.h"

#include "shim/clock.h"
#include "shim/file.h"
#include "shim/random.h"
#include "shim/resolver_load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS_MAX 32 /* at once: one server, with all the addresses of its name */

struct prober {
	struct resolver_instance resolver;
	struct pollfd fds[SOCKETS_MAX]; /* fd -1: free */
	uint64_t wake_ms;
	struct probe_result *result;
	bool done;
};

static int host_socket(void *ctx, int domain, int type, int protocol)
{
	struct prober *p = ctx;

	for (int i = 0; i < SOCKETS_MAX; i++) {
		if (p->fds[i].fd >= 0)
			continue;
		p->fds[i].fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
		p->fds[i].events = 0;
		return p->fds[i].fd < 0 ? -errno : i;
	}
	return -EMFILE;
}

static void host_close(void *ctx, int handle)
{
	struct prober *p = ctx;

	(void)close(p->fds[handle].fd);
	p->fds[handle].fd = -1;
}

static int host_hold(void *ctx, int handle)
{
	return ((struct prober *)ctx)->fds[handle].fd;
}

static void host_drop(void *ctx)
{
	(void)ctx;
}

static int host_watch(void *ctx, int handle, unsigned events)
{
	((struct prober *)ctx)->fds[handle].events =
		(short)((events & RESOLVER_READ ? POLLIN : 0) |
			(events & RESOLVER_WRITE ? POLLOUT : 0));
	return 0;
}

static void host_wake_at(void *ctx, uint64_t at_ms)
{
	((struct prober *)ctx)->wake_ms = at_ms;
}

static void host_random(void *ctx, void *buf, unsigned len)
{
	(void)ctx;
	random_bytes(buf, len);
}

static int host_read_file(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	(void)ctx;
	return file_read_text(path, RESOLVER_FILE_MAX, ret, ret_len);
}

/* No session is resumed: each handshake is to show the certificate. */
static int host_ticket_take(void *ctx, uint64_t key, void *ret_ticket, unsigned size)
{
	(void)ctx;
	(void)key;
	(void)ret_ticket;
	(void)size;
	return -ENOENT;
}

static void host_ticket_put(void *ctx, uint64_t key, const void *ticket, unsigned len,
			    uint32_t lifetime_s)
{
	(void)ctx;
	(void)key;
	(void)ticket;
	(void)len;
	(void)lifetime_s;
}

static void host_certificate(void *ctx, const struct resolver_certificate *c)
{
	struct probe_result *r = ((struct prober *)ctx)->result;

	r->certificate.seen = true;
	r->certificate.not_before = c->not_before;
	r->certificate.not_after = c->not_after;
	r->certificate.presented = c->presented;
	(void)snprintf(r->certificate.subject, PROBE_TEXT, "%s", c->subject);
	(void)snprintf(r->certificate.issuer, PROBE_TEXT, "%s", c->issuer);
	(void)snprintf(r->certificate.names, PROBE_TEXT, "%s", c->names);
	(void)snprintf(r->certificate.doubt, PROBE_TEXT, "%s", c->doubt ? c->doubt : "");
}

/* What is worth a warning is the reason of a failure; the first one is its cause. */
static void host_log(void *ctx, enum resolver_level level, const char *fmt, va_list ap)
{
	struct probe_result *r = ((struct prober *)ctx)->result;

	if (level <= RESOLVER_LOG_WARN && r->why[0] == '\0')
		(void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
}

static void on_answer(void *arg, const struct resolver_rrset *rrset)
{
	struct prober *p = arg;

	p->done = true;
	p->result->failure = rrset->failure;
	switch (rrset->kind) {
	case RESOLVER_ANSWER:
	case RESOLVER_NODATA:
	case RESOLVER_NXDOMAIN:
		p->result->answered = true;
		return;
	case RESOLVER_NONE:
	case RESOLVER_FAILURE:
		break;
	}
	p->result->answered =
		rrset->failure == RESOLVER_SERVFAIL || rrset->failure == RESOLVER_REFUSED;
}

static void step(struct prober *p)
{
	uint64_t now = clock_boot_ms();
	int wait = p->wake_ms <= now ? 0 : p->wake_ms - now < 1000 ? (int)(p->wake_ms - now) : 1000;

	(void)poll(p->fds, SOCKETS_MAX, wait);
	now = clock_boot_ms();
	for (int i = 0; i < SOCKETS_MAX; i++) {
		short got = p->fds[i].revents;
		unsigned events =
			(got & POLLIN ? RESOLVER_READ : 0) | (got & POLLOUT ? RESOLVER_WRITE : 0);

		if (got & (POLLERR | POLLHUP))
			events = RESOLVER_READ | RESOLVER_WRITE;
		if (events && p->fds[i].fd >= 0 && p->fds[i].events)
			p->resolver.ops->ready(p->resolver.resolver, i, events, now);
	}
	if (p->wake_ms <= now) {
		p->wake_ms = UINT64_MAX;
		p->resolver.ops->tick(p->resolver.resolver, now);
	}
}

/* One resolver for all: the library is loaded once. */
static int prepare(struct prober *p)
{
	static const struct resolver_host methods = {
		.socket = host_socket,
		.close = host_close,
		.hold = host_hold,
		.drop = host_drop,
		.watch = host_watch,
		.wake_at = host_wake_at,
		.random = host_random,
		.read_file = host_read_file,
		.ticket_take = host_ticket_take,
		.ticket_put = host_ticket_put,
		.certificate = host_certificate,
		.log = host_log,
	};
	struct resolver_host host = methods;

	if (p->resolver.resolver != NULL)
		return 0;
	for (int i = 0; i < SOCKETS_MAX; i++)
		p->fds[i].fd = -1;
	p->wake_ms = UINT64_MAX;
	host.ctx = p;
	return resolver_load(&host, &p->resolver);
}

int probe(const struct resolver_conf *conf, uint32_t timeout_ms, struct probe_result *ret)
{
	static struct prober p;
	struct resolver_question question = {
		.name = ".", .type = RESOLVER_A, .done = on_answer, .arg = &p};
	struct resolver_view *view = NULL;
	struct resolver_query *query;
	uint64_t begun = clock_boot_ms();
	int r;

	memset(ret, 0, sizeof(*ret));
	p.result = ret;
	p.done = false;
	r = prepare(&p);
	if (r == 0)
		r = p.resolver.ops->view_open(p.resolver.resolver, conf, &view);
	if (r < 0)
		return r;
	question.deadline_ms = question.given_up_ms = begun + timeout_ms;
	r = p.resolver.ops->query(view, &question, begun, &query);
	while (r == 0 && !p.done)
		step(&p);
	ret->ms = (uint32_t)(clock_boot_ms() - begun);
	p.resolver.ops->view_close(view);
	return r;
}

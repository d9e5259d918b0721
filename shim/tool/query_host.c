// SPDX-License-Identifier: MIT
/*
 * query_host.c - listens in on the resolver: resolver_load() is ours by the linker's --wrap, and
 * hands the resolver a host whose reports become steps before they go where they always do. In the
 * library nothing is different.
 *
 * Reports come on the thread that works for the resolver, which begins to after
 * query_watch_resolver().
 */
#include "shim/resolver_load.h"
#include "shim/tool/query.h"
#include "shim/tool/upstream_text.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

int __real_resolver_load(const struct resolver_host *host, struct resolver_instance *ret);
int __wrap_resolver_load(const struct resolver_host *host, struct resolver_instance *ret);

static struct resolver_conf watched; /* nupstreams 0: nobody listens */
static struct resolver_host original, listening;
static atomic_uint heard;

unsigned query_heard(void)
{
	return atomic_load(&heard);
}

/* "host:port", as the resolver calls it. */
static void short_text(const struct resolver_upstream *u, char *buf, size_t size)
{
	char address[80];

	if (u->addr.ss_family == AF_UNSPEC) {
		(void)snprintf(buf, size, "%s:%u", u->host, upstream_port(u));
		return;
	}
	upstream_address(&u->addr, address, sizeof(address));
	(void)snprintf(buf, size, "%s:%u", address, upstream_port(u));
}

/* Why this one? */
static void explain(const struct resolver_event *event, char *buf, size_t size)
{
	char text[UPSTREAM_TEXT];

	buf[0] = '\0';
	for (unsigned i = 0; i < watched.nupstreams; i++) {
		const struct resolver_upstream *u = &watched.upstreams[i];

		short_text(u, text, sizeof(text));
		if (strcmp(text, event->upstream) != 0)
			continue;
		if (u->transport == RESOLVER_TLS && event->transport != RESOLVER_TLS)
			(void)snprintf(buf, size, ": in clear text, since TLS cannot be had");
		else if (u->transport == RESOLVER_UDP && event->transport == RESOLVER_TCP)
			(void)snprintf(buf, size, ": over TCP, %s",
				       watched.use_tcp ? "as configured"
						       : "since the answer is long");
		else if (watched.nupstreams > 1)
			(void)snprintf(buf, size, ": %u. of %u in order of preference%s", i + 1,
				       watched.nupstreams,
				       i > 0 && !watched.rotate ? ", those before are not heard of"
								: "");
		return;
	}
}

static const char *type_text(enum resolver_type type)
{
	return type == RESOLVER_AAAA ? "AAAA" : "A";
}

static void on_event(void *ctx, const struct resolver_event *event)
{
	const char *scheme = upstream_schemes[event->transport];
	char why[128];

	switch (event->kind) {
	case RESOLVER_ASKED:
		explain(event, why, sizeof(why));
		query_step("upstream", "%s asked of %s over %s%s", type_text(event->type),
			   event->upstream, scheme, why);
		break;
	case RESOLVER_HEARD:
		atomic_fetch_add(&heard, 1);
		if (event->ms == RESOLVER_MS_UNKNOWN)
			query_step("upstream", "%s is there", event->upstream);
		else
			query_step("upstream", "%s has answered over %s within %u ms",
				   event->upstream, scheme, event->ms);
		break;
	case RESOLVER_UNHEARD:
		query_step("upstream", "%s over %s: %s", event->upstream, scheme,
			   event->error ? strerrordesc_np(-event->error) : "no answer so far");
		break;
	case RESOLVER_HANDSHAKE:
		query_step("tls", "%s with %s, %s, %s, within %u ms", event->version,
			   event->upstream, event->resumed ? "session resumed" : "full handshake",
			   event->authenticated ? "authenticated" : "not authenticated", event->ms);
		break;
	}
	if (original.event)
		original.event(ctx, event);
}

static void on_certificate(void *ctx, const struct resolver_certificate *c)
{
	int64_t left = c->not_after - (int64_t)time(NULL);

	query_step("tls", "certificate of %s (%s), %lld days left%s%s", c->subject, c->names,
		   (long long)(left / 86400), c->doubt ? ": " : "", c->doubt ? c->doubt : "");
	if (original.certificate)
		original.certificate(ctx, c);
}

void query_watch_resolver(const struct resolver_conf *upstreams)
{
	watched = *upstreams;
}

int __wrap_resolver_load(const struct resolver_host *host, struct resolver_instance *ret)
{
	if (watched.nupstreams == 0)
		return __real_resolver_load(host, ret);
	original = listening = *host;
	listening.event = on_event;
	listening.certificate = on_certificate;
	return __real_resolver_load(&listening, ret);
}

// SPDX-License-Identifier: MIT
/* dot_addrs.c - see dot_addrs.h. Called on the thread that entered the resolver. */
#include "resolver/dot_addrs.h"

#include <errno.h>
#include <string.h>

void dot_addrs_init(struct dot_addrs *addrs, struct reactor *reactor,
		    const struct transport_conf *conf,
		    void (*ready)(struct dot_addrs *addrs, int error))
{
	bool fixed = conf->upstream.addr.ss_family != AF_UNSPEC;

	*addrs = (struct dot_addrs){
		.reactor = reactor,
		.resolver = conf->resolver,
		.fixed = fixed,
		.list = {conf->upstream.addr},
		.n = fixed,
		.ready = ready,
	};
}

void dot_addrs_fini(struct dot_addrs *addrs)
{
	if (addrs->lookup)
		addrs->resolver.cancel(addrs->lookup);
}

static void on_found(void *arg, int error, const struct sockaddr_storage *list, unsigned n,
		     uint32_t ttl_s)
{
	struct dot_addrs *addrs = arg;

	addrs->lookup = NULL;
	if (!error && n) {
		addrs->n = n < DOT_ADDRS_MAX ? n : DOT_ADDRS_MAX;
		memcpy(addrs->list, list, addrs->n * sizeof(*list));
		addrs->until_ms = addrs->reactor->now_ms + 1000 * (uint64_t)ttl_s;
	}
	if (addrs->n)
		error = 0;
	else if (!error)
		error = -EHOSTUNREACH;
	addrs->ready(addrs, error);
}

void dot_addrs_get(struct dot_addrs *addrs)
{
	bool fresh = addrs->n && addrs->reactor->now_ms < addrs->until_ms;
	int err;

	if (addrs->lookup)
		return;
	if (addrs->fixed || fresh) {
		addrs->ready(addrs, 0);
		return;
	}
	err = addrs->resolver.start(addrs->resolver.ctx, on_found, addrs, &addrs->lookup);
	if (err)
		addrs->ready(addrs, err);
}

void dot_addrs_doubt(struct dot_addrs *addrs)
{
	addrs->until_ms = 0;
}

// SPDX-License-Identifier: MIT
/*
 * probe.h - finding out whether an upstream that is down is back, without anybody waiting for it.
 *
 * Whenever a question is put, each upstream that is down and was not tried for a while (upstream.h)
 * is asked something of no interest, for the address of the root: any answer proves that it
 * answers, which a connection alone does not. Likewise over TLS, where clear text is used for want
 * of it. At most one probe an upstream is under way. Without questions there are no probes, so no
 * timer ticks in a program that is idle.
 */
#ifndef NOBLOCKDNS_RESOLVER_PROBE_H
#define NOBLOCKDNS_RESOLVER_PROBE_H

#include "resolver/transport.h"

struct resolver_view;

/* The probe of one upstream of a view. */
struct probe {
	struct resolver_view *view; /* borrows */
	unsigned upstream;
	enum resolver_transport protocol;
	struct attempt *attempt;    /* NULL: none is under way */
	struct reactor_timer timer; /* ends it */
};

/* -ENOMEM. */
int probe_init(struct probe *probe, struct resolver_view *view, unsigned upstream);
void probe_fini(struct probe *probe);

/* Starts the probes that are due. */
void probe_due(struct resolver_view *view);

#endif

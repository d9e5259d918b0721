// SPDX-License-Identifier: MIT
/*
 * upstream.h - what a view knows of one server, and the decisions that follow from it. Pure: the
 * time is an argument, nothing is sent.
 *
 *	round trip	srtt and rttvar of RFC 6298 section 2; each attempt has an id and a socket
 *			of its own, so no sample is ambiguous
 *	retransmit	srtt + 4 rttvar, at least 1.5 srtt (an answer from a server's own cache and
 *			one that it has to ask for differ by more than the RFC's clock), at least
 *			250 ms and at most the view's timeout; doubled each round. c-ares 1.34 waits
 *			for 5 srtt: 200 ms away, with 10 % lost, a lookup that loses a packet takes
 *			1,263 ms with that rule and 527 ms with this, for as many packets
 *	first		before any answer a second, as in the RFC; in round 0 less where others have
 *			found the server to be quick: what they remember counts as the first sample
 *			would, and only ever makes it shorter. The later rounds stay apart: who has
 *			heard nothing yet may have met an outage, which a third packet outlasts
 *	TCP		three round trips, as a handshake comes first, at least 250 ms (a SYN that
 *			is lost is sent again by TCP only after a second); a second where no round
 *			trip is known
 *	hedge		over TLS nothing is ever sent again; after 2 s the next upstream is asked as
 *			well
 *	down		from a failure to the next answer; asked last, not never, and probed, which
 *			nobody waits for (probe.h)
 *	back-off	1, 2, 4 ... 30 s from one probe to the next while another upstream works;
 *			one second if none does, and for one over TLS
 *	clear text	(opportunistic alone, RFC 8310 5) from a failure of TLS until a probe shows
 *			that it is back: after 60 s, then twice as long each time, up to an hour, as
 *			Android does it; what was known of the upstream over TLS is forgotten
 *	EDNS		off for an hour once the server has answered FORMERR to it (RFC 6891 6.2.2)
 */
#ifndef NOBLOCKDNS_RESOLVER_UPSTREAM_H
#define NOBLOCKDNS_RESOLVER_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#define UPSTREAM_RETRANSMIT_MIN_MS     250
#define UPSTREAM_RETRANSMIT_UNKNOWN_MS 1000
#define UPSTREAM_HEDGE_MS	       2000
#define UPSTREAM_EDNS_OFF_MS	       3600000
#define UPSTREAM_CLEAR_MIN_MS	       60000
#define UPSTREAM_CLEAR_MAX_MS	       3600000
#define UPSTREAM_BACKOFF_MIN_MS	       1000
#define UPSTREAM_BACKOFF_MAX_MS	       30000
#define UPSTREAM_PROBE_MS	       1000 /* between two probes of one that is urgent */

/* Zeroed: nothing is known. */
struct upstream {
	bool measured;
	uint32_t srtt_8;	/* smoothed round trip, in 1/8 ms */
	uint32_t rttvar_4;	/* its variation, in 1/4 ms */
	uint32_t remembered_ms; /* the round trip that others have found; 0: none */
	unsigned failures;	/* 0: up */
	uint64_t backoff_until_ms;
	uint64_t tried_ms;    /* the last packet to it */
	uint64_t answered_ms; /* the last answer from it */
	uint64_t edns_off_until_ms;
	unsigned tls_failures; /* not 0: in clear text */
	uint64_t clear_until_ms;
};

/* A packet is sent to it. */
void upstream_tried(struct upstream *u, uint64_t now_ms);

/* An answer came, whatever it says. True: it was down. */
bool upstream_answered(struct upstream *u, uint64_t now_ms);

/* How long an answer took, where no handshake is in that time. */
void upstream_measured(struct upstream *u, uint64_t rtt_ms);

/* No answer in time, or the packet or connection was refused. Failures of one outage, of many
 * queries at once, count as one: none is counted during a back-off. True: it was up. */
bool upstream_failed(struct upstream *u, uint64_t now_ms);

bool upstream_is_down(const struct upstream *u);

/* Is it down, and is it time to see whether it is back? `urgent`: without the back-off. */
bool upstream_may_probe(const struct upstream *u, bool urgent, uint64_t now_ms);

/* The smoothed round trip, at least 1; 0: not known. */
uint32_t upstream_srtt_ms(const struct upstream *u);

/* How long to wait in round 0, 1, 2 before something else is tried: over UDP, over plain TCP. */
uint64_t upstream_retransmit_ms(const struct upstream *u, uint32_t timeout_ms, unsigned round);
uint64_t upstream_reconnect_ms(const struct upstream *u, uint32_t timeout_ms, unsigned round);

/* Does the error of an attempt say something of the upstream, or only of this process? */
bool upstream_is_to_blame(int error);

/* TLS cannot be had, and clear text may be used. Counted as upstream_failed() does. True: news. */
bool upstream_lost_tls(struct upstream *u, uint64_t now_ms);

/* An answer came over TLS. True: clear text was used. */
bool upstream_regained_tls(struct upstream *u);

bool upstream_is_clear(const struct upstream *u);

/* Is clear text used, and is it time to see whether TLS is back? */
bool upstream_may_probe_tls(const struct upstream *u, uint64_t now_ms);

bool upstream_knows_edns(const struct upstream *u, uint64_t now_ms);

/* FORMERR to a packet with EDNS. True: that is news. */
bool upstream_refused_edns(struct upstream *u, uint64_t now_ms);

/*
 * Writes into `order` the indices of the `n` upstreams in the order in which a query asks them:
 * from `first` on, cyclically, those that are down after the others.
 */
void upstream_order(const struct upstream *upstreams, unsigned n, unsigned first,
		    unsigned char *order);

#endif

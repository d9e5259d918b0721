// SPDX-License-Identifier: MIT
/*
 * history.h - what earlier connects of all processes of this user have shown of an address (RFC
 * 8305 section 4): does it work, and how far away is it?
 *
 *	if (history_view(now_ms, &view)) {
 *		history_find(&view, &dest, now_ms, &outcome);       before the race
 *		history_trying(&view, &dest, now_ms);               the first attempt has begun
 *		history_pending(&view, &dest, now_ms);              an attempt's delay is over
 *		history_connected(&view, &dest, rtt_ms, now_ms);    its end
 *		history_failed(&view, &dest, failure, now_ms);
 *	}
 *
 * Kept by network and address, and by network and prefix (/24 of IPv4, /48 of IPv6), for
 * HISTORY_HOLD_MS after the latest outcome. The network is a part of each key: on another one, or
 * after a change of this one (netstate.h), nothing is known.
 *
 * An address is what its latest outcome says. Where it has none, its prefix tells how far away it
 * is likely to be, and that it is broken where two other addresses of it were silent or unreachable
 * after the last success there, and the one that had it has failed since, or is not heard of any
 * more. That an address of the prefix works says nothing for the others.
 *
 * Any thread, signal handlers too; no lock, no allocation, and no system call beyond those of
 * history_view() and the first touch of a page of the cache. errno is kept. What is in the cache is
 * hostile (history_table.h).
 */
#ifndef NOBLOCKDNS_HISTORY_H
#define NOBLOCKDNS_HISTORY_H

#include "shim/order.h"
#include "shim/race.h"

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_HOLD_MS 600000 /* RFC 8305 section 4: dropped with the network; 10 min at most */

/* A silent attempt is held against the address for as long, if nothing more is heard of it: its
 * process may be gone. By then the SYNs of 0, 1, 3 and 7 s (RFC 6298 section 5) went unanswered. */
#define HISTORY_SUSPECT_MS 10000

/* So many processes may begin with an address of which nothing is known before one of them has an
 * answer: before the first has waited for its delay nobody can suspect it. The time is that after
 * which a SYN is sent again. */
#define HISTORY_BURST	 16
#define HISTORY_BURST_MS 1000

#define HISTORY_RETRY_MS     60000  /* after a failure the first re-try; twice as long each time */
#define HISTORY_RETRY_MAX_MS 240000 /* within HISTORY_HOLD_MS, or the verdict would just lapse */

extern uint32_t history_retry_ms; /* HISTORY_RETRY_MS; a test makes it shorter */

/* The network as it is now. */
struct history_view {
	uint64_t network;
	bool shared; /* it has a name in the shared cache */
};

struct history_outcome {
	enum race_verdict verdict;
	uint32_t srtt_ms, rttvar_ms; /* RFC 6298; srtt 0: not known */
	bool suspected; /* RACE_BROKEN only as long as somebody's attempt is without an answer */
};

enum history_failure {
	HISTORY_REFUSED,     /* the host has answered: says nothing of its prefix */
	HISTORY_SILENT,	     /* timed out, or lost to an attempt that began later */
	HISTORY_UNREACHABLE, /* no route, or an ICMP error */
};

/* False: there is no history (NOBLOCKDNS_RACE=off, no settings yet, another network namespace). At
 * most once a second it asks the kernel, unless another process just has. */
bool history_view(uint64_t now_ms, struct history_view *ret);

/* What is known of `dest`; a v4-mapped one is the IPv4 address. Always fills `ret`. */
void history_find(const struct history_view *view, const struct order_dest *dest, uint64_t now_ms,
		  struct history_outcome *ret);

/* An attempt was answered `rtt_ms` after its first SYN. From HISTORY_RTT_MAX_MS on that is no
 * sample of the round trip (history_rtt.h). */
void history_connected(const struct history_view *view, const struct order_dest *dest,
		       uint32_t rtt_ms, uint64_t now_ms);

/* What an errno (positive) of connect() says; false: nothing of the address (no descriptor, no
 * port, a filter on this machine). */
bool history_failure_of(int error, enum history_failure *ret);

void history_failed(const struct history_view *view, const struct order_dest *dest,
		    enum history_failure failure, uint64_t now_ms);

/*
 * A race has begun with this address. Of an unknown one, HISTORY_BURST processes that do so within
 * HISTORY_BURST_MS are enough: history_find() says broken to the next, until there is an answer. A
 * process counts once, however many sockets it connects.
 */
void history_trying(const struct history_view *view, const struct order_dest *dest,
		    uint64_t now_ms);

/*
 * An attempt is without an answer when the next one is due. For HISTORY_SUSPECT_MS, or until its
 * end is known, history_find() says broken: of a hundred processes only those of the first moments
 * send a SYN into a black hole. It is no outcome: it does not show in getaddrinfo()'s order, nor
 * count for the prefix or for the time of a re-try.
 */
void history_pending(const struct history_view *view, const struct order_dest *dest,
		     uint64_t now_ms);

/*
 * True: the caller is to re-try the broken `dest`, and nobody else will before the next interval is
 * over, whatever comes of it. The claim counts as a failure from now.
 */
bool history_claim(const struct history_view *view, const struct order_dest *dest, uint64_t now_ms);

#endif

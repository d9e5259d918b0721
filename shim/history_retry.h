// SPDX-License-Identifier: MIT
/*
 * history_retry.h - a broken address gets another chance in the background, so that a verdict
 * against it, or against a family, is not for ever (RFC 8305 section 4 leaves history to be
 * re-tried; a race that begins elsewhere would never find out).
 *
 * One connect to the port that the race was for, from a socket of ours; what comes of it is
 * recorded, and the connection closed without a byte. history_claim() sees to it that all processes
 * together make no more than one an interval, which is HISTORY_RETRY_MS after the failure and
 * doubles up to HISTORY_RETRY_MAX_MS. A process that ends before the answer has spent its turn.
 *
 * io thread. It is not started for this: a race that was carried out there asks for it.
 */
#ifndef NOBLOCKDNS_HISTORY_RETRY_H
#define NOBLOCKDNS_HISTORY_RETRY_H

#include "shim/history.h"

#include <netinet/in.h>

#define HISTORY_RETRY_CONNECT_MS 10000 /* as HISTORY_SUSPECT_MS: four SYNs */
#define HISTORY_RETRIES		 4     /* at a time in a process; what is beyond is not claimed */

/* A race met this broken candidate and did not try it: re-tries it if that is due. `port` is in
 * network order. Cheap where it is not. */
void history_retry(const struct history_view *view, const struct order_dest *dest, in_port_t port,
		   uint64_t now_ms);

/* In a forked child: what was under way is the parent's. After those of private_fd and io. */
void history_retry_reset(void);

#endif

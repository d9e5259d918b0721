// SPDX-License-Identifier: MIT
/*
 * history_rtt.h - the round trip to an address, estimated as RFC 6298 does it, in 48 bits.
 *
 *	bits 0 to 15	srtt when an order was last made by it, so to speak: see `ret_moved`
 *	bits 16 to 31	rttvar
 *	bits 32 to 47	srtt; 0: there is no estimate
 *
 * In units of 1/16 ms, which a sample of HISTORY_RTT_MAX_MS does not exhaust. Pure; any bits are an
 * estimate, if not a good one.
 */
#ifndef NOBLOCKDNS_HISTORY_RTT_H
#define NOBLOCKDNS_HISTORY_RTT_H

#include <stdbool.h>
#include <stdint.h>

/* A retransmitted SYN's answer is no sample (RFC 6298 section 3, Karn), and from the initial RTO on
 * (section 2.1) it may be one. */
#define HISTORY_RTT_MAX_MS 1000

/*
 * The estimate with one more sample. `ret_moved`: srtt is RACE_RTT_TIE_MS or more from where it was
 * when that was last said, or at the first sample.
 */
uint64_t history_rtt_add(uint64_t estimate, uint32_t rtt_ms, bool *ret_moved);

/* In ms; srtt is at least 1 where there is an estimate, else both are 0. */
void history_rtt_read(uint64_t estimate, uint32_t *ret_srtt_ms, uint32_t *ret_rttvar_ms);

#endif

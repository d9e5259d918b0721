// SPDX-License-Identifier: MIT
/*
 * dnscount.h - the counters that a scripted server shares with the test: written by the server's
 * one thread, read by any process that inherited the mapping.
 */
#ifndef LAB_DNSCOUNT_H
#define LAB_DNSCOUNT_H

#include "dnsscript.h"

struct dns_counts;

struct dns_counts *dns_counts_new(void); /* NULL: no memory */
void dns_counts_free(struct dns_counts *counts);

/* Keeps the server from counting: it must not be killed in the middle of it. */
void dns_counts_lock(const struct dns_counts *counts);
void dns_counts_unlock(const struct dns_counts *counts);
void dns_counts_reset(struct dns_counts *counts);
void dns_counts_query(struct dns_counts *counts, const struct lab_dns_query *query);
void dns_counts_connection(struct dns_counts *counts);
void dns_counts_hello(struct dns_counts *counts, const char *sni, bool repeated);
void dns_counts_handshake(struct dns_counts *counts, bool resumed);
void dns_counts_handshake_failed(struct dns_counts *counts);

/* Whether the server is away (see lab_dns_vanish()): set by it, awaited by the test. */
void dns_counts_set_away(struct dns_counts *counts, bool away);
bool dns_counts_away(const struct dns_counts *counts);

uint64_t dns_counts_get(const struct dns_counts *counts, const char *name, uint16_t type,
			enum lab_dns_transport transport);
uint64_t dns_counts_connections(const struct dns_counts *counts);
void dns_counts_tls(const struct dns_counts *counts, struct lab_dns_tls *ret);
bool dns_counts_query_at(const struct dns_counts *counts, uint64_t i, struct lab_dns_query *ret);

#endif

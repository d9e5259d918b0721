// SPDX-License-Identifier: MIT
/*
 * dot_message.h - the little that a transport reads of a message: which packet it answers, and how
 * long the server keeps an idle connection. Pure.
 */
#ifndef NOBLOCKDNS_RESOLVER_DOT_MESSAGE_H
#define NOBLOCKDNS_RESOLVER_DOT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Does the message answer this packet? Id, QR, opcode and question are those of an answer (RFC 5452
 * 9.1, names compared without case as in RFC 4343); or there is no question, and an error code,
 * which carries no data that could be believed.
 */
bool dot_message_answers(const unsigned char *message, size_t len, const unsigned char *packet,
			 size_t packet_len);

/* The edns-tcp-keepalive timeout of an answer (RFC 7828 3.1). False: there is none. */
bool dot_message_keepalive(const unsigned char *message, size_t len, uint32_t *ret_ms);

#endif

// SPDX-License-Identifier: MIT
/*
 * dot_frame.h - messages in a stream: each is preceded by its length in two octets (RFC 1035 4.2.2,
 * RFC 7858 3.3). Bytes in, messages out, and the other way round. Pure but for memory.
 */
#ifndef NOBLOCKDNS_RESOLVER_DOT_FRAME_H
#define NOBLOCKDNS_RESOLVER_DOT_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#define DOT_FRAME_HEADER 2
#define DOT_RECORD_MAX	 16384 /* bytes that one TLS record carries (RFC 8446 5.1) */

/* What has been read and not been taken. Zeroed: empty. */
struct dot_inbox {
	unsigned char *buf; /* owns; NULL: nothing is there */
	size_t size, begin, end;
};

/* Where to read the next bytes to, and how many at most: a TLS record, or what a longer message
 * lacks. -ENOMEM. */
int dot_inbox_room(struct dot_inbox *in, unsigned char **ret, size_t *ret_len);

/* So many have been read there. */
void dot_inbox_fill(struct dot_inbox *in, size_t len);

/* Takes a message, valid until the next call of dot_inbox_room(). False: none is complete. */
bool dot_inbox_next(struct dot_inbox *in, const unsigned char **ret, size_t *ret_len);

/* Frees the memory, if it holds nothing or what it holds is not wanted. */
void dot_inbox_release(struct dot_inbox *in, bool wanted);

/* What is to be written in one go. Zeroed: nothing. */
struct dot_outbox {
	unsigned char *buf; /* owns; NULL: nothing */
	size_t len, size;
};

/* Room for messages of this length together, with their headers. -ENOMEM. */
int dot_outbox_open(struct dot_outbox *out, size_t size);

void dot_outbox_add(struct dot_outbox *out, const unsigned char *message, size_t len);

void dot_outbox_close(struct dot_outbox *out);

#endif

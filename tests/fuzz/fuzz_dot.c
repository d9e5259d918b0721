// SPDX-License-Identifier: MIT
/*
 * fuzz_dot.c - any bytes from a server over TLS: cut into messages, matched with a question, and
 * searched for a keepalive (resolver/dot_frame.c, resolver/dot_message.c).
 * links: resolver/dot_frame.c resolver/dot_message.c resolver/packet.c -lresolv
 *
 * The first byte gives the size of the pieces in which the stream arrives; id, flags and question
 * of every message but the first are put in place, so that the fuzzer does not have to find them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/dot_frame.h"
#include "resolver/dot_message.h"
#include "resolver/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned char query[PACKET_MAX];
static unsigned query_len;

static void make_query(void)
{
	struct packet_question question;

	packet_question_init(&question, "www.example.com", RESOLVER_A);
	query_len = packet_build(&question, 0, query);
}

static void take(const unsigned char *message, size_t len, bool answer)
{
	unsigned char *exact = malloc(len ? len : 1); /* so that each byte beyond is seen */
	uint32_t ms;

	memcpy(exact, message, len);
	if (answer && len >= query_len) {
		unsigned char counts[6];

		memcpy(counts, exact + 6, sizeof(counts));
		memcpy(exact, query, query_len);
		memcpy(exact + 6, counts, sizeof(counts));
		exact[2] |= 0x80;
		if (!dot_message_answers(exact, len, query, query_len))
			abort();
	} else {
		(void)dot_message_answers(exact, len, query, query_len);
	}
	if (dot_message_keepalive(exact, len, &ms) && ms > 6553500)
		abort();
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dot_inbox in = {.buf = NULL};
	const unsigned char *message;
	size_t len, piece;
	unsigned n = 0;

	if (!size)
		return 0;
	if (!query_len)
		make_query();
	piece = data[0] ? data[0] : 65536;
	for (size_t at = 1; at < size; at += len) {
		unsigned char *room;

		if (dot_inbox_room(&in, &room, &len))
			abort();
		len = len < piece ? len : piece;
		len = len < size - at ? len : size - at;
		memcpy(room, data + at, len);
		dot_inbox_fill(&in, len);
		for (size_t message_len; dot_inbox_next(&in, &message, &message_len); n++)
			take(message, message_len, n);
	}
	dot_inbox_release(&in, false);
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * fuzz_answer.c - any bytes as an answer to "www.example.com" (resolver/answer.c).
 * links: resolver/answer.c resolver/packet.c -lresolv
 *
 * The first byte gives type and flags; the question is put in place of the input's own, so that the
 * fuzzer does not have to find it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct resolver_rrset *rrset)
{
	if (rrset->nnames > RESOLVER_CHAIN_MAX || rrset->ttl_s > ANSWER_TTL_MAX ||
	    (rrset->kind == RESOLVER_ANSWER) != (rrset->naddrs > 0))
		abort();
	for (unsigned i = 0; i < rrset->nnames; i++)
		if (strlen(rrset->names[i]) >= RESOLVER_NAME_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answer answer;
	struct packet_question question;
	unsigned char *packet, built[PACKET_MAX];
	unsigned len, question_len;

	if (!size || size > 65535)
		return 0;
	packet_question_init(&question, "www.example.com",
			     data[0] & 1 ? RESOLVER_A : RESOLVER_AAAA);
	question_len = packet_build(&question, 0, built) - PACKET_HEADER;
	len = (unsigned)size - 1;
	packet = malloc(len ? len : 1);
	memcpy(packet, data + 1, len);
	if (len >= PACKET_HEADER + question_len) {
		packet[2] = (packet[2] & 0x07) | 0x80;
		packet[4] = 0;
		packet[5] = 1;
		memcpy(packet + PACKET_HEADER, built + PACKET_HEADER, question_len);
	}
	if (answer_parse(&answer, packet, len, &question, data[0] >> 1 & 7) == ANSWER_VALID)
		check(&answer.rrset);
	free(packet);
	return 0;
}

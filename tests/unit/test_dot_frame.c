// SPDX-License-Identifier: MIT
/* test_dot_frame.c - messages cut out of a stream however it is divided, and put into one. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/dot_frame.h"

/* Lengths of messages in the stream. */
static const unsigned lengths[] = {1, 0, 12, 300, 16382, 65535, 2, 16384, 5};
#define NMESSAGES (sizeof(lengths) / sizeof(lengths[0]))

static unsigned char *stream;
static size_t stream_len;

static void make_stream(void)
{
	stream = malloc(200000);
	for (unsigned i = 0; i < NMESSAGES; i++) {
		stream[stream_len++] = (unsigned char)(lengths[i] >> 8);
		stream[stream_len++] = (unsigned char)lengths[i];
		memset(stream + stream_len, (int)i + 1, lengths[i]);
		stream_len += lengths[i];
	}
}

/* Reads it in pieces of this size at most. */
static void must_come_out(size_t piece)
{
	struct dot_inbox in = {.buf = NULL};
	const unsigned char *message;
	unsigned n = 0;
	size_t len;

	for (size_t at = 0; at < stream_len;) {
		unsigned char *room;

		cr_assert_eq(dot_inbox_room(&in, &room, &len), 0);
		cr_assert_gt(len, 0u);
		len = len < piece ? len : piece;
		len = len < stream_len - at ? len : stream_len - at;
		memcpy(room, stream + at, len);
		dot_inbox_fill(&in, len);
		at += len;
		while (dot_inbox_next(&in, &message, &len)) {
			cr_assert_eq(len, lengths[n]);
			if (len)
				cr_assert_eq(message[len - 1], n + 1);
			n++;
		}
	}
	cr_expect_eq(n, NMESSAGES);
	dot_inbox_release(&in, true);
	cr_expect_null(in.buf, "everything was taken");
}

Test(dot_frame, messages_come_out_however_the_stream_is_divided)
{
	static const size_t pieces[] = {1, 2, 3, 7, 1000, 16384, 16385, 100000};

	make_stream();
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		must_come_out(pieces[i]);
	free(stream);
}

Test(dot_frame, half_a_message_is_kept)
{
	struct dot_inbox in = {.buf = NULL};
	const unsigned char *message;
	unsigned char *room;
	size_t len;

	cr_assert_eq(dot_inbox_room(&in, &room, &len), 0);
	memcpy(room, "\0\3ab", 4);
	dot_inbox_fill(&in, 4);
	cr_expect_not(dot_inbox_next(&in, &message, &len));
	dot_inbox_release(&in, true);
	cr_assert_eq(dot_inbox_room(&in, &room, &len), 0);
	*room = 'c';
	dot_inbox_fill(&in, 1);
	cr_assert(dot_inbox_next(&in, &message, &len));
	cr_expect(!memcmp(message, "abc", 3));
	dot_inbox_release(&in, false);
}

Test(dot_frame, message_of_64_kilobytes_takes_that_much_memory)
{
	struct dot_inbox in = {.buf = NULL};
	unsigned char *room;
	size_t len;

	cr_assert_eq(dot_inbox_room(&in, &room, &len), 0);
	cr_expect_eq(in.size, DOT_RECORD_MAX);
	memcpy(room, "\xff\xff", 2);
	dot_inbox_fill(&in, 2);
	cr_assert_eq(dot_inbox_room(&in, &room, &len), 0);
	cr_expect_eq(in.size, 65537u);
	dot_inbox_release(&in, false);
	cr_expect_null(in.buf);
}

Test(dot_frame, outbox_puts_each_length_before_its_message)
{
	struct dot_outbox out;

	cr_assert_eq(dot_outbox_open(&out, 2 + 3 + 2 + 1), 0);
	dot_outbox_add(&out, (const unsigned char *)"abc", 3);
	dot_outbox_add(&out, (const unsigned char *)"d", 1);
	cr_expect_eq(out.len, 8u);
	cr_expect(!memcmp(out.buf, "\0\3abc\0\1d", 8));
	dot_outbox_close(&out);
	cr_expect_eq(out.len, 0u);
}

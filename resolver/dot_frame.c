// SPDX-License-Identifier: MIT
/* dot_frame.c - see dot_frame.h. Any thread. */
#include "resolver/dot_frame.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The message at the front with its header; only the header as long as it is not there. */
static size_t front_len(const struct dot_inbox *in)
{
	if (in->end - in->begin < DOT_FRAME_HEADER)
		return DOT_FRAME_HEADER;
	return DOT_FRAME_HEADER + ns_get16(in->buf + in->begin);
}

static int resize(struct dot_inbox *in, size_t size)
{
	unsigned char *buf = realloc(in->buf, size);

	if (!buf)
		return -ENOMEM;
	in->buf = buf;
	in->size = size;
	return 0;
}

int dot_inbox_room(struct dot_inbox *in, unsigned char **ret, size_t *ret_len)
{
	size_t have = in->end - in->begin, need = front_len(in);

	if (in->begin && have)
		memmove(in->buf, in->buf + in->begin, have);
	in->begin = 0;
	in->end = have;
	if (need < DOT_RECORD_MAX)
		need = DOT_RECORD_MAX;
	if (in->size < need && resize(in, need))
		return -ENOMEM;
	*ret = in->buf + in->end;
	*ret_len = in->size - in->end;
	return 0;
}

void dot_inbox_fill(struct dot_inbox *in, size_t len)
{
	in->end += len;
}

bool dot_inbox_next(struct dot_inbox *in, const unsigned char **ret, size_t *ret_len)
{
	size_t len = front_len(in);

	if (in->end - in->begin < len)
		return false;
	*ret = in->buf + in->begin + DOT_FRAME_HEADER;
	*ret_len = len - DOT_FRAME_HEADER;
	in->begin += len;
	return true;
}

void dot_inbox_release(struct dot_inbox *in, bool wanted)
{
	if (wanted && in->begin != in->end)
		return;
	free(in->buf);
	*in = (struct dot_inbox){.buf = NULL};
}

int dot_outbox_open(struct dot_outbox *out, size_t size)
{
	unsigned char *buf = malloc(size);

	if (!buf)
		return -ENOMEM;
	*out = (struct dot_outbox){.buf = buf, .size = size};
	return 0;
}

void dot_outbox_add(struct dot_outbox *out, const unsigned char *message, size_t len)
{
	ns_put16((unsigned)len, out->buf + out->len);
	memcpy(out->buf + out->len + DOT_FRAME_HEADER, message, len);
	out->len += DOT_FRAME_HEADER + len;
}

void dot_outbox_close(struct dot_outbox *out)
{
	free(out->buf);
	*out = (struct dot_outbox){.buf = NULL};
}

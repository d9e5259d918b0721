// SPDX-License-Identifier: MIT
/*
 * name.c - folding a name, eight bytes at a time.
 *
 * This runs at the head of every lookup. strnlen() and memcpy() are libc's vector code; the loop
 * then works on the copy, whose zero padding makes every read a whole word. A word's bytes are
 * examined at once: bit 7 of each byte of a mask says whether that byte is in a range.
 */
#include "shim/name.h"

#include <errno.h>
#include <string.h>

#define EACH(byte) (0x0101010101010101u * (uint64_t)(byte))
#define HIGH	   EACH(0x80)

/* Bit 7 of each byte: is the byte, which must be below 0x80, from `low` to `high`? No carry crosses
 * a byte: both sums stay below 0x100. */
static inline uint64_t in_range(uint64_t word, unsigned char low, unsigned char high)
{
	return (word + EACH(0x80 - low)) & ~(word + EACH(0x7f - high)) & HIGH;
}

static inline unsigned count(uint64_t mask)
{
	return (unsigned)(((mask >> 7) * EACH(1)) >> 56);
}

int name_fold(const char *name, struct name *ret)
{
	size_t len = strnlen(name, NAME_LEN_MAX + 2);
	uint64_t word, low7, upper, dots, usual, non_ascii = 0, unusual = 0;
	unsigned ndots = 0;

	ret->trailing_dot = len > 0 && name[len - 1] == '.';
	len -= ret->trailing_dot;
	if (len > NAME_LEN_MAX)
		return -ENAMETOOLONG;
	memset(ret->text + (len & ~7u), 0, 8);
	memcpy(ret->text, name, len);
	for (size_t i = 0; i <= len; i += 8) {
		memcpy(&word, ret->text + i, 8);
		low7 = word & ~HIGH;
		upper = in_range(low7, 'A', 'Z') & ~word;
		word |= upper >> 2; /* 0x20 makes lower case */
		low7 |= upper >> 2;
		dots = in_range(low7, '.', '.') & ~word;
		usual = in_range(low7, 'a', 'z') | in_range(low7, '0', '9') |
			in_range(low7, '-', '.') | in_range(low7, '_', '_');
		non_ascii |= word & HIGH;
		/* the padding's NULs are no part of the name */
		unusual |= ~usual & ~word & HIGH & ~in_range(low7, 0, 0);
		ndots += count(dots);
		memcpy(ret->text + i, &word, 8);
	}
	ret->len = (uint16_t)len;
	ret->dots = (uint16_t)ndots;
	ret->non_ascii = non_ascii != 0;
	ret->unusual = unusual != 0;
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * name.c - folding a name, eight bytes at a time.
 *
 * This runs at the head of every lookup. A word's bytes are examined at once: bit 7 of each byte of
 * a mask says whether that byte is in a range.
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

/* What is learned of the words so far. */
struct facts {
	unsigned dots;
	uint64_t non_ascii;
	uint64_t unusual;
};

/* Returns the word in lower case. */
static inline uint64_t fold_word(uint64_t word, struct facts *facts)
{
	uint64_t low7 = word & ~HIGH;
	uint64_t upper = in_range(low7, 'A', 'Z') & ~word;
	uint64_t usual;

	word |= upper >> 2; /* 0x20 makes lower case */
	low7 |= upper >> 2;
	usual = in_range(low7, 'a', 'z') | in_range(low7, '0', '9') | in_range(low7, '-', '.') |
		in_range(low7, '_', '_') | in_range(low7, 0, 0); /* NUL is padding */
	facts->dots += count(in_range(low7, '.', '.') & ~word);
	facts->non_ascii |= word & HIGH;
	facts->unusual |= ~usual & ~word & HIGH;
	return word;
}

int name_fold(const char *name, struct name *ret)
{
	size_t len = strnlen(name, NAME_LEN_MAX + 2), i;
	struct facts facts = {0};
	uint64_t word;

	ret->trailing_dot = len > 0 && name[len - 1] == '.';
	len -= ret->trailing_dot;
	if (len > NAME_LEN_MAX)
		return -ENAMETOOLONG;
	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, name + i, 8);
		word = fold_word(word, &facts);
		memcpy(ret->text + i, &word, 8);
	}
	word = 0;
	memcpy(&word, name + i, len - i);
	word = fold_word(word, &facts);
	memcpy(ret->text + i, &word, 8);
	ret->len = (uint16_t)len;
	ret->dots = (uint16_t)facts.dots;
	ret->non_ascii = facts.non_ascii != 0;
	ret->unusual = facts.unusual != 0;
	return 0;
}

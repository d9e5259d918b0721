// SPDX-License-Identifier: MIT
/*
 * name.h - a name as a program spells it, brought into the one form that the cache, the hosts file
 * and the special names are compared in.
 *
 * Folding changes ASCII letters only (RFC 4343 3); a byte from 0x80 up is kept and flagged, so that
 * the caller decides about IDN. What is an acceptable host name is the caller's decision too.
 *
 * Pure; any thread; no allocation.
 */
#ifndef NOBLOCKDNS_NAME_H
#define NOBLOCKDNS_NAME_H

#include <stdbool.h>
#include <stdint.h>

#define NAME_LEN_MAX 255 /* bytes of a folded name; what is longer fits no DNS packet unescaped */

struct name {
	char text[NAME_LEN_MAX + 1] __attribute__((aligned(8))); /* lower case, without the trailing
								  * dot; NULs up to a multiple of 8,
								  * at least one */
	uint16_t len;						 /* of text */
	uint16_t dots;	   /* in text: the trailing dot does not count */
	bool trailing_dot; /* one was dropped; "." is an empty text with this set */
	bool non_ascii;	   /* a byte from 0x80 up */
	bool unusual; /* a byte that is neither a letter, a digit, '-', '_', '.' nor non_ascii */
};

/* Folds the C string `name`. 0; -ENAMETOOLONG where text would pass NAME_LEN_MAX (`ret` is then
 * undefined). */
int name_fold(const char *name, struct name *ret);

#endif

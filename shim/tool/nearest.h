// SPDX-License-Identifier: MIT
/*
 * nearest.h - what somebody meant who mistyped a word. Pure.
 */
#ifndef NOBLOCKDNS_TOOL_NEAREST_H
#define NOBLOCKDNS_TOOL_NEAREST_H

/*
 * The one of `words` (NULL-terminated) that takes the fewest slips of the finger (a letter too
 * many, one left out, a wrong one, two swapped) to become `word`; the first of several. NULL where
 * none is near: more than a third of its letters would have to be wrong. A word that begins with
 * `word` is near.
 */
const char *nearest(const char *word, const char *const *words);

#endif

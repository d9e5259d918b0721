// SPDX-License-Identifier: MIT
/*
 * nearest.c - see nearest.h. The distance is that of Damerau and Levenshtein in its restricted
 * form: no letter is touched twice.
 */
#include "shim/tool/nearest.h"

#include <stddef.h>
#include <string.h>

#define WORD_MAX 40 /* longer words are nobody's options */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Both are at most WORD_MAX long. */
static unsigned distance(const char *a, const char *b)
{
	unsigned table[WORD_MAX + 1][WORD_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t i = 0; i <= na; i++)
		for (size_t k = 0; k <= nb; k++) {
			unsigned best = (unsigned)(i + k);

			if (i > 0 && k > 0) {
				best = table[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
				best = least(best, table[i - 1][k] + 1);
				best = least(best, table[i][k - 1] + 1);
			}
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				best = least(best, table[i - 2][k - 2] + 1);
			table[i][k] = best;
		}
	return table[na][nb];
}

const char *nearest(const char *word, const char *const *words)
{
	size_t len = strlen(word);
	unsigned best = (unsigned)(len + 2) / 3 + 1; /* one more than may be wrong */
	const char *found = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (; *words; words++) {
		unsigned slips;

		if (strlen(*words) > WORD_MAX)
			continue;
		slips = strncmp(*words, word, len) == 0 ? 0 : distance(word, *words);
		if (slips < best) {
			best = slips;
			found = *words;
		}
	}
	return found;
}

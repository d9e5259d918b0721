// SPDX-License-Identifier: MIT
/*
 * config_number.h - a whole number in the configuration: decimal digits and nothing else, no sign,
 * no blank. Pure.
 */
#ifndef NOBLOCKDNS_CONFIG_NUMBER_H
#define NOBLOCKDNS_CONFIG_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* True and the number, if it is `min` to `max` (at most UINT64_MAX / 10 - 1). */
static inline bool config_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
		if (n > max)
			return false;
	}
	if (n < min)
		return false;
	*ret = n;
	return true;
}

#endif

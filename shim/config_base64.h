// SPDX-License-Identifier: MIT
/*
 * config_base64.h - a SHA-256 in base 64 (RFC 4648 section 4), as it stands in a pin. Pure.
 */
#ifndef NOBLOCKDNS_CONFIG_BASE64_H
#define NOBLOCKDNS_CONFIG_BASE64_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CONFIG_BASE64_SHA256_LEN 44 /* 32 bytes: 43 digits and one `=` */

/* True and the 32 bytes, if `text` begins with such a value; bits beyond them must be 0. */
static inline bool config_base64_sha256(const char *text, unsigned char ret[32])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char *to = ret;
	uint32_t bits = 0;
	int nbits = 0;

	if (strspn(text, digits) != CONFIG_BASE64_SHA256_LEN - 1 ||
	    text[CONFIG_BASE64_SHA256_LEN - 1] != '=')
		return false;
	for (int i = 0; i < CONFIG_BASE64_SHA256_LEN - 1; i++) {
		bits = bits << 6 | (uint32_t)(strchr(digits, text[i]) - digits);
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			*to++ = (unsigned char)(bits >> nbits);
			bits &= (1u << nbits) - 1;
		}
	}
	return bits == 0;
}

#endif

// SPDX-License-Identifier: MIT
/*
 * hostent.h - the result of gethostbyname(3) in one buffer of the caller's.
 */
#ifndef NOBLOCKDNS_HOSTENT_H
#define NOBLOCKDNS_HOSTENT_H

#include "shim/lookup.h"

#include <netdb.h>
#include <stddef.h>

/*
 * Builds a struct hostent from the answer of lookup_hostent(). All its pointers go into `buf`.
 * 0, or -ERANGE: `size` bytes are too few, and neither `ret` nor `buf` is of use.
 */
int hostent_build(const struct lookup_answer *answer, int family, char *buf, size_t size,
		  struct hostent *ret);

#endif

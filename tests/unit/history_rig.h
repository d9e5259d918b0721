// SPDX-License-Identifier: MIT
/* history_rig.h - when it is, and whose history. */
#ifndef HISTORY_RIG_H
#define HISTORY_RIG_H

#include "shim/order.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#define NOW_MS 7000000

static inline struct order_dest dest_of(const char *text)
{
	struct order_dest dest = {.family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET};

	cr_assert_eq(inet_pton(dest.family, text, dest.addr), 1);
	return dest;
}

#endif

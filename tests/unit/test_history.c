// SPDX-License-Identifier: MIT
/* history.c: what a sequence of outcomes makes of an address, its neighbours and the others. */
#include "shim/history.h"

#include "tests/unit/test_cache_util.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define NOW_MS 7000000

static const struct history_view here = {.network = 4711};

static struct order_dest dest_of(const char *text)
{
	struct order_dest dest = {.family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET};

	cr_assert_eq(inet_pton(dest.family, text, dest.addr), 1);
	return dest;
}

static struct history_outcome find(const char *text, uint64_t now_ms)
{
	struct order_dest dest = dest_of(text);
	struct history_outcome got;

	history_find(&here, &dest, now_ms, &got);
	return got;
}

static enum race_verdict verdict(const char *text, uint64_t now_ms)
{
	return find(text, now_ms).verdict;
}

static void connected(const char *text, uint32_t rtt_ms, uint64_t now_ms)
{
	struct order_dest dest = dest_of(text);

	history_connected(&here, &dest, rtt_ms, now_ms);
}

static void failed(const char *text, enum history_failure failure, uint64_t now_ms)
{
	struct order_dest dest = dest_of(text);

	history_failed(&here, &dest, failure, now_ms);
}

Test(history, address_without_outcome_is_unknown)
{
	struct history_outcome got = find("192.0.2.1", NOW_MS);

	cr_expect_eq(got.verdict, RACE_UNKNOWN);
	cr_expect_eq(got.srtt_ms, 0u);
}

Test(history, latest_outcome_is_the_verdict)
{
	connected("192.0.2.1", 20, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_WORKS);
	failed("192.0.2.1", HISTORY_SILENT, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_BROKEN);
	connected("192.0.2.1", 20, NOW_MS);
	cr_expect_eq(verdict("192.0.2.1", NOW_MS), RACE_WORKS);
}

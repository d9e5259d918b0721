// SPDX-License-Identifier: MIT
/*
 * race_checks.c - what rows of test_race.c demand besides times and packets (race_checks.h).
 */
#include "tests/e2e/race_checks.h"

#include <stdio.h>
#include <string.h>

const char *interrupted_at_100_ms(const struct race_seen *seen)
{
	const double ms = race_value(seen->job, "first_ms");

	if (strcmp(race_text(seen->job, "first"), "EINTR") != 0)
		return "connect() was not interrupted";
	return ms < 100 - RACE_EARLY_MS || ms > 100 + RACE_SLOP_MS(100) ? "EINTR at a wrong time"
									: NULL;
}

/* Descriptors and connecting sockets, after the program's close(). */
const char *gone_within_100_ms(const struct race_seen *seen)
{
	return race_value(seen->job, "gone_ms") > 100 ? "not gone within 100 ms" : NULL;
}

const char *no_reset_before_the_winner(const struct race_seen *seen)
{
	const double rst_ms = seen->capture->first_rst_ms;

	return rst_ms != 0 && rst_ms < seen->zero_ms + 300 - RACE_EARLY_MS ? "RST to a SYN-ACK"
									   : NULL;
}

const char *options_are_kept(const struct race_seen *seen)
{
	static char why[64];
	const char *changed = race_text(seen->job, "options");

	if (strcmp(changed, "kept") == 0)
		return NULL;
	snprintf(why, sizeof why, "%.40s changed", changed);
	return why;
}

const char *greeting_has_come(const struct race_seen *seen)
{
	return strcmp(race_text(seen->job, "byte"), "S") == 0 ? NULL : "first byte lost";
}

/* The other name of the socket leads to the same connection. */
const char *alias_is_the_same(const struct race_seen *seen)
{
	if (race_value(seen->job, "alias_tcp") != 1)
		return "the alias is no TCP socket";
	return race_value(seen->job, "alias_same") == 1 ? NULL : "the alias is another connection";
}

/* The child has what its parent has, or the first attempt. */
const char *child_has_a_socket(const struct race_seen *seen)
{
	const double port = race_value(seen->job, "port");

	if (race_value(seen->job, "child_tcp") != 1)
		return "the child has no TCP socket";
	return race_value(seen->job, "child_family") == 6 ||
			       race_value(seen->job, "child_port") == port
		       ? NULL
		       : "the child's socket is not connected";
}

const char *looks_like_connecting(const struct race_seen *seen)
{
	static char why[64];
	const char *looked = race_text(seen->job, "looked");

	if (strcmp(looked, "right") != 0) {
		snprintf(why, sizeof why, "while it connects: %.30s", looked);
		return why;
	}
	return race_value(seen->job, "option") == 1 ? NULL : "an option set meanwhile is lost";
}

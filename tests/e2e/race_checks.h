// SPDX-License-Identifier: MIT
/*
 * race_checks.h - what rows of test_race.c demand besides times and packets. Each looks at a
 * program that has ended, and says what is wrong; NULL: nothing.
 */
#ifndef RACE_CHECKS_H
#define RACE_CHECKS_H

#include "tests/e2e/race_run.h"

const char *interrupted_at_100_ms(const struct race_seen *seen);
const char *gone_within_100_ms(const struct race_seen *seen);
const char *no_reset_before_the_winner(const struct race_seen *seen);
const char *options_are_kept(const struct race_seen *seen);
const char *greeting_has_come(const struct race_seen *seen);

/* What another thread did with the socket at 100 ms. */
const char *alias_is_the_same(const struct race_seen *seen);
const char *child_has_a_socket(const struct race_seen *seen);
const char *looks_like_connecting(const struct race_seen *seen);

#endif

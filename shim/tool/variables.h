// SPDX-License-Identifier: MIT
/*
 * variables.h - an option for each NOBLOCKDNS_* variable: --stale-max for NOBLOCKDNS_STALE_MAX.
 *
 * They are made of the shim's own table (config_table.h) and checked by its own parser, so that
 * what is refused here, and in which words, is what the shim would complain of. A value goes into
 * this process's environment: a program that is started inherits it, and what is done here obeys
 * it.
 */
#ifndef NOBLOCKDNS_TOOL_VARIABLES_H
#define NOBLOCKDNS_TOOL_VARIABLES_H

#include "shim/tool/options.h"

#include <stdbool.h>

#define VARIABLES_NAME_MAX 64 /* of a variable, with prefix and NUL */

/* The options, in the order of the shim's table; ends with a NULL name. Static storage. */
const struct option_spec *variables_options(void);

/* The variable behind the option: "NOBLOCKDNS_STALE_MAX". */
void variables_name(const struct option_spec *option, char ret[VARIABLES_NAME_MAX]);

/* Puts the value into the environment, unchecked. 0 or -ENOMEM. */
int variables_set(const struct option_spec *option, const char *value);

/*
 * Checks all that were set, and how they go together. False: `why` is the shim's complaint about
 * the first that it would not take. Variables that came with the environment are not looked at.
 */
bool variables_check(char *why, size_t size);

/* Was it set by an option? */
bool variables_is_set(const struct option_spec *option);

#endif

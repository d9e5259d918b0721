// SPDX-License-Identifier: MIT
/*
 * config_domains.h - a list of domains, as text: separated by blanks, without leading and trailing
 * dots; letters, digits, '-' and '_'. Pure.
 */
#ifndef NOBLOCKDNS_CONFIG_DOMAINS_H
#define NOBLOCKDNS_CONFIG_DOMAINS_H

#include <stdbool.h>

/* *ret: in lower case, with one space between two; of malloc(). False: it is not allowed, or there
 * is no memory. */
bool config_domains_parse(const char *value, const char **ret);

#endif

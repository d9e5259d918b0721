// SPDX-License-Identifier: MIT
/*
 * dnsaction.h - the words for what a rule of the scripted server does.
 */
#ifndef LAB_DNSACTION_H
#define LAB_DNSACTION_H

#include "dnsscript.h"

/*
 * Reads one word. ret_has_value: a number follows it; otherwise ret_value is set where the word
 * implies one (servfail is rcode 2). 0, or -EINVAL: no such action.
 */
int dns_action_parse(const char *word, enum lab_dns_action *ret, uint32_t *ret_value,
		     bool *ret_has_value);

#endif

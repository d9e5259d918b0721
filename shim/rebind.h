// SPDX-License-Identifier: MIT
/*
 * rebind.h - which addresses lead into a network that only its own machines should reach, and which
 * names may have such ones: the pure half of the rebinding guard.
 *
 * The attack: a name of the attacker's has the attacker's address at first, and 127.0.0.1 or that
 * of a printer afterwards. The program that trusts the name lets the attacker's page or script talk
 * to it.
 *
 * Addresses. The measure are IANA's registries of special-purpose addresses: what is not globally
 * reachable there, and the host itself or somebody in its network answers. That leaves out blocks
 * where by definition nobody is (documentation, discard-only 100::/64, the dummies 192.0.0.8 and
 * 100:0:0:1::/64), anycast services and the addresses that NAT64 is found by (192.0.0.9, .10, .170,
 * .171). Multicast and broadcast are added. An IPv6 address that stands for an IPv4 one (mapped,
 * compatible, 64:ff9b::/96, 6to4) is what that is; 64:ff9b:1::/48 is private as a whole, for where
 * the IPv4 address stands in it is known to its network alone (RFC 8215).
 *
 * Names. Private addresses belong to the names that nobody can register: those without a dot,
 * localhost and test (RFC 6761), local (RFC 6762), home.arpa (RFC 8375), internal (ICANN's
 * resolution 2024.07.29.06), ipv4only.arpa (RFC 8880), and to those of the user's list. Domains of
 * the search list do not count by themselves: a network hands them out (DHCP), and so would write
 * the list. The name that is asked decides, wherever its CNAMEs lead.
 *
 * Pure; any thread; no allocation.
 */
#ifndef NOBLOCKDNS_REBIND_H
#define NOBLOCKDNS_REBIND_H

#include "shim/name.h"

#include <stdbool.h>
#include <stddef.h>

/* May it have private addresses? `name` is folded; `allow` is a list as in struct config, or NULL.
 */
bool rebind_may(const struct name *name, const char *allow);

/* `addr` [size], network order; `size` is 4 or 16. */
bool rebind_is_private(const unsigned char *addr, size_t size);

/* Takes the private ones out of `addrs` [n * size]; the others move together, in their order. How
 * many are left. */
unsigned rebind_sift(unsigned char *addrs, unsigned n, size_t size);

#endif

// SPDX-License-Identifier: MIT
/*
 * netroutes.h - a hash of the routes, to tell that one has come, gone or changed.
 *
 * Of the main table, where addresses that are configured by hand, by DHCP and by router
 * advertisements leave theirs, both families, as RTM_GETROUTE gives them, but for the times that
 * run there by themselves (RTA_CACHEINFO). Rules and other tables are not looked at.
 *
 * Any thread, signal handlers too; raw system calls, no allocation; a socket for the duration of
 * the call.
 */
#ifndef NOBLOCKDNS_NETROUTES_H
#define NOBLOCKDNS_NETROUTES_H

#include <stdint.h>

#define NETROUTES_MAX 32768 /* bytes of the kernel's answer, some 300 routes: routers have more */

/*
 * *ret_hash does not depend on the order in which the kernel gives them; nor does *ret_place, which
 * is of those routes alone that tell one place from another (netstate.h). 0, or a negative errno.
 * 0 and hashes that are always the same where there are too many routes, or where the kernel cannot
 * give the main table alone (before Linux 4.20).
 */
int netroutes_hash(uint64_t *ret_hash, uint64_t *ret_place);

#endif

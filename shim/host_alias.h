// SPDX-License-Identifier: MIT
/*
 * host_alias.h - the HOSTALIASES file (hostname(7)): names without a dot that stand for others in
 * DNS searches. glibc reads the file at every search for such a name, and so do we: it is rare, and
 * the program may write it a moment before it looks up.
 *
 * glibc replaces the name once before a search (nss_dns), and where the alias has no dot either,
 * once more; the outcome of the second time is asked as it stands, without the search list.
 *
 * Any thread; opens the file for the duration of the call, close-on-exec; waits for nobody, where
 * it is a FIFO.
 */
#ifndef NOBLOCKDNS_HOST_ALIAS_H
#define NOBLOCKDNS_HOST_ALIAS_H

#include <stddef.h>

#define HOST_ALIAS_MAX 1025 /* bytes of an alias with its NUL; a longer one is cut, as in glibc */

/*
 * Looks `name` (without a dot: the caller's check) up in the file `path`. 0 and the alias in `ret`;
 * -ENOENT: no such file or no such name. Only the first 64 KiB of the file are read.
 */
int host_alias_lookup(const char *path, const char *name, char ret[HOST_ALIAS_MAX]);

#endif

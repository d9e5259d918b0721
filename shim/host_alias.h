// SPDX-License-Identifier: MIT
/*
 * host_alias.h - the HOSTALIASES file (hostname(7)): names without a dot that stand for others in
 * DNS searches. glibc reads the file at every search of such a name, and so do we: it is rare, and
 * the program may write it a moment before it looks up.
 *
 * Any thread; opens a file (close-on-exec) for the duration of the call.
 */
#ifndef NOBLOCKDNS_HOST_ALIAS_H
#define NOBLOCKDNS_HOST_ALIAS_H

#include <stddef.h>

/*
 * Looks `name` (without dots: the caller checks, and also that RES_NOALIASES is not set) up in the
 * file `path`. The alias, NUL-terminated, is written to `ret` (of `size` bytes; 1026 always do).
 * 0, or -ENOENT: no such file or no such alias. A name that stands for itself is -ENOENT too.
 */
int host_alias_lookup(const char *path, const char *name, char *ret, size_t size);

#endif

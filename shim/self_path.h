// SPDX-License-Identifier: MIT
/*
 * self_path.h - where the file of this library is.
 */
#ifndef NOBLOCKDNS_SELF_PATH_H
#define NOBLOCKDNS_SELF_PATH_H

#include <limits.h>

/*
 * Its absolute path: as it was loaded, or as the kernel knows it where LD_PRELOAD named it by a
 * relative one (the program may have changed its folder since, to one that strangers write to). 0;
 * -ENOENT where nobody knows it, -ENAMETOOLONG. Any thread.
 */
int self_path(char ret[PATH_MAX]);

#endif

// SPDX-License-Identifier: MIT
/* folder.h - folders of our own, for what is in the way afterwards. */
#ifndef NOBLOCKDNS_TOOL_FOLDER_H
#define NOBLOCKDNS_TOOL_FOLDER_H

#include <limits.h>

/* Makes one that nobody else can enter, in $TMPDIR or, where that is not set, in memory (/dev/shm)
 * if there is such a place, else in /tmp. 0 and its path, or -errno. */
int folder_make_temporary(char ret[PATH_MAX]);

/* Takes it away with all that is in it, on one file system, not through symbolic links. 0 or
 * -errno. */
int folder_remove(const char *path);

#endif

// SPDX-License-Identifier: MIT
/*
 * preload.h - where libnoblockdns.so is, and what LD_PRELOAD becomes with it.
 */
#ifndef NOBLOCKDNS_TOOL_PRELOAD_H
#define NOBLOCKDNS_TOOL_PRELOAD_H

#include <limits.h>

/*
 * Finds the library that belongs to this command: beside it (as built), or in the folders of
 * libraries that go with its bin (../lib/x86_64-linux-gnu, ../lib64, ../lib). 0 and its absolute
 * path; -ENOENT; -ENAMETOOLONG.
 */
int preload_find(char ret[PATH_MAX]);

/*
 * The value of LD_PRELOAD that has `library` in it once, behind all that is there already (`old`,
 * may be NULL): a sanitizer's runtime has to be first. Any libnoblockdns.so in `old` gives way. Of
 * malloc(), the caller frees it. NULL: no memory.
 */
char *preload_value(const char *old, const char *library);

/*
 * Puts the library into this process's LD_PRELOAD, for the programs that it starts. TOOL_FINE, or
 * TOOL_TROUBLE, the verb having said why.
 */
int preload_install(const char *verb);

#endif

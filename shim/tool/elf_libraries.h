// SPDX-License-Identifier: MIT
/*
 * elf_libraries.h - the files of the libraries that a program will be loaded with, found as
 * ld.so(8) would, without running anything of it.
 */
#ifndef NOBLOCKDNS_TOOL_ELF_LIBRARIES_H
#define NOBLOCKDNS_TOOL_ELF_LIBRARIES_H

#include "shim/tool/elf_look.h"

#include <stdbool.h>
#include <stddef.h>

/* One file, mapped. */
struct elf_file {
	const void *data; /* owns, until elf_file_close() */
	size_t len;
};

/* Maps a regular file. 0 or a negative errno; -ENODATA where it is empty. */
int elf_file_open(const char *path, struct elf_file *ret);
void elf_file_close(struct elf_file *file);

/*
 * Calls `each` for every library that the program at `path` needs, and those that they need, each
 * once, nearest first: with its path and what it is, or path and look NULL where the file was not
 * found. The file is open during the call.
 */
void elf_libraries(const char *path, const struct elf_look *program,
		   void (*each)(void *ctx, const char *name, const char *path,
				const struct elf_look *look, const struct elf_file *file),
		   void *ctx);

#endif

// SPDX-License-Identifier: MIT
/*
 * text_file.h - a text file as a string.
 */
#ifndef NOBLOCKDNS_TOOL_TEXT_FILE_H
#define NOBLOCKDNS_TOOL_TEXT_FILE_H

#include <stddef.h>

#define TEXT_FILE_MAX ((size_t)4 << 20) /* bytes; what stands past them is not read */

/* Of malloc(), NUL-terminated; the caller frees it. 0 or a negative errno. */
int text_file_read(const char *path, char **ret_text, size_t *ret_len);

#endif

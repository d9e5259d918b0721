// SPDX-License-Identifier: MIT
/* asleep.h - does a thread of this process sleep, as the kernel says? For tests that wait until one
 * is inside a call. */
#ifndef ASLEEP_H
#define ASLEEP_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline bool is_asleep(pid_t tid)
{
	char path[64], text[256] = "";
	int in;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	in = open(path, O_RDONLY);
	if (read(in, text, sizeof text - 1) <= 0)
		text[0] = '\0';
	close(in);
	return strstr(text, ") S ") != NULL;
}

#endif

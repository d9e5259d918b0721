// SPDX-License-Identifier: MIT
/*
 * registrations_read.c - what the kernel says of an epoll set (proc(5), /proc/pid/fdinfo).
 *
 * One line a member, in no order that would help:
 *
 *	tfd:        4 events: 40000019 data:               4d  pos:0 ino:2ffdef2 sdev:9
 *
 * The number is decimal, the rest hexadecimal. Read in pieces, on the stack.
 */
#include "shim/registrations.h"

#include <stdbool.h>
#include <string.h>

#define MEMBER_LINE_MAX 256

static size_t decimal(unsigned n, char *ret)
{
	char digits[12];
	size_t len = 0;

	do
		digits[len++] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	for (size_t i = 0; i < len; i++)
		ret[i] = digits[len - 1 - i];
	return len;
}

static int open_info(int epfd)
{
	char path[64] = "/proc/thread-self/fdinfo/"; /* the main thread may have ended */
	size_t len = strlen(path);

	path[len + decimal((unsigned)epfd, path + len)] = '\0';
	return sys_open(path, O_RDONLY | O_CLOEXEC, 0);
}

/* The number after `name`, or 0. */
static uint64_t field(const char *line, const char *name, unsigned base)
{
	const char *c = strstr(line, name);
	uint64_t value = 0;

	if (!c)
		return 0;
	for (c += strlen(name); *c == ' ' || *c == '\t'; c++)
		;
	for (;; c++) {
		unsigned digit = *c >= '0' && *c <= '9'	  ? (unsigned)(*c - '0')
				 : *c >= 'a' && *c <= 'f' ? (unsigned)(*c - 'a') + 10
							  : base;

		if (digit >= base)
			return value;
		value = value * base + digit;
	}
}

static bool parse(const char *line, int epfd, int fd, ino_t ino, struct registration *ret)
{
	if (strncmp(line, "tfd:", 4) != 0 || field(line, "tfd:", 10) != (unsigned)fd ||
	    (uint32_t)field(line, " ino:", 16) != (uint32_t)ino)
		return false;
	ret->fd = fd;
	ret->epfd = epfd;
	ret->events = (uint32_t)field(line, "events:", 16);
	ret->data = field(line, "data:", 16);
	return true;
}

int registrations_read(int epfd, int fd, ino_t ino, struct registration *ret)
{
	char buf[2048], *line, *end;
	size_t have = 0;
	ssize_t n;
	int info = open_info(epfd);
	bool found = false;

	if (info < 0)
		return -ENODATA;
	while (!found && (n = sys_read(info, buf + have, sizeof(buf) - 1 - have)) > 0) {
		have += (size_t)n;
		buf[have] = '\0';
		for (line = buf; !found && (end = strchr(line, '\n')) != NULL; line = end + 1) {
			*end = '\0';
			found = parse(line, epfd, fd, ino, ret);
		}
		have = strlen(line);
		if (have >= MEMBER_LINE_MAX)
			have = 0; /* no line of a member's */
		memmove(buf, line, have);
	}
	(void)sys_close(info);
	return found ? 0 : -ENOENT;
}

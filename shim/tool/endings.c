// SPDX-License-Identifier: MIT
/* endings.c - see endings.h. */
#include "shim/tool/endings.h"

#include "shim/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define NAME_SIZE 64 /* longer than any trace file's */

struct ending {
	char name[NAME_SIZE];
	uint64_t ns;
};

struct endings {
	int fd;
	size_t n;
	struct ending *all; /* owns; room for the next power of two */
};

struct endings *endings_open(const char *folder)
{
	struct endings *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (e->fd >= 0 && inotify_add_watch(e->fd, folder, IN_CLOSE_WRITE | IN_ONLYDIR) >= 0)
		return e;
	endings_close(e);
	return NULL;
}

void endings_close(struct endings *e)
{
	if (e == NULL)
		return;
	if (e->fd >= 0)
		(void)close(e->fd);
	free(e->all);
	free(e);
}

int endings_fd(const struct endings *e)
{
	return e ? e->fd : -1;
}

static void add(struct endings *e, const char *name, uint64_t ns)
{
	struct ending *all = e->all;

	if ((e->n & (e->n - 1)) == 0)
		all = reallocarray(all, e->n ? e->n * 2 : 1, sizeof(*all));
	if (all == NULL)
		return;
	e->all = all;
	(void)snprintf(all[e->n].name, NAME_SIZE, "%s", name);
	all[e->n++].ns = ns;
}

void endings_take(struct endings *e)
{
	_Alignas(struct inotify_event) char bytes[4096];
	uint64_t now_ns = clock_boot_ns();
	ssize_t len;

	while (e && (len = read(e->fd, bytes, sizeof(bytes))) > 0)
		for (char *at = bytes; at < bytes + len;) {
			const struct inotify_event *event = (const void *)at;

			if (event->len > 0)
				add(e, event->name, now_ns);
			at += sizeof(*event) + event->len;
		}
}

uint64_t endings_of(const struct endings *e, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (size_t i = 0; e && i < e->n; i++)
		if (strcmp(e->all[i].name, name) == 0)
			return e->all[i].ns;
	return UINT64_MAX;
}

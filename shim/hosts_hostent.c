// SPDX-License-Identifier: MIT
/*
 * hosts_hostent.c - the lines of a name in /etc/hosts as one struct hostent: measured in a first
 * walk, written in a second one.
 */
#include "shim/hosts.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

struct measure {
	size_t naliases;
	size_t naddrs;
	size_t text; /* bytes of strings */
};

/* Where the next piece of each kind goes. */
struct writer {
	char **alias;
	char **addr_ptr;
	char *addr;
	char *text;
};

static size_t addr_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* Does glibc add this line's name to the aliases? Case counts here. */
static bool name_is_alias(const struct hosts_line *line, const char *h_name)
{
	return strcmp(line->name, h_name) != 0;
}

static size_t aliases_size(const struct hosts_line *line)
{
	const char *p = line->aliases;

	for (unsigned i = 0; i < line->naliases; i++)
		p += strlen(p) + 1;
	return (size_t)(p - line->aliases);
}

/* *ret_name: the first line's name. False: no line. */
static bool measure_lines(struct hosts_walk walk, bool multi, struct measure *ret,
			  const char **ret_name)
{
	struct hosts_line line;

	*ret = (struct measure){0};
	while ((ret->naddrs == 0 || multi) && hosts_walk_next(&walk, &line)) {
		if (ret->naddrs++ == 0) {
			*ret_name = line.name;
			ret->text += strlen(line.name) + 1;
		} else if (name_is_alias(&line, *ret_name)) {
			ret->naliases++;
			ret->text += strlen(line.name) + 1;
		}
		ret->naliases += line.naliases;
		ret->text += aliases_size(&line);
	}
	return ret->naddrs > 0;
}

static char *put_string(struct writer *w, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memcpy(w->text, text, size);

	w->text += size;
	return copy;
}

static void put_line(struct writer *w, const struct hosts_line *line)
{
	const char *alias = line->aliases;

	*w->addr_ptr++ = memcpy(w->addr, line->addr, addr_len(line->family));
	w->addr += addr_len(line->family);
	for (unsigned i = 0; i < line->naliases; i++) {
		*w->alias++ = put_string(w, alias);
		alias += strlen(alias) + 1;
	}
}

static void put_lines(struct hosts_walk walk, const struct measure *m, const char *name,
		      struct writer w, struct hostent *ret)
{
	struct hosts_line line;

	*ret = (struct hostent){
		.h_addrtype = walk.family,
		.h_length = (int)addr_len(walk.family),
		.h_aliases = w.alias,
		.h_addr_list = w.addr_ptr,
		.h_name = put_string(&w, name),
	};
	for (size_t i = 0; i < m->naddrs && hosts_walk_next(&walk, &line); i++) {
		put_line(&w, &line);
		if (i > 0 && name_is_alias(&line, name))
			*w.alias++ = put_string(&w, line.name);
	}
	*w.alias = NULL;
	*w.addr_ptr = NULL;
}

int hosts_hostent(const struct hosts *hosts, const char *name, int family, bool multi,
		  struct hostent *ret, char *buf, size_t size)
{
	size_t pad = -(uintptr_t)buf % alignof(char *);
	struct hosts_walk walk;
	const char *h_name = NULL;
	struct measure m;
	size_t need;

	hosts_walk_start(hosts, name, family, &walk);
	if (!measure_lines(walk, multi, &m, &h_name))
		return -ENOENT;
	need = pad + (m.naliases + 1 + m.naddrs + 1) * sizeof(char *) +
	       m.naddrs * addr_len(family) + m.text;
	if (need > size)
		return -ERANGE;

	struct writer w = {.alias = (char **)(void *)(buf + pad)};

	w.addr_ptr = w.alias + m.naliases + 1;
	w.addr = (char *)(w.addr_ptr + m.naddrs + 1);
	w.text = w.addr + m.naddrs * addr_len(family);
	put_lines(walk, &m, h_name, w, ret);
	return 0;
}

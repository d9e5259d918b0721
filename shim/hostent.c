// SPDX-License-Identifier: MIT
/*
 * hostent.c - see hostent.h. Layout of the buffer: the two pointer arrays, the addresses, the
 * strings.
 */
#include "shim/hostent.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct room {
	char *at;
	size_t left;
};

/* `size` bytes at a multiple of `align`, or NULL. */
static void *take(struct room *room, size_t size, size_t align)
{
	size_t pad = (size_t)(-(uintptr_t)room->at & (align - 1));
	char *taken = room->at + pad;

	if (room->left < pad || room->left - pad < size)
		return NULL;
	room->left -= pad + size;
	room->at += pad + size;
	return taken;
}

static char *take_string(struct room *room, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = take(room, size, 1);

	return copy == NULL ? NULL : memcpy(copy, s, size);
}

int hostent_build(const struct lookup_answer *answer, int family, char *buf, size_t size,
		  struct hostent *ret)
{
	const struct lookup_addrs *addrs = &answer->addrs;
	const struct lookup_names *names = &answer->names;
	size_t length = family == AF_INET ? 4 : 16;
	struct room room = {buf, size};
	char **addr_list = take(&room, (addrs->n + 1) * sizeof *addr_list, sizeof *addr_list);
	char **aliases = take(&room, (names->naliases + 1) * sizeof *aliases, sizeof *aliases);
	char *bytes = take(&room, addrs->n * length, 4);
	char *name = take_string(&room, names->canon);
	const char *alias = names->aliases;

	if (addr_list == NULL || aliases == NULL || bytes == NULL || name == NULL)
		return -ERANGE;
	for (unsigned i = 0; i < addrs->n; i++)
		addr_list[i] = memcpy(bytes + i * length, addrs->v[i].addr, length);
	addr_list[addrs->n] = NULL;
	for (unsigned i = 0; i < names->naliases; i++, alias += strlen(alias) + 1) {
		aliases[i] = take_string(&room, alias);
		if (aliases[i] == NULL)
			return -ERANGE;
	}
	aliases[names->naliases] = NULL;
	*ret = (struct hostent){
		.h_name = name,
		.h_aliases = aliases,
		.h_addrtype = family,
		.h_length = (int)length,
		.h_addr_list = addr_list,
	};
	return 0;
}

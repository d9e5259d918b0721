// SPDX-License-Identifier: MIT
/* trace_names.c - see trace_names.h. One table of chains, for texts and for keys. */
#include "shim/tool/trace_names.h"

#include "shim/hash.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024

struct trace_names_entry {
	struct trace_names_entry *next;
	uint64_t hash;
	const char *text; /* of a key, what it stands for: borrows; of a text, itself */
	bool is_key;
	size_t len;
	char bytes[]; /* the key, or the text with a NUL behind it */
};

static struct trace_names_entry *find(const struct trace_names *names, bool is_key,
				      const void *bytes, size_t len, uint64_t hash)
{
	struct trace_names_entry *e = names->nslots ? names->slots[hash % names->nslots] : NULL;

	while (e && (e->hash != hash || e->is_key != is_key || e->len != len ||
		     memcmp(e->bytes, bytes, len) != 0))
		e = e->next;
	return e;
}

static void grow(struct trace_names *names)
{
	size_t nslots = names->nslots ? 2 * names->nslots : SLOTS_FIRST;
	struct trace_names_entry **slots = calloc(nslots, sizeof(struct trace_names_entry *));

	if (slots == NULL)
		return; /* chains get longer */
	for (size_t i = 0; i < names->nslots; i++) {
		struct trace_names_entry *next;

		for (struct trace_names_entry *e = names->slots[i]; e; e = next) {
			next = e->next;
			e->next = slots[e->hash % nslots];
			slots[e->hash % nslots] = e;
		}
	}
	free(names->slots);
	names->slots = slots;
	names->nslots = nslots;
}

/* The entry, made where it was not there; NULL: no memory. */
static struct trace_names_entry *enter(struct trace_names *names, bool is_key, const void *bytes,
				       size_t len)
{
	uint64_t hash = hash_bytes(bytes, len, is_key);
	struct trace_names_entry *e = find(names, is_key, bytes, len, hash);

	if (e)
		return e;
	if (names->n >= names->nslots)
		grow(names);
	e = names->nslots ? malloc(sizeof(*e) + len + 1) : NULL;
	if (e == NULL)
		return NULL;
	*e = (struct trace_names_entry){.next = names->slots[hash % names->nslots],
					.hash = hash,
					.is_key = is_key,
					.len = len};
	memcpy(e->bytes, bytes, len);
	e->bytes[len] = '\0';
	e->text = is_key ? "" : e->bytes;
	names->slots[hash % names->nslots] = e;
	names->n++;
	return e;
}

const char *trace_names_text(struct trace_names *names, const char *text, size_t len)
{
	struct trace_names_entry *e = enter(names, false, text, strnlen(text, len));

	return e ? e->text : "";
}

void trace_names_set(struct trace_names *names, const void *key, const char *text)
{
	struct trace_names_entry *e = enter(names, true, key, TRACE_NAMES_KEY);

	if (e)
		e->text = text;
}

const char *trace_names_get(const struct trace_names *names, const void *key)
{
	const struct trace_names_entry *e =
		find(names, true, key, TRACE_NAMES_KEY, hash_bytes(key, TRACE_NAMES_KEY, true));

	return e ? e->text : "";
}

/* No address that a lookup gives looks like this: they are IPv6 addresses in ::/32, and not
 * v4-mapped. */
static void key_of_thread(uint32_t tid, unsigned char ret[TRACE_NAMES_KEY])
{
	memset(ret, 0, TRACE_NAMES_KEY);
	memcpy(ret + 4, &tid, sizeof(tid));
}

void trace_names_set_thread(struct trace_names *names, uint32_t tid, const char *text)
{
	unsigned char key[TRACE_NAMES_KEY];

	key_of_thread(tid, key);
	trace_names_set(names, key, text);
}

const char *trace_names_get_thread(const struct trace_names *names, uint32_t tid)
{
	unsigned char key[TRACE_NAMES_KEY];

	key_of_thread(tid, key);
	return trace_names_get(names, key);
}

void trace_names_forget(struct trace_names *names)
{
	for (size_t i = 0; i < names->nslots; i++)
		for (struct trace_names_entry *e = names->slots[i]; e; e = e->next)
			if (e->is_key)
				e->text = "";
}

void trace_names_free(struct trace_names *names)
{
	for (size_t i = 0; i < names->nslots; i++) {
		struct trace_names_entry *next;

		for (struct trace_names_entry *e = names->slots[i]; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(names->slots);
	*names = (struct trace_names){0};
}

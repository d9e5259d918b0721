// SPDX-License-Identifier: MIT
/* test_cache_util.c - see the header. */
#include "tests/unit/test_cache_util.h"

#include "shim/hash.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION_TTL 1000 /* the version is the TTL beyond this */

size_t sample_name(unsigned number, char name[64])
{
	return (size_t)snprintf(name, 64, "www.shop%05u.example.com", number);
}

/* Bytes that belong to this number and version only. */
static void fill(const struct sample *s, unsigned char *to, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = hash_fold(s->number * HASH_K0 + i, s->version * HASH_K1 + 77);

		memcpy(to + i, &word, len - i < 8 ? len - i : 8);
	}
}

size_t sample_encode(const struct sample *s, void *buf, size_t size)
{
	static const unsigned counts[] = {2, 25, 250};
	unsigned n = counts[s->size] + s->version % 3;
	unsigned char addrs[252 * 16];
	char name[64], chain[256];
	struct entry entry = {.view = s->view, .name = name};
	int len = snprintf(chain, sizeof(chain),
			   "www.Shop%05u.example.com%cwww.shop%05u.example.com.edgekey.net%c"
			   "e%u.dscb.akamaiedge.net",
			   s->number, 0, s->number, 0, s->version);
	ssize_t r;

	entry.name_len = sample_name(s->number, name);
	fill(s, addrs, n * 16);
	for (int i = 0; i < ENTRY_NTYPES; i++) {
		entry.rr[i] = (struct entry_rrset){.kind = RESOLVER_ANSWER,
						   .ttl_s = VERSION_TTL + s->version,
						   .stored_ms = s->stored_ms,
						   .nnames = 3,
						   .names = chain,
						   .names_len = (size_t)len + 1,
						   .naddrs = n,
						   .addrs = addrs};
	}
	r = entry_encode(&entry, buf, size);
	cr_assert_gt(r, 0, "entry_encode: %zd", r);
	return (size_t)r;
}

int sample_store(struct cache *cache, const struct sample *s, uint64_t now_ms)
{
	_Alignas(ENTRY_ALIGN) unsigned char blob[SAMPLE_MAX];
	size_t len = sample_encode(s, blob, sizeof(blob));
	char name[64];
	uint64_t hash = cache_hash(cache, s->view, name, sample_name(s->number, name));

	return cache_store(cache, hash, blob, len, now_ms);
}

static int look(struct cache *cache, unsigned number, uint64_t view, bool use, struct sample *ret)
{
	_Alignas(ENTRY_ALIGN) unsigned char got[SAMPLE_MAX], want[SAMPLE_MAX];
	struct sample s = {.number = number, .view = view};
	struct entry entry;
	char name[64];
	size_t len = sample_name(number, name), need = 0;
	int err = cache_lookup(cache, cache_hash(cache, view, name, len), view, name, len, got,
			       sizeof(got), &entry, &need);

	if (err < 0)
		return err;
	s.version = entry.rr[ENTRY_A].ttl_s - VERSION_TTL;
	s.stored_ms = entry.rr[ENTRY_A].stored_ms;
	s.size = entry.rr[ENTRY_A].naddrs < 25	  ? SAMPLE_SMALL
		 : entry.rr[ENTRY_A].naddrs < 250 ? SAMPLE_MEDIUM
						  : SAMPLE_LARGE;
	len = sample_encode(&s, want, sizeof(want));
	if (memcmp(got, want, len) != 0)
		return -EILSEQ;
	if (ret)
		*ret = s;
	if (use)
		cache_touch(&entry);
	return 0;
}

int sample_lookup(struct cache *cache, unsigned number, uint64_t view, struct sample *ret)
{
	return look(cache, number, view, false, ret);
}

int sample_use(struct cache *cache, unsigned number, uint64_t view)
{
	return look(cache, number, view, true, NULL);
}

struct cache *private_cache(size_t size)
{
	const struct cache_options options = {.want_private = true, .size = size};
	struct cache *cache = NULL;
	char why[256];

	cr_assert_eq(cache_open(&options, &cache, why), 0);
	cr_assert_eq(cache_backing(cache), CACHE_PRIVATE);
	cr_assert_str_empty(why);
	return cache;
}

void scratch_make(char path[64])
{
	snprintf(path, 64, "/dev/shm/noblockdns-test.XXXXXX");
	cr_assert_not_null(mkdtemp(path), "mkdtemp: %s", strerror(errno));
}

void scratch_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		unlinkat(dirfd(dir), d->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(path);
}

char scratch_dir[64];
char scratch_path[128];

void scratch_file_make(void)
{
	scratch_make(scratch_dir);
	snprintf(scratch_path, sizeof scratch_path, "%s/cache", scratch_dir);
}

void scratch_file_remove(void)
{
	scratch_remove(scratch_dir);
}

struct cache *scratch_file_open(size_t size)
{
	const struct cache_options options = {.path = scratch_path, .size = size};
	struct cache *cache = NULL;
	char why[256];

	cr_assert_eq(cache_open(&options, &cache, why), 0);
	cr_assert_eq(cache_backing(cache), CACHE_SHARED, "%s", why);
	return cache;
}

struct cache *scratch_cache;

void scratch_cache_make(void)
{
	scratch_file_make();
	scratch_cache = scratch_file_open(CACHE_SIZE_MIN);
}

void scratch_cache_remove(void)
{
	cache_close(scratch_cache);
	scratch_file_remove();
}

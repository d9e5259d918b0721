// SPDX-License-Identifier: MIT
/*
 * test_cache_damage.c - any bytes in the file: nobody crashes, and a lookup finds either nothing or
 * an entry that is whole and has the right name. Ten thousand damaged files, each opened, read and
 * written; and a file that is damaged while it is in use.
 */
#include "shim/cache.h"

#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE  CACHE_SIZE_MIN
#define NAMES 60

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS 3000
#else
#define ROUNDS 12000
#endif

static char dir[64], path[128];
static unsigned char whole[SIZE], damaged[SIZE];
static unsigned seed;

static struct cache *open_file(void)
{
	const struct cache_options options = {.path = path, .size = SIZE};
	struct cache *cache = NULL;
	char why[256];

	cr_assert_eq(cache_open(&options, &cache, why), 0);
	return cache;
}

static void store_all(struct cache *cache, unsigned version)
{
	for (unsigned n = 0; n < NAMES; n++) {
		struct sample s = {.number = n, .version = version, .view = SAMPLE_VIEW};

		s.size = n % 20 == 19 ? SAMPLE_LARGE : n % 5 == 4 ? SAMPLE_MEDIUM : SAMPLE_SMALL;
		sample_store(cache, &s, SAMPLE_NOW);
	}
}

/* Makes a good file, and keeps a copy of its bytes. */
static void populate(void)
{
	struct cache *cache;
	int fd;

	scratch_make(dir);
	snprintf(path, sizeof(path), "%s/cache", dir);
	cache = open_file();
	cr_assert_eq(cache_backing(cache), CACHE_SHARED);
	store_all(cache, 1);
	cache_close(cache);
	fd = open(path, O_RDONLY);
	cr_assert_eq(read(fd, whole, SIZE), (ssize_t)SIZE);
	close(fd);
}

static size_t below(size_t n)
{
	return (size_t)rand_r(&seed) % n;
}

/* A region of the file, where something is: header, tags, the slots in use, or anywhere. */
static void pick_region(size_t *ret_at, size_t *ret_len)
{
	static const size_t starts[] = {0, CACHE_PAGE, 0x6000, 0};
	static const size_t spans[] = {sizeof(struct cache_header), 40 * 64, 0x30000, SIZE};
	size_t which = below(8) == 0 ? 0 : 1 + below(3);

	*ret_at = starts[which] + below(spans[which]);
	*ret_len = 1 + below(below(3) ? 64 : 20000);
	if (*ret_at + *ret_len > SIZE)
		*ret_len = SIZE - *ret_at;
}

static void damage(unsigned char *bytes)
{
	size_t at, len, from;

	pick_region(&at, &len);
	switch (below(6)) {
	case 0:
		bytes[at] ^= (unsigned char)(1u << below(8));
		break;
	case 1:
		for (size_t i = 0; i < len; i++)
			bytes[at + i] = (unsigned char)rand_r(&seed);
		break;
	case 2:
		memset(bytes + at, 0, len);
		break;
	case 3:
		memset(bytes + at, 0xff, len);
		break;
	case 4: /* shifted by a little */
		from = at + below(16) < SIZE - len ? at + below(16) : at;
		if (from + len <= SIZE)
			memmove(bytes + at, bytes + from, len);
		break;
	default: /* something that looks right, at the wrong place */
		from = below(SIZE - len + 1);
		memmove(bytes + at, bytes + from, len);
		break;
	}
}

/* Returns how many names were found. */
static unsigned check_all(struct cache *cache, unsigned round)
{
	unsigned found = 0;

	for (unsigned n = 0; n < NAMES + 4; n++) {
		int err = sample_lookup(cache, n, SAMPLE_VIEW, NULL);

		cr_assert(err == 0 || err == -ENOENT, "round %u, name %u: %d", round, n, err);
		found += err == 0;
	}
	return found;
}

static void write_file(const unsigned char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

Test(cache_damage, ten_thousand_damaged_files_give_no_wrong_answer, .timeout = 300)
{
	unsigned found = 0, shared = 0;

	populate();
	seed = 17;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct cache *cache;

		memcpy(damaged, whole, SIZE);
		for (size_t n = 1 + below(8); n > 0; n--)
			damage(damaged);
		if (round % 50 == 0) { /* random from end to end, under a good header */
			for (size_t i = CACHE_PAGE; i < SIZE; i += 4)
				memcpy(damaged + i, &(unsigned){(unsigned)rand_r(&seed) * 2}, 4);
		}
		write_file(damaged, SIZE);
		cache = open_file();
		shared += cache_backing(cache) == CACHE_SHARED;
		found += check_all(cache, round);
		store_all(cache, round);
		check_all(cache, round);
		cache_close(cache);
		unlink(path);
	}
	cr_assert_gt(shared, ROUNDS / 2, "the damage was noticed by the header alone");
	cr_assert_gt(found, ROUNDS * 5, "hardly anything survived: the damage proves little");
	scratch_remove(dir);
}

Test(cache_damage, damage_while_in_use_gives_no_wrong_answer, .timeout = 300)
{
	struct cache *cache;
	unsigned char *other;
	int fd;

	populate();
	seed = 18;
	cache = open_file();
	fd = open(path, O_RDWR);
	other = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(other, MAP_FAILED);
	close(fd);
	for (unsigned round = 0; round < ROUNDS / 4; round++) {
		damage(other); /* the header too: it is not read again */
		check_all(cache, round);
		store_all(cache, round);
		check_all(cache, round);
		if (round % 100 == 0)
			memcpy(other, whole, SIZE);
	}
	munmap(other, SIZE);
	cache_close(cache);
	scratch_remove(dir);
}

/* However the tags and locks are set: time, and a store, make every name usable again. */
Test(cache_damage, is_healed_by_storing)
{
	struct cache *cache;

	seed = 19;
	for (unsigned round = 0; round < 100; round++) {
		cache = private_cache(SIZE);
		for (size_t i = CACHE_PAGE; i < SIZE; i += 4)
			memcpy(cache->map + i, &(unsigned){(unsigned)rand_r(&seed) * 2}, 4);
		for (unsigned n = 0; n < 20; n++) {
			struct sample s = {.number = n, .version = n, .view = SAMPLE_VIEW};
			struct sample got;
			int err = -EBUSY;

			/* a lock may seem to be young, or of the near future */
			for (unsigned i = 0; i < 3 && err == -EBUSY; i++)
				err = sample_store(cache, &s, SAMPLE_NOW + i * 1000);
			cr_assert_eq(err, 0, "round %u, name %u: %d", round, n, err);
			cr_assert_eq(sample_lookup(cache, n, SAMPLE_VIEW, &got), 0);
			cr_assert_eq(got.version, n);
		}
		cache_close(cache);
	}
}

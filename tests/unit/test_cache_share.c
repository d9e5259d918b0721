// SPDX-License-Identifier: MIT
/*
 * test_cache_share.c - many writers and readers, some of which die or stop in the middle. A reader
 * may find nothing, but what it finds is whole: the content of a sample follows from its name and
 * version, so a mixture of two cannot pass.
 */
#include "shim/cache.h"

#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW 10 /* sanitizers make a fork that much dearer */
#else
#define SLOW 1
#endif

static struct sample sample(unsigned number, unsigned version)
{
	return (struct sample){
		.number = number, .version = version, .view = SAMPLE_VIEW, .stored_ms = SAMPLE_NOW};
}

/* ---- takeover, by a fake clock ---- */

/* The only slot in use. */
static struct cache_place only_place(struct cache *cache)
{
	struct cache_place place = {0};

	for (int i = 0; i < CACHE_NCLASSES; i++) {
		const struct cache_class *class = &cache->classes[i];

		for (uint32_t set = 0; set < class->nsets; set++) {
			for (unsigned way = 0; way < class->ways; way++) {
				struct cache_set *tags = set_at(cache, class, set);

				if ((uint16_t)(tags->quads[way / 4] >> way % 4 * 16) == 0)
					continue;
				cr_assert_null(place.slot, "more than one slot is in use");
				place = (struct cache_place){tags, way,
							     slot_at(cache, class, set, way)};
			}
		}
	}
	cr_assert_not_null(place.slot, "no slot is in use");
	return place;
}

static struct cache *cache_with_one(void)
{
	struct cache *cache = private_cache(CACHE_SIZE_MIN);
	struct sample s = sample(1, 1);

	cr_assert_eq(sample_store(cache, &s, SAMPLE_NOW), 0);
	return cache;
}

Test(cache_share, lock_of_a_dead_writer_is_taken_over_after_its_time)
{
	struct cache *cache = cache_with_one();
	struct cache_slot *slot = only_place(cache).slot;
	struct sample s = sample(1, 2), got;
	uint64_t token;

	cr_assert_eq(slot_lock(slot, SAMPLE_NOW, &token), 0);
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, &got), -ENOENT);
	cr_assert_eq(sample_store(cache, &s, SAMPLE_NOW - 5), -EBUSY, "a clock read earlier");
	cr_assert_eq(sample_store(cache, &s, SAMPLE_NOW + SLOT_STALE_MS), -EBUSY);
	cr_assert_eq(sample_store(cache, &s, SAMPLE_NOW + SLOT_STALE_MS + 1), 0);
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, &got), 0);
	cr_assert_eq(got.version, 2);
	cache_close(cache);
}

Test(cache_share, lock_with_any_time_in_it_can_be_taken_over)
{
	struct cache *cache = cache_with_one();
	struct cache_slot *slot = only_place(cache).slot;
	struct sample s = sample(1, 2);

	srandom(3);
	for (int i = 0; i < 10000; i++) {
		uint64_t now = SAMPLE_NOW + (uint64_t)random() * 1000;

		slot->seq = (uint64_t)random() << 33 ^ (uint64_t)random() << 8 ^ 1;
		if (sample_store(cache, &s, now) == -EBUSY)
			cr_assert_eq(sample_store(cache, &s, now + 2 * SLOT_STALE_MS + 1), 0);
	}
	cache_close(cache);
}

Test(cache_share, writer_that_dies_after_any_word_leaves_no_half_entry)
{
	_Alignas(ENTRY_ALIGN) unsigned char blob[SAMPLE_MAX];
	struct cache *cache = cache_with_one();
	struct cache_slot *slot = only_place(cache).slot;
	uint64_t now = SAMPLE_NOW, token;

	for (unsigned words = 0; words <= 30; words++) {
		struct sample next = sample(1, words + 2);
		size_t len = sample_encode(&next, blob, sizeof(blob));

		now += 1000;
		cr_assert_eq(slot_lock(slot, now, &token), 0);
		slot_write_locked(slot, blob, words * 8 < len ? words * 8 : len);
		cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, NULL), -ENOENT);
		now += 1000;
		cr_assert_eq(sample_store(cache, &next, now), 0);
		cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, NULL), 0);
	}
	cache_close(cache);
}

Test(cache_share, writer_that_wakes_up_late_harms_one_entry)
{
	_Alignas(ENTRY_ALIGN) unsigned char blob[SAMPLE_MAX];
	struct cache *cache = cache_with_one();
	struct cache_place place = only_place(cache);
	struct sample late = sample(1, 7), other = sample(1, 8), got;
	size_t len = sample_encode(&late, blob, sizeof(blob));
	uint64_t token, seq;

	cr_assert_eq(slot_lock(place.slot, SAMPLE_NOW, &token), 0);
	cr_assert_eq(sample_store(cache, &other, SAMPLE_NOW + 1000), 0);
	slot_write_locked(place.slot, blob, len / 16 * 8);
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, &got), -ENOENT,
		     "half of one, half of the other");
	seq = place.slot->seq;
	slot_unlock(place.slot, token);
	cr_assert_eq(place.slot->seq, seq, "unlocked what was no longer its own");
	cr_assert_eq(sample_store(cache, &other, SAMPLE_NOW + 2000), 0);
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, &got), 0);
	cr_assert_eq(got.version, 8);
	only_place(cache); /* repaired where it stood */
	cache_close(cache);
}

Test(cache_share, copies_made_by_a_race_are_cleared_by_the_next_store)
{
	_Alignas(ENTRY_ALIGN) unsigned char blob[SAMPLE_MAX];
	struct cache *cache = cache_with_one();
	struct cache_place place = only_place(cache);
	struct sample s = sample(1, 2), got;
	uint64_t token, tag = place.set->quads[place.way / 4] >> place.way % 4 * 16;
	size_t len = sample_encode(&s, blob, sizeof(blob));
	unsigned way = (place.way + 4) % CACHE_TAGS;
	int slot_size = (int)cache->classes[CACHE_SMALL].slot_size;
	struct cache_slot *copy =
		(struct cache_slot *)((char *)place.slot + ((int)way - (int)place.way) * slot_size);

	cr_assert_eq(slot_lock(copy, SAMPLE_NOW, &token), 0);
	slot_write_locked(copy, blob, len);
	slot_unlock(copy, token);
	place.set->quads[way / 4] = (tag & UINT16_MAX) << way % 4 * 16;
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, &got), 0);
	s.version = 3;
	cr_assert_eq(sample_store(cache, &s, SAMPLE_NOW), 0);
	only_place(cache);
	cr_assert_eq(sample_lookup(cache, 1, SAMPLE_VIEW, &got), 0);
	cr_assert_eq(got.version, 3);
	cache_close(cache);
}

/* ---- threads and processes ---- */

#define NAMES 40 /* few, so that all meet */

/* Stores and looks up `rounds` times; returns how many answers were wrong. */
static unsigned work(struct cache *cache, unsigned seed, unsigned rounds, bool writes)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < rounds; i++) {
		unsigned r = (unsigned)rand_r(&seed);
		struct sample s = sample(r % NAMES, r / NAMES % 1000);

		s.size = r % 29 == 0 ? SAMPLE_LARGE : r % 7 == 0 ? SAMPLE_MEDIUM : SAMPLE_SMALL;
		if (writes && i % 2)
			sample_store(cache, &s, SAMPLE_NOW + i / 100);
		else if (sample_lookup(cache, s.number, SAMPLE_VIEW, NULL) == -EILSEQ)
			wrong++;
	}
	return wrong;
}

static struct cache *threads_cache;

static void *thread(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	return (void *)(uintptr_t)work(threads_cache, n, 40000 / SLOW, n % 2);
}

Test(cache_share, threads_find_whole_answers_only)
{
	pthread_t threads[4];

	threads_cache = private_cache(CACHE_SIZE_MIN);
	for (uintptr_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, thread, (void *)i), 0);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		cr_assert_null(wrong, "thread %d: %zu wrong answers", i, (size_t)wrong);
	}
	cache_close(threads_cache);
}

/* A cache in a file of a new directory, which is filled in. */
static struct cache *file_cache(char dir[64])
{
	char path[128], why[256];
	const struct cache_options options = {.path = path, .size = CACHE_SIZE_MIN};
	struct cache *cache = NULL;

	scratch_make(dir);
	snprintf(path, sizeof(path), "%s/cache", dir);
	cr_assert_eq(cache_open(&options, &cache, why), 0);
	cr_assert_eq(cache_backing(cache), CACHE_SHARED, "%s", why);
	return cache;
}

Test(cache_share, processes_find_whole_answers_only)
{
	char dir[64], path[128], why[256];
	const struct cache_options options = {.path = path, .size = CACHE_SIZE_MIN};
	struct cache *cache = file_cache(dir);
	pid_t pids[4];
	int status;

	snprintf(path, sizeof(path), "%s/cache", dir);
	for (unsigned i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct cache *own;

			/* a mapping of its own, at another address */
			if (cache_open(&options, &own, why) != 0 ||
			    cache_backing(own) != CACHE_SHARED)
				_exit(2);
			_exit(work(own, i, 40000 / SLOW, true) != 0);
		}
	}
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_assert_eq(status, 0, "process %d ended with %#x", i, status);
	}
	cr_assert_eq(work(cache, 9, 1000, false), 0);
	cache_close(cache);
	scratch_remove(dir);
}

/* ---- killed writers ---- */

#define KILLS	 (10500 / SLOW)
#define VERSIONS 12

/* Encoded before the fork, so that the writers do nothing but write. */
static _Alignas(ENTRY_ALIGN) unsigned char blobs[NAMES][VERSIONS][SAMPLE_MAX];
static size_t sizes[NAMES][VERSIONS];
static uint64_t hashes[NAMES];

static void encode_all(const struct cache *cache)
{
	for (unsigned n = 0; n < NAMES; n++) {
		char name[64];

		hashes[n] = cache_hash(cache, SAMPLE_VIEW, name, sample_name(n, name));
		for (unsigned v = 0; v < VERSIONS; v++) {
			struct sample s = sample(n, v);

			s.size = v == 11 ? SAMPLE_LARGE : v > 8 ? SAMPLE_MEDIUM : SAMPLE_SMALL;
			sizes[n][v] = sample_encode(&s, blobs[n][v], sizeof(blobs[n][v]));
		}
	}
}

/* Runs a hundred times as fast as the clock: a dead writer's lock lasts 1 ms, and a live writer
 * that is preempted loses its own. */
static uint64_t fast_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return SAMPLE_NOW + (uint64_t)t.tv_sec * 100000 + (uint64_t)t.tv_nsec / 10000;
}

/* Only the first half of the names: the others must stay. */
static pid_t start_writer(struct cache *cache, unsigned seed)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive a failed assertion */
		for (;;) {
			unsigned r = (unsigned)rand_r(&seed);
			unsigned n = r % (NAMES / 2), v = r / NAMES % VERSIONS;

			cache_store(cache, hashes[n], blobs[n][v], sizes[n][v], fast_ms());
		}
	}
	return pid;
}

static unsigned count_locked(const struct cache *cache)
{
	unsigned n = 0;

	for (int i = 0; i < CACHE_NCLASSES; i++) {
		const struct cache_class *class = &cache->classes[i];

		for (uint32_t set = 0; set < class->nsets; set++) {
			for (unsigned way = 0; way < class->ways; way++)
				n += slot_at(cache, class, set, way)->seq & 1;
		}
	}
	return n;
}

Test(cache_share, ten_thousand_killed_writers_leave_whole_answers, .timeout = 300)
{
	unsigned seed = 1, locked = 0, found = 0;
	char dir[64];
	struct cache *cache = file_cache(dir);
	pid_t pids[2] = {0};

	encode_all(cache);
	for (unsigned n = NAMES / 2; n < NAMES; n++)
		cr_assert_eq(cache_store(cache, hashes[n], blobs[n][0], sizes[n][0], SAMPLE_NOW),
			     0);
	for (unsigned i = 0; i < KILLS + 2; i++) {
		pid_t *pid = &pids[i % 2];
		unsigned looks = (unsigned)rand_r(&seed) % 32;

		for (unsigned k = 0; k < looks; k++) {
			unsigned n = (unsigned)rand_r(&seed) % NAMES;
			int err = sample_lookup(cache, n, SAMPLE_VIEW, NULL);

			cr_assert(err == 0 || err == -ENOENT, "wrong answer for %u: %d", n, err);
			cr_assert(err == 0 || n < NAMES / 2, "lost %u, which nobody wrote", n);
			found += err == 0;
		}
		if (*pid > 0) {
			kill(*pid, SIGKILL);
			waitpid(*pid, NULL, 0);
		}
		*pid = i < KILLS ? start_writer(cache, seed + i) : 0;
		cr_assert_geq(*pid, 0, "fork: %s", strerror(errno));
		if (i % 16 == 0)
			locked += count_locked(cache);
	}
	/* else the kills missed what they were meant for */
	cr_assert_gt(locked, 0, "no writer died in the middle");
	cr_assert_gt(found, KILLS);
	for (unsigned n = 0; n < NAMES; n++) {
		cr_assert_eq(
			cache_store(cache, hashes[n], blobs[n][1], sizes[n][1], fast_ms() + 1000),
			0, "%u cannot be stored any more", n);
		cr_assert_eq(sample_lookup(cache, n, SAMPLE_VIEW, NULL), 0);
	}
	cache_close(cache);
	scratch_remove(dir);
}

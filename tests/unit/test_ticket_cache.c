// SPDX-License-Identifier: MIT
/*
 * ticket_cache.c: each ticket is given once, to the one whose key it has, whole, within its time;
 * also where processes race, are stopped and are killed, and where the file is damaged. The content
 * of a ticket follows from its number.
 */
#include "shim/ticket_cache.h"

#include "shim/cache_region.h"
#include "shim/clock.h"
#include "tests/unit/test_cache_util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOW   SAMPLE_NOW
#define KEY   UINT64_C(0x1122334455667788)
#define OTHER UINT64_C(0x8877665544332211)
#define HOUR  3600u

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW 5
#else
#define SLOW 1
#endif

TestSuite(ticket_cache, .init = scratch_file_make, .fini = scratch_file_remove);

/* ---- tickets with a number ---- */

static unsigned make(unsigned number, unsigned char ret[RESOLVER_TICKET_MAX])
{
	unsigned len = 4 + number * 2654435761u % (RESOLVER_TICKET_MAX - 3);

	memcpy(ret, &number, 4);
	for (unsigned i = 4; i < len; i++)
		ret[i] = (unsigned char)(1 | (number * 31 + i * 7));
	return len;
}

static void put(struct cache *cache, uint64_t key, unsigned number, uint64_t now_ms)
{
	unsigned char ticket[RESOLVER_TICKET_MAX];

	ticket_put(cache, key, now_ms, ticket, make(number, ticket), HOUR);
}

/* The number; -ENOENT; -EILSEQ: not one that make() makes. */
static int take(struct cache *cache, uint64_t key, uint64_t now_ms)
{
	unsigned char got[RESOLVER_TICKET_MAX], want[RESOLVER_TICKET_MAX];
	int len = ticket_take(cache, key, now_ms, got, sizeof got);
	unsigned number;

	if (len < 0)
		return len;
	memcpy(&number, got, 4);
	return len == (int)make(number, want) && memcmp(got, want, (size_t)len) == 0 ? (int)number
										     : -EILSEQ;
}

/* How many bytes of the tickets' pages are not zero, locks aside. */
static size_t left_behind(struct cache *cache)
{
	size_t n = 0;

	for (unsigned i = 0; i < cache_region_ntickets(cache); i++) {
		const unsigned char *page =
			cache_region_find(cache, cache_region_ticket_at(cache, i));

		for (size_t at = sizeof(struct cache_slot); page != NULL && at < CACHE_PAGE; at++)
			n += page[at] != 0;
	}
	return n;
}

/* ---- one process ---- */

Test(ticket_cache, ticket_is_given_once_and_nothing_is_left_of_it)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);

	cr_expect_eq(take(cache, KEY, NOW), -ENOENT);
	put(cache, KEY, 7, NOW);
	cr_expect_gt(left_behind(cache), 0u);
	cr_expect_eq(take(cache, KEY, NOW), 7);
	cr_expect_eq(left_behind(cache), 0u);
	cr_expect_eq(take(cache, KEY, NOW), -ENOENT);
}

Test(ticket_cache, other_mapping_of_the_file_gives_it)
{
	struct cache *one = scratch_file_open(CACHE_SIZE_DEFAULT),
		     *two = scratch_file_open(CACHE_SIZE_DEFAULT);

	put(one, KEY, 7, NOW);
	cr_expect_eq(take(two, KEY, NOW), 7);
	cr_expect_eq(take(one, KEY, NOW), -ENOENT);
}

Test(ticket_cache, other_key_is_not_served)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);

	put(cache, KEY, 7, NOW);
	for (uint64_t key = 0; key < 1000; key++)
		cr_assert_eq(take(cache, key, NOW), -ENOENT);
	cr_expect_eq(take(cache, KEY, NOW), 7);
}

Test(ticket_cache, newest_goes_first_and_five_are_kept)
{
	struct cache *caches[] = {scratch_file_open(CACHE_SIZE_DEFAULT), NULL};

	for (int c = 0; c < 2; c++) {
		for (unsigned n = 1; n <= 9; n++)
			put(caches[c], KEY, n, NOW + n);
		for (int n = 9; n > 4; n--)
			cr_expect_eq(take(caches[c], KEY, NOW + 10), n, "cache %d", c);
		cr_expect_eq(take(caches[c], KEY, NOW + 10), -ENOENT, "cache %d", c);
	}
}

Test(ticket_cache, longest_and_shortest_ticket_are_kept_others_are_not)
{
	static unsigned char ticket[RESOLVER_TICKET_MAX + 1], got[RESOLVER_TICKET_MAX];
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);

	memset(ticket, 0xab, sizeof ticket);
	ticket_put(cache, KEY, NOW, ticket, RESOLVER_TICKET_MAX, HOUR);
	cr_expect_eq(ticket_take(cache, KEY, NOW, got, sizeof got), RESOLVER_TICKET_MAX);
	cr_expect_eq(memcmp(ticket, got, sizeof got), 0);
	ticket_put(cache, KEY, NOW, ticket, 1, HOUR);
	cr_expect_eq(ticket_take(cache, KEY, NOW, got, sizeof got), 1);
	ticket_put(cache, KEY, NOW, ticket, 0, HOUR);
	ticket_put(cache, KEY, NOW, ticket, RESOLVER_TICKET_MAX + 1, HOUR);
	cr_expect_eq(ticket_take(cache, KEY, NOW, got, sizeof got), -ENOENT);
}

Test(ticket_cache, expired_ticket_is_not_given_and_is_wiped_when_found)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	const uint64_t end = NOW + (uint64_t)HOUR * 1000;

	put(cache, KEY, 7, NOW);
	cr_expect_eq(take(cache, KEY, end - 1), 7);
	put(cache, KEY, 7, NOW);
	cr_expect_eq(take(cache, KEY, end), -ENOENT);
	cr_expect_eq(left_behind(cache), 0u);
	put(cache, KEY, 7, NOW);
	cr_expect_eq(take(cache, KEY, NOW - 1), -ENOENT, "put in the future");
}

Test(ticket_cache, no_ticket_outlives_a_week)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);
	const uint64_t week = UINT64_C(604800000);
	unsigned char got[RESOLVER_TICKET_MAX];

	ticket_put(cache, KEY, NOW, "ticket", 6, UINT32_MAX);
	cr_expect_eq(ticket_take(cache, KEY, NOW + week, got, sizeof got), -ENOENT);
	ticket_put(cache, KEY, NOW, "ticket", 6, UINT32_MAX);
	cr_expect_eq(ticket_take(cache, KEY, NOW + week - 1, got, sizeof got), 6);
	ticket_put(cache, KEY, NOW, "ticket", 6, 0);
	cr_expect_eq(ticket_take(cache, KEY, NOW, got, sizeof got), -ENOENT, "told to forget it");
}

/* One with a lock that nobody gives back, at most for the time of a dead owner's lock. */
Test(ticket_cache, busy_slot_is_passed_over_and_taken_over_when_its_owner_is_dead)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN); /* one ticket in all */
	struct cache_slot *slot;
	uint64_t token;

	cr_assert_eq(cache_region_ntickets(cache), 1u);
	put(cache, KEY, 7, NOW);
	slot = cache_region_find(cache, cache_region_ticket_at(cache, 0));
	cr_assert_eq(slot_lock(slot, NOW, &token), 0);
	cr_expect_eq(take(cache, KEY, NOW + SLOT_STALE_MS), -ENOENT);
	put(cache, KEY, 8, NOW + SLOT_STALE_MS);
	cr_expect_eq(take(cache, KEY, NOW + SLOT_STALE_MS + 1), 7);
	slot_unlock(slot, token); /* not dead after all */
	put(cache, KEY, 9, NOW + SLOT_STALE_MS + 1);
	cr_expect_eq(take(cache, KEY, NOW + SLOT_STALE_MS + 1), 9);
}

/* As on a full file system: behind the end of a file no page can be had. */
Test(ticket_cache, without_memory_nothing_is_kept)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_DEFAULT);

	cr_assert_eq(truncate(scratch_path, (off_t)(cache->region_at + CACHE_REGION_FIXED)), 0);
	put(cache, KEY, 7, NOW);
	cr_expect_eq(take(cache, KEY, NOW), -ENOENT);
}

Test(ticket_cache, every_size_of_cache_has_room)
{
	for (size_t size = CACHE_SIZE_MIN; size <= CACHE_SIZE_DEFAULT * 4; size *= 2) {
		struct cache *cache = scratch_file_open(size);
		unsigned n = cache_region_ntickets(cache), kept = 0;

		for (uint64_t key = 0; key < 500; key++)
			put(cache, key, (unsigned)key + 1, NOW);
		for (uint64_t key = 0; key < 500; key++)
			kept += take(cache, key, NOW) == (int)key + 1;
		cr_expect_eq(kept, n, "%zu bytes: %u of %u", size, kept, n);
		cr_expect(size < CACHE_SIZE_DEFAULT || (n >= 32 && n <= 64), "%u", n);
		cache_close(cache);
	}
}

/* What fork() copies would be used twice. */
Test(ticket_cache, own_tickets_are_not_the_forked_childs)
{
	struct cache *private = private_cache(CACHE_SIZE_MIN);
	int status;

	put(NULL, KEY, 7, NOW);
	put(private, OTHER, 8, NOW);
	if (fork() == 0) {
		ticket_reset();
		_exit(take(NULL, KEY, NOW) != -ENOENT || take(private, OTHER, NOW) != -ENOENT);
	}
	cr_assert_neq(wait(&status), -1);
	cr_expect_eq(status, 0);
	cr_expect_eq(take(NULL, KEY, NOW), 7);
	cr_expect_eq(take(private, OTHER, NOW), 8);
}

/* ---- damage ---- */

static unsigned seed;

static unsigned below(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static void damage(struct cache *cache, unsigned ticket)
{
	unsigned char *page = cache_region_claim(cache, cache_region_ticket_at(cache, ticket));
	unsigned at = below(CACHE_PAGE), len = 1 + below(below(3) ? 16 : CACHE_PAGE - at);

	if (below(3) == 0)
		at = below(sizeof(struct cache_slot) + 48); /* where the lock and the head are */
	for (unsigned i = at; i < CACHE_PAGE && i < at + len; i++)
		page[i] = below(4) ? (unsigned char)rand_r(&seed) : below(2) ? 0 : 0xff;
}

Test(ticket_cache, damage_gives_no_ticket_that_was_not_put, .timeout = 120)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN * 4);
	unsigned n = cache_region_ntickets(cache), given = 0;
	uint64_t now = NOW;

	seed = 5;
	for (unsigned round = 0; round < 100000 / SLOW; round++) {
		uint64_t key = below(3);
		int got;

		put(cache, key, round + 1, now += 200); /* a damaged lock has gone stale */
		damage(cache, below(n));
		got = take(cache, key, now);
		cr_assert(got == -ENOENT || got > 0, "round %u: %d", round, got);
		given += got > 0;
	}
	cr_expect_gt(given, 20000u / SLOW, "hardly any survived: the damage proves little");
}

/* ---- who gets what ---- */

#define TICKETS (1u << 24)

/* Shared by all who take and put. */
struct tally {
	_Atomic unsigned next; /* number of the next ticket */
	_Atomic unsigned twice, torn, taken;
	_Atomic unsigned char given[TICKETS];
};

static struct tally *new_tally(void)
{
	struct tally *tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	cr_assert_neq(tally, MAP_FAILED);
	return tally;
}

static void put_next(struct cache *cache, struct tally *tally, uint64_t key, uint64_t now_ms)
{
	unsigned number = atomic_fetch_add(&tally->next, 1);

	if (number < TICKETS)
		put(cache, key, number, now_ms);
}

/* True: it got one. */
static bool take_any(struct cache *cache, struct tally *tally, uint64_t key, uint64_t now_ms)
{
	int got = take(cache, key, now_ms);

	if (got == -ENOENT)
		return false;
	atomic_fetch_add(&tally->taken, 1);
	if (got < 0 || got >= (int)TICKETS)
		atomic_fetch_add(&tally->torn, 1);
	else if (atomic_fetch_add(&tally->given[got], 1) > 0)
		atomic_fetch_add(&tally->twice, 1);
	return true;
}

static void check(const struct tally *tally)
{
	cr_expect_eq(tally->twice, 0u, "%u of %u tickets were given twice", tally->twice,
		     tally->taken);
	cr_expect_eq(tally->torn, 0u, "%u of %u tickets were torn", tally->torn, tally->taken);
	cr_expect_gt(tally->taken, 0u);
}

/* ---- interrupted ---- */

static struct cache *interrupted;
static struct tally *tally_of_both;
static volatile sig_atomic_t inside, overtaken;

/* Another process, to which the interrupted one's lock is a dead one's, at any instruction of it.
 */
static void overtake(int sig)
{
	(void)sig;
	overtaken += take_any(interrupted, tally_of_both, KEY, NOW + 1000) && inside;
	if (overtaken % 2)
		put_next(interrupted, tally_of_both, KEY, NOW);
}

/* A stopped process, seen from inside: it goes on when another one has taken its lock over. */
Test(ticket_cache, process_that_lost_its_lock_does_not_get_the_ticket_too, .timeout = 120)
{
	const struct itimerval often = {{0, 40}, {0, 40}}, never = {0};

	interrupted = scratch_file_open(CACHE_SIZE_MIN);
	tally_of_both = new_tally();
	signal(SIGALRM, overtake);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned i = 0; i < 4000000u / SLOW && overtaken < 300; i++) {
		put_next(interrupted, tally_of_both, KEY, NOW);
		inside = 1;
		take_any(interrupted, tally_of_both, KEY, NOW);
		inside = 0;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	cr_expect_gt(overtaken, 0, "never interrupted where it matters");
	check(tally_of_both);
}

/* ---- processes ---- */

#define NPROCS 4
#define KILLS  (300 / SLOW)
static void take_and_put(struct cache *cache, struct tally *tally, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t now_ms = clock_boot_ms();

		put_next(cache, tally, i % 2 ? KEY : OTHER, now_ms);
		take_any(cache, tally, i % 3 ? KEY : OTHER, now_ms);
	}
}

static pid_t start(struct tally *tally, size_t size, unsigned rounds)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	take_and_put(scratch_file_open(size), tally, rounds);
	_exit(0);
}

/* One slot in all, so that all meet. */
Test(ticket_cache, racing_processes_never_get_the_same_ticket, .timeout = 120)
{
	struct tally *tally = new_tally();
	pid_t pids[NPROCS];
	int status;

	for (int i = 0; i < NPROCS; i++)
		pids[i] = start(tally, CACHE_SIZE_MIN, 60000 / SLOW);
	for (int i = 0; i < NPROCS; i++) {
		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_assert_eq(status, 0, "process %d ended with %#x", i, status);
	}
	check(tally);
}

/* Stopped for longer than its lock lasts, and killed, wherever it happens to be. */
Test(ticket_cache, stopped_and_killed_processes_give_no_ticket_twice, .timeout = 240)
{
	struct cache *cache = scratch_file_open(CACHE_SIZE_MIN);
	struct tally *tally = new_tally();
	pid_t pids[NPROCS];

	seed = 9;
	for (int i = 0; i < NPROCS; i++)
		pids[i] = start(tally, CACHE_SIZE_MIN, UINT32_MAX);
	for (int n = 0; n < KILLS; n++) {
		const struct timespec a_little = {.tv_nsec = 1000 * (long)below(3000)};
		const struct timespec stale = {.tv_nsec = 1000000 * ((long)SLOT_STALE_MS + 30)};
		pid_t *victim = &pids[below(NPROCS)];

		nanosleep(&a_little, NULL);
		if (n % 20 == 0) {
			kill(*victim, SIGSTOP);
			nanosleep(&stale, NULL);
			kill(*victim, SIGCONT);
			continue;
		}
		kill(*victim, SIGKILL);
		waitpid(*victim, NULL, 0);
		*victim = start(tally, CACHE_SIZE_MIN, UINT32_MAX);
	}
	for (int i = 0; i < NPROCS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	check(tally);
	put(cache, KEY, 77, clock_boot_ms() + 1000);
	cr_expect_eq(take(cache, KEY, clock_boot_ms() + 1000), 77, "a dead one's lock stays");
}

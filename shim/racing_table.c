// SPDX-License-Identifier: MIT
/*
 * racing_table.c - see racing_table.h.
 */
#include "shim/racing_table.h"

#include "shim/lock.h"
#include "shim/process.h"
#include "shim/sleepers.h"

#include <assert.h>

static_assert(RACING_MAX <= UINT16_MAX - PRIVATE_FD_RACING, "a mark has 16 bits");

static struct lock table_lock;
static _Thread_local bool forks; /* this thread holds the lock for its fork() */
static struct racing races[RACING_MAX];
static unsigned nplaces; /* from here on never used */
static unsigned lowest;	 /* none below is free */
static _Atomic int top;	 /* no number that races is above; changed under the lock */

_Atomic unsigned racing_count;

static _Atomic uint64_t duplicated[PRIVATE_FD_MAX / 64]; /* by number */
static _Atomic int duplicated_top;

/* ---- sessions ---- */

bool racing_may(void)
{
	return process_peek() == PROCESS_OWNER && !private_fd_left_table();
}

static void take(void)
{
	if (!forks)
		lock_take(&table_lock);
}

static void release(void)
{
	if (!forks)
		lock_release(&table_lock);
}

bool racing_fork_prepare(void)
{
	if (racing_any() && racing_may())
		forks = lock_take_within(&table_lock, RACING_FORK_MS);
	return forks;
}

void racing_fork_over(void)
{
	if (!forks)
		return;
	forks = false;
	lock_release(&table_lock);
}

void racing_open(struct racing_session *s)
{
	s->n = 0;
	lock_stretch_begin(&s->stretch);
	take();
}

/* The program's threads may sleep on a placeholder, and a stop wakes the io thread: not under the
 * lock. */
void racing_close_session(struct racing_session *s)
{
	bool woken;

	release();
	for (unsigned i = 0; i < s->n; i++) {
		(void)attempts_stop(s->ended[i].attempts);
		woken = s->ended[i].peer > 0 && sleepers_wake(s->ended[i].peer, s->ended[i].end);
		attempts_release(s->ended[i].attempts);
		if (woken)
			sleepers_keep(s->ended[i].peer);
	}
	lock_stretch_end(&s->stretch);
}

/* ---- races ---- */

struct racing *racing_place(unsigned i)
{
	return &races[i];
}

unsigned racing_places(void)
{
	return nplaces;
}

struct racing *racing_new(void)
{
	while (lowest < RACING_MAX && races[lowest].used)
		lowest++;
	if (lowest == RACING_MAX)
		return NULL;
	if (lowest >= nplaces)
		nplaces = lowest + 1;
	races[lowest] = (struct racing){.used = true};
	atomic_fetch_add_explicit(&racing_count, 1, memory_order_relaxed);
	return &races[lowest++];
}

void racing_free(struct racing *race)
{
	race->active = false;
	race->used = false;
	race->attempts = NULL;
	if (race - races < lowest)
		lowest = (unsigned)(race - races);
	atomic_fetch_sub_explicit(&racing_count, 1, memory_order_relaxed);
}

struct racing *racing_of(struct racing *guess, const struct attempts *a)
{
	if (guess && guess->used && guess->attempts == a)
		return guess;
	for (unsigned i = 0; i < nplaces; i++)
		if (races[i].used && races[i].attempts == a)
			return &races[i];
	return NULL;
}

/* ---- numbers ---- */

static uint16_t mark_of(const struct racing *race)
{
	return (uint16_t)(PRIVATE_FD_RACING + (race - races));
}

static void unmark(const struct racing *race, int fd)
{
	uint16_t mark = mark_of(race);

	atomic_compare_exchange_strong(&private_fd_slots[fd], &mark, 0);
}

static struct racing *marked(int fd)
{
	unsigned mark = private_fd_special(fd);

	return mark >= PRIVATE_FD_RACING ? &races[mark - PRIVATE_FD_RACING] : NULL;
}

struct racing *racing_at(struct racing_session *s, int fd)
{
	struct racing *race = marked(fd);

	if (!race || swap_is(fd, &race->id))
		return race;
	racing_remove(s, race, fd);
	return NULL;
}

/* The number may be one that the table of the private descriptors takes for its own, or another
 * race: then the program has taken it from there behind the hooks. */
int racing_add(struct racing_session *s, struct racing *race, int fd)
{
	struct racing *stale = marked(fd);
	uint16_t none = 0;

	if (stale == race)
		return 0;
	if (race->n == RACING_NUMBERS || (unsigned)fd >= PRIVATE_FD_MAX)
		return -ENOSPC;
	if (stale && s->n == RACING_ENDED)
		return -ENOSPC;
	if (stale)
		racing_remove(s, stale, fd);
	if (private_fd_is(fd) && private_fd_shields(fd))
		return -EBADF;
	if (!atomic_compare_exchange_strong(&private_fd_slots[fd], &none, mark_of(race)))
		return -EBADF;
	if (fd > top)
		top = fd;
	race->numbers[race->n++] = fd;
	return 0;
}

void racing_remove(struct racing_session *s, struct racing *race, int fd)
{
	unmark(race, fd);
	registrations_forget(&race->registrations, fd);
	for (unsigned i = race->n; i-- > 0;)
		if (race->numbers[i] == fd)
			race->numbers[i] = race->numbers[--race->n];
	if (race->n == 0 && !race->blocking)
		racing_end(s, race);
}

void racing_unmark(struct racing *race)
{
	for (unsigned i = 0; i < race->n; i++)
		unmark(race, race->numbers[i]);
	race->n = 0;
}

void racing_end(struct racing_session *s, struct racing *race)
{
	racing_unmark(race);
	race->active = false;
	assert(s->n < RACING_ENDED);
	s->ended[s->n].attempts = race->attempts;
	s->ended[s->n].peer = race->peer;
	s->ended[s->n].end = race->end;
	s->n++;
	if (race->blocking)
		attempts_hold(race->attempts);
	else
		racing_free(race);
}

int racing_next(unsigned first, unsigned last)
{
	if (!racing_any())
		return -1;
	for (unsigned n = first; n <= last && n < PRIVATE_FD_MAX && (int)n <= top; n++)
		if (racing_is((int)n))
			return (int)n;
	return -1;
}

/* ---- duplicates ---- */

static void note_duplicate(int fd)
{
	_Atomic uint64_t *word = &duplicated[fd / 64];
	const uint64_t bit = (uint64_t)1 << (fd % 64);
	int was = atomic_load_explicit(&duplicated_top, memory_order_relaxed);

	if (!(atomic_load_explicit(word, memory_order_relaxed) & bit))
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	while (fd > was && !atomic_compare_exchange_weak(&duplicated_top, &was, fd))
		;
}

void racing_note_dup(int oldfd, int newfd)
{
	if ((unsigned)oldfd >= PRIVATE_FD_MAX || (unsigned)newfd >= PRIVATE_FD_MAX)
		return;
	note_duplicate(oldfd);
	note_duplicate(newfd);
}

static void forget_duplicate(int fd)
{
	atomic_fetch_and_explicit(&duplicated[fd / 64], ~((uint64_t)1 << (fd % 64)),
				  memory_order_relaxed);
}

static int add_if_duplicate(struct racing_session *s, struct racing *race, int fd)
{
	struct swap_id there;

	/* The program has closed it, and the copy of the socket may have come there. */
	if (swap_identify(fd, &there) < 0 || private_fd_shields(fd)) {
		forget_duplicate(fd);
		return 0;
	}
	if (there.dev != race->own_id.dev || there.ino != race->own_id.ino)
		return 0;
	return racing_add(s, race, fd);
}

int racing_add_duplicates(struct racing_session *s, struct racing *race, int fd)
{
	int r = 0, end = atomic_load(&duplicated_top);

	if (!(atomic_load(&duplicated[fd / 64]) & (uint64_t)1 << (fd % 64)))
		return 0;
	for (int base = 0; base <= end && r == 0; base += 64) {
		uint64_t bits = atomic_load(&duplicated[base / 64]);

		for (; bits != 0 && r == 0; bits &= bits - 1)
			r = add_if_duplicate(s, race, base + __builtin_ctzll(bits));
	}
	if (r == 0 && race->n == 1)
		forget_duplicate(fd);
	return r;
}

void racing_table_reset(void)
{
	lock_reset(&table_lock);
	for (int fd = 0; fd <= top; fd++)
		if (racing_is(fd))
			private_fd_slots[fd] = 0;
	for (unsigned i = 0; i < nplaces; i++) {
		races[i].used = false;
		races[i].active = false;
	}
	nplaces = lowest = 0;
	atomic_store(&racing_count, 0);
}

// SPDX-License-Identifier: MIT
/*
 * racing_table.h - which numbers of the program belong to which race. The inner half of racing.h.
 *
 * One lock for all changes. Races are in a table of fixed size; private_fd_slots[] holds, for a
 * number that races, PRIVATE_FD_RACING + the race's place (what a mark is).
 *
 *	struct racing_session s;
 *
 *	racing_open(&s);                the lock is taken, signals are blocked
 *	race = racing_at(&s, fd);       NULL: no race is on under fd, or not any more
 *	...
 *	racing_close_session(&s);       the lock is released, and what has ended put away
 *
 * Invariant: each number of a race has its mark, unless the program has taken the number away by a
 * raw system call. Whoever asks for a number finds out.
 */
#ifndef NOBLOCKDNS_RACING_TABLE_H
#define NOBLOCKDNS_RACING_TABLE_H

#include "shim/racing.h"
#include "shim/registrations.h"
#include "shim/swap.h"

#define RACING_MAX                                                                                 \
	4096		 /* each needs three private descriptors or more, of which there are 8192  \
			  */
#define RACING_NUMBERS 8 /* duplicates in one race */

/* All guarded by the lock; `active` is read without it by a forked child. */
struct racing {
	_Atomic bool active; /* numbers may hold what `id` says */
	bool used;
	bool blocking;
	bool over;		   /* before it was active */
	bool replaced;		   /* blocking: by the winner, at its end */
	struct attempts *attempts; /* owns a reference; blocking: borrows */
	int own;		   /* handle of the program's socket; the attempts own it */
	int peer;		   /* placeholder's; owns; 0: none */
	int end;	   /* the placeholder, for the sake of O_ASYNC; owns; 0: not wanted */
	struct swap_id id; /* of the file under the numbers */
	struct swap_id own_id;
	unsigned n;
	int numbers[RACING_NUMBERS];
	struct registration_list registrations; /* those of the numbers */
};

#define RACING_ENDED 3 /* races that one session can end */

struct racing_session {
	struct lock_stretch stretch; /* a handler that leaves by siglongjmp() would lose `ended` */
	unsigned n;
	struct {
		struct attempts *attempts; /* owns a reference */
		int peer, end;
	} ended[RACING_ENDED];
};

/* False in a child that shares memory, in one that has not been cleaned up (racing_fork.c), and in
 * a thread with numbers of its own: nothing races there. To be asked first. */
bool racing_may(void);

/*
 * For pthread_atfork(): a child has the table of descriptors as it was a moment before its memory,
 * and cannot repair a race that has ended in between. So fork() waits until nobody is at work on
 * the races, RACING_FORK_MS at most, and holds up the next one until it has forked. In between,
 * other handlers on this thread may do what they like with numbers that race.
 */
#define RACING_FORK_MS 100
bool racing_fork_prepare(void); /* false: nothing races, or somebody is still at work */
void racing_fork_over(void);	/* in the parent and in the child */

void racing_open(struct racing_session *s);
void racing_close_session(struct racing_session *s);

/* The race under `fd`, whose file there is looked at. Another file's: the number leaves the race.
 */
struct racing *racing_at(struct racing_session *s, int fd);

/* The race of `a`; `guess` is where it probably is, NULL or not. NULL: it has ended. */
struct racing *racing_of(struct racing *guess, const struct attempts *a);

/* A free place; NULL: none left. It is the caller's to fill, under the lock. */
struct racing *racing_new(void);

/* Another number for it. 0; -ENOSPC. */
int racing_add(struct racing_session *s, struct racing *race, int fd);

/* The number leaves the race, which ends with its last one. That of a blocking socket goes on for
 * its sleeper, as connect() does. */
void racing_remove(struct racing_session *s, struct racing *race, int fd);

/* All numbers leave, and the session's end puts away what is left. A blocking one keeps its place
 * for its sleeper. */
void racing_end(struct racing_session *s, struct racing *race);

/* Frees the place; no number may be in it. */
void racing_free(struct racing *race);

/* Takes the marks away, and nothing else. */
void racing_unmark(struct racing *race);

/* Adds the numbers that are duplicates of `fd`, which was there before the race. 0 or -ENOSPC. */
int racing_add_duplicates(struct racing_session *s, struct racing *race, int fd);

/* The places, for a loop over all: racing_places() have ever been used. */
struct racing *racing_place(unsigned i);
unsigned racing_places(void);

/* All is forgotten, the lock is free. In a forked child with one thread. */
void racing_table_reset(void);

/* ---- racing_fork.c ---- */

/* Before a race. False: it is the process's first, and the caller may be in a signal handler, where
 * it cannot be prepared for (in_handler.h). */
bool racing_guard_fork(void);

/* Where !racing_may(): puts the own socket under `fd` in the caller's table of descriptors. No
 * lock, no shared memory written. */
void racing_repair(int fd);

#endif

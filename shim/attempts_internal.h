// SPDX-License-Identifier: MIT
/*
 * attempts_internal.h - what the files of attempts.h share.
 *
 *	attempts.c	    the owner's side: made, started, stopped, looked at
 *	attempts_connect.c  sockets that connect
 *	attempts_run.c	    the io thread's side: what happens, and what is done about it
 *	attempts_note.c	    what is left for others: history, counters
 *	attempts_list.c	    all that are running
 *	attempts_room.c	    how many descriptors they may take
 *
 *	end	RUNNING --on the io thread: decided--> WON, LOST --> over()
 *		        --attempts_stop(), any thread--> STOPPED
 *		        --attempts_connected()--> FIRST
 *
 * Whoever changes `end` is the one who ends the race. All else belongs to the thread that made the
 * race until attempts_start(), and to the io thread from then on; but handles of attempts are
 * atomic, for attempts_option().
 *
 * A race holds: one reference of its owner; one of the io thread, from the start until it has put
 * everything away; one of each task that is under way.
 */
#ifndef NOBLOCKDNS_ATTEMPTS_INTERNAL_H
#define NOBLOCKDNS_ATTEMPTS_INTERNAL_H

#include "shim/attempts.h"
#include "shim/history.h"
#include "shim/io.h"
#include "shim/race.h"

#include <stdatomic.h>

struct attempt {
	_Atomic int handle; /* 0: none */
	uint64_t since_ms;
};

struct attempts {
	struct io_task start, fail, stop;
	_Atomic uint32_t end; /* enum attempts_end */
	_Atomic uint32_t refs;
	_Atomic uint64_t rival_ms; /* when the program's first other attempt was seen; 0: none */
	int rival_fd;		   /* its number; before rival_ms */
	bool at_work;		   /* io thread: watches and timer may be on */
	struct attempts_goal goal;
	attempts_over_fn over;
	void *arg;
	int own;		/* handle; owns */
	_Atomic int own_error;	/* what attempts_failed() said; before `fail` is handed over */
	unsigned own_candidate; /* what the own socket connects to */
	uint64_t silent_ms;	/* how long that had had no answer when another won */
	int shown; /* handle of the winner, or of the own socket, which has the error; borrows */
	int error;
	bool has_history;
	struct history_view history;
	struct race race;
	struct io_timer timer;
	struct order_dest dests[RACE_MAX]; /* by the race's numbers */
	struct attempt attempts[RACE_MAX]; /* likewise; own those of private sockets */
	uint64_t since_ms;
	struct attempts *prev, *next; /* guarded by list_lock */
};

/* attempts_connect.c. The address of a candidate for a socket of the race's family. */
int attempts_connect_to(const struct attempts *a, unsigned candidate, int fd);

/* A private socket like the program's own, connecting: the candidate's from before it is made
 * alike. Its handle, or a negative errno. */
int attempts_open_private(struct attempts *a, unsigned candidate);

/* Closes a socket that has lost. It may be connected, and with the program's SO_LINGER close()
 * would wait for its peer, with locks held that all others wait for. */
void attempts_discard(int handle);

/* attempts_run.c: tasks of the io thread. */
void attempts_on_start(struct io_task *task, uint64_t now_ms);
void attempts_on_failure(struct io_task *task, uint64_t now_ms);
void attempts_on_stop(struct io_task *task, uint64_t now_ms);

/* attempts.c. One address more; those that are there already are left out. */
void attempts_add(struct attempts *a, const struct order_dest *dest, uint64_t now_ms);
void attempts_pool_forked(void);

/*
 * attempts_note.c. An attempt has begun (which shows that the others have been without an answer
 * for a delay); is connected, rtt_us as of attempt_result.h; has failed, with an unknown errno
 * where that is 0; is ended because another has won. The race has begun; is over; those that
 * are broken and had no turn may be re-tried.
 */
void attempts_note_start(struct attempts *a, uint64_t now_ms);
void attempts_note_connected(struct attempts *a, unsigned candidate, uint32_t rtt_us,
			     uint64_t now_ms);
void attempts_note_failure(struct attempts *a, unsigned candidate, int error, uint64_t now_ms);
void attempts_note_lost(struct attempts *a, unsigned candidate, uint64_t now_ms);
void attempts_note_begin(struct attempts *a);
void attempts_note_untried(struct attempts *a, uint64_t now_ms);
void attempts_note_end(const struct attempts *a, enum attempts_end end);

/* attempts_list.c. */
void attempts_enlist(struct attempts *a);
void attempts_delist(struct attempts *a);
unsigned attempts_running(void); /* any thread */

/* attempts_room.c. May it have another private socket? */
bool attempts_room_more(const struct attempts *a);

#endif

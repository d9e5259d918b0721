// SPDX-License-Identifier: MIT
/*
 * registrations.h - in which epoll sets the program's numbers are, with what events and data.
 *
 * epoll knows a member by open file and number. When another file comes under the number, the
 * program's registrations have to be taken out before, and entered anew after, and the kernel tells
 * nobody what they were. So the epoll_ctl() hook takes notes for every number, for many a program
 * (nginx) registers its socket before connect(): three stores, no lock, no allocation.
 *
 * The latest set of a number is noted, until close() or dup2() put an end to what the number was;
 * EPOLL_CTL_DEL says which notes are true. A number can be in other sets too, or have got there
 * past the hook (io_uring, a raw system call): of the sets that the hook has seen, the kernel is
 * asked for each race (kcmp(2): 1 us a set, and 20 us for each 1,000 members; one
 * that takes longer than 200 us twice in a row is not asked any more), and where it says
 * yes, or does not answer, /proc/thread-self/fdinfo/<set> is read.
 *
 * Where that cannot be read either (no /proc), nothing is put in the number's place. But a
 * registration that gets in past the hook while a placeholder is there is lost then. Believed are
 * notes of numbers that were closed past the hook, or by close_range(), and registered anew in the
 * same set past it.
 *
 * All but registrations_note() run under the lock of racing_table.h, and make raw system calls
 * only.
 */
#ifndef NOBLOCKDNS_REGISTRATIONS_H
#define NOBLOCKDNS_REGISTRATIONS_H

#include "shim/sys.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct registration {
	int fd, epfd;
	uint32_t events;
	uint64_t data;
};

#define REGISTRATIONS_MAX 8 /* of one race; more, and it is not raced */

struct registration_list {
	unsigned n;
	struct registration r[REGISTRATIONS_MAX];
};

/* There is an epoll set. Any thread, signal handlers. */
void registrations_set(int epfd);

/* The program's epoll_ctl() has succeeded. Any thread, signal handlers. */
void registrations_note(int epfd, int op, int fd, const struct epoll_event *event);

#define REGISTRATIONS_NOTES 65536 /* numbers; others are asked for */

struct registration_note {
	_Atomic uint32_t set; /* number of the epoll set + 1; 0: none */
	_Atomic uint32_t events;
	_Atomic uint64_t data;
};

extern struct registration_note registrations_notes[REGISTRATIONS_NOTES];

/* The number stands for no file any more, or for another. One relaxed load, mostly. (A child of
 * vfork may clear what is true of its parent's: a note is only a shorter way than to ask.) */
static inline void registrations_closed(int fd)
{
	if ((unsigned)fd < REGISTRATIONS_NOTES &&
	    atomic_load_explicit(&registrations_notes[fd].set, memory_order_relaxed) != 0)
		atomic_store_explicit(&registrations_notes[fd].set, 0, memory_order_relaxed);
}

/* Can a number be registered at all? The hook has seen a set. */
bool registrations_any(void);

/* Adds to the list what `fd` is registered in. 0, or -ENOSPC, -ENODATA: not all could be found. */
int registrations_find(int fd, struct registration_list *list);

/*
 * The same for a number with a placeholder, and for those that the list does not have. Asks by
 * trying: of a file that is never ready nobody is told.
 */
void registrations_find_missing(int fd, struct registration_list *list);

/* What a successful epoll_ctl() on a number of the list's makes of it, and whether there is room
 * for that, to be asked before. */
bool registrations_may_change(struct registration_list *list, int epfd, int op, int fd);
void registrations_change(struct registration_list *list, int epfd, int op, int fd,
			  const struct epoll_event *event);

/* All that concern `fd` are forgotten. */
void registrations_forget(struct registration_list *list, int fd);

/* Takes them out. Those that are there no more leave the list. */
void registrations_leave(struct registration_list *list);

/* Enters them for the files that the numbers stand for now, and notes them. */
void registrations_enter(const struct registration_list *list);

/*
 * What /proc/thread-self/fdinfo/<epfd> says of `fd` with the inode `ino`. 0; -ENOENT: it is not
 * there; -ENODATA: the file is not.
 */
int registrations_read(int epfd, int fd, ino_t ino, struct registration *ret);

#endif

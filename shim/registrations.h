// SPDX-License-Identifier: MIT
/*
 * registrations.h - in which epoll sets the program's numbers are, with what events and data.
 *
 * epoll knows a member by open file and number. When another file comes under the number, the
 * program's registrations have to be taken out before, and entered anew after, and the kernel tells
 * nobody what they were. So the epoll_ctl() hook takes notes for every number, for many a program
 * (nginx) registers its socket before connect(): three stores, no lock, no allocation.
 *
 * The latest set of a number is noted. Notes are never cleared at close(): EPOLL_CTL_DEL says which
 * are true. Where a number has been in more sets than one, or went in past the hook (io_uring, a
 * raw system call), the kernel is asked (kcmp(2)), set by set, for the sets that the hook has seen,
 * and /proc/self/fdinfo/<set> read where it says yes: slow, rare, and exact.
 *
 * All but registrations_note() run under the lock of racing_table.h, and make raw system calls
 * only.
 */
#ifndef NOBLOCKDNS_REGISTRATIONS_H
#define NOBLOCKDNS_REGISTRATIONS_H

#include "shim/sys.h"

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

/* Adds to the list what `fd` is registered in. 0, or -ENOSPC, -ENODATA: not all could be found. */
int registrations_find(int fd, struct registration_list *list);

/*
 * The same for a number with a placeholder, and for those that the list does not have. Asks by
 * trying: of a file that is never ready nobody is told.
 */
void registrations_find_missing(int fd, struct registration_list *list);

/* What a successful epoll_ctl() on a number of the list's makes of it. 0 or -ENOSPC. */
int registrations_change(struct registration_list *list, int epfd, int op, int fd,
			 const struct epoll_event *event);

/* All that concern `fd` are forgotten. */
void registrations_forget(struct registration_list *list, int fd);

/* Takes them out. Those that are there no more leave the list. */
void registrations_leave(struct registration_list *list);

/* Enters them for the files that the numbers stand for now, and notes them. */
void registrations_enter(const struct registration_list *list);

/*
 * What /proc/self/fdinfo/<epfd> says of `fd` with the inode `ino`. 0; -ENOENT: it is not there; or
 * another negative errno.
 */
int registrations_read(int epfd, int fd, ino_t ino, struct registration *ret);

#endif

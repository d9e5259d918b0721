// SPDX-License-Identifier: MIT
/*
 * private_fd_table.h - which number belongs to which handle, and whether it is still ours. The
 * inner half of private_fd.h, for private_fd.c alone.
 *
 * Two tables: slots by handle, and, by number, which slot lives there. Both are static: no malloc
 * under the lock, since an allocator may call close() under its own. Both grow as they are touched.
 *
 * Invariant: private_fd_slots[slot.number] is that slot's index + 1 for each slot in use. Other
 * numbers have 0 there, or the mark of a race (racing_table.h).
 *
 * Everything here runs under the lock of private_fd.c.
 */
#ifndef NOBLOCKDNS_PRIVATE_FD_TABLE_H
#define NOBLOCKDNS_PRIVATE_FD_TABLE_H

#include "shim/private_fd.h"

struct private_fd_slot {
	/* atomic for a thread that has left the table (private_fd_number_forked()) */
	_Atomic int number; /* 0: free */
	_Atomic uint8_t
		generation; /* 1 to 7; the next one when freed, so that old handles are recognised
			     */
	bool anonymous;	    /* shares its inode with others (private_fd.h) */
	bool close_it;	    /* private_fd_reset()'s note */
	uint16_t next;	    /* free slots: index + 1 of the next one */
	uint32_t turn;	    /* in which it was checked last; 0: none */
	dev_t dev;
	ino_t ino;

	/* Registration in an epoll set of ours; epoll 0: none. */
	int epoll;
	uint32_t events;
	uint64_t data;
};

/* Slots from here on were never used. A loop over all slots ends here. */
extern unsigned private_fd_table_end;

/* Ends the calling thread's turn, if it has one, and begins the next. */
void private_fd_table_turn(void);

/* Ends it. */
void private_fd_table_turn_over(void);

/* The calling thread has a table of its own: no verdict there says anything about ours. */
extern _Thread_local bool private_fd_table_left;

/* No number in use is above. */
extern unsigned private_fd_table_top;

struct private_fd_slot *private_fd_table_slot(unsigned index);
int private_fd_table_handle(const struct private_fd_slot *slot);

/* The slot, or NULL. Whether it is still ours is for private_fd_table_check(). */
struct private_fd_slot *private_fd_table_find(int handle);
struct private_fd_slot *private_fd_table_at(int fd);

/* A new slot for the open descriptor `number`, of which fstat() says `st`. 0 or -ENFILE. */
int private_fd_table_add(int number, const struct stat *st, struct private_fd_slot **ret);

/* The slot's descriptor has another number now. */
void private_fd_table_renumber(struct private_fd_slot *slot, int number);

/* Forgets; whatever has the number now stays open. */
void private_fd_table_remove(struct private_fd_slot *slot);

/* Is it ours beyond doubt? Changes nothing; an epoll set without members on record is not. */
bool private_fd_table_provable(struct private_fd_slot *slot);

/* `slot` while it is ours; otherwise removes it, and NULL. NULL gives NULL. Looks once in a turn of
 * the calling thread (private_fd_turn()). Removes nothing in a thread that has left the table. */
struct private_fd_slot *private_fd_table_check(struct private_fd_slot *slot);

#endif

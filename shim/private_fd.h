// SPDX-License-Identifier: MIT
/*
 * private_fd.h - descriptors of ours in a table that belongs to somebody else.
 *
 * The program does not know of them, may close them in a loop, dup2() onto them, or ask the kernel
 * directly, past every hook. So each has a *handle*, which stays, and a number, which may change or
 * be taken away. Numbers are high (from 40 on; lower only where RLIMIT_NOFILE leaves no room there,
 * never 0 to 2), close-on-exec from birth, and below PRIVATE_FD_MAX.
 *
 *	int h = private_fd_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);    or a negative errno
 *
 *	private_fd_lock();
 *	fd = private_fd_number_locked(h);   -EBADF: the program took it away: private_fd_close(h)
 *	if (fd >= 0)
 *		n = sys_write(fd, ...);     must not block, no cancellation point: use sys.h
 *	private_fd_unlock();
 *
 * Under the lock no hook can move the number away. A raw system call of the program can: then the
 * operation meets a foreign file. That window cannot be closed, only kept short: it lasts from the
 * check to the use, or, on a thread that works in turns (private_fd_turn()), to the turn's end.
 *
 * Is a number still ours? Sockets, pipes and files are recognised by device and inode. epoll sets,
 * eventfds and timerfds all share one inode: a member of an epoll set is recognised by being
 * registered there (see private_fd_watch), and an epoll set by having its first member. An
 * anonymous one that is neither counts as ours while any anonymous inode has its number: prefer a
 * pipe or a socket pair to an eventfd.
 *
 * A new descriptor has the lowest free number for a moment, until it is copied to a high one:
 * Linux gives no other. A program with threads cannot count on that number anyway. One without
 * threads counts on it (close(0), open()), and does not meet it while it waits in a lookup, when
 * nearly all descriptors are made, by the very thread that waits if the io thread sleeps
 * (io_run()). It may meet it where the io thread needs a socket for a question that the lookup
 * did not wait for, or not any longer: the second and later servers, and TCP, for an AAAA that
 * comes more than the resolution delay after A, or that is asked after A (single-request), and
 * for what goes on behind a deadline; for getaddrinfo_a() with GAI_NOWAIT; for a line of a log
 * file; and where loading the resolver library took longer than a lookup waits for it.
 *
 * A thread may have a table of its own (unshare(2) with CLONE_FILES), where the same numbers are
 * other descriptors. The io thread's table is the one that counts. In a thread that is known to
 * have left it a private number is shielded while the copy there is ours, but nothing is moved or
 * forgotten because of what is there, and no io thread is started from there. Not known are a
 * thread that did it by a raw system call, and those that were created by one that left: what
 * they put at a private number can cost a lookup of another thread its deadline, and leaves a
 * descriptor open, close-on-exec, in the io thread's table. No descriptor of the program is
 * closed or used even then.
 *
 * Any thread. Everything but private_fd_is() and private_fd_count() needs PROCESS_OWNER
 * (process.h); those that make a descriptor check it themselves (-EPERM), but for
 * private_fd_*_owned(). errno is kept.
 */
#ifndef NOBLOCKDNS_PRIVATE_FD_H
#define NOBLOCKDNS_PRIVATE_FD_H

#include "shim/lock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PRIVATE_FD_MAX	      1048576 /* numbers: the kernel's usual fs.nr_open */
#define PRIVATE_FD_HANDLES    8192    /* at one time: race attempts come by the thousand */
#define PRIVATE_FD_HANDLE_MAX 65535   /* no handle is larger */

/*
 * Takes `fd` over, at once after it was made: moves it to a high number (F_DUPFD_CLOEXEC) and
 * closes the low one, also when it fails. Returns a handle (positive) or a negative errno: -ENFILE
 * with PRIVATE_FD_HANDLES in use; -EBADF where the program has closed the low number meanwhile, or
 * has a file of its own there, which stays open. (Anonymous inodes cannot be told apart that way.)
 */
int private_fd_adopt(int fd);

/* The same, for a caller that knows what fstat() said when `fd` was made. */
int private_fd_adopt_seen(int fd, const struct stat *was);

/* A private descriptor of the file that is at the program's `fd`, which stays. Handle or negative
 * errno. */
int private_fd_copy(int fd);

/* Both without process_check(), which is not to be called under a lock: for callers that hold one,
 * and know that this is PROCESS_OWNER. */
int private_fd_adopt_owned(int fd);
int private_fd_copy_owned(int fd);

/* private_fd_copy_owned() for a caller that knows what fstat() says of the file that it wants;
 * -EBADF: another one is at `fd`. */
int private_fd_copy_seen(int fd, const struct stat *was);

/* socket() with SOCK_CLOEXEC, adopted. Handle or negative errno. */
int private_fd_socket(int domain, int type, int protocol);

/* epoll_create1(EPOLL_CLOEXEC), adopted. Handle or negative errno. */
int private_fd_epoll(void);

/*
 * EPOLL_CTL_ADD, MOD or (events == 0) DEL, as what is registered already demands. Remembered, since
 * epoll files a registration under the number: when dup2() pushes `handle` to another one it is
 * taken out and entered anew. No EPOLLONESHOT. 0 or a negative errno; -EBADF: one of them is gone.
 */
int private_fd_watch(int epoll, int handle, uint32_t events, uint64_t data);

void private_fd_lock(void);
void private_fd_unlock(void);

/* The number of `handle` now, checked to be still ours, else -EBADF. Valid until unlock. */
int private_fd_number_locked(int handle);

/* The same for a moment: for a call that may block (epoll_wait), which no lock can be held across.
 */
int private_fd_number(int handle);

/* In a forked child before private_fd_reset(): the number that it had, which may be another file's,
 * or -EBADF. */
int private_fd_number_forked(int handle);

/*
 * Closes it, or, where the program did that already, only forgets it. A handle that is not valid
 * any more does nothing. 0 or -EBADF.
 */
int private_fd_close(int handle);

/*
 * For a loop: from here to its next call, the calling thread checks each handle at most once, and
 * one that it makes not at all. To be called after each sleep, by a thread of the owner process
 * that does not fork in its turn: it is not asked for its process either. Other threads check at
 * each use.
 */
void private_fd_turn(void);

/* For a thread with all signals blocked that takes one turn and goes its way, which
 * private_fd_turn_over() ends. False: it is in one already, which another will end. */
bool private_fd_turn_begin(void);
bool private_fd_in_turn(void);
void private_fd_turn_over(void);

/*
 * The hooks' side. -------------------------------------------------------------------------------
 */

/*
 * What is special about a number; 0: nothing. Handle's slot + 1: it is private; written under the
 * lock, read without. From PRIVATE_FD_RACING on: it is the program's, and a race is on under it
 * (racing_table.h). One array for both, so that a hook loads one value for a number that is
 * neither.
 */
#define PRIVATE_FD_RACING 0x8000
extern _Atomic uint16_t private_fd_slots[PRIVATE_FD_MAX];
extern _Atomic unsigned private_fd_used;

/* One relaxed load. */
static inline unsigned private_fd_special(int fd)
{
	return (unsigned)fd < PRIVATE_FD_MAX
		       ? atomic_load_explicit(&private_fd_slots[fd], memory_order_relaxed)
		       : 0;
}

/* Might `fd` be private? One relaxed load. True needs private_fd_shields() to be sure. */
static inline bool private_fd_is(int fd)
{
	return __builtin_expect(private_fd_special(fd) - 1 < PRIVATE_FD_RACING - 1, 0);
}

static inline unsigned private_fd_count(void)
{
	return atomic_load_explicit(&private_fd_used, memory_order_relaxed);
}

/*
 * Is `fd` private, in this process, and still ours? False in a child, and where the program has put
 * a file of its own under the number behind our back (the handle is dead from then on).
 */
bool private_fd_shields(int fd);

/*
 * Makes the number `fd` free, as the program believes it to be: the private descriptor there moves
 * to another number. Where none is left the handle dies: the program's dup2() is never refused.
 */
void private_fd_move(int fd);

/*
 * dup3() onto a number where nothing of the program's is: in a process with threads something of
 * ours may come and go there at any moment, and this is done while it cannot. The system call's
 * result, or -EEXIST: not done, for nothing of ours will come there before the program lets it.
 */
int private_fd_dup3(int oldfd, int newfd, int flags);

/*
 * The calling thread has a descriptor table of its own from now on, unless it is the program's only
 * one: then there was nothing to be divided. (A thread that has ended still counts.)
 */
void private_fd_leave_table(void);

/* Has it? False again in a forked child that has been cleaned up. */
bool private_fd_left_table(void);

/* May the calling thread's table be another than the io thread's? Once any thread has left, each
 * may be one that a thread in the other table has created. What would make descriptors or watch
 * them in the io thread's stead must not do it then. */
bool private_fd_tables_differ(void);

/* Lowest number in [first, last] that private_fd_shields(), or -1. */
int private_fd_next(unsigned first, unsigned last);

#endif

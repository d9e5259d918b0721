// SPDX-License-Identifier: MIT
/*
 * racing.h - races under the program's own numbers: what lies there meanwhile, what the program may
 * do with it, and what lies there in the end.
 *
 * Non-blocking socket: at connect() the program's socket, on which the first attempt is under way,
 * is copied to a private number, and a placeholder (swap.h) put in its place, which is neither
 * readable nor writable. When the race is over, the socket that has won is put there, or, when all
 * have failed, one whose error the program has yet to read. Registrations in epoll sets and the
 * flags of the descriptor go along both times, and numbers that are duplicates are changed
 * together.
 *
 * Blocking socket: it stays where it is, its thread asleep in the kernel's connect(), and is only
 * watched for what other threads do. One that has won is put in its place by the io thread. Where
 * they take the number away, connect() goes on, as the kernel's does, and the race with it.
 *
 * The answer to whatever cannot be done in the middle of a race is to *settle* it: the program's
 * own socket comes back, the first attempt goes on alone, as it would without us.
 *
 * A number is changed only while the file there is the one that the race has put there, looked at
 * under the lock right before: what a program does with raw system calls ends its race, and harms
 * no other file.
 *
 * Private descriptors count against RLIMIT_NOFILE: races keep to a quarter of it, and to numbers in
 * the lower half (attempts_room()); beyond that a connect is a plain one.
 *
 * What the program can see of it, all the same:
 *	- io_uring, which no hook sees, acts on the placeholder;
 *	- another process that has the socket from before connect() keeps the first attempt's, which
 *	  is ended where the socket blocks and another attempt wins;
 *	- fork() settles the races of blocking sockets in other threads;
 *	- send() of no bytes says 0, not EAGAIN, and sendto() with an address EISCONN;
 *	- a thread that sleeps in poll() for data alone, or on a race that was settled, may be
 *	  told 20 ms late, once 90 (sleepers.h);
 *	- TCP_INFO is the first attempt's, failed or not, until the race is over;
 *	- a thread that is inside write() or sendfile() on the number at the very microsecond when
 *	  the race ends may get EPIPE and SIGPIPE for EAGAIN (swap.h);
 *	- st_ino of fstat() is the placeholder's while it connects, and the winner's from then on;
 *	- an epoll registration that is kept by a duplicate when its number is closed (libc: it
 *	  stays until the last duplicate is closed) ends with the number;
 *	- an epoll registration that EPOLLONESHOT has disarmed before connect() reports a failure;
 *	- a program that posix_spawn(), system() or popen() starts is handed the placeholder under a
 *	  number without FD_CLOEXEC: their child runs inside libc, past every hook, and to settle
 *	  the race for the sake of one that hardly ever uses the number would take Happy Eyeballs
 *	  away from every program that starts helpers. So is one whose race ends between vfork() and
 *	  exec.
 *
 * Any thread, signal handlers, no allocation. In a child of vfork, and in a thread with a
 * descriptor table of its own, no number races. errno is kept; results are 0 or negative errno.
 */
#ifndef NOBLOCKDNS_RACING_H
#define NOBLOCKDNS_RACING_H

#include "shim/attempts.h"
#include "shim/private_fd.h"
#include "shim/swap.h"

#include <sys/epoll.h>
#include <sys/socket.h>

/* Is a race on under `fd`? One relaxed load. True: one of the functions below will know. */
static inline bool racing_is(int fd)
{
	return __builtin_expect(private_fd_special(fd) >= PRIVATE_FD_RACING, 0);
}

/* Is any race on under any number? One relaxed load. */
extern _Atomic unsigned racing_count;
static inline bool racing_any(void)
{
	return __builtin_expect(atomic_load_explicit(&racing_count, memory_order_relaxed) != 0, 0);
}

/*
 * For connect() on a non-blocking socket, the file `id`, on which attempts_first() is under way.
 * `fd` is where the program had it when it called: another thread may have put another file there
 * since. `own` is the handle of a copy (swap_copy()). Takes `own` and `a` over, also where it
 * fails. 0, or a negative errno: the first attempt is all there is, under `fd` as before.
 * connect() says EINPROGRESS either way.
 */
int racing_begin(int fd, const struct swap_id *id, int own, struct attempts *a);

/* connect() on a number that races, as libc's: EALREADY, or what the socket that is there by then
 * says. */
int racing_connect(int fd, const struct sockaddr *addr, socklen_t len);

/*
 * For connect() on a blocking socket, the file `id`, as above: from here on racing_settle(),
 * racing_shutdown() and racing_connect() on `fd` in other threads stop the race, and close() and
 * dup2() onto it take the number from it. 0, or a negative errno. `a` is borrowed until
 * racing_unwatch().
 */
int racing_watch(int fd, const struct swap_id *id, struct attempts *a);
void racing_unwatch(struct attempts *a);

/* When the attempts have WON: puts the winner in the place of the socket that is watched, and of
 * its duplicates; nowhere, if other threads have taken all numbers away. 0, also when that has been
 * done before, or a negative errno: the socket is there as before, and the first attempt goes on.
 */
int racing_replace(struct attempts *a);

/* shutdown(), as libc's: it ends the race, and on the program's own socket the first attempt, which
 * wakes a sleeper in connect(). */
int racing_shutdown(int fd, int how);

/* Ends the race under `fd`: the program's own socket is back. Nothing where none is on. */
void racing_settle(int fd);

/*
 * The hooks' side: false, or -ENOENT, where no race is on after all.
 * --------------------------------
 */

/*
 * close() of the number. True: it is closed. False: that is left to the caller. A placeholder must
 * be gone before those who sleep on it are woken, for woken it looks writable.
 */
bool racing_close(int fd);

/* The lowest number in [first, last] with a race, or -1. */
int racing_next(unsigned first, unsigned last);

/* dup(), F_DUPFD, F_DUPFD_CLOEXEC: the new number belongs to the race. fcntl()'s result. */
int racing_dup(int fd, int cmd, int lowest);

/* dup2(), dup3() with at least one number that races: onto it ends that race. dup3()'s result, and
 * equal numbers are an error. */
int racing_dup_onto(int oldfd, int newfd, int flags);

/* The program has set the flags of the open file: a socket that blocks from now on does not race.
 */
void racing_flags_set(int fd);

int racing_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int racing_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int racing_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int racing_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int racing_getpeername(int fd);
int racing_ioctl(int fd, unsigned long request, void *arg);

/* The program has made a duplicate of a number that does not race: when one of them does, the other
 * is looked for. Two loads, where that is known. */
void racing_note_dup(int oldfd, int newfd);

/*
 * Before exec*(): the program's own socket is back under each number that is handed down, that is,
 * has no FD_CLOEXEC. In a child that shares memory, in one that has not been cleaned up, and in a
 * thread with a descriptor table of its own, in that table alone: the race goes on elsewhere.
 */
void racing_exec(void);

/* In a forked child (process.h). */
void racing_reset(void);

#endif

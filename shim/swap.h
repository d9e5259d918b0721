// SPDX-License-Identifier: MIT
/*
 * swap.h - one file in the place of another, under a number that the program holds.
 *
 * A *placeholder* is one end of a UNIX socket pair whose send buffer is full: a stream socket that
 * is neither readable nor writable, as one that connects. The other end is private. While it lies
 * under the program's number, poll(), select() and epoll say nothing, read() and write() say
 * EAGAIN, and F_SETFL, F_SETFD, F_SETOWN ... are kept in it until somebody asks.
 *
 * Identity is device and inode, which sockets have each their own.
 *
 * Raw system calls only; no lock but that of the private descriptors; errno is kept. Any thread of
 * the owner process, signal handlers too.
 */
#ifndef NOBLOCKDNS_SWAP_H
#define NOBLOCKDNS_SWAP_H

#include "shim/sys.h"

#include <stdatomic.h>
#include <stdbool.h>

struct swap_id {
	dev_t dev;
	ino_t ino;
};

/* 0 or the negative errno of fstat(). */
int swap_identify(int fd, struct swap_id *ret);

/* Is that file there? */
bool swap_is(int fd, const struct swap_id *id);

/* A private descriptor of that socket. Handle or a negative errno; -EBADF: another file is there.
 */
int swap_copy(int fd, const struct swap_id *id);

struct swap_placeholder {
	int end;	   /* the end that the program gets: a number, close-on-exec */
	int peer;	   /* handle (private_fd.h) of the other; owned */
	struct swap_id id; /* of `end` */
};

/*
 * Makes one. 0, or a negative errno: nothing is left of it. `end` has the lowest free number, and
 * is to be put in its place and dropped at once.
 */
int swap_placeholder_make(struct swap_placeholder *ret);
void swap_placeholder_drop(const struct swap_placeholder *placeholder);

/*
 * Wakes whoever sleeps on a placeholder that has been replaced, in poll() or select(): they look
 * the number up again and find what is there now. It cannot be written to from here on: nothing
 * that the program writes is ever taken and lost. Whoever is inside write() or sendfile() there at
 * this very moment gets EPIPE, and SIGPIPE as ordered. Can be repeated.
 *
 * `end`, if positive, is a handle of the placeholder itself, kept because O_ASYNC is on: the signal
 * is sent from there, as it was ordered, and by nothing but room. Closed.
 */
void swap_wake(int peer, int end);

/* Nobody has the placeholder any more: no number, no sleeper, no process. */
bool swap_is_deserted(int peer);

/* Set by the hooks: the program has said who is to be sent a signal for some descriptor. (Where it
 * did so past them, that is looked for with O_ASYNC alone.) */
extern _Atomic bool swap_signals;

/*
 * What belongs to the open file, and not to the socket: O_NONBLOCK, and who is sent a signal. From
 * the number `from`, whose F_GETFL is `flags`, to `to`, which does not block. O_ASYNC is left to
 * swap_put(), which knows the number.
 */
void swap_copy_flags(int from, int flags, int to);

/*
 * Puts the file at the number `from` over `fd`, if the file there is `id`. FD_CLOEXEC stays as it
 * was there, O_ASYNC as `flags`, the F_GETFL of the file that was there, have it. 0, or -EBADF:
 * another file is there, which is left alone.
 */
int swap_put(int from, int fd, int flags, const struct swap_id *id);

#endif

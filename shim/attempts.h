// SPDX-License-Identifier: MIT
/*
 * attempts.h - one race, carried out: sockets, watches and timers for what race.h decides.
 *
 * The first attempt is made on the program's own socket, by the thread that called connect(); the
 * others on private sockets, by the io thread. So a race that the first attempt wins leaves nothing
 * behind: the connection is where it would be without us.
 *
 *	a = attempts_new(&goal);               any thread; no allocation (connect() may be called in
 *	                                       a signal handler)
 *	r = attempts_first(a, fd);             0, -EINPROGRESS, or the error, as of connect()
 *	attempts_start(a, own, over, arg);     -EINPROGRESS: the io thread goes on
 *	...
 *	over(a)                                on the io thread, once: WON or LOST
 *	attempts_release(a)
 *
 * Both kinds of sockets race here. The io thread watches all attempts of one that does not block.
 * Of one that does, the caller waits for the first attempt by itself (connect_race.c), and says
 * what became of it:
 *
 *	attempts_connected(a, rtt), attempts_failed(a, error), or attempts_stop(a)
 *
 * The caller's thread could drive such a race of its own with poll(), but poll() is interrupted by
 * every signal handler, and connect() only by those without SA_RESTART: which of them has run
 * cannot be told afterwards.
 *
 * What the kernel says of an attempt is read so that the program can still read it: see
 * attempt_result.h.
 */
#ifndef NOBLOCKDNS_ATTEMPTS_H
#define NOBLOCKDNS_ATTEMPTS_H

#include "shim/siblings.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum attempts_end {
	ATTEMPTS_RUNNING,
	ATTEMPTS_WON,
	ATTEMPTS_LOST,	  /* all have failed */
	ATTEMPTS_STOPPED, /* by attempts_stop(); the first attempt goes on, if it was under way */
	ATTEMPTS_FIRST,	  /* attempts_connected() has said that this one has won */
};

struct attempts_goal {
	int family;    /* of the program's socket; AF_INET6 reaches IPv4 as v4-mapped addresses */
	bool ipv4;     /* it does: IPv4 addresses may be tried */
	bool blocking; /* the program's socket is; what is won is to be as after such a connect() */
	int flags;     /* F_GETFL of one that is */
	bool own_route; /* sockopts.h: outcomes say nothing of other sockets', nor theirs of this */
	in_port_t port; /* network order */
	uint32_t delay_ms;
	unsigned n;
	bool more;			       /* further addresses may come (siblings_find()) */
	struct order_dest dests[SIBLINGS_MAX]; /* [0] is the one that the program asked for */
};

struct attempts;
typedef void (*attempts_over_fn)(struct attempts *a, uint64_t now_ms);

/*
 * To be asked before a race on the program's number `fd`. Ours leave the program room: all private
 * descriptors together, with what the races under way are promised, are at most a quarter of the
 * soft RLIMIT_NOFILE, and no race is on under a number in the upper half of it. Where that is
 * reached there are no more races, and none that is under way has more than two attempts. One
 * system call; any thread.
 */
bool attempts_room(int fd);

/* A race of the goal's candidates with one reference. NULL: there is no room. Any thread. */
struct attempts *attempts_new(const struct attempts_goal *goal);

/*
 * The first attempt, on the program's socket `fd`; where connect() refuses an address at once (no
 * route), the next one is tried there. Returns as connect() on a non-blocking socket: 0,
 * -EINPROGRESS, or the error of the address that was asked for. O_NONBLOCK of a blocking socket is
 * set for the moment of the call: it is not connected, so nobody can be inside another one.
 */
int attempts_first(struct attempts *a, int fd);

/* Is that one connected already? A server on this machine answers before connect() returns, and
 * there is nothing to race. After -EINPROGRESS, instead of attempts_start(). */
bool attempts_answered(struct attempts *a, int fd);

/*
 * Hands the race to the io thread, with `own`, a handle (private_fd.h) of the socket of the first
 * attempt, which is the race's from here on and closed with it, also where this fails. `over` is
 * called on the io thread, or on this one before the call returns, unless attempts_stop() says
 * otherwise. 0, or a negative errno: there is no io thread, the first attempt is all there is.
 */
int attempts_start(struct attempts *a, int own, attempts_over_fn over, void *arg);

/*
 * Ends every attempt but the first. True: over() will not be called, nor is it under way. False:
 * the race is over. Any thread, signal handlers.
 */
bool attempts_stop(struct attempts *a);

/*
 * A blocking socket's caller waits for the first attempt by itself: it is connected, with rtt_us as
 * of attempt_result.h, 0: as long as it took (true: and has won, else as attempts_stop()); it has
 * failed with this (positive) errno: 0, and the next attempt's turn is now, or a negative errno:
 * nobody is there to make one.
 */
bool attempts_connected(struct attempts *a, uint32_t rtt_us);
int attempts_failed(struct attempts *a, int error);

/* Has attempts_failed() been called? Any thread. */
bool attempts_first_failed(const struct attempts *a);

/* Any thread; a futex word for those who wait for the end. */
enum attempts_end attempts_end(const struct attempts *a);
_Atomic uint32_t *attempts_end_word(struct attempts *a);

/* From over() on. WON: the handle of the winner, may be the own one. LOST: the own one, whose error
 * is still there to be read by the program, or 0 where that blocks. It stays the race's. */
int attempts_winner(const struct attempts *a);

/* LOST: the (positive) errno of the first attempt. */
int attempts_error(const struct attempts *a);

void *attempts_arg(const struct attempts *a);
int attempts_own(const struct attempts *a); /* handle */

/* setsockopt() on every attempt under way but the own one. Any thread. */
void attempts_option(struct attempts *a, int level, int name, const void *value, socklen_t len);

/* One reference more. */
void attempts_hold(struct attempts *a);

/* With the last reference all that is left of it is closed. Any thread. */
void attempts_release(struct attempts *a);

/* To be asked at each connect() of a non-blocking socket to an address that has siblings. Is there
 * a race of this process to `port` (network order) that has `dest` in reserve, and does this look
 * as if the program raced by itself (attempts_list.c)? Then the race makes room for this one. Any
 * thread. */
bool attempts_rival(int fd, const struct order_dest *dest, in_port_t port, uint64_t now_ms);

/* The program itself is about to close the socket. Before attempts_stop(); any thread. */
void attempts_closed(struct attempts *a, uint64_t now_ms);

/* Has the program been seen to race by itself? Any thread. */
bool attempts_raced(void);

/* In the child's handler of pthread_atfork(): all that is running is the parent's. No lock. */
void attempts_forked(void);

#endif

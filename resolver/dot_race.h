// SPDX-License-Identifier: MIT
/*
 * dot_race.h - the way to an open connection: the addresses of one upstream race (RFC 8305), and
 * the first that has completed an authenticated TLS handshake wins. The others are closed.
 *
 *	1. The families alternate, beginning with that of the first address (section 4).
 *	2. The next address is tried DOT_RACE_DELAY_MS after the one before, or at once when one has
 *	   failed (section 5). None is given up because another one has begun.
 *	3. A server that breaks off a handshake in which a session was to be resumed is tried once
 *	   more without.
 *	4. All is over after DOT_CONNECT_MS.
 *
 * A race of one address is a race, too.
 */
#ifndef NOBLOCKDNS_RESOLVER_DOT_RACE_H
#define NOBLOCKDNS_RESOLVER_DOT_RACE_H

#include "resolver/dot_addrs.h"
#include "resolver/dot_conn.h"

#define DOT_RACE_DELAY_MS 250  /* RFC 8305 section 8 */
#define DOT_CONNECT_MS	  3000 /* TCP and TLS; getdns has 2.5 s as its least */

struct dot_race;

/* Whoever starts a race. Called from a reactor entry. */
struct dot_race_user {
	/* The winner, which is the user's from now on; its `user` and `arg` are to be set. */
	void (*won)(struct dot_race *race, struct dot_conn *conn);

	/* Nobody is left. -EACCES if any server was refused, else -EPROTO if any did not speak TLS,
	 * else the first error; see transport.h. */
	void (*lost)(struct dot_race *race, int error);
};

struct dot_race {
	const struct dot_race_user *user;
	const struct dot_target *target; /* borrows */
	struct sockaddr_storage addrs[DOT_ADDRS_MAX];
	struct dot_conn *conns[DOT_ADDRS_MAX]; /* owns; by address; NULL: not running */
	unsigned naddrs, next, nrunning;
	struct reactor_timer timer; /* the next address, or the end */
	uint64_t end_ms;
	int error;
	/* what the log was told last about this upstream: constant text, or NULL */
	const char *told;
};

/* `target` is borrowed. -ENOMEM. */
int dot_race_init(struct dot_race *race, const struct dot_target *target,
		  const struct dot_race_user *user);

/* Ends the race without a word to the user. */
void dot_race_fini(struct dot_race *race);

/* Begins, with at least one address and at most DOT_ADDRS_MAX. */
void dot_race_start(struct dot_race *race, const struct sockaddr_storage *addrs, unsigned naddrs);

bool dot_race_is_on(const struct dot_race *race);

#endif

// SPDX-License-Identifier: MIT
/*
 * race_services.h - the servers that real programs are sent to in a race: each knows as much of its
 * protocol as a client needs to end well, and all note when a connection was accepted.
 *
 * They stand on the far side, in both families, and live as long as the world. The notes lie in
 * shared memory; several programs may be measured at once, each at a service of its own.
 */
#ifndef RACE_SERVICES_H
#define RACE_SERVICES_H

#include "tests/lab/netns.h"

#include <stdint.h>

#define RACE_V4		 LAB_FAR_V4(1)
#define RACE_V6		 LAB_FAR_V6(1)
#define RACE_PAGE	 "hello" /* what RACE_HTTP's pages say */
#define RACE_PORT	 8000	 /* of service 0; service i has the i-th after it */
#define RACE_MAX	 32
#define RACE_GIT_FOLDER	 "git"	     /* below lab_world_dir(): bare repositories, for RACE_GIT */
#define RACE_SSHD_CONFIG "sshd.conf" /* below lab_world_dir(), for RACE_SSH */

enum race_service {
	RACE_HTTP,     /* HTTP/1.0: a page, or the refs of a repository for git's dumb client */
	RACE_REDIS,    /* every command gets +PONG */
	RACE_POSTGRES, /* lets everybody in; every query is empty */
	RACE_GIT,      /* git daemon */
	RACE_SSH,      /* sshd */
};

struct race_services;

/* All of them listen on return. `n` is at most RACE_MAX. */
struct race_services *race_services_start(struct lab_world *w, const enum race_service *services,
					  unsigned n);

/* Forgets what service i has accepted. */
void race_services_forget(struct race_services *s, unsigned i);

/* When service i accepted its first connection since then, CLOCK_MONOTONIC; 0: it has not. */
uint64_t race_services_accepted_ns(const struct race_services *s, unsigned i);

#endif

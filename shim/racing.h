// SPDX-License-Identifier: MIT
/*
 * racing.h - which of the program's descriptors race. Blocking ones only, so far: a non-blocking
 * one connects by itself.
 */
#ifndef NOBLOCKDNS_RACING_H
#define NOBLOCKDNS_RACING_H

#include "shim/attempts.h"

#include <sys/socket.h>

static inline bool racing_is(int fd)
{
	(void)fd;
	return false;
}

int racing_connect(int fd, const struct sockaddr *addr, socklen_t len);

int racing_begin(int fd, struct attempts *a);
int racing_watch(int fd, struct attempts *a);
void racing_unwatch(int fd, struct attempts *a);

/* Puts the winner over `fd`. 0 or a negative errno. */
int racing_replace(int fd, struct attempts *a);

#endif

// SPDX-License-Identifier: MIT
/*
 * attempt_result.h - what has become of a non-blocking connect().
 *
 * The kernel gives an error out once: SO_ERROR, a second connect(), read() and write() all take it
 * away. A socket that is to come under the program's number as it failed must not be asked; its
 * state alone, which TCP_INFO tells, says that it has failed.
 */
#ifndef NOBLOCKDNS_ATTEMPT_RESULT_H
#define NOBLOCKDNS_ATTEMPT_RESULT_H

#include <stdbool.h>
#include <stdint.h>

enum attempt_state { ATTEMPT_CONNECTING, ATTEMPT_CONNECTED, ATTEMPT_FAILED };

/* What may be done to find out. */
enum attempt_manner {
	ATTEMPT_LOOK,	/* nothing that the program would notice; the errno remains unknown */
	ATTEMPT_TAKE,	/* the error may be taken away */
	ATTEMPT_FINISH, /* and a connected one is left as a blocking connect() leaves it: the next
			 * connect() says EISCONN, where it would say 0 otherwise */
};

struct attempt_result {
	enum attempt_state state;
	uint32_t rtt_us; /* CONNECTED: of the handshake; 0 where a SYN was sent twice (Karn) */
	int error;	 /* FAILED: errno; 0: unknown */
};

/* `handle` is a private descriptor; one that has gone has failed with EBADF. Any thread. */
void attempt_look(int handle, enum attempt_manner manner, struct attempt_result *ret);

/* The same for a number that the caller is sure of. */
void attempt_look_at(int fd, enum attempt_manner manner, struct attempt_result *ret);

#endif

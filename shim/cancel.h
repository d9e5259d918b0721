// SPDX-License-Identifier: MIT
/*
 * cancel.h - to sleep as a cancellation point (pthreads(7)).
 *
 * The thread may be cancelled at any instruction of cancel_futex_wait(): nothing may change hands
 * in there, no lock be held. Whoever owns something pushes a cleanup handler first. A signal that
 * ends the sleep would not do: glibc sends one only to a thread in a cancellation point of its own.
 */
#ifndef NOBLOCKDNS_CANCEL_H
#define NOBLOCKDNS_CANCEL_H

#include "shim/sys.h"

#include <pthread.h>

/* As sys_futex_wait(), on a futex of this process. */
static inline int cancel_futex_wait(_Atomic uint32_t *word, uint32_t expected,
				    const struct timespec *timeout)
{
	int r, type;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	r = sys_futex_wait(word, expected, timeout, false);
	pthread_setcanceltype(type, NULL);
	return r;
}

#endif

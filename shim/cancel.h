// SPDX-License-Identifier: MIT
/*
 * cancel.h - to sleep as a cancellation point (pthreads(7)).
 *
 * The thread may be cancelled at any instruction of the functions below: nothing may change hands
 * in there, no lock be held. Whoever owns something pushes a cleanup handler first. A signal that
 * ends the sleep would not do: glibc sends one only to a thread in a cancellation point of its own.
 *
 * A cleanup handler of pthread_cleanup_push() is lost, and its record left to crash whoever leaves
 * the thread later, when a signal handler leaves the sleep by siglongjmp(), as programs do that
 * bound connect() with alarm(). cancel_push() uses glibc's older records, which longjmp() honours
 * as well: it calls the handlers of the frames that it leaves.
 *
 * Not where the handler runs on an alternate stack that lies in the thread's own one: there the
 * record is dropped, and what the handler would have given back is lost. A frame must not be left
 * in other ways for good (swapcontext(), an exception out of a signal handler).
 */
#ifndef NOBLOCKDNS_CANCEL_H
#define NOBLOCKDNS_CANCEL_H

#include "shim/sys.h"

#include <pthread.h>

struct cancel_cleanup {
	struct _pthread_cleanup_buffer buffer;
};

/* In libc.so from glibc 2.34 on, but in none of its headers. */
extern void _pthread_cleanup_push(struct _pthread_cleanup_buffer *buffer, void (*routine)(void *),
				  void *arg);
extern void _pthread_cleanup_pop(struct _pthread_cleanup_buffer *buffer, int execute);

/* `cleanup` is a variable of the frame that calls both. `routine` is called when the thread is
 * cancelled, exits, or leaves the frame by longjmp(). */
static inline void cancel_push(struct cancel_cleanup *cleanup, void (*routine)(void *), void *arg)
{
	_pthread_cleanup_push(&cleanup->buffer, routine, arg);
}

static inline void cancel_pop(struct cancel_cleanup *cleanup)
{
	_pthread_cleanup_pop(&cleanup->buffer, 0);
}

/* As sys_futex_wait(). */
static inline int cancel_futex(_Atomic uint32_t *word, uint32_t expected,
			       const struct timespec *timeout, bool shared)
{
	int r, type;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	r = sys_futex_wait(word, expected, timeout, shared);
	pthread_setcanceltype(type, NULL);
	return r;
}

/* On a futex of this process. */
static inline int cancel_futex_wait(_Atomic uint32_t *word, uint32_t expected,
				    const struct timespec *timeout)
{
	return cancel_futex(word, expected, timeout, false);
}

/* As sys_connect(). */
static inline int cancel_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int r, type;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	r = sys_connect(fd, addr, len);
	pthread_setcanceltype(type, NULL);
	return r;
}

#endif

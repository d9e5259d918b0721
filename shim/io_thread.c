// SPDX-License-Identifier: MIT
/* io_thread.c - how a private thread is made (io.h). */
#include "shim/io.h"
#include "shim/sys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#define STACK_SIZE ((size_t)256 << 10) /* c-ares and a TLS handshake stay well under 100 KiB */

/* glibc's own, 32 and 33. setuid() waits until every thread has taken the second; a thread that
 * blocks it would stop the program there. pthread_create() opens them by itself for the first
 * thread only. */
#define LIBC_SIGNALS ((sys_sigset)3 << 31)

int io_thread(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	const sys_sigset all = ~LIBC_SIGNALS;
	sys_sigset saved;
	int r;

	if (pthread_attr_init(&attr) != 0)
		return -ENOMEM;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sys_sigmask(SIG_SETMASK, &all, &saved); /* the thread inherits it */
	r = pthread_create(&thread, &attr, run, arg);
	if (r == EINVAL) { /* the program's thread-local data alone is larger than our stack */
		pthread_attr_destroy(&attr);
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		r = pthread_create(&thread, &attr, run, arg);
	}
	sys_sigmask(SIG_SETMASK, &saved, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

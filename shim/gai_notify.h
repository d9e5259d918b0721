// SPDX-License-Identifier: MIT
/*
 * gai_notify.h - how a program learns that a getaddrinfo_a(GAI_NOWAIT) list is done: not at all, by
 * a signal, or by a function on a thread of its own.
 */
#ifndef NOBLOCKDNS_GAI_NOTIFY_H
#define NOBLOCKDNS_GAI_NOTIFY_H

#include <signal.h>
#include <sys/types.h>

#define GAI_NOTIFY_NAME_SIZE 16 /* TASK_COMM_LEN of Linux */

struct gai_notify {
	struct sigevent event;			/* copied; what its pointers lead to is borrowed */
	pid_t pid;				/* of who asked: SIGEV_SIGNAL */
	char thread_name[GAI_NOTIFY_NAME_SIZE]; /* of who asked: SIGEV_THREAD */
};

/* Notes what is to be done; `event` NULL: nothing. On the thread that asks. */
void gai_notify_prepare(struct gai_notify *notify, const struct sigevent *event);

/*
 * Does it. A signal goes to the process with si_code SI_ASYNCNL. A thread gets the attributes of
 * the event (none: detached), an empty signal mask, and the name of who asked: it must not look as
 * if it were the io thread. What the kernel refuses is lost, as in glibc. Any thread; not under a
 * lock.
 */
void gai_notify_send(const struct gai_notify *notify);

#endif

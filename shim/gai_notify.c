// SPDX-License-Identifier: MIT
/* gai_notify.c - see gai_notify.h. The facts are those of glibc 2.36, resolv/gai_notify.c. */
#include "shim/gai_notify.h"

#include "shim/sys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* What the new thread takes along; it may outlive the list. */
struct errand {
	void (*function)(union sigval);
	union sigval value;
	char thread_name[GAI_NOTIFY_NAME_SIZE];
};

static void *run_errand(void *arg)
{
	struct errand errand = *(struct errand *)arg;
	const sys_sigset none = 0;

	free(arg);
	prctl(PR_SET_NAME, errand.thread_name);
	sys_sigmask(SIG_SETMASK, &none, NULL);
	errand.function(errand.value);
	return NULL;
}

static void start_thread(const struct gai_notify *notify)
{
	struct errand *errand = malloc(sizeof *errand);
	pthread_attr_t *attr = notify->event.sigev_notify_attributes;
	pthread_attr_t detached;
	pthread_t thread;

	if (errand == NULL)
		return;
	errand->function = notify->event.sigev_notify_function;
	errand->value = notify->event.sigev_value;
	memcpy(errand->thread_name, notify->thread_name, sizeof errand->thread_name);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, attr == NULL ? &detached : attr, run_errand, errand) != 0)
		free(errand);
	pthread_attr_destroy(&detached);
}

static void send_signal(const struct gai_notify *notify)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = notify->event.sigev_signo;
	info.si_code = SI_ASYNCNL;
	info.si_pid = notify->pid;
	info.si_uid = (uid_t)sys_call(SYS_getuid, 0, 0, 0, 0, 0, 0);
	info.si_value = notify->event.sigev_value;
	(void)sys_call(SYS_rt_sigqueueinfo, notify->pid, info.si_signo, (long)&info, 0, 0, 0);
}

void gai_notify_prepare(struct gai_notify *notify, const struct sigevent *event)
{
	memset(notify, 0, sizeof *notify);
	notify->event.sigev_notify = SIGEV_NONE;
	if (event == NULL)
		return;
	notify->event = *event;
	if (event->sigev_notify == SIGEV_SIGNAL)
		notify->pid = sys_getpid();
	else if (event->sigev_notify == SIGEV_THREAD)
		prctl(PR_GET_NAME, notify->thread_name);
}

void gai_notify_send(const struct gai_notify *notify)
{
	if (notify->event.sigev_notify == SIGEV_SIGNAL)
		send_signal(notify);
	else if (notify->event.sigev_notify == SIGEV_THREAD)
		start_thread(notify);
}

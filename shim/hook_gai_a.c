// SPDX-License-Identifier: MIT
/*
 * hook_gai_a.c - getaddrinfo_a(3), gai_suspend(3), gai_error(3), gai_cancel(3): without a thread
 * for each lookup that waits. A list starts in gai_submit.h, its requests are gai_request.h's,
 * and those that wait are gai_lookup.h's.
 *
 * As in glibc 2.36, except where that breaks its own manual:
 *
 *	gai_suspend, timeout		EAI_AGAIN; glibc: EAI_SYSTEM without an errno
 *	gai_suspend, cancellation	a cancellation point, as <netdb.h> says; glibc defers it
 *	gai_cancel			gai_error() says EAI_CANCELED, and the list gets done; glibc
 *					leaves EAI_INPROGRESS, and its waiters wait for ever
 *	gai_cancel, lookup under way	EAI_CANCELED while it waits for the network; glibc:
 *					EAI_NOTCANCELED as soon as a thread has it
 *	gai_suspend, forked child	EAI_ALLDONE for a request of the parent; glibc waits for
 *					ever. gai_error() says EAI_INPROGRESS in both
 *
 * A list is libc's whole where we stand aside, where memory has run out, in a child of vfork, and
 * where it is empty; but EAI_AGAIN where libc may not (settings.h). A gai_suspend() over requests
 * of ours and of libc's waits for ours alone.
 */
#include "shim/gai_lookup.h"
#include "shim/gai_submit.h"
#include "shim/hooks.h"
#include "shim/init.h"
#include "shim/process.h"
#include "shim/trace.h"

#include <errno.h>

static bool is_empty(struct gaicb *const items[], int nitems)
{
	for (int i = 0; i < nitems; i++)
		if (items[i] != NULL)
			return false;
	return true;
}

/* False: libc's turn. */
static bool submit(int mode, struct gaicb *items[], int nitems, const struct sigevent *event)
{
	struct resolve call;
	struct gai_list *list;

	if (!resolve_begin(&call))
		return false;
	list = gai_list_new(mode, items, nitems, event);
	if (list == NULL) {
		resolve_end(&call);
		return false;
	}
	gai_submit(list, &call);
	if (mode == GAI_WAIT)
		gai_list_wait(list);
	gai_list_drop(list);
	return true;
}

static int plain_getaddrinfo_a(int mode, struct gaicb *list[], int nitems, struct sigevent *sevp)
{
	int saved = errno, saved_h = h_errno;

	if ((mode != GAI_WAIT && mode != GAI_NOWAIT) || is_empty(list, nitems) || init_is_libcs())
		return real_getaddrinfo_a(mode, list, nitems, sevp);
	if (process_check() != PROCESS_OWNER || !submit(mode, list, nitems, sevp))
		return settings_libc_may() ? real_getaddrinfo_a(mode, list, nitems, sevp)
					   : EAI_AGAIN;
	errno = saved;
	h_errno = saved_h;
	return 0;
}

/* A list goes by the name of its first request. */
TRACE_COLD static void begin(struct trace_call *call, const struct gaicb *const list[], int nitems)
{
	int i = 0;

	while (i < nitems && list[i] == NULL)
		i++;
	trace_begin(call, i < nitems ? list[i]->ar_name : NULL);
	trace_note(TRACE_SOURCE_UNKNOWN);
}

int nbd_getaddrinfo_a(int mode, struct gaicb *list[], int nitems, struct sigevent *sevp)
{
	struct trace_call call;
	int r;

	if (!init_is_traced())
		return plain_getaddrinfo_a(mode, list, nitems, sevp);
	begin(&call, (const struct gaicb *const *)list, nitems);
	r = plain_getaddrinfo_a(mode, list, nitems, sevp);
	trace_note(TRACE_SOURCE_UNKNOWN);
	trace_end(&call, TRACE_GETADDRINFO_A, AF_UNSPEC, r);
	return r;
}

static int plain_gai_suspend(const struct gaicb *const list[], int nitems,
			     const struct timespec *timeout)
{
	int eai = EAI_ALLDONE;

	if (gai_request_any() && process_check() == PROCESS_OWNER)
		eai = gai_request_suspend(list, nitems, timeout);
	return eai == EAI_ALLDONE ? real_gai_suspend(list, nitems, timeout) : eai;
}

int nbd_gai_suspend(const struct gaicb *const list[], int nitems, const struct timespec *timeout)
{
	struct trace_call call;
	int r;

	if (!init_is_traced())
		return plain_gai_suspend(list, nitems, timeout);
	begin(&call, list, nitems);
	r = plain_gai_suspend(list, nitems, timeout);
	trace_end(&call, TRACE_GAI_SUSPEND, AF_UNSPEC, r);
	return r;
}

int nbd_gai_error(struct gaicb *req)
{
	return __atomic_load_n(&req->__return, __ATOMIC_ACQUIRE);
}

int nbd_gai_cancel(struct gaicb *gaicb)
{
	int eai = EAI_ALLDONE;

	if (gai_request_any() && process_check() == PROCESS_OWNER)
		eai = gai_lookup_cancel(gaicb);
	return eai == EAI_ALLDONE ? real_gai_cancel(gaicb) : eai;
}

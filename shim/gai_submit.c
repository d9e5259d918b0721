// SPDX-License-Identifier: MIT
/*
 * gai_submit.c - see gai_submit.h.
 *
 *	1. what libc answers at once, and wrong services, are closed;
 *	2. so are names that the hosts file or the cache has;
 *	3. what is libc's (a foreign nsswitch module, any failure of ours) goes there;
 *	4. the rest goes to the io thread.
 * libidn2 is loaded here: the caller may hold the loader's lock, for which the io thread would wait
 * while the caller waits for it. The io thread reads no file but the small ones of configuration,
 * where they have changed (settings.h).
 */
#include "shim/gai_submit.h"

#include "shim/gai_libc.h"
#include "shim/gai_lookup.h"
#include "shim/getaddrinfo.h"
#include "shim/hooks.h"
#include "shim/idn.h"
#include "shim/resolver_host.h"

#include <stdlib.h>

/* Loads now what the end of a lookup may need. */
static int encode(struct gai_request *r)
{
	char *loaded = NULL;

	if ((r->wanted.flags & (AI_CANONNAME | AI_CANONIDN)) == (AI_CANONNAME | AI_CANONIDN)) {
		(void)idn_from_dns(r->gaicb->ar_name, &loaded);
		free(loaded);
	}
	return getaddrinfo_encode(&r->wanted, r->gaicb->ar_name, &r->name_owned);
}

static enum lookup_result look_at_once(struct gai_request *r, struct resolve *call, int *ret_eai)
{
	const struct gaicb *gaicb = r->gaicb;
	struct lookup_question question;

	if (!getaddrinfo_is_ours(gaicb->ar_name, gaicb->ar_request))
		return LOOKUP_LIBC;
	*ret_eai = getaddrinfo_prepare(gaicb->ar_service, gaicb->ar_request, call->settings,
				       call->now_ms, &r->wanted);
	if (*ret_eai != 0)
		return LOOKUP_DONE;
	return encode(r) != 0 ? LOOKUP_LIBC : gai_lookup_run(r, call, &question, ret_eai);
}

/* The first step, without a network. LOOKUP_DONE: it is closed. */
static enum lookup_result try_at_once(struct gai_request *r, struct resolve *call)
{
	struct gaicb *gaicb = r->gaicb;
	enum lookup_result result = LOOKUP_DONE;
	int eai = 0;

	if (gai_libc_is_quick(gaicb->ar_name, gaicb->ar_request))
		eai = real_getaddrinfo(gaicb->ar_name, gaicb->ar_service, gaicb->ar_request,
				       &gaicb->ar_result);
	else
		result = resolve_keep_private(call, look_at_once(r, call, &eai), &eai);
	if (result == LOOKUP_DONE)
		gai_request_end(r, eai);
	return result;
}

/* From WAITING on a request may be cancelled, but it stays until its driver leaves it. */
static void hand_over(struct gai_list *list, bool libc_may)
{
	struct gai_request *r, *next;
	int err;

	for (r = list->queued; r != NULL; r = r->next)
		gai_request_wait(r);
	err = resolver_host_open(true);
	if (err == 0)
		err = gai_lookup_submit(list);
	for (r = err == 0 ? NULL : list->queued; r != NULL; r = next) {
		next = r->next;
		if (!gai_request_run(r))
			gai_request_leave(r);
		else if (libc_may)
			gai_libc_start(r);
		else
			gai_request_end(r, EAI_AGAIN);
	}
}

void gai_submit(struct gai_list *list, struct resolve *call)
{
	struct gai_request **end = &list->queued;
	bool libc_may = resolve_libc_may(call);

	for (unsigned i = 0; i < list->n; i++) {
		struct gai_request *r = &list->requests[i];

		switch (try_at_once(r, call)) {
		case LOOKUP_DONE:
			break;
		case LOOKUP_LIBC:
			gai_libc_start(r);
			break;
		case LOOKUP_ASK:
			*end = r;
			end = &r->next;
			break;
		}
	}
	if (list->queued != NULL)
		resolver_host_guard_forks(&call->settings->upstreams);
	resolve_end(call);
	if (list->queued != NULL)
		hand_over(list, libc_may);
}

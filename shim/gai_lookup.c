// SPDX-License-Identifier: MIT
/*
 * gai_lookup.c - see gai_lookup.h.
 *
 * Requests are taken from one queue, at most IN_FLIGHT_MAX at a time. A *step* is one run of the
 * lookup (lookup.h), which ends the request, or names the next question; its answer, or the
 * deadline, begins the next step. The deadline is that of a blocking call, from the first step on.
 * Everything but gai_lookup_run(), _submit() and _cancel() is the io thread's.
 */
#include "shim/gai_lookup.h"

#include "shim/ask.h"
#include "shim/fetch.h"
#include "shim/gai_libc.h"
#include "shim/getaddrinfo.h"
#include "shim/process.h"

#include <stddef.h>

/* Three times as many as glibc's threads. More would come back as one burst that overflows the
 * receive buffer of a socket (some 250 small packets). */
#define IN_FLIGHT_MAX 64

static struct gai_request *queue, **queue_end = &queue; /* io thread only */
static unsigned in_flight;				/* io thread only */

enum lookup_result gai_lookup_run(struct gai_request *r, struct resolve *call,
				  struct lookup_question *question, int *ret_eai)
{
	const char *name = r->name_owned != NULL ? r->name_owned : r->gaicb->ar_name;
	struct lookup_answer answer;
	struct lookup_query query;
	enum lookup_result result;

	lookup_answer_init(&answer);
	lookup_query_name(&query, name);
	getaddrinfo_query(&r->wanted, call, &query);
	result = lookup_addrinfo(&query, &answer, question);
	if (result == LOOKUP_DONE)
		*ret_eai = answer.eai != 0
				   ? answer.eai
				   : addrinfo_finish(&r->wanted, call->settings, r->gaicb->ar_name,
						     &answer, call->now_ms, &r->gaicb->ar_result);
	lookup_answer_free(&answer);
	return result;
}

static void on_answer(void *arg, struct blob *blob, uint64_t now_ms);

/* io thread. LOOKUP_ASK: and the question is on its way. */
static enum lookup_result advance(struct gai_request *r, struct resolve *call, int *ret_eai)
{
	struct lookup_question question;

	for (;;) {
		enum lookup_result result = gai_lookup_run(r, call, &question, ret_eai);
		int err;

		if (result != LOOKUP_ASK)
			return result;
		err = ask_begin(call, &question, on_answer, r, &r->plan, &r->fetch);
		if (err < 0)
			return LOOKUP_LIBC;
		if (r->fetch != NULL) {
			r->asked = question.name;
			r->asked_types = question.types;
			return LOOKUP_ASK;
		}
	}
}

/* io thread; ends the step that was begun with `call`. */
static void step(struct gai_request *r, struct resolve *call)
{
	int eai = 0;
	enum lookup_result result = resolve_keep_private(call, advance(r, call, &eai), &eai);

	resolve_pause(call, &r->kept);
	switch (result) {
	case LOOKUP_ASK:
		gai_request_wait(r);
		return;
	case LOOKUP_DONE:
		gai_request_end(r, eai);
		break;
	case LOOKUP_LIBC:
		gai_libc_start(r);
		break;
	}
	in_flight--;
}

static void fail_over(struct gai_request *r)
{
	if (settings_libc_may())
		gai_libc_start(r);
	else
		gai_request_end(r, EAI_AGAIN);
	in_flight--;
}

static void start(struct gai_request *r)
{
	struct resolve call;

	if (!gai_request_run(r)) {
		gai_request_leave(r); /* cancelled in the queue */
		return;
	}
	in_flight++;
	if (resolve_begin(&call))
		step(r, &call);
	else
		fail_over(r);
}

static void start_queued(void)
{
	while (queue != NULL && in_flight < IN_FLIGHT_MAX) {
		struct gai_request *r = queue;

		queue = r->next;
		if (queue == NULL)
			queue_end = &queue;
		start(r);
	}
}

/* The fetch has ended, or is to end: nothing is on its way any more. */
static void drop_fetch(struct gai_request *r)
{
	fetch_abandon(r->fetch);
	r->fetch = NULL;
}

/* What was asked is there; `blob` NULL: it will not come in time. Owns one reference to it. */
static void resume(struct gai_request *r, struct blob *blob)
{
	struct resolve call;

	drop_fetch(r);
	if (!gai_request_run(r)) {
		blob_release(blob);
		in_flight--;
		gai_request_leave(r);
	} else if (!resolve_resume(&call, &r->kept)) {
		blob_release(blob);
		fail_over(r);
	} else if (ask_end(&call, &r->plan, &r->asked, r->asked_types, blob) < 0) {
		resolve_pause(&call, &r->kept);
		fail_over(r);
	} else {
		step(r, &call);
	}
	start_queued();
}

static void on_answer(void *arg, struct blob *blob, uint64_t now_ms)
{
	(void)now_ms;
	resume(arg, blob_retain(blob));
}

static void on_start(struct io_task *task, uint64_t now_ms)
{
	struct gai_list *list = (struct gai_list *)task;

	(void)now_ms;
	*queue_end = list->queued;
	while (*queue_end != NULL)
		queue_end = &(*queue_end)->next;
	gai_list_drop(list);
	start_queued();
}

int gai_lookup_submit(struct gai_list *list)
{
	int r;

	list->start.run = on_start;
	gai_list_ref(list);
	r = io_submit(&list->start);
	if (r < 0)
		gai_list_drop(list);
	return r;
}

/* io thread: what was on its way for it is not waited for. One in the queue is found there. */
static void on_cancel(struct io_task *task, uint64_t now_ms)
{
	struct gai_request *r =
		(struct gai_request *)((char *)task - offsetof(struct gai_request, cancel));
	struct gai_list *list = r->list;

	(void)now_ms;
	if (r->fetch != NULL)
		resume(r, NULL);
	gai_list_drop(list);
}

int gai_lookup_cancel(const struct gaicb *gaicb)
{
	struct gai_request *r;
	int eai = gai_request_cancel(gaicb, &r);

	if (eai != EAI_CANCELED)
		return eai;
	r->cancel.run = on_cancel;
	if (io_submit(&r->cancel) < 0)
		gai_list_drop(r->list);
	return eai;
}

void gai_reset(void)
{
	gai_request_reset();
	queue = NULL;
	queue_end = &queue;
	in_flight = 0;
}

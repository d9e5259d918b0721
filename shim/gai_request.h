// SPDX-License-Identifier: MIT
/*
 * gai_request.h - the requests of getaddrinfo_a() and the lists that they came in: who may touch
 * one when, and who is told when it is done. How one is looked up is gai_lookup.h's matter.
 *
 *	state		who works on it			leaves by
 *	RUNNING		one thread, the *driver*:	gai_request_wait()	-> WAITING
 *			the submitter, the io thread,	gai_request_finish()	-> DONE
 *			or one of libc's
 *	WAITING		nobody: it is queued, or its	gai_request_run()	-> RUNNING
 *			question is on its way		gai_request_cancel()	-> CANCELLED
 *	DONE		nobody: the program has its result
 *	CANCELLED	nobody: the program was told EAI_CANCELED
 *
 * The program's gaicb, and the strings that it points to, are borrowed and may be used in RUNNING
 * alone: after DONE and CANCELLED they may be gone. In these two the request is *closed*: it
 * counts as finished in its list, gai_error() says so, and gai_suspend() does not wait for it.
 *
 * A list lives until its submitter and all its requests' drivers have dropped it.
 *
 * Any thread of the owner process (process.h), signal handlers too where it says so.
 */
#ifndef NOBLOCKDNS_GAI_REQUEST_H
#define NOBLOCKDNS_GAI_REQUEST_H

#include "shim/addrinfo.h"
#include "shim/ask.h"
#include "shim/gai_notify.h"
#include "shim/io.h"
#include "shim/name.h"
#include "shim/resolve.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

struct gai_list;

enum gai_state { GAI_RUNNING, GAI_WAITING, GAI_DONE, GAI_CANCELLED };

const char *gai_state_to_str(enum gai_state state);

struct gai_request {
	struct gai_list *list;
	struct gaicb *gaicb;	       /* borrows; the driver's, in RUNNING */
	enum gai_state state;	       /* guarded by the requests' lock */
	uint64_t serial;	       /* of its list: one more each time; constant */
	struct gai_request *in_bucket; /* guarded by the requests' lock */

	/* The rest is the driver's, and of a WAITING or CANCELLED one the io thread's. */
	struct addrinfo_request wanted;
	char *name_owned; /* owns: the name as AI_IDN encoded it, or NULL */
	struct resolve_kept kept;
	struct name asked; /* what `fetch` is to bring, and for which types */
	unsigned asked_types;
	struct ask_plan plan;	  /* of `fetch` */
	struct fetch *fetch;	  /* owns a reference; NULL: nothing is on its way */
	struct gai_request *next; /* in a queue */
	struct io_task cancel;	  /* tells the io thread of CANCELLED */
	struct gaicb libc;	  /* what libc works on in our place */
};

struct gai_list {
	struct io_task start; /* brings `queued` to the io thread */
	struct gai_request *queued;
	_Atomic uint32_t refs;
	_Atomic uint32_t nopen; /* requests that are not closed; futex of gai_list_wait() */
	bool notifies;		/* GAI_NOWAIT */
	struct gai_notify notify;
	unsigned n;
	struct gai_request requests[];
};

/*
 * Takes in the program's list: each gaicb that is not NULL becomes a RUNNING request with
 * EAI_INPROGRESS. The list has one reference for the caller and one for each request. `event` is
 * used with GAI_NOWAIT and may be NULL. NULL without memory; nothing has happened then.
 */
struct gai_list *gai_list_new(int mode, struct gaicb *const items[], int nitems,
			      const struct sigevent *event);
void gai_list_ref(struct gai_list *list);
void gai_list_drop(struct gai_list *list);

/* Sleeps until every request is closed. No signal and no cancellation ends it (as in glibc: the
 * program's stack may hold what we write to). */
void gai_list_wait(struct gai_list *list);

/* RUNNING -> WAITING. The caller is the driver no longer. */
void gai_request_wait(struct gai_request *request);

/* WAITING -> RUNNING, and the caller is the driver; false: it was cancelled. */
bool gai_request_run(struct gai_request *request);

/* RUNNING -> DONE with gai_error() == `eai`; what the gaicb shall hold is in it already. Notifies
 * where it was the last one. */
void gai_request_finish(struct gai_request *request, int eai);

/* Ends the driver's work on a closed request: frees what it owns, and drops its list. */
void gai_request_leave(struct gai_request *request);

/* Both. */
void gai_request_end(struct gai_request *request, int eai);

/*
 * gai_cancel(3): WAITING -> CANCELLED. EAI_CANCELED; EAI_NOTCANCELED (RUNNING); EAI_ALLDONE (not
 * ours, or closed). With EAI_CANCELED *ret is the request, with one more reference to its list.
 */
int gai_request_cancel(const struct gaicb *gaicb, struct gai_request **ret);

/* Is there any request that is not closed? No lock, no system call. Signal handlers too. */
bool gai_request_any(void);

/*
 * gai_suspend(3): 0, EAI_INTR, EAI_AGAIN (timeout), EAI_SYSTEM with EINVAL (no such timeout);
 * EAI_ALLDONE where none of the list is one of ours. A cancellation point. Signal handlers too.
 */
int gai_request_suspend(const struct gaicb *const items[], int nitems,
			const struct timespec *timeout);

/* In a forked child: the parent's requests are not ours. */
void gai_request_reset(void);

#endif

// SPDX-License-Identifier: MIT
/*
 * gai_lookup.h - looks up the requests of getaddrinfo_a() on the io thread, without blocking it.
 *
 * The submitter has made the first attempt (gai_submit.c): what comes here was asked for in the
 * right form, and has to be fetched.
 */
#ifndef NOBLOCKDNS_GAI_LOOKUP_H
#define NOBLOCKDNS_GAI_LOOKUP_H

#include "shim/gai_request.h"

/*
 * Runs a request's lookup once, as far as the answers go that `call` can find. LOOKUP_DONE:
 * *ret_eai and, with 0, the gaicb's ar_result are the outcome. By the driver, on any thread.
 */
enum lookup_result gai_lookup_run(struct gai_request *request, struct resolve *call,
				  struct lookup_question *ret_question, int *ret_eai);

/* Hands list->queued to the io thread, all of it WAITING. 0, or the errno of io_submit(). */
int gai_lookup_submit(struct gai_list *list);

/* gai_cancel(3): EAI_CANCELED, EAI_NOTCANCELED, or EAI_ALLDONE where it is none of ours. */
int gai_lookup_cancel(const struct gaicb *gaicb);

#endif

// SPDX-License-Identifier: MIT
/*
 * gai_submit.h - the start of a getaddrinfo_a() list, on the thread that called it.
 */
#ifndef NOBLOCKDNS_GAI_SUBMIT_H
#define NOBLOCKDNS_GAI_SUBMIT_H

#include "shim/gai_request.h"

/*
 * Drives every request of a new list: closes those that need no waiting, and hands the others to
 * the io thread or to libc, each with its reference to the list. `call` was begun by the caller,
 * and is ended here. Does not block. Changes errno and h_errno.
 */
void gai_submit(struct gai_list *list, struct resolve *call);

#endif

// SPDX-License-Identifier: MIT
/*
 * hook_pass.c - name functions without a hook of their own: straight to libc.
 */
#include "shim/hooks.h"

int nbd_getaddrinfo_a(int mode, struct gaicb *list[], int nitems, struct sigevent *sevp)
{
	return real_getaddrinfo_a(mode, list, nitems, sevp);
}

int nbd_gai_suspend(const struct gaicb *const list[], int nitems, const struct timespec *timeout)
{
	return real_gai_suspend(list, nitems, timeout);
}

int nbd_gai_error(struct gaicb *req)
{
	return real_gai_error(req);
}

int nbd_gai_cancel(struct gaicb *req)
{
	return real_gai_cancel(req);
}

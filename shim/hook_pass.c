// SPDX-License-Identifier: MIT
/*
 * hook_pass.c - name functions without a hook of their own: straight to libc.
 */
#include "shim/hooks.h"

int nbd_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		    struct addrinfo **res)
{
	return real_getaddrinfo(node, service, hints, res);
}

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

struct hostent *nbd_gethostbyname(const char *name)
{
	return real_gethostbyname(name);
}

struct hostent *nbd_gethostbyname2(const char *name, int af)
{
	return real_gethostbyname2(name, af);
}

int nbd_gethostbyname_r(const char *name, struct hostent *ret, char *buf, size_t buflen,
			struct hostent **result, int *h_errnop)
{
	return real_gethostbyname_r(name, ret, buf, buflen, result, h_errnop);
}

int nbd_gethostbyname2_r(const char *name, int af, struct hostent *ret, char *buf, size_t buflen,
			 struct hostent **result, int *h_errnop)
{
	return real_gethostbyname2_r(name, af, ret, buf, buflen, result, h_errnop);
}

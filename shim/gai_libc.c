// SPDX-License-Identifier: MIT
/* gai_libc.c - see gai_libc.h. */
#include "shim/gai_libc.h"

#include "shim/getaddrinfo.h"
#include "shim/hooks.h"
#include "shim/sys.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_address(const char *node)
{
	char v6[INET6_ADDRSTRLEN];
	size_t len = strcspn(node, "%");
	struct in6_addr addr;
	struct in_addr v4;

	if (node[strcspn(node, " \t\n\v\f\r")] != '\0')
		return false; /* inet_aton() stops there, getaddrinfo() does not */
	if (inet_aton(node, &v4) != 0)
		return true;
	if (len >= sizeof v6)
		return false;
	memcpy(v6, node, len);
	v6[len] = '\0';
	return inet_pton(AF_INET6, v6, &addr) == 1;
}

bool gai_libc_is_quick(const char *node, const struct addrinfo *hints)
{
	if (node == NULL || strcmp(node, "*") == 0)
		return true;
	/* AI_NUMERICHOST, or a flag that is an error */
	if (hints != NULL && (hints->ai_flags & ~GETADDRINFO_LOOKUP_FLAGS) != 0)
		return true;
	if (hints != NULL && hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET &&
	    hints->ai_family != AF_INET6)
		return true;
	return is_address(node);
}

static void on_libc_done(union sigval value)
{
	struct gai_request *r = value.sival_ptr;
	const sys_sigset all = ~(sys_sigset)0;
	int eai;

	sys_sigmask(SIG_SETMASK, &all, NULL); /* the program's handlers do not belong here */
	eai = real_gai_error(&r->libc);

	if (eai == 0)
		r->gaicb->ar_result = r->libc.ar_result;
	gai_request_end(r, eai);
}

/* Where libc has no thread either, the lookup has failed for now. Where it has taken the request
 * and only cannot tell when it is done, the list stays behind: it is being written to. */
void gai_libc_start(struct gai_request *r)
{
	struct gaicb *item = &r->libc;
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = on_libc_done,
		.sigev_value.sival_ptr = r,
	};
	int eai;

	r->libc = (struct gaicb){.ar_name = r->gaicb->ar_name,
				 .ar_service = r->gaicb->ar_service,
				 .ar_request = r->gaicb->ar_request};
	eai = real_getaddrinfo_a(GAI_NOWAIT, &item, 1, &event);
	if (eai == EAI_SYSTEM)
		gai_request_end(r, EAI_AGAIN);
	else if (eai != 0)
		gai_request_finish(r, EAI_MEMORY);
}

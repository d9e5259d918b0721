// SPDX-License-Identifier: MIT
/* trace_calls.c - the records of lookups, connects and races; see trace.h. */
#include "shim/trace.h"

#include "shim/clock.h"
#include "shim/order.h"
#include "shim/trace_file.h"
#include "shim/trace_internal.h"
#include "shim/v4mapped.h"

#include <errno.h>
#include <string.h>

__thread uint8_t trace_source;

/* ---- lookups ---- */

void trace_begin(struct trace_call *call, const char *name)
{
	bool ready = trace_is_ready();

	call->naddrs = call->n_kept = 0;
	call->name_len = name == NULL ? 0 : (unsigned)strnlen(name, TRACE_NAME_MAX);
	if (name != NULL)
		memcpy(call->tail, name, call->name_len);
	trace_note(TRACE_SOURCE_CACHE);
	call->start_ns = clock_boot_ns();
	if (ready)
		trace_enter(TRACE_LOOKUP, call->start_ns, (uint16_t)call->name_len, call->tail,
			    call->name_len);
}

void trace_end(struct trace_call *call, enum trace_function function, int family, int result)
{
	unsigned len = call->name_len + call->n_kept * 16;
	unsigned ncells =
		1 + (len <= TRACE_INLINE_MAX
			     ? 0
			     : (len - TRACE_INLINE_MAX + TRACE_MORE_MAX - 1) / TRACE_MORE_MAX);
	uint64_t duration_ns = clock_boot_ns() - call->start_ns;
	struct trace_cell *cell;

	if (!trace_is_ready())
		return;
	trace_leave(TRACE_LOOKUP, true, duration_ns);
	cell = trace_start_record(ncells, call->start_ns, duration_ns);
	if (cell == NULL)
		return;
	cell->result = result;
	cell->name_len = (uint16_t)call->name_len;
	cell->function = (uint8_t)function;
	cell->family = (uint8_t)family;
	cell->lookup.source = trace_source;
	cell->lookup.n_kept = (uint8_t)call->n_kept;
	cell->lookup.naddrs = (uint16_t)call->naddrs;
	memcpy(cell->lookup.tail, call->tail, TRACE_INLINE_MAX);
	trace_write_tail(cell, ncells, call->tail + TRACE_INLINE_MAX, len - TRACE_INLINE_MAX);
	trace_file_done(cell, TRACE_LOOKUP, ncells);
}

static struct in6_addr mapped(int family, const void *addr)
{
	struct in6_addr v6;

	if (family == AF_INET)
		return v4mapped_make(addr);
	memcpy(&v6, addr, sizeof(v6));
	return v6;
}

/* addrinfo has each address several times, once for each type of socket. */
static void add(struct trace_call *call, int family, const void *addr)
{
	struct in6_addr v6 = mapped(family, addr);
	char *at = call->tail + call->name_len + call->n_kept * 16;

	if (call->n_kept > 0 && memcmp(at - 16, &v6, 16) == 0)
		return;
	call->naddrs++;
	if (call->n_kept == TRACE_ADDRS_MAX)
		return;
	memcpy(at, &v6, 16);
	call->n_kept++;
}

void trace_end_addrinfo(struct trace_call *call, int family, int result,
			const struct addrinfo *list)
{
	for (; list != NULL; list = list->ai_next) {
		if (list->ai_family == AF_INET)
			add(call, AF_INET, &((struct sockaddr_in *)list->ai_addr)->sin_addr);
		else if (list->ai_family == AF_INET6)
			add(call, AF_INET6, &((struct sockaddr_in6 *)list->ai_addr)->sin6_addr);
	}
	trace_end(call, TRACE_GETADDRINFO, family, result);
}

void trace_end_hostent(struct trace_call *call, enum trace_function function, int family, int h_err,
		       const struct hostent *hostent)
{
	for (char **addr = hostent != NULL ? hostent->h_addr_list : NULL; addr && *addr; addr++)
		add(call, hostent->h_addrtype, *addr);
	/* HOST_NOT_FOUND, TRY_AGAIN, NO_RECOVERY, NO_DATA: 1 to 4; EAI_NONAME ...: -2 to -5. */
	trace_end(call, function, family,
		  hostent != NULL ? 0
		  : h_err > 0	  ? EAI_NONAME + HOST_NOT_FOUND - h_err
				  : EAI_SYSTEM);
}

/* ---- connects ---- */

static bool is_whole(const struct sockaddr *addr, socklen_t len)
{
	return addr->sa_family == AF_INET || len >= sizeof(struct sockaddr_in6);
}

static struct in6_addr mapped_of(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET)
		return mapped(AF_INET, &((const struct sockaddr_in *)addr)->sin_addr);
	return mapped(AF_INET6, &((const struct sockaddr_in6 *)addr)->sin6_addr);
}

/* The port is at the same place in both families. */
static uint16_t port_of(const struct sockaddr *addr)
{
	return ntohs(((const struct sockaddr_in *)addr)->sin_port);
}

uint64_t trace_connect_begin(const struct sockaddr *addr, socklen_t len)
{
	bool ready = is_whole(addr, len) && trace_is_ready();
	uint64_t now_ns = clock_boot_ns();
	struct in6_addr v6;

	if (ready) {
		v6 = mapped_of(addr);
		trace_enter(TRACE_CONNECT, now_ns, port_of(addr), &v6, sizeof(v6));
	}
	return now_ns;
}

void trace_connect(int fd, const struct sockaddr *addr, socklen_t len, uint64_t start_ns, int r)
{
	uint64_t duration_ns = clock_boot_ns() - start_ns;
	struct trace_cell *cell;
	struct in6_addr v6;
	int error = r == 0 ? 0 : errno;

	if (!is_whole(addr, len) || !trace_is_ready())
		return;
	trace_leave(TRACE_CONNECT, error != EINPROGRESS, duration_ns);
	cell = trace_start_record(1, start_ns, duration_ns);
	if (cell == NULL)
		return;
	v6 = mapped_of(addr);
	cell->result = error;
	cell->function = TRACE_CONNECT_CALL;
	cell->connect.fd = fd;
	cell->connect.port = port_of(addr);
	cell->connect.family = (uint8_t)addr->sa_family;
	memcpy(cell->connect.addr, &v6, 16);
	trace_file_done(cell, TRACE_CONNECT, 1);
}

void trace_race_over(struct trace_race *race, const struct order_dest *asked,
		     const struct order_dest *winner, uint64_t start_ns, int error)
{
	struct trace_cell *cell;
	struct in6_addr v6 = {0};

	if (!trace_is_ready())
		return;
	cell = trace_start_record(2, start_ns, clock_boot_ns() - start_ns);
	if (cell == NULL)
		return;
	if (winner != NULL)
		v6 = mapped(winner->family, winner->addr);
	trace_write_tail(cell, 2, (const char *)&v6, sizeof(v6));
	v6 = mapped(asked->family, asked->addr);
	memcpy(race->asked, &v6, sizeof(v6));
	race->winner_family = winner != NULL ? (uint8_t)winner->family : 0;
	cell->race = *race;
	cell->result = error;
	trace_file_done(cell, TRACE_RACE, 2);
}

// SPDX-License-Identifier: MIT
/*
 * trace_decode.c - one record of a trace, taken apart; and words for its numbers.
 */
#include "shim/tool/trace_internal.h"

#include <arpa/inet.h>
#include <string.h>

/* A record's first cell, and what follows in it and its further cells as one text. */
struct parts {
	struct trace_names *names;
	struct trace_cell cell;
	unsigned ncells;
	const unsigned char *cells;
	unsigned tail_len;
	char tail[TRACE_RECORD_CELLS * TRACE_CELL_SIZE];
};

static void append_tail(struct parts *p, const void *bytes, unsigned len)
{
	memcpy(p->tail + p->tail_len, bytes, len);
	p->tail_len += len;
}

/* The further cells from the one with that number on. */
static void append_more(struct parts *p, unsigned from)
{
	for (unsigned i = from; i < p->ncells; i++)
		append_tail(p, p->cells + i * TRACE_CELL_SIZE + offsetof(struct trace_more, bytes),
			    TRACE_MORE_MAX);
}

static bool decode_lookup(struct parts *p, struct trace_record *ret)
{
	const struct trace_lookup *lookup = &p->cell.lookup;

	append_tail(p, lookup->tail, TRACE_INLINE_MAX);
	append_more(p, 1);
	if (lookup->n_kept > TRACE_ADDRS_MAX || p->cell.name_len > TRACE_NAME_MAX ||
	    p->cell.name_len + lookup->n_kept * 16u > p->tail_len)
		return false;
	ret->name = trace_names_text(p->names, p->tail, p->cell.name_len);
	ret->function = p->cell.function;
	ret->family = p->cell.family;
	ret->source = lookup->source;
	ret->naddrs = lookup->naddrs;
	ret->n_kept = lookup->n_kept;
	memcpy(ret->addrs, p->tail + p->cell.name_len, lookup->n_kept * 16u);
	for (unsigned i = 0; i < ret->n_kept; i++)
		trace_names_set(p->names, &ret->addrs[i], ret->name);
	return true;
}

static bool decode_connect(struct parts *p, struct trace_record *ret)
{
	const struct trace_connect *connect = &p->cell.connect;

	ret->function = p->cell.function;
	ret->fd = connect->fd;
	ret->port = connect->port;
	memcpy(&ret->addrs[0], connect->addr, 16);
	ret->name = trace_names_get(p->names, connect->addr);
	return p->ncells == 1;
}

static bool decode_race(struct parts *p, struct trace_record *ret)
{
	const struct trace_race *race = &p->cell.race;

	if (p->ncells != 2)
		return false;
	append_more(p, 1);
	ret->fd = -1;
	ret->port = race->port;
	ret->end = race->end;
	ret->attempts = race->attempts;
	ret->blocking = race->blocking;
	ret->own_won = race->own_won;
	ret->winner_family = race->winner_family;
	memcpy(&ret->winner, p->tail, 16);
	memcpy(&ret->addrs[0], race->asked, 16);
	ret->name = trace_names_get(p->names, race->asked);
	return true;
}

static bool decode_turn(struct parts *p, struct trace_record *ret)
{
	const struct trace_turn *turn = &p->cell.turn;

	ret->blocked_ns = turn->blocked_ns;
	ret->lookups = turn->lookups;
	ret->connects = turn->connects;
	return p->ncells == 1;
}

static bool decode_thread(struct parts *p, struct trace_record *ret)
{
	const struct trace_thread *thread = &p->cell.thread;
	struct trace_histogram histogram;

	if (p->ncells != TRACE_THREAD_CELLS)
		return false;
	append_more(p, 2);
	if (p->cell.name_len > TRACE_MORE_MAX)
		return false;
	memcpy(&histogram, p->cells + TRACE_CELL_SIZE, sizeof(histogram));
	memcpy(ret->histogram, histogram.turns, sizeof(ret->histogram));
	ret->turns = thread->turns;
	ret->busy_ns = thread->busy_ns;
	ret->longest_ns = thread->longest_ns;
	ret->waits_ns = thread->waits_ns;
	ret->name = trace_names_text(p->names, p->tail, p->cell.name_len);
	trace_names_set_thread(p->names, p->cell.tid, ret->name);
	return true;
}

static bool decode_type(struct parts *p, enum trace_type type, struct trace_record *ret)
{
	switch (type) {
	case TRACE_LOOKUP:
		return decode_lookup(p, ret);
	case TRACE_CONNECT:
		return decode_connect(p, ret);
	case TRACE_RACE:
		return decode_race(p, ret);
	case TRACE_TURN:
		return decode_turn(p, ret);
	case TRACE_THREAD:
		return decode_thread(p, ret);
	}
	return false;
}

bool trace_decode(struct trace_names *names, const unsigned char *cells, unsigned type,
		  unsigned ncells, struct trace_record *ret)
{
	struct parts p = {.names = names, .ncells = ncells, .cells = cells};

	memcpy(&p.cell, cells, sizeof(p.cell));
	*ret = (struct trace_record){
		.type = type,
		.tid = p.cell.tid,
		.start_ns = p.cell.start_ns,
		.duration_ns = p.cell.duration_ns,
		.result = p.cell.result,
		.name = "",
	};
	if (!decode_type(&p, type, ret))
		return false;
	ret->thread = trace_names_get_thread(names, ret->tid);
	return true;
}

bool trace_decode_under_way(struct trace_names *names, const unsigned char *cells,
			    struct trace_record *ret)
{
	const unsigned char *at = cells + TRACE_THREAD_UNDER_WAY * TRACE_CELL_SIZE;
	char name[TRACE_NAME_HEAD + TRACE_MORE_MAX];
	struct trace_under_way u;
	struct trace_cell cell;

	memcpy(&cell, cells, sizeof(cell));
	memcpy(&u, at, sizeof(u));
	if (u.type != TRACE_LOOKUP && u.type != TRACE_CONNECT)
		return false;
	*ret = (struct trace_record){
		.type = u.type,
		.under_way = true,
		.tid = cell.tid,
		.thread = trace_names_get_thread(names, cell.tid),
		.start_ns = u.start_ns,
	};
	if (u.type == TRACE_CONNECT) {
		ret->function = TRACE_CONNECT_CALL;
		ret->fd = -1;
		ret->port = u.number;
		memcpy(&ret->addrs[0], u.bytes, 16);
		ret->name = trace_names_get(names, u.bytes);
		return true;
	}
	memcpy(name, u.bytes, TRACE_NAME_HEAD);
	memcpy(name + TRACE_NAME_HEAD, at + TRACE_CELL_SIZE + offsetof(struct trace_more, bytes),
	       TRACE_MORE_MAX);
	ret->name =
		trace_names_text(names, name, u.number < sizeof(name) ? u.number : sizeof(name));
	return true;
}

/* ---- words ---- */

const char *trace_type_to_str(enum trace_type type)
{
	switch (type) {
	case TRACE_LOOKUP:
		return "lookup";
	case TRACE_CONNECT:
		return "connect";
	case TRACE_RACE:
		return "race";
	case TRACE_TURN:
		return "turn";
	case TRACE_THREAD:
		return "thread";
	}
	return "?";
}

const char *trace_function_to_str(enum trace_function function)
{
	switch (function) {
	case TRACE_GETADDRINFO:
		return "getaddrinfo";
	case TRACE_GETHOSTBYNAME:
		return "gethostbyname";
	case TRACE_GETHOSTBYNAME2:
		return "gethostbyname2";
	case TRACE_GETHOSTBYNAME_R:
		return "gethostbyname_r";
	case TRACE_GETHOSTBYNAME2_R:
		return "gethostbyname2_r";
	case TRACE_GETADDRINFO_A:
		return "getaddrinfo_a";
	case TRACE_GAI_SUSPEND:
		return "gai_suspend";
	case TRACE_CONNECT_CALL:
		return "connect";
	}
	return "?";
}

const char *trace_source_to_str(enum trace_source source)
{
	switch (source) {
	case TRACE_SOURCE_UNKNOWN:
		return "unknown";
	case TRACE_SOURCE_CACHE:
		return "cache";
	case TRACE_SOURCE_STALE:
		return "stale";
	case TRACE_SOURCE_UPSTREAM:
		return "upstream";
	case TRACE_SOURCE_HOSTS:
		return "hosts";
	case TRACE_SOURCE_LIBC:
		return "libc";
	}
	return "?";
}

const char *trace_race_end_to_str(enum trace_race_end end)
{
	switch (end) {
	case TRACE_RACE_WON:
		return "won";
	case TRACE_RACE_LOST:
		return "lost";
	case TRACE_RACE_STOPPED:
		return "stopped";
	}
	return "?";
}

const char *trace_addr_to_str(const struct in6_addr *addr, char *buf)
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		return inet_ntop(AF_INET, addr->s6_addr + 12, buf, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, addr, buf, INET6_ADDRSTRLEN);
}

// SPDX-License-Identifier: MIT
/*
 * trace.c - see trace.h.
 *
 * A thread's state begins anew with each generation, of which a forked child begins one. Where a
 * signal handler comes between a thread's steps, its records go before the interrupted one's, and a
 * turn may be counted for another.
 */
#include "shim/trace.h"

#include "shim/clock.h"
#include "shim/config.h"
#include "shim/hot.h"
#include "shim/order.h"
#include "shim/process.h"
#include "shim/sys.h"
#include "shim/trace_file.h"
#include "shim/v4mapped.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

__thread uint8_t trace_source;

static char folder[PATH_MAX];
static HOT _Atomic uint32_t generation = 1;

/* The calling thread's. */
static __thread struct {
	uint32_t generation; /* all else is of that one */
	uint32_t tid;
	struct trace_cell *thread; /* its TRACE_THREAD record; NULL: there was no room */
	uint64_t turn_ns;	   /* since when a turn is under way; 0: none is */
	uint64_t wait_ns;	   /* the latest call that ended one */
	uint64_t blocked_ns;	   /* in it, of lookups and connects */
	uint32_t lookups, connects;
} self;

/* ---- whether ---- */

static bool is_folder(const char *path)
{
	return path != NULL && path[0] == '/' && strlen(path) < sizeof(folder);
}

static bool mode_is(const char *mode)
{
	const char *is = getenv(CONFIG_PREFIX "MODE");

	return is != NULL && strcmp(is, mode) == 0;
}

bool trace_is_wanted(void)
{
	const char *path = getenv(CONFIG_PREFIX "TRACE");

	if (!is_folder(path) || mode_is("off"))
		return false;
	memcpy(folder, path, strlen(path) + 1);
	return true;
}

void trace_configure(const struct config *config)
{
	struct trace_header *header = atomic_load(&trace_file);
	bool observe = config->mode == CONFIG_MODE_OBSERVE;
	int role = INIT_PLAIN;

	if (init_stands_aside())
		return;
	if (config->mode != CONFIG_MODE_OFF && is_folder(config->trace)) {
		if (folder[0] == '\0')
			memcpy(folder, config->trace, strlen(config->trace) + 1);
		role = observe ? INIT_OBSERVES : INIT_TRACED;
	}
	if (header != NULL)
		header->observe = observe;
	atomic_store_explicit(&init_role, role, memory_order_relaxed);
}

/* ---- a thread's first record ---- */

static void write_tail(struct trace_cell *cell, unsigned ncells, const char *tail, unsigned len)
{
	struct trace_more *more = (struct trace_more *)cell;

	for (unsigned i = 1; i < ncells; i++, tail += TRACE_MORE_MAX, len -= TRACE_MORE_MAX) {
		memcpy(more[i].bytes, tail, len < TRACE_MORE_MAX ? len : TRACE_MORE_MAX);
		more[i].mark = TRACE_MARK(TRACE_MORE, 0, i);
	}
}

static struct trace_cell *start_record(unsigned ncells, uint64_t start_ns, uint64_t duration_ns)
{
	struct trace_cell *cell = trace_file_reserve(ncells);

	if (cell == NULL)
		return NULL;
	cell->tid = self.tid;
	cell->start_ns = start_ns;
	cell->duration_ns = duration_ns;
	return cell;
}

static void introduce(void)
{
	char tail[(TRACE_THREAD_CELLS - 1) * TRACE_MORE_MAX] = "";

	self.tid = (uint32_t)sys_gettid();
	self.thread = start_record(TRACE_THREAD_CELLS, clock_boot_ns(), 0);
	if (self.thread == NULL)
		return;
	(void)sys_call(SYS_prctl, PR_GET_NAME, (long)(tail + TRACE_MORE_MAX), 0, 0, 0, 0);
	self.thread->name_len = (uint16_t)strnlen(tail + TRACE_MORE_MAX, 16);
	write_tail(self.thread, TRACE_THREAD_CELLS, tail, sizeof(tail));
	trace_file_done(self.thread, TRACE_THREAD, TRACE_THREAD_CELLS);
}

__attribute__((noinline, cold)) static bool begin_thread(void)
{
	bool observe = init_is_libcs() || mode_is("observe"); /* the latter until that is known */

	if (process_check() != PROCESS_OWNER)
		return false;
	if (!trace_file_make(folder, observe)) {
		atomic_store_explicit(&init_role, INIT_PLAIN, memory_order_relaxed);
		return false;
	}
	memset(&self, 0, sizeof(self));
	introduce();
	self.generation = atomic_load_explicit(&generation, memory_order_relaxed);
	return true;
}

/* May this thread write? */
static bool is_ready(void)
{
	if (__builtin_expect(process_is_clean() &&
				     self.generation == atomic_load_explicit(&generation,
									     memory_order_relaxed),
			     1))
		return true;
	return begin_thread();
}

void trace_reset(void)
{
	trace_file_reset();
	atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

/* ---- what a thread is in ---- */

static struct trace_under_way *under_way(void)
{
	return (struct trace_under_way *)(self.thread + TRACE_THREAD_UNDER_WAY);
}

static void enter(enum trace_type type, uint64_t start_ns, uint16_t number, const void *bytes,
		  unsigned len)
{
	struct trace_under_way *u;
	struct trace_more *more;

	if (self.thread == NULL)
		return;
	u = under_way();
	more = (struct trace_more *)(u + 1);
	u->number = number;
	u->start_ns = start_ns;
	memcpy(u->bytes, bytes, len < TRACE_NAME_HEAD ? len : TRACE_NAME_HEAD);
	if (len > TRACE_NAME_HEAD) {
		len -= TRACE_NAME_HEAD;
		memcpy(more->bytes, (const char *)bytes + TRACE_NAME_HEAD,
		       len < TRACE_MORE_MAX ? len : TRACE_MORE_MAX);
	}
	__atomic_store_n(&u->type, (uint8_t)type, __ATOMIC_RELEASE);
}

static void leave(void)
{
	if (self.thread != NULL)
		__atomic_store_n(&under_way()->type, 0, __ATOMIC_RELEASE);
}

/* ---- lookups ---- */

void trace_begin(struct trace_call *call, const char *name)
{
	bool ready = is_ready();

	call->naddrs = call->n_kept = 0;
	call->name_len = name == NULL ? 0 : (unsigned)strnlen(name, TRACE_NAME_MAX);
	if (name != NULL)
		memcpy(call->tail, name, call->name_len);
	trace_note(TRACE_SOURCE_CACHE);
	call->start_ns = clock_boot_ns();
	if (ready)
		enter(TRACE_LOOKUP, call->start_ns, (uint16_t)call->name_len, call->tail,
		      call->name_len);
}

static void note_blocked(uint64_t duration_ns, uint32_t *count)
{
	self.blocked_ns += duration_ns;
	++*count;
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

	if (!is_ready())
		return;
	leave();
	note_blocked(duration_ns, &self.lookups);
	cell = start_record(ncells, call->start_ns, duration_ns);
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
	write_tail(cell, ncells, call->tail + TRACE_INLINE_MAX, len - TRACE_INLINE_MAX);
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
	bool ready = is_whole(addr, len) && is_ready();
	uint64_t now_ns = clock_boot_ns();
	struct in6_addr v6;

	if (ready) {
		v6 = mapped_of(addr);
		enter(TRACE_CONNECT, now_ns, port_of(addr), &v6, sizeof(v6));
	}
	return now_ns;
}

void trace_connect(int fd, const struct sockaddr *addr, socklen_t len, uint64_t start_ns, int r)
{
	uint64_t duration_ns = clock_boot_ns() - start_ns;
	struct trace_cell *cell;
	struct in6_addr v6;
	int error = r == 0 ? 0 : errno;

	if (!is_whole(addr, len) || !is_ready())
		return;
	leave();
	if (error != EINPROGRESS)
		note_blocked(duration_ns, &self.connects);
	cell = start_record(1, start_ns, duration_ns);
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

	if (!is_ready())
		return;
	cell = start_record(2, start_ns, clock_boot_ns() - start_ns);
	if (cell == NULL)
		return;
	if (winner != NULL)
		v6 = mapped(winner->family, winner->addr);
	write_tail(cell, 2, (const char *)&v6, sizeof(v6));
	v6 = mapped(asked->family, asked->addr);
	memcpy(race->asked, &v6, sizeof(v6));
	race->winner_family = winner != NULL ? (uint8_t)winner->family : 0;
	cell->race = *race;
	cell->result = error;
	trace_file_done(cell, TRACE_RACE, 2);
}

/* ---- turns ---- */

static void count_turn(uint64_t ns)
{
	static const uint64_t bounds_ns[] = TRACE_TURN_BOUNDS_NS;
	struct trace_thread *thread = &self.thread->thread;
	struct trace_histogram *histogram = (struct trace_histogram *)(self.thread + 1);
	unsigned i = 0;

	thread->turns++;
	thread->busy_ns += ns;
	if (ns > thread->longest_ns)
		thread->longest_ns = ns;
	while (i < TRACE_TURN_BUCKETS - 1 && ns >= bounds_ns[i])
		i++;
	histogram->turns[i]++;
}

static void end_turn(uint64_t ns)
{
	struct trace_cell *cell;

	if (self.thread != NULL)
		count_turn(ns);
	if (ns < TRACE_TURN_NS && self.lookups == 0 && self.connects == 0)
		return;
	cell = start_record(1, self.turn_ns, ns);
	if (cell == NULL)
		return;
	cell->turn = (struct trace_turn){
		.blocked_ns = self.blocked_ns, .lookups = self.lookups, .connects = self.connects};
	trace_file_done(cell, TRACE_TURN, 1);
}

void trace_wait_begin(void)
{
	uint64_t now_ns = clock_boot_ns();

	if (!is_ready())
		return;
	if (self.turn_ns != 0)
		end_turn(now_ns - self.turn_ns);
	self.turn_ns = 0;
	self.wait_ns = now_ns;
}

void trace_wait_end(void)
{
	if (!is_ready())
		return;
	self.turn_ns = clock_boot_ns();
	if (self.thread != NULL)
		self.thread->thread.waits_ns += self.turn_ns - self.wait_ns;
	self.blocked_ns = 0;
	self.lookups = self.connects = 0;
}

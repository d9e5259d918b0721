// SPDX-License-Identifier: MIT
/*
 * trace.c - whether a thread writes, what it is in, and its turns; see trace.h.
 *
 * A thread's state begins anew with each generation, of which a forked child begins one. Where a
 * signal handler comes between a thread's steps, its records go before the interrupted one's, and a
 * turn may be counted for another.
 */
#include "shim/trace.h"

#include "shim/clock.h"
#include "shim/config.h"
#include "shim/hot.h"
#include "shim/process.h"
#include "shim/sys.h"
#include "shim/trace_file.h"
#include "shim/trace_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

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

void trace_write_tail(struct trace_cell *cell, unsigned ncells, const char *tail, unsigned len)
{
	struct trace_more *more = (struct trace_more *)cell;

	for (unsigned i = 1; i < ncells; i++, tail += TRACE_MORE_MAX, len -= TRACE_MORE_MAX) {
		memcpy(more[i].bytes, tail, len < TRACE_MORE_MAX ? len : TRACE_MORE_MAX);
		more[i].mark = TRACE_MARK(TRACE_MORE, 0, i);
	}
}

struct trace_cell *trace_start_record(unsigned ncells, uint64_t start_ns, uint64_t duration_ns)
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
	self.thread = trace_start_record(TRACE_THREAD_CELLS, clock_boot_ns(), 0);
	if (self.thread == NULL)
		return;
	(void)sys_call(SYS_prctl, PR_GET_NAME, (long)(tail + TRACE_MORE_MAX), 0, 0, 0, 0);
	self.thread->name_len = (uint16_t)strnlen(tail + TRACE_MORE_MAX, 16);
	trace_write_tail(self.thread, TRACE_THREAD_CELLS, tail, sizeof(tail));
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

bool trace_is_ready(void)
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

void trace_enter(enum trace_type type, uint64_t start_ns, uint16_t number, const void *bytes,
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

void trace_leave(enum trace_type type, bool blocked, uint64_t duration_ns)
{
	if (self.thread != NULL)
		__atomic_store_n(&under_way()->type, 0, __ATOMIC_RELEASE);
	if (!blocked)
		return;
	self.blocked_ns += duration_ns;
	if (type == TRACE_LOOKUP)
		self.lookups++;
	else
		self.connects++;
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
	cell = trace_start_record(1, self.turn_ns, ns);
	if (cell == NULL)
		return;
	cell->turn = (struct trace_turn){
		.blocked_ns = self.blocked_ns, .lookups = self.lookups, .connects = self.connects};
	trace_file_done(cell, TRACE_TURN, 1);
}

void trace_wait_begin(void)
{
	uint64_t now_ns = clock_boot_ns();

	if (!trace_is_ready())
		return;
	if (self.turn_ns != 0)
		end_turn(now_ns - self.turn_ns);
	self.turn_ns = 0;
	self.wait_ns = now_ns;
}

void trace_wait_end(void)
{
	if (!trace_is_ready())
		return;
	self.turn_ns = clock_boot_ns();
	if (self.thread != NULL)
		self.thread->thread.waits_ns += self.turn_ns - self.wait_ns;
	self.blocked_ns = 0;
	self.lookups = self.connects = 0;
}

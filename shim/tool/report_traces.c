// SPDX-License-Identifier: MIT
/* report_traces.c - see report_traces.h. One file is one process. */
#include "shim/tool/report_traces.h"

#include "shim/tool/endings.h"
#include "shim/tool/trace_folder.h"
#include "shim/tool/trace_read.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define NOT_OVER "not over"

struct reader {
	struct report *report;
	struct report_run *run;
	uint64_t start_ns, end_ns; /* CLOCK_BOOTTIME: of the run; of the process, or the run */
	size_t process;		   /* index */
	size_t first_thread;	   /* of this process */
	size_t last_found;
};

static uint64_t since_start(const struct reader *rd, uint64_t boot_ns)
{
	return boot_ns > rd->start_ns ? boot_ns - rd->start_ns : 0;
}

/* The thread's index; it is made where there is none yet. REPORT_NONE: no memory. */
static size_t thread_of(struct reader *rd, const struct trace_record *record)
{
	struct report_run *run = rd->run;
	struct report_thread *thread;

	if (rd->last_found < run->nthreads && run->threads[rd->last_found].tid == record->tid)
		return rd->last_found;
	for (size_t i = rd->first_thread; i < run->nthreads; i++)
		if (run->threads[i].tid == record->tid)
			return rd->last_found = i;
	thread = report_thread_add(rd->report, run);
	if (thread == NULL)
		return REPORT_NONE;
	thread->process = rd->process;
	thread->tid = record->tid;
	thread->name = report_text(rd->report, record->thread);
	return rd->last_found = run->nthreads - 1;
}

static uint64_t duration_of(const struct reader *rd, const struct trace_record *record)
{
	if (!record->under_way)
		return record->duration_ns;
	return rd->end_ns > record->start_ns ? rd->end_ns - record->start_ns : 0;
}

static void add_lookup(struct reader *rd, const struct trace_record *record, size_t thread)
{
	struct report_wait *w = report_wait_add(rd->report, rd->run);

	if (w == NULL)
		return;
	w->kind = REPORT_LOOKUP;
	w->thread = thread;
	w->start_ns = since_start(rd, record->start_ns);
	w->ns = duration_of(rd, record);
	w->name = report_text(rd->report, record->name);
	w->detail = record->source == TRACE_SOURCE_UNKNOWN
			    ? ""
			    : report_text(rd->report, trace_source_to_str(record->source));
	if (record->under_way)
		w->result = NOT_OVER;
	else if (record->result != 0)
		w->result = report_text(rd->report, gai_strerror(record->result));
}

/* A connect that goes on by itself has not failed. */
static void add_connect(struct reader *rd, const struct trace_record *record, size_t thread)
{
	struct report_wait *w = report_wait_add(rd->report, rd->run);
	char addr[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

	if (w == NULL)
		return;
	(void)snprintf(text, sizeof(text), "%s port %u", trace_addr_to_str(&record->addrs[0], addr),
		       record->port);
	w->kind = REPORT_CONNECT;
	w->thread = thread;
	w->start_ns = since_start(rd, record->start_ns);
	w->ns = duration_of(rd, record);
	w->name = report_text(rd->report, *record->name ? record->name : addr);
	w->detail = report_text(rd->report, text);
	if (record->under_way)
		w->result = NOT_OVER;
	else if (record->result != 0 && record->result != EINPROGRESS)
		w->result = report_text(rd->report, strerror(record->result));
}

static void add_turn(struct reader *rd, const struct trace_record *record, size_t thread)
{
	struct report_turn *t = report_turn_add(rd->report, rd->run);

	if (t == NULL)
		return;
	t->thread = thread;
	t->start_ns = since_start(rd, record->start_ns);
	t->ns = record->duration_ns;
}

static void add_record(struct reader *rd, const struct trace_record *record)
{
	size_t thread;

	if (record->type == TRACE_RACE) /* told by the shim's own thread, which nobody waits for */
		return;
	thread = thread_of(rd, record);
	if (thread == REPORT_NONE)
		return;
	switch (record->type) {
	case TRACE_LOOKUP:
		add_lookup(rd, record, thread);
		break;
	case TRACE_CONNECT:
		add_connect(rd, record, thread);
		break;
	case TRACE_TURN:
		add_turn(rd, record, thread);
		break;
	case TRACE_THREAD:
		rd->run->threads[thread].turns += record->turns;
		if (*record->name)
			rd->run->threads[thread].name = report_text(rd->report, record->name);
		break;
	case TRACE_RACE:
		break;
	}
}

static const char *program_of(const struct trace_info *info)
{
	const char *path = *info->exe ? info->exe : info->argv[0] ? info->argv[0] : "";
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void read_file(struct report *r, struct report_run *run, const char *path,
		      uint64_t start_boot_ns, uint64_t end_boot_ns)
{
	struct reader rd = {
		.report = r, .run = run, .start_ns = start_boot_ns, .end_ns = end_boot_ns};
	const struct trace_info *info;
	struct report_process *process;
	struct trace_file *file;
	struct trace_record record;

	if (trace_open(path, &file) < 0) {
		run->lost++;
		return;
	}
	info = trace_info(file);
	process = report_process_add(r, run);
	if (process) {
		process->pid = info->pid;
		process->program = report_text(r, program_of(info));
		rd.process = run->nprocesses - 1;
		rd.first_thread = rd.last_found = run->nthreads;
		while (trace_next(file, &record))
			add_record(&rd, &record);
		run->lost += info->unfinished + info->damaged + info->dropped;
	}
	trace_close(file);
}

struct folder_reader {
	struct report *report;
	struct report_run *run;
	uint64_t start_boot_ns;
	const struct endings *endings;
};

static void read_one(void *ctx, const char *path)
{
	struct folder_reader *f = ctx;
	uint64_t end_ns = f->start_boot_ns + f->run->wall_ns,
		 ended_ns = endings_of(f->endings, path);

	read_file(f->report, f->run, path, f->start_boot_ns, ended_ns < end_ns ? ended_ns : end_ns);
}

int report_traces_read(struct report *r, struct report_run *run, const char *folder,
		       uint64_t start_boot_ns, const struct endings *endings)
{
	struct folder_reader f = {
		.report = r, .run = run, .start_boot_ns = start_boot_ns, .endings = endings};
	int n = trace_folder_each(folder, read_one, &f);

	return n < 0 ? n : 0;
}

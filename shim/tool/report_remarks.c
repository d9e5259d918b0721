// SPDX-License-Identifier: MIT
/* report_remarks.c - see report_write.h: what a reader of the figures must know besides. */
#include "shim/tool/report_write.h"

#include <stdio.h>

static bool about_interruption(const struct report_view *v, char *buf, size_t size)
{
	if (!v->report->interrupted)
		return false;
	(void)snprintf(buf, size,
		       "interrupted: %u of %u runs without the shim and %u of %u with it were made",
		       v->side[REPORT_WITHOUT].runs, v->report->asked, v->side[REPORT_WITH].runs,
		       v->report->asked);
	return true;
}

static bool about_stalls(const struct report_view *v, char *buf, size_t size)
{
	char longest[REPORT_WORD], allowed[REPORT_WORD];

	if (!v->exceeds)
		return false;
	(void)snprintf(
		buf, size, "a stall with the shim of %s, for %s, is longer than the %s allowed",
		report_format_ns(v->side[REPORT_WITH].stall_ns, longest),
		*v->side[REPORT_WITH].stall_name ? v->side[REPORT_WITH].stall_name : "an address",
		report_format_ns(v->report->max_stall_ns, allowed));
	return true;
}

static bool about_end(const struct report_view *v, char *buf, size_t size)
{
	if (v->end != REPORT_DIFFERS)
		return false;
	(void)snprintf(buf, size, "CMD ends otherwise with the shim than without it");
	return true;
}

static bool about_output(const struct report_view *v, char *buf, size_t size)
{
	if (v->output != REPORT_DIFFERS)
		return false;
	(void)snprintf(buf, size, "what CMD writes to standard output differs with the shim");
	return true;
}

static bool about_failure(const struct report_view *v, char *buf, size_t size)
{
	char end[REPORT_WORD];

	for (size_t i = 0; i < v->report->nruns; i++) {
		const struct report_run *run = &v->report->runs[i];

		if (run->end.stopped || (run->end.status == 0 && run->end.signal == 0))
			continue;
		(void)snprintf(buf, size, "run %u %s the shim: %s%s%.300s", run->number,
			       report_side_to_str(run->side), report_format_end(&run->end, end),
			       *run->complaint ? "; its last words: " : "", run->complaint);
		return true;
	}
	return false;
}

static bool about_quiet(const struct report_view *v, char *buf, size_t size)
{
	const struct report_summary *s = v->side;
	size_t waits = 0;

	for (unsigned side = 0; side < REPORT_SIDES; side++)
		waits += s[side].times[REPORT_LOOKUP].n + s[side].times[REPORT_CONNECT].n;
	if (waits > 0 || s[REPORT_WITHOUT].runs + s[REPORT_WITH].runs == 0)
		return false;
	(void)snprintf(buf, size, "CMD made no lookup and no connect that the shim could see%s",
		       v->unseen ? ", so no stall could be found (see noblockdns doctor)" : "");
	return true;
}

static bool about_losses(const struct report_view *v, char *buf, size_t size)
{
	uint64_t lost = v->side[REPORT_WITHOUT].lost + v->side[REPORT_WITH].lost;

	if (lost == 0)
		return false;
	(void)snprintf(buf, size, "%llu records of the traces are missing or damaged%s",
		       (unsigned long long)lost,
		       v->unseen ? ", so a stall may have been missed" : "");
	return true;
}

static bool about_memory(const struct report_view *v, char *buf, size_t size)
{
	if (!v->report->no_memory)
		return false;
	(void)snprintf(buf, size, "memory ran out: figures are missing");
	return true;
}

bool report_remark(const struct report_view *v, size_t i, char *buf, size_t size)
{
	static bool (*const all[])(const struct report_view *v, char *buf, size_t size) = {
		about_interruption, about_stalls, about_end,	about_output,
		about_failure,	    about_quiet,  about_losses, about_memory,
	};

	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
		if (all[k](v, buf, size) && i-- == 0)
			return true;
	return false;
}

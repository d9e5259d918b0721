// SPDX-License-Identifier: MIT
/*
 * report_timeline.c - the HTML form's timeline: one block a run, one lane a thread, all on the same
 * scale. A bar is a wait; long loop turns lie behind. Each bar can be reached by pointer and
 * keyboard, and then tells what it is.
 *
 * Bounded, whatever was measured: the first RUNS_SHOWN runs, of each the LANES_SHOWN threads that
 * were blocked longest, and of these the BARS_SHOWN longest waits and turns. What is left out is
 * said.
 */
#include "shim/tool/report_html.h"

#include <stdlib.h>

#define RUNS_SHOWN  40
#define LANES_SHOWN 24
#define BARS_SHOWN  600

#define PERCENT(part, whole) ((double)(part)*100 / (double)(whole))

static const unsigned zooms[] = {1, 4, 16};

uint64_t report_round_up(uint64_t x)
{
	uint64_t unit = 1;

	for (; unit * 10 < x; unit *= 10)
		;
	if (unit >= x)
		return unit;
	return unit * 2 >= x ? unit * 2 : unit * 5 >= x ? unit * 5 : unit * 10;
}

/* ---- axis ---- */

static void write_tick(uint64_t at, uint64_t scale, unsigned zoom, FILE *out)
{
	char word[REPORT_WORD];
	bool last = at * 100 > scale * 97;

	(void)fprintf(out, "<span class=\"k%u%s\" style=\"left:%.3f%%\">%s</span>", zoom,
		      last ? " last" : "", PERCENT(at, scale), report_format_tick(at, word));
}

/* Ticks that only a zoomed timeline has room for come with its class. */
static void write_axis(uint64_t scale, FILE *out)
{
	uint64_t coarser = 0;

	(void)fputs("<div class=\"axis\" aria-hidden=\"true\"><div class=\"who\"></div>"
		    "<div class=\"ticks\">",
		    out);
	for (size_t z = 0; z < sizeof(zooms) / sizeof(zooms[0]); z++) {
		uint64_t step = report_round_up(scale / (8 * zooms[z]) + 1);

		if (coarser % step != 0) /* 2 in 5 */
			step /= 2;
		for (uint64_t at = 0; at <= scale; at += step)
			if (coarser == 0 || at % coarser != 0)
				write_tick(at, scale, zooms[z], out);
		coarser = step;
	}
	(void)fputs("</div></div>\n", out);
}

/* ---- bars ---- */

static void open_bar(const char *kind, uint64_t start, uint64_t ns, uint64_t scale, FILE *out)
{
	(void)fprintf(out,
		      "<span class=\"bar %s%s\" tabindex=\"0\" role=\"note\" "
		      "style=\"left:%.4f%%;width:%.4f%%\"><span class=\"tip\">",
		      kind, start * 2 > scale ? " end" : "", PERCENT(start, scale),
		      PERCENT(ns, scale));
}

static void write_wait(const struct report_wait *w, uint64_t scale, FILE *out)
{
	char word[REPORT_WORD];

	open_bar(w->kind == REPORT_LOOKUP ? "k0" : "k1", w->start_ns, w->ns, scale, out);
	(void)fprintf(out, "<b>%s</b> %s ", report_format_ns(w->ns, word),
		      w->kind == REPORT_LOOKUP ? "lookup of" : "connect to");
	html_text(out, *w->name ? w->name : *w->detail ? w->detail : "an unknown name");
	if (*w->name && *w->detail) {
		(void)fputs(" (", out);
		html_text(out, w->detail);
		(void)fputc(')', out);
	}
	if (*w->result) {
		(void)fputs(": ", out);
		html_text(out, w->result);
	}
	(void)fprintf(out, "<br>at %s</span></span>", report_format_ns(w->start_ns, word));
}

static void write_turn(const struct report_turn *t, uint64_t scale, FILE *out)
{
	char word[REPORT_WORD];

	open_bar("turn", t->start_ns, t->ns, scale, out);
	(void)fprintf(out, "<b>%s</b> loop turn", report_format_ns(t->ns, word));
	for (unsigned kind = 0; kind < REPORT_KINDS; kind++)
		if (t->blocked_ns[kind] > 0)
			(void)fprintf(out, ", %s in %ss",
				      report_format_ns(t->blocked_ns[kind], word),
				      report_kind_to_str(kind));
	(void)fprintf(out, "<br>at %s</span></span>", report_format_ns(t->start_ns, word));
}

/* Bars shorter than this are left out, so that there are not too many. */
static int longest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

static uint64_t shortest_shown(const struct report_run *run)
{
	size_t n = run->nwaits + run->nturns;
	uint64_t *values, shortest = 0;

	if (n <= BARS_SHOWN)
		return 0;
	values = calloc(n, sizeof(*values));
	if (values == NULL)
		return REPORT_STALL_NS;
	n = 0;
	for (size_t i = 0; i < run->nwaits; i++)
		values[n++] = run->waits[i].ns;
	for (size_t i = 0; i < run->nturns; i++)
		values[n++] = run->turns[i].ns;
	qsort(values, n, sizeof(*values), longest_first);
	shortest = values[BARS_SHOWN - 1] + 1;
	free(values);
	return shortest;
}

/* ---- lanes ---- */

struct lane {
	size_t thread;
	uint64_t blocked_ns;
	size_t bars;
};

static int most_blocked_first(const void *a, const void *b)
{
	const struct lane *x = a, *y = b;

	if ((x->bars > 0) != (y->bars > 0))
		return x->bars > 0 ? -1 : 1;
	if (x->blocked_ns != y->blocked_ns)
		return x->blocked_ns > y->blocked_ns ? -1 : 1;
	return x->thread < y->thread ? -1 : 1;
}

static int by_thread(const void *a, const void *b)
{
	const struct lane *x = a, *y = b;

	return x->thread < y->thread ? -1 : 1;
}

/* Those that are shown, in the order of threads; how many, and how many have bars in all. Of
 * malloc(). */
static struct lane *choose_lanes(const struct report_run *run, uint64_t shortest, size_t *ret_n,
				 size_t *ret_all)
{
	struct lane *lanes = calloc(run->nthreads + 1, sizeof(*lanes));
	size_t n = 0;

	*ret_n = *ret_all = 0;
	if (lanes == NULL)
		return NULL;
	for (size_t i = 0; i < run->nthreads; i++)
		lanes[i].thread = i;
	for (size_t i = 0; i < run->nwaits; i++) {
		lanes[run->waits[i].thread].blocked_ns += run->waits[i].ns;
		lanes[run->waits[i].thread].bars += run->waits[i].ns >= shortest;
	}
	for (size_t i = 0; i < run->nturns; i++)
		lanes[run->turns[i].thread].bars +=
			run->turns[i].ns >= REPORT_STALL_NS && run->turns[i].ns >= shortest;
	qsort(lanes, run->nthreads, sizeof(*lanes), most_blocked_first);
	while (n < run->nthreads && lanes[n].bars > 0)
		n++;
	*ret_all = n;
	*ret_n = n < LANES_SHOWN ? n : LANES_SHOWN;
	qsort(lanes, *ret_n, sizeof(*lanes), by_thread);
	return lanes;
}

static void write_lane(const struct report_run *run, size_t thread, uint64_t shortest,
		       uint64_t scale, FILE *out)
{
	const struct report_thread *t = &run->threads[thread];

	(void)fputs("<div class=\"lane\"><div class=\"who\">", out);
	html_text(out, *t->name ? t->name : run->processes[t->process].program);
	(void)fprintf(out, " <span>%u</span></div><div class=\"track\">", t->tid);
	(void)fprintf(out, "<span class=\"base\" style=\"width:%.4f%%\"></span>",
		      PERCENT(run->wall_ns, scale));
	for (size_t i = 0; i < run->nturns; i++)
		if (run->turns[i].thread == thread && run->turns[i].ns >= REPORT_STALL_NS &&
		    run->turns[i].ns >= shortest)
			write_turn(&run->turns[i], scale, out);
	for (size_t i = 0; i < run->nwaits; i++)
		if (run->waits[i].thread == thread && run->waits[i].ns >= shortest)
			write_wait(&run->waits[i], scale, out);
	(void)fputs("</div></div>\n", out);
}

static void write_run(const struct report_run *run, uint64_t scale, FILE *out)
{
	uint64_t shortest = shortest_shown(run);
	size_t n, all;
	struct lane *lanes = choose_lanes(run, shortest, &n, &all);
	char word[REPORT_WORD], end[REPORT_WORD];

	(void)fprintf(out,
		      "<div class=\"run\"><h3><i class=\"dot s%u\"></i>Run %u %s "
		      "<span>%s, %s, %zu stall%s</span></h3>\n",
		      (unsigned)run->side, run->number,
		      run->side == REPORT_WITH ? "with the shim" : "without",
		      report_format_ns(run->wall_ns, word), report_format_end(&run->end, end),
		      run->nstalls, run->nstalls == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++)
		write_lane(run, lanes[i].thread, shortest, scale, out);
	if (all > n)
		(void)fprintf(out, "<p class=\"soft\">%zu more threads were blocked less.</p>",
			      all - n);
	if (shortest > 0)
		(void)fprintf(out, "<p class=\"soft\">Waits shorter than %s are not drawn.</p>",
			      report_format_ns(shortest, word));
	if (all == 0)
		(void)fputs("<p class=\"soft\">No lookup and no connect.</p>", out);
	(void)fputs("</div>\n", out);
	free(lanes);
}

static uint64_t longest_run(const struct report *r)
{
	uint64_t longest = 1;

	for (size_t i = 0; i < r->nruns; i++)
		if (r->runs[i].wall_ns > longest)
			longest = r->runs[i].wall_ns;
	return longest;
}

void report_timeline(const struct report_view *v, FILE *out)
{
	const struct report *r = v->report;
	uint64_t scale = longest_run(r);

	(void)fputs("<section aria-labelledby=\"timeline\"><h2 id=\"timeline\">Timeline</h2>\n"
		    "<p class=\"soft\">One lane for each thread; a bar is the time that the thread "
		    "stood still. Point at a bar, or reach it with the Tab key.</p>\n",
		    out);
	for (size_t z = 0; z < sizeof(zooms) / sizeof(zooms[0]); z++)
		(void)fprintf(out,
			      "<input class=\"z\" type=\"radio\" name=\"z\" id=\"z%u\" "
			      "aria-label=\"Zoom %u times\"%s>",
			      zooms[z], zooms[z], z == 0 ? " checked" : "");
	(void)fputs("<div class=\"zoom\">Zoom", out);
	for (size_t z = 0; z < sizeof(zooms) / sizeof(zooms[0]); z++)
		(void)fprintf(out, "<label for=\"z%u\">%u&times;</label>", zooms[z], zooms[z]);
	(void)fputs(
		"</div>\n<div class=\"key\">"
		"<span><i style=\"background:var(--lookup)\"></i>lookup</span>"
		"<span><i style=\"background:var(--connect)\"></i>connect</span>"
		"<span><i style=\"background:var(--turn)\"></i>loop turn of 10 ms or more</span>"
		"</div>\n<div class=\"time\"><div class=\"plane\">\n",
		out);
	write_axis(scale, out);
	for (size_t i = 0; i < r->nruns && i < RUNS_SHOWN; i++)
		write_run(&r->runs[i], scale, out);
	(void)fputs("</div></div>\n", out);
	if (r->nruns > RUNS_SHOWN)
		(void)fprintf(out, "<p class=\"soft\">%zu more runs are not drawn.</p>",
			      r->nruns - RUNS_SHOWN);
	(void)fputs("</section>\n", out);
}

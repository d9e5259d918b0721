// SPDX-License-Identifier: MIT
/*
 * report_histogram.c - the HTML form's distribution of waits: how many took how long, without the
 * shim above, with it below, on one logarithmic scale.
 */
#include "shim/tool/report_html.h"

#include <stddef.h>

#define BINS_A_DECADE 5
#define FIRST_NS      1000 /* all that is shorter is in the first bin */
#define DECADES_MAX   9	   /* 1 us to 1000 s */
#define BINS_MAX      (DECADES_MAX * BINS_A_DECADE)

/* The drawing, in units of its view box. */
#define WIDTH  900.0
#define LEFT   96.0
#define ROW    92.0 /* height of one side's bars */
#define LEAST  3.0
#define TOP    36.0
#define GAP    54.0 /* between the two */
#define HEIGHT (TOP + 2 * ROW + GAP + 26)

struct bins {
	size_t n[REPORT_SIDES][BINS_MAX];
	unsigned decades; /* that are shown */
	size_t highest;
};

/* Lower bounds in a decade: powers of ten to the fifths. */
static uint64_t bound_of(unsigned bin)
{
	static const unsigned bounds[BINS_A_DECADE] = {1000, 1585, 2512, 3981, 6310};
	uint64_t ns = bounds[bin % BINS_A_DECADE];

	for (unsigned d = 0; d < bin / BINS_A_DECADE; d++)
		ns *= 10;
	return ns;
}

static unsigned bin_of(uint64_t ns)
{
	unsigned bin = 0;

	while (bin + 1 < BINS_MAX && ns >= bound_of(bin + 1))
		bin++;
	return bin;
}

static void fill(const struct report *r, enum report_kind kind, struct bins *b)
{
	for (size_t i = 0; i < r->nruns; i++)
		for (size_t k = 0; k < r->runs[i].nwaits; k++) {
			const struct report_wait *w = &r->runs[i].waits[k];
			unsigned bin = bin_of(w->ns);

			if (w->kind != kind)
				continue;
			b->n[r->runs[i].side][bin]++;
			if (b->n[r->runs[i].side][bin] > b->highest)
				b->highest = b->n[r->runs[i].side][bin];
			if (bin / BINS_A_DECADE + 1 > b->decades)
				b->decades = bin / BINS_A_DECADE + 1;
		}
	if (b->decades < 4)
		b->decades = 4;
}

/* Between the bounds of a bin it goes in a straight line: nobody sees the difference. */
static double x_of(const struct bins *b, uint64_t ns)
{
	unsigned bin = bin_of(ns), shown = b->decades * BINS_A_DECADE;
	double from = (double)bound_of(bin), to = (double)bound_of(bin + 1);
	double at = bin + (ns > FIRST_NS ? ((double)ns - from) / (to - from) : 0);

	return LEFT + (at < shown ? at / shown : 1) * (WIDTH - LEFT);
}

static double floor_of(enum report_side side)
{
	return side == REPORT_WITHOUT ? TOP + ROW : TOP + 2 * ROW + GAP;
}

static void write_grid(const struct bins *b, FILE *out)
{
	char word[REPORT_WORD];

	for (unsigned d = 0; d <= b->decades; d++) {
		double x = x_of(b, bound_of(d * BINS_A_DECADE));

		(void)fprintf(out,
			      "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" "
			      "y2=\"%.0f\"/>",
			      x, x, TOP, HEIGHT - 22);
		(void)fprintf(out, "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>", x,
			      HEIGHT - 6, d == b->decades ? "end" : "middle",
			      report_format_tick(bound_of(d * BINS_A_DECADE), word));
	}
}

static void write_bins(const struct bins *b, enum report_side side, enum report_kind kind,
		       FILE *out)
{
	char from[REPORT_WORD], to[REPORT_WORD];

	for (unsigned i = 0; i < b->decades * BINS_A_DECADE; i++) {
		double x = x_of(b, bound_of(i)), next = x_of(b, bound_of(i + 1));
		double high = ROW * (double)b->n[side][i] / (double)b->highest;

		if (b->n[side][i] == 0)
			continue;
		if (high < LEAST) /* one among very many is there all the same */
			high = LEAST;
		(void)fprintf(out,
			      "<rect class=\"bin s%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			      "height=\"%.1f\" rx=\"1.5\"><title>%zu %s%s of %s to %s, %s the "
			      "shim</title></rect>",
			      (unsigned)side, x + 1, floor_of(side) - high, next - x - 2, high,
			      b->n[side][i], report_kind_to_str(kind),
			      b->n[side][i] == 1 ? "" : "s",
			      i ? report_format_ns(bound_of(i), from) : "0",
			      report_format_ns(bound_of(i + 1), to), report_side_to_str(side));
	}
}

/* A line through the bars with its name above; `lines` higher than usual. */
static void write_mark(const struct bins *b, enum report_side side, const char *name, uint64_t ns,
		       unsigned lines, FILE *out)
{
	double x = x_of(b, ns), top = floor_of(side) - ROW - 6 - 14 * lines;
	bool left = x > WIDTH - 90;
	char word[REPORT_WORD];

	(void)fprintf(out, "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
		      x, x, top - 8, floor_of(side));
	(void)fprintf(
		out,
		"<text class=\"markname\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s %s</text>",
		x + (left ? -4 : 4), top + 2, left ? "end" : "start", name,
		report_format_ns(ns, word));
}

static void write_side(const struct report_view *v, const struct bins *b, enum report_side side,
		       enum report_kind kind, FILE *out)
{
	const struct report_times *t = &v->side[side].times[kind];
	double floor = floor_of(side);

	(void)fprintf(out,
		      "<text class=\"side\" x=\"0\" y=\"%.0f\">%s</text>"
		      "<text x=\"0\" y=\"%.0f\">%zu %s%s</text>"
		      "<line class=\"grid\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/>",
		      floor - ROW / 2, side == REPORT_WITH ? "with" : "without",
		      floor - ROW / 2 + 16, t->n, report_kind_to_str(kind), t->n == 1 ? "" : "s",
		      LEFT, WIDTH, floor, floor);
	write_bins(b, side, kind, out);
	if (t->n == 0)
		return;
	write_mark(b, side, "p50", t->p50_ns, 0, out);
	write_mark(b, side, "p99", t->p99_ns, 1, out);
}

void report_histogram(const struct report_view *v, enum report_kind kind, FILE *out)
{
	struct bins b = {.decades = 0};

	fill(v->report, kind, &b);
	if (b.highest == 0)
		return;
	(void)fprintf(out,
		      "<h3 class=\"kind\">%s</h3><div class=\"scroll\">"
		      "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"How many %ss took "
		      "how long; the table has the figures\">",
		      kind == REPORT_LOOKUP ? "Lookups" : "Connects", WIDTH, HEIGHT,
		      report_kind_to_str(kind));
	write_grid(&b, out);
	write_side(v, &b, REPORT_WITHOUT, kind, out);
	write_side(v, &b, REPORT_WITH, kind, out);
	(void)fputs("</svg></div>\n", out);
}

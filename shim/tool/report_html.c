// SPDX-License-Identifier: MIT
/* report_html.c - see report_html.h: the page, its figures and tables. */
#include "shim/tool/report_html.h"

#include "shim/tool/text.h"

#include <string.h>
#include <time.h>

#define TEXT_SHOWN 1024

void html_text(FILE *out, const char *text)
{
	char shown[TEXT_SHOWN];

	(void)text_escape(text, strlen(text), shown, sizeof(shown));
	for (const char *p = shown; *p; p++) {
		if (strchr("&<>\"'`=", *p))
			(void)fprintf(out, "&#%d;", *p);
		else
			(void)fputc(*p, out);
	}
}

static const char *class_of(enum report_mark mark)
{
	switch (mark) {
	case REPORT_NEUTRAL:
		return "";
	case REPORT_BETTER:
		return "good";
	case REPORT_WORSE:
		return "bad";
	}
	return "";
}

static void write_head(const struct report_view *v, FILE *out)
{
	/* The policy says what is the case anyway: should an escape be missing, nothing happens. */
	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"
		    "style-src 'unsafe-inline';img-src data:\">\n"
		    "<link rel=\"icon\" href=\"data:,\">\n<title>noblockdns compare: ",
		    out);
	html_text(out, v->report->command);
	(void)fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n",
		      report_html_style);
}

static void write_title(const struct report_view *v, FILE *out)
{
	char text[TEXT_SHOWN], when[64] = "";
	time_t seconds = (time_t)v->report->when;
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &tm);
	(void)fprintf(
		out,
		"<header><p class=\"eyebrow\">noblockdns compare, %s, %u run%s without and %u "
		"with the shim, cache %s</p>\n",
		when, v->side[REPORT_WITHOUT].runs, v->side[REPORT_WITHOUT].runs == 1 ? "" : "s",
		v->side[REPORT_WITH].runs, v->report->cache == REPORT_WARM ? "warm" : "cold");
	report_verdict(v, text, sizeof(text));
	(void)fprintf(out, "<h1>%c%s.</h1>\n<p><code>", text_capital(text[0]), text + 1);
	html_text(out, v->report->command);
	(void)fputs("</code></p></header>\n", out);
	for (size_t i = 0; report_remark(v, i, text, sizeof(text)); i++) {
		(void)fputs(i == 0 ? "<ul class=\"remarks\"><li>" : "<li>", out);
		text[0] = text_capital(text[0]);
		html_text(out, text);
		(void)fputs(".</li>", out);
		if (!report_remark(v, i + 1, text, sizeof(text)))
			(void)fputs("</ul>\n", out);
	}
}

/* ---- the four figures at the top ---- */

static const struct report_row *row_of(const struct report_view *v, const char *label)
{
	for (size_t i = 0; i < v->nrows; i++)
		if (!v->rows[i].detail && strcmp(v->rows[i].label, label) == 0)
			return &v->rows[i];
	return NULL;
}

static void write_card(const char *title, const char *with, const char *without, const char *change,
		       enum report_mark mark, FILE *out)
{
	(void)fprintf(
		out,
		"<div class=\"card\"><h2>%s</h2><div class=\"now\">%s</div>"
		"<div class=\"was\">was %s without <span class=\"%s\">%s</span></div></div>\n",
		title, with, without, class_of(mark), change);
}

static void write_cards(const struct report_view *v, FILE *out)
{
	static const char *const labels[] = {"longest loop turn", "blocked in lookups, a run",
					     "blocked in connects, a run", "time, median"};
	const struct report_summary *s = v->side;
	char without[REPORT_WORD], with[REPORT_WORD], change[REPORT_WORD];
	unsigned shown = 1;

	(void)fputs("<div class=\"cards\">\n", out);
	(void)report_format_change(s[REPORT_WITHOUT].stall_ns, s[REPORT_WITH].stall_ns, change);
	write_card("longest stall",
		   s[REPORT_WITH].stalls ? report_format_ns(s[REPORT_WITH].stall_ns, with) : "none",
		   s[REPORT_WITHOUT].stalls ? report_format_ns(s[REPORT_WITHOUT].stall_ns, without)
					    : "none",
		   change,
		   s[REPORT_WITH].stall_ns < s[REPORT_WITHOUT].stall_ns	  ? REPORT_BETTER
		   : s[REPORT_WITH].stall_ns > s[REPORT_WITHOUT].stall_ns ? REPORT_WORSE
									  : REPORT_NEUTRAL,
		   out);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]) && shown < 4; i++) {
		const struct report_row *row = row_of(v, labels[i]);

		if (row == NULL)
			continue;
		write_card(row->label, row->value[REPORT_WITH], row->value[REPORT_WITHOUT],
			   row->change, row->mark, out);
		shown++;
	}
	(void)fputs("</div>\n", out);
}

/* ---- tables ---- */

static void write_figures(const struct report_view *v, FILE *out)
{
	(void)fputs("<section aria-labelledby=\"figures\"><h2 id=\"figures\">Figures</h2>\n"
		    "<div class=\"scroll\"><table><thead><tr><th></th><th>without</th>"
		    "<th>with the shim</th><th>change</th></tr></thead><tbody>\n",
		    out);
	for (size_t i = 0; i < v->nrows; i++) {
		const struct report_row *row = &v->rows[i];

		(void)fprintf(out, "<tr%s><th scope=\"row\">%s</th>",
			      row->detail ? " class=\"detail\"" : "", row->label);
		for (unsigned side = 0; side < REPORT_SIDES; side++) {
			(void)fputs("<td>", out);
			html_text(out, row->value[side]);
			(void)fputs("</td>", out);
		}
		(void)fprintf(out, "<td class=\"%s\">%s</td></tr>\n", class_of(row->mark),
			      row->change);
	}
	(void)fputs("</tbody></table></div></section>\n", out);
}

static void write_group(const struct report_view *v, const struct report_group *g, FILE *out)
{
	char word[REPORT_WORD];

	(void)fputs("<tr><td class=\"name\"><code>", out);
	html_text(out, *g->key ? g->key : "(unknown)");
	(void)fputs("</code></td>", out);
	for (unsigned side = 0; side < REPORT_SIDES; side++) {
		uint64_t blocked =
			g->blocked_ns[side][REPORT_LOOKUP] + g->blocked_ns[side][REPORT_CONNECT];
		unsigned runs = v->side[side].runs;

		(void)fprintf(out, "<td>%s</td>",
			      report_format_mean(g->n[side][REPORT_LOOKUP], runs, word));
		(void)fprintf(out, "<td>%s</td>",
			      report_format_mean(g->n[side][REPORT_CONNECT], runs, word));
		(void)fprintf(out, "<td>%s</td>",
			      runs ? report_format_ns(blocked / runs, word) : "-");
		(void)fprintf(out, "<td>%s</td>", report_format_ns(g->longest_ns[side], word));
	}
	(void)fputs("</tr>\n", out);
}

static void write_groups(const struct report_view *v, const char *title, const char *column,
			 const struct report_group *groups, size_t n, FILE *out)
{
	if (n == 0)
		return;
	(void)fprintf(out,
		      "<section><h2>%s</h2><p class=\"soft\">A run on average, those that blocked "
		      "longest first.</p>\n<div class=\"scroll\"><table><thead><tr><th></th>"
		      "<th colspan=\"4\">without</th><th colspan=\"4\">with the shim</th></tr>"
		      "<tr><th>%s</th>",
		      title, column);
	for (unsigned side = 0; side < REPORT_SIDES; side++)
		(void)fputs("<th>lookups</th><th>connects</th><th>blocked</th><th>longest</th>",
			    out);
	(void)fputs("</tr></thead><tbody>\n", out);
	for (size_t i = 0; i < n && i < 5 * REPORT_GROUPS_SHOWN; i++)
		write_group(v, &groups[i], out);
	(void)fputs("</tbody></table></div>", out);
	if (n > 5 * REPORT_GROUPS_SHOWN)
		(void)fprintf(out, "<p class=\"soft\">%zu more are not listed.</p>",
			      n - 5 * REPORT_GROUPS_SHOWN);
	(void)fputs("</section>\n", out);
}

static void write_run(const struct report_run *run, FILE *out)
{
	char word[REPORT_WORD], end[REPORT_WORD], longest[REPORT_WORD];
	uint64_t blocked[REPORT_KINDS] = {0}, stall = 0;

	for (size_t i = 0; i < run->nwaits; i++)
		blocked[run->waits[i].kind] += run->waits[i].ns;
	for (size_t i = 0; i < run->nstalls; i++)
		stall = run->stalls[i].ns > stall ? run->stalls[i].ns : stall;
	(void)fprintf(out, "<tr><td>%u %s</td><td>%s</td><td>%s</td>", run->number,
		      report_side_to_str(run->side), report_format_end(&run->end, end),
		      report_format_ns(run->wall_ns, word));
	for (unsigned kind = 0; kind < REPORT_KINDS; kind++)
		(void)fprintf(out, "<td>%s</td>", report_format_ns(blocked[kind], word));
	(void)fprintf(out, "<td>%zu</td><td>%s</td><td>%llu bytes</td></tr>\n", run->nstalls,
		      stall ? report_format_ns(stall, longest) : "",
		      (unsigned long long)run->out_bytes);
}

static void write_runs(const struct report *r, FILE *out)
{
	(void)fputs("<section><h2>Runs</h2><p class=\"soft\">In the order in which they were "
		    "made.</p>\n<div class=\"scroll\"><table><thead><tr><th>run</th><th>end</th>"
		    "<th>time</th><th>in lookups</th><th>in connects</th><th>stalls</th>"
		    "<th>longest</th><th>output</th></tr></thead><tbody>\n",
		    out);
	for (size_t i = 0; i < r->nruns; i++)
		write_run(&r->runs[i], out);
	(void)fputs("</tbody></table></div></section>\n", out);
}

static void write_terms(FILE *out)
{
	(void)fputs("<section><h2>Terms</h2><dl>"
		    "<dt>without</dt><dd>the shim is loaded and only measures: every lookup and "
		    "connect goes to the C library</dd>"
		    "<dt>blocked</dt><dd>time between the call of a lookup or connect and its "
		    "return, all threads added up</dd>"
		    "<dt>stall</dt><dd>lookups and connects that hold up one thread for 10 ms or "
		    "more: those of one loop turn together, or one by itself where there is no "
		    "loop</dd>"
		    "<dt>loop turn</dt><dd>from a thread's return from epoll_wait, poll or select "
		    "to its next call of it</dd>"
		    "<dt>p95</dt><dd>95 of 100 took no longer</dd>"
		    "</dl></section>\n",
		    out);
}

void report_write_html(const struct report_view *v, FILE *out)
{
	write_head(v, out);
	write_title(v, out);
	write_cards(v, out);
	report_timeline(v, out);
	(void)fputs("<section aria-labelledby=\"spread\"><h2 id=\"spread\">Distribution</h2>\n"
		    "<p class=\"soft\">How many took how long, on a logarithmic scale.</p>\n",
		    out);
	report_histogram(v, REPORT_LOOKUP, out);
	report_histogram(v, REPORT_CONNECT, out);
	(void)fputs("</section>\n", out);
	write_figures(v, out);
	write_groups(v, "By name", "name", v->names, v->nnames, out);
	write_groups(v, "By program", "program", v->programs, v->nprograms, out);
	write_runs(v->report, out);
	write_terms(out);
	(void)fputs("</main>\n</body>\n</html>\n", out);
}

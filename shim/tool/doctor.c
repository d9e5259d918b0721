// SPDX-License-Identifier: MIT
/* doctor.c - findings: see doctor.h. */
#include "shim/tool/doctor.h"

#include "shim/tool/json.h"
#include "shim/tool/terminal.h"
#include "shim/tool/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX  1024
#define WIDTH_MAX 100
#define INDENT	  8

static const char *mark_to_str(enum doctor_mark mark)
{
	switch (mark) {
	case DOCTOR_GOOD:
		return "ok";
	case DOCTOR_NOTE:
		return "note";
	case DOCTOR_BAD:
		return "bad";
	}
	return "?";
}

static enum terminal_style mark_style(enum doctor_mark mark)
{
	switch (mark) {
	case DOCTOR_GOOD:
		return TERMINAL_GOOD;
	case DOCTOR_NOTE:
		return TERMINAL_WARN;
	case DOCTOR_BAD:
		return TERMINAL_BAD;
	}
	return TERMINAL_PLAIN;
}

void doctor_find(struct doctor *d, enum doctor_mark mark, const char *id, const char *remedy,
		 const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	if (d->n == d->room) {
		void *more = reallocarray(d->findings, d->room + 32, sizeof(*d->findings));

		if (more == NULL) {
			d->no_memory = true;
			return;
		}
		d->findings = more;
		d->room += 32;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->findings[d->n] = (struct doctor_finding){
		.area = d->area, .id = id, .mark = mark, .text = strdup(text), .remedy = remedy};
	if (d->findings[d->n].text == NULL)
		d->no_memory = true;
	else
		d->n++;
}

enum doctor_mark doctor_worst(const struct doctor *d, const char *area)
{
	enum doctor_mark worst = DOCTOR_GOOD;

	for (size_t i = 0; i < d->n; i++)
		if ((area == NULL || strcmp(d->findings[i].area, area) == 0) &&
		    d->findings[i].mark > worst)
			worst = d->findings[i].mark;
	return worst;
}

static void print_finding(const struct doctor_finding *f, size_t width)
{
	char shown[2 * TEXT_MAX];
	const char *mark = mark_to_str(f->mark);

	(void)fputs("  ", stdout);
	terminal_write(stdout, mark_style(f->mark), mark);
	(void)printf("%*s", (int)(INDENT - 2 - strlen(mark)), "");
	text_escape(f->text, strlen(f->text), shown, sizeof(shown));
	text_wrap(stdout, shown, INDENT, width);
	if (f->remedy && f->mark != DOCTOR_GOOD) {
		(void)printf("%*s-> ", INDENT, "");
		text_wrap(stdout, f->remedy, INDENT + 3, width);
	}
}

static void print_summary(const struct doctor *d)
{
	unsigned bad = 0;

	for (size_t i = 0; i < d->n; i++)
		bad += d->findings[i].mark == DOCTOR_BAD;
	if (bad == 0)
		(void)puts("Nothing that matters was found.");
	else
		(void)printf("%u finding%s that matter%s.\n", bad, bad == 1 ? "" : "s",
			     bad == 1 ? "s" : "");
}

void doctor_print(const struct doctor *d)
{
	size_t columns = terminal_width(stdout), width = columns < WIDTH_MAX ? columns : WIDTH_MAX;
	const char *area = "";

	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->findings[i].area, area) != 0) {
			area = d->findings[i].area;
			terminal_write(stdout, TERMINAL_BOLD, area);
			(void)fputc('\n', stdout);
		}
		print_finding(&d->findings[i], width);
	}
	print_summary(d);
}

void doctor_print_json(const struct doctor *d)
{
	struct json j;

	json_open(&j, stdout);
	json_object(&j, NULL);
	json_bool(&j, "fine", doctor_worst(d, NULL) != DOCTOR_BAD);
	json_array(&j, "findings");
	for (size_t i = 0; i < d->n; i++) {
		json_object(&j, NULL);
		json_text(&j, "area", d->findings[i].area);
		json_text(&j, "id", d->findings[i].id);
		json_text(&j, "mark", mark_to_str(d->findings[i].mark));
		json_text(&j, "text", d->findings[i].text);
		json_text(&j, "remedy", d->findings[i].remedy);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}

void doctor_free(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->findings[i].text);
	free(d->findings);
}

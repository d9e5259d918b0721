// SPDX-License-Identifier: MIT
/*
 * report_html.h - what the files that write the HTML form share (report_write.h).
 *
 * The page has no script and asks for nothing: what a pointer or the keyboard reaches shows its
 * text by style alone. Each text of a stranger goes through html_text().
 */
#ifndef NOBLOCKDNS_TOOL_REPORT_HTML_H
#define NOBLOCKDNS_TOOL_REPORT_HTML_H

#include "shim/tool/report_write.h"

/* As text, or in an attribute's value between double quotes: nothing in it is markup, and control
 * characters are shown as \xNN. Cut after 1000 bytes or so. */
void html_text(FILE *out, const char *text);

/* The style sheet's content. */
extern const char report_html_style[];

/* Sections of the page. */
void report_timeline(const struct report_view *v, FILE *out);
void report_histogram(const struct report_view *v, enum report_kind kind, FILE *out);

/* The next of 1, 2, 5, 10, 20, ... that is at least x. x: at least 1. */
uint64_t report_round_up(uint64_t x);

#endif

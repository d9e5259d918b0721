// SPDX-License-Identifier: MIT
/* report_format.c - see report_format.h. */
#include "shim/tool/report_format.h"

#include <stdio.h>
#include <string.h>

#define MIN_NS UINT64_C(60000000000)
#define S_NS   UINT64_C(1000000000)

static void three_digits(double x, const char *unit, char buf[REPORT_WORD])
{
	(void)snprintf(buf, REPORT_WORD, "%.*f %s", x < 9.995 ? 2 : x < 99.95 ? 1 : 0, x, unit);
}

const char *report_format_ns(uint64_t ns, char buf[REPORT_WORD])
{
	double x = (double)ns;

	if (ns < 1000)
		(void)snprintf(buf, REPORT_WORD, "%u ns", (unsigned)ns);
	else if (ns < 999500)
		three_digits(x / 1e3, "\xc2\xb5s", buf);
	else if (ns < 999500000)
		three_digits(x / 1e6, "ms", buf);
	else if (ns < MIN_NS - S_NS / 20)
		three_digits(x / 1e9, "s", buf);
	else
		(void)snprintf(buf, REPORT_WORD, "%llu min %llu s",
			       (unsigned long long)((ns + S_NS / 2) / MIN_NS),
			       (unsigned long long)((ns + S_NS / 2) % MIN_NS / S_NS));
	return buf;
}

const char *report_format_tick(uint64_t ns, char buf[REPORT_WORD])
{
	char *point, *space, *end;

	(void)report_format_ns(ns, buf);
	point = strchr(buf, '.');
	space = strchr(buf, ' ');
	if (point == NULL || space == NULL)
		return ns ? buf : "0";
	for (end = space; end[-1] == '0'; end--)
		;
	if (end[-1] == '.')
		end--;
	memmove(end, space, strlen(space) + 1);
	return buf;
}

const char *report_format_mean(uint64_t n, unsigned runs, char buf[REPORT_WORD])
{
	if (runs == 0)
		(void)snprintf(buf, REPORT_WORD, "-");
	else if (n % runs == 0)
		(void)snprintf(buf, REPORT_WORD, "%llu", (unsigned long long)(n / runs));
	else
		(void)snprintf(buf, REPORT_WORD, "%.1f", (double)n / runs);
	return buf;
}

const char *report_format_change(uint64_t before, uint64_t after, char buf[REPORT_WORD])
{
	double percent = before ? ((double)after / (double)before - 1) * 100 : 0;

	buf[0] = '\0';
	if (before == 0 && after == 0)
		return buf;
	if (before == 0)
		(void)snprintf(buf, REPORT_WORD, "new");
	else if (after == 0)
		(void)snprintf(buf, REPORT_WORD, "-100 %%");
	else if (percent > -0.5 && percent < 0.5)
		(void)snprintf(buf, REPORT_WORD, "same");
	else if (percent >= 200)
		(void)snprintf(buf, REPORT_WORD, "%.1f x", percent / 100 + 1);
	else if (percent < -99)
		(void)snprintf(buf, REPORT_WORD, "-%.1f %%", -percent < 99.9 ? -percent : 99.9);
	else
		(void)snprintf(buf, REPORT_WORD, "%+.0f %%", percent);
	return buf;
}

const char *report_format_end(const struct report_end *end, char buf[REPORT_WORD])
{
	const char *name = sigabbrev_np(end->signal);

	if (end->stopped)
		(void)snprintf(buf, REPORT_WORD, "stopped");
	else if (end->signal == 0)
		(void)snprintf(buf, REPORT_WORD, "exit %d", end->status);
	else if (name)
		(void)snprintf(buf, REPORT_WORD, "killed by SIG%s", name);
	else
		(void)snprintf(buf, REPORT_WORD, "killed by signal %d", end->signal);
	return buf;
}

// SPDX-License-Identifier: MIT
/* query_steps.c - the steps of a lookup, kept until they are printed: see query.h. */
#include "shim/tool/query.h"

#include "shim/tool/table.h"

#include <pthread.h>
#include <stdarg.h>
#include <time.h>

#define STEPS_MAX 256 /* what comes later is counted */
#define TEXT_MAX  512

static struct {
	pthread_mutex_t lock;
	struct timespec begun;
	unsigned n, dropped; /* guarded by lock, as are the steps */
	struct {
		double ms;
		const char *what;
		char text[TEXT_MAX];
	} steps[STEPS_MAX];
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

void query_begin(void)
{
	(void)clock_gettime(CLOCK_MONOTONIC, &kept.begun);
	kept.n = kept.dropped = 0;
}

double query_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - kept.begun.tv_sec) * 1e3 +
	       (double)(now.tv_nsec - kept.begun.tv_nsec) / 1e6;
}

void query_step(const char *what, const char *fmt, ...)
{
	va_list ap;

	(void)pthread_mutex_lock(&kept.lock);
	if (kept.n < STEPS_MAX) {
		kept.steps[kept.n].ms = query_ms();
		kept.steps[kept.n].what = what;
		va_start(ap, fmt);
		(void)vsnprintf(kept.steps[kept.n++].text, TEXT_MAX, fmt, ap);
		va_end(ap);
	} else {
		kept.dropped++;
	}
	(void)pthread_mutex_unlock(&kept.lock);
}

void query_print_steps(FILE *out)
{
	static const struct table_column columns[] = {
		{"MS", TABLE_RIGHT}, {"STEP", TABLE_LEFT}, {"WHAT", TABLE_LEFT}};
	struct table t;

	(void)pthread_mutex_lock(&kept.lock);
	table_open(&t, 3, columns);
	for (unsigned i = 0; i < kept.n; i++) {
		table_cell_styled(&t, TERMINAL_DIM, "%.3f", kept.steps[i].ms);
		table_cell_styled(&t, TERMINAL_BOLD, "%s", kept.steps[i].what);
		table_cell(&t, "%s", kept.steps[i].text);
	}
	table_write(&t, out);
	table_free(&t);
	if (kept.dropped > 0)
		(void)fprintf(out, "and %u steps more\n", kept.dropped);
	(void)pthread_mutex_unlock(&kept.lock);
}

void query_json_steps(struct json *j, const char *key)
{
	(void)pthread_mutex_lock(&kept.lock);
	json_array(j, key);
	for (unsigned i = 0; i < kept.n; i++) {
		json_object(j, NULL);
		json_real(j, "ms", kept.steps[i].ms, 3);
		json_text(j, "step", kept.steps[i].what);
		json_text(j, "text", kept.steps[i].text);
		json_end(j);
	}
	json_end(j);
	(void)pthread_mutex_unlock(&kept.lock);
}

// SPDX-License-Identifier: MIT
/*
 * log.h - one line at a time, for whoever asked for it.
 *
 *	noblockdns[4711]: cache: /dev/shm/noblockdns.0/cache-v5: Permission denied; using memory
 *
 * One write(2) a line, no allocation, no lock, no standard I/O; errno is kept; any thread, signal
 * handlers too. A line goes to stderr, or to NOBLOCKDNS_LOG_FILE, which is opened for each line and
 * closed again: a descriptor kept for errors that hardly ever come is one more for the program to
 * trip over. Descriptor 2 is written only while it is what it was when the library was loaded, or
 * something that can hardly be anything but a standard error stream: a daemon that closed it may
 * have a database there now, or a client's connection.
 *
 * An identical error or warning within LOG_REPEAT_MS is dropped.
 */
#ifndef NOBLOCKDNS_LOG_H
#define NOBLOCKDNS_LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Longer lines are cut. Under PIPE_BUF, so lines of several processes do not mix in a pipe. */
#define LOG_LINE_MAX  1024
#define LOG_REPEAT_MS 60000

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

extern _Atomic int log_threshold; /* LOG_ERROR until log_configure() */

static inline bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

const char *log_level_to_str(enum log_level level);

/* `path` (copied; NULL or "": stderr) is absolute (config.h accepts no other). Call before other
 * threads log. */
void log_configure(enum log_level level, const char *path);

/* What is at descriptor 2 now is the standard error stream. In the constructor: one fstat(). */
void log_remember_stderr(void);

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_vline(enum log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* The same without evaluating the arguments below the threshold. */
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  (log_enabled(LOG_WARN) ? log_line(LOG_WARN, __VA_ARGS__) : (void)0)
#define log_info(...)  (log_enabled(LOG_INFO) ? log_line(LOG_INFO, __VA_ARGS__) : (void)0)
#define log_debug(...) (log_enabled(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)

#endif

// SPDX-License-Identifier: MIT
/*
 * log.c - see log.h.
 *
 * A line can be wanted at any moment of a program that is not ours, so it must not hurt it: it does
 * not wait for a full pipe (the line is lost), raises no SIGPIPE, and writes to descriptor 2 only
 * what that descriptor seems to be there for. vsnprintf() neither allocates nor locks in glibc
 * without floating point, wide characters and positional arguments, of which the shim's lines have
 * none.
 */
#include "shim/log.h"

#include "shim/clock.h"
#include "shim/hash.h"
#include "shim/hot.h"
#include "shim/sys.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

HOT _Atomic int log_threshold = LOG_ERROR;

static char file_path[PATH_MAX];
static HOT const char *_Atomic file; /* file_path, or NULL: stderr */

/* Lines that were written lately: a hash of the text, and when. Losing a race costs a line more. */
#define RECENT 16
static _Atomic uint64_t recent_hash[RECENT];
static _Atomic uint64_t recent_ms[RECENT];

const char *log_level_to_str(enum log_level level)
{
	switch (level) {
	case LOG_ERROR:
		return "error";
	case LOG_WARN:
		return "warn";
	case LOG_INFO:
		return "info";
	case LOG_DEBUG:
		return "debug";
	}
	return "?";
}

void log_configure(enum log_level level, const char *path)
{
	size_t len = path ? strlen(path) : 0;

	atomic_store_explicit(&file, NULL, memory_order_release);
	if (len > 0 && len < sizeof(file_path)) {
		memcpy(file_path, path, len + 1);
		atomic_store_explicit(&file, file_path, memory_order_release);
	}
	atomic_store_explicit(&log_threshold, (int)level, memory_order_relaxed);
}

static bool repeated(const char *text)
{
	uint64_t h = hash_bytes(text, strlen(text), 0), now_ms = clock_boot_ms(), at_ms;
	unsigned i = h % RECENT;

	if (atomic_load_explicit(&recent_hash[i], memory_order_relaxed) == h) {
		at_ms = atomic_load_explicit(&recent_ms[i], memory_order_relaxed);
		if (now_ms - at_ms < LOG_REPEAT_MS)
			return true;
	}
	atomic_store_explicit(&recent_hash[i], h, memory_order_relaxed);
	atomic_store_explicit(&recent_ms[i], now_ms, memory_order_relaxed);
	return false;
}

/*
 * A terminal or other device, a pipe, a UNIX socket (journald), or a file that was opened for
 * writing alone (a shell's redirection). Not a file open for reading and writing, which is how a
 * database looks, and no socket that could be a client's connection.
 */
static bool looks_like_stderr(int fd)
{
	struct stat st;
	int domain = 0;
	socklen_t len = sizeof(domain);

	if (sys_fstat(fd, &st) < 0)
		return false;
	switch (st.st_mode & S_IFMT) {
	case S_IFCHR:
	case S_IFIFO:
		return true;
	case S_IFREG:
		return (sys_fcntl(fd, F_GETFL, 0) & O_ACCMODE) == O_WRONLY;
	case S_IFSOCK:
		return sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, (long)&domain,
				(long)&len, 0) == 0 &&
		       domain == AF_UNIX;
	default:
		return false;
	}
}

static bool writable(int fd)
{
	const struct timespec now = {0};
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return sys_call(SYS_ppoll, (long)&p, 1, (long)&now, 0, sizeof(sys_sigset), 0) == 1 &&
	       (p.revents & POLLOUT);
}

/* A reader that has gone gives EPIPE and a SIGPIPE for this thread, which is taken back. */
static void write_quietly(int fd, const char *line, size_t len)
{
	const sys_sigset all = ~(sys_sigset)0, sigpipe = (sys_sigset)1 << (SIGPIPE - 1);
	const struct timespec now = {0};
	sys_sigset saved, pending = 0;

	sys_sigmask(SIG_SETMASK, &all, &saved);
	(void)sys_call(SYS_rt_sigpending, (long)&pending, sizeof(pending), 0, 0, 0, 0);
	if (sys_write(fd, line, len) == -EPIPE && !(pending & sigpipe))
		(void)sys_call(SYS_rt_sigtimedwait, (long)&sigpipe, 0, (long)&now, sizeof(sigpipe),
			       0, 0);
	sys_sigmask(SIG_SETMASK, &saved, NULL);
}

/* Where the file cannot be opened the line goes to stderr: an error must not get lost unseen. */
static void emit(const char *line, size_t len)
{
	const char *path = atomic_load_explicit(&file, memory_order_acquire);
	int fd = -1;

	if (path)
		fd = sys_open(path,
			      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
				      O_NONBLOCK,
			      0600);
	if (fd >= 0) {
		write_quietly(fd, line, len);
		(void)sys_close(fd);
	} else if (looks_like_stderr(STDERR_FILENO) && writable(STDERR_FILENO)) {
		write_quietly(STDERR_FILENO, line, len);
	}
}

/* Names come from the network and values from the environment: one line stays one line. */
static void defuse(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

void log_vline(enum log_level level, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	int saved = errno, head;
	size_t len;

	if (!log_enabled(level))
		return;
	head = snprintf(line, sizeof(line), "noblockdns[%d]: ", (int)sys_getpid());
	(void)vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, ap);
	defuse(line);
	if (level > LOG_WARN || !repeated(line + head)) {
		len = strlen(line);
		line[len] = '\n';
		emit(line, len + 1);
	}
	errno = saved;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(level, fmt, ap);
	va_end(ap);
}

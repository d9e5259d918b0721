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
#include <sys/ioctl.h>

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

/* What was at descriptor 2 when the library was loaded; 0: nothing. */
static HOT _Atomic uint64_t stderr_dev, stderr_ino;

void log_remember_stderr(void)
{
	struct stat st = {0};
	int saved = errno;

	/* libc's call, not sys_fstat(): the one that the loader has made for each library, in this
	 * libc, so that no filter that let the program start kills it here. */
	if (fstat(STDERR_FILENO, &st) < 0)
		st = (struct stat){0};
	atomic_store_explicit(&stderr_dev, st.st_dev, memory_order_relaxed);
	atomic_store_explicit(&stderr_ino, st.st_ino, memory_order_relaxed);
	errno = saved;
}

static bool was_stderr(const struct stat *st)
{
	return st->st_ino == atomic_load_explicit(&stderr_ino, memory_order_relaxed) &&
	       st->st_dev == atomic_load_explicit(&stderr_dev, memory_order_relaxed);
}

static bool is_terminal(int fd)
{
	struct winsize size;

	return sys_call(SYS_ioctl, fd, TIOCGWINSZ, (long)&size, 0, 0, 0) == 0;
}

static bool is_unix_socket(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, (long)&domain, (long)&len, 0) ==
		       0 &&
	       domain == AF_UNIX;
}

/*
 * May a line go there? Into what was the standard error stream from the start. What has come later
 * may be anything that the program opened after it had closed 2, so it has to be of a kind that is
 * hardly ever anything else: a terminal, a file opened for appending alone, a pipe that blocks (a
 * loop's wake-up pipe does not). Never a socket: its peer would read our line; and even from the
 * start only a UNIX socket (journald), no connection that inetd has put there, and no file open for
 * reading as well, which is how a database looks.
 */
static bool is_stderr(int fd)
{
	struct stat st;
	bool was_there;
	int flags;

	if (sys_fstat(fd, &st) < 0)
		return false;
	was_there = was_stderr(&st);
	flags = sys_fcntl(fd, F_GETFL, 0);
	switch (st.st_mode & S_IFMT) {
	case S_IFCHR:
		return was_there || is_terminal(fd);
	case S_IFIFO:
		return was_there || !(flags & O_NONBLOCK);
	case S_IFREG:
		return (flags & O_ACCMODE) == O_WRONLY && (was_there || (flags & O_APPEND));
	case S_IFSOCK:
		return was_there && is_unix_socket(fd);
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
	} else if (is_stderr(STDERR_FILENO) && writable(STDERR_FILENO)) {
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

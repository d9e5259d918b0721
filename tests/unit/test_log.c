// SPDX-License-Identifier: MIT
/*
 * test_log.c - what a line looks like, where it goes, and what it must never do to the program.
 */
#include "shim/log.h"

#include "shim/sys.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_end; /* of the pipe that is descriptor 2 */

static void stderr_is_a_pipe(void)
{
	int pipe_fds[2];

	cr_assert_eq(pipe(pipe_fds), 0);
	sys_dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
	log_remember_stderr();
	fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
	read_end = pipe_fds[0];
}

/* What came so far, and an empty string where nothing did. Static storage. */
static const char *written(void)
{
	static char text[65536];
	ssize_t n = read(read_end, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

Test(log, line_has_name_pid_and_newline, .init = stderr_is_a_pipe)
{
	char expected[64];

	log_error("cache: %s, %d", "gone", 7);
	snprintf(expected, sizeof(expected), "noblockdns[%d]: cache: gone, 7\n", (int)getpid());
	cr_assert_str_eq(written(), expected);
}

Test(log, below_the_threshold_is_silent, .init = stderr_is_a_pipe)
{
	log_warn("w");
	log_line(LOG_DEBUG, "d");
	cr_assert_str_empty(written());
	log_configure(LOG_WARN, NULL);
	log_warn("w");
	log_info("i");
	cr_assert_not_null(strstr(written(), ": w\n"));
}

Test(log, identical_error_comes_once, .init = stderr_is_a_pipe)
{
	log_error("same");
	cr_assert_str_not_empty(written());
	log_error("same");
	cr_assert_str_empty(written());
	log_error("other");
	cr_assert_str_not_empty(written());
}

Test(log, debug_lines_repeat, .init = stderr_is_a_pipe)
{
	log_configure(LOG_DEBUG, NULL);
	log_debug("same");
	written();
	log_debug("same");
	cr_assert_str_not_empty(written());
}

Test(log, newline_in_an_argument_starts_no_line, .init = stderr_is_a_pipe)
{
	const char *text;

	log_error("name %s", "a\nnoblockdns[1]: b\033[31m");
	text = written();
	cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1, "%s", text);
	cr_assert_null(strchr(text, '\033'));
}

Test(log, long_line_is_cut_and_ended, .init = stderr_is_a_pipe)
{
	char text[4 * LOG_LINE_MAX];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
	line = written();
	cr_assert_leq(strlen(line), LOG_LINE_MAX);
	cr_assert_eq(line[strlen(line) - 1], '\n');
}

Test(log, errno_is_kept, .init = stderr_is_a_pipe)
{
	log_configure(LOG_ERROR, "/nonexistent/log");
	errno = 4711;
	log_error("x");
	cr_assert_eq(errno, 4711);
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	handled = sig;
}

Test(log, reader_that_has_gone_raises_no_signal, .init = stderr_is_a_pipe)
{
	signal(SIGPIPE, on_signal);
	log_error("one");
	cr_assert_str_not_empty(written());
	close(read_end);
	log_error("two");
	cr_assert_eq(handled, 0);
}

/* It was the program's own and must still arrive. */
Test(log, pending_sigpipe_of_the_program_survives, .init = stderr_is_a_pipe)
{
	sigset_t set, old;

	signal(SIGPIPE, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, &old);
	raise(SIGPIPE);
	close(read_end);
	log_error("x");
	cr_assert_eq(handled, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	cr_assert_eq(handled, SIGPIPE);
}

Test(log, full_pipe_does_not_block, .init = stderr_is_a_pipe, .timeout = 60)
{
	static char block[4096];
	size_t filled = 0, drained = 0;
	ssize_t n;

	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	while ((n = write(STDERR_FILENO, block, sizeof(block))) > 0)
		filled += (size_t)n;
	fcntl(STDERR_FILENO, F_SETFL, 0);
	log_error("one");
	while ((n = read(read_end, block, sizeof(block))) > 0)
		drained += (size_t)n;
	cr_assert_eq(drained, filled);
	log_error("two");
	cr_assert_str_not_empty(written(), "nothing is written any more");
}

/*
 * Descriptor 2 may be anything in a daemon that closed it -----------------------------------------
 */

/* `fd` is there now; `from_start`: as if the program had been started with it. */
static void replace_stderr(int fd, bool from_start)
{
	cr_assert_geq(fd, 0);
	cr_assert_eq(sys_dup2(fd, STDERR_FILENO), STDERR_FILENO);
	if (from_start)
		log_remember_stderr();
}

/* Does a line get into a file that is opened with these flags? */
static bool file_is_written(int flags, bool from_start)
{
	char name[] = "/tmp/noblockdns-test-XXXXXX";
	struct stat st;

	close(mkstemp(name));
	replace_stderr(open(name, flags), from_start);
	unlink(name);
	log_error("x");
	fstat(STDERR_FILENO, &st);
	return st.st_size > 0;
}

Test(log, file_from_the_start_is_written)
{
	cr_assert(file_is_written(O_WRONLY, true));
}

Test(log, file_open_for_reading_and_writing_is_no_stderr)
{
	cr_assert_not(file_is_written(O_RDWR, true));
}

Test(log, file_of_later_is_written_if_it_is_appended_to)
{
	cr_assert(file_is_written(O_WRONLY | O_APPEND, false));
}

Test(log, file_of_later_is_no_stderr)
{
	cr_assert_not(file_is_written(O_WRONLY, false));
}

Test(log, closed_stderr_is_remembered_as_none)
{
	sys_close(STDERR_FILENO);
	log_remember_stderr();
	cr_assert_not(file_is_written(O_WRONLY, false));
}

Test(log, network_socket_is_no_stderr)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int rx = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
	    tx = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	cr_assert_eq(bind(rx, (struct sockaddr *)&addr, sizeof(addr)), 0);
	getsockname(rx, (struct sockaddr *)&addr, &len);
	cr_assert_eq(connect(tx, (struct sockaddr *)&addr, len), 0);
	replace_stderr(tx, true); /* as inetd does */
	log_error("x");
	cr_assert_lt(read(rx, &byte, 1), 0);
}

/* Does a line come out of the other end of these two? */
static bool pair_is_written(const int pair[2], bool from_start)
{
	char byte;

	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	replace_stderr(pair[1], from_start);
	log_error("x");
	return read(pair[0], &byte, 1) == 1;
}

static bool unix_socket_is_written(bool from_start)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	return pair_is_written(pair, from_start);
}

Test(log, unix_socket_from_the_start_is_a_journals_stderr)
{
	cr_assert(unix_socket_is_written(true));
}

Test(log, unix_socket_of_later_is_no_stderr)
{
	cr_assert_not(unix_socket_is_written(false));
}

static bool pipe_is_written(int flags, bool from_start)
{
	int pair[2];

	cr_assert_eq(pipe2(pair, flags), 0);
	return pair_is_written(pair, from_start);
}

Test(log, pipe_of_later_is_written)
{
	cr_assert(pipe_is_written(0, false));
}

Test(log, wake_up_pipe_is_no_stderr)
{
	cr_assert_not(pipe_is_written(O_NONBLOCK, false));
}

Test(log, pipe_from_the_start_that_does_not_block_is_written)
{
	cr_assert(pipe_is_written(O_NONBLOCK, true));
}

Test(log, terminal_of_later_is_written)
{
	int primary = posix_openpt(O_RDWR | O_NOCTTY), secondary;
	char byte;

	cr_assert_geq(primary, 0);
	cr_assert_eq(grantpt(primary), 0);
	cr_assert_eq(unlockpt(primary), 0);
	secondary = open(ptsname(primary), O_RDWR | O_NOCTTY);
	fcntl(primary, F_SETFL, O_NONBLOCK);
	replace_stderr(secondary, false);
	log_error("x");
	cr_assert_eq(read(primary, &byte, 1), 1);
}

static char log_path[] = "/tmp/noblockdns-test-XXXXXX";

static void log_to_a_file(void)
{
	stderr_is_a_pipe();
	close(mkstemp(log_path));
	log_configure(LOG_INFO, log_path);
}

static void remove_log(void)
{
	unlink(log_path);
}

Test(log, file_is_appended_to_and_no_descriptor_stays, .init = log_to_a_file, .fini = remove_log)
{
	char text[256] = "";
	int before = dup(0), after;

	close(before);
	log_info("one");
	log_info("two");
	after = open(log_path, O_RDONLY);
	cr_assert_eq(after, before);
	cr_assert_gt(read(after, text, sizeof(text) - 1), 0);
	cr_assert_not_null(strstr(text, ": one\n"));
	cr_assert_not_null(strstr(text, ": two\n"));
	cr_assert_str_empty(written());
}

/* A link that somebody else put there would let them choose which file we write to. */
Test(log, link_is_not_followed_and_stderr_serves, .init = log_to_a_file, .fini = remove_log)
{
	char target[] = "/tmp/noblockdns-test-XXXXXX";
	struct stat st;
	int fd = mkstemp(target);

	unlink(log_path);
	cr_assert_eq(symlink(target, log_path), 0);
	log_info("x");
	fstat(fd, &st);
	unlink(target);
	cr_assert_eq(st.st_size, 0);
	cr_assert_str_not_empty(written());
}

Test(log, every_level_has_a_name)
{
	for (int level = LOG_ERROR; level <= LOG_DEBUG; level++)
		cr_assert_str_neq(log_level_to_str((enum log_level)level), "?");
}

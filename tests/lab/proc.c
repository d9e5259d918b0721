// SPDX-License-Identifier: MIT
/*
 * proc.c - starting programs from a test, under the shim or not, and collecting what they print.
 */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 30000

unsigned long long lab_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long long)ts.tv_sec * 1000000000ULL + (unsigned long long)ts.tv_nsec;
}

const char *lab_build_dir(void)
{
	const char *dir = getenv("NBD_BUILD");

	return dir && *dir ? dir : "build";
}

const char *lab_sanitizer(void)
{
	return getenv("NBD_SANITIZER");
}

const char *lab_preload(void)
{
	static char value[2 * PATH_MAX];
	static char absolute[PATH_MAX];
	const char *first = getenv("NBD_PRELOAD_FIRST");

	if (!realpath(lab_build_dir(), absolute))
		lab_fail("no build folder %s: %s", lab_build_dir(), strerror(errno));
	snprintf(value, sizeof(value), "%s%s%s/libnoblockdns.so", first ? first : "",
		 first && *first ? ":" : "", absolute);
	return value;
}

/* Programs of the build are named by their place in it. */
static void program_path(const char *name, char *path, size_t size)
{
	static const char *const built[] = {"clients/", "lab/", "bench/", "noblockdns"};

	for (size_t i = 0; i < sizeof(built) / sizeof(*built); i++) {
		if (strncmp(name, built[i], strlen(built[i])) == 0) {
			snprintf(path, size, "%s/%s", lab_build_dir(), name);
			return;
		}
	}
	snprintf(path, size, "%s", name);
}

static void change_env(const char *const *env)
{
	for (; env && *env; env++) {
		if (strchr(*env, '='))
			putenv(strdup(*env)); /* the child's; lives until exec */
		else
			unsetenv(*env);
	}
}

static _Noreturn void exec_program(const struct lab_proc_opts *opts)
{
	char path[PATH_MAX];

	program_path(opts->argv[0], path, sizeof(path));
	if (opts->preload)
		setenv("LD_PRELOAD", lab_preload(), 1);
	change_env(opts->env);
	execvp(path, (char *const *)opts->argv);
	/* The verdict is shared: the test fails although this is its child. */
	lab_fail("cannot run %s: %s", path, strerror(errno));
}

pid_t lab_proc_spawn(struct lab_world *w, const struct lab_proc_opts *opts)
{
	pid_t pid = lab_fork_side(w, opts->side);

	if (pid == 0)
		exec_program(opts);
	return pid;
}

int lab_proc_wait(pid_t pid, unsigned timeout_ms)
{
	unsigned long long end = lab_now_ns() + timeout_ms * 1000000ULL;
	int fd = timeout_ms ? pidfd_open(pid, 0) : -1;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int status = 0;
	int ready = -1;

	while (fd >= 0) {
		unsigned long long now = lab_now_ns();

		ready = poll(&p, 1, now < end ? (int)((end - now) / 1000000 + 1) : 0);
		if (ready >= 0 || errno != EINTR)
			break;
	}
	if (ready == 0)
		kill(pid, SIGKILL);
	if (fd >= 0)
		close(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* One standard stream of the child: our end of its pipe. */
struct stream {
	int fd;
	char *buf;
	size_t size;
	size_t used;
};

/* Takes what is there; bytes past the buffer are read and forgotten. */
static void stream_drain(struct stream *s)
{
	char waste[4096];
	bool full = s->used >= s->size - 1;
	ssize_t n = full ? read(s->fd, waste, sizeof(waste))
			 : read(s->fd, s->buf + s->used, s->size - 1 - s->used);

	if (n > 0 && !full)
		s->used += (size_t)n;
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
		close(s->fd);
		s->fd = -1;
	}
}

/* Until both streams are at their end, or the time is over (false). */
static bool collect(struct stream streams[2], unsigned long long end)
{
	while (streams[0].fd >= 0 || streams[1].fd >= 0) {
		struct pollfd p[2] = {{.fd = streams[0].fd, .events = POLLIN},
				      {.fd = streams[1].fd, .events = POLLIN}};
		unsigned long long now = lab_now_ns();

		if (now >= end)
			return false;
		if (poll(p, 2, (int)((end - now) / 1000000 + 1)) < 0 && errno != EINTR)
			return false;
		for (int i = 0; i < 2; i++)
			if (p[i].fd >= 0 && p[i].revents)
				stream_drain(&streams[i]);
	}
	return true;
}

/* An input file in memory: the child can read it at its own pace, and we need not feed it. */
static int input_fd(const char *text)
{
	int fd;

	if (!text)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = memfd_create("input", MFD_CLOEXEC);
	if (fd >= 0 && (write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		lab_fail("standard input: %s", strerror(errno));
	return fd;
}

static pid_t start_piped(struct lab_world *w, const struct lab_proc_opts *opts, int ret_fds[2])
{
	int in = input_fd(opts->input);
	int out[2];
	int err[2];
	pid_t pid;

	if (in < 0 || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		lab_fail("pipe: %s", strerror(errno));
	pid = lab_fork_side(w, opts->side);
	if (pid == 0) {
		setpgid(0, 0); /* so that a time-out ends its children too */
		dup2(in, 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		exec_program(opts);
	}
	close(in);
	close(out[1]);
	close(err[1]);
	ret_fds[0] = out[0];
	ret_fds[1] = err[0];
	return pid;
}

void lab_proc_run(struct lab_world *w, const struct lab_proc_opts *opts,
		  struct lab_proc_result *ret)
{
	unsigned timeout_ms = opts->timeout_ms ? opts->timeout_ms : DEFAULT_TIMEOUT_MS;
	unsigned long long end = lab_now_ns() + timeout_ms * 1000000ULL;
	struct stream streams[2] = {{.buf = ret->out, .size = sizeof(ret->out)},
				    {.buf = ret->err, .size = sizeof(ret->err)}};
	int fds[2];
	int status;
	pid_t pid = start_piped(w, opts, fds);

	streams[0].fd = fds[0];
	streams[1].fd = fds[1];
	ret->timed_out = !collect(streams, end);
	if (ret->timed_out)
		kill(-pid, SIGKILL);
	status = lab_proc_wait(pid, timeout_ms);
	for (int i = 0; i < 2; i++) {
		if (streams[i].fd >= 0)
			close(streams[i].fd);
		streams[i].buf[streams[i].used] = '\0';
	}
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

// SPDX-License-Identifier: MIT
/*
 * command.c - see command.h. One loop over two pipes, a pidfd and a signalfd, until the command has
 * ended. Whatever else still has the pipes open is not waited for.
 *
 * To stop it, its whole group is told so: with the signal that we got (SIGTERM when its time is
 * up), and with SIGKILL if it is still there GRACE_NS later.
 *
 * Who would suspend us (SIGTSTP) has to wait until the run is over: the command is in a session of
 * its own and would go on, with nobody to see when it ends.
 */
#include "shim/tool/command.h"

#include "shim/clock.h"
#include "shim/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_NS UINT64_C(2000000000)
#define TICK_MS	 100

enum { OUT, ERR, CHILD, SIGNALS, ALSO, NFDS };

struct running {
	const struct command_opts *opts;
	struct command_result *result;
	pid_t pid;
	struct pollfd fds[NFDS];
	size_t line_len; /* of the complaint */
	bool line_over;
	uint64_t kill_ns; /* when SIGKILL is due; UINT64_MAX: it was not told to stop */
};

static int signals_fd = -1;
static sigset_t mask_before, suspension;
static struct sigaction pipe_before;

int command_signals(void)
{
	static const struct sigaction ignored = {.sa_handler = SIG_IGN};
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGQUIT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	if (sigaction(SIGPIPE, &ignored, &pipe_before) < 0 ||
	    sigprocmask(SIG_BLOCK, &mask, &mask_before) < 0)
		return -errno;
	sigemptyset(&suspension);
	sigaddset(&suspension, SIGTSTP);
	signals_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals_fd < 0 ? -errno : 0;
}

/* ---- the child's side of fork() ---- */

static _Noreturn void become(const struct command_opts *opts, int out, int err, int failed)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), error;

	(void)setsid();
	(void)sigaction(SIGPIPE, &pipe_before, NULL);
	(void)sigprocmask(SIG_SETMASK, &mask_before, NULL);
	for (const struct command_variable *v = opts->variables; v->name; v++)
		(void)setenv(v->name, v->value, 1);
	if (null >= 0)
		(void)dup2(null, 0);
	(void)dup2(out, 1);
	(void)dup2(err, 2);
	(void)execvp(opts->argv[0], opts->argv);
	error = errno;
	(void)!write(failed, &error, sizeof(error));
	_exit(127);
}

/* ---- what it writes ---- */

/* Blank lines do not take the place of one with text. */
static void keep_line(struct running *r, const char *bytes, size_t len)
{
	char *line = r->result->complaint;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			r->line_over = true;
			continue;
		}
		if (r->line_over)
			r->line_len = 0;
		r->line_over = false;
		if (bytes[i] != '\0' && r->line_len < sizeof(r->result->complaint) - 1)
			line[r->line_len++] = bytes[i];
		line[r->line_len] = '\0';
	}
}

/* The hash of each piece would depend on where the pipe cuts: bytes are taken one by one. FNV-1a.
 */
static uint64_t hash_on(uint64_t hash, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

/* False: nothing more will come. */
static bool take(struct running *r, int which)
{
	static char bytes[65536];
	ssize_t n = read(r->fds[which].fd, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	if (which == OUT) {
		r->result->out_bytes += (uint64_t)n;
		r->result->out_hash =
			hash_on(r->result->out_hash, (unsigned char *)bytes, (size_t)n);
	} else {
		keep_line(r, bytes, (size_t)n);
	}
	if (r->opts->show)
		(void)!write(2, bytes, (size_t)n);
	return true;
}

/* What is left in a pipe when the command is over, and not what its heirs go on writing. */
static void drain(struct running *r, int which)
{
	struct pollfd *fd = &r->fds[which];

	for (int i = 0; i < 64 && fd->fd >= 0 && poll(fd, 1, 0) > 0; i++)
		if (!take(r, which))
			break;
}

/* ---- its end ---- */

static void stop(struct running *r, int signal, uint64_t now_ns)
{
	r->result->end.stopped = true;
	(void)kill(-r->pid, signal);
	if (r->kill_ns == UINT64_MAX)
		r->kill_ns = now_ns + GRACE_NS;
}

static void obey_signals(struct running *r, uint64_t now_ns)
{
	struct signalfd_siginfo info;

	while (read(signals_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		/* Who asks twice is in a hurry. */
		stop(r, r->result->interrupted ? SIGKILL : (int)info.ssi_signo, now_ns);
		r->result->interrupted = (int)info.ssi_signo;
	}
}

static void watch_time(struct running *r, uint64_t start_ns, uint64_t now_ns)
{
	if (now_ns >= r->kill_ns)
		stop(r, SIGKILL, now_ns);
	else if (r->kill_ns == UINT64_MAX && now_ns - start_ns >= r->opts->limit_ns)
		stop(r, SIGTERM, now_ns);
	if (r->opts->tick)
		r->opts->tick(r->opts->ctx, now_ns - start_ns);
}

/* In milliseconds: until the next tick, or earlier where the limit comes before. */
static int next_look(const struct running *r, uint64_t start_ns, uint64_t now_ns)
{
	uint64_t passed = now_ns - start_ns, limit = r->opts->limit_ns;

	if (limit > passed && limit - passed < TICK_MS * UINT64_C(1000000))
		return (int)((limit - passed) / 1000000) + 1;
	return TICK_MS;
}

static void attend(struct running *r, uint64_t start_ns)
{
	uint64_t now_ns = start_ns;

	while (!(r->fds[CHILD].revents & POLLIN)) {
		(void)poll(r->fds, NFDS, next_look(r, start_ns, now_ns));
		now_ns = clock_boot_ns();
		for (int which = OUT; which <= ERR; which++)
			if (r->fds[which].fd >= 0 && r->fds[which].revents && !take(r, which))
				r->fds[which].fd = -r->fds[which].fd - 1; /* poll() skips it */
		if (r->fds[ALSO].revents & POLLIN)
			r->opts->also(r->opts->ctx);
		obey_signals(r, now_ns);
		watch_time(r, start_ns, now_ns);
	}
}

static void fill_end(struct running *r)
{
	struct report_end *end = &r->result->end;
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)r->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	end->status = info.si_code == CLD_EXITED ? info.si_status : -1;
	end->signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
}

/* ---- */

/* The error of exec() comes through a pipe that a successful one closes. */
static int read_failure(int failed)
{
	int error = 0;
	ssize_t n;

	do
		n = read(failed, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(error) ? error : 0;
}

static void close_all(const int fds[6])
{
	for (int i = 0; i < 6; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

/* Three pipes: standard output, standard error, failure of exec(). */
static int open_pipes(int fds[6])
{
	int error;

	for (int i = 0; i < 6; i++)
		fds[i] = -1;
	for (int i = 0; i < 6; i += 2)
		if (pipe2(fds + i, O_CLOEXEC) < 0) {
			error = errno;
			close_all(fds);
			return -error;
		}
	return 0;
}

/* A kernel without pidfds is none that we can measure on. */
static int watch(struct running *r)
{
	int fd = (int)syscall(SYS_pidfd_open, r->pid, 0), error = errno;

	if (fd < 0) {
		(void)kill(r->pid, SIGKILL);
		(void)waitpid(r->pid, NULL, 0);
		return -error;
	}
	r->fds[CHILD] = (struct pollfd){.fd = fd, .events = POLLIN};
	return 0;
}

static void observe(struct running *r, const int fds[6])
{
	struct command_result *result = r->result;
	uint64_t start_ns = result->start_boot_ns;

	r->fds[OUT] = (struct pollfd){.fd = fds[0], .events = POLLIN};
	r->fds[ERR] = (struct pollfd){.fd = fds[2], .events = POLLIN};
	r->fds[SIGNALS] = (struct pollfd){.fd = signals_fd, .events = POLLIN};
	r->fds[ALSO] = (struct pollfd){.fd = r->opts->also_fd, .events = POLLIN};
	attend(r, start_ns);
	result->wall_ns = clock_boot_ns() - start_ns;
	fill_end(r);
	drain(r, OUT);
	drain(r, ERR);
}

static int run(const struct command_opts *opts, struct command_result *ret)
{
	struct running r = {.opts = opts, .result = ret, .kill_ns = UINT64_MAX};
	int fds[6], error = open_pipes(fds);

	if (error < 0)
		return error;
	*ret = (struct command_result){.out_hash = HASH_K0, .start_boot_ns = clock_boot_ns()};
	r.pid = fork();
	if (r.pid == 0)
		become(opts, fds[1], fds[3], fds[5]);
	error = r.pid < 0 ? -errno : 0;
	for (int i = 1; i < 6; i += 2) {
		(void)close(fds[i]);
		fds[i] = -1;
	}
	if (error == 0)
		error = watch(&r);
	if (error == 0) {
		ret->exec_error = read_failure(fds[4]);
		observe(&r, fds);
		(void)close(r.fds[CHILD].fd);
	}
	close_all(fds);
	return error;
}

int command_run(const struct command_opts *opts, struct command_result *ret)
{
	sigset_t before;
	int r;

	(void)sigprocmask(SIG_BLOCK, &suspension, &before);
	r = run(opts, ret);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

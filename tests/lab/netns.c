// SPDX-License-Identifier: MIT
/*
 * netns.c - how a world is made and taken down.
 *
 * Four processes take part:
 *
 *	caller      waits with a limit, and removes the mount point
 *	maker       unshares the namespaces; ends with init
 *	init        process 1 of the world: mounts, raises the links, reaps; its end kills all
 *	body        runs the test, as an ordinary process (process 1 would not die from signals)
 *
 * Each of the last three dies with its parent (PR_SET_PDEATHSIG), so an interrupted test run
 * leaves nothing behind but an empty folder in /tmp.
 */
#include "netns.h"
#include "proc.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY		65534
#define DEFAULT_TIMEOUT 120

static bool write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Makes the caller's uid and gid root's inside a new user namespace (user_namespaces(7)). */
static void map_to_root(uid_t uid, gid_t gid)
{
	char map[64];

	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	if (!write_map("/proc/self/uid_map", map))
		lab_skip("user namespace: uid_map: %s", strerror(errno));
	if (!write_map("/proc/self/setgroups", "deny"))
		lab_skip("user namespace: setgroups: %s", strerror(errno));
	snprintf(map, sizeof(map), "0 %u 1\n", gid);
	if (!write_map("/proc/self/gid_map", map))
		lab_skip("user namespace: gid_map: %s", strerror(errno));
}

static void unshare_all(const struct lab_world_opts *opts)
{
	const int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
	uid_t uid;
	gid_t gid;

	if (opts->unprivileged && geteuid() == 0 &&
	    (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
		lab_fail("cannot become nobody: %s", strerror(errno));
	/* A changed uid makes /proc/self root's; the maps could not be written then. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	uid = geteuid();
	gid = getegid();
	if (uid == 0 && unshare(flags) == 0)
		return;
	/* Also for a root without the right to do it, as in a container. */
	if (unshare(flags | CLONE_NEWUSER))
		lab_skip("no %snamespaces: %s", uid ? "unprivileged " : "", strerror(errno));
	map_to_root(uid, gid);
}

static void mount_tmpfs(const char *path, const char *options)
{
	if (mount("lab", path, "tmpfs", MS_NOSUID, options))
		lab_skip("cannot mount a tmpfs on %s: %s", path, strerror(errno));
}

static void make_mounts(const struct lab_world *w)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		lab_skip("mounts cannot be made private: %s", strerror(errno));
	mount_tmpfs(w->base, "mode=0755");
	if (mkdir(w->dir, 0755))
		lab_fail("mkdir %s: %s", w->dir, strerror(errno));
	mount_tmpfs("/dev/shm", "mode=1777");
	mount_tmpfs("/run", "mode=0755");
	/* A container may forbid it; the outer /proc serves then, with outer process ids. */
	(void)mount("lab", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	lab_etc_make(w);
}

static int open_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		lab_fail("open /proc/self/ns/net: %s", strerror(errno));
	return fd;
}

static void prepare_side(enum lab_side side)
{
	lab_loopback_up();
	lab_sysctl("net/ipv6/conf/all/accept_dad", "0");
	lab_sysctl("net/ipv6/conf/default/accept_dad", "0");
	lab_sysctl("net/ipv4/ip_unprivileged_port_start", "0");
	/* Lets servers bind any address of the far prefixes, which only a local route names. */
	if (side == LAB_FAR)
		lab_sysctl("net/ipv6/ip_nonlocal_bind", "1");
}

static void make_sides(struct lab_world *w)
{
	const char *hostname = w->opts->hostname ? w->opts->hostname : "lab";

	if (sethostname(hostname, strlen(hostname)))
		lab_fail("sethostname: %s", strerror(errno));
	w->ns[LAB_NEAR] = open_netns();
	prepare_side(LAB_NEAR);
	if (w->opts->addresses)
		lab_addresses_add(w);
	if (!w->opts->far)
		return;
	if (unshare(CLONE_NEWNET))
		lab_fail("second network namespace: %s", strerror(errno));
	w->ns[LAB_FAR] = open_netns();
	prepare_side(LAB_FAR);
	lab_far_prefixes(w);
	lab_enter_side(w, LAB_NEAR);
}

/* The body shall start as a fresh program would: no handlers, nothing blocked. */
static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_body(struct lab_world *w, void (*body)(struct lab_world *, void *),
			       void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	reset_signals();
	/* What the test runner has open is not for the programs that the body starts. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	body(w, arg);
	fflush(NULL);
	_exit(0);
}

/* Reaps until the body has ended, and ends as it did. */
static _Noreturn void run_init(pid_t body, struct lab_verdict *verdict)
{
	int status;
	pid_t pid;

	do {
		pid = waitpid(-1, &status, 0);
	} while (pid != body && (pid > 0 || errno == EINTR));
	if (pid == body && WIFSIGNALED(status))
		lab_verdict_set(verdict, LAB_FAILED, "the test body was killed by signal %d (%s)",
				WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (pid != body || WEXITSTATUS(status) != 0)
		lab_verdict_set(verdict, LAB_FAILED, "the test body exited with status %d",
				WEXITSTATUS(status));
	_exit(0);
}

static _Noreturn void make_world(struct lab_world *w, struct lab_verdict *verdict,
				 void (*body)(struct lab_world *, void *), void *arg)
{
	pid_t pid;

	lab_verdict_use(verdict);
	unshare_all(w->opts);
	pid = fork();
	if (pid < 0)
		lab_fail("fork: %s", strerror(errno));
	if (pid > 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	make_mounts(w);
	make_sides(w);
	pid = fork();
	if (pid < 0)
		lab_fail("fork: %s", strerror(errno));
	if (pid == 0)
		run_body(w, body, arg);
	run_init(pid, verdict);
}

void lab_world_run(const struct lab_world_opts *opts, void (*body)(struct lab_world *w, void *arg),
		   void *arg, struct lab_result *ret)
{
	unsigned timeout_s = opts->timeout_s ? opts->timeout_s : DEFAULT_TIMEOUT;
	struct lab_world w = {.opts = opts, .base = "/tmp/nbd-lab.XXXXXX", .ns = {-1, -1}};
	struct lab_verdict *verdict = lab_verdict_new();
	pid_t pid;

	*ret = (struct lab_result){.outcome = LAB_FAILED, .message = "no memory for a world"};
	if (!verdict)
		return;
	if (!mkdtemp(w.base) || chmod(w.base, 0755)) {
		lab_verdict_set(verdict, LAB_FAILED, "mkdtemp: %s", strerror(errno));
		lab_verdict_take(verdict, ret);
		return;
	}
	snprintf(w.dir, sizeof(w.dir), "%s/work", w.base);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		make_world(&w, verdict, body, arg);
	if (pid < 0)
		lab_verdict_set(verdict, LAB_FAILED, "fork: %s", strerror(errno));
	else if (WIFSIGNALED(lab_proc_wait(pid, timeout_s * 1000)))
		lab_verdict_set(verdict, LAB_FAILED, "the test body was killed after %u s",
				timeout_s);
	lab_verdict_take(verdict, ret);
	rmdir(w.base);
}

const char *lab_world_dir(const struct lab_world *w)
{
	return w->dir;
}

void lab_enter_side(struct lab_world *w, enum lab_side side)
{
	if (w->ns[side] < 0)
		lab_fail("this world has no far side: set .far");
	if (setns(w->ns[side], CLONE_NEWNET))
		lab_fail("setns: %s", strerror(errno));
}

pid_t lab_fork_side(struct lab_world *w, enum lab_side side)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		lab_fail("fork: %s", strerror(errno));
	if (pid == 0 && w)
		lab_enter_side(w, side);
	return pid;
}

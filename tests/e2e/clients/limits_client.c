// SPDX-License-Identifier: MIT
/*
 * limits_client.c - programs that look names up where the system refuses something, or in
 * other surroundings than a moment before: limits_client MODE [ARGUMENT].
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "life_util.h"

static const char *argument;

/* ---- limits ---- */

/* Every system call of that name fails with EPERM from here on. */
static void refuse(const char *call)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int number = seccomp_syscall_resolve_name(call);

	must(filter != NULL && number != __NR_SCMP_ERROR);
	must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) == 0);
	must(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

/* The argument: system calls, separated by commas. */
static void refused_calls(void)
{
	char calls[256], *rest = calls, *call;

	snprintf(calls, sizeof(calls), "%s", argument);
	while ((call = strsep(&rest, ",")) != NULL)
		refuse(call);
	for (int i = 0; i < 2; i++) {
		must_find("a.life.test");
		must_find("b.life.test");
		must(look_up("nope.test") == EAI_NONAME);
	}
}

/* Nothing but libc's answers may be seen: 0 or what it says for want of memory. */
static void little_memory(void)
{
	struct rlimit limit;
	unsigned long pages;
	FILE *f = fopen("/proc/self/statm", "re");
	int r;

	must(f != NULL && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	must(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = pages * (unsigned long)sysconf(_SC_PAGESIZE) + strtoul(argument, NULL, 0);
	must(setrlimit(RLIMIT_AS, &limit) == 0);
	r = look_up("a.life.test");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_AS, &limit) == 0);
	dprintf(1, "%s\n", r == 0 ? "found" : r > 0 ? "wrong" : gai_strerror(r));
	must_find("a.life.test");
	must_find("b.life.test");
}

/* All numbers in use: libc can open no socket either. */
static void no_descriptor(void)
{
	const struct rlimit some = {64, 64};
	int last = -1, fd;

	if (strcmp(argument, "warm") == 0)
		must_find("a.life.test");
	must(setrlimit(RLIMIT_NOFILE, &some) == 0);
	while ((fd = dup(0)) >= 0)
		last = fd;
	if (strcmp(argument, "warm") == 0)
		usleep(1100000); /* files are looked at again */
	errno = 0;
	fd = look_up("a.life.test");
	dprintf(1, "%s, %s\n",
		fd == 0	 ? "found"
		: fd > 0 ? "wrong"
			 : gai_strerror(fd),
		strerror(errno));
	for (int i = 0; i < 20; i++)
		syscall(SYS_close, last - i);
	must_find("b.life.test");
}

static void *find_slow(void *arg)
{
	double start = now_ms();
	int r = look_up("a.slow.test");

	must(r == 0 || r == EAI_AGAIN || r == EAI_SYSTEM || r == EAI_NONAME);
	must(now_ms() - start < 3000);
	return arg;
}

/* The deadline is 1 s. The lookup's own socket goes, too, and under libc it would fail as well. */
static void descriptors_lost_in_a_lookup(void)
{
	pthread_t thread;

	must_find("a.life.test");
	must(pthread_create(&thread, NULL, find_slow, NULL) == 0);
	usleep(100000);
	for (int fd = 3; fd < 1100; fd++)
		syscall(SYS_close, fd);
	must_find("b.life.test");
	must(pthread_join(thread, NULL) == 0);
	must_find("c.life.test");
}

/* ---- another network ---- */

static void print(const char *name)
{
	int r = look_up(name);

	dprintf(1, "%s: %s\n", name, r == 0 ? "found" : r > 0 ? "wrong" : gai_strerror(r));
}

static void leave_the_network(void)
{
	if (unshare(CLONE_NEWNET) != 0) {
		dprintf(1, "unshare: %s\n", strerror(errno));
		_exit(77);
	}
}

/* What is known of the old one may be told for a second. */
static void another_network(void)
{
	must_find("a.life.test");
	leave_the_network();
	usleep(1100000);
	print("a.life.test");
	print("b.life.test");
}

static void child_in_another_network(void)
{
	pid_t pid;

	must_find("a.life.test");
	pid = fork();
	if (pid == 0) {
		leave_the_network();
		print("a.life.test");
		print("b.life.test");
		_exit(0);
	}
	must_exit_with_0(pid);
	must_find("c.life.test");
}

/* ---- another folder, user, root ---- */

static void folder_changes(void)
{
	must(chdir("/") == 0);
	must_find("a.life.test");
	must_find("a.life.test");
}

static void root_changes(void)
{
	must(chroot(argument) == 0 && chdir("/") == 0);
	print("a.life.test");
	print("a.life.test");
}

/* setuid() has to reach every thread, the shim's too. */
static void user_changes(void)
{
	must_find("a.life.test");
	must(setgid(65534) == 0 && setuid(65534) == 0);
	must_find("a.life.test");
	usleep(1100000); /* the folder of the former user is out of reach, and that is noticed */
	must_find("a.life.test");
	must_find("a.life.test");
}

static void *find_on_a_small_stack(void *arg)
{
	must_find("a.life.test");
	must_find("a.life.test");
	return arg;
}

static void small_stack(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	must(pthread_attr_init(&attr) == 0);
	must(pthread_attr_setstacksize(&attr, 32 << 10) == 0);
	must(pthread_create(&thread, &attr, find_on_a_small_stack, NULL) == 0);
	must(pthread_join(thread, NULL) == 0);
}

static const struct mode modes[] = {
	{"folder_changes", folder_changes},
	{"root_changes", root_changes},
	{"user_changes", user_changes},
	{"small_stack", small_stack},
	{"another_network", another_network},
	{"child_in_another_network", child_in_another_network},
	{"refused_calls", refused_calls},
	{"little_memory", little_memory},
	{"no_descriptor", no_descriptor},
	{"descriptors_lost_in_a_lookup", descriptors_lost_in_a_lookup},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	argument = argc > 2 ? argv[2] : "";
	return run_mode(modes, argc > 1 ? argv[1] : NULL);
}

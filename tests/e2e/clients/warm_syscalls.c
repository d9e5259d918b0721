// SPDX-License-Identifier: MIT
/*
 * warm_syscalls NAME - proves that a warm lookup makes no system call: after the name is warm and
 * the settings were just checked, a seccomp filter kills the process at any system call but exit,
 * and 20,000 lookups follow, which end before the next check is due.
 *
 * Exits 0; 1 when a lookup failed; 3 when a round took so long that a check was due (a stalled
 * machine: nothing is proved); SIGSYS kills it when a lookup entered the kernel.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUND	 20000
#define LIMIT_MS 900 /* the settings are looked at again after 1000 */

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int look_up(const char *name)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int r = getaddrinfo(name, "443", &hints, &list);

	if (r == 0)
		freeaddrinfo(list);
	return r;
}

static void forbid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof code / sizeof code[0], code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(4);
}

int main(int argc, char **argv)
{
	struct timespec pause = {.tv_sec = 1, .tv_nsec = 100000000};
	double start;

	if (argc < 2 || look_up(argv[1]) != 0)
		return 1;
	nanosleep(&pause, NULL); /* the next lookup makes the check that was due */
	start = now_ms();
	for (int i = 0; i < 1000; i++)
		if (look_up(argv[1]) != 0)
			return 1;
	forbid();
	for (int i = 0; i < ROUND; i++) {
		if (now_ms() - start > LIMIT_MS)
			_exit(3);
		if (look_up(argv[1]) != 0)
			_exit(1);
	}
	_exit(0);
}

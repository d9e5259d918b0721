// SPDX-License-Identifier: MIT
/*
 * links.c - devices, addresses and routes of a world, mostly through iproute2.
 */
#include "netns.h"
#include "servers.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* An ioctl, since most worlds need nothing else and a spawned `ip` costs milliseconds. */
void lab_loopback_up(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		lab_fail("cannot raise lo: %s", strerror(errno));
	close(fd);
}

void lab_sysctl(const char *path, const char *value)
{
	char full[256];
	int fd;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		lab_fail("write %s: %s", full, strerror(errno));
	close(fd);
}

/* In the child: `ip -batch -` with its input from a pipe and its complaints to another. */
static _Noreturn void exec_ip(const char *program, int in, int out)
{
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	execl(program, "ip", "-batch", "-", (char *)NULL);
	_exit(127);
}

static size_t read_all(int fd, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size - 1 && (n = read(fd, buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	buf[used] = '\0';
	return used;
}

void lab_ip(struct lab_world *w, enum lab_side side, const char *fmt, ...)
{
	const char *program = lab_find_program("ip");
	char lines[4000]; /* under PIPE_BUF: one write, nothing to wait for */
	char complaint[1024];
	int in[2];
	int out[2];
	int status;
	va_list ap;
	pid_t pid;

	if (!program)
		lab_skip("the program `ip` (iproute2) is missing");
	va_start(ap, fmt);
	if (vsnprintf(lines, sizeof(lines), fmt, ap) >= (int)sizeof(lines))
		lab_fail("too many lines for one lab_ip()");
	va_end(ap);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		lab_fail("pipe: %s", strerror(errno));
	pid = lab_fork_side(w, side);
	if (pid == 0)
		exec_ip(program, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	if (write(in[1], lines, strlen(lines)) < 0)
		lab_fail("ip: %s", strerror(errno));
	close(in[1]);
	read_all(out[0], complaint, sizeof(complaint));
	close(out[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		lab_fail("ip -batch failed: %s\nlines:\n%s", complaint, lines);
}

/* A veth pair whose far end stays here: a carrier, and nobody behind it. */
void lab_addresses_add(struct lab_world *w)
{
	char lines[3000];
	size_t used = 0;

	for (const char *const *a = w->opts->addresses; *a; a++) {
		const char *nodad = strchr(*a, ':') ? " nodad" : "";

		used += (size_t)snprintf(lines + used, sizeof(lines) - used,
					 "addr add %s dev lab1%s\n", *a, nodad);
		if (used >= sizeof(lines))
			lab_fail("too many addresses");
	}
	lab_ip(w, LAB_NEAR,
	       "link add lab1 type veth peer name lab1peer\n"
	       "link set lab1peer up\nlink set lab1 up\n%s",
	       used ? lines : "");
}

void lab_far_prefixes(struct lab_world *w)
{
	lab_ip(w, LAB_FAR,
	       "link set lo up\n"
	       "route replace local " LAB_FAR_NET_V4 " dev lo\n"
	       "route replace local " LAB_FAR_NET_V6 " dev lo\n");
}

static void configure_far(struct lab_world *w)
{
	lab_ip(w, LAB_FAR,
	       "link set lab0 addrgenmode none\n"
	       "addr add " LAB_FAR_GW_V4 "/24 dev lab0\n"
	       "addr add " LAB_FAR_GW_V6 "/64 dev lab0 nodad\n"
	       "link set lab0 up\n");
}

/* `via`: how the near side reaches the rest of the world. */
static void configure_near(struct lab_world *w, const char *via_v4, const char *via_v6)
{
	lab_ip(w, LAB_NEAR,
	       "link set lab0 addrgenmode none\n"
	       "addr add " LAB_NEAR_V4 "/24 dev lab0\n"
	       "addr add " LAB_NEAR_V6 "/64 dev lab0 nodad\n"
	       "link set lab0 up\n"
	       "route add 0.0.0.0/0 %s\n"
	       "route add ::/0 %s\n",
	       via_v4, via_v6);
}

void lab_link_veth(struct lab_world *w)
{
	/* `ip` names the other namespace by a path. */
	lab_ip(w, LAB_NEAR, "link add lab0 type veth peer name lab0 netns /proc/%d/fd/%d\n",
	       getpid(), w->ns[LAB_FAR]);
	configure_far(w);
	configure_near(w, "via " LAB_FAR_GW_V4, "via " LAB_FAR_GW_V6);
}

void lab_link_tun(struct lab_world *w)
{
	configure_far(w);
	configure_near(w, "dev lab0", "dev lab0");
}

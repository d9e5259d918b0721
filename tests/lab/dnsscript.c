// SPDX-License-Identifier: MIT
/*
 * dnsscript.c - a scripted server as its starter sees it: start, counters, stop.
 */
#include "dnsscript.h"
#include "dnscount.h"
#include "dnsserver.h"
#include "proc.h"
#include "testca.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct lab_dns {
	pid_t pid; /* 0: stopped */
	struct dns_counts *counts;
};

static void tell_ready(void *arg)
{
	int fd = *(int *)arg;

	if (write(fd, "r", 1) != 1)
		lab_fail("scripted server: its starter is gone");
	close(fd);
}

static _Noreturn void serve(const struct lab_dns_script *script, struct dns_counts *counts, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dns_server_run(script, counts, tell_ready, &fd);
}

struct lab_dns *lab_dns_start(struct lab_world *w, const struct lab_dns_script *script)
{
	struct lab_dns *dns = calloc(1, sizeof(*dns));
	int fds[2];
	char byte;

	if (!dns || !(dns->counts = dns_counts_new()))
		lab_fail("scripted server: no memory");
	if (pipe2(fds, O_CLOEXEC))
		lab_fail("scripted server: pipe: %s", strerror(errno));
	lab_ca_make();
	dns->pid = lab_fork_side(w, script->side);
	if (dns->pid == 0) {
		close(fds[0]);
		serve(script, dns->counts, fds[1]);
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		lab_fail("the scripted server did not start");
	close(fds[0]);
	return dns;
}

struct lab_dns *lab_dns_start_text(struct lab_world *w, const char *text)
{
	struct lab_dns_script *script;
	struct lab_dns *dns;
	char error[256] = "no memory";

	if (lab_dns_script_parse(text, error, sizeof(error), &script))
		lab_fail("scripted server: %s", error);
	dns = lab_dns_start(w, script);
	lab_dns_script_free(script);
	return dns;
}

struct lab_dns *lab_dns_startf(struct lab_world *w, const char *fmt, ...)
{
	struct lab_dns *dns;
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		lab_fail("scripted server: no memory");
	va_end(ap);
	dns = lab_dns_start_text(w, text);
	free(text);
	return dns;
}

void lab_dns_stop(struct lab_dns *dns)
{
	if (dns->pid == 0)
		return;
	/* Not while it holds the counters' lock. */
	dns_counts_lock(dns->counts);
	kill(dns->pid, SIGKILL);
	while (waitpid(dns->pid, NULL, 0) < 0 && errno == EINTR)
		;
	dns->pid = 0;
	dns_counts_unlock(dns->counts);
}

void lab_dns_free(struct lab_dns *dns)
{
	if (!dns)
		return;
	lab_dns_stop(dns);
	dns_counts_free(dns->counts);
	free(dns);
}

pid_t lab_dns_pid(const struct lab_dns *dns)
{
	return dns->pid;
}

uint64_t lab_dns_count(const struct lab_dns *dns, const char *name, uint16_t type,
		       enum lab_dns_transport transport)
{
	return dns_counts_get(dns->counts, name, type, transport);
}

uint64_t lab_dns_connections(const struct lab_dns *dns)
{
	return dns_counts_connections(dns->counts);
}

void lab_dns_tls(const struct lab_dns *dns, struct lab_dns_tls *ret)
{
	dns_counts_tls(dns->counts, ret);
}

static void control(struct lab_dns *dns, int signal, bool away)
{
	unsigned long long end = lab_now_ns() + 5000000000ULL;
	const struct timespec pause = {.tv_nsec = 100000};

	kill(dns->pid, signal);
	while (dns_counts_away(dns->counts) != away) {
		if (lab_now_ns() > end)
			lab_fail("the scripted server does not listen to signals");
		nanosleep(&pause, NULL);
	}
}

void lab_dns_vanish(struct lab_dns *dns)
{
	control(dns, SIGUSR1, true);
}

void lab_dns_return(struct lab_dns *dns)
{
	control(dns, SIGUSR2, false);
}

void lab_dns_reset_counts(struct lab_dns *dns)
{
	dns_counts_reset(dns->counts);
}

bool lab_dns_query_at(const struct lab_dns *dns, uint64_t i, struct lab_dns_query *ret)
{
	return dns_counts_query_at(dns->counts, i, ret);
}

void lab_dns_wait_count(const struct lab_dns *dns, const char *name, uint16_t type, uint64_t count,
			unsigned timeout_ms)
{
	unsigned long long end = lab_now_ns() + timeout_ms * 1000000ULL;
	const struct timespec pause = {.tv_nsec = 500000};
	uint64_t got;

	while ((got = lab_dns_count(dns, name, type, LAB_ANY_TRANSPORT)) < count) {
		if (lab_now_ns() > end)
			lab_fail("%s: expected %llu queries within %u ms, got %llu",
				 name ? name : "all names", (unsigned long long)count, timeout_ms,
				 (unsigned long long)got);
		nanosleep(&pause, NULL);
	}
}

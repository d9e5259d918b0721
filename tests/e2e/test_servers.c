// SPDX-License-Identifier: MIT
/*
 * test_servers.c - the shim with the servers that real networks run: unbound, nsd and dnsdist.
 */
#include "tests/e2e/shim_run.h"
#include "tests/lab/servers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* 200 addresses: 3.2 KB, more than an EDNS answer over UDP holds. */
#define BIG 200

#define QUICK_FAILURES "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"

static const char *zone_text(bool absolute)
{
	static char text[32768];
	size_t n = 0;

	/* A master file has one record a line, and so has unbound's local data. */
	n += (size_t)snprintf(
		text, sizeof text,
		"zone.test. 300 IN SOA ns.zone.test. root.zone.test. 1 3600 600 86400 60\n"
		"%s"
		"www.zone.test. 300 IN A 192.0.2.1\n"
		"www.zone.test. 300 IN AAAA 2001:db8::1\n"
		"alias.zone.test. 300 IN CNAME www.zone.test.\n"
		"six.zone.test. 300 IN AAAA 2001:db8::6\n",
		absolute
			? ""
			: "zone.test. 300 IN NS ns.zone.test.\nns.zone.test. 300 IN A 127.0.0.1\n");
	for (unsigned i = 0; i < BIG; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
				      "big.zone.test. 300 IN A 10.0.0.%u\n", i + 1);
	lab_assert(n < sizeof text);
	return text;
}

/* The same answers as libc's, first from the server and then from the cache, which is each
 * process's own: else all but the first of a name would be the cache's. */
static void answers_as_libc(struct lab_world *w)
{
	static const char *const names[] = {"www.zone.test", "alias.zone.test", "six.zone.test",
					    "nope.zone.test", "WWW.zone.TEST"};
	static const char *const families[] = {"-c", "-4", "-6"};

	(void)w;
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		for (unsigned f = 0; f < sizeof families / sizeof families[0]; f++)
			shim_as_libc(names[i],
				     &(struct lab_proc_opts){
					     .argv = SHIM_ARGV("clients/lookup", "-n2", families[f],
							       names[i]),
					     .env = SHIM_ENV("NOBLOCKDNS_CACHE=private")});
	shim_says(NULL, SHIM_ARGV("clients/lookup", "www.zone.test"),
		  "www.zone.test: 2001:db8::1 192.0.2.1\n");
}

static void big_answer_is_whole(void)
{
	unsigned n = 0;

	shim_run(NULL, SHIM_ARGV("clients/lookup", "-4", "big.zone.test"));
	lab_assert_str(shim_got.err, "");
	for (const char *p = shim_got.out; (p = strstr(p, " 10.0.0.")) != NULL; p++)
		n++;
	lab_assert_int(n, BIG);
}

static struct lab_server *start(struct lab_world *w, enum lab_server_kind kind, const char *listen)
{
	const struct lab_zone zones[] = {{"zone.test", zone_text(kind == LAB_UNBOUND)},
					 {NULL, NULL}};
	const struct lab_server_opts opts = {.kind = kind, .listen = listen, .zones = zones};

	return lab_server_start(w, &opts);
}

LabTest(servers, nsd_answers)
{
	start(w, LAB_NSD, NULL);
	answers_as_libc(w);
	big_answer_is_whole();
}

LabTest(servers, unbound_answers)
{
	start(w, LAB_UNBOUND, NULL);
	answers_as_libc(w);
	big_answer_is_whole();
}

LabTest(servers, unbound_answers_over_ipv6, .resolv_conf = "nameserver ::1\n")
{
	start(w, LAB_UNBOUND, "::1");
	answers_as_libc(w);
	big_answer_is_whole();
}

LabTest(servers, unbound_answers_over_tcp_alone,
	.resolv_conf = "nameserver 127.0.0.1\noptions use-vc\n")
{
	start(w, LAB_UNBOUND, NULL);
	answers_as_libc(w);
	big_answer_is_whole();
}

static const char *const nsd_behind[] = {"127.0.0.2:53", NULL};

LabTest(servers, dnsdist_answers)
{
	const struct lab_server_opts opts = {
		.kind = LAB_DNSDIST, .upstreams = nsd_behind, .ready_name = "zone.test"};

	start(w, LAB_NSD, "127.0.0.2");
	lab_server_start(w, &opts);
	answers_as_libc(w);
	big_answer_is_whole();
}

LabTest(servers, unbound_that_forwards_answers)
{
	const struct lab_server_opts opts = {
		.kind = LAB_UNBOUND, .upstreams = nsd_behind, .ready_name = "zone.test"};

	start(w, LAB_NSD, "127.0.0.2");
	lab_server_start(w, &opts);
	answers_as_libc(w);
	big_answer_is_whole();
}

/* ---- servers that fail ---- */

LabTest(servers, unbound_that_cannot_resolve_is_tried_again, .resolv_conf = QUICK_FAILURES)
{
	static const char *const nobody[] = {"127.0.0.9:53", NULL};
	const struct lab_server_opts opts = {
		.kind = LAB_UNBOUND, .upstreams = nobody, .ready_name = "localhost"};
	struct lab_server *unbound = lab_server_start(w, &opts);

	shim_as_libc("broken",
		     &(struct lab_proc_opts){.argv = SHIM_ARGV("clients/lookup", "www.zone.test")});
	lab_assert_str(shim_got.out, "www.zone.test: EAI_AGAIN\n");
	lab_server_stop(unbound);
	start(w, LAB_UNBOUND, NULL);
	usleep(FAILURE_MS * 1000); /* then nothing of the failure is left */
	shim_says(NULL, SHIM_ARGV("clients/lookup", "www.zone.test"),
		  "www.zone.test: 2001:db8::1 192.0.2.1\n");
}

/* One program, and its server goes away and comes back under it. */
LabTest(servers, stopped_server_that_comes_back_is_used_again, .resolv_conf = QUICK_FAILURES)
{
	static const char script[] =
		"import socket, sys\n"
		"for line in sys.stdin:\n"
		"  try: print(socket.gethostbyname(line.strip()), flush=True)\n"
		"  except OSError as e: print(e.errno, flush=True)\n";
	int to[2], from[2];
	char line[64];
	FILE *answers;
	struct lab_server *server = start(w, LAB_NSD, NULL);
	pid_t pid;

	shim_not_under(NULL, "python runs without one");
	if (lab_find_program("python3") == NULL)
		lab_skip("no python3");
	lab_assert(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	pid = lab_fork_side(w, LAB_NEAR);
	if (pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		setenv("LD_PRELOAD", lab_preload(), 1);
		execl("/usr/bin/python3", "python3", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(from[1]);
	answers = fdopen(from[0], "r");
	lab_assert(write(to[1], "www.zone.test\n", 14) == 14);
	lab_assert(fgets(line, sizeof line, answers) != NULL);
	lab_assert_str(line, "192.0.2.1\n");
	lab_server_stop(server);
	lab_assert(write(to[1], "ns.zone.test\n", 13) == 13);
	lab_assert(fgets(line, sizeof line, answers) != NULL);
	lab_assert_str(line, "-3\n"); /* EAI_AGAIN */
	server = start(w, LAB_NSD, NULL);
	usleep(FAILURE_MS * 1000);
	lab_assert(write(to[1], "ns.zone.test\n", 13) == 13);
	lab_assert(fgets(line, sizeof line, answers) != NULL);
	lab_assert_str(line, "127.0.0.1\n");
	close(to[1]);
	lab_assert_int(lab_proc_wait(pid, 10000), 0);
}

/* A stopped process (SIGSTOP) accepts packets and says nothing: the second server has to serve. */
LabTest(servers, stalled_first_server_is_passed_over,
	.resolv_conf = "nameserver 127.0.0.2\nnameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
{
	struct lab_server *stalled = start(w, LAB_NSD, "127.0.0.2");

	start(w, LAB_UNBOUND, NULL);
	lab_assert(kill(lab_server_pid(stalled), SIGSTOP) == 0);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "www.zone.test"),
		  "www.zone.test: 2001:db8::1 192.0.2.1\n");
	lab_assert(kill(lab_server_pid(stalled), SIGCONT) == 0);
}

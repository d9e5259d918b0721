// SPDX-License-Identifier: MIT
/*
 * test_lab.c - worlds, programs and real servers of the lab: do they do what they promise? Every
 * other end-to-end test stands on them.
 */
#include "tests/lab/dnsquery.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"
#include "tests/lab/servers.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void ask_for(const char *server, const char *name, const char *address)
{
	const struct lab_dns_question q = {.server = server, .name = name, .type = LAB_A};
	struct lab_dns_reply reply;
	int rc = lab_dns_ask(&q, &reply);

	lab_assert(rc == 0, "(%s from %s: %s)", name, server, strerror(-rc));
	lab_assert(reply.parsed && reply.nanswers > 0, "(%s from %s)", name, server);
	lab_assert_str(reply.answers[0].data, address);
}

static void fails(struct lab_world *w, void *arg)
{
	(void)arg;
	if (lab_fork_side(w, LAB_NEAR) == 0)
		lab_fail("%s", "from a child");
	pause();
}

static void crashes(struct lab_world *w, void *arg)
{
	(void)w;
	(void)arg;
	raise(SIGSEGV);
}

static void skips(struct lab_world *w, void *arg)
{
	(void)w;
	(void)arg;
	lab_skip("no %s here", "moon");
}

static void hangs(struct lab_world *w, void *arg)
{
	(void)w;
	(void)arg;
	pause();
}

static struct lab_result run(void (*body)(struct lab_world *, void *), void *arg)
{
	const struct lab_world_opts opts = {.timeout_s = 1};
	struct lab_result result;

	lab_world_run(&opts, body, arg, &result);
	if (result.outcome == LAB_SKIPPED && body != skips)
		cr_skip_test("%s", result.message);
	return result;
}

Test(lab, failure_of_a_child_fails_the_world)
{
	struct lab_result result = run(fails, NULL);

	cr_assert_eq(result.outcome, LAB_FAILED);
	cr_assert(strstr(result.message, "from a child"), "got: %s", result.message);
}

Test(lab, crash_fails_the_world)
{
	struct lab_result result = run(crashes, NULL);

	cr_assert_eq(result.outcome, LAB_FAILED);
	cr_assert(strstr(result.message, "signal 11"), "got: %s", result.message);
}

Test(lab, skip_says_why)
{
	struct lab_result result = run(skips, NULL);

	cr_assert_eq(result.outcome, LAB_SKIPPED);
	cr_assert_str_eq(result.message, "no moon here");
}

Test(lab, hanging_world_is_killed)
{
	struct lab_result result = run(hangs, NULL);

	cr_assert_eq(result.outcome, LAB_FAILED);
	cr_assert(strstr(result.message, "killed after 1 s"), "got: %s", result.message);
}

/* Holds the write end of the test's pipe in a process that nobody waits for. */
static void leaves_a_daemon(struct lab_world *w, void *arg)
{
	(void)w;
	if (fork() == 0 && setsid() > 0 && fork() == 0) {
		signal(SIGTERM, SIG_IGN);
		pause();
	}
	close(*(int *)arg);
}

Test(lab, end_of_world_kills_its_processes)
{
	struct pollfd p = {.events = POLLIN};
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	run(leaves_a_daemon, &fds[1]);
	close(fds[1]);
	p.fd = fds[0];
	cr_assert_eq(poll(&p, 1, 10000), 1);
	cr_assert_eq(p.revents, POLLHUP);
}

LabTest(lab, etc_is_as_given, .resolv_conf = "nameserver 127.0.0.9\n", .hosts = "192.0.2.1 a\n",
	.gai_conf = "precedence ::1/128 50\n",
	.files = (const struct lab_file[]){{"/etc/new", "x"}, {"/etc/passwd", NULL}, {NULL, NULL}})
{
	char text[256];

	lab_file_read("/etc/resolv.conf", text, sizeof(text));
	lab_assert_str(text, "nameserver 127.0.0.9\n");
	lab_file_read("/etc/hosts", text, sizeof(text));
	lab_assert_str(text, "192.0.2.1 a\n");
	lab_file_read("/etc/gai.conf", text, sizeof(text));
	lab_assert_str(text, "precedence ::1/128 50\n");
	lab_file_read("/etc/new", text, sizeof(text));
	lab_assert_str(text, "x");
	lab_assert_int(access("/etc/passwd", F_OK), -1);
	lab_assert_int(access("/etc/group", F_OK), 0);
}

LabTest(lab, absent_gai_conf_is_absent)
{
	lab_assert_int(access("/etc/gai.conf", F_OK), -1);
}

LabTest(lab, replaced_file_is_another_inode)
{
	struct stat before;
	struct stat after;
	char text[64];

	lab_assert_int(stat("/etc/resolv.conf", &before), 0);
	lab_file_replace("/etc/resolv.conf", "nameserver 127.0.0.7\n");
	lab_assert_int(stat("/etc/resolv.conf", &after), 0);
	lab_assert(before.st_ino != after.st_ino);
	lab_file_overwrite("/etc/resolv.conf", "# empty\n");
	lab_assert_int(stat("/etc/resolv.conf", &before), 0);
	lab_assert_int(before.st_ino, after.st_ino);
	lab_file_read("/etc/resolv.conf", text, sizeof(text));
	lab_assert_str(text, "# empty\n");
}

/* resolv.conf, nsswitch.conf, loopback and port 53 together: glibc resolves through the world. */
LabTest(lab, libc_resolves_in_the_world)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct lab_dns *dns;
	struct addrinfo *res;

	dns = lab_dns_start_text(w, "listen 127.0.0.1:53\nrr www.test 60 A 192.0.2.5\n");
	lab_assert_int(getaddrinfo("www.test", NULL, &hints, &res), 0);
	freeaddrinfo(res);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_A, LAB_UDP), 1);
	lab_assert_int(lab_dns_count(dns, NULL, LAB_ANY_TYPE, LAB_ANY_TRANSPORT), 1);
}

LabTest(lab, world_without_root, .unprivileged = true, .far = true)
{
	lab_assert_int(getuid(), 0);
	lab_dns_start_text(w, "listen [::1]:53\nrr www.test 60 A 192.0.2.5\n");
	ask_for("[::1]:53", "www.test", "192.0.2.5");
	lab_dns_start_text(w, "side far\nlisten " LAB_FAR_V4(9) ":53\nrr a.test 60 A 192.0.2.6\n");
	lab_link_veth(w);
	ask_for(LAB_FAR_V4(9), "a.test", "192.0.2.6");
}

static const char *const two_addresses[] = {"192.0.2.77/24", "2001:db8:7::1/64", NULL};

LabTest(lab, addresses_can_be_bound, .addresses = two_addresses)
{
	lab_dns_start_text(w, "listen 192.0.2.77:53\nlisten [2001:db8:7::1]:53\n"
			      "rr www.test 60 A 192.0.2.5\n");
	ask_for("192.0.2.77", "www.test", "192.0.2.5");
	ask_for("2001:db8:7::1", "www.test", "192.0.2.5");
}

LabTest(lab, veth_joins_the_sides, .far = true)
{
	lab_dns_start_text(
		w, "side far\nlisten " LAB_FAR_V4(
			   200) ":53\n"
				"listen [" LAB_FAR_V6(abc) "]:53\nrr www.test 60 A 192.0.2.5\n");
	lab_link_veth(w);
	ask_for(LAB_FAR_V4(200), "www.test", "192.0.2.5");
	ask_for(LAB_FAR_V6(abc), "www.test", "192.0.2.5");
}

LabTest(lab, program_output_is_collected)
{
	static const char *const argv[] = {"sh", "-c", "cat; echo bad >&2; echo $X; exit 7", NULL};
	static const char *const env[] = {"X=y", NULL};
	static struct lab_proc_result r;

	lab_proc_run(w, &(struct lab_proc_opts){.argv = argv, .env = env, .input = "in\n"}, &r);
	lab_assert_str(r.out, "in\ny\n");
	lab_assert_str(r.err, "bad\n");
	lab_assert_int(r.status, 7);
	lab_assert(!r.timed_out);
}

LabTest(lab, program_over_time_is_killed_with_its_children)
{
	static const char *const argv[] = {"sh", "-c", "sleep 1000 & echo started; wait", NULL};
	static struct lab_proc_result r;

	lab_proc_run(w, &(struct lab_proc_opts){.argv = argv, .timeout_ms = 300}, &r);
	lab_assert(r.timed_out);
	lab_assert_int(r.signal, SIGKILL);
	lab_assert_str(r.out, "started\n");
}

static const struct lab_zone real_zones[] = {
	{"real.test", "real.test. 300 IN SOA ns.real.test. root.real.test. 1 2 3 4 5\n"
		      "real.test. 300 IN NS ns.real.test.\n"
		      "ns.real.test. 300 IN A 127.0.0.1\n"
		      "www.real.test. 300 IN A 192.0.2.3\n"},
	{NULL, NULL}};

LabTest(lab, unbound_answers)
{
	struct lab_server *s = lab_server_start(
		w, &(struct lab_server_opts){.kind = LAB_UNBOUND, .zones = real_zones});

	ask_for("127.0.0.1:53", "www.real.test", "192.0.2.3");
	lab_server_stop(s);
}

LabTest(lab, unbound_forwards)
{
	static const char *const upstreams[] = {"127.0.0.2:53", NULL};
	struct lab_dns *dns;

	dns = lab_dns_start_text(w, "listen 127.0.0.2:53\nrr www.real.test 60 A 192.0.2.4\n");
	lab_server_start(w, &(struct lab_server_opts){
				    .kind = LAB_UNBOUND, .listen = "::1", .upstreams = upstreams});
	ask_for("[::1]:53", "www.real.test", "192.0.2.4");
	lab_assert(lab_dns_count(dns, "www.real.test", LAB_A, LAB_ANY_TRANSPORT) >= 1);
}

LabTest(lab, nsd_answers)
{
	lab_server_start(
		w, &(struct lab_server_opts){.kind = LAB_NSD, .port = 5300, .zones = real_zones});
	ask_for("127.0.0.1:5300", "www.real.test", "192.0.2.3");
}

LabTest(lab, dnsdist_forwards)
{
	static const char *const upstreams[] = {"127.0.0.2:53", NULL};

	lab_dns_start_text(w, "listen 127.0.0.2:53\nrr www.real.test 60 A 192.0.2.4\n");
	lab_server_start(w, &(struct lab_server_opts){.kind = LAB_DNSDIST, .upstreams = upstreams});
	ask_for("127.0.0.1:53", "www.real.test", "192.0.2.4");
}

/* Two lookups, one query: nscd had the second. */
LabTest(lab, nscd_caches)
{
	static const char *const argv[] = {"getent", "hosts", "www.real.test", NULL};
	static struct lab_proc_result r;
	struct lab_dns *dns;

	dns = lab_dns_start_text(w, "listen 127.0.0.1:53\nrr www.real.test 60 AAAA 2001:db8::4\n");
	lab_server_start(w, &(struct lab_server_opts){.kind = LAB_NSCD});
	for (int i = 0; i < 2; i++) {
		lab_proc_run(w, &(struct lab_proc_opts){.argv = argv}, &r);
		lab_assert_str(r.out, "2001:db8::4     www.real.test\n");
	}
	lab_assert_int(lab_dns_count(dns, "www.real.test", LAB_AAAA, LAB_ANY_TRANSPORT), 1);
}

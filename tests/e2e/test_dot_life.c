// SPDX-License-Identifier: MIT
/*
 * test_dot_life.c - the life of a connection over TLS: tickets from process to process,
 * upstreams that go away and come back, idling, forks; and what a query tells about us.
 *
 * TTLs are 0: each lookup is a query.
 */
#include "tests/e2e/dot_run.h"

#include <dirent.h>

#define NAMES	 "rr *.test 0 A 192.0.2.1\nrr *.test 0 AAAA 2001:db8::1\n"
#define SERVER	 NAMES "listen 127.0.0.1:853 tls "
#define UPSTREAM "tls://127.0.0.1#dns.test"
#define ANSWER	 "192.0.2.1"

/* ---- tickets ---- */

LabTest(dot_life, next_process_resumes)
{
	enum { PROCESSES = 100, NAMES_EACH = 10 };
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);
	struct lab_dns_tls tls;

	dot_use(w, UPSTREAM);
	for (unsigned i = 0; i < PROCESSES; i++) {
		char zone[32];
		struct dot_program p = dot_start(w);

		snprintf(zone, sizeof zone, "p%u.test*%d", i, NAMES_EACH);
		dot_says(&p, zone, ANSWER);
		dot_end(&p);
	}
	tls = dot_tls(dns);
	lab_assert_int(lab_dns_count(dns, NULL, LAB_A, LAB_TLS), PROCESSES * NAMES_EACH);
	lab_assert(tls.handshakes <= PROCESSES, "(%llu)", (unsigned long long)tls.handshakes);
	lab_assert(tls.resumed >= PROCESSES - 1, "(%llu)", (unsigned long long)tls.resumed);
	lab_assert_int(tls.repeated, 0);
	lab_assert_int(tls.failed, 0);
}

/* This server gives no new ticket to whoever resumes: every other process needs one. */
LabTest(dot_life, next_process_resumes_tls_1_2)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "version 1.2\n");

	dot_use(w, UPSTREAM);
	for (unsigned i = 0; i < 4; i++)
		shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"),
			  "www.test: 192.0.2.1\n");
	lab_assert_int(dot_tls(dns).handshakes, 4);
	lab_assert(dot_tls(dns).resumed >= 2);
}

LabTest(dot_life, server_without_tickets_is_used_all_the_same)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "tickets 0\n");

	dot_use(w, UPSTREAM);
	for (unsigned i = 0; i < 3; i++)
		shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"),
			  "www.test: 192.0.2.1\n");
	lab_assert_int(dot_tls(dns).handshakes, 3);
	lab_assert_int(dot_tls(dns).resumed, 0);
}

/* A server that was restarted knows nothing of its old tickets. */
LabTest(dot_life, ticket_that_the_server_forgot_costs_a_full_handshake)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);

	dot_use(w, UPSTREAM);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	lab_dns_free(dns);
	dns = lab_dns_start_text(w, SERVER);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	lab_assert_int(dot_tls(dns).handshakes, 1);
	lab_assert_int(dot_tls(dns).resumed, 0);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	lab_assert_int(dot_tls(dns).resumed, 1);
}

/* A ticket is worth what the certificate was that came with it: another name asks for another. */
LabTest(dot_life, ticket_is_of_one_name_alone)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "names dns.test,two.test\n");

	dot_use(w, UPSTREAM);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	dot_use(w, "tls://127.0.0.1#two.test");
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	lab_assert_int(dot_tls(dns).handshakes, 2);
	lab_assert_int(dot_tls(dns).resumed, 0);
}

/* ---- what a query tells ---- */

LabTest(dot_life, queries_are_padded_and_name_nobody)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);
	struct lab_dns_query query;
	uint64_t i = 0;

	dot_use(w, UPSTREAM);
	shim_run(NULL,
		 SHIM_ARGV("clients/lookup", "a.test", "a-rather-longer-name.below.that.test"));
	while (lab_dns_query_at(dns, i, &query)) {
		lab_assert_int(query.size % 128, 0);
		lab_assert(query.options & LAB_OPTION_PADDING);
		lab_assert(!(query.options & LAB_OPTION_CLIENT_SUBNET));
		i++;
	}
	lab_assert_int(i, 4);
	lab_assert_str(dot_tls(dns).sni, "dns.test");
}

LabTest(dot_life, address_is_authenticated_and_sends_no_server_name)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "\nlisten [::1]:853 tls\n");

	dot_use(w, "tls://127.0.0.1");
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	lab_assert_str(dot_tls(dns).sni, "");
	dot_use(w, "tls://[::1]:853");
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "www.test"), "www.test: 192.0.2.1\n");
	lab_assert_str(dot_tls(dns).sni, "");
	lab_assert_int(dot_tls(dns).handshakes, 2);
}

LabTest(dot_life, log_of_level_info_prints_no_names)
{
	lab_dns_start_text(w, SERVER "cert expired\n");
	dot_use(w, UPSTREAM);
	dot_deadline(DOT_DEADLINE_MS);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "secret.test"));
	lab_assert_str(shim_got.out, "secret.test: EAI_AGAIN\n");
	lab_assert(*dot_log(w) != '\0');
	lab_assert(strstr(dot_log(w), "secret") == NULL, "(%s)", dot_log(w));
}

/* ---- upstreams that go and come ---- */

LabTest(dot_life, silent_upstream_is_overtaken_after_two_seconds)
{
	struct lab_dns *silent = lab_dns_start_text(w, SERVER "\non * * drop\n");
	struct dot_program p;
	struct dot_said said;

	lab_dns_start_text(w, "rr *.test 0 A 192.0.2.2\nlisten 127.0.0.2:853 tls\n");
	dot_use(w, UPSTREAM " tls://127.0.0.2#dns.test");
	dot_deadline(10000);
	p = dot_start(w);
	said = dot_says(&p, "www.test", "192.0.2.2");
	lab_assert(said.ms < 2000 + DOT_SLACK_MS, "(%u ms)", said.ms);
	lab_assert(dot_queries(silent, LAB_TLS) > 0);
	dot_end(&p);
}

/* A doubling back-off (1, 2, 4, 8 s) that is not cut short would not ask again before second 31. */
LabTest(dot_life, upstream_that_returns_is_used_within_two_seconds)
{
	enum { AWAY_MS = 30000, RECOVERY_MS = 2000 };
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);
	unsigned long long back, end;
	struct dot_program p;
	unsigned fds;

	dot_use(w, UPSTREAM);
	dot_deadline(300);
	p = dot_start(w);
	fds = dot_says(&p, "www.test", ANSWER).fds;
	lab_dns_vanish(dns);
	end = lab_now_ns() + AWAY_MS * 1000000ULL;
	while (lab_now_ns() < end) {
		dot_says(&p, "www.test", "EAI_AGAIN");
		usleep(100000);
	}
	lab_dns_return(dns);
	back = lab_now_ns();
	while (strcmp(dot_ask(&p, "www.test").what, ANSWER) != 0)
		usleep(100000);
	lab_assert(lab_now_ns() - back < (RECOVERY_MS + 300) * 1000000ULL, "(%llu ms)",
		   (lab_now_ns() - back) / 1000000);
	lab_assert_int(dot_says(&p, "www.test", ANSWER).fds, fds);
	dot_end(&p);
}

/* The first one is preferred again as soon as it is back. */
LabTest(dot_life, preferred_upstream_is_used_again)
{
	struct lab_dns *one = lab_dns_start_text(w, SERVER);
	struct dot_program p;

	lab_dns_start_text(w, "rr *.test 0 A 192.0.2.2\nlisten 127.0.0.2:853 tls\n");
	dot_use(w, UPSTREAM " tls://127.0.0.2#dns.test");
	p = dot_start(w);
	dot_says(&p, "www.test", ANSWER);
	lab_dns_vanish(one);
	dot_says(&p, "www.test", "192.0.2.2");
	lab_dns_return(one);
	for (unsigned i = 0; strcmp(dot_ask(&p, "www.test").what, ANSWER) != 0; i++) {
		lab_assert(i < 400, "(not within 20 s)");
		usleep(50000);
	}
	dot_end(&p);
}

/* ---- idling ---- */

/* Context switches of the program's io thread so far. */
static unsigned long wake_ups(pid_t pid)
{
	char path[320], text[4096];
	const char *line;
	unsigned long n = 0;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	tasks = opendir(path);
	lab_assert(tasks != NULL);
	for (struct dirent *d; (d = readdir(tasks)) != NULL;) {
		snprintf(path, sizeof path, "/proc/%d/task/%.200s/status", pid, d->d_name);
		if (lab_file_read(path, text, sizeof text) <= 0 ||
		    strncmp(text, "Name:\tnoblockdns\n", 17) != 0)
			continue;
		line = strstr(text, "\nvoluntary_ctxt_switches:");
		lab_assert(line != NULL);
		n += strtoul(strchr(line, ':') + 1, NULL, 10);
	}
	closedir(tasks);
	lab_assert(n > 0, "(no io thread)");
	return n;
}

LabTest(dot_life, idle_connection_wakes_nobody)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);
	struct dot_program p;
	unsigned long before;
	unsigned fds;

	dot_use(w, UPSTREAM);
	p = dot_start(w);
	fds = dot_says(&p, "www.test", ANSWER).fds;
	sleep(1);
	before = wake_ups(p.pid);
	sleep(10);
	lab_assert_int(wake_ups(p.pid) - before, 0);
	lab_assert_int(dot_says(&p, "www.test", ANSWER).fds, fds);
	lab_assert_int(dot_tls(dns).handshakes, 1);
	dot_end(&p);
}

/* 500 ms without a query, and the connection goes; the next query opens another. */
LabTest(dot_life, keepalive_of_the_server_ends_an_idle_connection)
{
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "\non * * keepalive 5\n");
	struct dot_program p;
	unsigned fds;

	dot_use(w, UPSTREAM);
	p = dot_start(w);
	fds = dot_says(&p, "www.test", ANSWER).fds;
	lab_assert_int(dot_says(&p, "www.test", ANSWER).fds, fds);
	lab_assert_int(dot_tls(dns).handshakes, 1);
	sleep(2);
	dot_says(&p, "www.test", ANSWER);
	lab_assert_int(dot_tls(dns).handshakes, 2);
	lab_assert_int(dot_tls(dns).resumed, 1);
	dot_end(&p);
}

/* ---- forks ---- */

/* The child has a connection of its own, and the parent's lives on. */
LabTest(dot_life, child_leaves_the_connection_of_its_parent_alone)
{
	static const char script[] = "import os, socket\n"
				     "print(socket.gethostbyname('one.test'), flush=True)\n"
				     "pid = os.fork()\n"
				     "print(socket.gethostbyname('two.test'), flush=True)\n"
				     "if pid == 0: os._exit(0)\n"
				     "os.waitpid(pid, 0)\n"
				     "print(socket.gethostbyname('three.test'), flush=True)\n";
	struct lab_dns *dns = lab_dns_start_text(w, SERVER);

	shim_not_under(NULL, "python runs without one");
	dot_use(w, UPSTREAM);
	shim_says(NULL, SHIM_ARGV("python3", "-c", script),
		  ANSWER "\n" ANSWER "\n" ANSWER "\n" ANSWER "\n");
	lab_assert_int(dot_tls(dns).handshakes, 2);
	lab_assert_int(dot_tls(dns).failed, 0);
}

/* ---- many rounds ---- */

/* So many lookups of each kind, one connection or two for each; then one that works. */
static struct dot_said break_connections(struct dot_program *p, unsigned rounds)
{
	char zone[32];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(zone, sizeof zone, "r%u.test*%u", i, rounds);
		dot_ask(p, zone);
	}
	return dot_says(p, "www.test", ANSWER);
}

LabTest(dot_life, many_broken_connections_leave_nothing, .timeout_s = 300)
{
	enum { ROUNDS = 2500, ROOM = 65536 }; /* one connection more or less */
	struct lab_dns *dns = lab_dns_start_text(
		w, SERVER "\non *.r0.test * close-after\non *.r1.test * reset-after\n"
			  "on *.r2.test * close-half\non *.r3.test * close-length\n");
	struct dot_program p;
	struct dot_said first, last;

	dot_use(w, UPSTREAM);
	dot_deadline(DOT_DEADLINE_MS);
	p = dot_start(w);
	first = break_connections(&p, 100);
	last = break_connections(&p, ROUNDS);
	lab_assert_int(last.fds, first.fds);
	lab_assert(last.heap < first.heap + ROOM, "(%zu bytes, then %zu)", first.heap, last.heap);
	lab_assert(lab_dns_connections(dns) >= 2 * ROUNDS);
	dot_end(&p);
}

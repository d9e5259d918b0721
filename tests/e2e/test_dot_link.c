// SPDX-License-Identifier: MIT
/*
 * test_dot_link.c - DNS over TLS over links that lose packets, or lose them all for a while: nobody
 * says that the connection is gone.
 *
 * TTLs are 0: each lookup is a query.
 */
#include "tests/e2e/dot_run.h"
#include "tests/lab/forwarder.h"

#define ONE    LAB_FAR_V4(53)
#define TWO    LAB_FAR_V4(54)
#define ANSWER "192.0.2.1"
#define SERVER(address, answer)                                                                    \
	"side far\nlisten " address ":853 tls\nlisten " address ":53\nrr *.test 0 A " answer "\n"

static const struct lab_rule pass = {.delay_us = 1000};
static const struct lab_rule lose_one = {.match = {.remote = ONE}, .action = LAB_BLACKHOLE};

static struct lab_forwarder *start_link(struct lab_world *w, const struct lab_rule *rule)
{
	return lab_forwarder_start(w, &(struct lab_forwarder_opts){.rules = rule, .nrules = 1});
}

/* The connection is open, and then there is nobody at its other end. */
LabTest(dot_link, next_upstream_answers_when_the_first_falls_silent, .far = true)
{
	struct lab_forwarder *f = start_link(w, &pass);
	struct lab_dns *one = lab_dns_start_text(w, SERVER(ONE, ANSWER));
	struct dot_program p;

	lab_dns_start_text(w, SERVER(TWO, "192.0.2.2"));
	dot_use(w, "tls://" ONE "#dns.test tls://" TWO "#dns.test");
	dot_deadline(10000);
	p = dot_start(w);
	dot_says(&p, "www.test", ANSWER);
	lab_forwarder_rules(f, &lose_one, 1);
	lab_assert(dot_says(&p, "www.test", "192.0.2.2").ms < 2000 + DOT_SLACK_MS);
	/* and the next lookups do not wait for the first one again */
	for (unsigned i = 0; i < 5; i++)
		lab_assert(dot_says(&p, "www.test", "192.0.2.2").ms < DOT_SLACK_MS);
	lab_forwarder_rules(f, &pass, 1);
	for (unsigned i = 0; strcmp(dot_ask(&p, "www.test").what, ANSWER) != 0; i++) {
		lab_assert(i < 400, "(the first one is not used again within 20 s)");
		usleep(50000);
	}
	lab_assert_int(dot_queries(one, LAB_UDP) + dot_queries(one, LAB_TCP), 0);
	dot_end(&p);
}

/* TCP's own retransmission would be seconds away by then. */
LabTest(dot_link, only_upstream_is_used_within_two_seconds_of_the_links_return, .far = true)
{
	enum { AWAY_MS = 30000, RECOVERY_MS = 2000, DEADLINE_MS = 300 };
	struct lab_forwarder *f = start_link(w, &pass);
	unsigned long long back, end;
	struct dot_program p;
	unsigned fds;

	lab_dns_start_text(w, SERVER(ONE, ANSWER));
	dot_use(w, "tls://" ONE "#dns.test");
	dot_deadline(DEADLINE_MS);
	p = dot_start(w);
	fds = dot_says(&p, "www.test", ANSWER).fds;
	lab_forwarder_rules(f, &lose_one, 1);
	end = lab_now_ns() + AWAY_MS * 1000000ULL;
	while (lab_now_ns() < end) {
		dot_says(&p, "www.test", "EAI_AGAIN");
		usleep(50000);
	}
	lab_forwarder_rules(f, &pass, 1);
	back = lab_now_ns();
	while (strcmp(dot_ask(&p, "www.test").what, ANSWER) != 0)
		usleep(50000);
	lab_assert(lab_now_ns() - back < (RECOVERY_MS + DEADLINE_MS) * 1000000ULL, "(%llu ms)",
		   (lab_now_ns() - back) / 1000000);
	sleep(1);
	lab_assert(dot_says(&p, "www.test", ANSWER).fds <= fds + 1);
	dot_end(&p);
}

LabTest(dot_link, lost_packets_lose_no_lookup, .far = true)
{
	static const struct lab_rule lossy = {.delay_us = 5000, .loss_permille = 50};
	struct lab_dns *dns;
	struct dot_program p;

	start_link(w, &lossy);
	dns = lab_dns_start_text(w, SERVER(ONE, ANSWER));
	dot_use(w, "tls://" ONE "#dns.test");
	dot_deadline(10000);
	p = dot_start(w);
	for (unsigned i = 0; i < 100; i++)
		dot_says(&p, "www.test", ANSWER);
	lab_assert_int(dot_queries(dns, LAB_UDP) + dot_queries(dns, LAB_TCP), 0);
	dot_end(&p);
}

/* Twenty lookups a second, none of which is cached, while the line is slower than the patience with
 * a connection that fell silent. */
LabTest(dot_link, slow_line_keeps_its_connection, .far = true)
{
	static const struct lab_rule slow = {.delay_us = 300000};
	static const char script[] =
		"import socket, threading, time\n"
		"def look_up(i):\n"
		"    try:\n"
		"        socket.gethostbyname('n%d.test' % i)\n"
		"        known.append(i)\n"
		"    except OSError:\n"
		"        pass\n"
		"known, threads = [], []\n"
		"for i in range(200):\n"
		"    threads.append(threading.Thread(target=look_up, args=[i]))\n"
		"    threads[-1].start()\n"
		"    time.sleep(.05)\n"
		"for thread in threads:\n"
		"    thread.join()\n"
		"print('most' if len(known) > 120 else len(known))\n";
	struct lab_dns *dns;

	shim_not_under(NULL, "python runs without one");
	start_link(w, &slow);
	dns = lab_dns_start_text(w, SERVER(ONE, ANSWER));
	dot_use(w, "tls://" ONE "#dns.test");
	dot_deadline(1000);
	shim_says(NULL, SHIM_ARGV("/usr/bin/python3", "-c", script), "most\n");
	lab_assert(lab_dns_connections(dns) <= 2, "(%llu connections)",
		   (unsigned long long)lab_dns_connections(dns));
}

// SPDX-License-Identifier: MIT
/*
 * test_fault_deadline.c - no lookup outlives NOBLOCKDNS_DEADLINE_MS, whatever the upstream does and
 * whoever asks; what comes later is of use to the next.
 */
#include "tests/e2e/dot_run.h"
#include "tests/e2e/fault_run.h"

#define DEADLINE_MS 700
#define DEADLINE    "NOBLOCKDNS_DEADLINE_MS=700"
#define PATIENT	    "nameserver 127.0.0.1\n"

/* One lookup of www.test, which ends at the deadline and may be tried again. */
#define AT_DEADLINE(fault, server, words)                                                          \
	.row = 7, .what = fault, .script = server, .env = DEADLINE, .who = "1",                    \
	.client = words " www.test", .expected = "EAI_AGAIN after 700 ms", .again = 1,             \
	.waited = FAULT_ANY, .longest_ms = DEADLINE_MS, .least_ms = DEADLINE_MS

#define SILENT FAULT_OLD "on * * drop\n"

#define RUN(...) fault_run(w, &(const struct fault_case){__VA_ARGS__})

LabTest(fault_deadline, silent_server, .resolv_conf = PATIENT)
{
	RUN(AT_DEADLINE("deadline: nothing comes", SILENT, "-a gai"));
}

LabTest(fault_deadline, gethostbyname, .resolv_conf = PATIENT)
{
	RUN(AT_DEADLINE("deadline: gethostbyname_r()", SILENT, "-a host"));
}

LabTest(fault_deadline, getaddrinfo_a, .resolv_conf = PATIENT)
{
	RUN(AT_DEADLINE("deadline: getaddrinfo_a()", SILENT, "-a async"));
}

LabTest(fault_deadline, slow_tcp, .resolv_conf = PATIENT)
{
	RUN(AT_DEADLINE("deadline: TCP, one byte a second",
			FAULT_OLD "on * * udp truncate\non * * tcp drip 1000\n", ""));
}

LabTest(fault_deadline, tcp_that_stays_open, .resolv_conf = PATIENT)
{
	RUN(AT_DEADLINE("deadline: TCP, nothing comes",
			FAULT_OLD "on * * udp truncate\non * * tcp drop\n", ""));
}

/* Each candidate of the search list is a question of its own. */
LabTest(fault_deadline, search_list,
	.resolv_conf = PATIENT "search a.test b.test c.test\noptions ndots:3\n")
{
	RUN(AT_DEADLINE("deadline: four names of a search list",
			FAULT_OLD "on * * delay 200\non * * nxdomain\non www.test * drop\n", ""));
}

LabTest(fault_deadline, three_servers,
	.resolv_conf = "nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3\n")
{
	RUN(AT_DEADLINE("deadline: three silent servers",
			"listen 127.0.0.2:53\nlisten 127.0.0.3:53\n" SILENT, ""));
}

static void tls(struct lab_world *w, const char *what, const char *listen)
{
	dot_use(w, "tls://127.0.0.1#dns.test");
	RUN(.row = 7, .what = what, .script = listen, .env = DEADLINE, .who = "1",
	    .client = "www.test", .expected = "EAI_AGAIN after 700 ms", .again = 1,
	    .waited = FAULT_ANY, .longest_ms = DEADLINE_MS, .least_ms = DEADLINE_MS);
}

LabTest(fault_deadline, tls_that_says_nothing)
{
	tls(w, "deadline: TLS, nothing comes", "listen 127.0.0.1:853 tls silent\n");
}

LabTest(fault_deadline, tls_handshake_that_hangs)
{
	tls(w, "deadline: TLS, one byte a second", "listen 127.0.0.1:853 tls drip 1000\n");
}

/* Nobody answers, and who asks is killed, one after the other: nobody begins anew. */
LabTest(fault_deadline, dying_holders, .resolv_conf = PATIENT)
{
	RUN(.row = 7, .what = "deadline: holders killed every 500 ms", .script = SILENT,
	    .env = "NOBLOCKDNS_DEADLINE_MS=2200", .who = "5 x 1", .client = "-d -p 5 www.test",
	    .expected = "EAI_AGAIN after 2200 ms", .again = 1, .waited = FAULT_ANY,
	    .longest_ms = 2200, .least_ms = 2200);
}

LabTest(fault_deadline, stale_answer_at_the_deadline, .resolv_conf = PATIENT)
{
	setenv("NOBLOCKDNS_STALE_AFTER_MS", "9000", 1);
	RUN(.row = 7, .what = "deadline: nothing comes, stale answer", .fill = "www.test",
	    .script = SILENT, .env = DEADLINE, .who = "1", .client = "www.test",
	    .expected = "an answer after 700 ms", .waited = FAULT_ANY, .longest_ms = DEADLINE_MS,
	    .least_ms = DEADLINE_MS);
}

/* The second lookup comes two seconds later. */
#define AGAIN(fault, rules)                                                                        \
	.row = 7, .what = fault,                                                                   \
	.script = FAULT_OLD "rr www.test 300 A 192.0.2.1\n"                                        \
			    "rr www.test 300 AAAA 2001:db8::1\n" rules,                            \
	.env = DEADLINE, .who = "2", .expected = "EAI_AGAIN, then a hit", .again = 1, .waited = 1, \
	.longest_ms = DEADLINE_MS, .least_ms = DEADLINE_MS, .name = "www.test"

LabTest(fault_deadline, late_answer_is_of_use, .resolv_conf = PATIENT)
{
	RUN(AGAIN("late: answer after 1500 ms", "on * * delay 1500\n"),
	    .client = "-t 2 -w 2000000 www.test", .asked = 2, .least_asked = 1);
}

/* The question is put again after a second, which is after the deadline. */
LabTest(fault_deadline, answer_to_a_later_packet_is_of_use, .resolv_conf = PATIENT)
{
	RUN(AGAIN("late: first packet lost", "on www.test A first 1 drop\n"
					     "on www.test AAAA first 1 drop\n"),
	    .client = "-t 2 -w 2000000 www.test", .asked = 2, .least_asked = 2);
}

LabTest(fault_deadline, late_answer_to_getaddrinfo_a_is_of_use, .resolv_conf = PATIENT)
{
	RUN(AGAIN("late: getaddrinfo_a()", "on * * delay 1500\n"),
	    .client = "-a async -t 2 -w 2000000 www.test", .asked = 2, .least_asked = 1);
}

/* Who tries again before it has come fails at once: that is remembered (RFC 9520). */
LabTest(fault_deadline, failure_is_remembered_while_the_question_goes_on, .resolv_conf = PATIENT)
{
	RUN(.row = 7, .what = "late: tried again at once",
	    .script = FAULT_OLD "on * * delay 1500\n", .env = DEADLINE, .who = "4",
	    .client = "-t 4 -w 100000 www.test", .expected = "EAI_AGAIN, the first waits",
	    .again = 4, .waited = 1, .longest_ms = DEADLINE_MS, .least_ms = DEADLINE_MS,
	    .name = "www.test", .asked = 2, .least_asked = 1);
}

/* A job that is overdue is not joined: its packets have all been lost. */
LabTest(fault_deadline, later_lookup_asks_anew, .resolv_conf = PATIENT)
{
	RUN(AGAIN("late: lost, and asked anew", "on www.test A first 2 drop\n"
						"on www.test AAAA first 2 drop\n"),
	    .client = "-t 2 -w 1800000 www.test", .asked = 4, .least_asked = 3);
}

/* Nobody would find the answer: the second packet is not sent, which is due after a second at most.
 */
LabTest(fault_deadline, question_without_a_cache_ends_with_its_asker, .resolv_conf = PATIENT)
{
	setenv("NOBLOCKDNS_CACHE", "off", 1);
	RUN(.row = 7, .what = "late: no cache", .script = SILENT,
	    .env = "NOBLOCKDNS_DEADLINE_MS=200", .who = "1", .client = "-w 2000000 www.test",
	    .expected = "asked once", .again = 1, .waited = 1, .longest_ms = 200, .least_ms = 200,
	    .name = "www.test", .asked = 1, .least_asked = 1);
}

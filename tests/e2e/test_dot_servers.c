// SPDX-License-Identifier: MIT
/*
 * test_dot_servers.c - ordinary programs over TLS to the servers that real networks run, on the far
 * side of a link that is captured whole: nothing leaves in clear text, and a lookup takes no more
 * round trips than it has to.
 */
#include "tests/e2e/dot_run.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/servers.h"

#define SERVER	   LAB_FAR_V4(53)
#define BACKEND	   LAB_FAR_V4(54)
#define DOT_PORT   853
#define WWW_LABELS "\3www\4zone\4test" /* as a packet holds the name */

static const char *capture_path(struct lab_world *w)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/link.pcap", lab_world_dir(w));
	return path;
}

/* The link to the far side, with a round trip of that, and a server there. */
static void start_far(struct lab_world *w, enum lab_server_kind kind, uint32_t round_trip_ms)
{
	static const char *const backends[] = {BACKEND ":53", NULL};
	const struct lab_rule rule = {.delay_us = round_trip_ms * 500};
	const struct lab_zone zones[] = {
		{"zone.test",
		 "zone.test. 300 IN SOA ns.zone.test. root.zone.test. 1 3600 600 86400 60\n"
		 "zone.test. 300 IN NS ns.zone.test.\n"
		 "*.zone.test. 300 IN A 192.0.2.1\n"
		 "*.zone.test. 300 IN AAAA 2001:db8::1\n"},
		{NULL, NULL}};

	lab_forwarder_start(w, &(struct lab_forwarder_opts){
				       .rules = &rule, .nrules = 1, .capture = capture_path(w)});
	lab_server_start(
		w, &(struct lab_server_opts){
			   .kind = LAB_NSD, .side = LAB_FAR, .listen = BACKEND, .zones = zones});
	lab_server_start(w, &(struct lab_server_opts){.kind = kind,
						      .side = LAB_FAR,
						      .listen = SERVER,
						      .tls_port = DOT_PORT,
						      .upstreams = backends,
						      .ready_name = "zone.test"});
	dot_use(w, "tls://" SERVER "#dns.test");
}

static long clear_text_queries(struct lab_world *w)
{
	return lab_capture_search(capture_path(w), WWW_LABELS, sizeof WWW_LABELS - 1);
}

static void programs_leak_nothing(struct lab_world *w, enum lab_server_kind kind)
{
	static const char script[] = "import socket\n"
				     "for host in ('www.zone.test', 'ftp.zone.test'):\n"
				     "  print(socket.gethostbyname(host))\n";

	start_far(w, kind, 0);
	shim_run(NULL, SHIM_ARGV("getent", "ahostsv4", "www.zone.test"));
	lab_assert(strstr(shim_got.out, "192.0.2.1") != NULL, "(%s%s)", shim_got.out, shim_got.err);
	shim_run(NULL, SHIM_ARGV("python3", "-c", script));
	lab_assert_str(shim_got.out, "192.0.2.1\n192.0.2.1\n");
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "mail.zone.test"),
		  "mail.zone.test: 192.0.2.1\n");
	lab_assert(lab_capture_count(capture_path(w), &(struct lab_match){.port = DOT_PORT}) > 0);
	lab_assert_int(lab_capture_count(capture_path(w), &(struct lab_match){.port = 53}), 0);
	lab_assert_int(
		lab_capture_count(capture_path(w), &(struct lab_match){.protocol = IPPROTO_UDP}),
		0);
	lab_assert_int(clear_text_queries(w), 0);
	/* the same in clear text is seen */
	shim_run(SHIM_ENV("NOBLOCKDNS_UPSTREAM=udp://" SERVER),
		 SHIM_ARGV("clients/lookup", "www.zone.test"));
	lab_assert(clear_text_queries(w) > 0);
}

#define DotServerTest(name, ...)                                                                   \
	LabTest(dot_servers, name, .far = true, .resolv_conf = "nameserver " SERVER "\n")

DotServerTest(unbound_is_asked_in_private)
{
	programs_leak_nothing(w, LAB_UNBOUND);
}

DotServerTest(dnsdist_is_asked_in_private)
{
	programs_leak_nothing(w, LAB_DNSDIST);
}

DotServerTest(kresd_is_asked_in_private)
{
	programs_leak_nothing(w, LAB_KRESD);
}

/* ---- round trips ---- */

static const struct lab_match to_server = {.port = DOT_PORT};
static const struct lab_match from_server = {.port = DOT_PORT, .direction = LAB_IN};

/*
 * TCP's handshake, TLS 1.3's and the query: three. One process has no ticket, the next one has; the
 * server's certificate and its signature are what makes the difference in size.
 */
static void takes_few_round_trips(struct lab_world *w, enum lab_server_kind kind)
{
	long full, full_octets, resumed, resumed_octets;

	start_far(w, kind, 20);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "a.zone.test"),
		  "a.zone.test: 192.0.2.1\n");
	full = lab_capture_flights(capture_path(w), &to_server);
	full_octets = lab_capture_octets(capture_path(w), &from_server);
	lab_assert_int(full, 3);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "-4", "b.zone.test"),
		  "b.zone.test: 192.0.2.1\n");
	resumed = lab_capture_flights(capture_path(w), &to_server) - full;
	resumed_octets = lab_capture_octets(capture_path(w), &from_server) - full_octets;
	lab_assert_int(resumed, 3);
	lab_assert(resumed_octets + 400 < full_octets, "(%ld octets, then %ld)", full_octets,
		   resumed_octets);
}

DotServerTest(first_lookup_at_unbound_takes_three_round_trips)
{
	takes_few_round_trips(w, LAB_UNBOUND);
}

DotServerTest(first_lookup_at_dnsdist_takes_three_round_trips)
{
	takes_few_round_trips(w, LAB_DNSDIST);
}

DotServerTest(first_lookup_at_kresd_takes_three_round_trips)
{
	takes_few_round_trips(w, LAB_KRESD);
}

DotServerTest(later_lookups_take_one_round_trip_each)
{
	struct dot_program p;
	long before;

	start_far(w, LAB_UNBOUND, 20);
	p = dot_start(w);
	dot_says(&p, "first.zone.test", "192.0.2.1");
	before = lab_capture_flights(capture_path(w), &to_server);
	dot_says(&p, "second.zone.test", "192.0.2.1");
	dot_says(&p, "third.zone.test", "192.0.2.1");
	lab_assert_int(lab_capture_flights(capture_path(w), &to_server) - before, 2);
	dot_end(&p);
}

/* ---- servers that wait for our acknowledgement ---- */

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Looks new names up, A and AAAA, one after the other, in one process: the median of their times.
 */
static double median_ms(void)
{
	enum { LOOKUPS = 21 };
	const char *argv[LOOKUPS + 3] = {"clients/lookup", "-v"};
	char names[LOOKUPS][32];
	double ms[LOOKUPS];
	const char *line;

	for (unsigned i = 0; i < LOOKUPS; i++) {
		snprintf(names[i], sizeof names[i], "n%u.dot.test", i);
		argv[i + 2] = names[i];
	}
	shim_run(NULL, argv);
	line = shim_got.out;
	for (unsigned i = 0; i < LOOKUPS; i++) {
		lab_assert(sscanf(line, "%*s 2001:db8::80 192.0.2.80 %lf", &ms[i]) == 1, "(%s)",
			   line);
		line += strcspn(line, "\n") + 1;
	}
	qsort(ms, LOOKUPS, sizeof *ms, compare);
	return ms[LOOKUPS / 2];
}

/*
 * Unbound keeps back the answer for AAAA until the one for A is acknowledged, which the kernel
 * likes to do 40 ms later.
 */
LabTest(dot_servers, answers_are_acknowledged_at_once)
{
	double ms;

	lab_server_start_wild(w, LAB_UNBOUND, LAB_NEAR, "127.0.0.1");
	dot_use(w, "tls://127.0.0.1#dns.test");
	ms = median_ms();
	lab_assert(ms < 30, "(median %.1f ms)", ms);
}

/* Over a long link the acknowledgement itself would cost a round trip. */
DotServerTest(pair_of_answers_takes_one_round_trip)
{
	const struct lab_rule rule = {.delay_us = 20000};
	double ms;

	lab_forwarder_start(w, &(struct lab_forwarder_opts){.rules = &rule, .nrules = 1});
	lab_server_start_wild(w, LAB_UNBOUND, LAB_FAR, SERVER);
	dot_use(w, "tls://" SERVER "#dns.test");
	ms = median_ms();
	lab_assert(ms >= 40 && ms < 75, "(median %.1f ms)", ms);
}

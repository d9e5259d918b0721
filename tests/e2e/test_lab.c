// SPDX-License-Identifier: MIT
/*
 * test_lab.c - does the lab do what it promises? Every other end-to-end test stands on it.
 */
#include "tests/lab/dnsquery.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"
#include "tests/lab/servers.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVER "127.0.0.1:53"

static struct lab_dns_reply ask(const char *name, uint16_t type, enum lab_dns_transport transport)
{
	const struct lab_dns_question q = {
		.server = SERVER, .name = name, .type = type, .transport = transport};
	struct lab_dns_reply reply;
	int rc = lab_dns_ask(&q, &reply);

	lab_assert(rc == 0, "(%s: %s)", name, strerror(-rc));
	return reply;
}

LabTest(lab, script_answers)
{
	struct lab_dns_reply r;

	lab_dns_start_text(w, "listen " SERVER "\nrr www.test 300 A 192.0.2.1\n");
	r = ask("WWW.test", LAB_A, LAB_UDP);
	lab_assert(r.parsed);
	lab_assert_str(r.question, "WWW.test");
	lab_assert_str(r.answers[0].data, "192.0.2.1");
}

static void start_real(struct lab_world *w, enum lab_server_kind kind)
{
	static const struct lab_zone zones[] = {
		{"real.test", "real.test. 300 IN SOA ns.real.test. root.real.test. 1 2 3 4 5\n"
			      "real.test. 300 IN NS ns.real.test.\n"
			      "ns.real.test. 300 IN A 127.0.0.1\n"
			      "www.real.test. 300 IN A 192.0.2.3\n"},
		{NULL, NULL}};
	static const char *const upstreams[] = {"127.0.0.2:53", NULL};
	struct lab_server_opts opts = {.kind = kind, .zones = zones};
	struct lab_server *server;
	struct lab_dns_reply r;

	if (kind == LAB_DNSDIST) {
		lab_dns_start_text(w, "listen 127.0.0.2:53\nrr www.real.test 300 A 192.0.2.3\n");
		opts.zones = NULL;
		opts.upstreams = upstreams;
	}
	server = lab_server_start(w, &opts);
	r = ask("www.real.test", LAB_A, LAB_UDP);
	lab_assert_str(r.answers[0].data, "192.0.2.3");
	lab_server_stop(server);
}

LabTest(lab, unbound_answers)
{
	start_real(w, LAB_UNBOUND);
}

LabTest(lab, nsd_answers)
{
	start_real(w, LAB_NSD);
}

LabTest(lab, dnsdist_answers)
{
	start_real(w, LAB_DNSDIST);
}

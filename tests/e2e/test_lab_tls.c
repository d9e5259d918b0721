// SPDX-License-Identifier: MIT
/*
 * test_lab_tls.c - each behaviour of the scripted server over TLS, seen from kdig and openssl.
 */
#include "tests/lab/dnsquery.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"
#include "tests/lab/servers.h"
#include "tests/lab/testca.h"

#include <stdio.h>
#include <string.h>

#define HOST "+tls-hostname=dns.test"
#define BASE "rr www.test 300 A 192.0.2.1\nlisten 127.0.0.1:853 tls\n"

static struct lab_proc_result got;

static const char *ca_file(struct lab_world *w)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/ca.pem", lab_world_dir(w));
	lab_ca_write(path);
	return path;
}

/* Asks by kdig, which believes the lab's authority alone. `more` are its options. */
static void ask(struct lab_world *w, const char *at, const char *const *more)
{
	const char *argv[16] = {"kdig", "+time=2", "+retry=0", "+short"};
	unsigned n = 4;
	char ca[160];

	snprintf(ca, sizeof ca, "+tls-ca=%s", ca_file(w));
	argv[n++] = ca;
	argv[n++] = at;
	while (*more != NULL)
		argv[n++] = *more++;
	argv[n++] = "www.test";
	lab_proc_run(w, &(struct lab_proc_opts){.argv = argv}, &got);
}

#define ASK(at, ...) ask(w, at, (const char *const[]){__VA_ARGS__, NULL})

static struct lab_dns_tls tls_of(const struct lab_dns *dns)
{
	struct lab_dns_tls tls;

	lab_dns_tls(dns, &tls);
	return tls;
}

static uint64_t queries(const struct lab_dns *dns)
{
	return lab_dns_count(dns, NULL, LAB_ANY_TYPE, LAB_ANY_TRANSPORT);
}

LabTest(lab_tls, good_certificate_is_for_name_and_address)
{
	struct lab_dns *dns = lab_dns_start_text(w, BASE);

	ASK("@127.0.0.1", HOST);
	lab_assert_str(got.out, "192.0.2.1\n");
	ASK("@127.0.0.1", "+tls-hostname=127.0.0.1");
	lab_assert_str(got.out, "192.0.2.1\n");
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_A, LAB_TLS), 2);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_A, LAB_TCP), 0);
	lab_assert_int(lab_dns_connections(dns), 2);
	lab_assert_int(tls_of(dns).handshakes, 2);
	ASK("@127.0.0.1", "+tls-hostname=else.test");
	lab_assert_int(queries(dns), 2);
	lab_assert_int(tls_of(dns).handshakes, 2);
}

static void refused(struct lab_world *w, const char *kind)
{
	struct lab_dns *dns = lab_dns_startf(w, "listen 127.0.0.1:853 tls cert %s\n", kind);

	ASK("@127.0.0.1", HOST);
	lab_assert(strstr(got.err, "handshake failed") != NULL, "(%s: %s)", kind, got.err);
	lab_assert_int(queries(dns), 0);
	lab_assert_int(tls_of(dns).hellos, 1);
	lab_assert_int(tls_of(dns).handshakes, 0);
	lab_dns_free(dns);
}

LabTest(lab_tls, bad_certificates_are_bad)
{
	/* kdig's library still takes the subject's CN where there is no subjectAltName. */
	for (unsigned i = LAB_CERT_GOOD + 1; i < LAB_CERT_CN_ONLY; i++)
		refused(w, lab_cert_to_str((enum lab_cert)i));
}

LabTest(lab_tls, server_name_and_options_are_seen)
{
	struct lab_dns *dns = lab_dns_start_text(w, BASE);
	struct lab_dns_query query;

	ASK("@127.0.0.1", HOST, "+alignment=128", "+tls-sni=seen.test");
	lab_assert_str(tls_of(dns).sni, "seen.test");
	lab_assert(lab_dns_query_at(dns, 0, &query));
	lab_assert_int(query.transport, LAB_TLS);
	lab_assert_int(query.options, LAB_OPTION_PADDING);
	lab_assert_int(query.size % 128, 0);
	ASK("@127.0.0.1", "+tls-hostname=127.0.0.1", "+noalignment", "+nopadding",
	    "+subnet=192.0.2.0/24", "+ednsopt=11");
	lab_assert(lab_dns_query_at(dns, 1, &query));
	lab_assert_int(query.options, LAB_OPTION_CLIENT_SUBNET | LAB_OPTION_KEEPALIVE);
}

static const char *session(struct lab_world *w, const char *option)
{
	char command[512];

	snprintf(command, sizeof command,
		 "sleep 0.3 | openssl s_client -connect 127.0.0.1:853 -CAfile %s %s/session 2>&1 |"
		 " grep -o -e '^New, TLSv...' -e '^Reused, TLSv...' -e 'Ticket arrived'",
		 ca_file(w), option);
	lab_proc_run(
		w,
		&(struct lab_proc_opts){.argv = (const char *const[]){"sh", "-c", command, NULL}},
		&got);
	return got.out;
}

LabTest(lab_tls, tickets_resume_and_are_counted)
{
	struct lab_dns *dns = lab_dns_start_text(w, "listen 127.0.0.1:853 tls tickets 1\n");
	char in[160], out[160];

	snprintf(in, sizeof in, "-sess_in %s", lab_world_dir(w));
	snprintf(out, sizeof out, "-sess_out %s", lab_world_dir(w));
	lab_assert_str(session(w, out), "New, TLSv1.3\nTicket arrived\n");
	lab_assert_int(tls_of(dns).resumed, 0);
	session(w, in);
	lab_assert(strstr(got.out, "Reused, TLSv1.3") != NULL, "(%s)", got.err);
	lab_assert_int(tls_of(dns).resumed, 1);
	lab_assert_int(tls_of(dns).repeated, 0);
	session(w, in);
	lab_assert_int(tls_of(dns).handshakes, 3);
	lab_assert_int(tls_of(dns).repeated, 1);
}

LabTest(lab_tls, version_is_the_one_asked_for)
{
	char out[160];

	lab_dns_start_text(w, "listen 127.0.0.1:853 tls version 1.2 tickets 0\n");
	snprintf(out, sizeof out, "-sess_out %s", lab_world_dir(w));
	lab_assert_str(session(w, out), "New, TLSv1.2\n");
}

LabTest(lab_tls, faults_before_the_handshake_end_it)
{
	static const char *const faults[] = {"silent", "hangup", "plain"};

	for (unsigned i = 0; i < 3; i++) {
		struct lab_dns *dns = lab_dns_startf(w, "listen 127.0.0.1:853 tls %s\n", faults[i]);

		ASK("@127.0.0.1", HOST, "+time=1");
		lab_assert(strstr(got.err, "WARNING: TLS") != NULL, "(%s)", got.err);
		lab_assert_int(lab_dns_connections(dns), 1);
		lab_assert_int(tls_of(dns).hellos, 0);
		lab_dns_free(dns);
	}
}

LabTest(lab_tls, faults_after_the_query_spoil_the_answer)
{
	static const char *const faults[] = {"close", "reset", "close-length", "close-half"};

	for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		struct lab_dns *dns = lab_dns_startf(w, BASE "on * * tls %s\n", faults[i]);

		ASK("@127.0.0.1", HOST);
		lab_assert(strstr(got.err, "can't receive reply") != NULL, "(%s: %s)", faults[i],
			   got.err);
		lab_assert_int(queries(dns), 1);
		lab_dns_free(dns);
	}
}

LabTest(lab_tls, answer_drips)
{
	unsigned long long start = lab_now_ns();

	lab_dns_start_text(w, BASE "on * * tls drip 5\n");
	ASK("@127.0.0.1", HOST);
	lab_assert_str(got.out, "192.0.2.1\n");
	/* length, header, question, one record and OPT: 55 octets, and TLS adds some */
	lab_assert(lab_now_ns() - start >= 54 * 5000000ULL);
}

LabTest(lab_tls, connection_ends_after_so_many_answers)
{
	lab_dns_start_text(w, "rr www.test 300 A 192.0.2.1\nlisten 127.0.0.1:853 tls answers 2\n");

	ASK("@127.0.0.1", HOST, "+keepopen", "www.test", "www.test");
	lab_assert_str(got.out, "192.0.2.1\n192.0.2.1\n");
}

LabTest(lab_tls, reset_comes_after_the_answer)
{
	struct lab_dns_reply reply;
	const struct lab_dns_question question = {
		.server = "127.0.0.1:53", .name = "www.test", .type = LAB_A, .transport = LAB_TCP};

	lab_dns_start_text(w, "rr www.test 300 A 192.0.2.1\nlisten 127.0.0.1:53\n"
			      "on * * tcp reset-after\n");
	lab_assert_int(lab_dns_ask(&question, &reply), 0);
	lab_assert_int(reply.nanswers, 1);
}

LabTest(lab_tls, vanished_server_returns)
{
	struct lab_dns *dns = lab_dns_start_text(w, BASE "listen 127.0.0.1:53\n");

	lab_dns_vanish(dns);
	ASK("@127.0.0.1", HOST);
	lab_assert(strstr(got.err, "can't connect") != NULL, "(%s)", got.err);
	lab_dns_return(dns);
	ASK("@127.0.0.1", HOST);
	lab_assert_str(got.out, "192.0.2.1\n");
	ASK("@127.0.0.1", "+notls");
	lab_assert_str(got.out, "192.0.2.1\n");
}

/* ---- real servers ---- */

static const char *const scripted[] = {"127.0.0.9:53", NULL};

static void serves_over_tls(struct lab_world *w, enum lab_server_kind kind)
{
	const struct lab_server_opts opts = {
		.kind = kind, .tls_port = 853, .upstreams = scripted, .ready_name = "www.test"};

	lab_dns_start_text(w, "listen 127.0.0.9:53\nrr www.test 300 A 192.0.2.1\n");
	lab_server_start(w, &opts);
	ASK("@127.0.0.1", HOST);
	lab_assert_str(got.out, "192.0.2.1\n");
	ASK("@127.0.0.1", "+tls-hostname=127.0.0.1");
	lab_assert_str(got.out, "192.0.2.1\n");
	ASK("@127.0.0.1", "+tls-hostname=else.test");
	lab_assert_str(got.out, "");
}

LabTest(lab_tls, unbound_serves)
{
	serves_over_tls(w, LAB_UNBOUND);
}

LabTest(lab_tls, dnsdist_serves)
{
	serves_over_tls(w, LAB_DNSDIST);
}

LabTest(lab_tls, kresd_serves)
{
	serves_over_tls(w, LAB_KRESD);
}

// SPDX-License-Identifier: MIT
/*
 * dnsscript - runs one scripted DNS server in the foreground, where it is started: no namespace is
 * made.
 */
#include "tests/lab/dnsscript.h"
#include "tests/lab/dnscount.h"
#include "tests/lab/dnsserver.h"
#include "tests/lab/testca.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: dnsscript [--log] [--ca CAFILE] FILE\n"
	"Answers DNS queries over UDP, TCP and TLS as FILE says, until it is killed. Prints\n"
	"`ready` when all sockets are bound. --log prints each query; --ca writes the\n"
	"certificate of the authority, a new one each time, that has signed the server's.\n"
	"FILE has one statement a line, `#` comments:\n"
	"  listen 127.0.0.1:53          one address; [::1]:53 for IPv6\n"
	"  listen 127.0.0.1:853 tls     over TLS; then: cert KIND, names A,B, version 1.2,\n"
	"                               tickets N, delay MS, drip MS, answers N, silent,\n"
	"                               hangup, leave, plain\n"
	"  rr OWNER TTL TYPE DATA       A, AAAA (ADDR*N: N addresses), CNAME, NS, PTR, TXT,\n"
	"                               SOA (its MINIMUM), TYPEn (hexadecimal); *.x is a wildcard\n"
	"  on NAME TYPE [udp|tcp|tls] [after N] [first N] ACTION\n"
	"                               NAME and TYPE may be *; NAME may be *.x\n"
	"  seed N                       of what is random\n"
	"Actions, N a number:\n";

static void say_ready(void *arg)
{
	(void)arg;
	puts("ready");
	fflush(stdout);
}

static void print_usage(void)
{
	fputs(usage, stdout);
	for (int i = 0; i < LAB_DNS_ACTIONS; i++)
		printf("  %s\n", lab_dns_action_to_str((enum lab_dns_action)i));
	puts("  formerr servfail nxdomain notimp refused noerror");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"log", no_argument, NULL, 'l'},
						{"ca", required_argument, NULL, 'c'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	bool log = false;
	const char *path;
	struct lab_dns_script *script;
	struct dns_counts *counts = dns_counts_new();
	const size_t limit = 16 << 20;
	char *text = malloc(limit);
	char error[256] = "no memory";
	ssize_t n;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			print_usage();
			return 0;
		}
		if (option == '?')
			return 2;
		if (option == 'c')
			lab_ca_write(optarg);
		else
			log = true;
	}
	if (argc - optind != 1 || !text || !counts) {
		fputs("usage: dnsscript [--log] [--ca CAFILE] FILE\n", stderr);
		return 2;
	}
	path = argv[optind];
	n = lab_file_read(path, text, limit);
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror((int)-n));
		return 1;
	}
	if (lab_dns_script_parse(text, error, sizeof(error), &script)) {
		fprintf(stderr, "%s: %s\n", path, error);
		return 1;
	}
	script->log = log ? stdout : NULL;
	dns_server_run(script, counts, say_ready, NULL);
}

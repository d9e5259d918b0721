// SPDX-License-Identifier: MIT
/*
 * dnsscript - runs one scripted DNS server in the foreground, where it is started: no namespace is
 * made.
 */
#include "tests/lab/dnsscript.h"
#include "tests/lab/dnscount.h"
#include "tests/lab/dnsserver.h"

#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: dnsscript [--log] FILE\n"
	"Answers DNS queries over UDP and TCP as FILE says, until it is killed. Prints `ready` "
	"when all\n"
	"sockets are bound. --log prints each query. FILE has one statement a line, `#` comments:\n"
	"  listen 127.0.0.1:53          one address; [::1]:53 for IPv6\n"
	"  rr OWNER TTL TYPE DATA       A, AAAA (ADDR*N: N addresses), CNAME, NS, PTR, TXT,\n"
	"                               SOA (its MINIMUM), TYPEn (hexadecimal); *.x is a wildcard\n"
	"  on NAME TYPE [udp|tcp] [after N] [first N] ACTION\n"
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
	bool log = argc > 1 && strcmp(argv[1], "--log") == 0;
	const char *path = argv[argc > 1 ? argc - 1 : 0];
	struct lab_dns_script *script;
	struct dns_counts *counts = dns_counts_new();
	const size_t limit = 16 << 20;
	char *text = malloc(limit);
	char error[256] = "no memory";
	ssize_t n;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_usage();
		return 0;
	}
	if (argc != 2 + log || !text || !counts) {
		fputs("usage: dnsscript [--log] FILE\n", stderr);
		return 2;
	}
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

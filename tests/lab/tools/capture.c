// SPDX-License-Identifier: MIT
/*
 * capture - counts what is in a capture of the forwarder's.
 */
#include "tests/lab/forwarder.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: capture FILE packets|octets|flights [MATCH]...\n"
	"Prints how many packets match, how many octets of TCP they carry, or how many round "
	"trips\n"
	"they took: how often the near side spoke anew over TCP. MATCH is as in the forwarder's "
	"rules:\n"
	"  [out|in] [ipv4|ipv6] [tcp|udp|icmp] [syn] [to ADDR[/LEN]] [port N]\n";

int main(int argc, char **argv)
{
	struct lab_rule rule = {0};
	char line[512] = "", error[128];
	size_t used = 0;
	long n;

	if (argc < 3) {
		fputs(usage, stderr);
		return 2;
	}
	for (int i = 3; i < argc && used < sizeof(line); i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s ", argv[i]);
	if (*line && lab_rule_parse(line, error, sizeof(error), &rule)) {
		fprintf(stderr, "%s: %s\n", line, error);
		return 2;
	}
	if (strcmp(argv[2], "packets") == 0)
		n = lab_capture_count(argv[1], &rule.match);
	else if (strcmp(argv[2], "octets") == 0)
		n = lab_capture_octets(argv[1], &rule.match);
	else
		n = lab_capture_flights(argv[1], &rule.match);
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror((int)-n));
		return 1;
	}
	printf("%ld\n", n);
	return 0;
}

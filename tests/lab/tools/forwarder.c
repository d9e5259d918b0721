// SPDX-License-Identifier: MIT
/*
 * forwarder - carries packets between two network namespaces that exist already, by rules.
 */
#include "tests/lab/forwarder.h"
#include "tests/lab/world.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: forwarder [--capture FILE] [--seed N] NEAR FAR RULES\n"
	"Makes a TUN device lab0 in the network namespaces NEAR and FAR (paths like /run/netns/x "
	"or\n"
	"/proc/PID/ns/net), gives them addresses and routes, and carries packets between them. "
	"RULES\n"
	"is a file; the first rule that matches decides, and what none matches passes at once:\n"
	"  [out|in] [ipv4|ipv6] [tcp|udp|icmp] [syn] [to ADDR[/LEN]] [port N]\n"
	"      [delay MS] [jitter MS] [loss PERMILLE] [reorder PERMILLE] [first N]\n"
	"      [pass|drop|refuse|unreachable]\n"
	"`out` is from NEAR to FAR; ADDR and N are the far ones in both directions. SIGHUP reads "
	"RULES\n"
	"again; SIGTERM or SIGINT ends, and prints how many packets each rule took and dropped.\n"
	"Near: " LAB_NEAR_V4 ", " LAB_NEAR_V6 ". Far: " LAB_FAR_GW_V4 ", " LAB_FAR_GW_V6 ",\n"
	"and every address of " LAB_FAR_NET_V4 " and " LAB_FAR_NET_V6 ".\n";

static unsigned read_rules(const char *path, struct lab_rule rules[LAB_MAX_RULES])
{
	FILE *f = fopen(path, "re");
	char line[512];
	unsigned n = 0;

	if (!f)
		lab_fail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char error[128];

		line[strcspn(line, "#\n")] = '\0';
		if (!line[strspn(line, " \t")])
			continue;
		if (n == LAB_MAX_RULES)
			lab_fail("%s: more than %d rules", path, LAB_MAX_RULES);
		if (lab_rule_parse(line, error, sizeof(error), &rules[n++]))
			lab_fail("%s: `%s`: %s", path, line, error);
	}
	fclose(f);
	return n;
}

static void print_counts(const struct lab_forwarder *f, unsigned nrules)
{
	for (unsigned i = 0; i < nrules; i++)
		printf("rule %u: %llu packets, %llu dropped\n", i + 1,
		       (unsigned long long)lab_forwarder_packets(f, i),
		       (unsigned long long)lab_forwarder_dropped(f, i));
	printf("no rule: %llu packets\n",
	       (unsigned long long)lab_forwarder_packets(f, LAB_MAX_RULES));
}

static int open_namespace(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		lab_fail("%s: %s", path, strerror(errno));
	return fd;
}

static void serve(struct lab_world *w, struct lab_forwarder_opts *opts, const char *path)
{
	static struct lab_rule rules[LAB_MAX_RULES];
	struct lab_forwarder *f;
	sigset_t signals;
	int sig;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	opts->rules = rules;
	opts->nrules = read_rules(path, rules);
	lab_far_prefixes(w);
	f = lab_forwarder_start(w, opts);
	puts("ready");
	fflush(stdout);
	while (sigwait(&signals, &sig) == 0 && sig == SIGHUP) {
		opts->nrules = read_rules(path, rules);
		lab_forwarder_rules(f, rules, opts->nrules);
	}
	print_counts(f, opts->nrules);
	lab_forwarder_stop(f);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"capture", required_argument, NULL, 'c'},
						{"seed", required_argument, NULL, 's'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	struct lab_forwarder_opts opts = {0};
	struct lab_world w = {0};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option == '?')
			return 2;
		if (option == 'c')
			opts.capture = optarg;
		else
			opts.seed = strtoull(optarg, NULL, 0);
	}
	if (argc - optind != 3) {
		fputs(usage, stderr);
		return 2;
	}
	w.ns[LAB_NEAR] = open_namespace(argv[optind]);
	w.ns[LAB_FAR] = open_namespace(argv[optind + 1]);
	serve(&w, &opts, argv[optind + 2]);
	return 0;
}

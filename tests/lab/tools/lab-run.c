// SPDX-License-Identifier: MIT
/*
 * lab-run - runs a command in a world of its own: with files in /etc, DNS servers and a network as
 * the options say. For the demo, the benchmarks, and for trying things by hand.
 */
#include "tests/lab/dnsscript.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/netns.h"
#include "tests/lab/proc.h"
#include "tests/lab/servers.h"
#include "tests/lab/testca.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ITEMS 16
#define FOREVER_S 1000000

static const char usage[] =
	"usage: lab-run [options] -- COMMAND [ARGUMENT]...\n"
	"Runs COMMAND in private network, mount and process namespaces, as root or, without root, "
	"in\n"
	"a user namespace. Its exit status is COMMAND's (128 + n after signal n, 77 where the "
	"machine\n"
	"cannot make the world). TEXT is a file's name, or the content itself if it has a "
	"newline.\n"
	"  --resolv-conf TEXT   /etc/resolv.conf (nameserver 127.0.0.1)\n"
	"  --hosts TEXT         /etc/hosts (localhost)\n"
	"  --nsswitch TEXT      /etc/nsswitch.conf (hosts: files dns)\n"
	"  --gai-conf TEXT      /etc/gai.conf (none)\n"
	"  --host-conf TEXT     /etc/host.conf (multi on)\n"
	"  --services TEXT      /etc/services (the host's)\n"
	"  --file PATH=TEXT     any other file below /etc; up to 16\n"
	"  --hostname NAME      (lab)\n"
	"  --address ADDR/LEN   an address beside the loopback ones; up to 16\n"
	"  --dns TEXT           a scripted DNS server (see dnsscript --help); up to 16\n"
	"  --dns-log FILE       what the scripted servers are asked, one line a query\n"
	"  --unbound NAME=TEXT  unbound on 127.0.0.1:53 with these records; up to 16 zones\n"
	"  --dot KIND           unbound or dnsdist, over UDP and, on port 853, TLS; answers each "
	"name\n"
	"                       below dot.test; on the far side, if there is one; address ....53, "
	"....54\n"
	"  --nscd               glibc's cache\n"
	"  --far                a second network, joined without delay\n"
	"  --forward TEXT       a second network, behind a forwarder with these rules, one a line\n"
	"                       (see forwarder --help)\n"
	"  --capture FILE       what the forwarder saw, as pcap\n"
	"  --timeout SECONDS    the command is killed after this\n"
	"In COMMAND, LAB_DIR names a folder of its own, in which ca.pem is the authority of all "
	"servers\n"
	"over TLS.\n";

struct request {
	struct lab_world_opts world;
	struct lab_file files[MAX_ITEMS + 1];
	unsigned nfiles;
	const char *addresses[MAX_ITEMS + 1];
	unsigned naddresses;
	const char *dns[MAX_ITEMS];
	unsigned ndns;
	const char *dns_log;
	struct lab_zone zones[MAX_ITEMS + 1];
	unsigned nzones;
	enum lab_server_kind dot[MAX_ITEMS];
	unsigned ndot;
	bool nscd;
	const char *forward;
	const char *capture;
	char **command;
	int *ret_status; /* shared with the world */
};

static _Noreturn void die(const char *what, const char *which)
{
	fprintf(stderr, "lab-run: %s: %s\n", which, what);
	exit(2);
}

/* TEXT of the usage. The memory lives as long as the process. */
static const char *text_of(const char *argument)
{
	const size_t limit = 16 << 20;
	ssize_t n;
	char *buf;

	if (strchr(argument, '\n') || !*argument)
		return argument;
	buf = malloc(limit);
	n = buf ? lab_file_read(argument, buf, limit) : -ENOMEM;
	if (n < 0)
		die(strerror((int)-n), argument);
	return realloc(buf, (size_t)n + 1);
}

/* Cuts NAME=TEXT. */
static const char *split(char *argument)
{
	char *equals = strchr(argument, '=');

	if (!equals)
		die("wants NAME=TEXT", argument);
	*equals = '\0';
	return text_of(equals + 1);
}

static unsigned take_place(unsigned *n, const char *option)
{
	if (*n == MAX_ITEMS)
		die("too many", option);
	return (*n)++;
}

enum option_value {
	OPT_RESOLV_CONF = 256,
	OPT_HOSTS,
	OPT_NSSWITCH,
	OPT_GAI_CONF,
	OPT_HOST_CONF,
	OPT_SERVICES,
	OPT_FILE,
	OPT_HOSTNAME,
	OPT_ADDRESS,
	OPT_DNS,
	OPT_DNS_LOG,
	OPT_UNBOUND,
	OPT_DOT,
	OPT_NSCD,
	OPT_FAR,
	OPT_FORWARD,
	OPT_CAPTURE,
	OPT_TIMEOUT,
};

static const struct option options[] = {
	{"resolv-conf", required_argument, NULL, OPT_RESOLV_CONF},
	{"hosts", required_argument, NULL, OPT_HOSTS},
	{"nsswitch", required_argument, NULL, OPT_NSSWITCH},
	{"gai-conf", required_argument, NULL, OPT_GAI_CONF},
	{"host-conf", required_argument, NULL, OPT_HOST_CONF},
	{"services", required_argument, NULL, OPT_SERVICES},
	{"file", required_argument, NULL, OPT_FILE},
	{"hostname", required_argument, NULL, OPT_HOSTNAME},
	{"address", required_argument, NULL, OPT_ADDRESS},
	{"dns", required_argument, NULL, OPT_DNS},
	{"dns-log", required_argument, NULL, OPT_DNS_LOG},
	{"unbound", required_argument, NULL, OPT_UNBOUND},
	{"dot", required_argument, NULL, OPT_DOT},
	{"nscd", no_argument, NULL, OPT_NSCD},
	{"far", no_argument, NULL, OPT_FAR},
	{"forward", required_argument, NULL, OPT_FORWARD},
	{"capture", required_argument, NULL, OPT_CAPTURE},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* Options that set a file of /etc. False for any other. */
static bool take_file_option(struct lab_world_opts *w, int option)
{
	if (option == OPT_RESOLV_CONF)
		w->resolv_conf = text_of(optarg);
	else if (option == OPT_HOSTS)
		w->hosts = text_of(optarg);
	else if (option == OPT_NSSWITCH)
		w->nsswitch = text_of(optarg);
	else if (option == OPT_GAI_CONF)
		w->gai_conf = text_of(optarg);
	else if (option == OPT_HOST_CONF)
		w->host_conf = text_of(optarg);
	else if (option == OPT_SERVICES)
		w->services = text_of(optarg);
	else
		return false;
	return true;
}

static enum lab_server_kind dot_kind(const char *name)
{
	if (strcmp(name, "unbound") != 0 && strcmp(name, "dnsdist") != 0)
		die("is neither unbound nor dnsdist", name);
	return *name == 'u' ? LAB_UNBOUND : LAB_DNSDIST;
}

/* Options that may be given several times. False for any other. */
static bool take_list_option(struct request *r, int option)
{
	struct lab_file *file;
	struct lab_zone *zone;

	if (option == OPT_FILE) {
		file = &r->files[take_place(&r->nfiles, "--file")];
		file->text = split(optarg);
		file->path = optarg;
	} else if (option == OPT_UNBOUND) {
		zone = &r->zones[take_place(&r->nzones, "--unbound")];
		zone->text = split(optarg);
		zone->name = optarg;
	} else if (option == OPT_ADDRESS) {
		r->addresses[take_place(&r->naddresses, "--address")] = optarg;
	} else if (option == OPT_DOT) {
		r->dot[take_place(&r->ndot, "--dot")] = dot_kind(optarg);
	} else if (option == OPT_DNS) {
		r->dns[take_place(&r->ndns, "--dns")] = text_of(optarg);
	} else {
		return false;
	}
	return true;
}

static void take_option(struct request *r, int option)
{
	if (take_file_option(&r->world, option) || take_list_option(r, option))
		return;
	if (option == OPT_HOSTNAME)
		r->world.hostname = optarg;
	else if (option == OPT_DNS_LOG)
		r->dns_log = optarg;
	else if (option == OPT_NSCD)
		r->nscd = true;
	else if (option == OPT_FAR)
		r->world.far = true;
	else if (option == OPT_FORWARD)
		r->forward = text_of(optarg);
	else if (option == OPT_CAPTURE)
		r->capture = optarg;
	else if (option == OPT_TIMEOUT)
		r->world.timeout_s = (unsigned)atoi(optarg);
}

static void start_forwarder(struct lab_world *w, const struct request *r)
{
	static struct lab_rule rules[LAB_MAX_RULES];
	char *text = strdup(r->forward);
	char *rest = text;
	char *line;
	unsigned n = 0;

	while (text && (line = strsep(&rest, "\n"))) {
		char error[128];

		line[strcspn(line, "#")] = '\0';
		if (!line[strspn(line, " \t")])
			continue;
		if (n == LAB_MAX_RULES)
			lab_fail("more than %d rules", LAB_MAX_RULES);
		if (lab_rule_parse(line, error, sizeof(error), &rules[n++]))
			lab_fail("rule `%s`: %s", line, error);
	}
	free(text);
	lab_forwarder_start(w, &(struct lab_forwarder_opts){
				       .rules = rules, .nrules = n, .capture = r->capture});
}

static void start_dns(struct lab_world *w, const struct request *r)
{
	FILE *log = r->dns_log ? fopen(r->dns_log, "we") : NULL;
	struct lab_dns_script *script;
	char error[256];

	if (r->dns_log && !log)
		lab_fail("%s: %s", r->dns_log, strerror(errno));
	for (unsigned i = 0; i < r->ndns; i++) {
		if (lab_dns_script_parse(r->dns[i], error, sizeof(error), &script))
			lab_fail("--dns: %s", error);
		script->log = log;
		lab_dns_start(w, script);
	}
}

static void start_dot(struct lab_world *w, const struct request *r)
{
	enum lab_side side = r->world.far ? LAB_FAR : LAB_NEAR;
	char path[128], address[32];

	snprintf(path, sizeof(path), "%s/ca.pem", lab_world_dir(w));
	lab_ca_write(path);
	for (unsigned i = 0; i < r->ndot; i++) {
		snprintf(address, sizeof(address), "%s%u",
			 side == LAB_FAR ? "198.51.100." : "127.0.0.",
			 r->dot[i] == LAB_UNBOUND ? 53u : 54u);
		lab_server_start_wild(w, r->dot[i], side, address);
	}
}

static void body(struct lab_world *w, void *arg)
{
	const struct request *r = arg;
	int status;
	pid_t pid;

	if (r->forward)
		start_forwarder(w, r);
	else if (r->world.far)
		lab_link_veth(w);
	start_dot(w, r);
	start_dns(w, r);
	if (r->nzones)
		lab_server_start(w,
				 &(struct lab_server_opts){.kind = LAB_UNBOUND, .zones = r->zones});
	if (r->nscd)
		lab_server_start(w, &(struct lab_server_opts){.kind = LAB_NSCD});
	setenv("LAB_DIR", lab_world_dir(w), 1);
	pid = lab_proc_spawn(w, &(struct lab_proc_opts){.argv = (const char *const *)r->command});
	status = lab_proc_wait(pid, 0);
	*r->ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct request r = {.world = {.timeout_s = FOREVER_S}};
	struct lab_result result;
	int option;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option == '?')
			return 2;
		take_option(&r, option);
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	r.command = argv + optind;
	r.world.files = r.files;
	r.world.addresses = r.naddresses ? r.addresses : NULL;
	r.world.far |= r.forward != NULL;
	r.ret_status =
		mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r.ret_status == MAP_FAILED)
		die(strerror(errno), "memory");
	lab_world_run(&r.world, body, &r, &result);
	if (result.outcome == LAB_PASSED)
		return *r.ret_status;
	fprintf(stderr, "lab-run: %s\n", result.message);
	return result.outcome == LAB_SKIPPED ? 77 : 1;
}

// SPDX-License-Identifier: MIT
/*
 * test_race_itself.c - programs that race by themselves, curl and node: scenario 25. With the shim
 * they make the same attempts, and are connected no later. And programs that look like it, but have
 * no third address in reserve: they are not left alone.
 */
#include "tests/e2e/race_run.h"
#include "tests/e2e/shim_run.h"
#include "tests/lab/servers.h"

#include <stdlib.h>

#define PAGE	 "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"
#define SLACK_MS 40
#define TRIES	 4 /* until a program is no later: a busy machine is late as well */

static const struct race_case networks[] = {
	{.what = "IPv6 dead", .nv6 = 1, .nv4 = 1, .net = "to 6 drop;in to 4 delay 20"},
	{.what = "IPv6 100 ms", .nv6 = 1, .nv4 = 1, .net = "in to 6 delay 100;in to 4 delay 20"},
	{.what = "all dead but the last",
	 .nv6 = 2,
	 .nv4 = 2,
	 .net = "to 6 drop;to 4.1 drop;in to 4.2 delay 20"},
};

/* Says after how many milliseconds it is connected. */
static const char *const node_script =
	"const start = process.hrtime.bigint();"
	"const s = require('net').connect({host: process.argv[1], port: process.argv[2],"
	"	autoSelectFamily: true});"
	"s.on('connect', () => {"
	"	console.log(Number(process.hrtime.bigint() - start) / 1e6); s.destroy(); });"
	"s.on('error', (e) => { console.log('-1 ' + e); });";

enum { CURL, NODE };

static const char *const names[] = {"curl", "node"};

struct made {
	unsigned attempts;
	double ms;
	char text[256];
};

static void run_program(const struct race_net *net, unsigned program, unsigned network, bool shim,
			struct made *ret)
{
	static struct race_capture capture;
	static uint16_t number = 8000; /* a port and a name of each run's own */
	char host[64], url[128], port[8];
	const char *const curl[] = {
		"curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{time_connect}", url, NULL};
	const char *const node[] = {"node", "-e", node_script, host, port, NULL};
	const char *const env[] = {"NOBLOCKDNS_CACHE=private", NULL};

	number++;
	snprintf(host, sizeof host, "p%u.c%u.test", number, network + 1);
	snprintf(url, sizeof url, "http://%s:%u/", host, number);
	snprintf(port, sizeof port, "%u", number);
	lab_proc_run(NULL,
		     &(struct lab_proc_opts){
			     .argv = program == CURL ? curl : node, .env = env, .preload = shim},
		     &shim_got);
	lab_assert(shim_got.status == 0, "(%s: %d, %s%s)", names[program], shim_got.status,
		   shim_got.out, shim_got.err);
	race_capture_read(net->capture, number, &capture);
	ret->attempts = capture.n;
	ret->ms = strtod(shim_got.out, NULL) * (program == CURL ? 1000 : 1);
	lab_assert(capture.n > 0 && ret->ms > 0, "(%s said %s)", names[program], shim_got.out);
	snprintf(ret->text, sizeof ret->text, "after %.0f ms, SYN ", ret->ms);
	race_capture_print(&capture, capture.attempts[0].at_ms, ret->text + strlen(ret->text),
			   sizeof ret->text - strlen(ret->text));
}

/* False: with the shim it was late, and only that was wrong. */
static bool is_as_without(const struct race_net *net, unsigned program, unsigned network, bool last,
			  char *failures, size_t size)
{
	struct made libc, shim;

	run_program(net, program, network, false, &libc);
	run_program(net, program, network, true, &shim);
	if (!last && shim.attempts == libc.attempts && shim.ms > libc.ms + SLACK_MS)
		return false;
	race_table_add(25, networks[network].what, names[program], "as without the shim", shim.text,
		       libc.text);
	if (shim.attempts != libc.attempts || shim.ms > libc.ms + SLACK_MS)
		snprintf(failures + strlen(failures), size - strlen(failures),
			 "\n%s: %s; without the shim %s", networks[network].what, shim.text,
			 libc.text);
	return true;
}

static void compare(struct lab_world *w, unsigned program)
{
	char failures[1024] = "";
	struct race_net net;

	shim_not_under(NULL, "its runtime disturbs these programs");
	if (lab_find_program(names[program]) == NULL)
		lab_skip("%s is not installed", names[program]);
	race_net_start(w, networks, 3, PAGE, &net);
	/* curl's own attempts take 4 s on the third. */
	for (unsigned i = 0; i < (program == CURL ? 2 : 3); i++) {
		unsigned tries = 1;

		while (!is_as_without(&net, program, i, tries == TRIES, failures, sizeof failures))
			tries++;
	}
	if (failures[0] != '\0')
		lab_fail("%s", failures);
}

LabTest(race, row_25_curl, RACE_WORLD)
{
	compare(w, CURL);
}

LabTest(race, row_25_node, RACE_WORLD)
{
	compare(w, NODE);
}

#define LAST 2 /* of the networks: all dead but the last */

static void both_are_connected(const char *how, const char *which)
{
	static uint16_t number = 8100;
	char host[64], port[8];
	const char *const argv[] = {"clients/race_siblings", how, which, host, port, "200", NULL};
	const char *const env[] = {"NOBLOCKDNS_CACHE=private", NULL};

	number++;
	snprintf(host, sizeof host, "p%u.c%u.test", number, LAST + 1);
	snprintf(port, sizeof port, "%u", number);
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = argv, .env = env, .preload = true},
		     &shim_got);
	lab_assert_str(shim_got.err, "");
	lab_assert(strcmp(shim_got.out, "connected=2\n") == 0, "(%s, %s: %s)", how, which,
		   shim_got.out);
}

LabTest(race, two_connections_of_a_program_race_both, RACE_WORLD)
{
	struct race_net net;

	race_net_start(w, networks, 3, NULL, &net);
	both_are_connected("threads", "same");
	both_are_connected("threads", "other");
	both_are_connected("poll", "same");
	both_are_connected("poll", "other");
}

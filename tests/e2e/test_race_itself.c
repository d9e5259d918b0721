// SPDX-License-Identifier: MIT
/*
 * test_race_itself.c - programs that race by themselves, curl and node: scenario 25. With the shim
 * they make the same attempts, and are connected no later.
 */
#include "tests/e2e/race_run.h"
#include "tests/e2e/shim_run.h"
#include "tests/lab/servers.h"

#include <stdlib.h>

#define PAGE	 "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"
#define SLACK_MS 40

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
	const uint16_t number = (uint16_t)(8000 + network * 8 + program * 2 + shim);
	char host[64], url[128], port[8];
	const char *const curl[] = {
		"curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{time_connect}", url, NULL};
	const char *const node[] = {"node", "-e", node_script, host, port, NULL};
	const char *const env[] = {"NOBLOCKDNS_CACHE=private", NULL};

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
		struct made libc, shim;

		run_program(&net, program, i, false, &libc);
		run_program(&net, program, i, true, &shim);
		race_table_add(25, networks[i].what, names[program], "as without the shim",
			       shim.text, libc.text);
		if (shim.attempts != libc.attempts || shim.ms > libc.ms + SLACK_MS)
			snprintf(failures + strlen(failures), sizeof failures - strlen(failures),
				 "\n%s: %s; without the shim %s", networks[i].what, shim.text,
				 libc.text);
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

// SPDX-License-Identifier: MIT
/*
 * test_tool_history.c - `noblockdns doctor` on a network where IPv6 is a black hole, after a
 * program has raced there.
 */
#include "tests/e2e/race_run.h"
#include "tests/e2e/tool_run.h"

LabTest(tool_doctor, black_hole_that_a_race_met_is_told, RACE_WORLD)
{
	static const struct race_case network = {
		.nv6 = 1, .nv4 = 1, .net = "to 6 drop;in to 4 delay 20"};
	struct race_job job;
	struct race_net net;
	char cache[128];

	snprintf(cache, sizeof cache, "%s/cache", lab_world_dir(w));
	race_net_start(w, &network, 1, NULL, &net);
	race_job_start(&net, 0, RACE_BLOCK, true, cache, &job);
	race_job_end(&job);
	TOOL("doctor", "--offline", "--json", "--cache", cache);
	tool_ended(0);
	tool_printed("\"ipv6-history\"");
	tool_printed("of 1 races none was won over IPv6, and 1 over IPv4 by a later attempt");
}

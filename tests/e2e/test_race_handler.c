// SPDX-License-Identifier: MIT
/*
 * test_race_handler.c - connect() in a signal handler that has interrupted malloc(): nothing is
 * allocated, with an io thread and without. The program is clients/handler_client.c.
 */
#include "tests/e2e/race_run.h"
#include "tests/e2e/shim_run.h"

static const struct race_case networks[] = {
	{.nv6 = 1, .nv4 = 1},
	{.nv6 = 1, .nv4 = 1, .net = "to 6 drop"},
};

#define CLIENT	   "clients/handler_client"
#define DEAD_IPV6  "x.c2.test", "8000"
#define FAST	   "x.c1.test", "8000"
#define OWN_MALLOC "the program brings a malloc() of its own"

/* The first race of a process does not begin in a handler: libc's connect() is what there is. */
static void with_thread(struct lab_world *w, const char *const *argv)
{
	struct race_net net;

	shim_not_under(NULL, OWN_MALLOC);
	race_net_start(w, networks, 2, NULL, &net);
	shim_says(SHIM_ENV("NOBLOCKDNS_CACHE=private"), argv,
		  "threads=2 handler=ETIMEDOUT outside=0 again=0\n");
}

LabTest(race_handler, non_blocking_with_io_thread_allocates_nothing, RACE_WORLD)
{
	with_thread(w, SHIM_ARGV(CLIENT, DEAD_IPV6));
}

LabTest(race_handler, blocking_with_io_thread_allocates_nothing, RACE_WORLD)
{
	with_thread(w, SHIM_ARGV(CLIENT, DEAD_IPV6, "block"));
}

/* What another process has put into the cache is found without a thread. */
static void without_thread(struct lab_world *w, const char *const *argv)
{
	char cache[128];
	struct race_net net;

	shim_not_under(NULL, OWN_MALLOC);
	race_net_start(w, networks, 2, NULL, &net);
	snprintf(cache, sizeof cache, "NOBLOCKDNS_CACHE=%s/cache", lab_world_dir(w));
	shim_says(SHIM_ENV(cache), argv, "threads=2 handler=0 outside=0 again=0\n");
	shim_says(SHIM_ENV(cache), argv, "threads=1 handler=0 outside=0 again=0\n");
}

LabTest(race_handler, non_blocking_starts_no_thread, RACE_WORLD)
{
	without_thread(w, SHIM_ARGV(CLIENT, FAST));
}

LabTest(race_handler, blocking_starts_no_thread, RACE_WORLD)
{
	without_thread(w, SHIM_ARGV(CLIENT, FAST, "block"));
}

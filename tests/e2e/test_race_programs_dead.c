// SPDX-License-Identifier: MIT
/*
 * test_race_programs_dead.c - programs with a time-out of their own, and a name of which every
 * address is a black hole: each gives up when it would, in the way that it would, and says the
 * same.
 *
 * How a program ends its wait differs: wget jumps out of a signal handler, python and ssh poll,
 * curl has an event loop, psql a deadline over select().
 */
#include "tests/e2e/shim_run.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/servers.h"

#include <unistd.h>

#define NOISE_MS 700

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr dead.test 300 AAAA " LAB_FAR_V6(1) "\n"                                                \
					       "rr dead.test 300 AAAA " LAB_FAR_V6(                \
						       2) "\n"                                     \
							  "rr dead.test 300 A " LAB_FAR_V4(1) "\n"

struct patient {
	const char *program;
	const char *shell;
};

static const struct patient patients[] = {
	{"curl", "exec curl -sS --connect-timeout 1 http://dead.test:8000/ 2>/dev/null"},
	{"wget", "exec wget -nv -t1 --connect-timeout=1 -O - http://dead.test:8000/"},
	{"python3", "exec /usr/bin/python3 -c \"import socket\n"
		    "try: socket.create_connection(('dead.test', 8000), 1)\n"
		    "except OSError as e: print(repr(e))\""},
	{"python3", "exec /usr/bin/python3 -c \"import asyncio\n"
		    "async def main():\n"
		    "  await asyncio.wait_for(asyncio.open_connection('dead.test', 8000), 1)\n"
		    "try: asyncio.run(main())\n"
		    "except asyncio.TimeoutError as e: print(repr(e))\""},
	{"node", "exec node -e \"require('net').connect({host: 'dead.test', port: 8000,"
		 " autoSelectFamily: false}).setTimeout(1000, () => process.exit(3))\""},
	{"psql", "PGCONNECT_TIMEOUT=2 exec psql -X -h dead.test -p 8000 -U lab -c '' lab"},
	{"ssh", "exec ssh -F none -o BatchMode=yes -o ConnectTimeout=1 -p 8000 x@dead.test"},
	{"timeout", "exec timeout 1 git ls-remote git://dead.test:8000/x.git"},
	{"bash", "exec timeout 1 bash -c 'exec 3<>/dev/tcp/dead.test/8000'"},
};

static void run(struct lab_world *w, const struct patient *p, bool preload,
		struct lab_proc_result *ret, long long *ret_ms)
{
	const char *home = lab_world_dir(w);
	char env_home[128];
	unsigned long long start = lab_now_ns();

	snprintf(env_home, sizeof(env_home), "HOME=%s", home);
	lab_proc_run(w,
		     &(struct lab_proc_opts){.argv = SHIM_ARGV("sh", "-c", p->shell),
					     .env = SHIM_ENV(env_home, "no_proxy=*", "http_proxy"),
					     .preload = preload},
		     ret);
	*ret_ms = (long long)(lab_now_ns() - start) / 1000000;
}

static void compare(struct lab_world *w, const struct patient *p)
{
	static struct lab_proc_result libc;
	long long libc_ms;
	long long shim_ms;

	if (!lab_find_program(p->program))
		return;
	run(w, p, false, &libc, &libc_ms);
	lab_assert(libc_ms >= 900, "(%s: it did not wait)", p->shell);
	run(w, p, true, &shim_got, &shim_ms);
	shim_must_equal(p->shell, &libc, &shim_got);
	lab_assert(shim_ms < libc_ms + NOISE_MS && shim_ms > libc_ms - NOISE_MS,
		   "(%s: %lld ms with libc, %lld ms with the shim)", p->shell, libc_ms, shim_ms);
}

/* Each in a process of its own, all at once: they do nothing but wait. */
LabTest(race_programs, give_up_as_without_the_shim, .far = true)
{
	static const struct lab_rule hole = {.action = LAB_BLACKHOLE};
	pid_t pids[sizeof(patients) / sizeof(patients[0])];

	shim_not_under(NULL, "its runtime disturbs some of these programs");
	lab_dns_start_text(w, ZONE);
	lab_forwarder_start(w, &(struct lab_forwarder_opts){.rules = &hole, .nrules = 1});
	for (unsigned i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		pids[i] = lab_fork_side(w, LAB_NEAR);
		if (pids[i] == 0) {
			compare(w, &patients[i]);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < sizeof(pids) / sizeof(pids[0]); i++)
		lab_proc_wait(pids[i], 0);
}

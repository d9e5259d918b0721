// SPDX-License-Identifier: MIT
/*
 * test_exec.c - exec*() under the shim: as libc's where nothing races; and where something does,
 * the program that comes next finds under the number what it would find there without us. The
 * programs are modes of clients/exec_client.c.
 *
 * The network of the races: an IPv6 SYN takes a second, so that after 250 ms an IPv4 attempt wins,
 * unless the first one is alone.
 */
#include "tests/e2e/shim_run.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/listener.h"

#include <stdlib.h>

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr slow.test 300 AAAA " LAB_FAR_V6(1) "\n"                                                \
					       "rr slow.test 300 A " LAB_FAR_V4(1) "\n"

static const char *const *words(const char *function)
{
	static const char *argv[] = {"clients/exec_client", "words", NULL, NULL};

	argv[2] = function;
	return argv;
}

/* A PATH that has the program: the build folder's clients. */
static const char *path(void)
{
	static char text[4200];

	snprintf(text, sizeof text, "PATH=/nowhere:%s/clients:/bin", lab_build_dir());
	return text;
}

static void same_words(const char *function)
{
	const char *const env[] = {path(), NULL};
	const struct lab_proc_opts opts = {.argv = words(function), .env = env};

	shim_as_libc(function, &opts);
	lab_assert_int(shim_got.status, 0);
	lab_assert(shim_lines_with(shim_got.out, "exec_client") == 1, "(%s: %s)", function,
		   shim_got.out);
}

LabTest(exec, lists_arrive_whole)
{
	static const char *const functions[] = {"execl", "execle", "execlp", "execlp-slash"};

	for (unsigned i = 0; i < 4; i++) {
		same_words(functions[i]);
		lab_assert_int(shim_lines_with(shim_got.out, "100 "), 3);
		lab_assert_int(shim_lines_with(shim_got.out, "1 last"), 1);
	}
}

LabTest(exec, short_lists_and_arrays_arrive_whole)
{
	static const char *const functions[] = {"execl-few", "execl-none", "execle-none",
						"execv",     "execve",	   "execvp",
						"execvpe",   "fexecve",	   "execveat"};

	for (unsigned i = 0; i < sizeof functions / sizeof functions[0]; i++)
		same_words(functions[i]);
}

LabTest(exec, environment_is_the_one_that_is_given)
{
	same_words("execle");
	lab_assert_int(shim_lines_with(shim_got.out, "EXEC_OTHER"), 1);
	lab_assert_int(shim_lines_with(shim_got.out, "EXEC_OWN"), 0);
	same_words("execlp");
	lab_assert_int(shim_lines_with(shim_got.out, "EXEC_OTHER"), 0);
	lab_assert_int(shim_lines_with(shim_got.out, "EXEC_OWN"), 1);
}

LabTest(exec, errors_are_libcs)
{
	const struct lab_proc_opts opts = {.argv = SHIM_ARGV("clients/exec_client", "errors")};

	shim_as_libc("errors", &opts);
	lab_assert_int(shim_got.status, 0);
	lab_assert(shim_lines_with(shim_got.out, ": -1 E") >= 20, "(%s)", shim_got.out);
}

/*
 * While a race is on ------------------------------------------------------------------------------
 */

static void race(struct lab_world *w, const char *how, const char *expected)
{
	static const struct lab_rule rules[] = {
		{.match = {.family = AF_INET6, .syn = true}, .delay_us = 1000000}};
	const char *const argv[] = {"clients/exec_client", "race", how, "slow.test", "8000", NULL};

	lab_dns_start_text(w, ZONE);
	lab_forwarder_start(w, &(struct lab_forwarder_opts){.rules = rules, .nrules = 1});
	lab_listener_start(w, LAB_FAR, 8000, 1, NULL);
	shim_says(SHIM_ENV("NOBLOCKDNS_CACHE=private"), argv, expected);
}

#define STARTED "started: tcp=1 events=0x4 family=6\n"
#define WON	"parent: tcp=1 events=0x4 family=4\n"

LabTest(exec, next_program_finds_its_socket, .far = true)
{
	race(w, "in-place", STARTED);
}

LabTest(exec, next_program_of_another_thread_finds_its_socket, .far = true)
{
	race(w, "thread", STARTED);
}

LabTest(exec, next_program_of_a_thread_with_its_own_table_finds_its_socket, .far = true)
{
	race(w, "thread-with-a-table", STARTED);
}

LabTest(exec, that_fails_settles_what_would_have_been_handed_down, .far = true)
{
	race(w, "fails",
	     "close-on-exec: tcp=1 events=0x4 family=4\n"
	     "inherited: tcp=1 events=0x4 family=6\n");
}

LabTest(exec, child_of_vfork_hands_its_socket_down_and_the_parent_races_on, .far = true)
{
	race(w, "vfork", STARTED WON);
}

LabTest(exec, child_of_vfork_hands_duplicates_down, .far = true)
{
	race(w, "vfork-dup2", STARTED WON);
}

LabTest(exec, child_of_fork_hands_its_socket_down, .far = true)
{
	race(w, "fork", STARTED WON);
}

LabTest(exec, child_of_a_raw_fork_hands_its_socket_down, .far = true)
{
	shim_not_under("thread", "cannot follow clone");
	race(w, "raw-fork", STARTED WON);
}

// SPDX-License-Identifier: MIT
/*
 * test_fork.c - lookups on both sides of fork, vfork, clone, exec and exit. The programs are modes
 * of clients/fork_client.c.
 */
#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <stdlib.h>
#include <string.h>

#define SCRIPT                                                                                     \
	"listen 127.0.0.1:53\nrr fd.test 300 SOA 60\nrr *.fd.test 300 A 192.0.2.9\n"               \
	"on slow.fd.test * delay 500\n"

static struct lab_dns *dns;

/* The server is there. */
static void run(struct lab_world *w, const char *mode)
{
	const char *const argv[] = {"clients/fork_client", mode, NULL};
	static struct lab_proc_result r;

	lab_proc_run(w, &(struct lab_proc_opts){.argv = argv, .preload = true, .timeout_ms = 60000},
		     &r);
	lab_assert(r.status == 0, "(status %d, signal %d%s: %s%s)", r.status, r.signal,
		   r.timed_out ? ", timed out" : "", r.out, r.err);
	lab_assert_str(r.err, "");
}

static void client(struct lab_world *w, const char *mode)
{
	dns = lab_dns_start_text(w, SCRIPT);
	run(w, mode);
}

/* Another process has asked for slow.fd.test, and waits for its answer (lease.h). */
static void client_after_others(struct lab_world *w, const char *mode)
{
	const char *const argv[] = {"clients/lookup", "slow.fd.test", NULL};
	pid_t pid;

	dns = lab_dns_start_text(w, SCRIPT);
	pid = lab_proc_spawn(w, &(struct lab_proc_opts){.argv = argv, .preload = true});
	lab_dns_wait_count(dns, "slow.fd.test", LAB_AAAA, 1, 10000);
	run(w, mode);
	lab_assert_int(lab_proc_wait(pid, 10000), 0);
}

static void skip_under_tsan(const char *why)
{
	const char *sanitizer = getenv("NBD_SANITIZER");

	if (sanitizer && strcmp(sanitizer, "thread") == 0)
		lab_skip("ThreadSanitizer %s", why);
}

LabTest(fork, child_looks_up)
{
	client(w, "child_looks_up");
}

LabTest(fork, child_of_a_child_looks_up)
{
	client(w, "grandchildren");
}

LabTest(fork, child_of_a_signal_handler_finishes_the_lookup)
{
	client(w, "fork_in_a_handler");
}

/* The parent has the others' answer; the child, in libc, asks itself. */
LabTest(fork, child_of_a_signal_handler_finishes_the_wait_for_others)
{
	skip_under_tsan("allows no memory in a handler, not even its own fork's");
	client_after_others(w, "fork_in_a_handler");
	lab_assert_int(lab_dns_count(dns, "slow.fd.test", LAB_A, LAB_ANY_TRANSPORT), 2);
}

LabTest(fork, child_of_another_thread_looks_up)
{
	client(w, "fork_in_a_thread");
}

LabTest(fork, daemon_looks_up_when_its_parent_is_gone)
{
	client(w, "daemon");
}

LabTest(fork, child_closes_what_it_inherited_at_its_first_lookup)
{
	client(w, "child_keeps_none");
}

LabTest(fork, children_of_a_busy_program_look_up)
{
	if (getenv("NBD_SANITIZER"))
		lab_skip("the sanitizers' allocator hangs in the child of a busy program");
	client(w, "busy_forks");
}

LabTest(fork, threads_of_a_child_look_up_at_once)
{
	client(w, "threads_of_a_child");
}

LabTest(fork, child_that_looks_nothing_up_really_closes)
{
	client(w, "forked_child_really_closes");
}

LabTest(fork, child_that_looks_nothing_up_makes_no_new_system_call)
{
	client(w, "sandboxed_child");
}

LabTest(fork, vfork_child_looks_up_and_leaves_no_trace)
{
	skip_under_tsan("makes a fork of vfork");
	client(w, "vfork_child_looks_up");
}

LabTest(fork, vfork_child_waits_for_no_others)
{
	skip_under_tsan("makes a fork of vfork");
	client_after_others(w, "vfork_child_looks_up_slowly");
	lab_assert_int(lab_dns_count(dns, "slow.fd.test", LAB_A, LAB_ANY_TRANSPORT), 2);
}

LabTest(fork, vfork_child_may_be_the_first_to_look_up)
{
	skip_under_tsan("makes a fork of vfork");
	client(w, "vfork_child_looks_up_first");
}

LabTest(fork, vfork_child_closes_nothing_of_the_parents)
{
	client(w, "vfork_child_closes_all");
}

LabTest(fork, clone_child_with_shared_memory_closes_nothing_of_the_parents)
{
	skip_under_tsan("cannot follow clone");
	client(w, "clone_child");
}

LabTest(fork, spawned_programs_run)
{
	client(w, "spawned_programs");
}

LabTest(fork, exit_handler_looks_up)
{
	client(w, "exit_handler");
}

LabTest(fork, exit_handler_may_be_the_first_to_look_up)
{
	client(w, "exit_handler_first");
}

LabTest(fork, program_may_exit_in_the_middle_of_lookups)
{
	skip_under_tsan("sleeps for a second at each exit");
	client(w, "busy_exits");
}

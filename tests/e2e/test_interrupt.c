// SPDX-License-Identifier: MIT
/*
 * test_interrupt.c - lookups in threads that are interrupted or cancelled. The programs are
 * modes of clients/interrupt_client.c.
 */
#define PROGRAM "clients/interrupt_client"
#include "tests/e2e/life_run.h"

#include <signal.h>

LabTest(interrupt, signals_do_not_disturb_a_lookup)
{
	run(w, "signals_in_a_lookup");
	lab_assert_int(shim_asked(dns, "a.slow.test", LAB_A), 1);
}

LabTest(interrupt, signals_do_not_postpone_the_deadline)
{
	client(w, "NOBLOCKDNS_DEADLINE_MS=500", "signals_do_not_postpone_the_deadline", "");
}

LabTest(interrupt, handler_looks_up_while_its_thread_waits_in_a_lookup)
{
	shim_not_under("thread", "it allows no malloc in a handler");
	run(w, "lookup_in_a_handler");
}

LabTest(interrupt, cancelled_lookup_ends)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	run(w, "cancelled_lookup");
}

LabTest(interrupt, lookup_of_a_thread_cancelled_before_ends)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	run(w, "lookup_of_a_cancelled_thread");
}

LabTest(interrupt, callers_of_a_cancelled_lookup_are_unwound)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	run(w, "callers_are_unwound");
}

LabTest(interrupt, thread_that_is_not_cancelable_gets_its_answer)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	run(w, "cancellation_disabled");
}

LabTest(interrupt, cancelled_lookups_leak_nothing)
{
	shim_not_under(NULL, "its allocator keeps no such count");
	client(w, "NOBLOCKDNS_DEADLINE_MS=500", "cancelled_lookups_leak_nothing", "");
}

LabTest(interrupt, cancelled_gethostbyname_leaks_nothing)
{
	shim_not_under(NULL, "its allocator keeps no such count");
	client(w, "NOBLOCKDNS_DEADLINE_MS=500", "cancelled_gethostbyname_leaks_nothing", "");
}

LabTest(interrupt, handler_may_leave_a_lookup_by_longjmp)
{
	shim_not_under(NULL, "its idea of the stack does not survive a longjmp out of a handler");
	run(w, "left_by_longjmp");
}

/* ---- in a lookup that waits for another process's (lease.h) ---- */

/* Another process has asked for the name, and has no answer yet. */
static void after_others(struct lab_world *w, const char *name, const char *setting,
			 const char *mode)
{
	const struct lab_proc_opts opts = {.argv = SHIM_ARGV("clients/lookup", "-4", name),
					   .preload = true};
	pid_t pid;

	dns = lab_dns_start_text(w, ZONE);
	pid = lab_proc_spawn(w, &opts);
	lab_dns_wait_count(dns, name, LAB_A, 1, 10000);
	client_again(setting, mode, "");
	lab_assert(kill(pid, SIGKILL) == 0);
	lab_proc_wait(pid, 10000);
}

LabTest(interrupt, signals_do_not_postpone_the_deadline_of_a_wait_for_others)
{
	after_others(w, "a.lost.test", "NOBLOCKDNS_DEADLINE_MS=400",
		     "signals_do_not_postpone_the_deadline");
	lab_assert_int(shim_asked(dns, "a.lost.test", LAB_A), 1);
}

LabTest(interrupt, handler_looks_up_while_its_thread_waits_for_others)
{
	shim_not_under("thread", "it allows no malloc in a handler");
	after_others(w, "a.slow.test", NO_SETTING, "lookup_in_a_handler");
	lab_assert_int(shim_asked(dns, "a.slow.test", LAB_A), 1);
}

LabTest(interrupt, cancelled_wait_for_others_ends)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	after_others(w, "a0.lost.test", NO_SETTING, "cancelled_lookup");
}

LabTest(interrupt, thread_that_is_not_cancelable_has_the_answer_of_others)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	after_others(w, "a.slow.test", NO_SETTING, "cancellation_disabled");
	lab_assert_int(shim_asked(dns, "a.slow.test", LAB_A), 1);
}

LabTest(interrupt, handler_may_leave_a_wait_for_others_by_longjmp)
{
	shim_not_under(NULL, "its idea of the stack does not survive a longjmp out of a handler");
	after_others(w, "a.lost.test", NO_SETTING, "left_by_longjmp");
	lab_assert_int(shim_asked(dns, "a.lost.test", LAB_A), 1);
}

LabTest(interrupt, cancelled_waits_for_others_leak_nothing)
{
	shim_not_under(NULL, "its allocator keeps no such count");
	client(w, "NOBLOCKDNS_DEADLINE_MS=500", "cancelled_waits_leak_nothing", "");
}

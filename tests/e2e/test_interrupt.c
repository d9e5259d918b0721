// SPDX-License-Identifier: MIT
/*
 * test_interrupt.c - lookups in threads that are interrupted or cancelled. The programs are
 * modes of clients/interrupt_client.c.
 */
#define PROGRAM "clients/interrupt_client"
#include "tests/e2e/life_run.h"

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

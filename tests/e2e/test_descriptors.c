// SPDX-License-Identifier: MIT
/*
 * test_descriptors.c - programs that sweep, replace and inherit descriptors, with private ones
 * among them. The programs are modes of clients/fd_client.c.
 */
#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT "listen 127.0.0.1:53\nrr *.fd.test 300 A 192.0.2.9\n"

static struct lab_proc_result r;

/* Must exit with 0. */
static void run(struct lab_world *w, const char *const *argv)
{
	lab_dns_start_text(w, SCRIPT);
	lab_proc_run(w, &(struct lab_proc_opts){.argv = argv, .preload = true}, &r);
	lab_assert(r.status == 0, "(status %d, signal %d%s: %s%s)", r.status, r.signal,
		   r.timed_out ? ", timed out" : "", r.out, r.err);
}

#define CLIENT(mode)                                                                               \
	do {                                                                                       \
		run(w, (const char *const[]){"clients/fd_client", mode, NULL});                    \
		lab_assert_str(r.err, "");                                                         \
	} while (0)

LabTest(descriptors, close_loop_leaves_private_ones)
{
	CLIENT("close_loop");
}

LabTest(descriptors, close_range_goes_around_private_ones)
{
	CLIENT("close_range");
}

LabTest(descriptors, closefrom_goes_around_private_ones)
{
	CLIENT("closefrom");
}

LabTest(descriptors, lookup_works_after_a_raw_close_range)
{
	CLIENT("raw_close_range");
}

LabTest(descriptors, files_that_replace_private_ones_past_the_hooks_are_left_alone)
{
	CLIENT("raw_dup2_over");
}

LabTest(descriptors, dup2_onto_a_private_one_moves_it)
{
	CLIENT("dup2_onto");
}

LabTest(descriptors, private_one_cannot_be_copied_or_made_inheritable)
{
	CLIENT("copy_is_refused");
}

LabTest(descriptors, low_numbers_stay_free)
{
	CLIENT("low_numbers_stay_free");
}

LabTest(descriptors, limit_of_sixteen_is_enough)
{
	CLIENT("tiny_limit");
}

/* The log may have a word to say about it. */
LabTest(descriptors, none_left_is_an_error_that_passes)
{
	run(w, (const char *const[]){"clients/fd_client", "no_descriptor_left", NULL});
}

LabTest(descriptors, exec_inherits_none)
{
	CLIENT("exec");
}

LabTest(descriptors, private_ones_are_high_and_close_on_exec)
{
	CLIENT("every_private_is_cloexec_and_high");
}

LabTest(descriptors, three_hundred_lookups_leak_none)
{
	CLIENT("no_leak");
}

LabTest(descriptors, threads_with_tables_of_their_own_leak_nothing)
{
	CLIENT("own_tables");
}

LabTest(descriptors, signal_handler_may_close_at_any_moment)
{
	CLIENT("signal_handler_closes");
}

LabTest(descriptors, thread_may_sweep_the_table_at_any_moment)
{
	CLIENT("sweeping_thread");
}

LabTest(descriptors, close_stays_a_cancellation_point)
{
	CLIENT("close_is_a_cancellation_point");
}

/* Its child sweeps with close_range between vfork and exec. */
LabTest(descriptors, python_subprocess_inherits_none)
{
	static const char *const argv[] = {
		"/usr/bin/python3", "-c",
		"import socket, subprocess, os\n"
		"socket.getaddrinfo('a.fd.test', 80)\n"
		"for close in True, False:\n"
		"  out = subprocess.run(['ls', '/proc/self/fd'], close_fds=close,"
		" capture_output=True, text=True).stdout.split()\n"
		"  assert set(out) <= {'0', '1', '2', '3'}, out\n"
		"  socket.getaddrinfo('b%d.fd.test' % close, 80)\n"
		"os.closerange(3, 65536)\n"
		"socket.getaddrinfo('c.fd.test', 80)\n",
		NULL};

	if (access(argv[0], X_OK) != 0)
		lab_skip("no python3");
	run(w, argv);
}

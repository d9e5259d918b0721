// SPDX-License-Identifier: MIT
/*
 * test_gai_a.c - getaddrinfo_a() and its family. The programs are clients/gai_list.c (results, as
 * libc's own), clients/gai_notify.c and clients/gai_wait.c (one promise a mode).
 */
#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONF "nameserver 127.0.0.1\nsearch none.test found.test\noptions timeout:2 attempts:1\n"
#define SCRIPT                                                                                     \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr *.cold.test 300 A 192.0.2.2\n"                                                         \
	"rr *.found.test 300 A 192.0.2.3\n"                                                        \
	"rr *.slow.test 300 A 192.0.2.4\n"                                                         \
	"on *.slow.test * delay 150\n"                                                             \
	"on *.dead.test * drop\n"

static struct lab_proc_result got, expected;

static void run(struct lab_world *w, bool preload, const char *const *argv,
		struct lab_proc_result *ret)
{
	const struct lab_proc_opts opts = {.argv = argv, .preload = preload, .timeout_ms = 60000};

	lab_proc_run(w, &opts, ret);
	lab_assert(ret->status == 0, "(%s, status %d, signal %d%s: %.500s%.500s)",
		   preload ? "shim" : "libc", ret->status, ret->signal,
		   ret->timed_out ? ", timed out" : "", ret->out, ret->err);
	lab_assert_str(ret->err, "");
}

/* ---- results ---- */

static const char *next_line(const char **text, char *line, size_t size)
{
	size_t len = strcspn(*text, "\n");

	snprintf(line, size, "%.*s", (int)len, *text);
	*text += len + (*text != NULL && (*text)[len] != '\0');
	return line;
}

/* libc always waits: its gai_suspend() can leave a node of the caller's stack in a request that is
 * just being finished, and crash. */
static void same_as_libc(struct lab_world *w, const char *how, const char *count)
{
	const char *const argv_libc[] = {"clients/gai_list", "wait", count, NULL};
	const char *const argv[] = {"clients/gai_list", how, count, NULL};
	const char *a = got.out, *b = expected.out;
	char line_a[512], line_b[512];

	lab_dns_start_text(w, SCRIPT);
	run(w, false, argv_libc, &expected);
	run(w, true, argv, &got);
	lab_assert(*a != '\0');
	while (*a != '\0' || *b != '\0')
		lab_assert_str(next_line(&a, line_a, sizeof line_a),
			       next_line(&b, line_b, sizeof line_b));
}

LabTest(gai_a, one_name_as_libc, .resolv_conf = CONF)
{
	same_as_libc(w, "wait", "1");
}

LabTest(gai_a, waited_list_as_libc, .resolv_conf = CONF)
{
	same_as_libc(w, "wait", "700");
}

LabTest(gai_a, suspended_list_as_libc, .resolv_conf = CONF)
{
	same_as_libc(w, "suspend", "100");
}

LabTest(gai_a, list_with_thread_as_libc, .resolv_conf = CONF)
{
	same_as_libc(w, "thread", "100");
}

LabTest(gai_a, list_with_signal_as_libc, .resolv_conf = CONF)
{
	same_as_libc(w, "signal", "100");
}

static bool under_tsan(void)
{
	const char *sanitizer = getenv("NBD_SANITIZER");

	return sanitizer != NULL && strcmp(sanitizer, "thread") == 0;
}

/* A module that is not ours: libc looks everything up, and the list is still ours. */
LabTest(gai_a, foreign_module_as_libc, .resolv_conf = CONF,
	.nsswitch = "hosts: files nosuchmodule dns\n")
{
	if (under_tsan())
		lab_skip("ThreadSanitizer does not know of threads that libc itself starts");
	same_as_libc(w, "thread", "100");
}

/* ---- what it costs ---- */

static void threads_of(struct lab_world *w, const char *how)
{
	const char *const argv[] = {"clients/gai_list", how, "-a", "1000", "3", NULL};
	const char *at = got.out;
	int threads, descriptors, first = 0, rounds = 0;

	lab_dns_start_text(w, SCRIPT);
	run(w, true, argv, &got);
	for (; *at != '\0'; at = strchr(at, '\n') + 1, rounds++) {
		lab_assert_int(sscanf(at, "threads %d descriptors %d\n", &threads, &descriptors),
			       2);
		lab_assert(threads <= 2 + under_tsan(), "(%d threads)", threads);
		first = rounds == 0 ? descriptors : first;
		/* A socket kept for the next question may go in between. */
		lab_assert(descriptors <= first, "(%d after %d)", descriptors, first);
	}
	lab_assert_int(rounds, 3);
}

LabTest(gai_a, waiting_takes_the_io_thread_alone, .resolv_conf = CONF)
{
	threads_of(w, "wait");
}

LabTest(gai_a, suspending_takes_the_io_thread_alone, .resolv_conf = CONF)
{
	threads_of(w, "suspend");
}

/* ---- promises ---- */

static void promise(struct lab_world *w, bool libc_too, const char *client, const char *mode)
{
	const char *const argv[] = {client, mode, NULL};

	lab_dns_start_text(w, SCRIPT);
	run(w, true, argv, &got);
	if (libc_too)
		run(w, false, argv, &got);
}

#define NOTIFY(mode)                                                                               \
	LabTest(gai_a, mode, .resolv_conf = CONF)                                                  \
	{                                                                                          \
		promise(w, true, "clients/gai_notify", #mode);                                     \
	}

NOTIFY(bad_mode)
NOTIFY(keeps_errno)
NOTIFY(failure_leaves_result_alone)
NOTIFY(empty_list)
NOTIFY(signal_tells_who_and_what)
NOTIFY(thread_is_detached_and_unmasked)
NOTIFY(thread_has_the_attributes)
NOTIFY(thread_id_notifies_nobody)
NOTIFY(same_gaicb_again)

#define WAIT(mode, equal)                                                                          \
	LabTest(gai_a, mode, .resolv_conf = CONF)                                                  \
	{                                                                                          \
		promise(w, equal, "clients/gai_wait", #mode);                                      \
	}

/* false: where glibc breaks its manual, or has no way to do it (shim/hook_gai_a.c) */
WAIT(suspend_times_out, false)
WAIT(unanswered_name_fails, true)
WAIT(suspend_returns_in_time, true)
WAIT(suspend_ends_with_the_first, true)
WAIT(suspend_ignores_others, true)
WAIT(suspend_is_interrupted, true)
WAIT(suspend_is_restarted, true)
WAIT(wait_is_not_interrupted, true)
WAIT(cancel_ends_a_request, false)
WAIT(cancel_of_others_finds_nothing, true)
WAIT(cancel_makes_room, false)
WAIT(cancelled_is_not_touched, false)
WAIT(cancel_ends_a_wait, false)
WAIT(cancel_notifies_and_wakes, false)
WAIT(cancel_races_with_answers, false)
WAIT(private_sockets_do_not_block, false)

LabTest(gai_a, suspend_can_be_cancelled, .resolv_conf = CONF)
{
	if (lab_sanitizer() != NULL && strcmp(lab_sanitizer(), "address") == 0)
		lab_skip("the sanitizer's idea of the stack does not survive a cancellation");
	promise(w, false, "clients/gai_wait", "suspend_can_be_cancelled");
}

LabTest(gai_a, child_starts_clean, .resolv_conf = CONF)
{
	if (getenv("NBD_SANITIZER") != NULL)
		lab_skip("the sanitizers' allocator hangs in the child of a busy program");
	promise(w, false, "clients/gai_wait", "child_starts_clean");
}

LabTest(gai_a, deadline_spans_the_search_list,
	.resolv_conf = "nameserver 127.0.0.1\nsearch one.test two.test\n"
		       "options timeout:1 attempts:1\n")
{
	const char *const argv[] = {"clients/gai_wait", "deadline_spans_the_search_list", NULL};

	lab_dns_start_text(w, "listen 127.0.0.1:53\nrr test 300 SOA 60\n"
			      "rr *.two.test 300 A 192.0.2.1\non * * delay 700\n");
	run(w, true, argv, &got);
}

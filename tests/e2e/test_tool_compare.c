// SPDX-License-Identifier: MIT
/*
 * test_tool_compare.c - `noblockdns compare`: what it reports of programs whose stalls are known,
 * of those that fail, crash or are interrupted, and its reports for other programs.
 */
#include "tests/e2e/tool_run.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/listener.h"

#include <signal.h>
#include <unistd.h>

/* Each name takes 300 ms; the SOA makes the missing AAAA records as durable as the others. */
#define SLOW                                                                                       \
	"listen 127.0.0.1:53\nrr test 300 SOA 300\nrr *.slow.test 300 A 127.0.0.1\n"               \
	"on *.slow.test * delay 300\n"

/* The client by its path: a program is looked for as execvp() does. */
static const char *client(void)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s/clients/compare_client", lab_build_dir());
	setenv("CLIENT", path, 1);
	return path;
}

/* What python says of a report that was written to /run/r.json: `d` is the report. */
static void report_says(const char *expression, const char *expected)
{
	char script[2048];

	snprintf(script, sizeof script,
		 "python3 - <<'EOF'\nimport json\nd = json.load(open('/run/r.json'))\n"
		 "run = lambda side: [r for r in d['runs'] if r['side'] == side]\nprint(%s)\nEOF",
		 expression);
	tool_shell(script);
	lab_assert_str(shim_got.err, "");
	if (strlen(shim_got.out) > 0)
		shim_got.out[strlen(shim_got.out) - 1] = '\0';
	lab_assert(strcmp(shim_got.out, expected) == 0, "(%s: \"%s\", not \"%s\")", expression,
		   shim_got.out, expected);
}

/* ---- stalls ---- */

LabTest(tool_compare, known_stalls_are_reported_within_5_percent)
{
	lab_dns_start_text(w, SLOW);
	TOOL("compare", "--runs", "2", "--json", "/run/r.json", client(), "stall", "/run/measured",
	     "a.slow.test", "b.slow.test", "c.slow.test");
	tool_ended(0);
	report_says("[s['stalls']['count'] for s in (d['without'], d['with'])]", "[6, 6]");
	/* Run by run and lookup by lookup, held to what the program has measured itself. */
	report_says("[0.95 <= s['blocked_ns'] / int(m) <= 1.05 for r in d['runs'] "
		    "for s, m in zip(r['stalls'], open('/run/measured').read().split()"
		    "[3 * d['runs'].index(r):])]",
		    "[True, True, True, True, True, True, True, True, True, True, True, True]");
	report_says("[(s['name'], s['in_loop'], s['waits']) for s in run('without')[0]['stalls']]",
		    "[('a.slow.test', True, 1), ('b.slow.test', True, 1), "
		    "('c.slow.test', True, 1)]");
	report_says("d['without']['turns']['longest_in_lookups_ns'] == "
		    "d['without']['lookups']['longest_ns'] >= 300e6",
		    "True");
}

/* The far side answers a SYN after 300 ms; the lookup is done before the loop begins. */
LabTest(tool_compare, stalls_in_connects_are_told_apart, .far = true)
{
	static const struct lab_rule rule = {.match = {.direction = LAB_OUT, .syn = true},
					     .delay_us = 300000};

	lab_forwarder_start(w, &(struct lab_forwarder_opts){.rules = &rule, .nrules = 1});
	lab_listener_start(w, LAB_FAR, 80, 1, NULL);
	lab_dns_start_text(w, "listen 127.0.0.1:53\nrr test 300 SOA 300\n"
			      "rr www.test 300 A " LAB_FAR_V4(80) "\n");
	TOOL("compare", "--runs", "1", "--json", "/run/r.json", client(), "connect",
	     "/run/measured", "www.test");
	tool_ended(0);
	report_says("[(s['name'], s['in_loop'], s['in_lookups_ns'], "
		    "0.95 <= s['in_connects_ns'] / int(m) <= 1.05) for r in d['runs'] "
		    "for s, m in zip([s for s in r['stalls'] if s['in_loop']], "
		    "open('/run/measured').read().split()[d['runs'].index(r):])]",
		    "[('www.test', True, 0, True), ('www.test', True, 0, True)]");
	report_says("d['without']['connects']['longest_ns'] >= 300e6", "True");
}

LabTest(tool_compare, program_without_stalls_has_none)
{
	tool_run(NULL, SHIM_ARGV("noblockdns", "compare", "--runs", "2", "--json", "/run/r.json",
				 "--max-stall", "10", client(), "quiet"));
	tool_ended(0);
	tool_printed("No stalls, neither without the shim nor with it.");
	report_says("[d[s]['stalls']['count'] for s in ('without', 'with')]", "[0, 0]");
	/* It was seen all the same: its loop turns, which are its own work. */
	report_says("[r['turns'][0]['in_lookups_ns'] for r in d['runs']]", "[0, 0, 0, 0]");
	report_says("all(t['turns'] >= 19 for r in d['runs'] for t in r['threads'])", "True");
}

LabTest(tool_compare, warm_cache_has_been_filled_by_an_uncounted_run)
{
	struct lab_dns *dns = lab_dns_start_text(w, SLOW);

	TOOL("compare", "--warm", "--runs", "2", "--json", "/run/r.json", "--max-stall", "150",
	     client(), "stall", "/run/measured", "a.slow.test");
	tool_ended(0);
	report_says("(len(d['runs']), d['cache'], d['without']['stalls']['count'])",
		    "(4, 'warm', 2)");
	/* One by the run that is not counted, two without. */
	lab_assert_int(shim_asked(dns, "a.slow.test", LAB_A), 3);
}

LabTest(tool_compare, cold_cache_is_each_runs_own)
{
	struct lab_dns *dns = lab_dns_start_text(w, SLOW);

	TOOL("compare", "--runs", "2", client(), "stall", "/run/measured", "a.slow.test");
	tool_ended(0);
	lab_assert_int(shim_asked(dns, "a.slow.test", LAB_A), 4);
}

LabTest(tool_compare, limit_that_is_exceeded_is_a_finding)
{
	lab_dns_start_text(w, SLOW);
	TOOL("compare", "--runs", "1", "--max-stall", "150", client(), "stall", "/run/measured",
	     "a.slow.test");
	tool_ended(1);
	tool_printed("for a.slow.test, is longer than the 150 ms allowed.");
	TOOL("compare", "--runs", "1", "--max-stall", "2000", client(), "stall", "/run/measured",
	     "a.slow.test");
	tool_ended(0);
}

LabTest(tool_compare, limit_is_not_kept_by_what_cannot_be_seen)
{
	TOOL("compare", "--runs", "1", "--max-stall", "100", "sleep", "0.1");
	tool_ended(1);
	tool_printed("so no stall could be found (see noblockdns doctor).");
}

LabTest(tool_compare, children_are_counted_by_program)
{
	lab_dns_start_text(w, SLOW);
	TOOL("compare", "--runs", "1", "--json", "/run/r.json", "--", "sh", "-c",
	     "getent ahosts a.slow.test; python3 -c 'import socket\n"
	     "socket.gethostbyname(\"b.slow.test\")'");
	tool_ended(0);
	report_says("sorted((p['program'][:7], p['without']['lookups']) for p in d['programs'] "
		    "if p['without']['lookups'])",
		    "[('getent', 1), ('python3', 1)]");
}

/* ---- CMD's own result ---- */

LabTest(tool_compare, another_exit_status_is_a_finding)
{
	TOOL("compare", "--runs", "1", "--", "sh", "-c",
	     "echo it broke >&2; [ $NOBLOCKDNS_MODE = on ] && exit 3; exit 0");
	tool_ended(1);
	tool_printed("CMD ends otherwise with the shim than without it.");
	tool_printed("Run 1 with the shim: exit 3; its last words: it broke.");
}

LabTest(tool_compare, another_output_is_said)
{
	TOOL("compare", "--runs", "1", "--", "sh", "-c", "echo $NOBLOCKDNS_MODE");
	tool_ended(0);
	tool_printed("What CMD writes to standard output differs with the shim.");
	TOOL("compare", "--runs", "2", "--", "sh", "-c", "echo $$");
	tool_did_not_print("differs with the shim");
	tool_printed("varies");
}

LabTest(tool_compare, output_is_hidden_or_goes_to_stderr)
{
	TOOL("compare", "--runs", "1", "--", "echo", "a word");
	tool_did_not_print("a word\n");
	lab_assert_int(shim_lines_with(shim_got.err, "a word"), 0);
	TOOL("compare", "--runs", "1", "--show-output", "--", "echo", "a word");
	lab_assert_int(shim_lines_with(shim_got.err, "a word"), 2);
}

/* A sanitizer's handler would make SIGABRT of it. */
static void leave_crashes_alone(void)
{
	const char *options = getenv("ASAN_OPTIONS");
	char more[1024];

	if (options == NULL)
		return;
	snprintf(more, sizeof more, "%s:handle_segv=0", options);
	setenv("ASAN_OPTIONS", more, 1);
}

LabTest(tool_compare, crash_is_kept_and_said)
{
	shim_not_under("thread", "its runtime does not start in a shell");
	leave_crashes_alone();
	lab_dns_start_text(w, SLOW);
	TOOL("compare", "--runs", "1", "--json", "/run/r.json", "--", "sh", "-c",
	     "getent ahosts a.slow.test; kill -SEGV $$");
	tool_ended(0);
	tool_printed("killed by SIGSEGV");
	report_says("[(r['signal'], len(r['stalls'])) for r in d['runs']]", "[(11, 1), (11, 1)]");
}

LabTest(tool_compare, missing_command_is_127)
{
	TOOL("compare", "no-such-command");
	tool_ended(127);
	tool_complained("compare: cannot execute no-such-command: No such file or directory");
	TOOL("compare", "/etc/passwd");
	tool_ended(126);
	tool_complained("compare: cannot execute /etc/passwd: Permission denied");
}

LabTest(tool_compare, command_that_vanishes_leaves_what_was_measured)
{
	tool_shell("cp /bin/true /run/cmd; printf '#!/bin/sh\\nrm /run/cmd\\n' >/run/cmd; "
		   "chmod 755 /run/cmd; noblockdns compare --json /run/r.json /run/cmd");
	tool_ended(127);
	lab_assert_int(shim_lines_with(shim_got.err, "cannot execute /run/cmd: No such file"), 1);
	tool_printed("Interrupted: 1 of 5 runs without the shim and 0 of 5 with it were made.");
	report_says("(d['interrupted'], len(d['runs']))", "(True, 1)");
}

/* ---- ends from outside ---- */

static void interrupt(const char *signal, const char *status)
{
	client();
	setenv("SIGNAL", signal, 1);
	tool_shell("noblockdns compare --runs 1 --json /run/r.json -- sh -c '"
		   "[ $NOBLOCKDNS_MODE = on ] || exit 0; touch /run/started; exec $CLIENT forever' "
		   "& pid=$!\n"
		   "while [ ! -e /run/started ]; do sleep 0.05; done\n"
		   "kill -$SIGNAL $pid; wait $pid; echo $?; rm /run/started; "
		   "env -u LD_PRELOAD pgrep -x compare_client");
	tool_printed("Interrupted: 1 of 1 runs without the shim and 1 of 1 with it were made.");
	lab_assert_int(shim_lines_with(shim_got.out, status), 1);
	tool_ended(1); /* pgrep finds nothing */
	report_says("(d['interrupted'], [r['stopped'] for r in d['runs']])",
		    "(True, [False, True])");
}

LabTest(tool_compare, interruption_keeps_what_was_measured)
{
	interrupt("INT", "130");
	interrupt("QUIT", "131");
}

/* CMD gets SIGPIPE as it always did. */
LabTest(tool_compare, who_reads_the_progress_may_go_away)
{
	tool_shell("mkdir /run/tmp; export TMPDIR=/run/tmp; ignored() { grep SigIgn "
		   "/proc/self/status; }; "
		   "export -f ignored; ignored >/run/before; "
		   "noblockdns compare --runs 2 --json /run/r.json bash -c 'sleep 0.1; ignored' "
		   "2>&1 >/run/out | true; ls /run/tmp; "
		   "noblockdns compare --runs 1 --show-output bash -c ignored 2>&1 >/run/out | "
		   "grep SigIgn | sort -u | diff - /run/before");
	lab_assert_str(shim_got.out, "");
	tool_ended(0);
	report_says("(d['interrupted'], len(d['runs']))", "(False, 4)");
}

/* SIGTSTP is bit 19 of what is pending. Stopped in the middle of a run, it would not see its end.
 */
LabTest(tool_compare, suspension_waits_for_the_end_of_the_run)
{
	tool_shell("set -m; mkfifo /run/go\n"
		   "noblockdns compare --runs 1 --json /run/r.json -- "
		   "sh -c 'touch /run/started; read x </run/go' >/run/out 2>&1 & pid=$!\n"
		   "while [ ! -e /run/started ]; do sleep 0.05; done; rm /run/started\n"
		   "kill -TSTP $pid\n"
		   "echo pending $((0x$(sed -n 's/^ShdPnd:\t//p' /proc/$pid/status) >> 19 & 1))\n"
		   "echo >/run/go\n"
		   "until grep -q '^State:.T' /proc/$pid/status; do sleep 0.05; done\n"
		   "kill -CONT $pid\n"
		   "while [ ! -e /run/started ]; do sleep 0.05; done\n"
		   "echo >/run/go; wait $pid");
	tool_ended(0);
	tool_printed("pending 1");
	report_says("(d['interrupted'], [r['stopped'] for r in d['runs']])",
		    "(False, [False, False])");
}

LabTest(tool_compare, service_is_ended_after_its_time)
{
	TOOL("compare", "--runs", "1", "--duration", "1", "--json", "/run/r.json", client(),
	     "forever");
	tool_ended(0);
	report_says("[(r['stopped'], r['signal'], r['duration_ns'] >= 1e9, "
		    "r['threads'][0]['turns'] > 10) for r in d['runs']]",
		    "[(True, 15, True, True), (True, 15, True, True)]");
}

/* The lookup ends with its process: by the limit of the run, or while the run goes on. */
LabTest(tool_compare, wait_that_is_not_over_is_a_stall)
{
	lab_dns_start_text(w, "listen 127.0.0.1:53\non hang.test * drop\n");
	setenv("HANG", "import socket; socket.getaddrinfo(\"hang.test\", 80)", 1);
	tool_shell("noblockdns compare --runs 1 --duration 2 --max-stall 100 --json /run/r.json "
		   "python3 -c \"$HANG\"");
	tool_ended(1);
	tool_printed("A stall with the shim of ");
	report_says("[(r['waits'][0]['name'], r['waits'][0]['error'], 0 <= r['duration_ns'] - "
		    "r['stalls'][0]['start_ns'] - r['stalls'][0]['blocked_ns'] < 1e9) "
		    "for r in d['runs']]",
		    "[('hang.test', 'not over', True), ('hang.test', 'not over', True)]");
	tool_shell("noblockdns compare --runs 1 --json /run/r.json -- sh -c '"
		   "timeout -s KILL 1 python3 -c \"$HANG\"; sleep 1'");
	report_says("[0 < r['stalls'][0]['blocked_ns'] < r['duration_ns'] - 1e9 "
		    "for r in d['runs']]",
		    "[True, True]");
}

LabTest(tool_compare, nothing_is_left_behind)
{
	client();
	tool_shell("mkdir /run/tmp; export TMPDIR=/run/tmp; "
		   "noblockdns compare --runs 1 $CLIENT quiet; cd /run; "
		   "noblockdns compare --runs 1 --traces kept -- sh -c \"cd /; $CLIENT quiet\"; "
		   "ls /run/tmp >&2; noblockdns trace /run/kept/1-with/*.trace");
	tool_ended(0);
	lab_assert_int(shim_lines_with(shim_got.err, "noblockdns-"), 0);
	tool_printed("turns");
}

/* As programs have it without us. */
LabTest(tool_compare, cache_is_in_memory_and_gone_after_a_cold_run)
{
	tool_shell("unset TMPDIR; noblockdns compare --runs 2 -- sh -c '"
		   "getent hosts localhost; folder=${NOBLOCKDNS_CACHE%/*}; "
		   "ls -d \"${folder%/*}\"/cache-* >>/run/where'; cat /run/where");
	tool_ended(0);
	lab_assert_int(shim_lines_with(shim_got.out, "/dev/shm/noblockdns-"), 4);
	tool_shell("ls /dev/shm");
	tool_did_not_print("noblockdns-");
}

LabTest(tool_compare, traces_of_an_earlier_comparison_are_not_mixed)
{
	tool_shell("mkdir -p /run/kept/1-without; noblockdns compare --traces /run/kept true");
	tool_ended(125);
	tool_complained("compare: cannot make /run/kept/1-without: File exists");
}

/* ---- reports ---- */

LabTest(tool_compare, report_on_stdout_is_alone_there)
{
	client();
	tool_shell("noblockdns compare --runs 1 --json - $CLIENT quiet 2>/dev/null | "
		   "python3 -m json.tool >/dev/null && noblockdns compare --runs 1 --html - "
		   "$CLIENT quiet 2>/dev/null | head -n 1");
	tool_ended(0);
	lab_assert_str(shim_got.out, "<!DOCTYPE html>\n");
	TOOL("compare", "--json", "-", "--html", "-", "true");
	tool_ended(2);
	tool_complained("compare: only one report can go to standard output");
}

LabTest(tool_compare, markdown_is_appended)
{
	client();
	tool_shell(
		"echo '# Before' >/run/summary.md; "
		"noblockdns compare --runs 1 --markdown /run/summary.md $CLIENT quiet >/dev/null "
		"&& cat /run/summary.md");
	tool_ended(0);
	lab_assert(strncmp(shim_got.out, "# Before\n### ", 13) == 0, "(%.200s)", shim_got.out);
	tool_printed("\n| | without | with the shim | change |\n| --- | ---: | ---: | ---: |\n");
}

LabTest(tool_compare, report_that_cannot_be_written_is_known_before_anything_runs)
{
	TOOL("compare", "--html", "/nowhere/a.html", "touch", "/run/ran");
	tool_ended(125);
	tool_complained("compare: cannot write /nowhere/a.html: No such file or directory");
	lab_assert(access("/run/ran", F_OK) != 0);
	TOOL("compare", "--runs", "1", "--json", "/dev/full", "true");
	tool_ended(125);
	lab_assert_int(shim_lines_with(shim_got.err, "cannot write /dev/full: No space left"), 1);
}

LabTest(tool_compare, hostile_names_are_harmless)
{
	lab_dns_start_text(w, SLOW);
	client();
	tool_shell("N='<img src=x onerror=alert(1)>|.slow.test'; noblockdns compare --runs 1 "
		   "--json /run/r.json --html /run/r.html --markdown /run/r.md -- "
		   "getent ahosts \"$N\" >/run/out; "
		   "grep -c '<img' /run/r.html /run/r.md; grep -c $'\\e' /run/out");
	lab_assert_str(shim_got.out, "/run/r.html:0\n/run/r.md:0\n0\n");
	report_says("d['names'][0]['name']", "<img src=x onerror=alert(1)>|.slow.test");
}

LabTest(tool_compare, own_settings_are_refused)
{
	TOOL("compare", "--mode", "off", "true");
	tool_ended(2);
	tool_complained("compare: --mode is set for each run by compare itself");
	TOOL("compare", "--warm", "--cold", "true");
	tool_ended(2);
	tool_complained("compare: --warm and --cold exclude each other");
	TOOL("compare");
	tool_ended(2);
}

LabTest(tool_compare, progress_is_one_line_that_changes_on_a_terminal)
{
	tool_shell("script -qec 'noblockdns compare --runs 1 sleep 0.3 >/run/out' /dev/null");
	tool_printed("\r\033[K[1/2] without the shim, ");
	tool_printed("\r\033[K[2/2] with the shim, ");
	tool_did_not_print("\n");
	tool_shell("TERM=dumb script -qec 'noblockdns compare --runs 1 true >/run/out' /dev/null");
	tool_printed("[2/2] with the shim: exit 0, ");
	tool_did_not_print("\033");
}

LabTest(tool_compare, report_does_not_take_the_place_of_a_closed_stream)
{
	tool_shell("noblockdns compare --runs 1 --json /run/r.json true >/run/out 2>&-");
	tool_ended(0);
	report_says("len(d['runs'])", "2");
	tool_shell("noblockdns compare --runs 1 --html /run/r.html true >&-; "
		   "head -c 15 /run/r.html; grep -c WITHOUT /run/r.html");
	lab_assert_str(shim_got.out, "<!DOCTYPE html>0\n");
	lab_assert_int(shim_lines_with(shim_got.err, "cannot write the output: Bad file"), 1);
}

/* ---- the page in a browser ---- */

#define BROWSER                                                                                    \
	"browser=$(command -v chromium-headless-shell || command -v chromium) || exit 77\n"        \
	"browse() { env -u LD_PRELOAD \"$browser\" --headless --no-sandbox --disable-gpu "         \
	"--disable-dev-shm-usage "                                                                 \
	"--user-data-dir=/run/profile --enable-logging=stderr \"$@\" file:///run/r.html; }\n"

LabTest(tool_compare, page_is_shown_by_a_browser)
{
	lab_dns_start_text(w, SLOW);
	TOOL("compare", "--runs", "1", "--html", "/run/r.html", client(), "stall", "/run/measured",
	     "a.slow.test", "b.slow.test");
	tool_ended(0);
	tool_shell(BROWSER "browse --dump-dom 2>/run/log; grep -E 'CONSOLE|Refused' /run/log >&2");
	if (shim_got.status == 77)
		lab_skip("there is no chromium");
	lab_assert_str(shim_got.err, "");
	/* The hover text of each of the four waits. */
	lab_assert_int(shim_lines_with(shim_got.out, "lookup of a.slow.test (libc)"), 1);
	lab_assert_int(shim_lines_with(shim_got.out, "lookup of b.slow.test (upstream)"), 1);
	tool_printed("tabindex=\"0\"");
	tool_printed("</html>");
}

/* A pixel of the ground, in the PNG that the browser makes of the page. */
static void ground_is(const char *setting, const char *expected)
{
	char script[2048];

	snprintf(script, sizeof script,
		 BROWSER "browse --blink-settings=preferredColorScheme=%s --window-size=200,100 "
			 "--screenshot=/run/r.png >/run/log 2>&1\n"
			 "python3 - <<'EOF'\n"
			 "import struct, zlib\n"
			 "png, at, data = open('/run/r.png', 'rb').read(), 8, b''\n"
			 "while at < len(png):\n"
			 "    size, kind = struct.unpack('>I4s', png[at:at + 8])\n"
			 "    if kind == b'IDAT': data += png[at + 8:at + 8 + size]\n"
			 "    at += 12 + size\n"
			 "print(*zlib.decompress(data)[1:4])\n"
			 "EOF",
		 setting);
	tool_shell(script);
	if (shim_got.status == 77)
		lab_skip("there is no chromium");
	lab_assert_str(shim_got.out, expected);
}

LabTest(tool_compare, page_follows_the_colour_scheme)
{
	tool_shell("noblockdns compare --runs 1 --html /run/r.html true");
	ground_is("1", "246 247 249\n");
	ground_is("0", "15 19 24\n");
}

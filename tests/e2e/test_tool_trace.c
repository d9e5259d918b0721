// SPDX-License-Identifier: MIT
/*
 * test_tool_trace.c - programs under NOBLOCKDNS_TRACE, and what `noblockdns trace` says of them.
 *
 * The programs are python3's, which calls getaddrinfo(), connect() and epoll_wait() as they are.
 */
#include "tests/e2e/race_run.h"
#include "tests/e2e/tool_run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRACES "/dev/shm/traces"
#define SCRIPT                                                                                     \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr slow.test 300 A 192.0.2.9\n"                                                           \
	"on slow.test * delay 300\n"

static const char *const trace_env[] = {"NOBLOCKDNS_TRACE=" TRACES, NULL};
static const char *const observe_env[] = {"NOBLOCKDNS_TRACE=" TRACES, "NOBLOCKDNS_MODE=observe",
					  NULL};

/* The program may use `ep`, an epoll set in which nothing ever happens. */
#define LOOP(...)                                                                                  \
	"import os, select, signal, socket, sys, threading, time\n"                                \
	"a, b = socket.socketpair()\n"                                                             \
	"ep = select.epoll()\n"                                                                    \
	"ep.register(a, select.EPOLLIN)\n" __VA_ARGS__

/* `r` are all records of all files, `p` those of processes, `e` the counts at the ends. */
#define CHECK(...)                                                                                 \
	tool_shell("noblockdns trace --json " TRACES " | python3 -c '\n"                           \
		   "import json, sys\n"                                                            \
		   "r = [json.loads(l) for l in sys.stdin]\n"                                      \
		   "p = [x for x in r if x[\"type\"] == \"process\"]\n"                            \
		   "e = [x for x in r if x[\"type\"] == \"end\"]\n"                                \
		   "def of(what): return [x for x in r if x[\"type\"] == what]\n" __VA_ARGS__      \
		   "'");                                                                           \
	lab_assert_str(shim_got.err, "");                                                          \
	tool_ended(0)

static void python(const char *const *env, const char *program)
{
	shim_run(env, SHIM_ARGV("python3", "-c", program));
}

LabTest(tool_trace, stall_of_300_ms_is_told_within_5_percent)
{
	for (int observe = 0; observe < 2; observe++) {
		struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

		python(observe ? observe_env : trace_env,
		       LOOP("socket.getaddrinfo(\"localhost\", 80)\n" /* python loads things */
			    "for i in range(20): ep.poll(0)\n"
			    "t = time.monotonic()\n"
			    "socket.getaddrinfo(\"slow.test\", 80)\n"
			    "t = time.monotonic() - t\n"
			    "for i in range(20): ep.poll(0)\n"
			    "open(\"/run/stall\", \"w\").write(str(t))\n"));
		lab_assert_int(shim_got.status, 0);
		CHECK("real = float(open(\"/run/stall\").read())\n"
		      "stalls = [x for x in of(\"turn\") if x[\"duration_ns\"] > 200e6]\n"
		      "assert len(stalls) == 1, stalls\n"
		      "for ns in stalls[0][\"duration_ns\"], stalls[0][\"blocked_ns\"], "
		      "of(\"thread\")[0][\"longest_ns\"]:\n"
		      "    assert abs(ns / 1e9 - real) < 0.05 * real, (ns, real)\n"
		      "assert stalls[0][\"lookups\"] == 1\n"
		      "assert of(\"thread\")[0][\"turns\"] == 39, of(\"thread\")\n"
		      "slow = [x for x in of(\"lookup\") if x[\"name\"] == \"slow.test\"]\n"
		      "assert abs(slow[0][\"duration_ns\"] / 1e9 - real) < 0.05 * real\n");
		tool_shell("rm -r " TRACES);
		lab_dns_stop(dns);
	}
}

LabTest(tool_trace, program_without_stalls_has_none)
{
	python(trace_env, LOOP("for i in range(1000): ep.poll(0)\n"));
	CHECK("assert of(\"thread\")[0][\"turns\"] == 999\n"
	      "assert sum(of(\"thread\")[0][\"histogram\"]) == 999\n"
	      "assert [x for x in of(\"turn\") if x[\"duration_ns\"] > 200e6] == []\n"
	      "assert of(\"lookup\") == []\n");
}

LabTest(tool_trace, every_way_to_wait_ends_a_turn)
{
	python(trace_env, LOOP("ep.poll(0)\n"
			       "for i in range(3): select.select([a], [], [], 0)\n"
			       "q = select.poll()\n"
			       "q.register(a, select.POLLIN)\n"
			       "for i in range(4): q.poll(0)\n"));
	CHECK("assert of(\"thread\")[0][\"turns\"] == 7, of(\"thread\")\n");
}

LabTest(tool_trace, source_of_each_answer_is_told)
{
	lab_dns_start_text(w, SCRIPT);
	lab_file_replace("/etc/hosts", "192.0.2.7 in.hosts.test\n");
	python(trace_env, LOOP("for n in [\"www.test\", \"www.test\", \"in.hosts.test\", "
			       "\"192.0.2.1\"]: socket.getaddrinfo(n, 80)\n"
			       "socket.gethostbyname(\"www.test\")\n"));
	CHECK("got = [x[\"source\"] for x in of(\"lookup\")]\n"
	      "assert got == [\"upstream\", \"cache\", \"hosts\", \"libc\", \"cache\"], got\n"
	      "assert of(\"lookup\")[0][\"naddresses\"] == 2\n"
	      "assert \"192.0.2.1\" in of(\"lookup\")[0][\"addresses\"]\n");
}

LabTest(tool_trace, observe_changes_no_answer_and_asks_as_libc)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);
	static const char program[] =
		LOOP("for n in [\"www.test\", \"www.test\", \"nope.test\", \"localhost\"]:\n"
		     "    try: print(socket.getaddrinfo(n, 80))\n"
		     "    except OSError as x: print(x)\n"
		     "s = socket.socket()\n"
		     "print(s.connect_ex((\"127.0.0.1\", 1)))\n");
	static struct lab_proc_result libc;
	uint64_t asked;

	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = SHIM_ARGV("python3", "-c", program)},
		     &libc);
	asked = shim_asked(dns, "www.test", LAB_A);
	python(observe_env, program);
	shim_must_equal("observe", &libc, &shim_got);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2 * asked);
	CHECK("assert [x[\"source\"] for x in of(\"lookup\")] == [\"libc\"] * 4\n"
	      "assert of(\"lookup\")[2][\"result\"] == -2\n"
	      "assert p[0][\"mode\"] == \"observe\"\n"
	      "assert of(\"connect\")[0][\"name\"] == \"localhost\"\n"
	      "assert of(\"connect\")[0][\"error\"] == \"Connection refused\"\n");
	lab_assert(access("/dev/shm/noblockdns.0", F_OK) < 0, "(a cache was made)");
}

LabTest(tool_trace, observe_without_a_folder_writes_nothing)
{
	python(SHIM_ENV("NOBLOCKDNS_MODE=observe"), LOOP("socket.getaddrinfo(\"localhost\", 1)\n"));
	lab_assert_str(shim_got.err, "");
	lab_assert(access(TRACES, F_OK) < 0, "(there is one)");
}

LabTest(tool_trace, configuration_file_can_ask_for_it)
{
	lab_file_replace("/etc/noblockdns.conf", "trace = " TRACES "\nmode = observe\n");
	python(NULL, LOOP("for i in range(2): socket.getaddrinfo(\"localhost\", 1)\n"
			  "ep.poll(0)\n"));
	lab_assert_str(shim_got.err, "");
	CHECK("assert len(of(\"lookup\")) >= 1\n"
	      "assert p[0][\"mode\"] == \"observe\"\n");
}

static const struct race_case dead_ipv6[] = {{.nv6 = 1, .nv4 = 1, .net = "to 6 drop"}};

LabTest(tool_trace, race_tells_its_winner, RACE_WORLD)
{
	const char *const env[] = {"NOBLOCKDNS_TRACE=" TRACES, "NOBLOCKDNS_CACHE=private", NULL};
	struct race_net net;

	race_net_start(w, dead_ipv6, 1, NULL, &net);
	shim_run(env, SHIM_ARGV("clients/race_client", "block", "x.c1.test", "8000"));
	shim_run(env, SHIM_ARGV("clients/race_client", "poll", "y.c1.test", "8000"));
	CHECK("block, poll = of(\"race\")\n"
	      "for x in block, poll:\n"
	      "    assert x[\"end\"] == \"won\" and x[\"attempts\"] == 2, x\n"
	      "    assert x[\"address\"].startswith(\"2001:db8:2::\"), x\n"
	      "    assert x[\"winner\"] == \"198.51.100.17\" and not x[\"own_socket\"], x\n"
	      "    assert x[\"duration_ns\"] >= 240e6, x\n"
	      "assert block[\"blocking\"] and not poll[\"blocking\"]\n"
	      "assert [x[\"name\"] for x in (block, poll)] == [\"x.c1.test\", \"y.c1.test\"]\n"
	      "c = [x for x in of(\"connect\") if x[\"port\"] == 8000]\n"
	      "assert c[0][\"result\"] == 0 and c[0][\"duration_ns\"] >= 240e6, c\n"
	      "assert c[1][\"error\"] == \"Operation now in progress\", c\n");
}

LabTest(tool_trace, killed_program_leaves_all_that_it_did)
{
	/* Says how many lookups are done before it is killed inside one more, or between two. */
	python(trace_env, LOOP("n = 0\n"
			       "def f():\n"
			       "    global n\n"
			       "    while True:\n"
			       "        socket.getaddrinfo(\"localhost\", 1)\n"
			       "        n += 1\n"
			       "threading.Thread(target=f).start()\n"
			       "time.sleep(0.2)\n"
			       "print(n, flush=True)\n"
			       "os.kill(os.getpid(), signal.SIGKILL)\n"));
	lab_assert_int(shim_got.signal, SIGKILL);
	setenv("DONE", shim_got.out, 1);
	CHECK("import os\n"
	      "assert len(of(\"lookup\")) >= int(os.environ[\"DONE\"]) > 0\n"
	      "assert e[0][\"unfinished\"] <= 1 and e[0][\"damaged\"] == 0, e\n");
}

LabTest(tool_trace, lookup_that_never_returned_is_told)
{
	lab_dns_start_text(w, "listen 127.0.0.1:53\non hang.test * drop\n");
	python(trace_env, LOOP("threading.Timer(0.5, lambda: os.kill(os.getpid(), 9)).start()\n"
			       "socket.getaddrinfo(\"hang.test\", 80)\n"));
	lab_assert_int(shim_got.signal, 9);
	CHECK("[x] = [x for x in of(\"lookup\") if x[\"duration_ns\"] is None]\n"
	      "assert x[\"name\"] == \"hang.test\" and x[\"result\"] is None, x\n");
	TOOL("trace", "--slow", "1000", TRACES);
	tool_printed("     not over  ");
	tool_shell("noblockdns trace --chrome " TRACES " | python3 -c 'import json, sys\n"
		   "[x] = [x for x in json.load(sys.stdin) if x[\"ph\"] == \"B\"]\n"
		   "assert x[\"name\"] == \"lookup hang.test\", x'");
	tool_ended(0);
}

LabTest(tool_trace, children_have_files_of_their_own)
{
	python(trace_env, LOOP("socket.getaddrinfo(\"localhost\", 1)\n"
			       "for i in range(3):\n"
			       "    if os.fork() == 0:\n"
			       "        socket.getaddrinfo(\"localhost\", 1)\n"
			       "        os._exit(0)\n"
			       "    os.wait()\n"
			       "os.execvp(\"getent\", [\"getent\", \"ahosts\", \"localhost\"])\n"));
	lab_assert_int(shim_got.status, 0);
	CHECK("assert len(p) == 5, p\n"
	      "assert len(set(x[\"pid\"] for x in p)) == 4\n" /* exec keeps the number */
	      "assert [x[\"records\"] for x in e] == [2] * 5, e\n");
}

LabTest(tool_trace, full_disk_ends_the_trace_and_not_the_program)
{
	if (mkdir(TRACES, 0700) != 0 ||
	    mount("traces", TRACES, "tmpfs", MS_NOSUID, "size=256k,mode=0700") != 0)
		lab_skip("cannot mount a tmpfs");
	python(trace_env, LOOP("for i in range(5000): socket.getaddrinfo(\"localhost\", 1)\n"
			       "print(\"alive\")\n"));
	lab_assert_str(shim_got.out, "alive\n");
	CHECK("assert e[0][\"dropped\"] > 0\n"
	      "assert e[0][\"records\"] > 500\n"
	      "assert e[0][\"records\"] + e[0][\"dropped\"] == 5001, e\n"
	      "assert e[0][\"damaged\"] == e[0][\"unfinished\"] == 0, e\n");
}

LabTest(tool_trace, full_disk_is_called_by_its_name)
{
	if (mkdir(TRACES, 0700) != 0 ||
	    mount("traces", TRACES, "tmpfs", MS_NOSUID, "size=16k,mode=0700") != 0)
		lab_skip("cannot mount a tmpfs");
	python(trace_env, LOOP("socket.getaddrinfo(\"localhost\", 1)\n"));
	lab_assert_int(shim_got.status, 0);
	shim_warned("trace: " TRACES ": No space left on device; nothing is recorded");
}

LabTest(tool_trace, folder_that_cannot_be_had_is_said_once)
{
	python(SHIM_ENV("NOBLOCKDNS_TRACE=/proc/nowhere"),
	       LOOP("for i in range(3): socket.getaddrinfo(\"localhost\", 1)\n"));
	lab_assert_int(shim_got.status, 0);
	shim_warned("trace: /proc/nowhere: No such file or directory; nothing is recorded");
}

LabTest(tool_trace, name_and_time_select)
{
	lab_dns_start_text(w, SCRIPT);
	python(trace_env, LOOP("for n in [\"www.test\", \"slow.test\", \"localhost\"]: "
			       "socket.getaddrinfo(n, 80)\n"));
	TOOL("trace", "--name", "WWW.test.", TRACES);
	tool_ended(0);
	lab_assert_int(shim_lines_with(shim_got.out, " lookup "), 1);
	tool_printed("www.test (getaddrinfo, upstream): ");
	TOOL("trace", "--slow", "200", TRACES);
	lab_assert_int(shim_lines_with(shim_got.out, " lookup "), 1);
	tool_printed("slow.test");
}

LabTest(tool_trace, chrome_form_is_an_array_of_events)
{
	python(trace_env, LOOP("ep.poll(0)\n"
			       "socket.getaddrinfo(\"localhost\", 1)\n"
			       "ep.poll(0)\n"));
	tool_shell("noblockdns trace --chrome " TRACES " | python3 -c '\n"
		   "import json, sys\n"
		   "r = json.load(sys.stdin)\n"
		   "assert [x[\"name\"] for x in r if x[\"ph\"] == \"M\"] == "
		   "[\"process_name\", \"thread_name\"]\n"
		   "x = [x for x in r if x[\"ph\"] == \"X\"]\n"
		   "look, turn = x\n"
		   "assert look[\"name\"] == \"getaddrinfo localhost\", x\n"
		   "assert turn[\"ts\"] <= look[\"ts\"]\n"
		   "assert look[\"ts\"] + look[\"dur\"] <= turn[\"ts\"] + turn[\"dur\"] + 0.01\n"
		   "'");
	lab_assert_str(shim_got.err, "");
	tool_ended(0);
}

LabTest(tool_trace, damaged_file_is_read_as_far_as_it_goes)
{
	python(trace_env, LOOP("for i in range(100): socket.getaddrinfo(\"localhost\", 1)\n"));
	tool_shell("f=$(echo " TRACES "/*); head -c 6000 /dev/urandom |"
		   "env -u LD_PRELOAD dd of=$f bs=1 seek=7000 conv=notrunc 2>/dev/null\n"
		   "noblockdns trace $f && truncate -s 6500 $f && noblockdns trace $f");
	tool_ended(0);
	tool_printed(" damaged");
	tool_printed("; the file is cut off");
}

LabTest(tool_trace, what_is_no_trace_is_refused)
{
	TOOL("trace", "/etc/hosts");
	tool_ended(125);
	tool_complained("trace: /etc/hosts: not a trace file");
	TOOL("trace", "/nowhere");
	tool_ended(125);
	TOOL("trace", "--json", "--chrome", "/etc/hosts");
	tool_ended(2);
	TOOL("trace");
	tool_ended(2);
}

// SPDX-License-Identifier: MIT
/*
 * test_tool_stats.c - `noblockdns stats`: what programs count, held to what the server has seen.
 */
#include "tests/e2e/dot_run.h"
#include "tests/e2e/stale_run.h"
#include "tests/e2e/tool_run.h"

#define SCRIPT                                                                                     \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 60 SOA 60\n"                                                                      \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr short.test 1 A 192.0.2.3\n"                                                            \
	"on broken.test * servfail\n"

/* A counter of the JSON form. */
static void counted(const char *name, unsigned n)
{
	char part[64];

	snprintf(part, sizeof part, "\"%s\": %u,", name, n);
	tool_printed(part);
}

LabTest(tool_stats, hits_and_misses_of_short_programs_are_counted)
{
	lab_dns_start_text(w, SCRIPT);
	for (int i = 0; i < 4; i++)
		shim_run(NULL, LOOK_UP);
	TOOL("stats", "--json");
	tool_ended(0);
	counted("hits", 3);
	counted("misses", 1);
	tool_printed("\"upstream\": \"127.0.0.1:53\",\n      \"transport\": \"udp\",\n"
		     "      \"queries\": 2,\n      \"answers\": 2,\n      \"failures\": 0,");
	TOOL("stats");
	tool_printed("3 hits, 1 misses: 75.0 % answered from the cache");
	tool_printed("127.0.0.1:53");
}

LabTest(tool_stats, failures_and_stale_answers_are_counted, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	shim_run(NULL, SHIM_ARGV("clients/lookup", "broken.test"));
	shim_run(NULL, SHIM_ARGV("clients/lookup", "broken.test"));
	shim_run(NULL, SHIM_ARGV("clients/lookup", "short.test"));
	sleep_ms(1200);
	lab_dns_vanish(dns);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "short.test"));
	TOOL("stats", "--json");
	counted("remembered", 1);
	counted("stale", 1);
	counted("misses", 4);
}

LabTest(tool_stats, threads_that_wait_for_one_question_are_counted)
{
	lab_dns_start_text(w, SCRIPT "on www.test * delay 400\n");
	tool_shell("for i in 1 2 3; do LD_PRELOAD=$NBD_BUILD/libnoblockdns.so "
		   "$NBD_BUILD/clients/lookup www.test & done; wait");
	TOOL("stats", "--json");
	counted("misses", 3);
	counted("waited", 2);
	counted("hits", 0);
	tool_printed("\"queries\": 2,");
}

LabTest(tool_stats, handshakes_and_resumptions_are_counted)
{
	struct lab_dns *dns;

	dns = lab_dns_start_text(w, "listen 127.0.0.53:853 tls\nrr *.test 300 A 192.0.2.1\n");
	(void)dns;
	dot_use(w, "tls://127.0.0.53#dns.test");
	shim_run(NULL, SHIM_ARGV("clients/lookup", "a.test"));
	shim_run(NULL, SHIM_ARGV("clients/lookup", "b.test"));
	TOOL("stats", "--json");
	tool_printed("\"upstream\": \"127.0.0.53:853\",\n      \"transport\": \"tls\",\n"
		     "      \"queries\": 4,\n      \"answers\": 4,\n      \"failures\": 0,\n"
		     "      \"handshakes\": 2,\n      \"resumed\": 1\n");
	TOOL("stats", "--prometheus");
	tool_printed("noblockdns_upstream_handshakes_total{upstream=\"127.0.0.53:853\","
		     "transport=\"tls\",resumed=\"true\"} 1\n");
}

/* The text format by its grammar: HELP, TYPE, then samples of that metric alone; names and labels
 * of their letters; counters end in _total; buckets grow up to +Inf, which is the count. */
static const char parser[] =
	"import re, sys, math\n"
	"text = sys.stdin.read()\n"
	"assert text.endswith('\\n')\n"
	"metric = kind = help = None; seen = set(); samples = 0\n"
	"label = r'[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\"'\n"
	"line_re = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(' + label + r'(?:,' + label + "
	"r')*)\\})? (\\S+)')\n"
	"buckets = []\n"
	"for line in text.splitlines():\n"
	"    if line.startswith('# HELP '):\n"
	"        help = line.split(' ', 3)[2]; assert help not in seen; seen.add(help)\n"
	"    elif line.startswith('# TYPE '):\n"
	"        _, _, metric, kind = line.split(' '); assert metric == help, line\n"
	"        assert kind in ('counter', 'histogram') and (kind != 'counter' or "
	"metric.endswith('_total')), line\n"
	"    else:\n"
	"        m = line_re.fullmatch(line); assert m, line\n"
	"        name, labels, value = m.groups(); value = float(value); samples += 1\n"
	"        assert value >= 0 and math.isfinite(value)\n"
	"        if kind == 'counter': assert name == metric, line\n"
	"        elif name == metric + '_bucket':\n"
	"            le = float(re.fullmatch('le=\"(.*)\"', labels).group(1))\n"
	"            assert not buckets or (le > buckets[-1][0] and value >= buckets[-1][1]), "
	"line\n"
	"            buckets.append((le, value))\n"
	"        elif name == metric + '_count': assert buckets[-1] == (math.inf, value)\n"
	"        else: assert name == metric + '_sum', line\n"
	"print('samples', samples)\n";

LabTest(tool_stats, metrics_follow_the_grammar_of_prometheus)
{
	char script[8192];

	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, LOOK_UP);
	snprintf(script, sizeof script,
		 "cat >/run/parser.py <<'END'\n%sEND\n"
		 "noblockdns stats --prometheus | python3 /run/parser.py",
		 parser);
	tool_shell(script);
	lab_assert_str(shim_got.err, "");
	lab_assert_str(shim_got.out, "samples 37\n");
}

LabTest(tool_stats, file_is_replaced_as_a_whole)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, LOOK_UP);
	tool_shell("cd /run; echo old >dns.prom; noblockdns stats --prometheus --output dns.prom; "
		   "ls dns.prom*; stat -c %a dns.prom; grep -c . dns.prom; "
		   "noblockdns stats --prometheus --output /run/none/x");
	lab_assert(strncmp(shim_got.out, "dns.prom\n644\n", 13) == 0, "(%s)", shim_got.out);
	tool_ended(125);
	tool_complained("stats: /run/none/x: No such file or directory");
}

LabTest(tool_stats, output_that_is_no_file_stays_what_it_is)
{
	shim_run(NULL, LOOK_UP);
	tool_shell("cd /run; mknod null c 1 3; noblockdns stats --output null && test -c null; "
		   "echo =$?; mkfifo pipe; cat pipe & noblockdns stats --output pipe; wait; "
		   "test -p pipe; echo =$?; echo old >file; ln -s file link; "
		   "noblockdns stats --output link; test -L link; echo =$?; grep -c old file");
	lab_assert_int(shim_lines_with(shim_got.out, "=0"), 3);
	tool_printed("Questions\n");
	tool_ended(1); /* nothing old */
	lab_assert_str(shim_got.err, "");
}

LabTest(tool_stats, figures_of_another_file_are_not_shown)
{
	tool_shell("head -c 100000 /dev/urandom >/run/other; chmod 600 /run/other; "
		   "noblockdns stats --cache /run/other");
	tool_ended(125);
	tool_complained("stats: /run/other: not a cache file");
	lab_assert_str(shim_got.out, "");
}

LabTest(tool_stats, full_disk_leaves_the_file_as_it_was)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, LOOK_UP);
	tool_shell("mkdir /run/full && mount -t tmpfs -o size=8k none /run/full && cd /run/full || "
		   "exit 99; echo old >dns.prom; noblockdns stats --prometheus --output dns.prom; "
		   "status=$?; ls; cat dns.prom; exit $status");
	tool_ended(125);
	lab_assert_str(shim_got.out, "dns.prom\nold\n");
	tool_complained("stats: dns.prom: No space left on device");
}

LabTest(tool_stats, watching_ends_after_so_many)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, LOOK_UP);
	TOOL("stats", "--watch", "--interval", "1", "--count", "2");
	tool_ended(0);
	lab_assert_int(shim_lines_with(shim_got.out, " misses a second"), 1);
	lab_assert(strchr(shim_got.out, 27) == NULL);
	TOOL("stats", "--watch", "--json", "--count", "1");
	lab_assert_int(shim_lines_with(shim_got.out, ""), 1);
}

LabTest(tool_stats, no_cache_is_1)
{
	TOOL("stats");
	tool_ended(1);
	lab_assert(strstr(shim_got.err, "stats: there is no cache yet: /dev/shm/") != NULL, "(%s)",
		   shim_got.err);
}

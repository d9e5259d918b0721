// SPDX-License-Identifier: MIT
/*
 * test_tool_cache.c - `noblockdns cache` on what programs have left in their cache.
 */
#include "tests/e2e/stale_run.h"
#include "tests/e2e/tool_run.h"

#define SCRIPT                                                                                     \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 60 SOA 60\n"                                                                      \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr alias.shop.test 300 CNAME www.test\n"                                                  \
	"rr short.test 1 A 192.0.2.3\n"                                                            \
	"on broken.test * servfail\n"

static const char *const look_up[] = {"clients/lookup", "www.test", NULL};

LabTest(tool_cache, list_has_what_a_program_looked_up)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, look_up);
	TOOL("cache", "list");
	tool_ended(0);
	lab_assert_int(shim_lines_with(shim_got.out, "www.test"), 2);
	tool_printed("2001:db8::1");
	tool_printed("fresh");
	lab_assert_int(shim_lines_with(shim_got.out, "*"), 2);
	TOOL("cache", "list", "--json");
	lab_assert_int(shim_lines_with(shim_got.out, ""), 1);
	tool_printed("{\"name\":\"www.test\"");
	tool_printed("\"own_view\":true");
	tool_printed("\"addresses\":[\"192.0.2.1\"]");
}

LabTest(tool_cache, show_tells_chain_and_negative_answers)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "alias.shop.test"));
	shim_run(NULL, SHIM_ARGV("clients/lookup", "none.test"));
	TOOL("cache", "show", "Alias.Shop.Test.");
	tool_ended(0);
	tool_printed("alias.shop.test -> www.test\n");
	tool_printed("A     answer, fresh for ");
	tool_printed("        192.0.2.1\n");
	TOOL("cache", "show", "none.test");
	tool_printed("no such name, fresh for ");
}

LabTest(tool_cache, show_of_an_unknown_name_is_1)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, look_up);
	TOOL("cache", "show", "other.test");
	tool_ended(1);
	tool_complained("cache: there is no entry of other.test");
}

LabTest(tool_cache, failures_and_stale_answers_are_told)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "broken.test"));
	TOOL("cache", "show", "broken.test");
	tool_printed("failures\n");
	tool_printed("SERVFAIL");
	shim_run(NULL, SHIM_ARGV("clients/lookup", "short.test"));
	sleep_ms(1200);
	TOOL("cache", "show", "short.test");
	tool_printed("stale since");
	tool_run(SHIM_ENV("NOBLOCKDNS_STALE_MAX=0"), SHIM_ARGV("noblockdns", "cache", "list"));
	tool_printed("expired");
}

LabTest(tool_cache, name_that_was_flushed_is_asked_again)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	shim_run(NULL, look_up);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "alias.shop.test"));
	TOOL("cache", "flush", "www.test");
	tool_ended(0);
	lab_assert_str(shim_got.out, "1 entry forgotten\n");
	shim_run(NULL, look_up);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "alias.shop.test"));
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_assert_int(shim_asked(dns, "alias.shop.test", LAB_A), 1);
	TOOL("cache", "flush", "other.test");
	tool_ended(1);
}

LabTest(tool_cache, flush_obeys_suffix_and_view)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, look_up);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "alias.shop.test"));
	shim_run(SHIM_ENV("NOBLOCKDNS_UPSTREAM=tcp://127.0.0.1"), look_up);
	TOOL("cache", "stat", "--json");
	tool_printed("\"names\": 3");
	TOOL("cache", "flush", "--suffix", "shop.test");
	lab_assert_str(shim_got.out, "1 entry forgotten\n");
	TOOL("cache", "flush", "--view", "own");
	lab_assert_str(shim_got.out, "1 entry forgotten\n");
	TOOL("cache", "flush", "--view", "own", "--upstream", "tcp://127.0.0.1");
	lab_assert_str(shim_got.out, "1 entry forgotten\n");
	TOOL("cache", "list");
	lab_assert_str(shim_got.out, "");
}

/* The program keeps its mapping: the file is the same. */
LabTest(tool_cache, flush_reaches_a_program_that_runs)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	tool_shell("LD_PRELOAD=$NBD_BUILD/libnoblockdns.so python3 -c \"\n"
		   "import socket, subprocess, os\n"
		   "socket.gethostbyname('www.test')\n"
		   "before = os.stat('/dev/shm/noblockdns.%d/cache-v5' % os.getuid()).st_ino\n"
		   "subprocess.run(['noblockdns', 'cache', 'flush'], check=True)\n"
		   "socket.gethostbyname('www.test')\n"
		   "after = os.stat('/dev/shm/noblockdns.%d/cache-v5' % os.getuid()).st_ino\n"
		   "print(before == after)\"");
	tool_printed("1 entry forgotten\n");
	tool_printed("True\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
}

LabTest(tool_cache, damaged_file_is_read_and_left_alone)
{
	lab_dns_start_text(w, SCRIPT);
	shim_run(NULL, look_up);
	tool_shell("printf xxx | env -u LD_PRELOAD " /* dd asks for memory as no sanitizer likes */
		   "dd of=/dev/shm/noblockdns.$(id -u)/cache-v5 bs=1 seek=32 conv=notrunc "
		   "status=none; noblockdns cache list; noblockdns cache flush; echo $?");
	tool_printed("192.0.2.1");
	tool_printed("125\n");
	lab_assert(strstr(shim_got.err, "damaged header") != NULL, "(%s)", shim_got.err);
	lab_assert(strstr(shim_got.err, "is left alone") != NULL, "(%s)", shim_got.err);
}

LabTest(tool_cache, nothing_is_made_where_there_is_no_cache)
{
	TOOL("cache", "list");
	tool_ended(1);
	lab_assert(strstr(shim_got.err, "cache: there is none yet: /dev/shm/") != NULL, "(%s)",
		   shim_got.err);
	tool_shell("ls /dev/shm/noblockdns.$(id -u)");
	lab_assert_str(shim_got.out, "");
}

LabTest(tool_cache, mistakes_are_one_line)
{
	TOOL("cache", "lst");
	tool_ended(2);
	tool_complained("cache: there is no lst; did you mean list?");
	TOOL("cache", "show");
	tool_ended(2);
	tool_complained("cache show: which name?");
	TOOL("cache", "list", "--view", "mine");
	tool_ended(2);
	tool_complained("cache: --view: \"mine\" is not allowed (own, or up to 16 digits of 0 to "
			"9 and a to f)");
	TOOL("cache", "stat", "more");
	tool_ended(2);
	tool_complained("cache stat: \"more\" is one argument too many");
}

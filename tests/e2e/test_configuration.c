// SPDX-License-Identifier: MIT
/*
 * test_configuration.c - system files that are malformed or huge, and the shim's own settings, bad
 * ones too, as a program under the shim sees them.
 */
#include "tests/e2e/shim_run.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS                                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"                                                       \
	"rr short.test 1 A 192.0.2.3\n"                                                            \
	"rr long.test 100000 A 192.0.2.4\n"
#define ZONE "listen 127.0.0.1:53\n" RECORDS

#define BOTH	    "www.test: 2001:db8::1 192.0.2.1\n"
#define LOOKUP(...) SHIM_ARGV("clients/lookup", __VA_ARGS__)

/* ---- files of the system, malformed ---- */

struct malformed {
	const char *path;
	const char *text;
};

static const struct malformed malformed[] = {
	{"/etc/resolv.conf", ""},
	{"/etc/resolv.conf", "nameserver\nnameserver not-an-address\nnameserver 127.0.0.1\n"},
	{"/etc/resolv.conf", "\tnameserver 127.0.0.9\nnameserver 127.0.0.1 trailing words\n"},
	{"/etc/resolv.conf", "NAMESERVER 127.0.0.9\n;nameserver 127.0.0.9\nnameserver 127.1\n"},
	{"/etc/resolv.conf",
	 "nameserver 127.0.0.1\noptions ndots:99 timeout:-1 attempts:x bogus\n"},
	{"/etc/resolv.conf", "nameserver 127.0.0.1\noptions ndots: timeout: attempts:\nsearch\n"},
	{"/etc/resolv.conf", "nameserver 127.0.0.1\nsearch . .. a..b test\noptions ndots:3"},
	{"/etc/resolv.conf", "nameserver 127.0.0.1\nsortlist 1.2.3.4/99\ndomain\n"},
	{"/etc/resolv.conf", "\r\nnameserver 127.0.0.1\r\n"},
	{"/etc/resolv.conf", "\xff\xfe\x01\nnameserver 127.0.0.1\n\n\n#"},
	{"/etc/hosts", ""},
	{"/etc/hosts", "192.0.2.77\n192.0.2.78   \nnot-an-address www.test\n"},
	{"/etc/hosts", "192.0.2.300 www.test\n192.0.2.7 #www.test\n1.2.3 www.test\n"},
	{"/etc/hosts", "192.0.2.7 www.test"},
	{"/etc/hosts", "192.0.2.7\twww.test\r\n192.0.2.8 x\n"},
	{"/etc/hosts", "2001:db8::7%lo www.test\n::ffff:192.0.2.7 www.test\n"},
	{"/etc/hosts", "192.0.2.7 \xff\xff www.test. WWW.TEST\n"},
	{"/etc/nsswitch.conf", ""},
	{"/etc/nsswitch.conf", "hosts files dns\n"},
	{"/etc/nsswitch.conf", "hosts: files [!NOTFOUND=return dns\n"},
	{"/etc/nsswitch.conf", "hosts: files [WRONG=return] dns\n"},
	{"/etc/nsswitch.conf", "hosts: nosuchmodule dns\n"},
	{"/etc/nsswitch.conf", "hosts: nosuchmodule [UNAVAIL=return] dns\n"},
	{"/etc/nsswitch.conf", "hosts: dns\nhosts: files\n"},
	{"/etc/gai.conf", "label\nprecedence ::/0\nlabel ::/999 1\nprecedence x/y z\nreload\n"},
	{"/etc/gai.conf", "precedence ::ffff:0:0/96 100\nprecedence ::/0 -1\nscopev4 nonsense 1\n"},
	{"/etc/host.conf", "multi on\nreorder off\ntrim .test\norder hosts,bind\n"},
};

LabTest(configuration, malformed_system_file_is_read_as_libc_reads_it)
{
	static char was[65536];

	lab_dns_start_text(w, ZONE);
	for (unsigned i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
		const struct malformed *m = &malformed[i];
		/* nothing of the row before may answer for this one */
		const struct lab_proc_opts opts = {
			.argv = LOOKUP("-c", "www.test", "www", "nope.test", "localhost"),
			.env = SHIM_ENV("NOBLOCKDNS_CACHE=private")};
		bool existed = lab_file_read(m->path, was, sizeof was) >= 0;
		char what[300];

		snprintf(what, sizeof what, "row %u, %s with \"%.200s\"", i, m->path, m->text);
		lab_file_replace(m->path, m->text);
		shim_as_libc(what, &opts);
		if (existed)
			lab_file_replace(m->path, was);
		else
			unlink(m->path);
	}
}

static const char *const sources[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
				      "/etc/gai.conf", "/etc/host.conf"};

LabTest(configuration, absent_system_file_is_what_it_is_for_libc)
{
	lab_dns_start_text(w, ZONE);
	for (unsigned i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		const struct lab_proc_opts opts = {
			.argv = LOOKUP("www.test", "nope.test", "localhost"),
			.env = SHIM_ENV("NOBLOCKDNS_CACHE=private")};

		unlink(sources[i]);
		shim_as_libc(sources[i], &opts);
	}
}

LabTest(configuration, folder_in_place_of_a_system_file_is_what_it_is_for_libc)
{
	lab_dns_start_text(w, ZONE);
	for (unsigned i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		const struct lab_proc_opts opts = {.argv = LOOKUP("www.test", "nope.test"),
						   .env = SHIM_ENV("NOBLOCKDNS_CACHE=private")};

		unlink(sources[i]);
		lab_assert(mkdir(sources[i], 0755) == 0);
		shim_as_libc(sources[i], &opts);
		lab_assert(rmdir(sources[i]) == 0);
	}
}

LabTest(configuration, hosts_file_of_200000_lines_is_read)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);
	FILE *f = fopen("/etc/hosts", "we");

	lab_assert(f != NULL);
	for (unsigned i = 0; i < 200000; i++)
		fprintf(f, "10.%u.%u.%u host%u.big h%u\n", i >> 16, i >> 8 & 255, i & 255, i, i);
	lab_assert(fclose(f) == 0);
	shim_says(NULL, LOOKUP("host0.big", "h131072", "host199999.big"),
		  "host0.big: 10.0.0.0\nh131072: 10.2.0.0\nhost199999.big: 10.3.13.63\n");
	shim_says(NULL, LOOKUP("www.test"), BOTH);
	lab_assert_int(shim_asked(dns, NULL, LAB_ANY_TYPE), 2);
}

/* libc complains on the program's stderr. The shim reads the file alike, and keeps quiet. */
LabTest(configuration, malformed_host_conf_is_not_complained_about,
	.host_conf = "multi perhaps\nnonsense on\n",
	.hosts = "192.0.2.7 www.test\n192.0.2.8 www.test\n")
{
	const struct lab_proc_opts opts = {.argv = LOOKUP("-4", "www.test")};

	lab_proc_run(NULL, &opts, &shim_got);
	lab_assert(shim_got.err[0] != '\0');
	lab_assert_str(shim_got.out, "www.test: 192.0.2.7\n");
	shim_says(NULL, opts.argv, "www.test: 192.0.2.7\n");
}

/* libc walks off the end of an empty list of sources, and crashes where memory is not all zero. */
LabTest(configuration, hosts_line_without_sources_finds_nothing, .nsswitch = "hosts:\n")
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_says(NULL, LOOKUP("www.test", "localhost", "192.0.2.5"),
		  "www.test: EAI_SYSTEM\nlocalhost: EAI_SYSTEM\n192.0.2.5: 192.0.2.5\n");
	shim_says(NULL, LOOKUP("-4", "www.test"), "www.test: EAI_SYSTEM\n");
	lab_assert_int(shim_asked(dns, NULL, LAB_ANY_TYPE), 0);
}

/* ---- our own settings, bad ---- */

static const char *const bad_values[] = {
	"NOBLOCKDNS_MODE=maybe",
	"NOBLOCKDNS_UPSTREAM=http://127.0.0.1",
	"NOBLOCKDNS_UPSTREAM=udp://no.address",
	"NOBLOCKDNS_UPSTREAM=udp://127.0.0.1:99999",
	"NOBLOCKDNS_TLS=lax",
	"NOBLOCKDNS_TLS_CA=relative/path",
	"NOBLOCKDNS_TLS_PIN=md5/abc",
	"NOBLOCKDNS_CACHE=relative/path",
	"NOBLOCKDNS_CACHE_SIZE=enormous",
	"NOBLOCKDNS_CACHE_SIZE=-1",
	"NOBLOCKDNS_DEADLINE_MS=5s",
	"NOBLOCKDNS_DEADLINE_MS=0",
	"NOBLOCKDNS_STALE_AFTER_MS=99999999999999999999",
	"NOBLOCKDNS_STALE_MAX=x",
	"NOBLOCKDNS_MIN_TTL=-5",
	"NOBLOCKDNS_MAX_TTL=1.5",
	"NOBLOCKDNS_RACE=2",
	"NOBLOCKDNS_RACE_DELAY_MS=1",
	"NOBLOCKDNS_RESOLUTION_DELAY_MS=never",
	"NOBLOCKDNS_LOG=loud",
	"NOBLOCKDNS_LOG_FILE=relative",
	"NOBLOCKDNS_TRACE=relative",
};

/* "NOBLOCKDNS_X=value" in a message: the name and the value must both be there. */
static void warned_of(const char *setting)
{
	char name[64];

	snprintf(name, sizeof name, "%.*s", (int)strcspn(setting, "="), setting);
	shim_warned(name);
	shim_warned(strchr(setting, '=') + 1);
}

LabTest(configuration, bad_value_gives_one_line_and_the_default)
{
	lab_dns_start_text(w, ZONE);
	for (unsigned i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
		shim_run(SHIM_ENV(bad_values[i]), LOOKUP("-n2", "www.test"));
		lab_assert_str(shim_got.out, BOTH BOTH);
		lab_assert_int(shim_got.status, 0);
		warned_of(bad_values[i]);
	}
}

LabTest(configuration, program_that_looks_nothing_up_is_told_nothing)
{
	for (unsigned i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++)
		shim_says(SHIM_ENV(bad_values[i]), SHIM_ARGV("sh", "-c", "ls / >/dev/null | cat"),
			  "");
}

LabTest(configuration, empty_value_is_the_default_without_a_word)
{
	lab_dns_start_text(w, ZONE);
	for (unsigned i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
		char empty[64];

		snprintf(empty, sizeof empty, "%.*s=", (int)strcspn(bad_values[i], "="),
			 bad_values[i]);
		shim_says(SHIM_ENV(empty), LOOKUP("www.test"), BOTH);
	}
}

/* ---- where settings come from ---- */

LabTest(configuration, file_is_read)
{
	struct lab_dns *dns = lab_dns_start_text(w, "listen 127.0.0.2:5353\n" RECORDS);

	lab_file_replace("/etc/noblockdns.conf", "# ours\n\n upstream = udp://127.0.0.2:5353 \n");
	shim_says(NULL, LOOKUP("www.test"), BOTH);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

LabTest(configuration, environment_beats_the_file)
{
	struct lab_dns *dns = lab_dns_start_text(w, "listen 127.0.0.2:5353\n" RECORDS);

	lab_file_replace("/etc/noblockdns.conf", "upstream = udp://127.0.0.9:9\nmode = off\n");
	shim_says(SHIM_ENV("NOBLOCKDNS_UPSTREAM=udp://127.0.0.2:5353", "NOBLOCKDNS_MODE=on"),
		  LOOKUP("www.test"), BOTH);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

LabTest(configuration, bad_line_of_the_file_is_named)
{
	lab_dns_start_text(w, ZONE);
	lab_file_replace("/etc/noblockdns.conf", "mode = on\nnonsense\n");
	shim_run(NULL, LOOKUP("www.test"));
	lab_assert_str(shim_got.out, BOTH);
	shim_warned("/etc/noblockdns.conf: line 2");
	lab_file_replace("/etc/noblockdns.conf", "mood = on\n");
	shim_run(NULL, LOOKUP("www.test"));
	shim_warned("\"mood\"");
	lab_file_replace("/etc/noblockdns.conf", "deadline_ms = soon\n");
	shim_run(NULL, LOOKUP("www.test"));
	shim_warned("deadline_ms: \"soon\"");
}

LabTest(configuration, unusable_file_is_no_file)
{
	lab_dns_start_text(w, ZONE);
	lab_assert(mkdir("/etc/noblockdns.conf", 0755) == 0);
	shim_says(NULL, LOOKUP("www.test"), BOTH);
	lab_assert(rmdir("/etc/noblockdns.conf") == 0);
	lab_assert(mkfifo("/etc/noblockdns.conf", 0644) == 0);
	shim_says(NULL, LOOKUP("www.test"), BOTH);
}

LabTest(configuration, log_file_gets_the_lines)
{
	char text[4096], setting[256];

	lab_dns_start_text(w, ZONE);
	snprintf(setting, sizeof setting, "NOBLOCKDNS_LOG_FILE=%s/log", lab_world_dir(w));
	shim_says(SHIM_ENV(setting, "NOBLOCKDNS_RACE=2"), LOOKUP("www.test"), BOTH);
	lab_assert(lab_file_read(strchr(setting, '=') + 1, text, sizeof text) > 0);
	lab_assert_int(shim_lines_with(text, "NOBLOCKDNS_RACE"), 1);
	lab_assert_int(shim_lines_with(text, ""), 1);
}

/* Nobody shall lose an error because the log is lost. */
LabTest(configuration, lines_for_a_log_file_that_cannot_be_opened_go_to_stderr)
{
	lab_dns_start_text(w, ZONE);
	shim_run(SHIM_ENV("NOBLOCKDNS_LOG_FILE=/nowhere/log", "NOBLOCKDNS_RACE=2"),
		 LOOKUP("www.test"));
	lab_assert_str(shim_got.out, BOTH);
	shim_warned("NOBLOCKDNS_RACE");
}

/* Descriptor 2 may be anything once the program has closed its stderr. */
LabTest(configuration, complaint_does_not_land_in_the_programs_file)
{
	char script[2048], text[64];

	lab_dns_start_text(w, ZONE);
	snprintf(script, sizeof script,
		 "echo data >'%s/file'; exec 2<>'%s/file'; exec '%s/clients/lookup' www.test",
		 lab_world_dir(w), lab_world_dir(w), lab_build_dir());
	shim_says(SHIM_ENV("NOBLOCKDNS_RACE=2"), SHIM_ARGV("sh", "-c", script), BOTH);
	snprintf(script, sizeof script, "%s/file", lab_world_dir(w));
	lab_assert(lab_file_read(script, text, sizeof text) >= 0);
	lab_assert_str(text, "data\n");
}

/* As systemd-resolved and resolvconf have it: the file behind the link is replaced. */
LabTest(configuration, resolv_conf_behind_a_link_is_followed)
{
	const struct lab_proc_opts opts = {
		.argv = LOOKUP("-4", "-n2", "-w1200", "www.test"),
		.preload = true,
	};
	struct lab_dns *old = lab_dns_start_text(w, ZONE), *new;
	pid_t pid;

	new = lab_dns_start_text(w, "listen 127.0.0.2:53\n" RECORDS);
	lab_file_replace("/run/resolv.conf", "nameserver 127.0.0.1\n");
	lab_assert(unlink("/etc/resolv.conf") == 0);
	lab_assert(symlink("../run/resolv.conf", "/etc/resolv.conf") == 0);
	pid = lab_proc_spawn(w, &opts);
	lab_dns_wait_count(old, "www.test", LAB_A, 1, 10000);
	lab_file_replace("/run/resolv.conf", "nameserver 127.0.0.2\n");
	lab_assert_int(lab_proc_wait(pid, 20000), 0);
	lab_assert_int(shim_asked(old, "www.test", LAB_A), 1);
	lab_assert_int(shim_asked(new, "www.test", LAB_A), 1);
}

/* Same servers and so the same part of the cache, but they are asked in another way. Answers with a
 * TTL of 0 are asked for each time. */
LabTest(configuration, rotate_that_is_set_later_is_obeyed,
	.resolv_conf = "nameserver 127.0.0.1\nnameserver 127.0.0.2\n")
{
	static const char zone[] = "rr test 300 SOA 60\n"
				   "rr a.test 0 A 192.0.2.1\n"
				   "rr b.test 0 A 192.0.2.2\n";
	const struct lab_proc_opts opts = {
		.argv = LOOKUP("-4", "-n2", "-w1200", "a.test", "b.test"),
		.preload = true,
	};
	struct lab_dns *first, *second;
	char text[512];
	pid_t pid;

	snprintf(text, sizeof text, "listen 127.0.0.1:53\n%s", zone);
	first = lab_dns_start_text(w, text);
	snprintf(text, sizeof text, "listen 127.0.0.2:53\n%s", zone);
	second = lab_dns_start_text(w, text);
	pid = lab_proc_spawn(w, &opts);
	lab_dns_wait_count(first, "b.test", LAB_A, 1, 10000);
	lab_file_replace("/etc/resolv.conf",
			 "nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions rotate\n");
	lab_assert_int(lab_proc_wait(pid, 20000), 0);
	lab_assert_int(shim_asked(first, NULL, LAB_A), 3);
	lab_assert_int(shim_asked(second, NULL, LAB_A), 1);
}

/* ---- modes ---- */

static bool has_cache_folder(void)
{
	glob_t found;
	bool any = glob("/dev/shm/noblockdns*", 0, NULL, &found) == 0;

	globfree(&found);
	return any;
}

static void passes_through(struct lab_world *w, const char *mode)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	/* four names: threads and descriptors are counted after the first lookups */
	shim_says(SHIM_ENV(mode), SHIM_ARGV("clients/prog_state", "-n2", "www.test"),
		  "threads 1\ndescriptors 3\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_assert(!has_cache_folder());
}

LabTest(configuration, mode_off_passes_through)
{
	passes_through(w, "NOBLOCKDNS_MODE=off");
}

LabTest(configuration, mode_observe_passes_through)
{
	passes_through(w, "NOBLOCKDNS_MODE=observe");
}

/* ---- upstreams ---- */

static void answers_from(struct lab_world *w, const char *listen, const char *upstream,
			 enum lab_dns_transport transport)
{
	struct lab_dns *dns = lab_dns_startf(w, "listen %s\n" RECORDS, listen);
	char setting[256];

	snprintf(setting, sizeof setting, "NOBLOCKDNS_UPSTREAM=%s", upstream);
	shim_says(SHIM_ENV(setting), LOOKUP("www.test"), BOTH);
	lab_assert_int(lab_dns_count(dns, "www.test", LAB_ANY_TYPE, transport), 2);
	lab_assert_int(shim_asked(dns, NULL, LAB_ANY_TYPE), 2);
	lab_dns_free(dns);
}

LabTest(configuration, upstream_is_asked_instead_of_resolv_conf)
{
	struct lab_dns *others = lab_dns_start_text(w, ZONE);

	answers_from(w, "127.0.0.2:53", "udp://127.0.0.2", LAB_UDP);
	answers_from(w, "127.0.0.2:5353", "udp://127.0.0.2:5353", LAB_UDP);
	answers_from(w, "127.0.0.3:53", "tcp://127.0.0.3", LAB_TCP);
	answers_from(w, "127.0.0.3:5353", "tcp://127.0.0.3:5353", LAB_TCP);
	answers_from(w, "[::1]:53", "udp://[::1]", LAB_UDP);
	answers_from(w, "[::1]:5353", "udp://[::1]:5353", LAB_UDP);
	answers_from(w, "[::1]:5354", "tcp://[::1]:5354", LAB_TCP);
	answers_from(w, "127.0.0.4:53", "udp://127.0.0.9:9  udp://127.0.0.4", LAB_UDP);
	lab_assert_int(shim_asked(others, NULL, LAB_ANY_TYPE), 0);
}

/* Strict: no name leaves in clear text, not to resolv.conf's server either, and not through libc */
LabTest(configuration, tls_upstream_never_asks_in_clear_text)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_run(SHIM_ENV("NOBLOCKDNS_UPSTREAM=tls://127.0.0.1:853#dns.test"),
		 LOOKUP("www.test", "nope.test", "localhost", "192.0.2.5"));
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\nnope.test: EAI_AGAIN\n"
				     "localhost: ::1 127.0.0.1\n192.0.2.5: 192.0.2.5\n");
	shim_run(SHIM_ENV("NOBLOCKDNS_UPSTREAM=tls://not an upstream"), LOOKUP("www.test"));
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\n");
	lab_assert_int(shim_lines_with(shim_got.err, "NOBLOCKDNS_UPSTREAM"), 2);
	lab_assert_int(shim_lines_with(shim_got.err, "tls://not an upstream"), 1);
	lab_assert_int(shim_lines_with(shim_got.err, "no name is looked up over the network"), 1);
	shim_run(SHIM_ENV("NOBLOCKDNS_UPSTREAM=tls://127.0.0.1"),
		 SHIM_ARGV("/usr/bin/getent", "hosts", "www.test"));
	lab_assert_int(shim_got.status, 2);
	lab_assert_int(shim_asked(dns, NULL, LAB_ANY_TYPE), 0);
	lab_assert_int(lab_dns_connections(dns), 0);
}

/* What would be libc's turn otherwise: a source that is not ours, options that only libc knows. */
LabTest(configuration, tls_upstream_is_not_bypassed_through_libc,
	.resolv_conf = "nameserver 127.0.0.1\nsortlist 192.0.2.0\n",
	.nsswitch = "hosts: files nosuch dns\n")
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_run(SHIM_ENV("NOBLOCKDNS_UPSTREAM=tls://127.0.0.1:853#dns.test"),
		 LOOKUP("www.test", "w\\119w.test"));
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\nw\\119w.test: EAI_AGAIN\n");
	shim_run(SHIM_ENV("NOBLOCKDNS_UPSTREAM=tls://127.0.0.1:853#dns.test"),
		 SHIM_ARGV("/usr/bin/getent", "hosts", "www.test"));
	lab_assert_int(shim_got.status, 2);
	lab_assert_int(shim_asked(dns, NULL, LAB_ANY_TYPE), 0);
}

/* ---- times ---- */

static double milliseconds(void)
{
	return strtod(strrchr(shim_got.out, ' '), NULL);
}

LabTest(configuration, deadline_ends_a_lookup)
{
	lab_dns_start_text(w, ZONE "on * * drop\n");
	shim_run(SHIM_ENV("NOBLOCKDNS_DEADLINE_MS=300"), LOOKUP("-v", "www.test"));
	lab_assert(strncmp(shim_got.out, "www.test: EAI_AGAIN ", 20) == 0, "(%s)", shim_got.out);
	lab_assert(milliseconds() >= 299, "(%s)", shim_got.out);
	lab_assert(milliseconds() < 2000, "(%s)", shim_got.out); /* libc: 10 s */
}

LabTest(configuration, min_ttl_keeps_an_answer_longer)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_says(SHIM_ENV("NOBLOCKDNS_MIN_TTL=60"), LOOKUP("-4", "-n2", "-w1500", "short.test"),
		  "short.test: 192.0.2.3\nshort.test: 192.0.2.3\n");
	lab_assert_int(shim_asked(dns, "short.test", LAB_A), 1);
}

LabTest(configuration, max_ttl_drops_an_answer_earlier)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_says(SHIM_ENV("NOBLOCKDNS_MAX_TTL=1"), LOOKUP("-4", "-n2", "-w1500", "long.test"),
		  "long.test: 192.0.2.4\nlong.test: 192.0.2.4\n");
	lab_assert_int(shim_asked(dns, "long.test", LAB_A), 2);
}

LabTest(configuration, max_ttl_of_0_keeps_nothing)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_says(SHIM_ENV("NOBLOCKDNS_MAX_TTL=0"), LOOKUP("-4", "-n2", "long.test"),
		  "long.test: 192.0.2.4\nlong.test: 192.0.2.4\n");
	lab_assert_int(shim_asked(dns, "long.test", LAB_A), 2);
}

LabTest(configuration, min_ttl_above_max_ttl_is_reported)
{
	lab_dns_start_text(w, ZONE);
	shim_run(SHIM_ENV("NOBLOCKDNS_MIN_TTL=60", "NOBLOCKDNS_MAX_TTL=10"), LOOKUP("www.test"));
	lab_assert_str(shim_got.out, BOTH);
	shim_warned("NOBLOCKDNS_MIN_TTL");
}

/* ---- the cache, by setting ---- */

LabTest(configuration, cache_off_keeps_nothing)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_says(SHIM_ENV("NOBLOCKDNS_CACHE=off"), LOOKUP("-4", "-n2", "www.test"),
		  "www.test: 192.0.2.1\nwww.test: 192.0.2.1\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_assert(!has_cache_folder());
}

LabTest(configuration, cache_file_has_the_size_asked_for)
{
	char setting[256];
	struct stat st;

	lab_dns_start_text(w, ZONE);
	snprintf(setting, sizeof setting, "NOBLOCKDNS_CACHE=%s/cache", lab_world_dir(w));
	shim_says(SHIM_ENV(setting, "NOBLOCKDNS_CACHE_SIZE=1048576"), LOOKUP("www.test"), BOTH);
	lab_assert(stat(strchr(setting, '=') + 1, &st) == 0);
	lab_assert_int(st.st_size, 1048576);
}

LabTest(configuration, private_cache_is_not_shared)
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	for (int i = 0; i < 2; i++)
		shim_says(SHIM_ENV("NOBLOCKDNS_CACHE=private"), LOOKUP("-4", "-n2", "www.test"),
			  "www.test: 192.0.2.1\nwww.test: 192.0.2.1\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
	lab_assert(!has_cache_folder());
}

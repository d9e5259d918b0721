// SPDX-License-Identifier: MIT
/*
 * test_configuration.c - the shim's own settings, bad ones too, as a program under the shim sees
 * them.
 */
#include "tests/e2e/shim_run.h"

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

/* Each row asks for a name of its own, or the cache would answer for all but the first. */
#define ROWS "rr *.row.test 300 A 192.0.2.1\nrr *.row.test 300 AAAA 2001:db8::1\n"

static const char *row_name(unsigned row)
{
	static char name[32];

	snprintf(name, sizeof name, "n%u.row.test", row);
	return name;
}

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
	struct lab_dns *dns = lab_dns_start_text(w, ZONE ROWS);

	for (unsigned i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
		const char *name = row_name(i);
		char both[128];

		snprintf(both, sizeof both, "%s: 2001:db8::1 192.0.2.1\n", name);
		shim_run(SHIM_ENV(bad_values[i]), LOOKUP("-n2", name));
		warned_of(bad_values[i]);
		lab_assert_str(strncmp(shim_got.out, both, strlen(both)) == 0
				       ? shim_got.out + strlen(both)
				       : shim_got.out,
			       both);
		lab_assert_int(shim_got.status, 0);
		lab_assert_int(shim_asked(dns, name, LAB_A), 1);
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
	struct lab_dns *dns = lab_dns_start_text(w, ZONE ROWS);

	for (unsigned i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
		const char *name = row_name(i);
		char empty[64], both[128];

		snprintf(empty, sizeof empty, "%.*s=", (int)strcspn(bad_values[i], "="),
			 bad_values[i]);
		snprintf(both, sizeof both, "%s: 2001:db8::1 192.0.2.1\n", name);
		shim_says(SHIM_ENV(empty), LOOKUP(name), both);
		lab_assert_int(shim_asked(dns, name, LAB_A), 1);
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

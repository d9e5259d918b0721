// SPDX-License-Identifier: MIT
/*
 * test_system_files.c - system files that are malformed, huge, absent or replaced: a program under
 * the shim sees of them what it sees without.
 */
#include "tests/e2e/shim_run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS                                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr www.test 300 AAAA 2001:db8::1\n"
#define ZONE "listen 127.0.0.1:53\n" RECORDS

#define BOTH	    "www.test: 2001:db8::1 192.0.2.1\n"
#define LOOKUP(...) SHIM_ARGV("clients/lookup", __VA_ARGS__)

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

LabTest(system_files, malformed_system_file_is_read_as_libc_reads_it)
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

LabTest(system_files, absent_system_file_is_what_it_is_for_libc)
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

LabTest(system_files, folder_in_place_of_a_system_file_is_what_it_is_for_libc)
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

LabTest(system_files, hosts_file_of_200000_lines_is_read)
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
LabTest(system_files, malformed_host_conf_is_not_complained_about,
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
LabTest(system_files, hosts_line_without_sources_finds_nothing, .nsswitch = "hosts:\n")
{
	struct lab_dns *dns = lab_dns_start_text(w, ZONE);

	shim_says(NULL, LOOKUP("www.test", "localhost", "192.0.2.5"),
		  "www.test: EAI_SYSTEM\nlocalhost: EAI_SYSTEM\n192.0.2.5: 192.0.2.5\n");
	shim_says(NULL, LOOKUP("-4", "www.test"), "www.test: EAI_SYSTEM\n");
	lab_assert_int(shim_asked(dns, NULL, LAB_ANY_TYPE), 0);
}

/* ---- changes ---- */

/* As systemd-resolved and resolvconf have it: the file behind the link is replaced. */
LabTest(system_files, resolv_conf_behind_a_link_is_followed)
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
LabTest(system_files, rotate_that_is_set_later_is_obeyed,
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

// SPDX-License-Identifier: MIT
/*
 * test_examples.c - the examples of the README and of the manual pages, each of them run
 * (examples.py): on a machine with the library in /usr/local, where www.example.com exists and the
 * public servers that are named in the examples answer over TLS.
 */
#include "tests/e2e/tool_run.h"
#include "tests/lab/testca.h"

#include <stdlib.h>

#define SERVERS                                                                                    \
	"listen 127.0.0.1:53\n"                                                                    \
	"listen 192.0.2.53:53\n"                                                                   \
	"listen 9.9.9.9:853 tls names dns.quad9.net,9.9.9.9\n"                                     \
	"listen 1.1.1.1:853 tls names cloudflare-dns.com,1.1.1.1\n"                                \
	"rr www.example.com 300 A 192.0.2.1\n"                                                     \
	"rr www.example.com 300 AAAA 2001:db8::1\n"                                                \
	"rr dns.quad9.net 300 A 9.9.9.9\n"
#define ADDRESSES                                                                                  \
	.addresses = (const char *const[])                                                         \
	{                                                                                          \
		"9.9.9.9/32", "1.1.1.1/32", "192.0.2.53/24", "2001:db8::7/64", NULL                \
	}

/* /usr/local of this world alone has what `make install` puts there. */
static void install(struct lab_world *w)
{
	shim_not_under(NULL, "programs of the examples are started without its runtime");
	setenv("BUILD", lab_build_dir(), 1);
	setenv("EXAMPLES_DIR", lab_world_dir(w), 1);
	unsetenv("MAKEFLAGS");
	unsetenv("MFLAGS");
	tool_shell("mount -t tmpfs none /usr/local");
	tool_ended(0);
	tool_shell("make -s V=1 O=$BUILD install-files");
	tool_ended(0);
}

static void document(struct lab_world *w, const char *path, int status)
{
	static char ca[128];

	lab_dns_start_text(w, SERVERS);
	install(w);
	snprintf(ca, sizeof ca, "%s/ca.pem", lab_world_dir(w));
	lab_ca_write(ca);
	setenv("NOBLOCKDNS_TLS_CA", ca, 1);
	tool_shell("noblockdns run getent hosts www.example.com"); /* it is in the cache, then */
	tool_ended(0);
	/* Without the build folder in PATH: it is the installed command that runs. */
	lab_proc_run(NULL,
		     &(struct lab_proc_opts){
			     .argv = SHIM_ARGV("python3", "tests/e2e/examples.py", path),
			     .env = SHIM_ENV("PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
			     .timeout_ms = 110000},
		     &shim_got);
	lab_assert(shim_got.status == status, "(status %d: %.3000s%s)", shim_got.status,
		   shim_got.out, shim_got.err);
}

LabTest(examples, of_the_readme_run, ADDRESSES)
{
	document(w, "README.md", 0);
}

LabTest(examples, of_the_commands_page_run, ADDRESSES)
{
	document(w, "shim/tool/noblockdns.1", 0);
}

LabTest(examples, of_the_librarys_page_run, ADDRESSES)
{
	document(w, "shim/libnoblockdns.7", 0);
}

LabTest(examples, of_the_configurations_page_run, ADDRESSES)
{
	document(w, "shim/noblockdns.conf.5", 0);
}

/* Does it find what is wrong? One block of each kind, each wrong in one thing. */
LabTest(examples, wrong_ones_are_found, ADDRESSES)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/wrong.md", lab_world_dir(w));
	lab_file_replace(path,
			 "```sh\nnoblockdns rnu true\n```\n"
			 "```sh\nNOBLOCKDNS_MODE=maybe noblockdns run getent hosts localhost\n```\n"
			 "```sh\nLD_PRELOAD=/usr/lib/libnoblock.so /bin/true\n```\n"
			 "```conf\nstale_after = 3\n```\n"
			 "```ini\n[Service]\nEnvironment=LD_PRELOAD=/nowhere.so\n```\n"
			 "```dockerfile\nFROM a\nCOPY --from=b / /\n```\n"
			 "```yaml\non: push\njobs:\n  a:\n    - run: exit 3\n```\n"
			 "```c\nint x;\n```\n"
			 "```sh\n./legacy-app\n```\n");
	document(w, path, 1);
	tool_printed("9 examples, 8 wrong\n");
}

// SPDX-License-Identifier: MIT
/*
 * test_private.c - a name that is to be asked for over TLS alone is asked for over nothing else,
 * whichever way a program looks it up and whatever goes wrong on the way: no packet for port 53,
 * counted by the kernel. Each program is run without that wish as well, to see that it would have
 * sent some.
 */
#include "tests/e2e/shim_run.h"
#include "tests/e2e/tap.h"
#include "tests/lab/servers.h"
#include "tests/lab/testca.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"listen 127.0.0.1:853 tls\n"                                                               \
	"rr test 300 SOA 60\n"                                                                     \
	"rr www.test 300 A 192.0.2.1\n"                                                            \
	"rr *.life.test 300 A 192.0.2.9\n"                                                         \
	"rr *.slow.test 300 A 192.0.2.9\n"                                                         \
	"rr *.lost.test 300 A 192.0.2.9\n"                                                         \
	"rr *.fd.test 300 A 192.0.2.9\n"                                                           \
	"on *.slow.test * delay 300\n"                                                             \
	"on *.lost.test * drop\n"

static struct lab_dns *dns;
static char ca[128], *preload; /* NULL: the build's */
static int tap;

static void set_up(struct lab_world *w)
{
	snprintf(ca, sizeof ca, "NOBLOCKDNS_TLS_CA=%s/ca.pem", lab_world_dir(w));
	lab_ca_write(strchr(ca, '=') + 1);
	dns = lab_dns_start_text(w, ZONE);
	tap = tap_open();
}

static unsigned run(const char *upstream, const char *more, const char *const *argv)
{
	const char *const env[] = {
		ca,
		"NOBLOCKDNS_DEADLINE_MS=2000",
		"NOBLOCKDNS_CACHE=off",
		upstream,
		preload != NULL ? preload : "NBD_NOTHING=",
		more,
		NULL,
	};

	lab_proc_run(
		NULL,
		&(struct lab_proc_opts){
			.argv = argv, .env = env, .preload = preload == NULL, .timeout_ms = 60000},
		&shim_got);
	lab_assert(!shim_got.timed_out, "(%s %s)", argv[0], argv[1]);
	return tap_count(tap);
}

#define DEAD	 "NOBLOCKDNS_UPSTREAM=tls://127.0.0.9:853#dns.test"
#define ALIVE	 "NOBLOCKDNS_UPSTREAM=tls://127.0.0.1:853#dns.test"
#define MISSPELT "NOBLOCKDNS_UPSTREAM=tls://127.0.0.1:853#"
#define CLEAR	 "NOBLOCKDNS_UPSTREAM=" /* resolv.conf's */

static void keeps_private_with(const char *more, const char *const *argv)
{
	static const char *const strict[] = {ALIVE, DEAD, MISSPELT};

	for (unsigned i = 0; i < sizeof strict / sizeof strict[0]; i++) {
		unsigned n = run(strict[i], more, argv);

		lab_assert(n == 0, "%s %s: %u packets in clear text with %s (%s%s)", argv[0],
			   argv[1], n, strict[i], shim_got.out, shim_got.err);
	}
	lab_assert(run(CLEAR, more, argv) > 0, "%s %s asks nobody: proves nothing", argv[0],
		   argv[1]);
}

#define KEEPS_PRIVATE(...) keeps_private_with("NOBLOCKDNS_RACE=", SHIM_ARGV(__VA_ARGS__))

static uint64_t asked_over_tls(const char *name)
{
	return lab_dns_count(dns, name, LAB_ANY_TYPE, LAB_TLS);
}

LabTest(private, getaddrinfo_asks_over_tls)
{
	set_up(w);
	lab_assert_int(run(ALIVE, NULL, SHIM_ARGV("clients/lookup", "www.test")), 0);
	lab_assert_str(shim_got.out, "www.test: 192.0.2.1\n");
	lab_assert_int(asked_over_tls("www.test"), 2);
	KEEPS_PRIVATE("clients/lookup", "www.test", "nope.test");
}

LabTest(private, gethostbyname_asks_over_tls)
{
	set_up(w);
	lab_assert_int(run(ALIVE, NULL, SHIM_ARGV("/usr/bin/getent", "hosts", "www.test")), 0);
	lab_assert_int(shim_got.status, 0);
	KEEPS_PRIVATE("/usr/bin/getent", "hosts", "www.test");
	KEEPS_PRIVATE("/usr/bin/python3", "-c",
		      "import socket; socket.gethostbyname_ex('www.test')");
}

LabTest(private, getaddrinfo_a_asks_over_tls)
{
	set_up(w);
	KEEPS_PRIVATE("clients/gai_list", "wait", "7");
	KEEPS_PRIVATE("clients/gai_list", "suspend", "7");
	lab_assert(asked_over_tls(NULL) > 0);
}

/* What no address is, but looks like one, libc asks for. */
LabTest(private, odd_name_is_kept)
{
	static const char *const names[] = {"www.test:80", "fe80::1.test", "a%b.test",
					    "192.0.2.5 x", "1.2.3.",	   "w\\119w.test"};

	set_up(w);
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		run(DEAD, NULL, SHIM_ARGV("/usr/bin/getent", "hosts", names[i]));
		run(DEAD, NULL, SHIM_ARGV("/usr/bin/getent", "ahostsv4", names[i]));
		lab_assert_int(run(DEAD, NULL, SHIM_ARGV("clients/lookup", names[i], ".", "")), 0);
	}
	KEEPS_PRIVATE("clients/lookup", ".");
	KEEPS_PRIVATE("/usr/bin/getent", "hosts", "1.2.3.");
}

LabTest(private, address_is_libcs_as_ever)
{
	set_up(w);
	lab_assert_int(run(DEAD, NULL, SHIM_ARGV("clients/lookup", "192.0.2.5", "::1", "127.1")),
		       0);
	lab_assert_str(shim_got.out, "192.0.2.5: 192.0.2.5\n::1: ::1\n127.1: 127.0.0.1\n");
	lab_assert_int(run(MISSPELT, NULL, SHIM_ARGV("/usr/bin/getent", "ahosts", "192.0.2.5")), 0);
	lab_assert_int(shim_got.status, 0);
}

/* ---- processes ---- */

LabTest(private, forked_child)
{
	set_up(w);
	KEEPS_PRIVATE("clients/fork_client", "child_looks_up");
	KEEPS_PRIVATE("clients/fork_client", "threads_of_a_child");
	KEEPS_PRIVATE("clients/fork_client", "fork_in_a_handler");
}

LabTest(private, child_forked_while_the_library_starts)
{
	shim_not_under(NULL, "the allocator hangs in the child of a busy program");
	set_up(w);
	KEEPS_PRIVATE("clients/gai_wait", "child_starts_clean");
}

LabTest(private, child_that_borrows_memory)
{
	shim_not_under("thread", "it cannot follow clone");
	set_up(w);
	KEEPS_PRIVATE("clients/fork_client", "vfork_child_looks_up");
	KEEPS_PRIVATE("clients/fork_client", "vfork_child_looks_up_first");
	KEEPS_PRIVATE("clients/fork_client", "clone_child");
}

/* The wish stands in the file, which such a child reads by itself. */
LabTest(private, child_that_borrows_memory_reads_the_file)
{
	set_up(w);
	lab_file_replace("/etc/noblockdns.conf", "upstream = tls://127.0.0.9#dns.test\n");
	lab_assert_int(run("NBD_NOTHING=", NULL,
			   SHIM_ARGV("clients/fork_client", "vfork_child_looks_up_first")),
		       0);
	lab_file_replace("/etc/noblockdns.conf",
			 "upstream = tls://127.0.0.9#dns.test\nmode = off\n");
	lab_assert(run("NBD_NOTHING=", NULL,
		       SHIM_ARGV("clients/fork_client", "vfork_child_looks_up_first")) > 0);
}

/* The constructor holds the loader's lock, and waits for a thread that looks up. */
static const char library_text[] = "#include <netdb.h>\n"
				   "#include <pthread.h>\n"
				   "static void *find(void *name)\n"
				   "{\n"
				   "	struct addrinfo *list;\n"
				   "	getaddrinfo(name, 0, 0, &list);\n"
				   "	return 0;\n"
				   "}\n"
				   "__attribute__((constructor)) static void begin(void)\n"
				   "{\n"
				   "	pthread_t thread;\n"
				   "	find(\"one.life.test\");\n"
				   "	pthread_create(&thread, 0, find, \"two.life.test\");\n"
				   "	pthread_join(thread, 0);\n"
				   "}\n";

LabTest(private, library_constructor)
{
	const char *cc = getenv("CC") != NULL ? getenv("CC") : "cc";
	char path[256], script[512];

	if (lab_find_program(cc) == NULL)
		lab_skip("no C compiler");
	set_up(w);
	snprintf(path, sizeof path, "%s/library.so", lab_world_dir(w));
	lab_proc_run(NULL,
		     &(struct lab_proc_opts){
			     .argv = SHIM_ARGV(cc, "-shared", "-fPIC", "-x", "c", "-o", path, "-"),
			     .input = library_text},
		     &shim_got);
	snprintf(script, sizeof script, "import ctypes; ctypes.CDLL('%s')", path);
	KEEPS_PRIVATE("/usr/bin/python3", "-c", script);
}

/* ---- what is lacking ---- */

LabTest(private, no_memory)
{
	shim_not_under(NULL, "its runtime allocates by itself");
	set_up(w);
	KEEPS_PRIVATE("clients/life_malloc", "once");
	KEEPS_PRIVATE("clients/life_malloc", "from");
}

LabTest(private, no_descriptor)
{
	set_up(w);
	KEEPS_PRIVATE("clients/limits_client", "no_descriptor", "");
	KEEPS_PRIVATE("clients/limits_client", "no_descriptor", "warm");
	KEEPS_PRIVATE("clients/limits_client", "descriptors_lost_in_a_lookup");
}

/* The file cannot be opened at the first lookup: what it asks for is not known, and not guessed. */
LabTest(private, no_descriptor_for_the_file)
{
	static const char script[] = "import resource, socket, os\n"
				     "limit = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
				     "resource.setrlimit(resource.RLIMIT_NOFILE, (3, limit[1]))\n"
				     "for i in range(2):\n"
				     "  try: socket.gethostbyname('www.test')\n"
				     "  except OSError as e: os.write(1, b'failed\\n')\n"
				     "  resource.setrlimit(resource.RLIMIT_NOFILE, limit)\n";

	set_up(w);
	lab_file_replace("/etc/noblockdns.conf", "upstream = tls://127.0.0.9#dns.test\n");
	lab_assert_int(run("NBD_NOTHING=", NULL, SHIM_ARGV("/usr/bin/python3", "-c", script)), 0);
	lab_assert_str(shim_got.out, "failed\nfailed\n");
}

static const char *const refused[] = {"clone3,clone", "futex", "epoll_create1", "socketpair",
				      "socket",	      "mmap",  "getpid",	"statx"};

LabTest(private, refused_system_calls)
{
	shim_not_under(NULL, "its runtime makes system calls of its own");
	set_up(w);
	for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		const char *const argv[] = {"clients/limits_client", "refused_calls", refused[i],
					    NULL};

		lab_assert_int(run(DEAD, NULL, argv), 0);
		lab_assert_int(run(ALIVE, NULL, argv), 0);
	}
	KEEPS_PRIVATE("clients/limits_client", "refused_calls", "clone3,clone");
}

/* ---- the second library ---- */

/* A copy of the first library alone in a folder; with `second`, that file beside it. */
static void install(struct lab_world *w, const char *second)
{
	static char setting[512];
	char command[1024], path[256];

	snprintf(path, sizeof path, "%s/lib", lab_world_dir(w));
	lab_assert(mkdir(path, 0755) == 0);
	snprintf(command, sizeof command, "cp '%s/libnoblockdns.so' '%s/'", lab_build_dir(), path);
	lab_assert(system(command) == 0);
	snprintf(setting, sizeof setting, "LD_PRELOAD=%s/libnoblockdns.so", path);
	preload = setting;
	if (second != NULL) {
		strcat(path, "/libnoblockdns-resolver.so");
		lab_file_replace(path, second);
	}
}

LabTest(private, second_library_is_missing)
{
	shim_not_under(NULL, "its runtime is preloaded, too");
	set_up(w);
	install(w, NULL);
	KEEPS_PRIVATE("clients/lookup", "www.test");
	KEEPS_PRIVATE("/usr/bin/getent", "hosts", "www.test");
	KEEPS_PRIVATE("clients/gai_list", "wait", "7");
	run(DEAD, NULL, SHIM_ARGV("clients/lookup", "www.test"));
	lab_assert(strstr(shim_got.err, "lookups are refused") != NULL, "(%s)", shim_got.err);
}

LabTest(private, second_library_is_broken)
{
	shim_not_under(NULL, "its runtime is preloaded, too");
	set_up(w);
	install(w, "no library");
	KEEPS_PRIVATE("clients/lookup", "www.test");
	KEEPS_PRIVATE("clients/gai_list", "suspend", "7");
}

/* ---- configuration ---- */

LabTest(private, authority_that_cannot_be_read_is_not_replaced_by_the_systems)
{
	set_up(w);
	lab_assert_int(run(ALIVE, "NOBLOCKDNS_TLS_CA=/nowhere/ca.pem",
			   SHIM_ARGV("clients/lookup", "www.test")),
		       0);
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\n");
	lab_assert_int(asked_over_tls(NULL), 0);
}

LabTest(private, pin_that_is_in_no_certificate_lets_nobody_in)
{
	set_up(w);
	lab_assert_int(run(ALIVE,
			   "NOBLOCKDNS_TLS_PIN=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
			   SHIM_ARGV("clients/lookup", "www.test")),
		       0);
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\n");
	lab_assert_int(asked_over_tls(NULL), 0);
}

/* The command that README.md and the manual page give. */
LabTest(private, pin_as_openssl_prints_it_lets_its_owner_in)
{
	char script[1024], pin[128];

	set_up(w);
	snprintf(script, sizeof script,
		 "openssl x509 -in '%s' -noout -pubkey | openssl pkey -pubin -outform der | "
		 "openssl dgst -sha256 -binary | openssl base64 | sed 's|^|sha256/|' | tr -d '\\n'",
		 strchr(ca, '=') + 1);
	lab_proc_run(NULL, &(struct lab_proc_opts){.argv = SHIM_ARGV("sh", "-c", script)},
		     &shim_got);
	snprintf(pin, sizeof pin, "NOBLOCKDNS_TLS_PIN=%.80s", shim_got.out);
	lab_assert_int(run(ALIVE, pin, SHIM_ARGV("clients/lookup", "www.test")), 0);
	lab_assert_str(shim_got.out, "www.test: 192.0.2.1\n");
}

LabTest(private, opportunistic_goes_on_in_clear_text)
{
	set_up(w);
	lab_assert(run("NOBLOCKDNS_UPSTREAM=tls://127.0.0.1:9#dns.test",
		       "NOBLOCKDNS_TLS=opportunistic",
		       SHIM_ARGV("clients/lookup", "www.test")) > 0);
	lab_assert_str(shim_got.out, "www.test: 192.0.2.1\n");
}

static void runs_with_modules(const char *nsswitch, unsigned lines)
{
	lab_file_replace("/etc/nsswitch.conf", nsswitch);
	lab_assert_int(run(ALIVE, NULL, SHIM_ARGV("clients/lookup", "-n2", "www.test")), 0);
	lab_assert_int(shim_lines_with(shim_got.err, "nsswitch.conf"), lines);
}

LabTest(private, module_that_only_libc_has_is_complained_of_once)
{
	set_up(w);
	runs_with_modules("hosts: files resolve [!UNAVAIL=return] dns\n", 1);
	lab_assert_str(shim_got.out, "www.test: EAI_AGAIN\nwww.test: EAI_AGAIN\n");
	runs_with_modules("hosts: files mdns4_minimal [NOTFOUND=return] dns sss\n", 0);
	lab_assert_str(shim_got.out, "www.test: 192.0.2.1\nwww.test: 192.0.2.1\n");
	lab_assert_int(
		run(CLEAR, "NOBLOCKDNS_MODE=on", SHIM_ARGV("clients/lookup", "www.test")) > 0, 1);
	lab_assert_str(shim_got.err, "");
}

/* ---- the log ---- */

static const char *const failures[] = {
	"servfail",	"refused", "nxdomain", "formerr",	 "formerr-edns", "drop",
	"garbage-body", "cut 20",  "wrong-id", "wrong-question", "bad-pointer",	 "close",
	"close-length", "reset",   "empty",    "truncate",
};

static const char *const upstreams[] = {
	CLEAR,
	ALIVE,
	DEAD,
	MISSPELT,
	"NOBLOCKDNS_UPSTREAM=tcp://127.0.0.1",
	"NOBLOCKDNS_UPSTREAM=tls://127.0.0.1#else.test",
};

/* A name below one of these has one failure. */
static void start_failing_server(struct lab_world *w)
{
	char script[4096] = ZONE;

	for (unsigned i = 0; i < sizeof failures / sizeof failures[0]; i++)
		snprintf(script + strlen(script), sizeof script - strlen(script),
			 "rr *.f%u.test 300 A 192.0.2.9\non *.f%u.test * %s\n", i, i, failures[i]);
	dns = lab_dns_start_text(w, script);
	snprintf(ca, sizeof ca, "NOBLOCKDNS_TLS_CA=%s/ca.pem", lab_world_dir(w));
	lab_ca_write(strchr(ca, '=') + 1);
	tap = tap_open();
}

/* At any level but debug. */
LabTest(private, log_names_nobody, .resolv_conf = "nameserver 127.0.0.1\nsearch secret.test\n")
{
	const char *argv[4 + sizeof failures / sizeof failures[0]] = {"clients/lookup", "secret"};
	static char names[sizeof failures / sizeof failures[0]][32];
	unsigned lines = 0, n = 2;

	start_failing_server(w);
	for (unsigned i = 0; i < sizeof failures / sizeof failures[0]; i++) {
		snprintf(names[i], sizeof names[i], "secret.f%u.test", i);
		argv[n++] = names[i];
	}
	for (unsigned i = 0; i < sizeof upstreams / sizeof upstreams[0]; i++) {
		const char *const env[] = {ca, "NOBLOCKDNS_LOG=info", "NOBLOCKDNS_DEADLINE_MS=300",
					   upstreams[i], NULL};

		lab_proc_run(NULL,
			     &(struct lab_proc_opts){.argv = argv, .env = env, .preload = true},
			     &shim_got);
		lab_assert_int(shim_got.signal, 0);
		lab_assert(strstr(shim_got.out, "secret.f0.test: EAI") != NULL, "(%s)",
			   shim_got.out);
		lab_assert(strstr(shim_got.err, "secret") == NULL, "(%s: %s)", upstreams[i],
			   shim_got.err);
		lines += shim_lines_with(shim_got.err, "noblockdns[");
	}
	lab_assert(lines > 0, "nothing was logged: proves nothing");
}

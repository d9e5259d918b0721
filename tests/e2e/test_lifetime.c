// SPDX-License-Identifier: MIT
/*
 * test_lifetime.c - lookups at every moment of a program's life, in threads that are interrupted or
 * cancelled, and where the system refuses what the shim needs: then libc's lookup takes place. The
 * programs are modes of clients/life_client.c. Descriptors, fork and vfork, allocators and
 * set-user-ID have suites of their own.
 */
#include "tests/e2e/shim_run.h"
#include "tests/lab/servers.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr *.life.test 300 A 192.0.2.9\n"                                                         \
	"rr *.slow.test 300 A 192.0.2.9\n"                                                         \
	"rr *.lost.test 300 A 192.0.2.9\n"                                                         \
	"on *.slow.test * delay 300\n"                                                             \
	"on *.lost.test * drop\n"

static struct lab_dns *dns;

/* Must exit with 0 and say nothing. */
static void client(struct lab_world *w, const char *setting, const char *mode, const char *argument)
{
	dns = lab_dns_start_text(w, ZONE);
	shim_run(SHIM_ENV(setting), SHIM_ARGV("clients/life_client", mode, argument));
	lab_assert(shim_got.status == 0, "(status %d, signal %d%s: %s%s)", shim_got.status,
		   shim_got.signal, shim_got.timed_out ? ", timed out" : "", shim_got.out,
		   shim_got.err);
	lab_assert_str(shim_got.out, "");
	lab_assert_str(shim_got.err, "");
}

#define NO_SETTING "NOBLOCKDNS_CACHE="

static void run(struct lab_world *w, const char *mode)
{
	client(w, NO_SETTING, mode, "");
}

/* ---- threads, children ---- */

LabTest(lifetime, sixty_four_threads_ask_once_each)
{
	run(w, "names_of_threads");
	lab_assert_int(shim_asked(dns, NULL, LAB_A), 64);
}

LabTest(lifetime, children_of_busy_threads_find_warm_and_cold_names)
{
	shim_not_under(NULL, "children of threaded programs are beyond it");
	run(w, "children_of_busy_threads");
	lab_assert_int(shim_asked(dns, "warm0.life.test", LAB_A), 1);
	for (int i = 0; i < 25; i++) {
		char name[64];

		snprintf(name, sizeof name, "grandchild%d.life.test", i);
		lab_assert_int(shim_asked(dns, name, LAB_A), 1);
	}
}

LabTest(lifetime, vfork_child_finds_warm_and_cold_names)
{
	run(w, "vfork_child");
	lab_assert_int(shim_asked(dns, "warm0.life.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "vfork.life.test", LAB_A), 1);
}

/* ---- libraries ---- */

/* A library whose constructor and destructor look up; the constructor waits before it does. */
static const char *library_text = "#include <netdb.h>\n"
				  "#include <stdio.h>\n"
				  "#include <unistd.h>\n"
				  "static void find(const char *name)\n"
				  "{\n"
				  "	struct addrinfo *list;\n"
				  "	int r = getaddrinfo(name, \"80\", 0, &list);\n"
				  "	if (r != 0)\n"
				  "		dprintf(1, \"%s: %s\\n\", name, gai_strerror(r));\n"
				  "	else\n"
				  "		freeaddrinfo(list);\n"
				  "}\n"
				  "__attribute__((constructor)) static void begin(void)\n"
				  "{\n"
				  "	usleep(100000);\n"
				  "	find(\"constructor.life.test\");\n"
				  "}\n"
				  "__attribute__((destructor)) static void end(void)\n"
				  "{\n"
				  "	find(\"destructor.life.test\");\n"
				  "}\n";

static const char *make_library(const struct lab_world *w)
{
	static char path[256];
	const char *cc = getenv("CC");
	const struct lab_proc_opts opts = {
		.argv = SHIM_ARGV(cc != NULL ? cc : "cc", "-shared", "-fPIC", "-x", "c", "-o", path,
				  "-"),
		.input = library_text,
	};

	if (lab_find_program(opts.argv[0]) == NULL)
		lab_skip("no C compiler");
	snprintf(path, sizeof path, "%s/library.so", lab_world_dir(w));
	lab_proc_run(NULL, &opts, &shim_got);
	lab_assert(shim_got.status == 0, "(%s)", shim_got.err);
	return path;
}

static void looks_up_from_library(struct lab_world *w, const char *mode)
{
	const char *library = make_library(w);

	client(w, NO_SETTING, mode, library);
	lab_assert_int(shim_asked(dns, "constructor.life.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "destructor.life.test", LAB_A), 1);
}

/* The constructor holds the loader's lock, and waits for a thread that looks up. */
static const char waiting_library_text[] =
	"#include <netdb.h>\n"
	"#include <pthread.h>\n"
	"#include <stdio.h>\n"
	"static void *find(void *name)\n"
	"{\n"
	"	struct addrinfo *list;\n"
	"	int r = getaddrinfo(name, \"80\", 0, &list);\n"
	"	if (r != 0)\n"
	"		dprintf(1, \"%s: %s\\n\", (char *)name, gai_strerror(r));\n"
	"	else\n"
	"		freeaddrinfo(list);\n"
	"	return 0;\n"
	"}\n"
	"__attribute__((constructor)) static void begin(void)\n"
	"{\n"
	"	pthread_t thread;\n"
	"	pthread_create(&thread, 0, find, \"constructor.life.test\");\n"
	"	pthread_join(thread, 0);\n"
	"}\n"
	"__attribute__((destructor)) static void end(void)\n"
	"{\n"
	"	find(\"destructor.life.test\");\n"
	"}\n";

LabTest(lifetime, constructor_waits_for_a_thread_that_looks_up)
{
	library_text = waiting_library_text;
	looks_up_from_library(w, "look_up_in_dlopen");
}

LabTest(lifetime, constructor_of_a_loaded_library_looks_up)
{
	looks_up_from_library(w, "look_up_in_dlopen");
}

LabTest(lifetime, threads_look_up_while_a_constructor_holds_the_loaders_lock)
{
	looks_up_from_library(w, "look_up_under_the_loaders_lock");
	lab_assert_int(shim_asked(dns, "first0.life.test", LAB_A), 1);
}

static void looks_up_from_preloaded(struct lab_world *w, const char *format)
{
	const char *library = make_library(w);
	char setting[8192];

	shim_not_under(NULL, "its runtime has to come first");
	dns = lab_dns_start_text(w, ZONE);
	snprintf(setting, sizeof setting, "LD_PRELOAD=");
	for (const char *c = format; *c != '\0'; c++) {
		size_t len = strlen(setting);

		snprintf(setting + len, sizeof setting - len,
			 "%s:", *c == 's' ? lab_preload() : library);
	}
	shim_says(SHIM_ENV(setting), SHIM_ARGV("true"), "");
	lab_assert_int(shim_asked(dns, "constructor.life.test", LAB_A), 1);
	shim_says(SHIM_ENV(setting), SHIM_ARGV("true"), "");
	lab_assert_int(shim_asked(dns, "constructor.life.test", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "destructor.life.test", LAB_A), 1);
}

LabTest(lifetime, constructor_of_a_library_before_ours_looks_up)
{
	looks_up_from_preloaded(w, "ls");
}

LabTest(lifetime, constructor_of_a_library_behind_ours_looks_up)
{
	looks_up_from_preloaded(w, "sl");
}

/* ---- signals, cancellation ---- */

LabTest(lifetime, signals_do_not_disturb_a_lookup)
{
	run(w, "signals_in_a_lookup");
	lab_assert_int(shim_asked(dns, "a.slow.test", LAB_A), 1);
}

LabTest(lifetime, signals_do_not_postpone_the_deadline)
{
	client(w, "NOBLOCKDNS_DEADLINE_MS=500", "signals_do_not_postpone_the_deadline", "");
}

LabTest(lifetime, handler_looks_up_while_its_thread_waits_in_a_lookup)
{
	shim_not_under("thread", "it allows no malloc in a handler");
	run(w, "lookup_in_a_handler");
}

LabTest(lifetime, cancelled_lookup_ends)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	run(w, "cancelled_lookup");
}

LabTest(lifetime, lookup_of_a_thread_cancelled_before_ends)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	run(w, "lookup_of_a_cancelled_thread");
}

LabTest(lifetime, thread_that_is_not_cancelable_gets_its_answer)
{
	shim_not_under(NULL, "its idea of the stack does not survive a cancellation");
	run(w, "cancellation_disabled");
}

LabTest(lifetime, cancelled_lookups_leak_nothing)
{
	shim_not_under(NULL, "its allocator keeps no such count");
	client(w, "NOBLOCKDNS_DEADLINE_MS=500", "cancelled_lookups_leak_nothing", "");
}

LabTest(lifetime, cancelled_gethostbyname_leaks_nothing)
{
	shim_not_under(NULL, "its allocator keeps no such count");
	client(w, "NOBLOCKDNS_DEADLINE_MS=500", "cancelled_gethostbyname_leaks_nothing", "");
}

/* ---- exit ---- */

LabTest(lifetime, destructor_of_thread_data_looks_up)
{
	run(w, "lookup_at_thread_exit");
}

LabTest(lifetime, program_exits_while_a_thread_waits_in_a_lookup)
{
	run(w, "exit_while_a_thread_waits");
}

LabTest(lifetime, other_threads_look_up_after_the_first_has_ended)
{
	run(w, "main_thread_ends_first");
}

/* ---- another network ---- */

static void changes_network(struct lab_world *w, const char *mode)
{
	const struct lab_proc_opts opts = {.argv = SHIM_ARGV("clients/life_client", mode)};

	(void)w;
	dns = lab_dns_start_text(w, ZONE);
	shim_as_libc(mode, &opts);
	lab_assert_int(shim_lines_with(shim_got.out, "Temporary failure"), 2);
}

LabTest(lifetime, program_that_moves_to_another_network_gets_nothing_of_the_old_one)
{
	changes_network(w, "another_network");
}

LabTest(lifetime, child_that_moves_to_another_network_gets_nothing_of_the_old_one)
{
	changes_network(w, "child_in_another_network");
}

/* ---- another folder, root, user ---- */

LabTest(lifetime, program_changes_its_folder_under_a_relative_preload)
{
	char command[1024];

	shim_not_under(NULL, "its runtime has to come first");
	dns = lab_dns_start_text(w, ZONE);
	snprintf(command, sizeof command,
		 "cd '%s' && LD_PRELOAD=./libnoblockdns.so exec clients/life_client folder_changes",
		 lab_build_dir());
	lab_proc_run(w, &(struct lab_proc_opts){.argv = SHIM_ARGV("sh", "-c", command)}, &shim_got);
	lab_assert_str(shim_got.err, "");
	lab_assert_str(shim_got.out, "");
	lab_assert_int(shim_got.status, 0);
	lab_assert_int(shim_asked(dns, "a.life.test", LAB_A), 1);
}

/* The second library cannot be seen from there: libc's turn, without a word. */
LabTest(lifetime, program_changes_its_root_before_its_first_lookup)
{
	const struct lab_proc_opts opts = {
		.argv = SHIM_ARGV("clients/life_client", "root_changes", lab_world_dir(w)),
	};

	dns = lab_dns_start_text(w, ZONE);
	shim_as_libc("chroot", &opts);
	lab_assert_int(shim_lines_with(shim_got.out, "found"), 2);
}

LabTest(lifetime, program_drops_its_privileges_between_lookups)
{
	if (chown(lab_world_dir(w), 65534, 65534) != 0)
		lab_skip("no second user: %s", strerror(errno));
	run(w, "user_changes");
	lab_assert_int(shim_asked(dns, "a.life.test", LAB_A), 2); /* each user has a cache */
	lab_assert(access("/dev/shm/noblockdns.65534", F_OK) == 0);
}

LabTest(lifetime, stack_of_32_kib_is_enough)
{
	shim_not_under(NULL, "its frames are large");
	run(w, "small_stack");
	lab_assert_int(shim_asked(dns, "a.life.test", LAB_A), 1);
}

/* ---- limits ---- */

static const char *const refused[] = {
	"clone3,clone", "epoll_create1", "epoll_ctl",  "epoll_pwait", "socketpair",
	"memfd_create", "statx",	 "madvise",    "getrandom",   "prctl",
	"gettid",	"fallocate",	 "ftruncate",  "linkat",      "mkdirat,mkdir",
	"unlinkat",	"prlimit64",	 "fchmod",     "connect",     "sendto,sendmsg",
	"sched_yield",	"getsockname",	 "setsockopt", "getpid",      "rt_sigprocmask",
	"close_range",	"dup3",		 "uname",      "recvmsg",     "clock_gettime",
	"getsockopt",	"bind",		 "fcntl",      "newfstatat",  "geteuid",
};

/* What libc's own lookup cannot do without fails both, or libc alone. */
LabTest(lifetime, refused_system_call_takes_no_answer_away)
{
	shim_not_under(NULL, "it makes such calls itself");
	dns = lab_dns_start_text(w, ZONE);
	for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct lab_proc_opts opts = {
			.argv = SHIM_ARGV("clients/life_client", "refused_calls", refused[i]),
			.env = SHIM_ENV("NOBLOCKDNS_CACHE=private"),
		};
		bool libc_finds;

		lab_proc_run(NULL, &opts, &shim_got);
		libc_finds = shim_got.status == 0;
		opts.preload = true;
		lab_proc_run(NULL, &opts, &shim_got);
		lab_assert(shim_got.status == 0 || (shim_got.status == 1 && !libc_finds),
			   "(%s: status %d, signal %d: %s)", refused[i], shim_got.status,
			   shim_got.signal, shim_got.out);
		if (shim_got.err[0] != '\0')
			lab_fail("%s: stderr says %s", refused[i], shim_got.err);
	}
}

LabTest(lifetime, lookup_without_descriptors_fails_as_in_libc)
{
	const struct lab_proc_opts opts = {
		.argv = SHIM_ARGV("clients/life_client", "no_descriptor", "cold"),
	};

	dns = lab_dns_start_text(w, ZONE);
	shim_as_libc("no descriptor", &opts);
}

LabTest(lifetime, warm_lookup_needs_no_descriptor)
{
	dns = lab_dns_start_text(w, ZONE);
	shim_says(NULL, SHIM_ARGV("clients/life_client", "no_descriptor", "warm"),
		  "found, Success\n");
}

LabTest(lifetime, descriptors_may_be_lost_in_the_middle_of_a_lookup)
{
	client(w, "NOBLOCKDNS_DEADLINE_MS=1000", "descriptors_lost_in_a_lookup", "");
}

LabTest(lifetime, little_memory_is_survived)
{
	shim_not_under(NULL, "it reserves address space at will");
	dns = lab_dns_start_text(w, ZONE);
	for (unsigned kib = 0; kib <= 32768; kib = kib == 0 ? 64 : kib * 2) {
		char bytes[32];

		snprintf(bytes, sizeof bytes, "%u", kib * 1024);
		shim_run(SHIM_ENV("NOBLOCKDNS_CACHE=private"),
			 SHIM_ARGV("clients/life_client", "little_memory", bytes));
		lab_assert(shim_got.status == 0, "(%u KiB: status %d, signal %d: %s%s)", kib,
			   shim_got.status, shim_got.signal, shim_got.out, shim_got.err);
	}
}

/* One child for each allocation that fails; whatever it says then, it must recover. */
static void allocations_fail(struct lab_world *w, const char *which)
{
	(void)w;
	shim_not_under(NULL, "it has a malloc of its own");
	dns = lab_dns_start_text(w, ZONE "rr *.life.test 300 AAAA 2001:db8::9\n");
	shim_says(SHIM_ENV("NOBLOCKDNS_DEADLINE_MS=200"), SHIM_ARGV("clients/life_malloc", which),
		  "");
}

LabTest(lifetime, allocation_that_fails_is_survived)
{
	allocations_fail(w, "once");
}

LabTest(lifetime, allocations_that_fail_one_after_the_other_are_survived)
{
	allocations_fail(w, "from");
}

// SPDX-License-Identifier: MIT
/*
 * test_lifetime.c - lookups at every moment of a program's life. The programs are modes of
 * clients/life_client.c. Descriptors, fork and vfork, allocators and set-user-ID have suites of
 * their own.
 */
#define PROGRAM "clients/life_client"
#include "tests/e2e/life_run.h"
#include "tests/lab/servers.h"

#include <stdlib.h>
#include <unistd.h>

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

/* The library's destructor runs at exit, when libc has forgotten which constructors have run: what
 * is loaded then has those of its dependencies run again, and AddressSanitizer's is one. */
LabTest(lifetime, threads_look_up_while_a_constructor_holds_the_loaders_lock)
{
	shim_not_under("address", "its runtime does not start twice");
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

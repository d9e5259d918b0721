// SPDX-License-Identifier: MIT
/*
 * test_hooks.c - the shim in programs as they are: shells, interpreters, allocators that start
 * early, constructors that run before ours, programs with more rights than their caller.
 */
#include "tests/lab/dnsscript.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MULTIARCH "x86_64-linux-gnu"
#else
#define MULTIARCH "aarch64-linux-gnu"
#endif

#define SCRIPT "listen 127.0.0.1:53\nrr *.fd.test 300 A 192.0.2.9\n"

static struct lab_proc_result r;

static void must_succeed(struct lab_world *w, const struct lab_proc_opts *opts)
{
	lab_proc_run(w, opts, &r);
	lab_assert(r.status == 0, "(status %d, signal %d%s: %s%s)", r.status, r.signal,
		   r.timed_out ? ", timed out" : "", r.out, r.err);
	lab_assert_str(r.err, "");
}

static void client(struct lab_world *w, const char *mode, const char *env)
{
	const char *const argv[] = {"clients/hooks_client", mode, NULL};
	const char *const envs[] = {env, NULL};

	lab_dns_start_text(w, SCRIPT);
	must_succeed(w, &(struct lab_proc_opts){.argv = argv, .env = envs, .preload = true});
}

/*
 * Programs ----------------------------------------------------------------------------------------
 */

static void same_with_and_without(struct lab_world *w, const char *const *argv)
{
	static struct lab_proc_result plain;

	if (argv[0][0] == '/' && access(argv[0], X_OK) != 0)
		lab_skip("no %s", argv[0]);
	lab_proc_run(w, &(struct lab_proc_opts){.argv = argv}, &plain);
	lab_proc_run(w, &(struct lab_proc_opts){.argv = argv, .preload = true}, &r);
	lab_assert_int(r.status, plain.status);
	lab_assert_int(r.signal, plain.signal);
	lab_assert_str(r.out, plain.out);
	lab_assert_str(r.err, plain.err);
}

#define SAME(...) same_with_and_without(w, (const char *const[]){__VA_ARGS__, NULL})

LabTest(hooks, true_is_as_without)
{
	SAME("/bin/true");
}

LabTest(hooks, shell_is_as_without)
{
	SAME("/bin/bash", "-c",
	     "exec 5</etc/hosts; cat <&5 | while read -r line; do echo \"$line\"; done | sort; "
	     "ls /proc/self/fd; (exit 3); echo $?; ulimit -n; exec 5<&-; cat <&5");
}

LabTest(hooks, python_is_as_without)
{
	SAME("/usr/bin/python3", "-c",
	     "import os, subprocess, sys\n"
	     "print(os.listdir('/proc/self/fd'))\n"
	     "print(subprocess.run(['echo', 'x'], capture_output=True, text=True).stdout)\n"
	     "os.closerange(3, 100); os.dup2(1, 50); os.write(50, b'fifty')\n"
	     "sys.exit(4)");
}

LabTest(hooks, node_is_as_without)
{
	SAME("/usr/bin/node", "-e",
	     "const c = require('child_process');"
	     "console.log(c.execSync('echo x').toString(), "
	     "require('fs').readdirSync('/etc').length);"
	     "process.exitCode = 5");
}

LabTest(hooks, curl_is_as_without)
{
	if (getenv("NBD_SANITIZER"))
		lab_skip("curl hangs with a sanitizer's runtime alone");
	SAME("/usr/bin/curl", "-s", "file:///etc/hosts", "http://127.0.0.1:1/");
}

LabTest(hooks, node_looks_up)
{
	static const char *const argv[] = {
		"/usr/bin/node", "-e",
		"require('dns').lookup('a.fd.test', (e, a) => { console.log(e, a); })", NULL};

	if (access(argv[0], X_OK) != 0)
		lab_skip("no node");
	lab_dns_start_text(w, SCRIPT);
	must_succeed(w, &(struct lab_proc_opts){.argv = argv, .preload = true});
	lab_assert_str(r.out, "null 192.0.2.9\n");
}

/*
 * Early and late ----------------------------------------------------------------------------------
 */

LabTest(hooks, everything_works_before_the_constructors)
{
	client(w, "nothing", "HOOKS_EARLY=1");
}

LabTest(hooks, first_lookup_starts_the_thread_and_not_the_constructor)
{
	client(w, "lookup_starts_the_thread", NULL);
}

LabTest(hooks, errno_is_kept)
{
	client(w, "errno_is_kept", NULL);
}

LabTest(hooks, sixty_four_threads_look_up)
{
	client(w, "threads", NULL);
}

LabTest(hooks, socket_that_took_the_place_of_stderr_is_not_written)
{
	client(w, "log_spares_a_socket", "NOBLOCKDNS_RACE=2");
}

/* Names of the system calls that the client makes from exec to exit, one a line. */
static void system_calls(struct lab_world *w, const char *preload, char *ret, size_t size)
{
	static const char script[] = "strace -f -E LD_PRELOAD=\"$1\" -o \"$2\" \"$0\" nothing && "
				     "sed -n 's/^[0-9]* *\\([a-z0-9_]*\\)(.*/\\1/p' \"$2\"";
	char program[PATH_MAX], trace[PATH_MAX];
	const char *const argv[] = {"/bin/sh", "-c", script, program, preload, trace, NULL};

	snprintf(program, sizeof(program), "%s/clients/hooks_client", lab_build_dir());
	snprintf(trace, sizeof(trace), "%s/trace", lab_world_dir(w));
	must_succeed(w, &(struct lab_proc_opts){.argv = argv});
	snprintf(ret, size, "%s", r.out);
}

static unsigned count_lines(const char *text, const char *line, size_t len)
{
	unsigned n = 0;

	for (const char *l = text; *l; l = strchr(l, '\n') + 1)
		n += strncmp(l, line, len) == 0 && l[len] == '\n';
	return n;
}

/* What ld.so does to map one more library. */
static const char *const loaders[] = {"openat", "read",	 "pread64",  "newfstatat", "fstat",
				      "mmap",	"close", "mprotect", "munmap",	   NULL};

static bool is_the_loaders(const char *call, size_t len)
{
	for (size_t i = 0; loaders[i]; i++) {
		if (strlen(loaders[i]) == len && strncmp(loaders[i], call, len) == 0)
			return true;
	}
	return false;
}

LabTest(hooks, program_that_looks_nothing_up_makes_no_system_call_more)
{
	static char plain[65536], loaded[65536];

	if (getenv("NBD_SANITIZER"))
		lab_skip("a sanitizer's runtime makes many");
	system_calls(w, "", plain, sizeof(plain));
	system_calls(w, lab_preload(), loaded, sizeof(loaded));
	lab_assert(count_lines(plain, "execve", 6) == 1, "(%s)", plain);
	lab_assert_int(count_lines(loaded, "openat", 6), count_lines(plain, "openat", 6) + 1);
	for (const char *l = loaded; *l; l = strchr(l, '\n') + 1) {
		size_t len = strcspn(l, "\n");

		lab_assert(is_the_loaders(l, len) ||
				   count_lines(loaded, l, len) == count_lines(plain, l, len),
			   "(%.*s)", (int)len, l);
	}
}

/*
 * Allocators --------------------------------------------------------------------------------------
 */

/* An allocator may call hooked functions as it starts, inside the first malloc of the process. */
static void with_allocator(struct lab_world *w, const char *file, bool first)
{
	static const char folder[] = "/usr/lib/" MULTIARCH "/";
	const char *const argv[] = {"clients/hooks_client", "threads", NULL};
	char path[PATH_MAX], env[4 * PATH_MAX];
	const char *const envs[] = {env, "HOOKS_EARLY=1", NULL};

	if (getenv("NBD_SANITIZER"))
		lab_skip("a sanitizer brings its own allocator");
	snprintf(path, sizeof(path), "%s%s", folder, file);
	if (access(path, R_OK) != 0)
		lab_skip("no %s", path);
	snprintf(env, sizeof(env), "LD_PRELOAD=%s:%s", first ? path : lab_preload(),
		 first ? lab_preload() : path);
	lab_dns_start_text(w, SCRIPT);
	must_succeed(w, &(struct lab_proc_opts){.argv = argv, .env = envs});
}

LabTest(hooks, jemalloc_in_front)
{
	with_allocator(w, "libjemalloc.so.2", true);
}

LabTest(hooks, jemalloc_behind)
{
	with_allocator(w, "libjemalloc.so.2", false);
}

LabTest(hooks, tcmalloc_in_front)
{
	with_allocator(w, "libtcmalloc_minimal.so.4", true);
}

LabTest(hooks, tcmalloc_behind)
{
	with_allocator(w, "libtcmalloc_minimal.so.4", false);
}

/*
 * AT_SECURE ---------------------------------------------------------------------------------------
 */

/* The client and both libraries in a folder where set-user-ID works, and the shim in
 * /etc/ld.so.preload, the one way in which a set-user-ID program can get it. */
static void install_for_all(struct lab_world *w, unsigned mode, char program[PATH_MAX])
{
	char folder[PATH_MAX / 2], shim[PATH_MAX];
	const char *const copy[] = {
		"/bin/sh",
		"-c",
		"cp \"$0\"/libnoblockdns*.so \"$0\"/clients/hooks_client \"$1\"",
		lab_build_dir(),
		folder,
		NULL};

	if (getuid() != 0 || getenv("NBD_SANITIZER"))
		lab_skip("needs root and a plain build");
	snprintf(folder, sizeof(folder), "%s/suid", lab_world_dir(w));
	lab_assert(mkdir(folder, 0755) == 0);
	lab_assert(mount("lab", folder, "tmpfs", 0, "mode=0755") == 0);
	must_succeed(w, &(struct lab_proc_opts){.argv = copy});
	snprintf(program, PATH_MAX, "%s/hooks_client", folder);
	lab_assert(chmod(program, mode) == 0);
	snprintf(shim, sizeof(shim), "%s/libnoblockdns.so\n", folder);
	lab_file_replace("/etc/ld.so.preload", shim);
	lab_assert(chmod("/etc/ld.so.preload", 0644) == 0);
	lab_dns_start_text(w, SCRIPT);
}

static void run_as_nobody(struct lab_world *w, const char *program, const char *mode)
{
	const char *const argv[] = {
		"/usr/bin/setpriv", "--reuid=65534", "--clear-groups", program, mode, NULL};

	must_succeed(w, &(struct lab_proc_opts){.argv = argv});
}

LabTest(hooks, set_user_id_program_is_left_alone)
{
	char program[PATH_MAX];

	install_for_all(w, 04755, program);
	run_as_nobody(w, program, "stands_aside");
}

LabTest(hooks, same_program_without_the_bit_is_served)
{
	char program[PATH_MAX];

	install_for_all(w, 0755, program);
	run_as_nobody(w, program, "lookup_starts_the_thread");
}

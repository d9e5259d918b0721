// SPDX-License-Identifier: MIT
/*
 * test_limits.c - lookups in other surroundings than a moment before, and where the system
 * refuses what the shim needs: then libc's lookup takes place. The programs are modes of
 * clients/limits_client.c.
 */
#define PROGRAM "clients/limits_client"
#include "tests/e2e/life_run.h"

#include <errno.h>
#include <unistd.h>

/* ---- another network ---- */

static void changes_network(struct lab_world *w, const char *mode)
{
	const struct lab_proc_opts opts = {.argv = SHIM_ARGV(PROGRAM, mode)};

	(void)w;
	dns = lab_dns_start_text(w, ZONE);
	shim_as_libc(mode, &opts);
	lab_assert_int(shim_lines_with(shim_got.out, "Temporary failure"), 2);
}

LabTest(limits, program_that_moves_to_another_network_gets_nothing_of_the_old_one)
{
	changes_network(w, "another_network");
}

LabTest(limits, child_that_moves_to_another_network_gets_nothing_of_the_old_one)
{
	changes_network(w, "child_in_another_network");
}

/* ---- another folder, root, user ---- */

LabTest(limits, program_changes_its_folder_under_a_relative_preload)
{
	char command[1024];

	shim_not_under(NULL, "its runtime has to come first");
	dns = lab_dns_start_text(w, ZONE);
	snprintf(command, sizeof command,
		 "cd '%s' && LD_PRELOAD=./libnoblockdns.so exec " PROGRAM " folder_changes",
		 lab_build_dir());
	lab_proc_run(w, &(struct lab_proc_opts){.argv = SHIM_ARGV("sh", "-c", command)}, &shim_got);
	lab_assert_str(shim_got.err, "");
	lab_assert_str(shim_got.out, "");
	lab_assert_int(shim_got.status, 0);
	lab_assert_int(shim_asked(dns, "a.life.test", LAB_A), 1);
}

/* The second library cannot be seen from there: libc's turn, without a word. */
LabTest(limits, program_changes_its_root_before_its_first_lookup)
{
	const struct lab_proc_opts opts = {
		.argv = SHIM_ARGV(PROGRAM, "root_changes", lab_world_dir(w)),
	};

	dns = lab_dns_start_text(w, ZONE);
	shim_as_libc("chroot", &opts);
	lab_assert_int(shim_lines_with(shim_got.out, "found"), 2);
}

LabTest(limits, program_drops_its_privileges_between_lookups)
{
	if (chown(lab_world_dir(w), 65534, 65534) != 0)
		lab_skip("no second user: %s", strerror(errno));
	run(w, "user_changes");
	lab_assert_int(shim_asked(dns, "a.life.test", LAB_A), 2); /* each user has a cache */
	lab_assert(access("/dev/shm/noblockdns.65534", F_OK) == 0);
}

LabTest(limits, stack_of_32_kib_is_enough)
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
LabTest(limits, refused_system_call_takes_no_answer_away)
{
	shim_not_under(NULL, "it makes such calls itself");
	dns = lab_dns_start_text(w, ZONE);
	for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct lab_proc_opts opts = {
			.argv = SHIM_ARGV(PROGRAM, "refused_calls", refused[i]),
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

/* A process that may not talk to the servers shares the cache with others that may. */
static void others_find(struct lab_world *w, const char *call)
{
	shim_not_under(NULL, "it makes such calls itself");
	dns = lab_dns_start_text(w, ZONE);
	shim_run(NULL, SHIM_ARGV(PROGRAM, "refused_calls", call));
	lab_assert_int(shim_got.status, 1);
	shim_says(NULL, SHIM_ARGV("clients/lookup", "a.life.test"), "a.life.test: 192.0.2.9\n");
}

LabTest(limits, refused_connect_is_no_failure_for_others)
{
	others_find(w, "connect");
}

LabTest(limits, refused_packet_is_no_failure_for_others)
{
	others_find(w, "sendmsg");
}

LabTest(limits, lookup_without_descriptors_fails_as_in_libc)
{
	const struct lab_proc_opts opts = {
		.argv = SHIM_ARGV(PROGRAM, "no_descriptor", "cold"),
	};

	dns = lab_dns_start_text(w, ZONE);
	shim_as_libc("no descriptor", &opts);
}

LabTest(limits, warm_lookup_needs_no_descriptor)
{
	dns = lab_dns_start_text(w, ZONE);
	shim_says(NULL, SHIM_ARGV(PROGRAM, "no_descriptor", "warm"), "found, Success\n");
}

LabTest(limits, descriptors_may_be_lost_in_the_middle_of_a_lookup)
{
	client(w, "NOBLOCKDNS_DEADLINE_MS=1000", "descriptors_lost_in_a_lookup", "");
}

LabTest(limits, little_memory_is_survived)
{
	shim_not_under(NULL, "it reserves address space at will");
	dns = lab_dns_start_text(w, ZONE);
	for (unsigned kib = 0; kib <= 32768; kib = kib == 0 ? 64 : kib * 2) {
		char bytes[32];

		snprintf(bytes, sizeof bytes, "%u", kib * 1024);
		shim_run(SHIM_ENV("NOBLOCKDNS_CACHE=private"),
			 SHIM_ARGV(PROGRAM, "little_memory", bytes));
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

LabTest(limits, allocation_that_fails_is_survived)
{
	allocations_fail(w, "once");
}

LabTest(limits, allocations_that_fail_one_after_the_other_are_survived)
{
	allocations_fail(w, "from");
}

// SPDX-License-Identifier: MIT
/*
 * test_trace.c - what is written of a process, read back: records, threads, forks, a full file, a
 * process that is killed.
 */
#include "shim/trace.h"

#include "shim/process.h"
#include "shim/tool/trace_read.h"
#include "tests/unit/test_cache_util.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static void begin(void)
{
	scratch_make(dir);
	setenv("NOBLOCKDNS_TRACE", dir, 1);
	cr_assert(trace_is_wanted());
	init_role = INIT_TRACED;
}

static void end(void)
{
	scratch_remove(dir);
}

TestSuite(trace, .init = begin, .fini = end);

/* The path of the file of that process; false: it has none. */
static bool path_of(pid_t pid, char ret[PATH_MAX])
{
	char start[64];
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool found = false;

	(void)snprintf(start, sizeof(start), "noblockdns-%d-", pid);
	cr_assert_not_null(d);
	while (!found && (e = readdir(d)) != NULL) {
		found = strncmp(e->d_name, start, strlen(start)) == 0;
		(void)snprintf(ret, PATH_MAX, "%s/%s", dir, e->d_name);
	}
	closedir(d);
	return found;
}

static struct trace_file *open_of(pid_t pid)
{
	struct trace_file *file = NULL;
	char path[PATH_MAX];

	cr_assert(path_of(pid, path), "no file of %d in %s", pid, dir);
	cr_assert_eq(trace_open(path, &file), 0);
	return file;
}

/* The next record of that type. */
static bool next_of(struct trace_file *file, enum trace_type type, struct trace_record *ret)
{
	while (trace_next(file, ret))
		if (ret->type == type)
			return true;
	return false;
}

static void look_up(const char *name, unsigned naddrs)
{
	struct in6_addr addrs[32];
	char *list[33] = {NULL};
	struct hostent hostent = {.h_addrtype = AF_INET6, .h_addr_list = list};
	struct trace_call call;

	for (unsigned i = 0; i < naddrs; i++) {
		addrs[i] = (struct in6_addr){.s6_addr = {0x20, 1, [15] = (unsigned char)i}};
		list[i] = (char *)&addrs[i];
	}
	trace_begin_if(&call, name);
	cr_assert(call.traced);
	trace_end_hostent(&call, TRACE_GETHOSTBYNAME2, AF_INET6, HOST_NOT_FOUND,
			  naddrs == 0 ? NULL : &hostent);
}

Test(trace, lookup_is_read_as_it_was_written)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
	struct addrinfo twice = {.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&v4};
	struct addrinfo list = {
		.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&v4, .ai_next = &twice};
	char addr[INET6_ADDRSTRLEN];
	struct trace_record r;
	struct trace_call call;
	struct trace_file *file;

	trace_begin_if(&call, "www.test");
	trace_note(TRACE_SOURCE_UPSTREAM);
	trace_end_addrinfo(&call, AF_INET, 0, &list);
	file = open_of(getpid());
	cr_assert(next_of(file, TRACE_LOOKUP, &r));
	cr_expect_str_eq(r.name, "www.test");
	cr_expect_eq(r.function, TRACE_GETADDRINFO);
	cr_expect_eq(r.source, TRACE_SOURCE_UPSTREAM);
	cr_expect_eq(r.family, AF_INET);
	cr_expect_eq(r.result, 0);
	cr_expect_eq(r.tid, (uint32_t)gettid());
	cr_expect_eq(r.start_ns, call.start_ns);
	cr_expect_eq(r.naddrs, 1u);
	cr_expect_str_eq(trace_addr_to_str(&r.addrs[0], addr), "192.0.2.1");
	cr_assert_not(trace_next(file, &r));
	trace_close(file);
}

Test(trace, header_names_the_process)
{
	struct trace_file *file;
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	look_up("a.test", 0);
	file = open_of(getpid());
	exe[n > 0 ? n : 0] = '\0';
	cr_expect_str_eq(trace_info(file)->exe, exe);
	cr_expect_not_null(trace_info(file)->argv[0]);
	cr_expect_eq(trace_info(file)->ppid, (uint32_t)getppid());
	cr_expect_not(trace_info(file)->observe);
	cr_expect_not(trace_info(file)->truncated);
	trace_close(file);
}

Test(trace, failure_of_gethostbyname_is_told_as_of_getaddrinfo)
{
	struct trace_record r;
	struct trace_file *file;

	look_up("nope.test", 0);
	file = open_of(getpid());
	cr_assert(next_of(file, TRACE_LOOKUP, &r));
	cr_expect_eq(r.result, EAI_NONAME);
	cr_expect_eq(r.naddrs, 0u);
	trace_close(file);
}

Test(trace, long_name_and_many_addresses_are_cut)
{
	char name[400];
	struct trace_record r;
	struct trace_file *file;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	look_up(name, 20);
	look_up("behind.test", 1);
	file = open_of(getpid());
	cr_assert(next_of(file, TRACE_LOOKUP, &r));
	cr_expect_eq(strlen(r.name), TRACE_NAME_MAX);
	cr_expect_eq(r.naddrs, 20u);
	cr_expect_eq(r.n_kept, (unsigned)TRACE_ADDRS_MAX);
	cr_expect_eq(r.addrs[TRACE_ADDRS_MAX - 1].s6_addr[15], TRACE_ADDRS_MAX - 1);
	cr_assert(next_of(file, TRACE_LOOKUP, &r));
	cr_expect_str_eq(r.name, "behind.test");
	trace_close(file);
}

/* The process reads its own file in the middle of the call. */
static void check_under_way(enum trace_type type, const char *name)
{
	struct trace_file *file = open_of(getpid());
	struct trace_record r;
	unsigned n = 0;

	while (trace_next(file, &r))
		if (r.under_way) {
			n++;
			cr_expect_eq(r.type, type);
			cr_expect_str_eq(r.name, name);
			cr_expect_eq(r.tid, (uint32_t)gettid());
		}
	cr_expect_eq(n, type == 0 ? 0u : 1u, "%u under way", n);
	trace_close(file);
}

Test(trace, lookup_is_under_way_until_it_is_over)
{
	char name[TRACE_NAME_MAX + 1] = "";
	struct trace_call call;

	trace_begin_if(&call, "www.test");
	check_under_way(TRACE_LOOKUP, "www.test");
	trace_end(&call, TRACE_GETADDRINFO, AF_UNSPEC, 0);
	check_under_way(0, "");
	memset(name, 'x', TRACE_NAME_MAX);
	trace_begin_if(&call, name);
	name[TRACE_NAME_HEAD + TRACE_MORE_MAX] = '\0';
	check_under_way(TRACE_LOOKUP, name);
}

Test(trace, connect_is_under_way_until_it_is_over)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_port = htons(443),
				  .sin6_addr = {.s6_addr = {0x20, 1}}};
	const struct sockaddr *addr = (const struct sockaddr *)&to;
	uint64_t start_ns;

	look_up("www.test", 1);
	start_ns = trace_connect_begin(addr, sizeof(to));
	check_under_way(TRACE_CONNECT, "www.test");
	trace_connect(-1, addr, sizeof(to), start_ns, 0);
	check_under_way(0, "");
}

Test(trace, connect_has_the_name_of_the_lookup)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_port = htons(80),
				  .sin6_addr = {.s6_addr = {0x20, 1}}};
	struct trace_record r;
	struct trace_file *file;

	look_up("www.test", 2);
	errno = ECONNREFUSED;
	trace_connect(7, (struct sockaddr *)&to, sizeof(to), 1, -1);
	cr_expect_eq(errno, ECONNREFUSED);
	file = open_of(getpid());
	cr_assert(next_of(file, TRACE_CONNECT, &r));
	cr_expect_str_eq(r.name, "www.test");
	cr_expect_eq(r.fd, 7);
	cr_expect_eq(r.port, 80u);
	cr_expect_eq(r.result, ECONNREFUSED);
	cr_expect_eq(memcmp(&r.addrs[0], &to.sin6_addr, 16), 0);
	trace_close(file);
}

Test(trace, turns_are_counted_and_slow_ones_told)
{
	struct trace_record r;
	struct trace_file *file;

	trace_wait_begin();
	trace_wait_end();
	trace_wait_begin(); /* a quick turn, hardly ever told */
	trace_wait_end();
	usleep(3000);
	trace_wait_begin();
	trace_wait_end();
	look_up("in.turn.test", 0);
	trace_wait_begin();
	file = open_of(getpid());
	cr_assert(trace_next(file, &r));
	cr_expect_eq(r.type, TRACE_THREAD);
	cr_expect_eq(r.turns, 3u);
	cr_expect_geq(r.longest_ns, 3000000u);
	cr_expect_geq(r.histogram[TRACE_TURN_BUCKETS - 1], 1u);
	do
		cr_assert(next_of(file, TRACE_TURN, &r));
	while (r.duration_ns < 3000000);
	cr_expect_eq(r.lookups, 0u);
	do
		cr_assert(next_of(file, TRACE_TURN, &r));
	while (r.lookups == 0);
	cr_expect_eq(r.lookups, 1u);
	cr_expect_geq(r.duration_ns, r.blocked_ns);
	trace_close(file);
}

Test(trace, forked_child_has_a_file_of_its_own)
{
	struct trace_record r;
	struct trace_file *file;
	pid_t pid;
	int status;

	look_up("parent.test", 0);
	pid = fork();
	if (pid == 0) {
		look_up("child.test", 0);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	look_up("parent.again.test", 0);
	file = open_of(pid);
	cr_assert(next_of(file, TRACE_LOOKUP, &r));
	cr_expect_str_eq(r.name, "child.test");
	cr_expect_eq(r.tid, (uint32_t)pid);
	cr_expect_not(next_of(file, TRACE_LOOKUP, &r));
	trace_close(file);
	file = open_of(getpid());
	cr_expect(next_of(file, TRACE_LOOKUP, &r));
	cr_assert(next_of(file, TRACE_LOOKUP, &r));
	cr_expect_str_eq(r.name, "parent.again.test");
	trace_close(file);
}

Test(trace, child_that_records_nothing_has_no_file)
{
	char path[PATH_MAX];
	pid_t pid;

	look_up("parent.test", 0);
	pid = fork();
	if (pid == 0)
		_exit(0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_assert_not(path_of(pid, path));
}

static int wait_once(void *arg)
{
	(void)arg;
	trace_wait_begin();
	trace_wait_end();
	return 0;
}

Test(trace, child_in_its_parents_memory_makes_no_file)
{
	static char stack[65536] __attribute__((aligned(16)));
	char path[PATH_MAX];
	pid_t pid;

	cr_assert_eq(process_check(), PROCESS_OWNER);
	pid = clone(wait_once, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_expect_not(path_of(pid, path));
	cr_expect_not(path_of(getpid(), path));
}

Test(trace, folder_that_is_a_strangers_is_refused)
{
	struct trace_call call;
	char path[PATH_MAX];

	if (geteuid() != 0)
		cr_skip_test("only root can give a folder away");
	cr_assert_eq(chown(dir, 1, 1), 0);
	trace_begin_if(&call, "www.test");
	trace_end(&call, TRACE_GETADDRINFO, AF_UNSPEC, 0);
	cr_expect_eq(init_role, INIT_PLAIN);
	cr_expect_not(path_of(getpid(), path));
}

Test(trace, file_is_the_users_alone)
{
	char path[PATH_MAX];
	struct stat st;

	look_up("www.test", 0);
	cr_assert(path_of(getpid(), path));
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600u);
	cr_expect_lt(st.st_blocks * 512, 1 << 20, "it is not sparse");
}

Test(trace, no_descriptor_stays_open)
{
	int before = dup(0), after;

	look_up("www.test", 0);
	after = dup(0);
	cr_expect_eq(after, before + 1);
}

/* ---- many at once ---- */

#define THREADS 4
#define ROUNDS	5000

/* A name of another length each time, with the thread's number and a count. */
static void *look_up_often(void *arg)
{
	char name[128];

	for (unsigned i = 0; i < ROUNDS; i++) {
		(void)snprintf(name, sizeof(name), "%c-%u-%.*s", *(char *)arg, i, (int)(i % 100),
			       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		look_up(name, i % 5);
	}
	return NULL;
}

static void look_up_in_threads(void)
{
	static char names[] = "abcd";
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, look_up_often, &names[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Each thread's lookups must be there from its first on, without a gap. Returns how many. */
static unsigned check_order(struct trace_file *file)
{
	unsigned next[THREADS] = {0}, all = 0;
	struct trace_record r;

	while (next_of(file, TRACE_LOOKUP, &r)) {
		unsigned i = (unsigned)(r.name[0] - 'a');

		cr_assert_lt(i, THREADS);
		cr_assert_eq(strtoul(r.name + 2, NULL, 10), next[i], "%s", r.name);
		next[i]++;
		all++;
	}
	return all;
}

Test(trace, threads_do_not_mix)
{
	struct trace_file *file;

	look_up_in_threads();
	file = open_of(getpid());
	cr_expect_eq(check_order(file), (unsigned)(THREADS * ROUNDS));
	cr_expect_eq(trace_info(file)->unfinished, 0u);
	cr_expect_eq(trace_info(file)->damaged, 0u);
	cr_expect_eq(trace_info(file)->dropped, 0u);
	trace_close(file);
}

Test(trace, killed_process_leaves_all_but_what_it_was_writing)
{
	volatile sig_atomic_t *started =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (unsigned round = 0; round < 10; round++) {
		struct trace_file *file;
		pid_t pid;

		*started = 0;
		pid = fork();
		if (pid == 0) {
			look_up("a-0-", 0);
			*started = 1;
			look_up_often(&(char){'b'});
			for (;;)
				pause();
		}
		while (*started == 0)
			usleep(100);
		usleep(300 * round);
		kill(pid, SIGKILL);
		cr_assert_eq(waitpid(pid, NULL, 0), pid);
		file = open_of(pid);
		cr_expect_geq(check_order(file), 1u);
		cr_expect_leq(trace_info(file)->unfinished, 1u);
		cr_expect_eq(trace_info(file)->damaged, 0u);
		trace_close(file);
	}
}

Test(trace, full_file_counts_what_is_dropped)
{
	const unsigned more = 1000, fit = TRACE_CELLS_MAX - TRACE_THREAD_CELLS;
	struct trace_call call;
	struct trace_record r;
	struct trace_file *file;
	unsigned n = 0;

	for (unsigned i = 0; i < fit + more; i++) {
		trace_begin_if(&call, "one.cell.test");
		trace_end(&call, TRACE_GETADDRINFO, AF_UNSPEC, 0);
	}
	file = open_of(getpid());
	while (next_of(file, TRACE_LOOKUP, &r))
		n++;
	cr_expect_eq(n, fit);
	cr_expect_eq(trace_info(file)->dropped, more);
	cr_expect_eq(trace_info(file)->unfinished, 0u);
	cr_expect_eq(trace_info(file)->damaged, 0u);
	trace_close(file);
}

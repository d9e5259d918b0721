// SPDX-License-Identifier: MIT
/*
 * test_race_programs.c - programs as the distribution ships them connect to a name of which IPv6 is
 * a black hole and IPv4 works, with a round trip of 20 ms.
 *
 * Measured is the time from the start of the program to the moment at which the server accepts, so
 * each program is also run with a name that has IPv4 alone: that is its own share. The table goes
 * to the output and to race_programs.txt in the build folder.
 */
#include "tests/e2e/race_services.h"
#include "tests/e2e/shim_run.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEAD_V4	       LAB_FAR_V4(66)
#define PROXY_PORT     9000
#define STALL_MS       2900 /* two SYNs, and the wait for the answer to each: 1 s and 2 s */
#define BLACK_HOLE     "www.test"
#define BLACK_HOLE_V4  "two.test" /* where a program asks for IPv4 alone */
#define IPV4_ALONE     "v4.test"
#define PROGRAM_END_MS 20000

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr " BLACK_HOLE " 300 AAAA " RACE_V6 "\n"                                                 \
	"rr " BLACK_HOLE " 300 A " RACE_V4 "\n"                                                    \
	"rr " BLACK_HOLE_V4 " 300 A " DEAD_V4 "\n"                                                 \
	"rr " BLACK_HOLE_V4 " 300 A " RACE_V4 "\n"                                                 \
	"rr " IPV4_ALONE " 300 A " RACE_V4 "\n"

/* What a program does where the first address of a name is a black hole, by itself. */
enum habit {
	STALLS,	  /* it waits until the kernel gives up */
	RACES,	  /* it races by itself */
	IPV4_NOW, /* it takes IPv4 first, whatever the order */
};

struct program {
	const char *name;
	const char *package_of; /* the program that must be there */
	enum race_service service;
	enum habit habit;
	const char *shell; /* $HOST, $PORT and $DIR are set; NULL: nginx */
	const char *says;  /* on standard output, when it has been served */
	const char *host;  /* NULL: BLACK_HOLE */
	bool root;	   /* its server needs more than a user namespace */
};

#define PYTHON "/usr/bin/python3"

#define PROGRAM(n, of, s, h, command, word, ...)                                                   \
	{                                                                                          \
		.name = n, .package_of = of, .service = s, .habit = h, .shell = command,           \
		.says = word, __VA_ARGS__                                                          \
	}

static const struct program programs[] = {
	PROGRAM("curl", "curl", RACE_HTTP, RACES, "exec curl -sS http://$HOST:$PORT/", RACE_PAGE),
	PROGRAM("wget", "wget", RACE_HTTP, STALLS, "exec wget -q -t1 -O - http://$HOST:$PORT/",
		RACE_PAGE),
	PROGRAM("python urllib", "python3", RACE_HTTP, STALLS,
		"exec " PYTHON " -c \"import urllib.request as u\n"
		"print(u.urlopen('http://$HOST:$PORT/').read())\"",
		RACE_PAGE),
	PROGRAM("python asyncio", "python3", RACE_HTTP, STALLS,
		"exec " PYTHON " -c \"import asyncio\n"
		"class Reader(asyncio.Protocol):\n"
		"  def connection_made(self, t): t.write(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
		"  def data_received(self, data): print(data)\n"
		"  def connection_lost(self, error): done.set()\n"
		"async def main():\n"
		"  global done; done = asyncio.Event()\n"
		"  await asyncio.get_running_loop().create_connection(Reader, '$HOST', $PORT)\n"
		"  await done.wait()\n"
		"asyncio.run(main())\"",
		RACE_PAGE),
	PROGRAM("node http.get", "node", RACE_HTTP, RACES,
		"exec node -e \"require('http').get('http://$HOST:$PORT/',"
		" {autoSelectFamily: true}, r => r.pipe(process.stdout))\"",
		RACE_PAGE),
	PROGRAM("node http.get, one family", "node", RACE_HTTP, STALLS,
		"exec node -e \"require('http').get('http://$HOST:$PORT/',"
		" {autoSelectFamily: false}, r => r.pipe(process.stdout))\"",
		RACE_PAGE),
	PROGRAM("redis-cli", "redis-cli", RACE_REDIS, IPV4_NOW,
		"exec redis-cli -h $HOST -p $PORT PING", "PONG"),
	PROGRAM("redis-cli, one IPv4 dead", "redis-cli", RACE_REDIS, STALLS,
		"exec redis-cli -h $HOST -p $PORT PING", "PONG", .host = BLACK_HOLE_V4),
	PROGRAM("psql", "psql", RACE_POSTGRES, STALLS,
		"psql -X -h $HOST -p $PORT -U lab -c '' lab && echo served", "served"),
	PROGRAM("nginx proxy_pass", "nginx", RACE_HTTP, STALLS, NULL, RACE_PAGE, .root = true),
	PROGRAM("git http://", "git", RACE_HTTP, RACES,
		"exec git ls-remote http://$HOST:$PORT/x.git", "refs/heads/main"),
	PROGRAM("git git://", "git", RACE_GIT, STALLS, "exec git ls-remote git://$HOST:$PORT/x.git",
		"refs/heads/main"),
	PROGRAM("ssh", "ssh", RACE_SSH, STALLS,
		"exec ssh -F none -i $DIR/key -o BatchMode=yes -o StrictHostKeyChecking=no"
		" -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -p $PORT root@$HOST echo "
		"served",
		"served", .root = true),
	PROGRAM("ssh ConnectTimeout", "ssh", RACE_SSH, STALLS,
		"exec ssh -F none -i $DIR/key -o BatchMode=yes -o StrictHostKeyChecking=no"
		" -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=15"
		" -p $PORT root@$HOST echo served",
		"served", .root = true),
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* One run. */
struct outcome {
	int accepted_ms; /* -1: the server accepted nothing */
	int ended_ms;
	bool served; /* it said what it says when it has been served, and ended well */
	char complaint[512];
};

/* What was measured of one program. In shared memory: some are measured at once. */
struct row {
	const char *skipped;	   /* why it was not run, or NULL */
	struct outcome ipv4_alone; /* without the shim */
	struct outcome libc;	   /* without the shim */
};

static struct race_services *services;
static struct row *rows;

/* ---- one run ---- */

static int ms_since(uint64_t start_ns, uint64_t end_ns)
{
	return end_ns == 0 ? -1 : (int)((end_ns - start_ns + 500000) / 1000000);
}

static const char *env(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The worlds are short and the strings few: none is freed. */
static const char *env(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	lab_assert(vasprintf(&text, fmt, ap) > 0);
	va_end(ap);
	return text;
}

static void run_shell(struct lab_world *w, unsigned i, const char *host, bool preload,
		      struct outcome *ret)
{
	static struct lab_proc_result got;
	const struct program *p = &programs[i];
	const struct lab_proc_opts opts = {
		.argv = SHIM_ARGV("sh", "-c", p->shell),
		.env = SHIM_ENV(env("HOST=%s", host), env("PORT=%u", RACE_PORT + i),
				env("DIR=%s", lab_world_dir(w)), env("HOME=%s", lab_world_dir(w)),
				"no_proxy=*", "http_proxy", "PGSSLMODE=disable"),
		.preload = preload,
		.timeout_ms = PROGRAM_END_MS};
	uint64_t start = lab_now_ns();

	lab_proc_run(w, &opts, &got);
	ret->accepted_ms = ms_since(start, race_services_accepted_ns(services, i));
	ret->ended_ms = ms_since(start, lab_now_ns());
	ret->served = got.status == 0 && strstr(got.out, p->says) != NULL;
	snprintf(ret->complaint, sizeof(ret->complaint), "status %d, signal %d: %.400s", got.status,
		 got.signal, got.err);
}

static int connect_to_proxy(void)
{
	const struct sockaddr_in proxy = {.sin_family = AF_INET,
					  .sin_port = htons(PROXY_PORT),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	for (int tries = 0; tries < 1000; tries++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (const struct sockaddr *)&proxy, sizeof(proxy)) == 0)
			return fd;
		close(fd);
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	lab_fail("nginx does not listen");
}

static void ask_proxy(unsigned i, struct outcome *ret)
{
	const char *request = "GET / HTTP/1.0\r\n\r\n";
	char *reply = ret->complaint;
	size_t used = 0;
	ssize_t n;
	int fd = connect_to_proxy();
	uint64_t start = lab_now_ns();

	race_services_forget(services, i);
	lab_assert(write(fd, request, strlen(request)) > 0);
	while (used < sizeof(ret->complaint) - 1 &&
	       (n = read(fd, reply + used, sizeof(ret->complaint) - 1 - used)) > 0)
		used += (size_t)n;
	reply[used] = '\0';
	close(fd);
	ret->accepted_ms = ms_since(start, race_services_accepted_ns(services, i));
	ret->ended_ms = ms_since(start, lab_now_ns());
	ret->served = strstr(reply, programs[i].says) != NULL;
}

/*
 * nginx looks the name up when it starts, and sends its requests to the addresses in turn. The
 * slower one of two requests counts.
 */
static void run_nginx(struct lab_world *w, unsigned i, const char *host, bool preload,
		      struct outcome *ret)
{
	const char *config = env("%s/nginx.conf", lab_world_dir(w));
	const char *log = env("%s/nginx.log", lab_world_dir(w));
	struct outcome second;
	pid_t pid;

	lab_file_overwrite(config, env("daemon off; user root; worker_processes 1;\n"
				       "pid %s/nginx.pid; error_log %s;\n"
				       "events { use epoll; }\n"
				       "http { access_log off; server {\n"
				       "listen 127.0.0.1:%u;\n"
				       "location / { proxy_pass http://%s:%u; } } }\n",
				       lab_world_dir(w), log, PROXY_PORT, host, RACE_PORT + i));
	pid = lab_proc_spawn(w, &(struct lab_proc_opts){.argv = SHIM_ARGV(lab_find_program("nginx"),
									  "-e", log, "-c", config),
							.preload = preload});
	ask_proxy(i, ret);
	ask_proxy(i, &second);
	kill(pid, SIGTERM);
	lab_proc_wait(pid, 5000);
	if (!second.served || (ret->served && second.accepted_ms > ret->accepted_ms))
		*ret = second;
}

static void run(struct lab_world *w, unsigned i, const char *host, bool preload,
		struct outcome *ret)
{
	race_services_forget(services, i);
	(programs[i].shell ? run_shell : run_nginx)(w, i, host, preload, ret);
}

/* ---- the surroundings ---- */

static void shell(struct lab_world *w, const char *text)
{
	static struct lab_proc_result got;

	lab_proc_run(w,
		     &(struct lab_proc_opts){.argv = SHIM_ARGV("sh", "-ec", text),
					     .env = SHIM_ENV(env("DIR=%s", lab_world_dir(w)),
							     env("HOME=%s", lab_world_dir(w)))},
		     &got);
	lab_assert(got.status == 0, "(%s: %s)", text, got.err);
}

static void make_files(struct lab_world *w)
{
	char config[256];

	if (lab_find_program("git"))
		shell(w, "git init -q --bare $DIR/" RACE_GIT_FOLDER "/x.git\n"
			 "cd $DIR/" RACE_GIT_FOLDER "/x.git\n"
			 "export GIT_AUTHOR_NAME=lab GIT_AUTHOR_EMAIL=lab@lab.test\n"
			 "export GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=lab@lab.test\n"
			 "git update-ref refs/heads/main"
			 " $(git commit-tree -m x $(git mktree </dev/null))");
	if (lab_find_program("ssh-keygen"))
		shell(w, "ssh-keygen -q -t ed25519 -N '' -f $DIR/key");
	snprintf(config, sizeof(config), "%s/" RACE_SSHD_CONFIG, lab_world_dir(w));
	lab_file_overwrite(config, env("HostKey %s/key\nAuthorizedKeysFile %s/key.pub\n"
				       "StrictModes no\nUsePAM no\nPermitRootLogin yes\n"
				       "LogLevel QUIET\n",
				       lab_world_dir(w), lab_world_dir(w)));
	mkdir("/run/sshd", 0755);
}

static const char *why_skip(const struct program *p)
{
	char setgroups[16] = "";

	if (!lab_find_program(p->package_of) ||
	    (p->service == RACE_SSH && !lab_find_program("sshd")))
		return "not installed";
	lab_file_read("/proc/self/setgroups", setgroups, sizeof(setgroups));
	return p->root && strncmp(setgroups, "deny", 4) == 0 ? "needs root" : NULL;
}

static void start(struct lab_world *w)
{
	static const struct lab_rule rules[] = {
		{.match = {.family = AF_INET6}, .action = LAB_BLACKHOLE},
		{.match = {.remote = DEAD_V4}, .action = LAB_BLACKHOLE},
		{.delay_us = 10000},
	};
	enum race_service kinds[PROGRAMS];

	rows = mmap(NULL, PROGRAMS * sizeof(*rows), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	lab_assert(rows != MAP_FAILED);
	for (unsigned i = 0; i < PROGRAMS; i++) {
		kinds[i] = programs[i].service;
		rows[i].skipped = why_skip(&programs[i]);
	}
	make_files(w);
	lab_dns_start_text(w, ZONE);
	lab_forwarder_start(w, &(struct lab_forwarder_opts){
				       .rules = rules, .nrules = sizeof(rules) / sizeof(rules[0])});
	services = race_services_start(w, kinds, PROGRAMS);
}

/* ---- the measurements ---- */

static const char *host_of(const struct program *p)
{
	return p->host ? p->host : BLACK_HOLE;
}

/* The second run has all files in memory. */
static void measure_ipv4_alone(struct lab_world *w)
{
	for (unsigned i = 0; i < PROGRAMS; i++)
		for (int turn = 0; turn < 2 && !rows[i].skipped; turn++)
			run(w, i, IPV4_ALONE, false, &rows[i].ipv4_alone);
}

/* Those that wait do it at the same time; of the others the time matters. */
static void measure_libc(struct lab_world *w)
{
	pid_t pids[PROGRAMS] = {0};

	lab_file_overwrite("/proc/sys/net/ipv4/tcp_syn_retries", "1\n");
	for (unsigned i = 0; i < PROGRAMS; i++) {
		if (rows[i].skipped || programs[i].habit != STALLS)
			continue;
		pids[i] = lab_fork_side(w, LAB_NEAR);
		if (pids[i] == 0) {
			run(w, i, host_of(&programs[i]), false, &rows[i].libc);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < PROGRAMS; i++)
		if (pids[i] != 0)
			lab_proc_wait(pids[i], 0);
	for (unsigned i = 0; i < PROGRAMS; i++)
		if (!rows[i].skipped && programs[i].habit != STALLS)
			run(w, i, host_of(&programs[i]), false, &rows[i].libc);
	lab_file_overwrite("/proc/sys/net/ipv4/tcp_syn_retries", "6\n");
}

/* ---- what came out ---- */

static const char *took(const struct outcome *o, char *buf, size_t size)
{
	if (o->accepted_ms >= 0)
		snprintf(buf, size, "%d ms", o->accepted_ms);
	else
		snprintf(buf, size, "gave up, %.1f s", o->ended_ms / 1000.0);
	return buf;
}

static void print_rows(FILE *to)
{
	char a[32];
	char b[32];

	fprintf(to, "%-26s %15s %16s\n", "start to accept", "IPv4 alone", "without the shim");
	for (unsigned i = 0; i < PROGRAMS; i++) {
		const struct row *r = &rows[i];

		if (r->skipped)
			fprintf(to, "%-26s %s\n", programs[i].name, r->skipped);
		else
			fprintf(to, "%-26s %15s %16s\n", programs[i].name,
				took(&r->ipv4_alone, a, sizeof(a)), took(&r->libc, b, sizeof(b)));
	}
	fflush(to);
}

static void print_table(void)
{
	FILE *file = fopen(env("%s/race_programs.txt", lab_build_dir()), "we");

	lab_assert(file != NULL, "(%s)", strerror(errno));
	print_rows(file);
	fclose(file);
	print_rows(stdout);
}

/* What is wrong with a program's row, or NULL. */
static const char *fault(unsigned i)
{
	const struct row *r = &rows[i];
	bool stalled = r->libc.accepted_ms < 0 || r->libc.accepted_ms >= STALL_MS;

	if (r->skipped)
		return NULL;
	if (!r->ipv4_alone.served)
		return env("%s: not served over IPv4 alone: %s", programs[i].name,
			   r->ipv4_alone.complaint);
	if (stalled != (programs[i].habit == STALLS))
		return env("%s: without the shim accepted after %d ms", programs[i].name,
			   r->libc.accepted_ms);
	return NULL;
}

LabTest(race_programs, connect_where_ipv6_is_a_black_hole, .far = true)
{
	const char *faults = "";

	shim_not_under(NULL, "its runtime disturbs some of these programs");
	start(w);
	measure_ipv4_alone(w);
	measure_libc(w);
	print_table();
	for (unsigned i = 0; i < PROGRAMS; i++)
		if (fault(i))
			faults = env("%s\n%s", faults, fault(i));
	lab_assert_str(faults, "");
}

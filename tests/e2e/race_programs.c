// SPDX-License-Identifier: MIT
/*
 * race_programs.c - see race_programs.h. The table of programs, and one run of one of them.
 *
 * nginx is a server: it is started, two requests are sent through it, and it is stopped.
 */
#include "race_programs.h"

#include "tests/e2e/shim_run.h"
#include "tests/lab/servers.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PROXY_PORT     9000
#define PROGRAM_END_MS 8000 /* redis-cli gives up after two stalls of 3 s */
#define PYTHON	       "/usr/bin/python3"

#define PROGRAM(n, of, s, h, command, word, ...)                                                   \
	{                                                                                          \
		.name = n, .package_of = of, .service = s, .habit = h, .shell = command,           \
		.says = word, __VA_ARGS__                                                          \
	}

const struct race_program race_programs[] = {
	PROGRAM("curl", "curl", RACE_HTTP, RACE_RACES, "exec curl -sS http://$HOST:$PORT/",
		RACE_PAGE),
	PROGRAM("wget", "wget", RACE_HTTP, RACE_STALLS, "exec wget -q -t1 -O - http://$HOST:$PORT/",
		RACE_PAGE),
	PROGRAM("python urllib", "python3", RACE_HTTP, RACE_STALLS,
		"exec " PYTHON " -c \"import urllib.request as u\n"
		"print(u.urlopen('http://$HOST:$PORT/').read())\"",
		RACE_PAGE),
	PROGRAM("python asyncio", "python3", RACE_HTTP, RACE_STALLS,
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
	PROGRAM("node http.get", "node", RACE_HTTP, RACE_RACES,
		"exec node -e \"require('http').get('http://$HOST:$PORT/',"
		" {autoSelectFamily: true}, r => r.pipe(process.stdout))\"",
		RACE_PAGE),
	PROGRAM("node http.get, one family", "node", RACE_HTTP, RACE_STALLS,
		"exec node -e \"require('http').get('http://$HOST:$PORT/',"
		" {autoSelectFamily: false}, r => r.pipe(process.stdout))\"",
		RACE_PAGE),
	PROGRAM("redis-cli", "redis-cli", RACE_REDIS, RACE_IPV4_FIRST,
		"exec redis-cli -h $HOST -p $PORT PING", "PONG"),
	PROGRAM("redis-cli, one IPv4 dead", "redis-cli", RACE_REDIS, RACE_STALLS,
		"exec redis-cli -h $HOST -p $PORT PING", "PONG", .host = RACE_DEAD_IPV4),
	PROGRAM("psql", "psql", RACE_POSTGRES, RACE_STALLS,
		"psql -X -h $HOST -p $PORT -U lab -c '' lab && echo served", "served"),
	PROGRAM("nginx proxy_pass", "nginx", RACE_HTTP, RACE_STALLS, NULL, RACE_PAGE, .root = true,
		.requests = 1),
	PROGRAM("nginx, 4 requests at once", "nginx", RACE_HTTP, RACE_STALLS, NULL, RACE_PAGE,
		.root = true, .requests = 4),
	PROGRAM("nginx, 4 requests in turn", "nginx", RACE_HTTP, RACE_STALLS, NULL, RACE_PAGE,
		.root = true, .requests = 4, .gap_ms = 60),
	PROGRAM("git http://", "git", RACE_HTTP, RACE_RACES,
		"exec git ls-remote http://$HOST:$PORT/x.git", "refs/heads/main"),
	PROGRAM("git git://", "git", RACE_GIT, RACE_STALLS,
		"exec git ls-remote git://$HOST:$PORT/x.git", "refs/heads/main"),
	PROGRAM("ssh", "ssh", RACE_SSH, RACE_STALLS,
		"exec ssh -F none -i $DIR/key -o BatchMode=yes -o StrictHostKeyChecking=no"
		" -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -p $PORT root@$HOST echo "
		"served",
		"served", .root = true),
	PROGRAM("ssh ConnectTimeout", "ssh", RACE_SSH, RACE_STALLS,
		"exec ssh -F none -i $DIR/key -o BatchMode=yes -o StrictHostKeyChecking=no"
		" -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=15"
		" -p $PORT root@$HOST echo served",
		"served", .root = true),
};

const char *race_programs_text(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	lab_assert(vasprintf(&text, fmt, ap) > 0);
	va_end(ap);
	return text;
}

static int ms_since(uint64_t start_ns, uint64_t end_ns)
{
	return end_ns == 0 ? -1 : (int)((end_ns - start_ns + 500000) / 1000000);
}

static const char *cache_of(const struct race_run *run)
{
	return run->cache ? race_programs_text("NOBLOCKDNS_CACHE=%s", run->cache)
			  : "NOBLOCKDNS_CACHE";
}

static void run_shell(struct lab_world *w, struct race_services *services,
		      const struct race_run *run, struct race_outcome *ret)
{
	static struct lab_proc_result got;
	const struct race_program *p = &race_programs[run->i];
	const struct lab_proc_opts opts = {
		.argv = SHIM_ARGV("sh", "-c", p->shell),
		.env = SHIM_ENV(race_programs_text("HOST=%s", run->host),
				race_programs_text("PORT=%u", RACE_PORT + run->i),
				race_programs_text("DIR=%s", lab_world_dir(w)),
				race_programs_text("HOME=%s", lab_world_dir(w)), "no_proxy=*",
				"http_proxy", cache_of(run)),
		.preload = run->preload,
		.timeout_ms = PROGRAM_END_MS};
	uint64_t start;

	race_services_forget(services, run->i);
	start = lab_now_ns();
	lab_proc_run(w, &opts, &got);
	ret->accepted_ms = ms_since(start, race_services_accepted_ns(services, run->i));
	ret->ended_ms = ms_since(start, lab_now_ns());
	ret->served = got.status == 0 && strstr(got.out, p->says) != NULL;
	snprintf(ret->complaint, sizeof(ret->complaint), "status %d, signal %d: %.400s", got.status,
		 got.signal, got.err);
}

/* ---- nginx ---- */

static int connect_to_proxy(unsigned port)
{
	const struct sockaddr_in proxy = {.sin_family = AF_INET,
					  .sin_port = htons((uint16_t)port),
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

static void read_reply(int fd, char *reply, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size - 1 && (n = read(fd, reply + used, size - 1 - used)) > 0)
		used += (size_t)n;
	reply[used] = '\0';
	close(fd);
}

/* From the last request to the last answer. */
static void ask_proxy(const struct race_program *p, unsigned port, struct race_outcome *ret)
{
	const char *request = "GET / HTTP/1.0\r\n\r\n";
	const struct timespec gap = {.tv_nsec = p->gap_ms * 1000000L};
	int fds[RACE_REQUESTS_MAX];
	uint64_t start = 0;

	*ret = (struct race_outcome){.served = true};
	for (unsigned i = 0; i < p->requests; i++)
		fds[i] = connect_to_proxy(port);
	for (unsigned i = 0; i < p->requests; i++) {
		if (i > 0)
			nanosleep(&gap, NULL);
		start = lab_now_ns();
		lab_assert(write(fds[i], request, strlen(request)) > 0);
	}
	for (unsigned i = 0; i < p->requests; i++) {
		read_reply(fds[i], ret->complaint, sizeof(ret->complaint));
		ret->served = ret->served && strstr(ret->complaint, p->says);
	}
	ret->ended_ms = ret->accepted_ms = ms_since(start, lab_now_ns());
}

static pid_t start_nginx(struct lab_world *w, const struct race_run *run, unsigned port)
{
	const char *base = race_programs_text("%s/nginx.%u", lab_world_dir(w), run->i);
	const char *config = race_programs_text("%s.conf", base);
	const char *log = race_programs_text("%s.log", base);

	lab_file_overwrite(config,
			   race_programs_text("daemon off; user root; worker_processes 1;\n"
					      "pid %s.pid; error_log %s;\n"
					      "events { use epoll; }\n"
					      "http { access_log off; proxy_connect_timeout 8s;\n"
					      "server { listen 127.0.0.1:%u;\n"
					      "location / { proxy_pass http://%s:%u; } } }\n",
					      base, log, port, run->host, RACE_PORT + run->i));
	return lab_proc_spawn(w,
			      &(struct lab_proc_opts){.argv = SHIM_ARGV(lab_find_program("nginx"),
									"-e", log, "-c", config),
						      .env = SHIM_ENV(cache_of(run)),
						      .preload = run->preload});
}

/*
 * nginx looks the name up when it starts, and sends its requests to the addresses in turn: of two
 * rounds the slower one counts.
 */
static void run_nginx(struct lab_world *w, const struct race_run *run, struct race_outcome *ret)
{
	const struct race_program *p = &race_programs[run->i];
	const unsigned port = PROXY_PORT + run->i;
	pid_t pid = start_nginx(w, run, port);
	struct race_outcome second;

	ask_proxy(p, port, ret);
	ask_proxy(p, port, &second);
	kill(pid, SIGTERM);
	lab_proc_wait(pid, 5000);
	if (!second.served || (ret->served && second.accepted_ms > ret->accepted_ms))
		*ret = second;
}

void race_program_run(struct lab_world *w, struct race_services *services,
		      const struct race_run *run, struct race_outcome *ret)
{
	if (race_programs[run->i].shell)
		run_shell(w, services, run, ret);
	else
		run_nginx(w, run, ret);
}

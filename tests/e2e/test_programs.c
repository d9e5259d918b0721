// SPDX-License-Identifier: MIT
/*
 * test_programs.c - programs as the distribution ships them look names up: each prints, complains
 * and exits under the shim as it does without, with a cold cache and with a warm one.
 *
 * A web server stands on 127.0.0.1 and ::1, port 8080, of a world, and the names lead there.
 */
#include "tests/e2e/shim_run.h"
#include "tests/lab/servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ZONE                                                                                       \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 60\n"                                                                     \
	"rr www.test 300 A 127.0.0.1\n"                                                            \
	"rr www.test 300 AAAA ::1\n"                                                               \
	"rr v4.test 300 A 127.0.0.1\n"                                                             \
	"rr alias.test 300 CNAME v4.test\n"                                                        \
	"rr two.test 300 A 127.0.0.1\n"                                                            \
	"rr two.test 300 A 127.0.0.2\n"                                                            \
	"rr *.many.test 300 A 127.0.0.3\n"                                                         \
	"on fail.test * servfail\n"

#define QUICK_FAILURES "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"

static struct lab_dns *dns;

/* The programs are not instrumented; with a sanitizer's runtime in front some of them hang. */
static void needs(const char *program)
{
	shim_not_under(NULL, "its runtime disturbs some of these programs");
	if (lab_find_program(program) == NULL)
		lab_skip("%s is not installed", program);
}

static void same_env(const char *const *env, const char *const *argv)
{
	const struct lab_proc_opts opts = {.argv = argv, .env = env};

	needs(strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0]);
	shim_as_libc(argv[0], &opts);
	lab_assert_int(shim_got.signal, 0);
}

#define SAME(...) same_env(NULL, SHIM_ARGV(__VA_ARGS__))

/* One answer to every request: enough for any client. */
static const char *const page = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n"
				"Content-Type: text/plain\r\n\r\nhello\n";

static int listen_on(int family, const void *addr, socklen_t len)
{
	const int one = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	lab_assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	lab_assert(bind(fd, addr, len) == 0 && listen(fd, 64) == 0, "(%s)", strerror(errno));
	return fd;
}

static _Noreturn void serve(int listener)
{
	for (;;) {
		char request[4096] = "";
		size_t used = 0;
		ssize_t n;
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		while (strstr(request, "\r\n\r\n") == NULL && used < sizeof request - 1 &&
		       (n = read(fd, request + used, sizeof request - 1 - used)) > 0)
			request[used += (size_t)n] = '\0';
		if (used > 0 && write(fd, page, strlen(page)) < 0)
			continue;
		close(fd);
	}
}

static void start_web(struct lab_world *w)
{
	const struct sockaddr_in v4 = {.sin_family = AF_INET,
				       .sin_port = htons(8080),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(8080), .sin6_addr = in6addr_loopback};
	int fds[2] = {listen_on(AF_INET, &v4, sizeof v4), listen_on(AF_INET6, &v6, sizeof v6)};

	for (int i = 0; i < 2; i++)
		if (lab_fork_side(w, LAB_NEAR) == 0)
			serve(fds[i]);
	close(fds[0]);
	close(fds[1]);
}

static void start(struct lab_world *w)
{
	dns = lab_dns_start_text(w, ZONE);
	start_web(w);
}

/* ---- fetching ---- */

LabTest(programs, curl, .resolv_conf = QUICK_FAILURES)
{
	start(w);
	SAME("curl", "-sS", "http://www.test:8080/", "http://alias.test:8080/");
	SAME("curl", "-sS", "-4", "http://www.test:8080/");
	SAME("curl", "-sS", "-6", "http://www.test:8080/");
	SAME("curl", "-sS", "http://nope.test:8080/");
	SAME("curl", "-sS", "http://fail.test:8080/");
	SAME("curl", "-s", "-Z", "--no-progress-meter", "http://www.test:8080/",
	     "http://v4.test:8080/", "http://two.test:8080/", "http://alias.test:8080/");
}

LabTest(programs, wget, .resolv_conf = QUICK_FAILURES)
{
	start(w);
	SAME("wget", "-nv", "-O", "-", "--no-proxy", "-t1", "-o", "/dev/null",
	     "http://www.test:8080/");
	SAME("wget", "-q", "-O", "-", "-t1", "http://nope.test:8080/");
	/* resolving is part of what it tells */
	SAME("wget", "--spider", "-nv", "-t1", "http://two.test:1/");
}

LabTest(programs, git)
{
	start(w);
	SAME("git", "ls-remote", "http://www.test:8080/x.git");
	SAME("git", "ls-remote", "http://nope.test:8080/x.git");
	SAME("git", "ls-remote", "git://v4.test/x.git");
}

LabTest(programs, ssh)
{
	start(w);
	SAME("ssh", "-F", "none", "-o", "BatchMode=yes", "-p", "1", "x@v4.test");
	SAME("ssh", "-F", "none", "-o", "BatchMode=yes", "-p", "1", "x@www.test");
	SAME("ssh", "-F", "none", "-o", "BatchMode=yes", "-p", "1", "x@nope.test");
	SAME("ssh", "-F", "none", "-o", "CanonicalizeHostname=yes", "-o", "BatchMode=yes", "-p",
	     "1", "x@alias.test");
}

/* ---- interpreters ---- */

#define PYTHON(text) SAME("/usr/bin/python3", "-c", text)

LabTest(programs, python_socket, .resolv_conf = QUICK_FAILURES)
{
	start(w);
	PYTHON("import socket\n"
	       "for n in 'www.test', 'alias.test', 'nope.test', 'fail.test', 'two.test':\n"
	       "  for f in socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6:\n"
	       "    try: print(socket.getaddrinfo(n, 'http', f, flags=socket.AI_CANONNAME))\n"
	       "    except OSError as e: print(repr(e))\n");
	PYTHON("import socket\n"
	       "for n in 'www.test', 'alias.test', 'nope.test', 'fail.test', 'two.test', "
	       "'localhost':\n"
	       "  for f in socket.gethostbyname, socket.gethostbyname_ex:\n"
	       "    try: print(f(n))\n"
	       "    except OSError as e: print(repr(e))\n");
	PYTHON("import urllib.request\n"
	       "print(urllib.request.urlopen('http://www.test:8080/').read())\n");
}

LabTest(programs, python_asyncio)
{
	start(w);
	PYTHON("import asyncio, socket\n"
	       "async def main():\n"
	       "  loop = asyncio.get_running_loop()\n"
	       "  print(await asyncio.gather(*(loop.getaddrinfo('n%d.many.test' % (i % 20), 80,\n"
	       "        type=socket.SOCK_STREAM) for i in range(100))))\n"
	       "  r, w = await asyncio.open_connection('www.test', 8080)\n"
	       "  w.write(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
	       "  print(await r.read())\n"
	       "asyncio.run(main())\n");
}

/* Its pool forks with threads alive, and its children look up. */
LabTest(programs, python_multiprocessing)
{
	start(w);
	PYTHON("import multiprocessing, socket\n"
	       "def f(i): return socket.gethostbyname('p%d.many.test' % i)\n"
	       "if __name__ == '__main__':\n"
	       "  f(0)\n"
	       "  multiprocessing.set_start_method('fork')\n"
	       "  with multiprocessing.Pool(4) as p: print(p.map(f, range(40)))\n");
}

LabTest(programs, node, .resolv_conf = QUICK_FAILURES)
{
	start(w);
	SAME("node", "-e",
	     "const dns = require('dns').promises;"
	     "(async () => {"
	     " for (const n of ['www.test', 'alias.test', 'nope.test', 'fail.test', 'localhost'])"
	     "  for (const family of [0, 4, 6])"
	     "   console.log(n, family, await dns.lookup(n, {all: true, family, verbatim: true})"
	     "    .catch(e => e.code));"
	     " const many = [...Array(40).keys()].map(i => dns.lookup(`m${i % 10}.many.test`));"
	     " console.log(await Promise.all(many));"
	     "})()");
	SAME("node", "-e",
	     "require('http').get('http://www.test:8080/', {autoSelectFamily: false},"
	     " r => { console.log(r.statusCode); r.pipe(process.stdout); })");
}

LabTest(programs, perl)
{
	start(w);
	SAME("perl", "-MSocket=:addrinfo,:DEFAULT", "-e",
	     "for my $n ('www.test', 'alias.test', 'nope.test') {"
	     " my ($e, @r) = getaddrinfo($n, 'http', {flags => AI_CANONNAME});"
	     " print \"$n <$e> \", join(' ', map { join ',', $_->{family}, $_->{socktype},"
	     "  unpack('H*', $_->{addr}), $_->{canonname} // '' } @r), \"\\n\";"
	     " my @h = gethostbyname($n);"
	     " print join('|', map { $_ // '' } @h[0 .. 3], map { inet_ntoa($_) } @h[4 .. $#h]),"
	     "  \" $?\\n\"; }");
}

LabTest(programs, bash)
{
	start(w);
	SAME("bash", "-c",
	     "exec 3<>/dev/tcp/www.test/8080; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3");
	SAME("bash", "-c", "exec 3<>/dev/tcp/nope.test/8080; echo $?");
	SAME("bash", "-c", "echo hello >/dev/udp/alias.test/9; echo $?");
}

/* ---- glibc's own ---- */

LabTest(programs, getent, .resolv_conf = QUICK_FAILURES)
{
	static const char *const databases[] = {"ahosts", "ahostsv4", "ahostsv6", "hosts"};

	start(w);
	setenv("NOBLOCKDNS_CACHE", "private", 1); /* each row asks */
	for (unsigned i = 0; i < sizeof databases / sizeof databases[0]; i++)
		SAME("getent", databases[i], "www.test", "alias.test", "nope.test", "two.test",
		     "fail.test", "localhost", "127.0.0.1", "www.test");
}

/* ---- surroundings ---- */

LabTest(programs, empty_environment)
{
	char preload[4200], client[4200];

	start(w);
	needs("env");
	snprintf(preload, sizeof preload, "LD_PRELOAD=%s", lab_preload());
	snprintf(client, sizeof client, "%s/clients/lookup", lab_build_dir());
	for (int i = 0; i < 2; i++)
		shim_says(NULL, SHIM_ARGV("env", "-i", preload, client, "www.test", "nope.test"),
			  "www.test: ::1 127.0.0.1\nnope.test: EAI_NONAME\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

static void beside(struct lab_world *w, const char *allocator)
{
	char path[256], preload[8300];
	uint64_t asked;

	start(w);
	needs("python3");
	shim_says(NULL, SHIM_ARGV("clients/lookup", "v4.test"), "v4.test: 127.0.0.1\n");
	asked = shim_asked(dns, "v4.test", LAB_A);
	snprintf(path, sizeof path, "/usr/lib/%s-linux-gnu/%s",
#if defined(__x86_64__)
		 "x86_64",
#else
		 "aarch64",
#endif
		 allocator);
	if (access(path, R_OK) != 0)
		lab_skip("no %s", path);
	for (int first = 0; first < 2; first++) {
		snprintf(preload, sizeof preload, "LD_PRELOAD=%s:%s", first ? path : lab_preload(),
			 first ? lab_preload() : path);
		shim_run(SHIM_ENV(preload), SHIM_ARGV("clients/lookup", "-j64", "-n50", "v4.test"));
		lab_assert_str(shim_got.err, "");
		lab_assert_int(shim_lines_with(shim_got.out, "v4.test: 127.0.0.1"), 50);
		lab_assert_int(shim_got.status, 0);
		shim_says(SHIM_ENV(preload),
			  SHIM_ARGV("/usr/bin/python3", "-c",
				    "import socket, os\n"
				    "def f(x): return socket.gethostbyname("
				    "f'{x}{os.getpid()}.many.test')\n"
				    "print(f('a'), flush=True)\n"
				    "if os.fork() == 0: print(f('b'), flush=True); os._exit(0)\n"
				    "os.wait(); print(f('c'))\n"),
			  "127.0.0.3\n127.0.0.3\n127.0.0.3\n");
	}
	lab_assert_int(shim_asked(dns, "v4.test", LAB_A), asked);
}

LabTest(programs, jemalloc_before_and_behind)
{
	beside(w, "libjemalloc.so.2");
}

LabTest(programs, tcmalloc_before_and_behind)
{
	beside(w, "libtcmalloc_minimal.so.4");
}

/* Fifty processes start at once, and each passes on what the one before said. */
LabTest(programs, pipeline_of_fifty)
{
	char script[16384] = ":", expected[4096] = "";

	start(w);
	for (unsigned i = 0; i < 50; i++) {
		size_t len = strlen(script);

		snprintf(script + len, sizeof script - len,
			 " | { cat; '%s'/clients/lookup -4 n%u.many.test; }", lab_build_dir(),
			 i % 5);
		len = strlen(expected);
		snprintf(expected + len, sizeof expected - len, "n%u.many.test: 127.0.0.3\n",
			 i % 5);
	}
	shim_says(NULL, SHIM_ARGV("sh", "-c", script), expected);
	lab_assert(shim_asked(dns, NULL, LAB_ANY_TYPE) >= 5);
	lab_dns_reset_counts(dns);
	shim_says(NULL, SHIM_ARGV("sh", "-c", script), expected);
	lab_assert_int(shim_asked(dns, NULL, LAB_ANY_TYPE), 0);
}

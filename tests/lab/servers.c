// SPDX-License-Identifier: MIT
/*
 * servers.c - starting a real server, waiting for its first answer, and stopping it.
 */
#include "servers.h"
#include "dnsquery.h"
#include "proc.h"
#include "serverconf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_LIMIT_MS 15000
#define STOP_LIMIT_MS  3000
#define NSCD_SOCKET    "/var/run/nscd/socket"

struct lab_server {
	pid_t pid;
	enum lab_server_kind kind;
	char dir[PATH_MAX];
};

const char *lab_server_kind_to_str(enum lab_server_kind kind)
{
	switch (kind) {
	case LAB_UNBOUND:
		return "unbound";
	case LAB_NSD:
		return "nsd";
	case LAB_DNSDIST:
		return "dnsdist";
	case LAB_KRESD:
		return "kresd";
	case LAB_NSCD:
		return "nscd";
	}
	return "?";
}

const char *lab_find_program(const char *name)
{
	static char path[PATH_MAX];
	const char *from_env = getenv("PATH");
	char folders[PATH_MAX];
	char *rest = folders;
	const char *folder;

	/* Servers live in sbin, which is not on every user's PATH. */
	snprintf(folders, sizeof(folders), "%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin",
		 from_env ? from_env : "");
	while ((folder = strsep(&rest, ":"))) {
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (*folder && access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* The argument vectors keep each server in the foreground, as our child. */
static _Noreturn void exec_server(const struct lab_server *s, const char *program)
{
	char config[PATH_MAX + 8];
	char log[PATH_MAX + 8];
	int fd;

	snprintf(config, sizeof(config), "%s/conf", s->dir);
	snprintf(log, sizeof(log), "%s/log", s->dir);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(fd, 1);
	dup2(fd, 2);
	unsetenv("LD_PRELOAD");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (s->kind) {
	case LAB_UNBOUND:
		execl(program, "unbound", "-d", "-c", config, (char *)NULL);
		break;
	case LAB_NSD:
		execl(program, "nsd", "-d", "-c", config, (char *)NULL);
		break;
	case LAB_DNSDIST:
		execl(program, "dnsdist", "--supervised", "--disable-syslog", "-C", config,
		      (char *)NULL);
		break;
	case LAB_KRESD:
		execl(program, "kresd", "-n", "-c", config, s->dir, (char *)NULL);
		break;
	case LAB_NSCD:
		execl(program, "nscd", "-F", "-f", config, (char *)NULL);
		break;
	}
	lab_fail("cannot run %s: %s", program, strerror(errno));
}

static bool nscd_answers(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = NSCD_SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool dns_answers(const struct lab_server_opts *opts)
{
	const char *name = opts->zones ? opts->zones->name : ".";
	const char *address = opts->listen ? opts->listen : "127.0.0.1";
	struct lab_dns_question q = {
		.name = opts->ready_name ? opts->ready_name : name,
		.type = LAB_SOA,
		.timeout_ms = 200,
	};
	struct lab_dns_reply reply;
	char server[128];

	snprintf(server, sizeof(server), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
		 opts->port ? opts->port : 53);
	q.server = server;
	return lab_dns_ask(&q, &reply) == 0;
}

/* In a child on the server's side: its exit status says whether the server answered in time. */
static bool wait_on_side(struct lab_world *w, const struct lab_server_opts *opts)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	pid_t pid = lab_fork_side(w, opts->side);
	int status;

	if (pid == 0) {
		unsigned long long end = lab_now_ns() + START_LIMIT_MS * 1000000ULL;
		bool up = false;

		while (!up && lab_now_ns() < end) {
			up = opts->kind == LAB_NSCD ? nscd_answers() : dns_answers(opts);
			if (!up)
				nanosleep(&pause, NULL);
		}
		_exit(up ? 0 : 1);
	}
	status = lab_proc_wait(pid, 2 * START_LIMIT_MS);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void fail_with_log(const struct lab_server *s, const char *what)
{
	char path[PATH_MAX + 8];
	char log[1500] = "";

	snprintf(path, sizeof(path), "%s/log", s->dir);
	lab_file_read(path, log, sizeof(log));
	lab_fail("%s %s; it says:\n%s", lab_server_kind_to_str(s->kind), what, log);
}

struct lab_server *lab_server_start(struct lab_world *w, const struct lab_server_opts *opts)
{
	static unsigned number;
	const char *program = lab_find_program(lab_server_kind_to_str(opts->kind));
	struct lab_server *s = calloc(1, sizeof(*s));

	if (!program)
		lab_skip("%s is not installed", lab_server_kind_to_str(opts->kind));
	if (!s)
		lab_fail("no memory");
	s->kind = opts->kind;
	snprintf(s->dir, sizeof(s->dir), "%s/%s-%u", lab_world_dir(w),
		 lab_server_kind_to_str(opts->kind), number++);
	if (mkdir(s->dir, 0755))
		lab_fail("mkdir %s: %s", s->dir, strerror(errno));
	lab_server_configure(opts, s->dir);
	s->pid = lab_fork_side(w, opts->side);
	if (s->pid == 0)
		exec_server(s, program);
	if (!wait_on_side(w, opts))
		fail_with_log(s, "does not answer");
	if (waitpid(s->pid, NULL, WNOHANG) != 0)
		fail_with_log(s, "has ended (is another one on its port?)");
	return s;
}

struct lab_server *lab_server_start_wild(struct lab_world *w, enum lab_server_kind kind,
					 enum lab_side side, const char *listen)
{
	static const char records[] = "  local-zone: \"dot.test.\" redirect\n"
				      "  local-data: \"dot.test. 300 IN A 192.0.2.80\"\n"
				      "  local-data: \"dot.test. 300 IN AAAA 2001:db8::80\"\n";
	static const char action[] = "addAction(\"dot.test.\", "
				     "SpoofAction({\"192.0.2.80\", \"2001:db8::80\"}, {ttl=300}))\n"
				     "addAction(\"dot.test.\", RCodeAction(DNSRCode.NOERROR))\n";
	const struct lab_server_opts opts = {
		.kind = kind,
		.side = side,
		.listen = listen,
		.tls_port = 853,
		.ready_name = "dot.test",
		.extra = kind == LAB_DNSDIST ? action : records,
	};

	return lab_server_start(w, &opts);
}

void lab_server_stop(struct lab_server *server)
{
	if (!server)
		return;
	kill(server->pid, SIGTERM);
	lab_proc_wait(server->pid, STOP_LIMIT_MS);
	free(server);
}

pid_t lab_server_pid(const struct lab_server *server)
{
	return server->pid;
}

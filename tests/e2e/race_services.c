// SPDX-License-Identifier: MIT
/*
 * race_services.c - see race_services.h. One process listens for all services and forks a child for
 * each connection, as inetd does: git and sshd get the connection as their standard streams.
 */
#include "race_services.h"

#include "tests/lab/dnsquery.h"
#include "tests/lab/proc.h"
#include "tests/lab/servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct race_services {
	_Atomic uint64_t
		accepted_ns[RACE_MAX]; /* in shared memory; the server writes, tests read */
};

static void say(int fd, const void *data, size_t len)
{
	if (write(fd, data, len) != (ssize_t)len)
		_exit(0); /* the client has gone */
}

/* The dumb protocol of git asks for two files: which refs there are, and where HEAD points. */
static void serve_http(int fd)
{
	const char *body = RACE_PAGE "\n";
	char request[4096] = "";
	char reply[512];
	size_t used = 0;
	ssize_t n;

	while (!strstr(request, "\r\n\r\n") && used < sizeof(request) - 1 &&
	       (n = read(fd, request + used, sizeof(request) - 1 - used)) > 0)
		request[used += (size_t)n] = '\0';
	if (strstr(request, "/info/refs"))
		body = "1234567890123456789012345678901234567890\trefs/heads/main\n";
	else if (strstr(request, "/HEAD"))
		body = "ref: refs/heads/main\n";
	n = snprintf(reply, sizeof(reply),
		     "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
		     strlen(body), body);
	if (used > 0)
		say(fd, reply, (size_t)n);
}

static void serve_redis(int fd)
{
	char command[4096];

	while (read(fd, command, sizeof(command)) > 0)
		say(fd, "+PONG\r\n", 7);
}

static bool read_all(int fd, void *buf, size_t len)
{
	return len == 0 || recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

/* A length that counts itself, and so many octets less four behind it. */
static bool read_counted(int fd, uint8_t *body, size_t size)
{
	uint32_t len;

	if (!read_all(fd, &len, sizeof(len)))
		return false;
	len = ntohl(len) - 4;
	return len <= size && read_all(fd, body, len);
}

/* PostgreSQL's protocol, version 3: requests for encryption, a start, then commands. */
static void serve_postgres(int fd)
{
	static const uint8_t encryption[][4] = {{0x04, 0xd2, 0x16, 0x2f}, {0x04, 0xd2, 0x16, 0x30}};
	static const char welcome[] = "R\0\0\0\x08\0\0\0\0" /* AuthenticationOk */
				      "Z\0\0\0\x05I";	    /* ReadyForQuery, idle */
	static const char empty[] = "I\0\0\0\x04"	    /* EmptyQueryResponse */
				    "Z\0\0\0\x05I";
	uint8_t body[4096] = "";
	char command;

	do {
		if (!read_counted(fd, body, sizeof(body)))
			return;
		if (memcmp(body, encryption[0], 4) != 0 && memcmp(body, encryption[1], 4) != 0)
			break;
		say(fd, "N", 1);
	} while (true);
	say(fd, welcome, sizeof(welcome) - 1);
	while (read_all(fd, &command, 1) && read_counted(fd, body, sizeof(body)) && command == 'Q')
		say(fd, empty, sizeof(empty) - 1);
}

static _Noreturn void become(int fd, const char *program, const char *const *argv)
{
	const char *path = lab_find_program(program);

	dup2(fd, 0);
	dup2(fd, 1);
	if (path)
		execv(path, (char *const *)argv);
	_exit(127);
}

static void serve_git(const struct lab_world *w, int fd)
{
	char base[256];

	snprintf(base, sizeof(base), "--base-path=%s/" RACE_GIT_FOLDER, lab_world_dir(w));
	become(fd, "git",
	       (const char *const[]){"git", "daemon", "--inetd", "--export-all", base, NULL});
}

static void serve_ssh(const struct lab_world *w, int fd)
{
	char config[256];

	snprintf(config, sizeof(config), "%s/" RACE_SSHD_CONFIG, lab_world_dir(w));
	become(fd, "sshd", (const char *const[]){"sshd", "-i", "-f", config, NULL});
}

static _Noreturn void serve(const struct lab_world *w, enum race_service service, int fd)
{
	signal(SIGCHLD, SIG_DFL);
	switch (service) {
	case RACE_HTTP:
		serve_http(fd);
		break;
	case RACE_REDIS:
		serve_redis(fd);
		break;
	case RACE_POSTGRES:
		serve_postgres(fd);
		break;
	case RACE_GIT:
		serve_git(w, fd);
		break;
	case RACE_SSH:
		serve_ssh(w, fd);
		break;
	}
	_exit(0);
}

static int listen_at(const char *address, unsigned port)
{
	const int one = 1;
	struct sockaddr_storage addr;
	socklen_t len;
	int fd;

	lab_assert_int(lab_parse_endpoint(address, (uint16_t)port, &addr, &len), 0);
	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	lab_assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	lab_assert(bind(fd, (struct sockaddr *)&addr, len) == 0 && listen(fd, 64) == 0, "(%s)",
		   strerror(errno));
	return fd;
}

static void accept_one(struct lab_world *w, struct race_services *s, int listener,
		       enum race_service service, unsigned i)
{
	uint64_t never = 0;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	atomic_compare_exchange_strong(&s->accepted_ns[i], &never, lab_now_ns());
	if (lab_fork_side(w, LAB_FAR) == 0)
		serve(w, service, fd);
	close(fd);
}

struct race_services *race_services_start(struct lab_world *w, const enum race_service *services,
					  unsigned n)
{
	struct race_services *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pollfd listeners[2 * RACE_MAX];
	int ready[2];
	char byte;

	lab_assert(s != MAP_FAILED && n <= RACE_MAX && pipe(ready) == 0);
	if (lab_fork_side(w, LAB_FAR) != 0) {
		close(ready[1]);
		lab_assert_int(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		return s;
	}
	signal(SIGCHLD, SIG_IGN);
	for (unsigned i = 0; i < 2 * n; i++)
		listeners[i] = (struct pollfd){
			.fd = listen_at(i % 2 ? RACE_V6 : RACE_V4, RACE_PORT + i / 2),
			.events = POLLIN};
	lab_assert_int(write(ready[1], "", 1), 1);
	close(ready[1]);
	while (poll(listeners, 2 * n, -1) >= 0 || errno == EINTR)
		for (unsigned i = 0; i < 2 * n; i++)
			if (listeners[i].revents)
				accept_one(w, s, listeners[i].fd, services[i / 2], i / 2);
	_exit(1);
}

void race_services_forget(struct race_services *s, unsigned i)
{
	atomic_store(&s->accepted_ns[i], 0);
}

uint64_t race_services_accepted_ns(const struct race_services *s, unsigned i)
{
	return atomic_load(&s->accepted_ns[i]);
}

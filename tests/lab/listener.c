// SPDX-License-Identifier: MIT
/*
 * listener.c - the process behind listener.h: one event loop. The records lie in memory that it
 * shares with its starter; each field is written by this process alone.
 */
#include "listener.h"
#include "loop.h"
#include "proc.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct lab_listener {
	const char *greeting; /* borrowed; or NULL */
	atomic_uint count;    /* released after its record is complete */
	struct lab_connection connections[LAB_LISTENER_MAX];
};

struct port {
	struct lab_listener *listener;
	int fd;
	uint16_t port;
};

struct client {
	struct lab_connection *record; /* in shared memory */
	struct lab_watch *watch;
	int fd;
};

static void client_ready(void *arg, uint32_t events)
{
	struct client *c = arg;
	char octets[4096];
	ssize_t n;

	(void)events;
	while ((n = recv(c->fd, octets, sizeof octets, MSG_DONTWAIT)) > 0)
		c->record->octets += (uint32_t)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->record->end = n == 0 ? LAB_CONNECTION_EOF : LAB_CONNECTION_RESET;
	lab_loop_unwatch(c->watch);
	close(c->fd);
	free(c);
}

static void serve(struct lab_listener *l, int fd, uint16_t port, const struct sockaddr_in6 *peer)
{
	unsigned i = atomic_load(&l->count);
	struct client *c = calloc(1, sizeof *c);

	if (c == NULL || i == LAB_LISTENER_MAX)
		lab_fail("listener: too many connections");
	c->fd = fd;
	c->record = &l->connections[i];
	c->record->port = port;
	c->record->client_port = ntohs(peer->sin6_port);
	c->record->family = IN6_IS_ADDR_V4MAPPED(&peer->sin6_addr) ? AF_INET : AF_INET6;
	atomic_store(&l->count, i + 1);
	if (l->greeting != NULL)
		(void)!send(fd, l->greeting, strlen(l->greeting), MSG_NOSIGNAL);
	c->watch = lab_loop_watch(fd, EPOLLIN, client_ready, c);
}

static void port_ready(void *arg, uint32_t events)
{
	struct port *p = arg;
	struct sockaddr_in6 peer;
	socklen_t len = sizeof peer;
	int fd;

	(void)events;
	while ((fd = accept4(p->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC)) >= 0)
		serve(p->listener, fd, p->port, &peer);
}

static void listen_on(struct lab_listener *l, uint16_t port)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct port *p = calloc(1, sizeof *p);
	const int zero = 0;

	if (p == NULL)
		lab_fail("listener: no memory");
	*p = (struct port){.listener = l, .port = port};
	p->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0 || setsockopt(p->fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero) ||
	    bind(p->fd, (const struct sockaddr *)&any, sizeof any) || listen(p->fd, 4096))
		lab_fail("listener: port %u: %s", port, strerror(errno));
	lab_loop_watch(p->fd, EPOLLIN, port_ready, p);
}

struct lab_listener *lab_listener_start(struct lab_world *w, enum lab_side side, uint16_t port,
					unsigned nports, const char *greeting)
{
	struct lab_listener *l =
		mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct rlimit many = {2 * LAB_LISTENER_MAX, 2 * LAB_LISTENER_MAX};
	int ready[2];
	char byte;
	pid_t pid;

	if (l == MAP_FAILED || pipe(ready))
		lab_fail("listener: %s", strerror(errno));
	l->greeting = greeting;
	pid = lab_fork_side(w, side);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)setrlimit(RLIMIT_NOFILE, &many);
		for (unsigned i = 0; i < nports; i++)
			listen_on(l, (uint16_t)(port + i));
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		close(ready[0]);
		close(ready[1]);
		lab_loop_run();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		lab_fail("the listener did not start");
	close(ready[0]);
	return l;
}

bool lab_listener_connection(const struct lab_listener *l, unsigned i, struct lab_connection *ret)
{
	if (i >= atomic_load(&l->count))
		return false;
	*ret = l->connections[i];
	return true;
}

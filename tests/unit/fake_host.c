// SPDX-License-Identifier: MIT
/* fake_host.c - see fake_host.h. */
#include "fake_host.h"

#include "shim/file.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int host_socket(void *ctx, int domain, int type, int protocol)
{
	struct fake_host *h = ctx;
	unsigned place;
	int fd;

	if (h->socket_error)
		return -h->socket_error;
	place = h->nsockets;
	if (place >= FAKE_HOST_MAX)
		for (place = 0; place < FAKE_HOST_MAX && h->sockets[place].fd >= 0;)
			place++;
	if (place == FAKE_HOST_MAX)
		return -EMFILE;
	fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -errno;
	h->sockets[place] = (struct fake_socket){.fd = fd, .domain = domain, .type = type};
	h->nsockets++;
	return FAKE_HOST_HANDLE + (int)place;
}

static void host_close(void *ctx, int handle)
{
	struct fake_host *h = ctx;
	struct fake_socket *s = &h->sockets[handle - FAKE_HOST_HANDLE];

	close(s->fd);
	s->fd = -1;
	s->events = 0;
	h->nclosed++;
}

static int host_hold(void *ctx, int handle)
{
	struct fake_host *h = ctx;
	struct fake_socket *s = &h->sockets[handle - FAKE_HOST_HANDLE];

	if (s->stolen || s->fd < 0)
		return -EBADF;
	h->held++;
	h->nholds++;
	return s->fd;
}

static void host_drop(void *ctx)
{
	((struct fake_host *)ctx)->held--;
}

static int host_watch(void *ctx, int handle, unsigned events)
{
	((struct fake_host *)ctx)->sockets[handle - FAKE_HOST_HANDLE].events = events;
	return 0;
}

static void host_wake_at(void *ctx, uint64_t at_ms)
{
	struct fake_host *h = ctx;

	h->wake_ms = at_ms;
	h->nwakes++;
}

static void host_random(void *ctx, void *buf, unsigned len)
{
	struct fake_host *h = ctx;

	for (unsigned i = 0; i < len; i++) {
		h->seed = h->seed * 1103515245u + 12345u;
		((unsigned char *)buf)[i] = (unsigned char)(h->seed >> 16);
	}
}

static int host_read_file(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	(void)ctx;
	return file_read_text(path, RESOLVER_FILE_MAX, ret, ret_len);
}

static int host_ticket_take(void *ctx, uint64_t key, void *ret_ticket, unsigned size)
{
	struct fake_ticket *t = &((struct fake_host *)ctx)->ticket;
	unsigned len = t->len;

	if (len == 0 || t->key != key || len > size)
		return -ENOENT;
	memcpy(ret_ticket, t->data, len);
	t->len = 0;
	return (int)len;
}

static void host_ticket_put(void *ctx, uint64_t key, const void *ticket, unsigned len,
			    uint32_t lifetime_s)
{
	struct fake_host *h = ctx;

	h->ticket.key = key;
	h->ticket.len = len;
	h->ticket.lifetime_s = lifetime_s;
	memcpy(h->ticket.data, ticket, len);
	h->nputs++;
}

static uint32_t host_round_trip(void *ctx, const char *upstream, enum resolver_transport transport)
{
	struct fake_host *h = ctx;

	snprintf(h->remembered_of, sizeof(h->remembered_of), "%s %d", upstream, transport);
	return h->remembered_ms;
}

static void host_event(void *ctx, const struct resolver_event *event)
{
	struct fake_host *h = ctx;

	h->event = *event;
	h->event.upstream = h->event.version = NULL;
}

static void host_log(void *ctx, enum resolver_level level, const char *fmt, va_list ap)
{
	struct fake_host *h = ctx;
	char line[512];
	size_t len, have = strlen(h->log);

	(void)level;
	vsnprintf(line, sizeof(line) - 1, fmt, ap);
	len = strlen(line);
	line[len++] = '\n';
	if (have + len >= sizeof(h->log))
		have = 0;
	memcpy(h->log + have, line, len);
	h->log[have + len] = '\0';
}

void fake_host_init(struct fake_host *h)
{
	*h = (struct fake_host){
		.host = {.ctx = h,
			 .socket = host_socket,
			 .close = host_close,
			 .hold = host_hold,
			 .drop = host_drop,
			 .watch = host_watch,
			 .wake_at = host_wake_at,
			 .random = host_random,
			 .read_file = host_read_file,
			 .ticket_take = host_ticket_take,
			 .ticket_put = host_ticket_put,
			 .event = host_event,
			 .round_trip = host_round_trip,
			 .log = host_log},
		.wake_ms = UINT64_MAX,
		.now_ms = 1000000,
		.seed = 1,
	};
}

void fake_host_advance(struct fake_host *h, struct resolver *r, uint64_t now_ms)
{
	while (h->wake_ms <= now_ms) {
		if (h->wake_ms > h->now_ms)
			h->now_ms = h->wake_ms;
		h->wake_ms = UINT64_MAX;
		noblockdns_resolver.tick(r, h->now_ms);
	}
	h->now_ms = now_ms;
}

int fake_host_poll(struct fake_host *h, struct resolver *r, int timeout_ms)
{
	struct pollfd fds[FAKE_HOST_MAX];
	int handles[FAKE_HOST_MAX], n = 0, ready;

	for (unsigned i = 0; i < h->nsockets && i < FAKE_HOST_MAX; i++) {
		const struct fake_socket *s = &h->sockets[i];

		if (s->fd < 0 || !s->events)
			continue;
		handles[n] = FAKE_HOST_HANDLE + (int)i;
		fds[n++] = (struct pollfd){.fd = s->fd,
					   .events = (s->events & RESOLVER_READ ? POLLIN : 0) |
						     (s->events & RESOLVER_WRITE ? POLLOUT : 0)};
	}
	ready = poll(fds, (nfds_t)n, timeout_ms);
	for (int i = 0; i < n; i++) {
		unsigned events = (fds[i].revents & POLLIN ? RESOLVER_READ : 0) |
				  (fds[i].revents & POLLOUT ? RESOLVER_WRITE : 0);

		if (fds[i].revents & (POLLERR | POLLHUP))
			events = RESOLVER_READ | RESOLVER_WRITE;
		if (events && h->sockets[handles[i] - FAKE_HOST_HANDLE].fd == fds[i].fd)
			noblockdns_resolver.ready(r, handles[i], events, h->now_ms);
	}
	return ready;
}

unsigned fake_host_nopen(const struct fake_host *h)
{
	return h->nsockets - h->nclosed;
}

// SPDX-License-Identifier: MIT
/*
 * channel_socket.c - the socket of a channel (channel.h): the functions that c-ares calls in place
 * of the system's, and the filter that decides which datagrams it gets to see.
 *
 * c-ares knows the socket by the host's handle; the number behind it is held for one system call at
 * a time. Where a function fails, the cause is kept in channel.error, since c-ares reports all of
 * them as a refused connection.
 */
#include "resolver/channel.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>

#include "resolver/socket_call.h"

/* Packets that are dropped in one go, so that a flood does not hold the thread. */
#define JUNK_MAX 16

/* ---- which datagrams c-ares may see ---- */

struct attempt *channel_find_id(struct channel *ch, const unsigned char *id)
{
	for (struct list *l = ch->live.next; l != &ch->live; l = l->next) {
		struct attempt *a = container_of(l, struct attempt, link);

		if (a->inside && !memcmp(a->packet, id, 2))
			return a;
	}
	return NULL;
}

static bool is_from_upstream(const struct channel *ch, const struct sockaddr *from)
{
	const struct sockaddr *to = (const struct sockaddr *)&ch->upstream->addr;

	if (from->sa_family != to->sa_family)
		return false;
	if (to->sa_family == AF_INET) {
		const struct sockaddr_in *a = (const void *)from, *b = (const void *)to;

		return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
	}
	return ((const struct sockaddr_in6 *)from)->sin6_port ==
		       ((const struct sockaddr_in6 *)to)->sin6_port &&
	       !memcmp(&((const struct sockaddr_in6 *)from)->sin6_addr,
		       &((const struct sockaddr_in6 *)to)->sin6_addr, sizeof(struct in6_addr));
}

/* The kernel compares the source too, but only from connect() on. The question is compared by
 * c-ares. */
static bool may_pass(struct channel *ch, const unsigned char *packet, size_t len,
		     const struct sockaddr *from)
{
	struct attempt *a;

	if (len < PACKET_HEADER || (packet[2] & 0xf8) != 0x80 || !is_from_upstream(ch, from))
		return false;
	a = channel_find_id(ch, packet);
	if (!a)
		return false;
	if (!packet[4] && !packet[5]) { /* no question */
		if (packet[3] & 0x0f)
			channel_keep_answer(a, packet, (unsigned)len);
		return false;
	}
	return true;
}

/* ---- the socket functions ---- */

/* c-ares tries again then, and nothing has happened to the socket. */
static bool is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == EINPROGRESS;
}

/* For c-ares, which reads errno where a function gives -1. */
static int failed(struct channel *ch, int error)
{
	if (!is_passing(error))
		ch->error = error;
	errno = error;
	return -1;
}

static void on_ready(void *arg, int handle, unsigned events)
{
	struct channel *ch = arg;
	ares_socket_t readable = events & RESOLVER_READ ? handle : ARES_SOCKET_BAD;
	ares_socket_t writable = events & RESOLVER_WRITE ? handle : ARES_SOCKET_BAD;

	if (handle != ch->handle) { /* the spare has been sent something: it is of no use */
		channel_spare_close(ch);
		return;
	}
	/* Over a stream, c-ares reads a length or a part of a message at a time. */
	do {
		ch->more = false;
		ares_process_fd(ch->ares, readable, writable);
		writable = ARES_SOCKET_BAD;
	} while (ch->more && ch->handle == handle);
}

static ares_socket_t on_socket(int domain, int type, int protocol, void *arg)
{
	struct channel *ch = arg;

	ch->nanswers = 0;
	ch->slowest_ms = 0;
	ch->handle = channel_spare_take(ch);
	ch->connected = ch->handle >= 0;
	if (ch->connected)
		return ch->handle;
	ch->handle = reactor_socket_open(ch->reactor, domain, type, protocol, on_ready, ch);
	if (ch->handle < 0) {
		int error = -ch->handle;

		ch->handle = -1;
		return failed(ch, error);
	}
	if (ch->stream) {
		int fd = reactor_hold(ch->reactor, ch->handle);

		if (fd >= 0) {
			/* or a second question would wait for the ACK of the first */
			socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
			reactor_drop(ch->reactor);
		}
	}
	return ch->handle;
}

static int on_close(ares_socket_t handle, void *arg)
{
	struct channel *ch = arg;

	ch->handle = -1;
	if (!channel_spare_keep(ch, handle))
		reactor_socket_close(ch->reactor, handle);
	return 0;
}

int channel_connect(struct channel *ch, int handle, const struct sockaddr *to, socklen_t len)
{
	int fd = reactor_hold(ch->reactor, handle), r;

	if (fd < 0)
		return -EBADF;
	r = socket_connect(fd, to, len);
	reactor_drop(ch->reactor);
	return r;
}

/* The address is the upstream's own: c-ares's copy has no scope. */
static int on_connect(ares_socket_t handle, const struct sockaddr *to, ares_socklen_t len,
		      void *arg)
{
	struct channel *ch = arg;
	int r;

	(void)to;
	if (ch->connected)
		return 0;
	r = channel_connect(ch, handle, (const struct sockaddr *)&ch->upstream->addr, len);
	return r < 0 ? failed(ch, -r) : 0;
}

static ssize_t receive(struct channel *ch, int handle, void *buf, size_t len, struct sockaddr *from,
		       socklen_t *from_len)
{
	int fd = reactor_hold(ch->reactor, handle);
	ssize_t n;

	if (fd < 0)
		return failed(ch, EBADF);
	n = socket_receive(fd, buf, len, 0, from, from_len);
	reactor_drop(ch->reactor);
	return n < 0 ? failed(ch, (int)-n) : n;
}

static ares_ssize_t on_recvfrom(ares_socket_t handle, void *buf, size_t len, int flags,
				struct sockaddr *from, ares_socklen_t *from_len, void *arg)
{
	struct channel *ch = arg;
	ares_socklen_t room = from_len ? *from_len : 0;
	ssize_t n;

	(void)flags;
	if (ch->stream) {
		n = receive(ch, handle, buf, len, NULL, NULL);
		if (!n)
			ch->error = ECONNRESET; /* closed by the peer */
		ch->more = n == 2 && len == 2;
		return n;
	}
	for (int junk = 0; junk < JUNK_MAX; junk++) {
		if (from_len)
			*from_len = room;
		n = receive(ch, handle, buf, len, from, from_len);
		if (n < 0)
			return n;
		if (!may_pass(ch, buf, (size_t)n, from))
			continue;
		ch->datagram = buf;
		ch->datagram_len = (unsigned)n;
		return n;
	}
	errno = EAGAIN;
	return -1;
}

static ares_ssize_t on_sendv(ares_socket_t handle, const struct iovec *iov, int niov, void *arg)
{
	struct channel *ch = arg;
	const struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)niov};
	int fd = reactor_hold(ch->reactor, handle);
	ssize_t n;

	if (fd < 0)
		return failed(ch, EBADF);
	if (ch->sending && !ch->stream) /* later versions of c-ares draw an id of their own */
		memcpy(ch->sending->packet, iov[0].iov_base, 2);
	n = socket_send(fd, &msg, MSG_NOSIGNAL);
	reactor_drop(ch->reactor);
	if (n >= 0)
		return n;
	/* No room for a datagram: as good as lost on the way. c-ares would end the query. */
	if (!ch->stream && (n == -EAGAIN || n == -ENOBUFS))
		return (ares_ssize_t)iov[0].iov_len;
	return failed(ch, (int)-n);
}

const struct ares_socket_functions channel_socket_functions = {
	.asocket = on_socket,
	.aclose = on_close,
	.aconnect = on_connect,
	.arecvfrom = on_recvfrom,
	.asendv = on_sendv,
};

/* Neither is 0 just before the socket is closed, and closing ends the watch. */
void channel_watch(void *arg, ares_socket_t handle, int readable, int writable)
{
	struct channel *ch = arg;

	if (readable || writable)
		reactor_watch(ch->reactor, handle,
			      (readable ? RESOLVER_READ : 0) | (writable ? RESOLVER_WRITE : 0));
}

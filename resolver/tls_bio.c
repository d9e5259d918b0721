// SPDX-License-Identifier: MIT
/* tls_bio.c - see tls_bio.h. Called by OpenSSL on the thread that entered the resolver. */
#include "resolver/tls_bio.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/uio.h>

#include "resolver/socket_call.h"

static bool is_passing(ssize_t error)
{
	return error == -EAGAIN || error == -EINTR;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct tls_socket *sock = BIO_get_data(bio);
	struct iovec iov = {(char *)data, (size_t)len};
	const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int fd = reactor_hold(sock->reactor, sock->handle);
	ssize_t n = -EBADF;

	BIO_clear_retry_flags(bio);
	if (fd >= 0) {
		n = socket_send(fd, &msg, MSG_NOSIGNAL | (sock->more ? MSG_MORE : 0));
		reactor_drop(sock->reactor);
	}
	if (n >= 0)
		return (int)n;
	if (is_passing(n))
		BIO_set_retry_write(bio);
	else
		sock->error = (int)n;
	return -1;
}

/*
 * Now, not 40 ms later: a server without TCP_NODELAY (unbound, before 2025) keeps back the
 * AAAA answer until the A answer is acknowledged (RFC 896 against RFC 1122 4.2.3.2). The kernel
 * returns to delaying when we send, so once is not enough.
 */
static void acknowledge(int fd)
{
	socket_set(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
}

static int bio_read(BIO *bio, char *buf, int size)
{
	struct tls_socket *sock = BIO_get_data(bio);
	size_t len = (size_t)size < sock->room ? (size_t)size : sock->room;
	int fd = reactor_hold(sock->reactor, sock->handle);
	ssize_t n = -EBADF;

	BIO_clear_retry_flags(bio);
	if (fd >= 0) {
		n = len ? socket_receive(fd, buf, len, 0, NULL, NULL) : -EAGAIN;
		if (n > 0)
			acknowledge(fd);
		reactor_drop(sock->reactor);
	}
	if (n >= 0) {
		sock->room -= (size_t)n;
		sock->ended = n == 0;
		return (int)n;
	}
	if (is_passing(n))
		BIO_set_retry_read(bio);
	else
		sock->error = (int)n;
	return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	const struct tls_socket *sock = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH: /* nothing is kept back */
		return 1;
	case BIO_CTRL_EOF:
		return sock->ended;
	default: /* of the many commands, the others mean nothing to a socket */
		return 0;
	}
}

BIO_METHOD *tls_bio_method_new(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "reactor socket");

	if (!method)
		return NULL;
	if (BIO_meth_set_write(method, bio_write) && BIO_meth_set_read(method, bio_read) &&
	    BIO_meth_set_ctrl(method, bio_ctrl))
		return method;
	BIO_meth_free(method);
	return NULL;
}

BIO *tls_bio_new(const struct tls_context *tls, struct tls_socket *sock)
{
	BIO *bio = BIO_new_ex(tls->lib, tls->socket);

	if (!bio)
		return NULL;
	BIO_set_data(bio, sock);
	BIO_set_init(bio, 1);
	return bio;
}

// SPDX-License-Identifier: MIT
/*
 * tls_stream.h - one TLS connection as a client over a connected socket of the reactor, with
 * results as errno: the only face of OpenSSL that the DNS side knows.
 *
 * No operation blocks. One that cannot go on returns -EAGAIN; it is called again, with the same
 * bytes, when the socket has become readable or, if `wants_write`, writable. Bytes may be left in
 * the TLS layer, of which the socket knows nothing: reading goes on until -EAGAIN.
 */
#ifndef NOBLOCKDNS_RESOLVER_TLS_STREAM_H
#define NOBLOCKDNS_RESOLVER_TLS_STREAM_H

#include <sys/types.h>

#include "resolver/tls_bio.h"

/* Whom we mean to talk to. */
struct tls_peer {
	const struct sockaddr_storage *addr; /* borrows */
	const char *host;		     /* borrows; "": the address is authenticated */
	uint64_t ticket_key;		     /* tls_ticket_key() */
};

struct tls_stream {
	struct tls_context *tls; /* borrows */
	struct tls_peer peer;
	struct tls_socket socket;
	SSL *ssl;	    /* owns; NULL: not open */
	bool wants_write;   /* set by -EAGAIN; whoever asks clears it */
	bool offered;	    /* a ticket was offered for resumption */
	bool failed;	    /* the handshake, by no fault of the socket's */
	bool checked;	    /* certificates were looked at */
	bool authenticated; /* valid after the handshake */
	const char *doubt;  /* why it is not, or is no TLS: constant text; NULL: there is none */
};

/* Prepares the client's side; nothing is sent yet. With `resume`, a ticket is used if there is one.
 * -ENOMEM. */
int tls_stream_open(struct tls_stream *s, struct tls_context *tls, const struct tls_peer *peer,
		    int handle, bool resume);

/* Frees; with `notify`, tells the peer first, if that does not block. Not open: nothing happens. */
void tls_stream_close(struct tls_stream *s, bool notify);

/*
 * 0: the connection is there and, in strict mode, authenticated; -EAGAIN; -EACCES (not who it
 * should be, see `doubt`), -EPROTO (not TLS, or no agreement), -ECONNRESET (closed) or another
 * errno of the socket.
 */
int tls_stream_handshake(struct tls_stream *s);

/* After the handshake: was a session continued; and over which version ("TLSv1.3", static). */
bool tls_stream_is_resumed(const struct tls_stream *s);
const char *tls_stream_version(const struct tls_stream *s);

/* At most `size` bytes; -EAGAIN; -ECONNRESET: closed by the peer; or as above. Never 0. */
ssize_t tls_stream_read(struct tls_stream *s, void *buf, size_t size);

/* All of it, in as few records as there can be; or -EAGAIN (nothing has been taken in the caller's
 * eyes), or as above. */
int tls_stream_write(struct tls_stream *s, const void *data, size_t len);

#endif

// SPDX-License-Identifier: MIT
/* tls_stream.c - see tls_stream.h. Called on the thread that entered the resolver. */
#include "resolver/tls_stream.h"

#include <errno.h>
#include <openssl/err.h>

#include "resolver/tls_auth.h"
#include "resolver/tls_ticket.h"

int tls_stream_open(struct tls_stream *s, struct tls_context *tls, const struct tls_peer *peer,
		    int handle, bool resume)
{
	BIO *bio;

	*s = (struct tls_stream){
		.tls = tls,
		.peer = *peer,
		.socket = {.reactor = tls->reactor, .handle = handle},
	};
	ERR_clear_error();
	if (tls_context_load(tls))
		return -ENOMEM;
	s->ssl = SSL_new(tls->ssl);
	if (!s->ssl)
		return -ENOMEM;
	tls->nstreams++;
	bio = tls_bio_new(tls, &s->socket);
	if (!bio) {
		tls_stream_close(s, false);
		return -ENOMEM;
	}
	SSL_set_bio(s->ssl, bio, bio);
	SSL_set_app_data(s->ssl, s);
	SSL_set_connect_state(s->ssl);
	if (tls_auth_expect(s)) {
		tls_stream_close(s, false);
		return -ENOMEM;
	}
	if (resume)
		s->offered = tls_ticket_offer(s);
	return 0;
}

bool tls_stream_is_resumed(const struct tls_stream *s)
{
	return SSL_session_reused(s->ssl);
}

const char *tls_stream_version(const struct tls_stream *s)
{
	return SSL_get_version(s->ssl);
}

void tls_stream_close(struct tls_stream *s, bool notify)
{
	if (!s->ssl)
		return;
	ERR_clear_error();
	if (notify)
		SSL_shutdown(s->ssl);
	SSL_free(s->ssl);
	tls_context_leave_thread(s->tls);
	s->ssl = NULL;
	s->tls->nstreams--;
	if (s->failed)
		tls_context_doubt(s->tls);
}

/* What a result of OpenSSL's that is not success means. */
static int failure_of(struct tls_stream *s, int result)
{
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_WRITE:
		s->wants_write = true;
		return -EAGAIN;
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return -ECONNRESET;
	default: /* OpenSSL's are not an enum */
		if (s->socket.error)
			return s->socket.error;
		return s->socket.ended ? -ECONNRESET : -EPROTO;
	}
}

/* Constant text. The other end's words come as reasons, too. */
static const char *words_of_openssl(void)
{
	const char *words = ERR_reason_error_string(ERR_peek_error());

	return words ? words : "no TLS handshake";
}

int tls_stream_handshake(struct tls_stream *s)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(s->ssl);
	tls_context_leave_thread(s->tls);
	if (result == 1)
		return tls_auth_conclude(s);
	result = failure_of(s, result);
	if (result == -EAGAIN)
		return result;
	if (s->doubt && !s->tls->conf.opportunistic)
		result = -EACCES;
	else if (result == -EPROTO)
		s->doubt = words_of_openssl();
	s->failed = result == -EACCES || result == -EPROTO;
	return result;
}

ssize_t tls_stream_read(struct tls_stream *s, void *buf, size_t size)
{
	size_t n;
	int result;

	ERR_clear_error();
	result = SSL_read_ex(s->ssl, buf, size, &n);
	tls_context_leave_thread(s->tls);
	return result == 1 ? (ssize_t)n : failure_of(s, result);
}

int tls_stream_write(struct tls_stream *s, const void *data, size_t len)
{
	size_t n;
	int result;

	ERR_clear_error();
	result = SSL_write_ex(s->ssl, data, len, &n);
	tls_context_leave_thread(s->tls);
	return result == 1 ? 0 : failure_of(s, result);
}

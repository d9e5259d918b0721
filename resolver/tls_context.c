// SPDX-License-Identifier: MIT
/* tls_context.c - see tls_context.h. Called on the thread that entered the resolver. */
#include "resolver/tls_context.h"

#include <errno.h>
#include <stdlib.h>

#include "resolver/tls_auth.h"
#include "resolver/tls_bio.h"
#include "resolver/tls_ticket.h"

/*
 * The digests are needed: the strength of a certificate's signature is found by the digest's name,
 * and one that has none counts as too weak.
 *
 * A shared OpenSSL is the program's, too: whether a configuration file is read, and what happens at
 * exit, is decided by whoever asks first, so it must not be us.
 */
#ifdef RESOLVER_SHARED
#define INIT_SETTINGS OPENSSL_INIT_LOAD_CONFIG
#else
#define INIT_SETTINGS                                                                              \
	(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_ADD_ALL_CIPHERS)
#endif

static int open_ssl(struct tls_context *tls)
{
	tls->lib = OSSL_LIB_CTX_new();
	tls->socket = tls_bio_method_new();
	if (!tls->lib || !tls->socket)
		return -ENOMEM;
	tls->ssl = SSL_CTX_new_ex(tls->lib, NULL, TLS_client_method());
	if (!tls->ssl || !SSL_CTX_set_min_proto_version(tls->ssl, TLS1_2_VERSION))
		return -ENOMEM;
	/* A message says how long it is, so that an end without close_notify cuts off nothing. */
	SSL_CTX_set_options(tls->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					      SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(tls->ssl, 1); /* one system call for many records */
	tls_auth_setup(tls);
	tls_ticket_setup(tls);
	return 0;
}

static void close_ssl(struct tls_context *tls)
{
	SSL_CTX_free(tls->ssl);
	BIO_meth_free(tls->socket);
	OSSL_LIB_CTX_free(tls->lib);
	tls->ssl = NULL;
	tls->socket = NULL;
	tls->lib = NULL;
}

int tls_context_load(struct tls_context *tls)
{
	if (tls->ssl)
		return 0;
	if (OPENSSL_init_ssl(INIT_SETTINGS, NULL) && !open_ssl(tls)) {
		tls_context_leave_thread(tls);
		return 0;
	}
	close_ssl(tls);
	return -ENOMEM;
}

void tls_context_leave_thread(struct tls_context *tls)
{
	OPENSSL_thread_stop_ex(tls->lib);
}

void tls_context_doubt(struct tls_context *tls)
{
	if (!tls->nstreams)
		close_ssl(tls);
}

int tls_context_open(struct reactor *reactor, const struct resolver_tls *conf,
		     struct tls_context **ret)
{
	struct tls_context *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return -ENOMEM;
	tls->reactor = reactor;
	tls->conf = *conf;
	*ret = tls;
	return 0;
}

void tls_context_close(struct tls_context *tls)
{
	if (!tls)
		return;
	close_ssl(tls);
	free(tls);
}

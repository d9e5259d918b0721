// SPDX-License-Identifier: MIT
/* tls_context.c - see tls_context.h. Called on the thread that entered the resolver. */
#include "resolver/tls_context.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct tls_context {
	struct reactor *reactor; /* borrows */
	struct resolver_tls conf;
	OSSL_LIB_CTX *lib; /* owns */
	SSL_CTX *ssl;	   /* owns */
};

static int open_openssl(struct tls_context *tls)
{
	const uint64_t settings = OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG |
				  OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS;

	if (!OPENSSL_init_ssl(settings, NULL))
		return -ENOMEM;
	tls->lib = OSSL_LIB_CTX_new();
	if (!tls->lib)
		return -ENOMEM;
	tls->ssl = SSL_CTX_new_ex(tls->lib, NULL, TLS_client_method());
	return tls->ssl ? 0 : -ENOMEM;
}

int tls_context_open(struct reactor *reactor, const struct resolver_tls *conf,
		     struct tls_context **ret)
{
	struct tls_context *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return -ENOMEM;
	tls->reactor = reactor;
	tls->conf = *conf;
	if (open_openssl(tls)) {
		tls_context_close(tls);
		return -ENOMEM;
	}
	*ret = tls;
	return 0;
}

void tls_context_close(struct tls_context *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ssl);
	OSSL_LIB_CTX_free(tls->lib);
	free(tls);
}

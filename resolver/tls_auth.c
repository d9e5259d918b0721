// SPDX-License-Identifier: MIT
/*
 * tls_auth.c - see tls_auth.h. Called on the thread that entered the resolver; on_certificates(),
 * by OpenSSL, in the middle of a full handshake.
 */
#include "resolver/tls_auth.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "resolver/tls_anchor.h"
#include "resolver/tls_report.h"

#define NO_PIN "the certificate does not match the pin"

/* ---- words ---- */

/* The cause, to be put behind "upstream ADDRESS: ". */
static const char *to_words(int error)
{
	switch (error) { /* OpenSSL's are not an enum */
	case X509_V_ERR_HOSTNAME_MISMATCH:
		return "the certificate is for another name";
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "the certificate is for another address";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "the certificate has expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "the certificate is not valid yet";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "the certificate is self-signed";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "the certificate's issuer is not known";
	case X509_V_ERR_INVALID_PURPOSE:
		return "the certificate is not a server's";
	case X509_V_ERR_APPLICATION_VERIFICATION:
		return NO_PIN;
	default:
		return X509_verify_cert_error_string(error);
	}
}

/* ---- pins ---- */

static bool is_pinned(const struct tls_context *tls, const X509 *cert)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	size_t n = 0;
	bool known = len > 0 &&
		     EVP_Q_digest(tls->lib, "SHA256", NULL, spki, (size_t)len, digest, &n) &&
		     n == sizeof(tls->conf.pins[0]);

	OPENSSL_free(spki);
	for (unsigned i = 0; known && i < tls->conf.npins; i++)
		if (!memcmp(digest, tls->conf.pins[i], n))
			return true;
	return false;
}

static bool has_pinned(const struct tls_context *tls, const STACK_OF(X509) * chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (is_pinned(tls, sk_X509_value(chain, i)))
			return true;
	return false;
}

/* ---- the certificates ---- */

static bool is_by_pin_alone(const struct tls_stream *s)
{
	return s->tls->conf.npins && !*s->peer.host;
}

/* Those of the presented ones that are pinned are the anchors. */
static const char *check_pin_alone(const struct tls_context *tls, X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *presented = X509_STORE_CTX_get0_untrusted(ctx);
	STACK_OF(X509) *anchors = sk_X509_new_null();
	const char *doubt = NULL;

	for (int i = 0; anchors && i < sk_X509_num(presented); i++)
		if (is_pinned(tls, sk_X509_value(presented, i)))
			sk_X509_push(anchors, sk_X509_value(presented, i));
	if (!anchors || !sk_X509_num(anchors)) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
		doubt = NO_PIN;
	} else {
		X509_STORE_CTX_set0_trusted_stack(ctx, anchors);
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
		if (X509_verify_cert(ctx) <= 0)
			doubt = to_words(X509_STORE_CTX_get_error(ctx));
		X509_STORE_CTX_set0_trusted_stack(ctx, NULL);
	}
	sk_X509_free(anchors);
	return doubt;
}

static const char *check_chain(struct tls_context *tls, X509_STORE_CTX *ctx)
{
	STACK_OF(X509) * anchors;
	const char *doubt = NULL;

	if (tls_anchor_find(tls, X509_STORE_CTX_get0_untrusted(ctx), &anchors)) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
		return "no file of certificate authorities can be read";
	}
	X509_STORE_CTX_set0_trusted_stack(ctx, anchors);
	if (X509_verify_cert(ctx) <= 0) {
		doubt = to_words(X509_STORE_CTX_get_error(ctx));
	} else if (tls->conf.npins && !has_pinned(tls, X509_STORE_CTX_get0_chain(ctx))) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
		doubt = NO_PIN;
	}
	X509_STORE_CTX_set0_trusted_stack(ctx, NULL);
	sk_X509_pop_free(anchors, X509_free);
	return doubt;
}

/* 1: go on. The error in `ctx` becomes the session's verdict, also of those that resume it. */
static int on_certificates(X509_STORE_CTX *ctx, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_stream *s = SSL_get_app_data(ssl);

	(void)arg;
	s->tls->nverified++;
	s->doubt = is_by_pin_alone(s) ? check_pin_alone(s->tls, ctx) : check_chain(s->tls, ctx);
	s->checked = true;
	tls_report(s, ctx);
	return !s->doubt || s->tls->conf.opportunistic;
}

void tls_auth_setup(struct tls_context *tls)
{
	SSL_CTX_set_verify(tls->ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(tls->ssl, on_certificates, NULL);
}

/* ---- one connection ---- */

static bool expect_address(X509_VERIFY_PARAM *param, const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_in *in = (const void *)addr;

	return addr->ss_family == AF_INET
		       ? X509_VERIFY_PARAM_set1_ip(param, (const unsigned char *)&in->sin_addr,
						   sizeof(in->sin_addr))
		       : X509_VERIFY_PARAM_set1_ip(param, (const unsigned char *)&in6->sin6_addr,
						   sizeof(in6->sin6_addr));
}

int tls_auth_expect(struct tls_stream *s)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
	const char *host = s->peer.host;
	bool ok = true;

	/* What the user lists is trusted, be it an authority of authorities or not. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (*host) /* only a name is given away (RFC 6066 3) */
		ok = X509_VERIFY_PARAM_set1_host(param, host, 0) &&
		     SSL_set_tlsext_host_name(s->ssl, host);
	else if (!is_by_pin_alone(s))
		ok = expect_address(param, s->peer.addr);
	return ok ? 0 : -ENOMEM;
}

int tls_auth_conclude(struct tls_stream *s)
{
	bool resumed = SSL_session_reused(s->ssl);

	s->tls->nresumed += resumed;
	s->authenticated = (resumed || s->checked) && SSL_get_verify_result(s->ssl) == X509_V_OK;
	return s->authenticated || s->tls->conf.opportunistic ? 0 : -EACCES;
}

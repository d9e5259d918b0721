// SPDX-License-Identifier: MIT
/*
 * dnstls.c - OpenSSL between two memory BIOs, and the counting of handshakes (RFC 7858, 8446).
 *
 * A handshake is `resumed` when no certificate was sent. A ticket is repeated when an earlier
 * connection has shown the same one (RFC 8446 appendix C.4 wants each to be used once).
 */
#include "dnstls.h"
#include "netns.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#define TICKETS_SEEN 65536

struct dns_tls_server {
	SSL_CTX *ctx;
	struct dns_counts *counts; /* borrowed */
};

struct dns_tls {
	struct dns_tls_server *server; /* borrowed */
	SSL *ssl;
	BIO *from_wire; /* both are the SSL's */
	BIO *to_wire;
	bool greeted; /* a ClientHello was counted: the one after a HelloRetryRequest is not */
	bool established;
	bool broken;
};

static uint64_t tickets_seen[TICKETS_SEEN]; /* digests, of the process's one server */
static unsigned ntickets_seen;

static _Noreturn void fail(const char *what)
{
	lab_fail("scripted server: TLS: %s: %s", what,
		 ERR_reason_error_string(ERR_peek_last_error()));
}

static unsigned get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Was this ticket shown before? Remembers it. */
static bool seen_before(const unsigned char *ticket, size_t len)
{
	uint64_t digest = 14695981039346656037u; /* FNV-1a */

	while (len-- > 0)
		digest = (digest ^ *ticket++) * 1099511628211u;
	for (unsigned i = 0; i < ntickets_seen; i++)
		if (tickets_seen[i] == digest)
			return true;
	if (ntickets_seen < TICKETS_SEEN)
		tickets_seen[ntickets_seen++] = digest;
	return false;
}

/* The first identity of pre_shared_key (RFC 8446 4.2.11). */
static bool ticket_repeated(SSL *ssl)
{
	const unsigned char *ext;
	size_t len;

	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &ext, &len) || len < 4 ||
	    get16(ext + 2) + 4 > len)
		return false;
	return seen_before(ext + 4, get16(ext + 2));
}

/* The first host name of server_name (RFC 6066 section 3), or "". */
static void read_sni(SSL *ssl, char ret[256])
{
	const unsigned char *ext;
	size_t len;

	ret[0] = '\0';
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len) && len >= 5 &&
	    get16(ext + 3) + 5 <= len && get16(ext + 3) < 256)
		snprintf(ret, 256, "%.*s", (int)get16(ext + 3), (const char *)ext + 5);
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	struct dns_tls *tls = SSL_get_app_data(ssl);
	char sni[256];

	(void)alert;
	(void)arg;
	if (!tls->greeted) {
		read_sni(ssl, sni);
		dns_counts_hello(tls->server->counts, sni, ticket_repeated(ssl));
	}
	tls->greeted = true;
	return SSL_CLIENT_HELLO_SUCCESS;
}

static void set_versions(SSL_CTX *ctx, unsigned version)
{
	static const int protocols[] = {TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	int least = version ? protocols[version - 11] : TLS1_2_VERSION;
	int most = version ? protocols[version - 11] : TLS1_3_VERSION;

	/* OpenSSL's level 1 has no signature that TLS 1.1 could use. */
	if (version == 11 && !SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0"))
		fail("ciphers");
	if (!SSL_CTX_set_min_proto_version(ctx, least) || !SSL_CTX_set_max_proto_version(ctx, most))
		fail("versions");
}

struct dns_tls_server *dns_tls_server_new(const struct lab_listen *listen,
					  struct dns_counts *counts)
{
	static const unsigned char context[] = "lab";
	struct dns_tls_server *server = calloc(1, sizeof(*server));
	X509 *cert = lab_ca_issue(listen->cert, listen->names);

	if (!server || !(server->ctx = SSL_CTX_new(TLS_server_method())))
		fail("no memory");
	server->counts = counts;
	set_versions(server->ctx, listen->version);
	SSL_CTX_set_session_cache_mode(server->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(server->ctx,
			    604800); /* the longest that a ticket may be said to live */
	SSL_CTX_set_num_tickets(server->ctx, listen->tickets);
	if (listen->tickets == 0)
		SSL_CTX_set_options(server->ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_client_hello_cb(server->ctx, on_client_hello, NULL);
	if (!SSL_CTX_use_certificate(server->ctx, cert) ||
	    !SSL_CTX_use_PrivateKey(server->ctx, lab_ca_server_key()) ||
	    !SSL_CTX_set_session_id_context(server->ctx, context, sizeof(context)))
		fail("certificate");
	X509_free(cert);
	return server;
}

struct dns_tls *dns_tls_open(struct dns_tls_server *server)
{
	struct dns_tls *tls = calloc(1, sizeof(*tls));

	if (!tls || !(tls->ssl = SSL_new(server->ctx)) ||
	    !(tls->from_wire = BIO_new(BIO_s_mem())) || !(tls->to_wire = BIO_new(BIO_s_mem())))
		fail("no memory");
	tls->server = server;
	SSL_set_app_data(tls->ssl, tls);
	SSL_set_bio(tls->ssl, tls->from_wire, tls->to_wire);
	SSL_set_accept_state(tls->ssl);
	return tls;
}

void dns_tls_free(struct dns_tls *tls)
{
	if (!tls)
		return;
	if (tls->greeted && !tls->established)
		dns_counts_handshake_failed(tls->server->counts);
	SSL_free(tls->ssl);
	free(tls);
}

void dns_tls_receive(struct dns_tls *tls, const uint8_t *octets, size_t len)
{
	if (BIO_write(tls->from_wire, octets, (int)len) != (int)len)
		fail("no memory");
}

ssize_t dns_tls_read(struct dns_tls *tls, uint8_t *buf, size_t size)
{
	int n, error;

	if (tls->broken)
		return -EPIPE;
	ERR_clear_error();
	n = SSL_read(tls->ssl, buf, (int)size);
	error = SSL_get_error(tls->ssl, n);
	if (!tls->established && SSL_is_init_finished(tls->ssl)) {
		tls->established = true;
		dns_counts_handshake(tls->server->counts, SSL_session_reused(tls->ssl));
	}
	if (n > 0)
		return n;
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	tls->broken = error != SSL_ERROR_ZERO_RETURN;
	return -EPIPE;
}

void dns_tls_write(struct dns_tls *tls, const uint8_t *octets, size_t len)
{
	if (tls->established && !tls->broken && SSL_write(tls->ssl, octets, (int)len) <= 0)
		tls->broken = true;
}

void dns_tls_renegotiate(struct dns_tls *tls)
{
	if (tls->established && SSL_version(tls->ssl) == TLS1_2_VERSION &&
	    SSL_renegotiate(tls->ssl))
		SSL_do_handshake(tls->ssl);
}

void dns_tls_close(struct dns_tls *tls)
{
	if (tls->established && !tls->broken)
		SSL_shutdown(tls->ssl);
}

size_t dns_tls_send(struct dns_tls *tls, uint8_t *buf, size_t size)
{
	int n = BIO_read(tls->to_wire, buf, (int)size);

	return n > 0 ? (size_t)n : 0;
}

bool dns_tls_established(const struct dns_tls *tls)
{
	return tls->established;
}

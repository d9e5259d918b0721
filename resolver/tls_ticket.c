// SPDX-License-Identifier: MIT
/*
 * tls_ticket.c - see tls_ticket.h. Called on the thread that entered the resolver, on_session() by
 * OpenSSL: in TLS 1.3 while it reads, before the first answer that comes after it.
 */
#include "resolver/tls_ticket.h"

#include <string.h>

#include "resolver/address.h"

/* RFC 5077 3.3: without a hint the time is ours to choose. */
#define LIFETIME_S 7200
/*
 * RFC 8446 4.6.1 allows a week. But who resumes looks at no certificate: an authority that was
 * taken off the list, and a certificate that has expired, count for a day more at most.
 */
#define LIFETIME_MAX_S 86400

/* FNV-1a, 64 bits: nobody can choose what goes in but the user whose cache it is. */
static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	return hash;
}

uint64_t tls_ticket_key(const struct tls_context *tls, const struct sockaddr_storage *addr,
			const char *host, uint64_t seed)
{
	const struct resolver_tls *conf = &tls->conf;
	const char *ca_file = conf->ca_file ? conf->ca_file : "";
	uint64_t key = mix(0xcbf29ce484222325, &seed, sizeof(seed));
	char text[ADDRESS_TEXT];

	address_to_str(addr, text);
	key = mix(key, text, strlen(text) + 1);
	if (addr->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)addr;

		key = mix(key, &in6->sin6_scope_id, sizeof(in6->sin6_scope_id));
	}
	key = mix(key, host, strlen(host) + 1);
	key = mix(key, conf->opportunistic ? "o" : "s", 1);
	key = mix(key, ca_file, strlen(ca_file) + 1);
	return mix(key, conf->pins, conf->npins * sizeof(conf->pins[0]));
}

static uint32_t lifetime_of(const SSL_SESSION *session)
{
	unsigned long hint = SSL_SESSION_get_ticket_lifetime_hint(session);

	if (!hint)
		return SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION ? LIFETIME_S : 0;
	return hint < LIFETIME_MAX_S ? (uint32_t)hint : LIFETIME_MAX_S;
}

/* 0: the session stays OpenSSL's. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_stream *s = SSL_get_app_data(ssl);
	const struct resolver_host *host = &s->tls->reactor->host;
	unsigned char ticket[RESOLVER_TICKET_MAX], *end = ticket;
	uint32_t lifetime_s = lifetime_of(session);
	int len = i2d_SSL_SESSION(session, NULL);

	if (!SSL_SESSION_has_ticket(session) || !lifetime_s)
		return 0;
	if (len > 0 && len <= RESOLVER_TICKET_MAX && i2d_SSL_SESSION(session, &end) == len)
		host->ticket_put(host->ctx, s->peer.ticket_key, ticket, (unsigned)len, lifetime_s);
	return 0;
}

void tls_ticket_setup(struct tls_context *tls)
{
	SSL_CTX_set_session_cache_mode(tls->ssl,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(tls->ssl, on_session);
}

/* May this be resumed? It comes from memory that others write to. */
static bool is_sound(const SSL_SESSION *session)
{
	if (!SSL_SESSION_is_resumable(session) || !SSL_SESSION_has_ticket(session))
		return false;
	return SSL_SESSION_get_protocol_version(session) >= TLS1_2_VERSION;
}

bool tls_ticket_offer(struct tls_stream *s)
{
	const struct resolver_host *host = &s->tls->reactor->host;
	unsigned char ticket[RESOLVER_TICKET_MAX];
	const unsigned char *end = ticket;
	SSL_SESSION *session;
	bool offered;
	int len = host->ticket_take(host->ctx, s->peer.ticket_key, ticket, sizeof(ticket));

	if (len <= 0 || len > RESOLVER_TICKET_MAX)
		return false;
	session = d2i_SSL_SESSION(NULL, &end, len);
	if (!session)
		return false;
	offered = end == ticket + len && is_sound(session) && SSL_set_session(s->ssl, session);
	SSL_SESSION_free(session);
	if (offered && !s->tls->conf.opportunistic && SSL_get_verify_result(s->ssl) != X509_V_OK)
		offered = !SSL_set_session(s->ssl, NULL);
	return offered;
}

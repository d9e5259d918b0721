// SPDX-License-Identifier: MIT
/* tls_report.c - see tls_report.h. Called by OpenSSL, in the middle of a full handshake. */
#include "resolver/tls_report.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define NAMES_SIZE 1024 /* of subjectAltName, cut to fit */

/* Seconds since 1970, 0 where it is no time. OpenSSL's difference needs no time zone. */
static int64_t seconds(const ASN1_TIME *time)
{
	ASN1_TIME *epoch = ASN1_TIME_new();
	int days = 0, rest = 0;

	if (!epoch || !ASN1_TIME_set_string(epoch, "19700101000000Z") ||
	    !ASN1_TIME_diff(&days, &rest, epoch, time))
		days = rest = 0;
	ASN1_TIME_free(epoch);
	return (int64_t)days * 86400 + rest;
}

/* The text of a name, NUL-terminated; "" where there is none. To be freed by BIO_free(). */
static const char *name_text(BIO *out, const X509_NAME *name)
{
	char *text = NULL;

	if (!out || X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) < 0 ||
	    BIO_write(out, "", 1) != 1)
		return "";
	BIO_get_mem_data(out, &text);
	return text;
}

static void add_name(char *names, const GENERAL_NAME *name)
{
	size_t len = strlen(names), room = NAMES_SIZE - len;
	const char *comma = len > 0 ? ", " : "";
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const unsigned char *b = value ? ASN1_STRING_get0_data(value) : NULL;
	int n = value ? ASN1_STRING_length(value) : 0;

	if (type == GEN_DNS)
		(void)snprintf(names + len, room, "%s%.*s", comma, n, b);
	else if (type == GEN_IPADD && n == 4)
		(void)snprintf(names + len, room, "%s%u.%u.%u.%u", comma, b[0], b[1], b[2], b[3]);
	else if (type == GEN_IPADD && n == 16)
		for (int i = 0; i < n; i += 2)
			(void)snprintf(names + strlen(names), NAMES_SIZE - strlen(names), "%s%x",
				       i ? ":" : comma, (unsigned)(b[i] << 8 | b[i + 1]));
}

static void list_names(const X509 *cert, char names[NAMES_SIZE])
{
	GENERAL_NAMES *list = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	names[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++)
		add_name(names, sk_GENERAL_NAME_value(list, i));
	GENERAL_NAMES_free(list);
}

void tls_report(const struct tls_stream *s, X509_STORE_CTX *ctx)
{
	const struct resolver_host *host = &s->tls->reactor->host;
	const X509 *cert = X509_STORE_CTX_get0_cert(ctx);
	struct resolver_certificate report;
	char names[NAMES_SIZE];
	BIO *subject, *issuer;

	if (!host->certificate || !cert)
		return;
	subject = BIO_new(BIO_s_mem());
	issuer = BIO_new(BIO_s_mem());
	list_names(cert, names);
	report = (struct resolver_certificate){
		.subject = name_text(subject, X509_get_subject_name(cert)),
		.issuer = name_text(issuer, X509_get_issuer_name(cert)),
		.names = names,
		.not_before = seconds(X509_get0_notBefore(cert)),
		.not_after = seconds(X509_get0_notAfter(cert)),
		.presented = (unsigned)sk_X509_num(X509_STORE_CTX_get0_untrusted(ctx)),
		.doubt = s->doubt,
	};
	host->certificate(host->ctx, &report);
	BIO_free(subject);
	BIO_free(issuer);
}

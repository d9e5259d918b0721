// SPDX-License-Identifier: MIT
/* tls_anchor.c - see tls_anchor.h. Called on the thread that entered the resolver. */
#include "resolver/tls_anchor.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN CERTIFICATE-----" /* RFC 7468 5.1 */
#define END   "-----END CERTIFICATE-----"

/* DER, X.690 8.1: identifier, length, contents. */
#define DER_SEQUENCE 0x30
#define DER_VERSION  0xa0 /* RFC 5280 4.1: [0] EXPLICIT */

static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",		     /* Debian, Alpine with a package */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL 7 and later */
	"/etc/pki/tls/certs/ca-bundle.crt",		     /* RHEL 6 */
	"/etc/ssl/ca-bundle.pem",			     /* SUSE */
	"/var/lib/ca-certificates/ca-bundle.pem",	     /* SUSE, where /etc is not filled */
	"/etc/ssl/cert.pem",				     /* Alpine */
};

static int read_bundle(struct tls_context *tls, char **ret)
{
	const struct resolver_host *host = &tls->reactor->host;
	int err = -ENOENT;
	size_t len;

	if (tls->conf.ca_file)
		return host->read_file(host->ctx, tls->conf.ca_file, ret, &len);
	for (size_t i = 0; err && i < sizeof(bundles) / sizeof(bundles[0]); i++)
		err = host->read_file(host->ctx, bundles[i], ret, &len);
	return err;
}

/* ---- the subject of a certificate, without taking it apart ---- */

struct der {
	const unsigned char *p, *end;
};

/* Enters or leaves out one element: what it holds. False: there is none, or it is malformed. */
static bool der_next(struct der *in, unsigned *ret_tag, struct der *ret)
{
	size_t len, n = 0;

	if (in->end - in->p < 2)
		return false;
	*ret_tag = *in->p++;
	len = *in->p++;
	if (len & 0x80) {
		n = len & 0x7f;
		if (n < 1 || n > 3 || (size_t)(in->end - in->p) < n)
			return false;
		for (len = 0; n; n--)
			len = len << 8 | *in->p++;
	}
	if ((size_t)(in->end - in->p) < len)
		return false;
	*ret = (struct der){in->p, in->p + len};
	in->p += len;
	return true;
}

/* RFC 5280 4.1: the subject's encoding, with its header. */
static bool find_subject(const unsigned char *data, size_t len, struct der *ret)
{
	struct der in = {data, data + len}, certificate, tbs, skipped;
	unsigned tag;

	if (!der_next(&in, &tag, &certificate) || tag != DER_SEQUENCE ||
	    !der_next(&certificate, &tag, &tbs) || tag != DER_SEQUENCE ||
	    !der_next(&tbs, &tag, &skipped))
		return false;
	if (tag == DER_VERSION && !der_next(&tbs, &tag, &skipped)) /* then the serial number */
		return false;
	for (int i = 0; i < 3; i++) /* signature, issuer, validity */
		if (!der_next(&tbs, &tag, &skipped))
			return false;
	ret->p = tbs.p;
	if (!der_next(&tbs, &tag, &skipped) || tag != DER_SEQUENCE)
		return false;
	ret->end = tbs.p;
	return true;
}

static bool is_named(const X509_NAME *name, const struct der *subject)
{
	const unsigned char *der;
	size_t len;

	return X509_NAME_get0_der(name, &der, &len) && len == (size_t)(subject->end - subject->p) &&
	       !memcmp(der, subject->p, len);
}

static bool is_needed(const STACK_OF(X509) * presented, const unsigned char *der, size_t len)
{
	struct der subject;

	if (!find_subject(der, len, &subject))
		return false;
	for (int i = 0; i < sk_X509_num(presented); i++) {
		const X509 *cert = sk_X509_value(presented, i);

		if (is_named(X509_get_issuer_name(cert), &subject) ||
		    is_named(X509_get_subject_name(cert), &subject))
			return true;
	}
	return false;
}

/* ---- the bundle ---- */

/* Decodes base64 in place. The length, or 0 where it is malformed. */
static size_t decode(EVP_ENCODE_CTX *base64, char *text, size_t len)
{
	unsigned char *out = (unsigned char *)text;
	int n = 0, last = 0;

	EVP_DecodeInit(base64);
	if (EVP_DecodeUpdate(base64, out, &n, out, (int)len) < 0 ||
	    EVP_DecodeFinal(base64, out + n, &last) < 0)
		return 0;
	return (size_t)n + (size_t)last;
}

static int add_anchor(struct tls_context *tls, const unsigned char *der, size_t len,
		      STACK_OF(X509) * anchors)
{
	X509 *cert = X509_new_ex(tls->lib, NULL);

	if (!cert)
		return -ENOMEM;
	if (!d2i_X509(&cert, &der, (long)len)) /* frees it */
		return 0;
	if (sk_X509_push(anchors, cert))
		return 0;
	X509_free(cert);
	return -ENOMEM;
}

static int pick(struct tls_context *tls, const STACK_OF(X509) * presented, char *text,
		STACK_OF(X509) * anchors)
{
	EVP_ENCODE_CTX *base64 = EVP_ENCODE_CTX_new();
	int err = base64 ? 0 : -ENOMEM;

	for (char *begin = text, *end; !err && (begin = strstr(begin, BEGIN)); begin = end) {
		size_t len;

		begin += strlen(BEGIN);
		end = strstr(begin, END);
		if (!end)
			break;
		len = decode(base64, begin, (size_t)(end - begin));
		if (len && is_needed(presented, (unsigned char *)begin, len))
			err = add_anchor(tls, (unsigned char *)begin, len, anchors);
	}
	EVP_ENCODE_CTX_free(base64);
	return err;
}

int tls_anchor_find(struct tls_context *tls, const STACK_OF(X509) * presented,
		    STACK_OF(X509) * *ret)
{
	STACK_OF(X509) * anchors;
	char *text;
	int err = read_bundle(tls, &text);

	if (err)
		return err;
	anchors = sk_X509_new_null();
	err = anchors ? pick(tls, presented, text, anchors) : -ENOMEM;
	free(text);
	if (err)
		sk_X509_pop_free(anchors, X509_free);
	else
		*ret = anchors;
	return err;
}

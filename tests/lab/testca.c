// SPDX-License-Identifier: MIT
/*
 * testca.c - certificates from OpenSSL's X509 functions (RFC 5280).
 */
#include "testca.h"
#include "netns.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define HOUR 3600L
#define DAY  (24 * HOUR)
#define SAN  1200 /* characters of a subjectAltName in OpenSSL's notation */

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

/* Made by lab_ca_make(), then only read. */
static struct authority ours;
static struct authority nobodys;
static EVP_PKEY *server_key;

const char *lab_cert_to_str(enum lab_cert kind)
{
	switch (kind) {
	case LAB_CERT_GOOD:
		return "good";
	case LAB_CERT_WRONG_NAME:
		return "wrong-name";
	case LAB_CERT_EXPIRED:
		return "expired";
	case LAB_CERT_NOT_YET:
		return "not-yet";
	case LAB_CERT_SELF_SIGNED:
		return "self-signed";
	case LAB_CERT_UNKNOWN_CA:
		return "unknown-ca";
	case LAB_CERT_CN_ONLY:
		return "cn-only";
	case LAB_CERTS:
		break;
	}
	return "?";
}

static _Noreturn void fail(const char *what)
{
	lab_fail("certificates: %s: %s", what, ERR_reason_error_string(ERR_peek_last_error()));
}

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	if (!key)
		fail("key");
	return key;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!extension || !X509_add_ext(cert, extension, -1))
		fail(value);
	X509_EXTENSION_free(extension);
}

/* A certificate without extensions and signature, valid between these times from now. */
static X509 *new_cert(const char *cn, EVP_PKEY *key, long from_s, long until_s)
{
	X509 *cert = X509_new();
	unsigned char serial[8];
	BIGNUM *number;

	if (!cert || RAND_bytes(serial, sizeof(serial)) != 1)
		fail("no memory");
	serial[0] = (serial[0] & 0x7f) | 1; /* positive (RFC 5280 4.1.2.2) */
	number = BN_bin2bn(serial, sizeof(serial), NULL);
	if (!number || !BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) ||
	    !X509_set_version(cert, X509_VERSION_3) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), from_s) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), until_s) || !X509_set_pubkey(cert, key) ||
	    !X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
					(const unsigned char *)cn, -1, -1, 0))
		fail(cn);
	BN_free(number);
	return cert;
}

static void sign(X509 *cert, X509 *issuer, EVP_PKEY *issuer_key)
{
	if (!X509_set_issuer_name(cert, X509_get_subject_name(issuer)) ||
	    !X509_sign(cert, issuer_key, EVP_sha256()))
		fail("signature");
}

static void make_authority(struct authority *a, const char *cn)
{
	a->key = new_key();
	a->cert = new_cert(cn, a->key, -DAY, 365 * DAY);
	add_extension(a->cert, a->cert, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(a->cert, a->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(a->cert, a->cert, NID_subject_key_identifier, "hash");
	sign(a->cert, a->cert, a->key);
}

void lab_ca_make(void)
{
	if (server_key)
		return;
	make_authority(&ours, "lab authority");
	make_authority(&nobodys, "authority that nobody has");
	server_key = new_key();
}

EVP_PKEY *lab_ca_server_key(void)
{
	lab_ca_make();
	return server_key;
}

/* "a.test,192.0.2.1" to "DNS:a.test,IP:192.0.2.1", and the first of them. */
static void split_names(const char *names, char san[SAN], char first[256])
{
	size_t used = 0;

	first[0] = '\0';
	while (*names) {
		size_t len = strcspn(names, ",");
		unsigned char address[16];
		char name[256];
		bool is_address;

		snprintf(name, sizeof(name), "%.*s", (int)len, names);
		is_address = inet_pton(AF_INET, name, address) == 1 ||
			     inet_pton(AF_INET6, name, address) == 1;
		used += (size_t)snprintf(san + used, SAN - used, "%s%s:%s", used ? "," : "",
					 is_address ? "IP" : "DNS", name);
		if (used >= SAN)
			lab_fail("certificates: too many names");
		if (!*first)
			memcpy(first, name, sizeof(name));
		names += len + (names[len] == ',');
	}
}

X509 *lab_ca_issue(enum lab_cert kind, const char *names)
{
	const struct authority *issuer = kind == LAB_CERT_UNKNOWN_CA ? &nobodys : &ours;
	long from_s = kind == LAB_CERT_NOT_YET ? HOUR : -2 * DAY;
	long until_s = kind == LAB_CERT_EXPIRED ? -HOUR : 30 * DAY;
	char san[SAN], first[256];
	X509 *cert;

	lab_ca_make();
	split_names(kind == LAB_CERT_WRONG_NAME ? "other.test" : names, san, first);
	cert = new_cert(kind == LAB_CERT_CN_ONLY ? first : "server", server_key, from_s, until_s);
	add_extension(cert, issuer->cert, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(cert, issuer->cert, NID_key_usage, "critical,digitalSignature");
	add_extension(cert, issuer->cert, NID_ext_key_usage, "serverAuth");
	if (kind != LAB_CERT_CN_ONLY)
		add_extension(cert, issuer->cert, NID_subject_alt_name, san);
	if (kind == LAB_CERT_SELF_SIGNED)
		sign(cert, cert, server_key);
	else
		sign(cert, issuer->cert, issuer->key);
	return cert;
}

static FILE *create(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		lab_fail("certificates: cannot create %s", path);
	return f;
}

static void write_cert(const char *path, X509 *cert)
{
	FILE *f = create(path);
	int ok = PEM_write_X509(f, cert);

	if (fclose(f) || !ok)
		fail(path);
}

void lab_ca_write(const char *path)
{
	lab_ca_make();
	write_cert(path, ours.cert);
}

void lab_ca_issue_files(enum lab_cert kind, const char *names, const char *cert_path,
			const char *key_path)
{
	X509 *cert = lab_ca_issue(kind, names);
	FILE *f = create(key_path);
	int ok = PEM_write_PrivateKey(f, server_key, NULL, NULL, 0, NULL, NULL);

	if (fclose(f) || !ok)
		fail(key_path);
	write_cert(cert_path, cert);
	X509_free(cert);
}

/* RFC 7858 appendix A: the digest of the SubjectPublicKeyInfo. */
static const char *pin_of(EVP_PKEY *key, char pin[64])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char *spki = NULL;
	int len = i2d_PUBKEY(key, &spki);
	unsigned digest_len;

	if (len < 0 || !EVP_Digest(spki, (size_t)len, digest, &digest_len, EVP_sha256(), NULL))
		fail("pin");
	OPENSSL_free(spki);
	memcpy(pin, "sha256/", 7);
	EVP_EncodeBlock((unsigned char *)pin + 7, digest, (int)digest_len);
	return pin;
}

const char *lab_ca_server_pin(void)
{
	static char pin[64];

	return pin_of(lab_ca_server_key(), pin);
}

const char *lab_ca_pin(void)
{
	static char pin[64];

	lab_ca_make();
	return pin_of(ours.key, pin);
}

// SPDX-License-Identifier: MIT
/*
 * testca.h - the lab's certificate authority: made when it is first asked for, with EC P-256 keys,
 * and inherited by every process that is forked afterwards. Nothing of it is kept in a file unless
 * a test asks for one.
 *
 * Every server of one process tree has the same key, so that its pin is known before it starts.
 */
#ifndef LAB_TESTCA_H
#define LAB_TESTCA_H

#include <openssl/x509.h>
#include <stddef.h>

/* What is right or wrong with a server's certificate. The word of the script follows. */
enum lab_cert {
	LAB_CERT_GOOD,	      /* good: from the lab's authority, with all names */
	LAB_CERT_WRONG_NAME,  /* wrong-name: for other.test alone */
	LAB_CERT_EXPIRED,     /* expired: an hour ago */
	LAB_CERT_NOT_YET,     /* not-yet: valid in an hour */
	LAB_CERT_SELF_SIGNED, /* self-signed */
	LAB_CERT_UNKNOWN_CA,  /* unknown-ca: from an authority that nobody has */
	LAB_CERT_CN_ONLY,     /* cn-only: the first name as the subject's CN, no subjectAltName */
	LAB_CERTS,	      /* how many there are */
};

/* Makes the authority where there is none yet: before a fork whose two sides shall share it. */
void lab_ca_make(void);

/* Writes the authority's certificate (PEM), for a client. */
void lab_ca_write(const char *path);

/*
 * Makes a certificate for `names`, host names and addresses separated by commas. The caller owns
 * the certificate; the key of all servers is lab_ca_server_key()'s, borrowed.
 */
X509 *lab_ca_issue(enum lab_cert kind, const char *names);
EVP_PKEY *lab_ca_server_key(void);

/* Writes such a certificate and its key (PEM), for a real server. */
void lab_ca_issue_files(enum lab_cert kind, const char *names, const char *cert_path,
			const char *key_path);

/* "sha256/BASE64" of the servers' public key, and of the authority's. Static storage. */
const char *lab_ca_server_pin(void);
const char *lab_ca_pin(void);

const char *lab_cert_to_str(enum lab_cert kind);

#endif

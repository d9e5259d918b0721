// SPDX-License-Identifier: MIT
/*
 * dnslisten.h - the words of a `listen` statement: where the scripted server listens and, with
 * `tls`, how it behaves there before any query is read.
 */
#ifndef LAB_DNSLISTEN_H
#define LAB_DNSLISTEN_H

#include "testca.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a TLS listener does instead of what it should. */
enum lab_tls_fault {
	LAB_TLS_HONEST,
	LAB_TLS_SILENT, /* silent: accepts, and neither reads nor writes */
	LAB_TLS_HANGUP, /* hangup: closes when the client has sent something */
	LAB_TLS_PLAIN,	/* plain: answers in clear text that this is a web server, and closes */
	LAB_TLS_LEAVE,	/* leave: closes when the handshake is complete */
};

struct lab_listen {
	char endpoint[64]; /* for lab_parse_endpoint() */
	bool tls;
	/* The rest with `tls` only. */
	enum lab_tls_fault fault;
	enum lab_cert cert;
	char names[256];   /* of the certificate, as for lab_ca_issue() */
	unsigned version;  /* 11, 12, 13: TLS 1.1 and so on alone; 0: 1.2 and 1.3 */
	uint32_t tickets;  /* sent after a full handshake (TLS 1.2: one or none) */
	uint32_t delay_ms; /* before anything is read */
	uint32_t drip_ms;  /* between two octets of the handshake; 0: all at once */
	uint32_t answers;  /* the connection is closed after so many; 0: never */
};

/* Parses one statement without its first word. 0, or -EINVAL with the reason. */
int lab_listen_parse(const char *text, char *error, size_t error_size, struct lab_listen *ret);

#endif

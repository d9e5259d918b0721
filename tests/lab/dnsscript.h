// SPDX-License-Identifier: MIT
/*
 * dnsscript.h - a DNS server that does as it is told: it answers from a small table, and lies,
 * stalls or breaks the protocol where a rule says so.
 *
 * One server is one process with one event loop, on any number of addresses, over UDP and TCP at
 * once, or over TLS. It acts as a recursive resolver would: it follows CNAMEs inside the table,
 * sets RA, copies RD, echoes the question with its letter case, returns an OPT record to a query
 * that has one, and truncates what does not fit. Names outside of the table do not exist
 * (NXDOMAIN).
 *
 * The script can be given as arrays or as text. The text has one statement a line; `#` starts a
 * comment; names are absolute with or without the last dot:
 *
 *	listen 127.0.0.1:53                 one address, UDP and TCP; [::1]:53 for IPv6
 *	listen 127.0.0.1:853 tls            one address, DNS over TLS; after `tls`, in any order:
 *	  cert KIND                         good wrong-name expired not-yet self-signed unknown-ca
 *	                                    cn-only (good)
 *	  names dns.test,127.0.0.1          of the certificate (dns.test and the address)
 *	  version 1.2                       that alone, 1.1 to 1.3 (1.2 and 1.3)
 *	  tickets N                         after a full handshake (2)
 *	  delay N                           N ms before it reads anything
 *	  drip N                            the handshake, with N ms between two octets
 *	  answers N                         closes a connection after N answers
 *	  silent                            accepts, and neither reads nor writes
 *	  hangup                            closes when the client has said something
 *	  leave                             closes when the handshake is complete
 *	  plain                             answers in clear text that it is a web server
 *	side far                            which side of the world (near)
 *	seed 7                              of garbage and shuffle (0)
 *	rr www.test 300 A 192.0.2.1         owner TTL type data; TTL 0 to 4294967295
 *	rr www.test 300 AAAA 2001:db8::1
 *	rr big.test 60 A 10.0.0.1*4000      4000 addresses, counting up
 *	rr alias.test 60 CNAME www.test
 *	rr test 900 SOA 60                  the zone's SOA, MINIMUM 60: enters negative
 *	                                    answers below `test`; without one they have no SOA
 *	rr *.wild.test 60 A 192.0.2.9       any name below that is not in the table itself
 *	rr x.test 60 TXT some text          one string
 *	rr x.test 60 PTR y.test
 *	rr x.test 60 NS y.test
 *	rr x.test 60 TYPE65 000100          any type, data in hexadecimal
 *	on slow.test A delay 200            queries for that name and type; `*` for any name,
 *	on *.slow.test * delay 200          `*.x` for any below x, `*` for any type
 *	on www.test * udp truncate          ... over that transport only: udp, tcp, tls
 *	on www.test A first 2 drop          ... the first two of them only
 *	on www.test A after 2 drop          ... all but the first two
 *	on * * servfail
 *
 * Every rule that matches takes part, so `delay 100` and `servfail` combine; delays add up.
 */
#ifndef LAB_DNSSCRIPT_H
#define LAB_DNSSCRIPT_H

#include "netns.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum lab_dns_type {
	LAB_ANY_TYPE = 0, /* in rules and counts */
	LAB_A = 1,
	LAB_NS = 2,
	LAB_CNAME = 5,
	LAB_SOA = 6,
	LAB_PTR = 12,
	LAB_TXT = 16,
	LAB_AAAA = 28,
	LAB_OPT = 41,
};

enum lab_dns_transport {
	LAB_ANY_TRANSPORT = 0, /* in rules and counts */
	LAB_UDP = 1,
	LAB_TCP = 2,
	LAB_TLS = 3, /* of TCP's no part */
};

/* What a rule does. The word of the text form follows; N is `value`. */
enum lab_dns_action {
	LAB_DNS_DELAY,		/* delay N: answer after N ms; other queries are not held up */
	LAB_DNS_DROP,		/* drop: no answer; over TCP the connection stays open */
	LAB_DNS_RCODE,		/* rcode N, or formerr servfail nxdomain notimp refused noerror:
				 * empty answer with that code (with the zone's SOA where it has
				 * one, for nxdomain and noerror) */
	LAB_DNS_FORMERR_EDNS,	/* formerr-edns: FORMERR to a query with OPT, without one answer */
	LAB_DNS_DROP_EDNS,	/* drop-edns: no answer to a query with OPT */
	LAB_DNS_NO_OPT,		/* no-opt: never return OPT; UDP answers up to 512 octets */
	LAB_DNS_TRUNCATE,	/* truncate: over UDP TC and no records; over TCP the answer */
	LAB_DNS_WRONG_ID,	/* wrong-id: id + 1 */
	LAB_DNS_WRONG_QUESTION, /* wrong-question: the answer is for `wrong.` + the name */
	LAB_DNS_NO_QUESTION,	/* no-question: QDCOUNT 0 */
	LAB_DNS_WRONG_PORT,	/* wrong-port: the UDP answer leaves from another source port */
	LAB_DNS_NOT_RESPONSE,	/* not-response: QR clear */
	LAB_DNS_GARBAGE,	/* garbage N: N random octets instead of the answer (TCP: framed) */
	LAB_DNS_GARBAGE_BODY,	/* garbage-body: right header and question, random octets after */
	LAB_DNS_CUT,		/* cut N: the packet ends after N octets */
	LAB_DNS_BAD_RDLEN,	/* bad-rdlen: the first record's RDLENGTH is one too small */
	LAB_DNS_BAD_POINTER,	/* bad-pointer: the first record's owner points to itself */
	LAB_DNS_BAD_COUNT,	/* bad-count: ANCOUNT is one too big */
	LAB_DNS_POISON,		/* poison: adds an A and an AAAA record of `victim.test` to answer
				 * and additional section (192.0.2.66, 2001:db8::66) */
	LAB_DNS_REVERSE,	/* reverse: records in the opposite order (A before its CNAME) */
	LAB_DNS_SHUFFLE,	/* shuffle: records in random order, from the script's seed */
	LAB_DNS_NO_SOA,		/* no-soa: a negative answer without one */
	LAB_DNS_EMPTY,		/* empty: NOERROR without answer records (NODATA) */
	LAB_DNS_TTL,		/* ttl N: every record has that TTL */
	LAB_DNS_AD,		/* ad: AD set if the query asked (AD or DO) */
	LAB_DNS_AD_ALWAYS,	/* ad-always: AD set */
	LAB_DNS_TWICE,		/* twice: the answer is sent two times */
	LAB_DNS_THEN_RIGHT,   /* then-right: after the wrong answer of the other rules, N ms later,
			       * the right one */
	LAB_DNS_CLOSE,	      /* close: TCP is closed instead of an answer; UDP: no answer */
	LAB_DNS_CLOSE_AFTER,  /* close-after: TCP is closed after the answer */
	LAB_DNS_RESET,	      /* reset: as close, with RST */
	LAB_DNS_CLOSE_ACCEPT, /* close-accept: TCP is closed when it is accepted; match `*` only */
	/* Over TCP and TLS alone: */
	LAB_DNS_RESET_AFTER,  /* reset-after: RST after the answer */
	LAB_DNS_CLOSE_LENGTH, /* close-length: one octet of the length, then FIN */
	LAB_DNS_CLOSE_HALF,   /* close-half: length and half of the message, then FIN */
	LAB_DNS_DRIP,	      /* drip N: N ms between two octets of the wire */
	LAB_DNS_RENEGOTIATE,  /* renegotiate: asks for a new handshake before (TLS 1.2) */
	LAB_DNS_TC,	      /* tc: TC set, with the records, over any transport */
	LAB_DNS_KEEPALIVE,    /* keepalive N: OPT has edns-tcp-keepalive N (100 ms, RFC 7828) */
	LAB_DNS_ACTIONS,      /* how many there are */
};

struct lab_dns_rr {
	const char *owner;
	uint32_t ttl_s;
	uint16_t type;	  /* an enum lab_dns_type or any number */
	const char *data; /* as in the text form */
};

struct lab_dns_rule {
	const char *name; /* NULL or "*": any; "*.x": below x; letter case does not matter */
	uint16_t type;	  /* LAB_ANY_TYPE: any */
	enum lab_dns_transport transport;
	unsigned after; /* leaves the first `after` matching queries alone */
	unsigned first; /* ends after that many more; 0: never */
	enum lab_dns_action action;
	uint32_t value;
};

struct lab_dns_script {
	const char *const *listen;	  /* "127.0.0.1:53", "[::1]:53"; NULL-terminated */
	const struct lab_dns_rr *rrs;	  /* ends with a NULL owner; or NULL */
	const struct lab_dns_rule *rules; /* ends with action LAB_DNS_ACTIONS; or NULL */
	enum lab_side side;
	uint64_t seed; /* for garbage and shuffle */
	FILE *log;     /* each query as one line; or NULL */
};

/*
 * Parses the text form. Returns 0 and a script that lab_dns_script_free() frees, or -EINVAL with a
 * message that names the line in `error`.
 */
int lab_dns_script_parse(const char *text, char *error, size_t error_size,
			 struct lab_dns_script **ret);
void lab_dns_script_free(struct lab_dns_script *script);

/* The word of the text form. */
const char *lab_dns_action_to_str(enum lab_dns_action action);

struct lab_dns; /* a running server, as its starter sees it */

/*
 * Starts a server in a process of its own on the script's side. All its sockets are bound and
 * listening on return. The script may be freed. `w` may be NULL outside of a world.
 */
struct lab_dns *lab_dns_start(struct lab_world *w, const struct lab_dns_script *script);

/* The same from text, and from printf-formatted text. */
struct lab_dns *lab_dns_start_text(struct lab_world *w, const char *text);
struct lab_dns *lab_dns_startf(struct lab_world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Takes the server away: nothing listens, every connection is closed, its process lives on with its
 * counters and the keys of its tickets. lab_dns_return() brings it back. Both are done on return.
 */
void lab_dns_vanish(struct lab_dns *dns);
void lab_dns_return(struct lab_dns *dns);

/* Ends the process. The counters can be read until lab_dns_free(), which stops it too. */
void lab_dns_stop(struct lab_dns *dns);
void lab_dns_free(struct lab_dns *dns);

pid_t lab_dns_pid(const struct lab_dns *dns);

/*
 * How many queries of that name (NULL: any), type and transport have reached the server since it
 * started or lab_dns_reset_counts(). Counted before any answer leaves, so a client that has its
 * answer is counted. Letter case does not matter.
 */
uint64_t lab_dns_count(const struct lab_dns *dns, const char *name, uint16_t type,
		       enum lab_dns_transport transport);
uint64_t lab_dns_connections(const struct lab_dns *dns); /* accepted, TCP and TLS */
void lab_dns_reset_counts(struct lab_dns *dns);

/* What the TLS listeners have met. */
struct lab_dns_tls {
	uint64_t hellos;     /* first flights of a client */
	uint64_t handshakes; /* finished, full or resumed */
	uint64_t resumed;    /* ... without a certificate */
	uint64_t failed;     /* ended after a hello and before the handshake was finished */
	uint64_t repeated;   /* hellos with a ticket that an earlier one had (TLS 1.3) */
	char sni[256];	     /* the last hello's server_name; "": none */
};

void lab_dns_tls(const struct lab_dns *dns, struct lab_dns_tls *ret);

enum lab_dns_option { /* EDNS options of a query, by code */
		      LAB_OPTION_CLIENT_SUBNET = 1 << 8,
		      LAB_OPTION_COOKIE = 1 << 10,
		      LAB_OPTION_KEEPALIVE = 1 << 11,
		      LAB_OPTION_PADDING = 1 << 12,
};

/* One query as it came. */
struct lab_dns_query {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	char name[256]; /* as spelt, without the last dot, escaped as ns_name_ntop() does, cut */
	uint16_t type;
	uint16_t id;
	uint16_t source_port;
	uint16_t edns_size; /* 0: no OPT record */
	uint16_t flags;	    /* the header's second 16 bits */
	uint16_t size;	    /* of the message */
	uint16_t options;   /* enum lab_dns_option */
	uint8_t listener;   /* index into `listen` */
	uint8_t transport;
};

/*
 * The i-th query since the start or the reset, from 0. False where there is none, or it was
 * overwritten (the last 4096 are kept).
 */
bool lab_dns_query_at(const struct lab_dns *dns, uint64_t i, struct lab_dns_query *ret);

/* Waits until that many matching queries came; fails the test after `timeout_ms`. */
void lab_dns_wait_count(const struct lab_dns *dns, const char *name, uint16_t type, uint64_t count,
			unsigned timeout_ms);

#endif

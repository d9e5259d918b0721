// SPDX-License-Identifier: MIT
/*
 * resolver.h - the DNS resolver as the shim sees it: one address type of one name in, one checked
 * RRset (or the reason why there is none) out.
 *
 * This is the only header that `shim/` and `resolver/` share, and `noblockdns_resolver` is the only
 * symbol that libnoblockdns-resolver.so exports. The library is opened with dlopen() at the first
 * cache miss.
 *
 * The resolver has no locks and owns neither a thread, nor a clock, nor an event loop: one thread
 * at a time is inside it, the shim's io thread or one that works in its place while it sleeps
 * (`open` alone comes from the thread that loaded the library, before any other call), time arrives
 * as an argument, and the `resolver_host` that it is given at `open` watches descriptors and wakes
 * it. A unit test drives it with a fake host.
 *
 * How a caller uses it:
 *
 *	noblockdns_resolver.open(&host, &r);
 *	noblockdns_resolver.view_open(r, &conf, &view);        one per set of upstreams
 *	noblockdns_resolver.query(view, &question, now, &q);   ends in exactly one question.done()
 *	...  host.watch(h, ...)    ->  later  noblockdns_resolver.ready(r, h, events, now)
 *	...  host.wake_at(t)       ->  later  noblockdns_resolver.tick(r, now)
 *
 * All times are milliseconds of one monotonic clock of the host's choice. All functions that return
 * int return 0 or a negative errno.
 */
#ifndef NOBLOCKDNS_RESOLVER_H
#define NOBLOCKDNS_RESOLVER_H

#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define RESOLVER_ABI	       6u /* raised whenever anything in this header changes shape */
#define RESOLVER_MAX_UPSTREAMS 8
#define RESOLVER_MAX_BOOTSTRAP 3
#define RESOLVER_MAX_PINS      8
#define RESOLVER_HOST_MAX      256		 /* a host name with its NUL */
#define RESOLVER_TICKET_MAX    4000		 /* bytes of a serialized TLS session */
#define RESOLVER_FILE_MAX      ((size_t)4 << 20) /* a system store has a quarter of that */
#define RESOLVER_NAME_MAX      1025 /* a presentation-form name with its NUL (glibc's NS_MAXDNAME) */
#define RESOLVER_CHAIN_MAX     17   /* the owner of the question and at most 16 CNAME targets */

struct resolver;
struct resolver_view;
struct resolver_query;

enum resolver_type {
	RESOLVER_A = 1,	    /* RFC 1035 3.4.1 */
	RESOLVER_AAAA = 28, /* RFC 3596 2.1 */
};

/* What became of a question. Values are stored in the shared cache: never renumber. */
enum resolver_kind {
	RESOLVER_NONE = 0,     /* nothing known; never handed to done() */
	RESOLVER_ANSWER = 1,   /* at least one address */
	RESOLVER_NODATA = 2,   /* the name exists, the type does not (RFC 2308 2.2) */
	RESOLVER_NXDOMAIN = 3, /* the name does not exist (RFC 2308 2.1) */
	RESOLVER_FAILURE = 4,  /* no valid answer; `failure` says why; never a negative answer */
};

enum resolver_failure {
	RESOLVER_FAILURE_NONE = 0,
	RESOLVER_TIMEOUT,     /* the deadline passed */
	RESOLVER_UNREACHABLE, /* every upstream refused the packet or the connection */
	RESOLVER_SERVFAIL,    /* RCODE 2 from every upstream that answered */
	RESOLVER_REFUSED,     /* RCODE 5, or 4 (NOTIMP), likewise */
	RESOLVER_FORMERR,     /* RCODE 1, with EDNS and without */
	RESOLVER_MALFORMED,   /* answers came, none could be parsed or believed */
	RESOLVER_BAD_NAME,  /* the question cannot be put into a packet (label or name too long) */
	RESOLVER_CANCELLED, /* cancel(), view_close() or close() */
	RESOLVER_LOCAL_ERROR, /* no memory, no descriptor, not allowed: not of the upstreams' making
			       */
};

/*
 * One checked RRset: the answer to one question. Valid during done() only; copy what is kept.
 */
struct resolver_rrset {
	enum resolver_type type;
	enum resolver_kind kind;
	enum resolver_failure failure; /* with RESOLVER_FAILURE */
	bool ad;		       /* the upstream set AD and is believed (RFC 4035 3.2.3) */
	uint32_t ttl_s;		       /* least TTL along the chain; of a negative answer
					* min(SOA TTL, SOA MINIMUM); 0: may not be cached */
	unsigned nnames;	       /* the CNAME chain, 1 to RESOLVER_CHAIN_MAX, with ANSWER and
					* NODATA; 0 otherwise */
	const char *const *names;      /* [nnames] presentation form without a trailing dot, as
					* spelt in the answer; [0] the question, last the canonical
					* name */
	unsigned naddrs;	       /* with ANSWER, else 0; duplicates kept, in packet order */
	const unsigned char *addrs;    /* [naddrs * 4] or [naddrs * 16], network byte order */
};

struct resolver_question {
	const char *name; /* borrowed during query(); absolute, with or without trailing dot */
	enum resolver_type type;
	uint64_t deadline_ms; /* done(RESOLVER_TIMEOUT) comes no later than this */
	uint64_t given_up_ms; /* who asked waits no longer than this; the answer is for others */
	void (*done)(void *arg, const struct resolver_rrset *rrset); /* exactly once, never from
								      * inside query() */
	void *arg;						     /* handed back to done() */
};

enum resolver_transport {
	RESOLVER_UDP, /* with TCP after a truncated answer */
	RESOLVER_TCP,
	RESOLVER_TLS, /* RFC 7858 */
};

#define RESOLVER_NTRANSPORTS (RESOLVER_TLS + 1)

struct resolver_upstream {
	enum resolver_transport transport;
	struct sockaddr_storage addr; /* AF_INET or AF_INET6 with port and scope; with RESOLVER_TLS
				       * also AF_UNSPEC: its addresses are those of `host` */
	uint16_t port;		      /* with AF_UNSPEC, in host order */
	char host[RESOLVER_HOST_MAX]; /* with RESOLVER_TLS: the name to be authenticated, without
				       * trailing dot; "": the address is (RFC 8310 8.1) */
};

/* How upstreams over TLS are authenticated. */
struct resolver_tls {
	bool opportunistic;  /* RFC 8310 5: any server over TLS, and clear text where there is no
			      * TLS; else strict: authenticated, or no query is sent */
	const char *ca_file; /* PEM; NULL: the system's. Borrowed until close() */
	unsigned npins;	     /* 0: none. Else, with a host name, the key of one in the chain must
			      * be pinned as well (RFC 8310 6.6); with an address alone nothing
			      * else counts (RFC 7858 4.2): tls_auth.h */
	unsigned char pins[RESOLVER_MAX_PINS][32]; /* SHA-256 of SubjectPublicKeyInfo (RFC 7858
						    * appendix A) */
};

/* What makes one view: upstreams in order of preference, and how to ask them. Copied. */
struct resolver_conf {
	struct resolver_upstream upstreams[RESOLVER_MAX_UPSTREAMS];
	unsigned nupstreams; /* at least 1 */
	uint32_t timeout_ms; /* resolv.conf `timeout`: longest wait for one try, at least 1 */
	unsigned attempts;   /* resolv.conf `attempts`: rounds over the upstreams, 1 to 5 */
	bool rotate;	     /* resolv.conf `rotate`: start each query at the next upstream */
	bool use_tcp;	     /* resolv.conf `use-vc`: RESOLVER_UDP upstreams are asked over TCP */
	bool trust_ad;	     /* resolv.conf `trust-ad`: set AD in queries and believe it (RFC 6840
			      * 5.7); from an authenticated upstream it is believed always */
	struct resolver_tls tls;
	/* whom to ask, in clear text, for the addresses of a `host` */
	struct sockaddr_storage bootstrap[RESOLVER_MAX_BOOTSTRAP];
	unsigned nbootstrap;
	uint64_t view; /* part of the key of TLS tickets */
};

enum resolver_events { RESOLVER_READ = 1, RESOLVER_WRITE = 2 };

/* What a server's certificate says, and what we think of it. Texts are borrowed. */
struct resolver_certificate {
	const char *subject, *issuer;  /* RFC 2253; as the server gave them: hostile */
	const char *names;	       /* of subjectAltName, separated by commas; hostile */
	int64_t not_before, not_after; /* seconds since 1970 */
	unsigned presented;	       /* certificates that the server sent */
	const char *doubt;	       /* why it is not authentic; NULL: it is */
};

/* What happens between the resolver and a server, for statistics and for whoever wants to watch. */
enum resolver_event_kind {
	RESOLVER_ASKED,	    /* a packet has left, to ask or to see whether it is there */
	RESOLVER_HEARD,	    /* an answer has come, whatever it says */
	RESOLVER_UNHEARD,   /* none in time, or it cannot be had */
	RESOLVER_HANDSHAKE, /* a connection over TLS is open */
};

#define RESOLVER_MS_UNKNOWN UINT32_MAX

struct resolver_event {
	enum resolver_event_kind kind;
	enum resolver_transport transport;
	const char *upstream;	 /* address, or host name where that is all that is known, and port;
				  * borrowed */
	enum resolver_type type; /* ASKED */
	uint32_t ms;		 /* HEARD: since it was asked; HANDSHAKE: since the connect */
	uint32_t srtt_ms;	 /* HEARD over UDP: smoothed round trip, at least 1; 0: not known */
	int error;		 /* UNHEARD: a negative errno; 0: silence */
	bool resumed;		 /* HANDSHAKE */
	bool authenticated;	 /* HANDSHAKE */
	const char *version;	 /* HANDSHAKE: "TLSv1.3"; static */
};

enum resolver_level {
	RESOLVER_LOG_ERROR,
	RESOLVER_LOG_WARN,
	RESOLVER_LOG_INFO,
	RESOLVER_LOG_DEBUG, /* the only level at which a name may be printed */
};

/*
 * What the resolver needs from the process that it lives in. Copied at open(); `ctx` is borrowed
 * until close(). Every member is set, but for `certificate`, `event` and `round_trip`. All are
 * called on the thread that called the resolver.
 */
struct resolver_host {
	void *ctx;

	/*
	 * A new socket for the resolver, close-on-exec, non-blocking, at a number where the program
	 * does not meet it. Returns a handle (0 or greater) or a negative errno. A handle is not a
	 * descriptor: the program may dup2() onto the number behind it, which then changes.
	 */
	int (*socket)(void *ctx, int domain, int type, int protocol);

	/* Closes the socket, and stops watching it. */
	void (*close)(void *ctx, int handle);

	/*
	 * The descriptor behind `handle`, for one system call that does not block; or -EBADF: the
	 * program closed it with a raw system call and may have another file under that number now.
	 * Between a hold() that succeeded and its drop() the number cannot change its meaning.
	 */
	int (*hold)(void *ctx, int handle);
	void (*drop)(void *ctx);

	/* Report these resolver_events of `handle` to ready(), level-triggered; 0: no longer.
	 * Returns 0 or a negative errno. */
	int (*watch)(void *ctx, int handle, unsigned events);

	/* Call tick() once at this time; replaces the time before; UINT64_MAX: not at all. */
	void (*wake_at)(void *ctx, uint64_t at_ms);

	/* Fills `buf` with `len` unpredictable bytes (query ids). */
	void (*random)(void *ctx, void *buf, unsigned len);

	/* The whole of a text file, NUL-terminated, of malloc(); the caller frees it. Negative
	 * errno where it cannot be had. At most RESOLVER_FILE_MAX bytes are read. */
	int (*read_file)(void *ctx, const char *path, char **ret, size_t *ret_len);

	/*
	 * TLS sessions that a later connection, of any process of this user, may resume. A ticket
	 * that was taken is gone: each is used once (RFC 8446 appendix C.4). take() returns the
	 * length, or -ENOENT; `ticket` is at most RESOLVER_TICKET_MAX bytes. What comes out is
	 * hostile.
	 */
	int (*ticket_take)(void *ctx, uint64_t key, void *ret_ticket, unsigned size);
	void (*ticket_put)(void *ctx, uint64_t key, const void *ticket, unsigned len,
			   uint32_t lifetime_s);

	/* A full handshake has come to the server's certificate. NULL: nobody wants to know. */
	void (*certificate)(void *ctx, const struct resolver_certificate *certificate);

	/* Something has happened. NULL: nobody wants to know. */
	void (*event)(void *ctx, const struct resolver_event *event);

	/* The `srtt_ms` that others, maybe in other processes, were told of a server by this name
	 * and transport, or 0. It may be wrong, or hostile: it only makes the first wait for that
	 * server shorter than a second. NULL: nobody remembers. */
	uint32_t (*round_trip)(void *ctx, const char *upstream, enum resolver_transport transport);

	/* One line for the log, without a newline. */
	void (*log)(void *ctx, enum resolver_level level, const char *fmt, va_list ap);
};

struct resolver_ops {
	uint32_t abi; /* RESOLVER_ABI; a shim that finds another one does not use the library */

	/* -ENOMEM. Opens no descriptor beyond the duration of the call. */
	int (*open)(const struct resolver_host *host, struct resolver **ret);

	/* Ends every query with RESOLVER_CANCELLED, closes every view and descriptor. */
	void (*close)(struct resolver *r);

	/* In a forked child: closes the descriptors that were inherited, sends nothing, calls no
	 * done(), frees everything. */
	void (*abandon)(struct resolver *r);

	/* -ENOMEM, -EINVAL (no upstream, or one that this build cannot speak to). */
	int (*view_open)(struct resolver *r, const struct resolver_conf *conf,
			 struct resolver_view **ret);

	/* Ends the view's queries with RESOLVER_CANCELLED. */
	void (*view_close)(struct resolver_view *view);

	/* Puts a question. -ENOMEM; every other trouble arrives in done(). `ret` is valid until
	 * done() is entered. */
	int (*query)(struct resolver_view *view, const struct resolver_question *question,
		     uint64_t now_ms, struct resolver_query **ret);

	/* Ends a query without calling done(). */
	void (*cancel)(struct resolver_query *query);

	/* The socket is ready. */
	void (*ready)(struct resolver *r, int handle, unsigned events, uint64_t now_ms);

	/* The time given to wake_at() has come. */
	void (*tick)(struct resolver *r, uint64_t now_ms);
};

extern const struct resolver_ops noblockdns_resolver;

#endif

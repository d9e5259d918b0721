// SPDX-License-Identifier: MIT
/*
 * servers.h - the real DNS servers and nscd, started inside a world from a generated minimal
 * configuration and stopped by process id.
 *
 * Each runs in the foreground as a child of the caller, with its files in a folder of its own under
 * lab_world_dir(). A start returns when the server has answered a query (nscd: a request on its
 * socket). Where the program is not installed the test is skipped. Nothing of the system's own
 * services is touched.
 */
#ifndef LAB_SERVERS_H
#define LAB_SERVERS_H

#include "netns.h"

#include <stdint.h>

enum lab_server_kind {
	LAB_UNBOUND, /* recursive: local data, or forwards */
	LAB_NSD,     /* authoritative: zones */
	LAB_DNSDIST, /* balancer in front of other servers */
	LAB_KRESD,   /* recursive (Knot Resolver): forwards */
	LAB_NSCD,    /* glibc's name service cache */
};

struct lab_zone {
	const char *name; /* "example.test" */
	const char *text; /* master file */
};

struct lab_server_opts {
	enum lab_server_kind kind;
	enum lab_side side;
	const char *listen;	      /* address, "127.0.0.1" or "::1"; NULL: 127.0.0.1 */
	uint16_t port;		      /* 0: 53 */
	uint16_t tls_port;	      /* unbound, dnsdist, kresd: DNS over TLS there, too, with a
				       * good certificate of the lab's authority; 0: none */
	const char *tls_names;	      /* of the certificate; NULL: dns.test and the address */
	const struct lab_zone *zones; /* nsd: zones; unbound: each line of the text is a record of
				       * its local-data, absolute; ends with a NULL name */
	const char *const *upstreams; /* unbound, kresd: forward there; dnsdist: servers;
				       * "127.0.0.2:53", "[::1]:5353"; NULL-terminated */
	const char *extra;	      /* lines added to the configuration; unbound: to `server:` */
	const char *ready_name;	      /* the name that proves it is up; NULL: the first zone's name,
				       * or "." */
};

struct lab_server;

struct lab_server *lab_server_start(struct lab_world *w, const struct lab_server_opts *opts);

/*
 * Starts unbound or dnsdist over UDP, TCP and, on port 853, TLS, which answers every name below
 * dot.test by itself (192.0.2.80, 2001:db8::80, 300 s): what is measured is the way there.
 */
struct lab_server *lab_server_start_wild(struct lab_world *w, enum lab_server_kind kind,
					 enum lab_side side, const char *listen);
void lab_server_stop(struct lab_server *server); /* SIGTERM, then SIGKILL after 3 s; frees */
pid_t lab_server_pid(const struct lab_server *server);
const char *lab_server_kind_to_str(enum lab_server_kind kind);

/* The path of a program, from PATH and the sbin folders, or NULL. Static storage, one thread. */
const char *lab_find_program(const char *name);

#endif

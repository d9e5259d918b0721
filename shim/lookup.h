// SPDX-License-Identifier: MIT
/*
 * lookup.h - the whole of a name lookup as one pure function: nsswitch plan, hosts file, search
 * list, DNS answers in; addresses, or the error that libc would give, out.
 *
 * It never waits. Where it needs an RRset that its source does not have, it stops and says which:
 * the caller gets it and runs the lookup again from the start. What was found before is found
 * again, so the second run comes further; a lookup of n names in a search list runs n + 1 times at
 * most. That makes the blocking getaddrinfo(), the asynchronous getaddrinfo_a() and the tests
 * drivers of the same code, and nothing has to be suspended.
 *
 * Equal to glibc 2.36 (nss/getaddrinfo, nss_files, nss_dns, res_search) in every result, with the
 * exceptions listed in tests/e2e/deviations.md.
 *
 * Any thread. No system call, but for a name without dots under $HOSTALIASES, whose file is read
 * each time as in glibc; no allocation up to LOOKUP_INLINE addresses.
 */
#ifndef NOBLOCKDNS_LOOKUP_H
#define NOBLOCKDNS_LOOKUP_H

#include "shim/entry.h"
#include "shim/name.h"
#include "shim/nsswitch.h"
#include "shim/order.h"
#include "shim/settings.h"

#include <stdbool.h>
#include <stdint.h>

#define LOOKUP_INLINE 16

/* Where RRsets come from. */
struct lookup_source {
	/*
	 * The RRsets `types` (enum fetch_types) of `name`, valid until the next call: 0 and all of
	 * them known in *ret (a failure counts as known), or -EAGAIN: it has to be asked first.
	 */
	int (*find)(void *ctx, const struct name *name, unsigned types, struct entry *ret);
	void *ctx;
};

struct lookup_query {
	const struct settings *settings;
	const struct lookup_source *source;
	const char *name;   /* as the program gave it, or as AI_IDN encoded it; not numeric */
	bool fits;	    /* name could be folded; else it is longer than any name in DNS */
	struct name folded; /* of name, if it fits */
	int family;	    /* AF_UNSPEC, AF_INET, AF_INET6 */
	bool want_canon;    /* getaddrinfo: AI_CANONNAME */
	bool want_names;    /* the answer's names are of use */
	bool v4mapped, all; /* AI_V4MAPPED, AI_ALL */
};

/* Sets name, fits and folded; all else is the caller's. */
void lookup_query_name(struct lookup_query *q, const char *name);

/* What has to be asked before the lookup can go on. */
struct lookup_question {
	struct name name;
	char spelling[RESOLVER_NAME_MAX]; /* for the wire: in the program's letters */
	unsigned types;
};

struct lookup_addrs {
	unsigned n, room;
	bool mapped;		 /* IPv4 addresses were added as v4-mapped ones */
	_Atomic uint64_t *order; /* see struct entry; valid as long as the call's settings */
	struct order_dest *v;	 /* owned where it is not `inlined` */
	struct order_dest inlined[LOOKUP_INLINE];
};

/* One name's data as nss modules hand it to gethostbyname. */
struct lookup_names {
	char canon[RESOLVER_NAME_MAX]; /* h_name */
	unsigned naliases;
	size_t aliases_len;
	char aliases[RESOLVER_CHAIN_MAX * 256]; /* one after the other */
};

enum lookup_result {
	LOOKUP_DONE,
	LOOKUP_ASK,  /* *ret_question has to be asked; run again when its answer is there */
	LOOKUP_LIBC, /* libc has to do it: a module that is not ours */
};

struct lookup_answer {
	int eai;		     /* lookup_addrinfo: 0 or EAI_* */
	int h_err;		     /* h_errno after a failure */
	int err;		     /* errno with EAI_SYSTEM or NETDB_INTERNAL */
	enum nsswitch_status status; /* lookup_hostent: of the module that had the last word */
	bool has_canon;
	struct lookup_addrs addrs;
	struct entry entry; /* with addresses: whose they are; nothing but `key` for those of the
			     * hosts file. What it points to may be gone */
	struct lookup_names names;
};

/* getaddrinfo's addresses, in the order before sorting. */
enum lookup_result lookup_addrinfo(const struct lookup_query *q, struct lookup_answer *ret,
				   struct lookup_question *ret_question);

/*
 * gethostbyname2_r's data: `family` is AF_INET or AF_INET6. ret->eai is 0 or EAI_NONAME; h_err and
 * err tell more. `from_files` is set where the data is the hosts file's: the caller then takes it
 * from there (hosts_hostent), with all its aliases.
 */
enum lookup_result lookup_hostent(const struct lookup_query *q, struct lookup_answer *ret,
				  bool *ret_from_files, struct lookup_question *ret_question);

/* After lookup_hostent() failed: what gethostbyname2_r() returns, 0 or an errno; -1: whatever errno
 * was before the call. */
int lookup_hostent_error(const struct lookup_answer *answer);

void lookup_answer_init(struct lookup_answer *answer);
void lookup_answer_free(struct lookup_answer *answer);

/* Appends; false without memory. */
bool lookup_addrs_add(struct lookup_addrs *addrs, int family, const void *addr);

/* What one nss module said. */
struct lookup_status {
	enum nsswitch_status status;
	int h_err;
	int err;
};

/* lookup_files.c: what nss_files does. Addresses are appended; with `mapped` those of IPv4 as
 * v4-mapped ones. */
struct lookup_status lookup_files(const struct lookup_query *q, int family, bool mapped,
				  struct lookup_answer *answer);

/* lookup_dns.c: what nss_dns does, for one type or both. LOOKUP_DONE with *ret_status, or
 * LOOKUP_ASK. Addresses are appended; with `mapped` as v4-mapped IPv6 addresses. */
enum lookup_result lookup_dns(const struct lookup_query *q, unsigned types, bool mapped,
			      struct lookup_answer *answer, struct lookup_status *ret_status,
			      struct lookup_question *ret_question);

#endif

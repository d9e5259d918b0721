// SPDX-License-Identifier: MIT
/*
 * test_lookup_util.h - lookups over settings made from text and a network made from a table. Each
 * question that a lookup asks is written down and answered, then the lookup runs again, as the
 * blocking hooks do it.
 */
#ifndef TESTS_TEST_LOOKUP_UTIL_H
#define TESTS_TEST_LOOKUP_UTIL_H

#include "shim/fetch.h"
#include "shim/lookup.h"

#include <criterion/criterion.h>
#include <netdb.h>

/* What the network says about a name: for each type a kind, and with FAILURE which. */
struct net_row {
	const char *name; /* lower case; NULL ends the table */
	struct {
		enum resolver_kind kind;
		enum resolver_failure failure;
	} a, aaaa;
	const char *canon; /* where a CNAME leads; NULL: nowhere */
};

#define ANSWERS                                                                                    \
	{                                                                                          \
		RESOLVER_ANSWER, RESOLVER_FAILURE_NONE                                             \
	}
#define NODATA                                                                                     \
	{                                                                                          \
		RESOLVER_NODATA, RESOLVER_FAILURE_NONE                                             \
	}
#define NXDOMAIN                                                                                   \
	{                                                                                          \
		RESOLVER_NXDOMAIN, RESOLVER_FAILURE_NONE                                           \
	}
#define FAILS(x)                                                                                   \
	{                                                                                          \
		RESOLVER_FAILURE, RESOLVER_##x                                                     \
	}

struct net {
	const struct net_row *rows; /* NXDOMAIN for what is not in it */
	const char *resolv_conf;    /* NULL: a server and nothing else */
	const char *nsswitch;	    /* NULL: "hosts: files dns" */
	const char *hosts;	    /* NULL: empty */
	const char *host_aliases;   /* a path, or NULL */
	bool guarded;		    /* NOBLOCKDNS_REBIND_GUARD */
};

struct looked_up {
	enum lookup_result result;
	struct lookup_answer answer;
	bool from_files;
	unsigned runs;	      /* how often the lookup was run */
	char questions[4096]; /* "www.corp.test A+AAAA, www.test A" */
};

/* The longest time that a name has been asked for when a test fails: never more runs than this. */
#define NET_RUNS_MAX 64

void net_addrinfo(const struct net *net, const char *name, int family, int flags,
		  struct looked_up *ret);
void net_hostent(const struct net *net, const char *name, int family, struct looked_up *ret);

#endif

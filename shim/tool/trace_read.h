// SPDX-License-Identifier: MIT
/*
 * trace_read.h - reads trace files (shim/trace_format.h), also of processes that still write, and
 * damaged ones: what is readable is given, the rest counted.
 *
 *	struct trace_file *file;
 *	struct trace_record record;
 *	int r = trace_open(path, &file);
 *
 *	if (r < 0)
 *		...trace_open_why(r)...
 *	while (trace_next(file, &record))
 *		switch (record.type) ...
 *	trace_info(file)->damaged, ...	   complete once trace_next() has said false
 *	trace_close(file);
 *
 * Nothing in a file is believed: every length is checked, texts may hold any byte, and so may
 * numbers of enums that are given as numbers. One thread a file.
 */
#ifndef NOBLOCKDNS_TOOL_TRACE_READ_H
#define NOBLOCKDNS_TOOL_TRACE_READ_H

#include "shim/trace_format.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_file; /* the whole file, in memory */

/* What is known of the process, and how the file fares. */
struct trace_info {
	uint32_t pid, ppid;
	bool observe;		 /* else with the shim at work */
	uint64_t start_boot_ns;	 /* CLOCK_BOOTTIME, as all times of records */
	uint64_t start_real_ns;	 /* the same moment since 1970 */
	const char *exe;	 /* NUL-terminated; "" where it is not known */
	const char *const *argv; /* ends with NULL; never itself NULL */

	uint64_t records;    /* that trace_next() has given */
	uint64_t unfinished; /* that the process was writing when it was killed, or still is */
	uint64_t damaged;    /* stretches in which there is no record, nor room for one */
	uint64_t dropped;    /* that found no room when they were to be written */
	bool truncated;	     /* the file is shorter than it says */
};

enum trace_open_error {
	TRACE_OPEN_FOREIGN = 10000, /* no trace file */
	TRACE_OPEN_VERSION,	    /* of another version, or of a machine of another byte order */
};

/* A record, taken apart. Texts are valid until trace_close(), NUL-terminated; a NUL inside ends
 * them. What does not belong to the type is zero. */
struct trace_record {
	enum trace_type type;
	uint32_t tid;
	const char *thread; /* its name; "" where it is not known */
	uint64_t start_ns, duration_ns;
	bool under_way; /* a lookup or connect that was not over when the process ended, or the file
			 * was read: duration_ns, result and what came of it are zero */

	const char *name; /* of a lookup, what was asked for; of a connect or race, the name whose
			   * address it is, by the lookups before it; of a thread, its own; or "" */
	enum trace_function function; /* of a lookup, a connect */
	int result; /* EAI_* of a lookup; errno of a connect, a race; 0: success */

	/* TRACE_LOOKUP */
	int family; /* asked for: AF_UNSPEC, AF_INET, AF_INET6 */
	enum trace_source source;
	unsigned naddrs;			/* that came */
	unsigned n_kept;			/* of them, in `addrs` */
	struct in6_addr addrs[TRACE_ADDRS_MAX]; /* IPv4 v4-mapped; [0]: of TRACE_CONNECT and
						 * TRACE_RACE, what was asked for */

	/* TRACE_CONNECT, TRACE_RACE */
	int fd; /* -1 of a race */
	unsigned port;
	enum trace_race_end end;
	unsigned attempts;
	bool blocking, own_won;
	int winner_family; /* 0: none */
	struct in6_addr winner;

	/* TRACE_TURN; start_ns is the return of epoll_wait() and its kin */
	uint64_t blocked_ns; /* of duration_ns, in lookups and connects */
	unsigned lookups, connects;

	/* TRACE_THREAD; its turns as of now, those that are TRACE_TURN records included */
	uint64_t turns, busy_ns, longest_ns, waits_ns;
	uint64_t histogram[TRACE_TURN_BUCKETS]; /* turns; bounds: TRACE_TURN_BOUNDS_NS */
};

/* 0; a negative errno; or the negative of one of enum trace_open_error. */
int trace_open(const char *path, struct trace_file **ret);
void trace_close(struct trace_file *file);

/* Words for what trace_open() has returned. Static storage. */
const char *trace_open_why(int error);

/* The same of bytes in memory, which are copied. */
int trace_open_bytes(const void *bytes, size_t size, struct trace_file **ret);

/* The next record as it stands in the file: in the order of their ends, nearly; what is under way
 * comes last. False: that was all. */
bool trace_next(struct trace_file *file, struct trace_record *ret);

/* From the beginning again; counts start anew. */
void trace_rewind(struct trace_file *file);

const struct trace_info *trace_info(const struct trace_file *file);

/* "lookup", "connect", ...; "getaddrinfo", ...; "cache", ...; "?" for what is none. */
const char *trace_type_to_str(enum trace_type type);
const char *trace_function_to_str(enum trace_function function);
const char *trace_source_to_str(enum trace_source source);
const char *trace_race_end_to_str(enum trace_race_end end);

/* "192.0.2.1", "2001:db8::1". `buf` has INET6_ADDRSTRLEN bytes. */
const char *trace_addr_to_str(const struct in6_addr *addr, char *buf);

#endif

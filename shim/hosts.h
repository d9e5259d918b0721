// SPDX-License-Identifier: MIT
/*
 * hosts.h - an index of /etc/hosts, and what glibc 2.36's nss_files makes of it.
 *
 * Built once from the text of the file, immutable afterwards, read by any thread. Whatever a
 * function hands out points into the index. A name that the file does not hold costs a hash of the
 * name and one probe of a small bit set.
 *
 * Lines are kept in file order. Names compare without regard to ASCII case and otherwise byte by
 * byte: a trailing dot counts, as it does in glibc.
 */
#ifndef NOBLOCKDNS_HOSTS_H
#define NOBLOCKDNS_HOSTS_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hosts;

/* One line of the file that holds the name. */
struct hosts_line {
	int family;		/* of `addr` as spelt: AF_INET or AF_INET6 */
	unsigned char addr[16]; /* 4 or 16 bytes, network order */
	const char *name;	/* the first name on the line, as spelt */
	const char *aliases;	/* naliases NUL-terminated strings, one after the other */
	unsigned naliases;
};

/* Indexes `len` bytes of `text` (NULL: no file, an empty index). 0 or -ENOMEM. */
int hosts_build(const char *text, size_t len, struct hosts **ret);

void hosts_free(struct hosts *hosts);

/* May the file hold this name? False is certain. A few nanoseconds; NULL index: false. */
bool hosts_may_have(const struct hosts *hosts, const char *name);

/* A walk over the lines that hold a name, in file order. */
struct hosts_walk {
	const struct hosts *hosts;
	const char *name;
	int family; /* AF_UNSPEC: every line as spelt; else as converted for that family */
	uint32_t hash;
	uint32_t at; /* next reference, or none */
};

/*
 * Starts a walk. `family` AF_UNSPEC is nss_files' gethostbyname4_r, which getaddrinfo uses for
 * AF_UNSPEC: each line in its own family. AF_INET and AF_INET6 are its gethostbyname3_r: for
 * AF_INET a line of `::1` counts as 127.0.0.1 and a v4-mapped one as its IPv4 address; lines of the
 * wrong family are skipped.
 * glibc takes the first line only unless host.conf has `multi on`: the caller stops then.
 */
void hosts_walk_start(const struct hosts *hosts, const char *name, int family,
		      struct hosts_walk *ret);

/* The next line, with `ret->family` and `ret->addr` converted. False at the end. */
bool hosts_walk_next(struct hosts_walk *walk, struct hosts_line *ret);

/*
 * The whole of nss_files' gethostbyname2_r(3): with `multi` every line's address, and as aliases
 * the first line's, then of each further line its aliases and its first name where that differs
 * from h_name. All pointers go into `buf` and the index is no longer needed.
 * 0, -ENOENT (no line), -ERANGE (`buf` too small; nothing is written to *ret).
 */
int hosts_hostent(const struct hosts *hosts, const char *name, int family, bool multi,
		  struct hostent *ret, char *buf, size_t size);

#endif

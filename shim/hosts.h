// SPDX-License-Identifier: MIT
/*
 * hosts.h - an index of /etc/hosts, and what glibc 2.36's nss_files makes of it.
 *
 * Built once from the text of the file, immutable afterwards, read by any thread. What a walk hands
 * out points into the index. A name that the file does not hold costs its hash and, as a rule, one
 * load.
 *
 * Lines are kept in file order. Names compare without regard to ASCII case and otherwise byte by
 * byte: a trailing dot counts, as it does in glibc. A line that glibc ignores (an address that
 * inet_pton(3) does not take: also one with a scope) does not exist. One deviation: of a last line
 * that has blanks in front and no newline, glibc repeats the last characters (nss_readline.c copies
 * it without its NUL); here it is read as it stands.
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
	int family;	  /* of `addr`: AF_INET or AF_INET6 */
	const char *name; /* the first name on the line, as spelt: the canonical name; "" where the
			   * line has an address and no name */
	const char *aliases; /* naliases NUL-terminated strings, one after the other */
	unsigned naliases;
	unsigned char addr[16]; /* 4 or 16 bytes, network order */
};

/* Indexes `len` bytes of `text` (NULL: no file, an empty index). 0, -ENOMEM, or -EFBIG from 2 GiB.
 */
int hosts_build(const char *text, size_t len, struct hosts **ret);

void hosts_free(struct hosts *hosts);

/* May the file hold this name? False is certain, true is wrong once in 2^32. NULL index: false. */
bool hosts_may_have(const struct hosts *hosts, const char *name);

/* A walk over the lines that hold a name. Opaque; needs no end. */
struct hosts_walk {
	const struct hosts *hosts;
	const char *name;
	int family;
	uint32_t hash;
	uint32_t at;   /* the next reference */
	uint32_t line; /* the last one handed out */
};

/*
 * Starts a walk; `name` is borrowed until its end. `family` AF_UNSPEC is nss_files'
 * gethostbyname4_r, which getaddrinfo() uses for AF_UNSPEC: every line in its own family. AF_INET
 * and AF_INET6 are its gethostbyname3_r: lines of that family alone, but for AF_INET `::1` counts
 * as 127.0.0.1, and a v4-mapped address as its IPv4 address. Without `multi on` in host.conf, glibc
 * takes the first line of a walk and no more.
 */
void hosts_walk_start(const struct hosts *hosts, const char *name, int family,
		      struct hosts_walk *ret);

/* The next line in file order, or false at the end. A line comes once, however often it names. */
bool hosts_walk_next(struct hosts_walk *walk, struct hosts_line *ret);

/*
 * The whole of nss_files' gethostbyname2_r, `family` AF_INET or AF_INET6: with `multi` every line's
 * address, and as aliases the first line's, then of each further line its aliases, and its name
 * where that differs from h_name. All pointers go into `buf`; the index is no longer needed.
 * 0, -ENOENT (no line), -ERANGE (`buf` is too small; *ret is untouched).
 */
int hosts_hostent(const struct hosts *hosts, const char *name, int family, bool multi,
		  struct hostent *ret, char *buf, size_t size);

#endif

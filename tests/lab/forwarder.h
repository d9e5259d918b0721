// SPDX-License-Identifier: MIT
/*
 * forwarder.h - the slow, lossy and broken network of the lab: a process that carries IP packets
 * between the near and the far side of a world through two TUN devices, and does to each what a
 * table of rules says.
 *
 * The first rule that matches a packet decides; a packet that none matches passes at once. The
 * table can be changed while it runs. Packets of one rule with a fixed delay keep their order.
 *
 *	struct lab_forwarder *f = lab_forwarder_start(w, &(struct lab_forwarder_opts){
 *		.rules = (struct lab_rule[]){
 *			{ .match = { .family = AF_INET6 }, .action = LAB_BLACKHOLE },
 *			{ .match = { .direction = LAB_OUT }, .delay_us = 20000 },
 *		}, .nrules = 2 });
 *	...
 *	lab_assert_int(lab_forwarder_packets(f, 0), 0);
 *
 * The text form, for the tool, has one rule a line:
 *
 *	[out|in] [ipv4|ipv6] [tcp|udp|icmp] [syn] [to ADDR[/LEN]] [port N]
 *	[delay MS] [jitter MS] [loss PERMILLE] [reorder PERMILLE] [first N]
 *	[pass|drop|refuse|unreachable]
 */
#ifndef LAB_FORWARDER_H
#define LAB_FORWARDER_H

#include "netns.h"

#include <netinet/in.h>
#include <stdint.h>

enum lab_direction {
	LAB_BOTH,
	LAB_OUT, /* near to far */
	LAB_IN,	 /* far to near */
};

/* Which packets. A zero member matches all. */
struct lab_match {
	int family; /* AF_INET, AF_INET6 */
	enum lab_direction direction;
	int protocol;	 /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP (which means ICMPv6 too) */
	bool syn;	 /* TCP packets that open a connection: SYN set, ACK clear */
	char remote[64]; /* the far address or prefix, "198.51.100.7", "2001:db8:2::/64" */
	uint16_t port;	 /* the far port */
};

enum lab_action {
	LAB_PASS,	 /* after the delay */
	LAB_BLACKHOLE,	 /* vanishes */
	LAB_REFUSE,	 /* TCP: RST; else ICMP port unreachable; from the packet's target */
	LAB_UNREACHABLE, /* ICMP: no route to host */
};

struct lab_rule {
	struct lab_match match;
	enum lab_action action;
	uint32_t delay_us;	   /* for answers of REFUSE and UNREACHABLE too */
	uint32_t jitter_us;	   /* added at random, 0 to that; reorders */
	uint32_t loss_permille;	   /* lost at random, from the seed */
	uint32_t reorder_permille; /* at random these skip the delay */
	uint32_t first;		   /* `action` takes the first packets only; later ones pass after
				    * the delay; 0: all */
};

#define LAB_MAX_RULES 64

struct lab_forwarder_opts {
	const struct lab_rule *rules; /* copied */
	unsigned nrules;
	uint64_t seed;	     /* of loss, jitter and reordering; 0 is a seed like any other */
	const char *capture; /* pcap file (LINKTYPE_RAW) of every packet as it entered; or NULL */
};

struct lab_forwarder;

/*
 * Makes a TUN device `lab0` on each side with the addresses of netns.h, and starts the process.
 * Packets flow on return. Skips the test where /dev/net/tun cannot be opened.
 */
struct lab_forwarder *lab_forwarder_start(struct lab_world *w,
					  const struct lab_forwarder_opts *opts);
void lab_forwarder_stop(struct lab_forwarder *f); /* frees; the capture stays */

/* Replaces the table; counters start at 0. Packets already under way keep their fate. */
void lab_forwarder_rules(struct lab_forwarder *f, const struct lab_rule *rules, unsigned nrules);

/* Packets that rule i matched, and those of them that did not get through. i == LAB_MAX_RULES:
 * packets that no rule matched. */
uint64_t lab_forwarder_packets(const struct lab_forwarder *f, unsigned i);
uint64_t lab_forwarder_dropped(const struct lab_forwarder *f, unsigned i);

/* How many packets of a capture match: "no IPv4 SYN left". -errno where it cannot be read. */
long lab_capture_count(const char *path, const struct lab_match *match);

/* The i-th matching packet's time in CLOCK_MONOTONIC nanoseconds, or -ENOENT. */
long long lab_capture_time_ns(const char *path, const struct lab_match *match, unsigned i);

/* How many packets of a capture hold these octets. -errno. */
long lab_capture_search(const char *path, const void *octets, size_t len);

/* How many octets the matching TCP packets carry, retransmissions too. -errno. */
long lab_capture_octets(const char *path, const struct lab_match *match);

/*
 * Round trips: how often the near side spoke over TCP (a SYN or octets) to matching packets' far
 * sides, having been silent or answered in between. What it sends at once is one flight. -errno.
 */
long lab_capture_flights(const char *path, const struct lab_match *match);

/* Parses one line of the text form. 0, or -EINVAL with the reason. */
int lab_rule_parse(const char *line, char *error, size_t error_size, struct lab_rule *ret);

#endif

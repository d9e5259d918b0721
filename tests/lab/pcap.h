// SPDX-License-Identifier: MIT
/*
 * pcap.h - writing captures and walking through them: the classic file format, nanoseconds,
 * LINKTYPE_RAW. Their times are CLOCK_MONOTONIC, so that they can be compared with what a test
 * measured.
 */
#ifndef LAB_PCAP_H
#define LAB_PCAP_H

#include "packet.h"

#include <stddef.h>
#include <stdint.h>

/* Creates the file. Returns a descriptor or a negative errno. */
int lab_pcap_create(const char *path);

/* Appends one packet with one write, so that a reader sees it whole or not at all. */
void lab_pcap_write(int fd, uint64_t at_ns, const uint8_t *data, size_t len);

/* Called with each packet that matches; false ends the walk. */
typedef bool (*lab_pcap_seen)(void *arg, const struct lab_packet *p, long long at_ns);

/* Shows the packets of a capture that match, in order. Returns 0 or a negative errno. */
int lab_pcap_walk(const char *path, const struct lab_match *match, lab_pcap_seen seen, void *arg);

#endif

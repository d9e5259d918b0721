// SPDX-License-Identifier: MIT
/*
 * pcap.h - writing captures: the classic file format, nanoseconds, LINKTYPE_RAW. Their times are
 * CLOCK_MONOTONIC, so that they can be compared with what a test measured.
 */
#ifndef LAB_PCAP_H
#define LAB_PCAP_H

#include <stddef.h>
#include <stdint.h>

/* Creates the file. Returns a descriptor or a negative errno. */
int lab_pcap_create(const char *path);

/* Appends one packet with one write, so that a reader sees it whole or not at all. */
void lab_pcap_write(int fd, uint64_t at_ns, const uint8_t *data, size_t len);

#endif

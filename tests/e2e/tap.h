// SPDX-License-Identifier: MIT
/*
 * tap.h - counts what goes to port 53 in this network namespace, whoever sends it. The kernel
 * filters, so that whatever else is said drowns nothing.
 */
#ifndef TAP_H
#define TAP_H

#include "tests/lab/labtest.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

/* IPv4 and IPv6 without extension headers; UDP and TCP have their port in one place. */
static inline int tap_open(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 3, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 53, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = {sizeof code / sizeof code[0], code};
	int tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

	lab_assert(tap >= 0);
	lab_assert(setsockopt(tap, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0);
	lab_assert(bind(tap, (const struct sockaddr *)&all, sizeof all) == 0);
	return tap;
}

/* How many packets since the last time. */
static inline unsigned tap_count(int tap)
{
	unsigned n = 0;
	char packet[64];

	while (recv(tap, packet, sizeof packet, MSG_TRUNC) >= 0)
		n++;
	return n;
}

#endif

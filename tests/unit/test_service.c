// SPDX-License-Identifier: MIT
/*
 * test_service.c - every combination of service, socket type, protocol and flags, against what the
 * C library returns for a numeric node.
 */
#include "shim/service.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* "type/protocol/port ..." or "error". */
static const char *ours(const char *service, int socktype, int protocol, int flags, char *buf)
{
	struct service_tuple tuples[SERVICE_MAX];
	int n = service_resolve(service, socktype, protocol, flags, tuples);
	char *p = buf;

	cr_assert_neq(n, 0);
	if (n < 0)
		sprintf(buf, "error %d", n);
	for (int i = 0; i < n; i++)
		p += sprintf(p, "%d/%d/%u ", tuples[i].socktype, tuples[i].protocol,
			     ntohs(tuples[i].port_be));
	return buf;
}

static const char *libc(const char *service, int socktype, int protocol, int flags, char *buf)
{
	struct addrinfo hints = {.ai_family = AF_INET,
				 .ai_socktype = socktype,
				 .ai_protocol = protocol,
				 .ai_flags = flags | AI_NUMERICHOST};
	struct addrinfo *list = NULL;
	int err = getaddrinfo("192.0.2.1", service, &hints, &list);
	char *p = buf;

	if (err) {
		sprintf(buf, "error %d", err);
		return buf;
	}
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
		p += sprintf(p, "%d/%d/%u ", ai->ai_socktype, ai->ai_protocol,
			     ntohs(((struct sockaddr_in *)ai->ai_addr)->sin_port));
	freeaddrinfo(list);
	return buf;
}

Test(service, equals_libc)
{
	static const char *const services[] = {
		NULL,
		"",
		"*",
		"0",
		"80",
		" 80",
		"80 ",
		"+80",
		"-80",
		"-1",
		"080",
		"0x50",
		"80x",
		"65535",
		"65536",
		"99999",
		"4294967295",
		"4294967376",
		"2147483647",
		"2147483648",
		"18446744073709551615",
		"18446744073709551616",
		"-4294967216",
		"+",
		"-",
		" ",
		"http",
		"domain",
		"HTTP",
		"https",
		"tftp",
		"ssh",
		"ntp",
		"nosuch",
		"http ",
		"discard",
	};
	static const int socktypes[] = {0,	  SOCK_STREAM,	  SOCK_DGRAM,  SOCK_RAW, SOCK_DCCP,
					SOCK_RDM, SOCK_SEQPACKET, SOCK_PACKET, 99,	 -1};
	static const int protocols[] = {0,
					IPPROTO_TCP,
					IPPROTO_UDP,
					IPPROTO_SCTP,
					IPPROTO_DCCP,
					IPPROTO_UDPLITE,
					IPPROTO_ICMP,
					IPPROTO_RAW,
					-1};
	static const int flags[] = {0, AI_NUMERICSERV, AI_PASSIVE};
	char got[512], want[512];

	for (size_t s = 0; s < sizeof(services) / sizeof(services[0]); s++)
		for (size_t t = 0; t < sizeof(socktypes) / sizeof(socktypes[0]); t++)
			for (size_t p = 0; p < sizeof(protocols) / sizeof(protocols[0]); p++)
				for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
					ours(services[s], socktypes[t], protocols[p], flags[f],
					     got);
					libc(services[s], socktypes[t], protocols[p], flags[f],
					     want);
					cr_expect_str_eq(
						got, want,
						"%s type %d protocol %d flags %d: got %s, want %s",
						services[s] ? services[s] : "NULL", socktypes[t],
						protocols[p], flags[f], got, want);
				}
}

Test(service, number_leaves_errno_alone)
{
	struct service_tuple tuples[SERVICE_MAX];

	errno = EXDEV;
	cr_expect_eq(service_resolve("443", 0, 0, 0, tuples), 3);
	cr_expect_eq(errno, EXDEV);
	cr_expect_eq(service_resolve(NULL, SOCK_STREAM, 0, 0, tuples), 1);
	cr_expect_eq(errno, EXDEV);
}

// SPDX-License-Identifier: MIT
/* address.c - see address.h. Any thread. */
#include "resolver/address.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>

const char *address_to_str(const struct sockaddr_storage *addr, char text[ADDRESS_TEXT])
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_in *in = (const void *)addr;
	bool is_v4 = addr->ss_family == AF_INET;
	char ip[INET6_ADDRSTRLEN] = "?";

	inet_ntop(addr->ss_family, is_v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, ip,
		  sizeof(ip));
	snprintf(text, ADDRESS_TEXT, is_v4 ? "%s:%u" : "[%s]:%u", ip,
		 ntohs(is_v4 ? in->sin_port : in6->sin6_port));
	return text;
}

socklen_t address_len(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6);
}

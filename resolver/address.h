// SPDX-License-Identifier: MIT
/*
 * address.h - a socket address with its port: as text for the log, and its length.
 */
#ifndef NOBLOCKDNS_RESOLVER_ADDRESS_H
#define NOBLOCKDNS_RESOLVER_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#define ADDRESS_TEXT (INET6_ADDRSTRLEN + sizeof("[]:65535"))

/* "192.0.2.1:853" or "[2001:db8::1]:853"; returns `text`. */
const char *address_to_str(const struct sockaddr_storage *addr, char text[ADDRESS_TEXT]);

/* Of an AF_INET or AF_INET6 address, for connect(). */
socklen_t address_len(const struct sockaddr_storage *addr);

#endif

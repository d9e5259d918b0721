// SPDX-License-Identifier: MIT
/*
 * service.c - the table of socket types and protocols, and its three ways through: no service, a
 * port number, a name.
 *
 * What looks odd is glibc 2.36's: a number is read by strtoul() into an int, so " 80", "+80" and
 * "65616" are port 80, and "-1" (or anything from 2^31 up) is looked up as a name; without hints a
 * number goes with the three usual socket types, a name with every row that getservbyname() knows;
 * with hints the first row that fits is the only one.
 */
#include "shim/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct row {
	int socktype;
	int protocol;
	bool any_protocol; /* takes the protocol of the hints; has no services */
	bool usual;	   /* returned where the hints name nothing */
	const char *name;  /* of the protocol, in services(5) */
};

static const struct row rows[] = {
	{SOCK_STREAM, IPPROTO_TCP, false, true, "tcp"},
	{SOCK_DGRAM, IPPROTO_UDP, false, true, "udp"},
	{SOCK_DCCP, IPPROTO_DCCP, false, false, "dccp"},
	{SOCK_DGRAM, IPPROTO_UDPLITE, false, false, "udplite"},
	{SOCK_STREAM, IPPROTO_SCTP, false, false, "sctp"},
	{SOCK_SEQPACKET, IPPROTO_SCTP, false, false, "sctp"},
	{SOCK_RAW, 0, true, true, "raw"},
};

#define NROWS (sizeof(rows) / sizeof(rows[0]))

_Static_assert(NROWS <= SERVICE_MAX, "a tuple for each row");

static const struct row *find_row(int socktype, int protocol)
{
	for (size_t i = 0; i < NROWS; i++)
		if ((!socktype || socktype == rows[i].socktype) &&
		    (!protocol || rows[i].any_protocol || protocol == rows[i].protocol))
			return &rows[i];
	return NULL;
}

static struct service_tuple tuple_of(const struct row *row, int protocol, uint16_t port_be)
{
	return (struct service_tuple){
		.socktype = row->socktype,
		.protocol = row->any_protocol ? protocol : row->protocol,
		.port_be = port_be,
	};
}

static int add_usual(uint16_t port_be, struct service_tuple ret[SERVICE_MAX])
{
	int n = 0;

	for (size_t i = 0; i < NROWS; i++)
		if (rows[i].usual)
			ret[n++] = tuple_of(&rows[i], 0, port_be);
	return n;
}

/* The port of a service name: 0, EAI_SERVICE or EAI_MEMORY. */
static int port_of(const char *name, const char *protocol, uint16_t *ret_port_be)
{
	char stack[1024];
	char *buf = stack;
	size_t size = sizeof(stack);
	struct servent entry, *found = NULL;
	int err;

	while ((err = getservbyname_r(name, protocol, &entry, buf, size, &found)) == ERANGE) {
		if (buf != stack)
			free(buf);
		size *= 2;
		buf = malloc(size);
		if (!buf)
			return EAI_MEMORY;
	}
	if (!err && found)
		*ret_port_be = (uint16_t)found->s_port;
	if (buf != stack)
		free(buf);
	return !err && found ? 0 : EAI_SERVICE;
}

/* A name without hints: every row that has it. */
static int add_named(const char *name, struct service_tuple ret[SERVICE_MAX])
{
	uint16_t port_be;
	int n = 0;

	for (size_t i = 0; i < NROWS; i++)
		if (!rows[i].any_protocol && port_of(name, rows[i].name, &port_be) == 0)
			ret[n++] = tuple_of(&rows[i], 0, port_be);
	return n ? n : EAI_SERVICE;
}

/* Is the service a number? Then its value, which is negative where glibc takes it for a name. */
static bool parse_port(const char *service, int *ret)
{
	int saved = errno;
	char *end;

	*ret = (int)strtoul(service, &end, 10);
	errno = saved;
	return !*end;
}

int service_resolve(const char *service, int socktype, int protocol, int flags,
		    struct service_tuple ret[SERVICE_MAX])
{
	const struct row *row = NULL;
	bool no_service = !service || !*service || strcmp(service, "*") == 0;
	uint16_t port_be = 0;
	int port = 0, err;

	if (!no_service && !parse_port(service, &port)) {
		if (flags & AI_NUMERICSERV)
			return EAI_NONAME;
		port = -1;
	}
	if (socktype || protocol) {
		row = find_row(socktype, protocol);
		if (!row)
			return socktype ? EAI_SOCKTYPE : EAI_SERVICE;
		if (row->any_protocol && !no_service)
			return EAI_SERVICE;
	}
	if (port < 0 && !row)
		return add_named(service, ret);
	if (port < 0) {
		err = port_of(service, row->name, &port_be);
		if (err)
			return err;
	} else {
		port_be = htons((uint16_t)port);
	}
	if (!row)
		return add_usual(port_be, ret);
	ret[0] = tuple_of(row, protocol, port_be);
	return 1;
}

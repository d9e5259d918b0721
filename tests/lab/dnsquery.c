// SPDX-License-Identifier: MIT
/*
 * dnsquery.c - one DNS query and one answer, over UDP or TCP, believed as it is.
 */
#include "dnsquery.h"
#include "dnswire.h"
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 2000

static int set_port(struct sockaddr_storage *addr, const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || port > 65535)
		return -EINVAL;
	/* The port stands at the same place in both families. */
	((struct sockaddr_in *)addr)->sin_port = htons((uint16_t)port);
	return 0;
}

int lab_parse_endpoint(const char *text, uint16_t port, struct sockaddr_storage *ret,
		       socklen_t *ret_len)
{
	struct sockaddr_storage addr = {.ss_family = AF_INET};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr;
	const char *open = *text == '[' ? text + 1 : text;
	const char *close = *text == '[' ? strchr(text, ']') : strrchr(text, ':');
	const char *port_text = "";
	char host[64];

	if (*text != '[' && (!close || strchr(text, ':') != close))
		close = text + strlen(text); /* an address alone */
	if (!close || (size_t)(close - open) >= sizeof(host))
		return -EINVAL;
	memcpy(host, open, (size_t)(close - open));
	host[close - open] = '\0';
	if (*close == ']')
		close++;
	if (*close == ':')
		port_text = close + 1;
	else if (*close)
		return -EINVAL;
	((struct sockaddr_in *)&addr)->sin_port = htons(port);
	if (*close && set_port(&addr, port_text))
		return -EINVAL;
	*ret_len = sizeof(struct sockaddr_in);
	if (inet_pton(AF_INET, host, &((struct sockaddr_in *)&addr)->sin_addr) != 1) {
		addr.ss_family = AF_INET6;
		*ret_len = sizeof(struct sockaddr_in6);
		if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
			return -EINVAL;
	}
	if (addr.ss_family == AF_INET)
		memset(((struct sockaddr_in *)&addr)->sin_zero, 0, 8);
	*ret = addr;
	return 0;
}

static int parse_data(const uint8_t *msg, size_t len, size_t pos, size_t rdlen,
		      struct lab_dns_record *ret)
{
	struct dns_name name;

	ret->data[0] = '\0';
	if (ret->type == LAB_A || ret->type == LAB_AAAA) {
		if (rdlen != (ret->type == LAB_A ? 4 : 16))
			return -EINVAL;
		inet_ntop(ret->type == LAB_A ? AF_INET : AF_INET6, msg + pos, ret->data,
			  sizeof(ret->data));
	} else if (ret->type == LAB_CNAME || ret->type == LAB_NS || ret->type == LAB_PTR) {
		if (dns_name_read(msg, len, &pos, &name))
			return -EINVAL;
		dns_name_print(&name, ret->data, sizeof(ret->data));
	} else if (ret->type == LAB_SOA && rdlen >= 4) {
		snprintf(ret->data, sizeof(ret->data), "%u", dns_get32(msg + pos + rdlen - 4));
	}
	return 0;
}

static int parse_record(const uint8_t *msg, size_t len, size_t *pos, struct lab_dns_record *ret)
{
	struct dns_name owner;
	size_t rdlen;

	if (dns_name_read(msg, len, pos, &owner) || *pos + 10 > len)
		return -EINVAL;
	dns_name_print(&owner, ret->owner, sizeof(ret->owner));
	ret->type = (uint16_t)dns_get16(msg + *pos);
	ret->ttl_s = dns_get32(msg + *pos + 4);
	rdlen = dns_get16(msg + *pos + 8);
	*pos += 10;
	if (*pos + rdlen > len || parse_data(msg, len, *pos, rdlen, ret))
		return -EINVAL;
	*pos += rdlen;
	return 0;
}

static int parse_records(const uint8_t *msg, size_t len, size_t pos, struct lab_dns_reply *ret)
{
	unsigned additional = dns_get16(msg + 10);
	struct lab_dns_record record;

	ret->nanswers = dns_get16(msg + 6);
	ret->nauthority = dns_get16(msg + 8);
	for (unsigned i = 0; i < ret->nanswers + ret->nauthority + additional; i++) {
		if (parse_record(msg, len, &pos, &record))
			return -EINVAL;
		if (i < ret->nanswers && i < LAB_DNS_MAX_RRS)
			ret->answers[i] = record;
		if (i == ret->nanswers && ret->nauthority)
			ret->authority = record;
		ret->has_opt |= record.type == LAB_OPT;
	}
	return pos == len ? 0 : -EINVAL;
}

static void parse_reply(const uint8_t *msg, size_t len, struct lab_dns_reply *ret)
{
	struct dns_name name;
	size_t pos = DNS_HEADER;

	ret->size = len;
	if (len < DNS_HEADER)
		return;
	ret->id = (uint16_t)dns_get16(msg);
	ret->flags = (uint16_t)dns_get16(msg + 2);
	ret->rcode = ret->flags & DNS_RCODE;
	ret->truncated = ret->flags & DNS_TC;
	if (dns_get16(msg + 4) == 1) {
		if (dns_name_read(msg, len, &pos, &name) || pos + 4 > len)
			return;
		dns_name_print(&name, ret->question, sizeof(ret->question));
		pos += 4;
	}
	ret->parsed = parse_records(msg, len, pos, ret) == 0;
}

static int wait_readable(int fd, unsigned long long end)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	unsigned long long now = lab_now_ns();
	int n = poll(&p, 1, now < end ? (int)((end - now) / 1000000 + 1) : 0);

	return n > 0 ? 0 : n < 0 ? -errno : -ETIMEDOUT;
}

/* UDP: unconnected, so that an answer from any port is taken. */
static ssize_t exchange_udp(int fd, const struct dns_packet *query,
			    const struct sockaddr_storage *addr, socklen_t addr_len,
			    unsigned long long end, uint8_t *buf, struct lab_dns_reply *ret)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t n;
	int rc;

	if (sendto(fd, query->buf, query->len, 0, (const struct sockaddr *)addr, addr_len) < 0)
		return -errno;
	rc = wait_readable(fd, end);
	if (rc)
		return rc;
	n = recvfrom(fd, buf, DNS_MAX_MESSAGE, 0, (struct sockaddr *)&from, &from_len);
	if (n < 0)
		return -errno;
	ret->source_port = ntohs(((struct sockaddr_in *)&from)->sin_port);
	return n;
}

static int read_exactly(int fd, uint8_t *buf, size_t len, unsigned long long end)
{
	while (len > 0) {
		int rc = wait_readable(fd, end);
		ssize_t n = rc ? 0 : recv(fd, buf, len, 0);

		if (rc)
			return rc;
		if (n <= 0)
			return n ? -errno : -EPIPE;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static ssize_t exchange_tcp(int fd, const struct dns_packet *query,
			    const struct sockaddr_storage *addr, socklen_t addr_len,
			    unsigned long long end, uint8_t *buf)
{
	uint8_t framed[2 + 1024];
	int rc;

	dns_put16(framed, (unsigned)query->len);
	memcpy(framed + 2, query->buf, query->len);
	if (connect(fd, (const struct sockaddr *)addr, addr_len) ||
	    send(fd, framed, 2 + query->len, MSG_NOSIGNAL) < 0)
		return -errno;
	rc = read_exactly(fd, framed, 2, end);
	if (!rc)
		rc = read_exactly(fd, buf, dns_get16(framed), end);
	return rc ? rc : (ssize_t)dns_get16(framed);
}

int lab_dns_ask(const struct lab_dns_question *q, struct lab_dns_reply *ret)
{
	static struct dns_packet query;
	static uint8_t buf[DNS_MAX_MESSAGE];
	bool tcp = q->transport == LAB_TCP;
	unsigned long long start = lab_now_ns();
	unsigned long long end =
		start + (q->timeout_ms ? q->timeout_ms : DEFAULT_TIMEOUT_MS) * 1000000ULL;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	struct dns_name name;
	ssize_t n;
	int fd;

	memset(ret, 0, sizeof(*ret));
	if (lab_parse_endpoint(q->server, 53, &addr, &addr_len) || dns_name_parse(q->name, &name))
		return -EINVAL;
	ret->sent_id = (uint16_t)(start >> 4);
	dns_packet_start(&query, ret->sent_id, DNS_RD);
	dns_packet_question(&query, &name, q->type);
	if (q->edns_size)
		dns_packet_opt(&query, q->edns_size);
	fd = socket(addr.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	n = tcp ? exchange_tcp(fd, &query, &addr, addr_len, end, buf)
		: exchange_udp(fd, &query, &addr, addr_len, end, buf, ret);
	close(fd);
	ret->elapsed_ns = lab_now_ns() - start;
	if (n < 0)
		return (int)n;
	parse_reply(buf, (size_t)n, ret);
	return 0;
}

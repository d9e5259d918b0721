// SPDX-License-Identifier: MIT
/*
 * pcap.c - captures: written by the forwarder's process, searched by the test.
 */
#include "pcap.h"
#include "packet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC_NS     0xa1b23c4du /* nanosecond times, in the writer's byte order */
#define LINKTYPE_RAW 101

struct file_header {
	uint32_t magic;
	uint16_t major;
	uint16_t minor;
	int32_t zone;
	uint32_t accuracy;
	uint32_t snaplen;
	uint32_t linktype;
};

struct record_header {
	uint32_t sec;
	uint32_t nsec;
	uint32_t captured;
	uint32_t length;
};

int lab_pcap_create(const char *path)
{
	const struct file_header header = {
		.magic = MAGIC_NS,
		.major = 2,
		.minor = 4,
		.snaplen = PACKET_MAX,
		.linktype = LINKTYPE_RAW,
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, &header, sizeof(header)) != sizeof(header))
		return -errno;
	return fd;
}

void lab_pcap_write(int fd, uint64_t at_ns, const uint8_t *data, size_t len)
{
	struct record_header header = {
		.sec = (uint32_t)(at_ns / 1000000000),
		.nsec = (uint32_t)(at_ns % 1000000000),
		.captured = (uint32_t)len,
		.length = (uint32_t)len,
	};
	const struct iovec iov[2] = {{&header, sizeof(header)}, {(void *)data, len}};

	if (writev(fd, iov, 2) < 0)
		lab_fail("capture: %s", strerror(errno));
}

/* The file does not say which way a packet went; its target does. */
static enum lab_direction direction_of(const struct lab_packet *p)
{
	static const struct lab_match nets[2] = {{.remote = LAB_NEAR_V4 "/24"},
						 {.remote = LAB_NEAR_V6 "/64"}};
	struct lab_packet_match near;

	for (int i = 0; i < 2; i++)
		if (lab_packet_match_compile(&nets[i], &near) == 0 &&
		    lab_packet_matches(&near, p, LAB_OUT))
			return LAB_IN;
	return LAB_OUT;
}

int lab_pcap_walk(const char *path, const struct lab_match *match, lab_pcap_seen seen, void *arg)
{
	static uint8_t data[PACKET_MAX];
	struct lab_packet_match compiled;
	struct record_header record;
	struct file_header header;
	struct lab_packet p;
	FILE *f = fopen(path, "re");
	bool go_on = true;

	if (!f)
		return -errno;
	if (fread(&header, sizeof(header), 1, f) != 1 || header.magic != MAGIC_NS ||
	    lab_packet_match_compile(match, &compiled)) {
		fclose(f);
		return -EINVAL;
	}
	while (go_on && fread(&record, sizeof(record), 1, f) == 1 &&
	       record.captured <= sizeof(data) &&
	       fread(data, 1, record.captured, f) == record.captured) {
		if (lab_packet_parse(data, record.captured, &p) ||
		    !lab_packet_matches(&compiled, &p, direction_of(&p)))
			continue;
		go_on = seen(arg, &p, record.sec * 1000000000LL + record.nsec);
	}
	fclose(f);
	return 0;
}

static bool count_packet(void *arg, const struct lab_packet *p, long long at_ns)
{
	(void)p;
	(void)at_ns;
	++*(long *)arg;
	return true;
}

long lab_capture_count(const char *path, const struct lab_match *match)
{
	long n = 0;
	int rc = lab_pcap_walk(path, match, count_packet, &n);

	return rc ? rc : n;
}

struct wanted_time {
	unsigned left; /* packets before it */
	long long at_ns;
};

static bool find_time(void *arg, const struct lab_packet *p, long long at_ns)
{
	struct wanted_time *wanted = arg;

	(void)p;
	if (wanted->left-- > 0)
		return true;
	wanted->at_ns = at_ns;
	return false;
}

long long lab_capture_time_ns(const char *path, const struct lab_match *match, unsigned i)
{
	struct wanted_time wanted = {.left = i, .at_ns = -ENOENT};
	int rc = lab_pcap_walk(path, match, find_time, &wanted);

	return rc ? rc : wanted.at_ns;
}

struct search {
	const void *octets;
	size_t len;
	long n;
};

static bool search_packet(void *arg, const struct lab_packet *p, long long at_ns)
{
	struct search *search = arg;

	(void)at_ns;
	search->n += memmem(p->data, p->len, search->octets, search->len) != NULL;
	return true;
}

long lab_capture_search(const char *path, const void *octets, size_t len)
{
	struct search search = {.octets = octets, .len = len};
	int rc = lab_pcap_walk(path, &(struct lab_match){0}, search_packet, &search);

	return rc ? rc : search.n;
}

/* Octets behind the TCP header; 0 for what is not TCP. */
static size_t tcp_octets(const struct lab_packet *p)
{
	size_t header;

	if (p->protocol != IPPROTO_TCP || !p->payload || p->payload_len < 20)
		return 0;
	header = (size_t)(p->payload[12] >> 4) * 4;
	return p->payload_len > header ? p->payload_len - header : 0;
}

static bool add_octets(void *arg, const struct lab_packet *p, long long at_ns)
{
	(void)at_ns;
	*(long *)arg += (long)tcp_octets(p);
	return true;
}

long lab_capture_octets(const char *path, const struct lab_match *match)
{
	long n = 0;
	int rc = lab_pcap_walk(path, match, add_octets, &n);

	return rc ? rc : n;
}

struct flights {
	enum lab_direction last; /* who spoke last; LAB_BOTH: nobody yet */
	long n;
};

static bool count_flight(void *arg, const struct lab_packet *p, long long at_ns)
{
	struct flights *flights = arg;
	enum lab_direction direction = direction_of(p);

	(void)at_ns;
	if (p->protocol != IPPROTO_TCP || (!(p->tcp_flags & PACKET_SYN) && tcp_octets(p) == 0))
		return true;
	flights->n += direction == LAB_OUT && flights->last != LAB_OUT;
	flights->last = direction;
	return true;
}

long lab_capture_flights(const char *path, const struct lab_match *match)
{
	struct flights flights = {.last = LAB_BOTH};
	int rc = lab_pcap_walk(path, match, count_flight, &flights);

	return rc ? rc : flights.n;
}

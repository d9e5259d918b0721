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

/*
 * Walks the capture. Returns the number of matching packets before `stop_at` of them were seen;
 * `ret_at_ns` is the time of the last one counted.
 */
static long walk(const char *path, const struct lab_match *match, long stop_at,
		 long long *ret_at_ns)
{
	static uint8_t data[PACKET_MAX];
	struct lab_packet_match compiled;
	struct record_header record;
	struct file_header header;
	struct lab_packet p;
	FILE *f = fopen(path, "re");
	long n = 0;

	if (!f)
		return -errno;
	if (fread(&header, sizeof(header), 1, f) != 1 || header.magic != MAGIC_NS ||
	    lab_packet_match_compile(match, &compiled)) {
		fclose(f);
		return -EINVAL;
	}
	while (n < stop_at && fread(&record, sizeof(record), 1, f) == 1 &&
	       record.captured <= sizeof(data) &&
	       fread(data, 1, record.captured, f) == record.captured) {
		if (lab_packet_parse(data, record.captured, &p) ||
		    !lab_packet_matches(&compiled, &p, direction_of(&p)))
			continue;
		*ret_at_ns = record.sec * 1000000000LL + record.nsec;
		n++;
	}
	fclose(f);
	return n;
}

long lab_capture_count(const char *path, const struct lab_match *match)
{
	long long at_ns;

	return walk(path, match, __LONG_MAX__, &at_ns);
}

long long lab_capture_time_ns(const char *path, const struct lab_match *match, unsigned i)
{
	long long at_ns = 0;
	long n = walk(path, match, (long)i + 1, &at_ns);

	if (n < 0)
		return n;
	return n == (long)i + 1 ? at_ns : -ENOENT;
}

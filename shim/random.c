// SPDX-License-Identifier: MIT
/*
 * random.c - see random.h.
 */
#include "shim/random.h"

#include "shim/clock.h"
#include "shim/sys.h"

#include <linux/random.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

/* Bytes written; fewer than `len` where the kernel will not give them without waiting. */
static size_t from_getrandom(unsigned char *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = sys_getrandom(buf + done, len - done, GRND_NONBLOCK);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static size_t from_urandom(unsigned char *buf, size_t len)
{
	int fd = sys_open("/dev/urandom", O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	size_t done = 0;

	if (fd < 0)
		return 0;
	while (done < len) {
		ssize_t n = sys_read(fd, buf + done, len - done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	(void)sys_close(fd);
	return done;
}

/* The finalizer of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014),
 * as adjusted by Stafford ("mix13"). */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* The last resort. AT_RANDOM: 16 bytes from the kernel, the same for the life of the process. */
static void from_process(unsigned char *buf, size_t len)
{
	static _Atomic uint64_t counter;
	const void *at_random = (const void *)getauxval(AT_RANDOM);
	uint64_t seed[2] = {0};

	if (at_random)
		memcpy(seed, at_random, sizeof(seed));
	seed[0] ^= clock_boot_ns();
	seed[1] ^= (uint64_t)sys_gettid() << 32 ^ (uint64_t)(uintptr_t)&len;
	while (len > 0) {
		uint64_t n = atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
		uint64_t word = mix(seed[0] ^ mix(seed[1] ^ mix(n + 1)));
		size_t chunk = len < sizeof(word) ? len : sizeof(word);

		memcpy(buf, &word, chunk);
		buf += chunk;
		len -= chunk;
	}
}

void random_bytes(void *buf, size_t len)
{
	unsigned char *p = buf;
	size_t done = from_getrandom(p, len);

	if (done < len)
		done += from_urandom(p + done, len - done);
	if (done < len)
		from_process(p + done, len - done);
}

// SPDX-License-Identifier: MIT
/*
 * random_file.c - c-ares's fopen("/dev/urandom"), without a file.
 *
 * ares_init_options() in 1.18 opens /dev/urandom to seed its own query ids (ours come from the
 * host). Channels are made whenever one is needed, in a program that may be closing or counting its
 * descriptors at that moment: one that appears at a low number could be closed by the program, and
 * its number, reused, then be closed by c-ares. A failing fopen() would not do either: c-ares falls
 * back on rand(), and the program would see another sequence of its random numbers. A short read is
 * a failure too, so the file is always full; and it never waits for the kernel's pool.
 *
 * libnoblockdns-resolver.so is linked with --wrap=fopen, so that the static c-ares comes here;
 * where c-ares is a shared library, or the option is missing, this is never called. Any thread.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SEED_LEN 64 /* c-ares reads 31 bytes; to it, more is the end of the file */

FILE *__wrap_fopen(const char *path, const char *mode);

static FILE *open_random(void)
{
	unsigned char seed[SEED_LEN] = {0};
	FILE *file = fmemopen(NULL, sizeof(seed), "w+");

	if (file) {
		/* Before the pool is ready it gives nothing, and zeros must do. */
		(void)!getrandom(seed, sizeof(seed), GRND_NONBLOCK);
		fwrite(seed, 1, sizeof(seed), file);
		rewind(file);
	}
	return file;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	if (!strcmp(path, "/dev/urandom"))
		return open_random();
	return fopen64(path, mode); /* libc's, under its other name */
}

// SPDX-License-Identifier: MIT
/*
 * random_file.c - c-ares's fopen("/dev/urandom"), without a file.
 *
 * ares_init_options() in 1.18 opens /dev/urandom to seed its own query ids (ours come from the
 * host). Channels are made whenever one is needed, in a program that may be closing or counting its
 * descriptors at that moment: one that appears at a low number could be closed by the program, and
 * its number, reused, then be closed by c-ares. A failing fopen() would not do either: c-ares falls
 * back on rand(), and the program would see another sequence of its random numbers.
 *
 * libnoblockdns-resolver.so is linked with --wrap=fopen, so that the static c-ares comes here;
 * where c-ares is a shared library, or the option is missing, this is never called. Any thread.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

FILE *__wrap_fopen(const char *path, const char *mode);

static ssize_t read_random(void *cookie, char *buf, size_t size)
{
	(void)cookie;
	return getrandom(buf, size, 0);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	if (!strcmp(path, "/dev/urandom"))
		return fopencookie(NULL, "r", (cookie_io_functions_t){.read = read_random});
	return fopen64(path, mode); /* libc's, under its other name */
}

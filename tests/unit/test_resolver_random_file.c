// SPDX-License-Identifier: MIT
/*
 * test_resolver_random_file.c - c-ares's file of random numbers takes no descriptor.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

FILE *__wrap_fopen(const char *path, const char *mode);

Test(random_file, is_no_descriptor)
{
	unsigned char zero[31] = {0}, bytes[31] = {0};
	FILE *f = __wrap_fopen("/dev/urandom", "rb");

	cr_assert_not_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	cr_assert_eq(fileno(f), -1);
	cr_assert_eq(fread(bytes, 1, sizeof(bytes), f), sizeof(bytes));
	cr_assert_neq(memcmp(bytes, zero, sizeof(bytes)), 0);
	fclose(f);
}

Test(random_file, other_files_are_opened_as_usual)
{
	FILE *f = __wrap_fopen("/proc/self/stat", "r");

	cr_assert_not_null(f);
	cr_assert_geq(fileno(f), 0);
	fclose(f);
	cr_assert_null(__wrap_fopen("/nonexistent/file", "r"));
}

// SPDX-License-Identifier: MIT
/*
 * test_host_alias.c - lookups in a HOSTALIASES file, compared with what the C library finds in it.
 */
#include "shim/host_alias.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/host_alias.XXXXXX";

static void write_file(const char *text, size_t len)
{
	int fd = mkstemp(strcpy(path, "/tmp/host_alias.XXXXXX"));

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static const char *lookup(const char *name, char *buf)
{
	int err = host_alias_lookup(path, name, buf);

	cr_assert(err == 0 || err == -ENOENT);
	return err ? NULL : buf;
}

static void remove_file(void)
{
	unlink(path);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* the one function to compare with */
static const char *libc_lookup(const char *name, char *buf)
{
	return res_hostalias(&_res, name, buf, HOST_ALIAS_MAX);
}
#pragma GCC diagnostic pop

Test(host_alias, equals_libc, .fini = remove_file)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"a x.example\nb y.example\n",
		"a x.example",
		"a x.example rest # c\n",
		"a\tx.example\r\n",
		" a x.example\nb y\n",
		"a\nb y\n",
		"c\na x\n",
		"a \nb y\n",
		"A. x\n",
		"b y\na",
		"# a x\na y\na z\n",
		"a a\n",
		"lonely\0a x\na y\n",
	};
	static const char *const names[] = {"a", "A", "b", "c", "#", "nosuch", "lonely"};
	char got[HOST_ALIAS_MAX], want[HOST_ALIAS_MAX];

	cr_assert_eq(res_init(), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(texts[i], strlen(texts[i]));
		setenv("HOSTALIASES", path, 1);
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			const char *w = libc_lookup(names[j], want);
			const char *g = lookup(names[j], got);

			cr_expect_eq(!g, !w, "text %zu, %s: got %s, want %s", i, names[j],
				     g ? g : "none", w ? w : "none");
			if (g && w)
				cr_expect_str_eq(g, w, "text %zu, %s", i, names[j]);
		}
		remove_file();
	}
}

Test(host_alias, no_file)
{
	char got[HOST_ALIAS_MAX];

	cr_expect_eq(host_alias_lookup("/nonexistent/aliases", "a", got), -ENOENT);
	cr_expect_eq(host_alias_lookup("/", "a", got), -ENOENT);
}

Test(host_alias, fifo_is_no_file_and_not_waited_for, .fini = remove_file, .timeout = 20)
{
	char got[HOST_ALIAS_MAX];
	int fd;

	write_file("", 0);
	remove_file();
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(host_alias_lookup(path, "a", got), -ENOENT, "without a writer");
	fd = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_expect_eq(host_alias_lookup(path, "a", got), -ENOENT, "with a silent writer");
	close(fd);
}

Test(host_alias, long_alias_is_cut, .fini = remove_file)
{
	char text[4000] = "a ", got[HOST_ALIAS_MAX];

	memset(text + 2, 'x', sizeof(text) - 2);
	write_file(text, sizeof(text));
	cr_assert_eq(host_alias_lookup(path, "a", got), 0);
	cr_expect_eq(strlen(got), HOST_ALIAS_MAX - 1u);
}

Test(host_alias, large_file_is_read_to_its_limit, .fini = remove_file)
{
	static char text[200000];
	char got[HOST_ALIAS_MAX];

	memset(text, '\n', sizeof(text));
	memcpy(text + 60000, "near x\n", 7);
	memcpy(text + 150000, "far y\n", 6);
	write_file(text, sizeof(text));
	cr_expect_eq(host_alias_lookup(path, "near", got), 0);
	cr_expect_eq(host_alias_lookup(path, "far", got), -ENOENT);
}

// SPDX-License-Identifier: MIT
/*
 * test_random.c - every byte is filled, with getrandom and without.
 */
#include "shim/random.h"

#include "shim/sys.h"

#include <criterion/criterion.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>

/* A byte that is the same in 64 draws was not filled: 2^-504 by chance. */
static void all_bytes_vary(void)
{
	unsigned char first[61], draw[61];
	bool varies[61] = {false};

	random_bytes(first, sizeof(first));
	for (int i = 0; i < 64; i++) {
		random_bytes(draw, sizeof(draw));
		for (size_t k = 0; k < sizeof(draw); k++)
			varies[k] |= draw[k] != first[k];
	}
	for (size_t k = 0; k < sizeof(draw); k++)
		cr_assert(varies[k], "byte %zu", k);
}

Test(random, every_byte_varies)
{
	all_bytes_vary();
}

Test(random, errno_is_kept)
{
	char byte;

	errno = 4711;
	random_bytes(&byte, 1);
	cr_assert_eq(errno, 4711);
}

/* From here on system call `nr` fails with EPERM in this process. */
static void forbid(unsigned nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

Test(random, urandom_serves_where_getrandom_is_forbidden)
{
	forbid(SYS_getrandom);
	all_bytes_vary();
}

Test(random, process_serves_where_files_are_forbidden_too)
{
	forbid(SYS_getrandom);
	forbid(SYS_openat);
	all_bytes_vary();
}

// SPDX-License-Identifier: MIT
/*
 * exports.c - the symbols that the library puts in front of libc's, and its constructor.
 *
 * The definitions have C names of their own and take the exported name as assembler label, so that
 * the attributes, fortified inlines and the `...` of libc's headers do not meet them. Each is one
 * jump. fcntl and its twins are variadic in libc and are not here: in the ABIs of x86-64 and
 * AArch64 the third argument travels in the same register either way (and a caller that passed none
 * leaves there what libc's function would read, too). Those with lists of arguments are.
 *
 * Not linked into the unit tests, where it would put the shim under the test framework.
 */
#include "shim/hooks.h"
#include "shim/init.h"

#define HOOK(name, type, params, args)                                                             \
	__attribute__((visibility("default"))) type exported_##name params __asm__(#name);         \
	type exported_##name params                                                                \
	{                                                                                          \
		return nbd_##name args;                                                            \
	}
#define HOOK_LIST(name)                                                                            \
	__attribute__((visibility("default"))) int exported_##name(                                \
		const char *file, const char *arg, ...) __asm__(#name);                            \
	int exported_##name(const char *file, const char *arg, ...)                                \
	{                                                                                          \
		va_list list;                                                                      \
		int ret;                                                                           \
                                                                                                   \
		va_start(list, arg);                                                               \
		ret = nbd_##name(file, arg, list);                                                 \
		va_end(list);                                                                      \
		return ret;                                                                        \
	}
#include "shim/hooks.def"
#undef HOOK

__attribute__((constructor)) static void constructor(void)
{
	init_library();
}

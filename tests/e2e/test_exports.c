// SPDX-License-Identifier: MIT
/*
 * test_exports.c - the two libraries as the loader sees them: symbols, needs, hardening, size; and
 * whether libc has another name for a function that we hook.
 *
 * Reads them with nm and readelf, which come with the compiler.
 */
#include "resolver/resolver.h"
#include "tests/lab/proc.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHIM_BYTES_MAX (200 << 10)

#define HOOK(name, type, params, args) #name,
#define HOOK_LIST(name)		       #name,
static const char *const hooks[] = {
#include "shim/hooks.def"
};
#undef HOOK

#define NHOOKS (sizeof(hooks) / sizeof(hooks[0]))

static bool is_hooked(const char *name)
{
	for (size_t i = 0; i < NHOOKS; i++) {
		if (strcmp(hooks[i], name) == 0)
			return true;
	}
	return false;
}

/* Output of a shell command in which $F is `path`, NUL-terminated. Caller frees. */
static char *output_of(const char *script, const char *path)
{
	char command[PATH_MAX + 256], *text = NULL;
	size_t len = 0, n;
	FILE *in, *out = open_memstream(&text, &len);
	char block[4096];

	snprintf(command, sizeof(command), "F='%s'; %s", path, script);
	in = popen(command, "r");
	cr_assert_not_null(in);
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		fwrite(block, 1, n, out);
	cr_assert_eq(pclose(in), 0, "%s", command);
	fclose(out);
	return text;
}

static const char *library(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", lab_build_dir(), name);
	return path;
}

#define SHIM	 library("libnoblockdns.so")
#define RESOLVER library("libnoblockdns-resolver.so")

static void skip_if_sanitized(void)
{
	if (getenv("NBD_SANITIZER"))
		cr_skip_test("a sanitizer build is linked and hardened otherwise");
}

/*
 * Symbols -----------------------------------------------------------------------------------------
 */

static void must_export(const char *path, const char *const *names, size_t n)
{
	char *text = output_of("nm -D --defined-only $F | sed 's/.* //; s/@.*//' | sort", path);
	size_t lines = 0;

	for (size_t i = 0; i < n; i++) {
		char line[64], start[66];

		snprintf(line, sizeof(line), "%s\n", names[i]);
		snprintf(start, sizeof(start), "\n%s", line);
		cr_expect(strncmp(text, line, strlen(line)) == 0 || strstr(text, start),
			  "%s does not export %s", path, names[i]);
	}
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	cr_assert_eq(lines, n, "%s exports %zu symbols, not %zu:\n%s", path, lines, n, text);
	free(text);
}

Test(exports, shim_exports_the_hooks_and_nothing_else)
{
	must_export(SHIM, hooks, NHOOKS);
}

Test(exports, resolver_exports_one_symbol)
{
	static const char *const names[] = {"noblockdns_resolver"};

	must_export(RESOLVER, names, 1);
}

/* Another public name of a hooked function is a way around the hook. Meant, with the reason: */
static const struct {
	const char *name, *reason;
} not_hooked[] = {
	{"__libc_fcntl64", "GLIBC_PRIVATE: for libc's own libraries, which do not meet ours"},
	{"__close_nocancel", "GLIBC_PRIVATE: for libc's own libraries"},
	{"__sendmmsg", "GLIBC_PRIVATE: for libresolv, which passes no descriptors"},
};

static bool is_meant(const char *name)
{
	for (size_t i = 0; i < sizeof(not_hooked) / sizeof(not_hooked[0]); i++) {
		if (strcmp(not_hooked[i].name, name) == 0)
			return true;
	}
	return false;
}

/* One line of nm: address, and name without version. */
static bool parse_symbol(const char *line, unsigned long *ret_at, char ret_name[128])
{
	char type;

	if (sscanf(line, "%lx %c %127[^@\n]", ret_at, &type, ret_name) != 3)
		return false;
	return strchr("TtWwVvi", type) != NULL;
}

/* Every other name that `text`, nm's output, has for the address of `hook`. */
static void expect_no_twin(const char *path, const char *text, const char *hook)
{
	unsigned long at, found[8];
	char name[128];
	size_t n = 0;

	for (const char *l = text; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
		if (parse_symbol(l, &at, name) && strcmp(name, hook) == 0 && n < 8)
			found[n++] = at;
	}
	for (const char *l = text; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
		if (!parse_symbol(l, &at, name))
			continue;
		for (size_t i = 0; i < n; i++)
			cr_expect(at != found[i] || is_hooked(name) || is_meant(name),
				  "%s: %s is %s by another name, and not hooked", path, name, hook);
	}
}

static const char *path_of(const char *soname)
{
	static char path[PATH_MAX];
	void *handle = dlopen(soname, RTLD_LAZY);
	struct link_map *map = NULL;

	if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
		return NULL;
	snprintf(path, sizeof(path), "%s", map->l_name);
	return path;
}

Test(exports, no_function_that_we_hook_has_another_name_in_libc)
{
	static const char *const sonames[] = {"libc.so.6", "libpthread.so.0", "libanl.so.1",
					      "libresolv.so.2", "librt.so.1"};

	for (size_t i = 0; i < sizeof(sonames) / sizeof(sonames[0]); i++) {
		const char *path = path_of(sonames[i]);
		char *text = path ? output_of("nm -D --defined-only $F", path) : NULL;

		cr_expect(i > 0 || text, "no libc");
		for (size_t k = 0; text && k < NHOOKS; k++)
			expect_no_twin(path, text, hooks[k]);
		free(text);
	}
}

/* Names by libc's habits: another body may do the same job under them (fortified, 64-bit, inner).
 */
Test(exports, no_variant_of_a_hooked_name_is_forgotten)
{
	static const struct {
		const char *before, *after;
	} habits[] = {{"__", ""},   {"__", "_chk"},	 {"__libc_", ""},  {"", "64"},
		      {"__", "64"}, {"__", "_nocancel"}, {"__", "_time64"}};

	for (size_t i = 0; i < NHOOKS; i++) {
		for (size_t k = 0; k < sizeof(habits) / sizeof(habits[0]); k++) {
			char name[128];

			snprintf(name, sizeof(name), "%s%s%s", habits[k].before, hooks[i],
				 habits[k].after);
			cr_expect(!dlsym(RTLD_DEFAULT, name) || is_hooked(name) || is_meant(name),
				  "libc has %s, and it is not hooked", name);
		}
	}
}

/*
 * Linking -----------------------------------------------------------------------------------------
 */

static void must_need(const char *path, const char *wanted)
{
	char *text = output_of(
		"readelf -dW $F | sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\]/\\1/p' | sort", path);

	cr_assert_str_eq(text, wanted);
	free(text);
}

Test(exports, shim_needs_libc_alone, .init = skip_if_sanitized)
{
	must_need(SHIM, "libc.so.6\n");
}

/* libresolv is libc's own. */
Test(exports, resolver_needs_libc_alone, .init = skip_if_sanitized)
{
	char *text = output_of("readelf -dW $F", RESOLVER);
	bool shared = strstr(text, "libcares") != NULL;

	free(text);
	if (shared)
		cr_skip_test("built with STATIC=0");
	must_need(RESOLVER, "libc.so.6\nlibresolv.so.2\n");
}

/* They change with each version of it. */
Test(exports, no_private_symbol_of_libc_is_bound)
{
	static const char *const names[] = {"libnoblockdns.so", "libnoblockdns-resolver.so",
					    "noblockdns"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *text = output_of("nm -D --undefined-only $F", library(names[i]));

		cr_assert(strstr(text, "@GLIBC_2"), "%s: no symbol of libc at all", names[i]);
		cr_expect_null(strstr(text, "@GLIBC_PRIVATE"), "%s:\n%s", names[i], text);
		free(text);
	}
}

/* `script` prints something exactly if the property holds. */
static const struct {
	const char *name, *script;
	bool wanted;
} properties[] = {
	{"RELRO", "readelf -lW $F | grep GNU_RELRO || :", true},
	{"BIND_NOW", "readelf -dW $F | grep -E 'BIND_NOW|FLAGS_1.*NOW' || :", true},
	{"a stack that is not executable", "readelf -lW $F | grep 'GNU_STACK.* RW ' || :", true},
	{"the stack protector", "nm -D $F | grep __stack_chk_fail || :", true},
	{"fortified calls",
	 "nm -D $F | grep '_chk@\\|_chk$' | grep -v __stack_chk_fail || :", true},
	{"a mark against unloading", "readelf -dW $F | grep 'FLAGS_1.*NODELETE' || :", true},
	{"text relocations", "readelf -dW $F | grep TEXTREL || :", false},
	{"a search path", "readelf -dW $F | grep -E 'RPATH|RUNPATH' || :", false},
	{"a segment that is writable and executable",
	 "readelf -lW $F | grep 'LOAD.* RWE ' || :", false},
};

static void must_be_hardened(const char *path)
{
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		char *text = output_of(properties[i].script, path);

		cr_expect_eq(*text != '\0', properties[i].wanted, "%s: %s %s", path,
			     properties[i].wanted ? "lacks" : "has", properties[i].name);
		free(text);
	}
}

Test(exports, shim_is_hardened, .init = skip_if_sanitized)
{
	must_be_hardened(SHIM);
}

Test(exports, resolver_is_hardened, .init = skip_if_sanitized)
{
	must_be_hardened(RESOLVER);
}

Test(exports, shim_is_small, .init = skip_if_sanitized)
{
	struct stat st;

	cr_assert_eq(stat(SHIM, &st), 0);
	cr_assert_leq(st.st_size, SHIM_BYTES_MAX, "%lld bytes", (long long)st.st_size);
}

#ifdef __x86_64__
/*
 * CET, indirect branch tracking: whatever is called through a pointer begins with ENDBR64. The mark
 * of the whole file depends on the distribution's crti.o, so the functions are looked at instead.
 */
static bool begins_with_endbr64(const void *function)
{
	static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

	return memcmp(function, endbr64, sizeof(endbr64)) == 0;
}

Test(exports, shim_marks_its_branch_targets, .init = skip_if_sanitized)
{
	void *handle = dlopen(SHIM, RTLD_NOW | RTLD_LOCAL);

	cr_assert_not_null(handle, "%s", dlerror());
	for (size_t i = 0; i < NHOOKS; i++)
		cr_expect(begins_with_endbr64(dlsym(handle, hooks[i])), "%s", hooks[i]);
}

Test(exports, resolver_marks_its_branch_targets, .init = skip_if_sanitized)
{
	void *handle = dlopen(RESOLVER, RTLD_NOW | RTLD_LOCAL);
	const struct resolver_ops *ops;

	cr_assert_not_null(handle, "%s", dlerror());
	ops = dlsym(handle, "noblockdns_resolver");
	cr_assert(begins_with_endbr64((const void *)ops->open));
	cr_assert(begins_with_endbr64((const void *)ops->query));
	cr_assert(begins_with_endbr64((const void *)ops->ready));
}
#endif

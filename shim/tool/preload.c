// SPDX-License-Identifier: MIT
/* preload.c - see preload.h. ld.so(8) separates by spaces and colons. */
#include "shim/tool/preload.h"

#include "shim/tool/say.h"
#include "shim/tool/verb.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define LIBRARY	   "libnoblockdns.so"
#define SEPARATORS ": "

/* The compiler's name for this architecture's folder, where it has one (Debian). */
#ifndef TOOL_MULTIARCH
#define TOOL_MULTIARCH ""
#endif

static const char *const folders[] = {".", ("../lib/" TOOL_MULTIARCH), "../lib64", "../lib",
				      "../lib/noblockdns"};

/* The folder of this program, without a slash at the end. Without /proc, as it was started. */
static int own_folder(char ret[PATH_MAX])
{
	const char *started = (const char *)getauxval(AT_EXECFN);
	char *slash;

	if (realpath("/proc/self/exe", ret) == NULL &&
	    (started == NULL || realpath(started, ret) == NULL))
		return -errno;
	slash = strrchr(ret, '/');
	if (slash == NULL)
		return -ENOENT;
	*slash = '\0';
	return 0;
}

int preload_find(char ret[PATH_MAX])
{
	char folder[PATH_MAX], path[PATH_MAX], real[PATH_MAX];
	int r = own_folder(folder);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int n = snprintf(path, sizeof(path), "%s/%s/" LIBRARY, folder, folders[i]);

		if (n >= PATH_MAX)
			return -ENAMETOOLONG;
		if (realpath(path, real) != NULL) {
			memcpy(ret, real, sizeof(real));
			return 0;
		}
	}
	return -ENOENT;
}

static bool is_ours(const char *word, size_t len)
{
	const char *slash = memrchr(word, '/', len);
	const char *base = slash ? slash + 1 : word;
	size_t base_len = len - (size_t)(base - word);

	return base_len == strlen(LIBRARY) && memcmp(base, LIBRARY, base_len) == 0;
}

char *preload_value(const char *old, const char *library)
{
	const char *p = old ? old : "";
	char *value = malloc(strlen(p) + 1 + strlen(library) + 1), *end = value;

	if (value == NULL)
		return NULL;
	for (size_t len; *(p += strspn(p, SEPARATORS)); p += len) {
		len = strcspn(p, SEPARATORS);
		if (is_ours(p, len))
			continue;
		memcpy(end, p, len);
		end += len;
		*end++ = ':';
	}
	memcpy(end, library, strlen(library) + 1);
	return value;
}

int preload_install(const char *verb)
{
	char library[PATH_MAX];
	char *value;
	int r = preload_find(library);

	if (r < 0)
		return say_trouble("%s: cannot find libnoblockdns.so beside this command: %s", verb,
				   strerror(-r));
	if (strpbrk(library, " :\t\n"))
		return say_trouble("%s: LD_PRELOAD cannot name \"%s\": a space or colon is in it",
				   verb, library);
	value = preload_value(getenv("LD_PRELOAD"), library);
	r = value && setenv("LD_PRELOAD", value, 1) == 0;
	free(value);
	return r ? TOOL_FINE : say_trouble("%s: no memory", verb);
}

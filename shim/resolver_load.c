// SPDX-License-Identifier: MIT
/* resolver_load.c - see resolver_load.h. */
#include "shim/resolver_load.h"

#include "shim/log.h"
#include "shim/self_path.h"
#include "shim/settings.h"
#include "shim/sys.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define LIBRARY "libnoblockdns-resolver.so"

/* Built with a shared c-ares and OpenSSL, the library must not meet the program's own copies. */
#ifdef RESOLVER_SHARED
#define LOOK_INSIDE_FIRST RTLD_DEEPBIND
#else
#define LOOK_INSIDE_FIRST 0
#endif

/* The path of the library beside this one. */
static int sibling_path(char ret[PATH_MAX])
{
	int r = self_path(ret);
	char *slash;

	if (r < 0)
		return r;
	slash = strrchr(ret, '/');
	if (slash == NULL)
		return -ENOENT;
	if (slash + 1 + sizeof LIBRARY > ret + PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(slash + 1, LIBRARY, sizeof LIBRARY);
	return 0;
}

static bool is_there(const char *path)
{
	int fd = sys_open(path, O_PATH | O_CLOEXEC, 0);

	if (fd >= 0)
		sys_close(fd);
	return fd != -ENOENT;
}

/* What becomes of lookups then. */
static const char *fate(void)
{
	return settings_libc_may() ? "left to libc" : "refused, as libc asks in clear text";
}

/* A library that is missing beside this one is a mistake of the installation, and for good. Where
 * both are out of sight (chroot), or both are there (no memory, no permission), nobody is to blame;
 * and it may be loaded next time. */
static int explain(const char *path, const char *why)
{
	char self[PATH_MAX];

	if (!is_there(path) && self_path(self) == 0 && is_there(self)) {
		log_error("cannot load %s: %s; lookups are %s", path, why, fate());
		return -ENOENT;
	}
	log_warn("cannot load %s: %s; this lookup is %s", path, why, fate());
	return -ENOMEM;
}

int resolver_load(const struct resolver_host *host, struct resolver_instance *ret)
{
	char path[PATH_MAX];
	const struct resolver_ops *ops;
	void *library;
	int r = sibling_path(path);

	if (r < 0) {
		log_warn("cannot tell where %s is: error %d; lookups are %s", LIBRARY, -r, fate());
		return -ENOENT;
	}
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL | LOOK_INSIDE_FIRST);
	if (library == NULL)
		return explain(path, dlerror());
	ops = dlsym(library, "noblockdns_resolver");
	if (ops == NULL)
		(void)dlerror(); /* the program must not find our failure there */
	if (ops == NULL || ops->abi != RESOLVER_ABI) {
		log_error("%s is of another version; lookups are %s", path, fate());
		dlclose(library);
		return -ENOENT;
	}
	ret->ops = ops;
	r = ops->open(host, &ret->resolver);
	if (r < 0)
		dlclose(library);
	return r;
}

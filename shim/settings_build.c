// SPDX-License-Identifier: MIT
/* settings_build.c - see settings_build.h. */
#include "shim/settings_build.h"

#include "shim/hash.h"
#include "shim/log.h"
#include "shim/netns.h"
#include "shim/settings_view.h"
#include "shim/sys.h"
#include "shim/timens.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

_Static_assert(RESOLV_CONF_MAX_SERVERS <= RESOLVER_MAX_BOOTSTRAP, "all serve to bootstrap");

#define DEADLINE_MAX_MS 10000 /* cap of resolv.conf's product; an explicit value may be more */

static const char paths[SOURCE_COUNT][sizeof "/etc/nsswitch.conf"] = {
	[SOURCE_RESOLV_CONF] = "/etc/resolv.conf",
	[SOURCE_NSSWITCH] = "/etc/nsswitch.conf",
	[SOURCE_HOSTS] = "/etc/hosts",
	[SOURCE_HOST_CONF] = "/etc/host.conf",
	[SOURCE_GAI_CONF] = "/etc/gai.conf",
};

static const char *const variables[] = {"LOCALDOMAIN", "RES_OPTIONS", "HOSTALIASES", "RESOLV_MULTI",
					"RESOLV_REORDER"};

/* gethostname() without its libc page, which a first lookup would be the only one to touch. */
static void read_hostname(char ret[HOST_NAME_MAX + 1])
{
	struct utsname names;
	size_t len = 0;

	if (sys_call(SYS_uname, (long)&names, 0, 0, 0, 0, 0) == 0)
		len = strnlen(names.nodename, HOST_NAME_MAX);
	memcpy(ret, names.nodename, len);
	ret[len] = '\0';
}

static uint64_t hash_environment(const char *hostname)
{
	uint64_t hash = hash_string(hostname, 0);

	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		hash = hash_string(secure_getenv(variables[i]), hash);
	return hash;
}

void settings_stamp(struct settings_stamp *ret)
{
	char hostname[HOST_NAME_MAX + 1];

	for (int i = 0; i < SOURCE_COUNT; i++)
		file_identify(paths[i], &ret->files[i]);
	read_hostname(hostname);
	ret->netns = netns_identify();
	ret->environment = hash_environment(hostname);
}

bool settings_stamp_differs(const struct settings_stamp *was, const struct settings_stamp *now,
			    const struct settings *settings)
{
	if (was->environment != now->environment || was->netns != now->netns)
		return true;
	for (int i = 0; i < SOURCE_COUNT; i++) {
		if (i == SOURCE_RESOLV_CONF && settings->resolv.no_reload)
			continue;
		if (memcmp(&was->files[i], &now->files[i], sizeof was->files[i]) != 0)
			return true;
	}
	return false;
}

/*
 * Text of a source, to be freed; NULL where the file is not there for this process: for libc that
 * is no file. Any other failure (no descriptor left, no memory) is one of the moment, and a
 * snapshot must not pretend that there is no file. Negative then, and this lookup is libc's.
 */
static int read_source(enum settings_source source, struct settings_stamp *stamp, char **ret_text,
		       size_t *ret_len)
{
	int r;

	*ret_text = NULL;
	*ret_len = 0;
	r = file_read(paths[source], ret_text, ret_len, &stamp->files[source]);
	switch (r) {
	case -EACCES:
	case -ELOOP:
	case -ENOENT:
	case -ENOTDIR:
	case -EPERM:
		return 0;
	case -EISDIR: /* these two, opened and then not readable, fail libc's lookup */
		return source == SOURCE_RESOLV_CONF || source == SOURCE_NSSWITCH ? r : 0;
	}
	return r;
}

static int load_resolv_conf(struct settings *s, struct settings_stamp *stamp)
{
	const struct resolv_env env = {.localdomain = secure_getenv("LOCALDOMAIN"),
				       .res_options = secure_getenv("RES_OPTIONS"),
				       .hostname = s->hostname};
	size_t len;
	char *text;
	int r = read_source(SOURCE_RESOLV_CONF, stamp, &text, &len);

	if (r < 0)
		return r;
	r = resolv_conf_parse(text, len, &env, &s->resolv);
	free(text);
	return r;
}

static int load_hosts(struct settings *s, struct settings_stamp *stamp)
{
	const struct host_conf_env env = {.multi = secure_getenv("RESOLV_MULTI"),
					  .reorder = secure_getenv("RESOLV_REORDER")};
	size_t len;
	char *text;
	int r = read_source(SOURCE_HOST_CONF, stamp, &text, &len);

	if (r < 0)
		return r;
	host_conf_parse(text, len, &env, &s->host_conf);
	free(text);
	r = read_source(SOURCE_HOSTS, stamp, &text, &len);
	if (r < 0)
		return r;
	r = hosts_build(text, len, &s->hosts);
	free(text);
	return r == -EFBIG ? 0 : r;
}

static int load_gai_conf(struct settings *s, struct settings_stamp *stamp)
{
	size_t len;
	char *text;
	int r = read_source(SOURCE_GAI_CONF, stamp, &text, &len);

	if (r == 0 && text != NULL)
		r = gai_conf_parse(text, len, &s->gai);
	free(text);
	return r;
}

static int load_nsswitch(struct settings *s, struct settings_stamp *stamp)
{
	size_t len;
	char *text;
	int r = read_source(SOURCE_NSSWITCH, stamp, &text, &len);

	if (r < 0)
		return r;
	nsswitch_parse(text, len, &s->plan);
	free(text);
	return 0;
}

/* Who is asked. Where a private list cannot be used: nobody. */
static void choose_upstreams(struct settings *s)
{
	const struct config *config = s->config;
	struct resolver_conf *u = &s->upstreams;

	u->timeout_ms = s->resolv.timeout_s ? s->resolv.timeout_s * 1000 : 1000;
	u->attempts = s->resolv.attempts ? s->resolv.attempts : 1;
	u->rotate = s->resolv.rotate;
	u->use_tcp = s->resolv.use_vc;
	u->trust_ad = s->resolv.trust_ad;
	if (config->nupstreams > 0 || config->upstream_unusable) {
		u->nupstreams = config->nupstreams;
		memcpy(u->upstreams, config->upstreams, sizeof u->upstreams);
		return;
	}
	for (unsigned i = 0; i < s->resolv.nservers; i++) {
		u->upstreams[u->nupstreams].transport = RESOLVER_UDP;
		u->upstreams[u->nupstreams++].addr = s->resolv.servers[i];
	}
}

/* Nothing of this is set, and so nothing compared, where no upstream needs it. */
static void choose_tls(struct settings *s)
{
	const struct config *config = s->config;
	struct resolver_conf *u = &s->upstreams;

	for (unsigned i = 0; i < u->nupstreams; i++) {
		if (u->upstreams[i].transport != RESOLVER_TLS)
			continue;
		u->tls.opportunistic = config->tls == CONFIG_TLS_OPPORTUNISTIC;
		u->tls.ca_file = config->tls_ca;
		u->tls.npins = config->tls_pins.n;
		memcpy(u->tls.pins, config->tls_pins.sha256, sizeof u->tls.pins);
		if (u->upstreams[i].addr.ss_family == AF_UNSPEC)
			u->nbootstrap = s->resolv.nservers;
	}
	memcpy(u->bootstrap, s->resolv.servers, u->nbootstrap * sizeof u->bootstrap[0]);
}

/* Every lookup would end there: a mistake that the user must hear of, once. */
static void warn_of_libcs_modules(const struct settings *s)
{
	static bool warned; /* guarded by the lock of settings.c */

	if (!s->config->private && !s->config->rebind_guard)
		return;
	for (unsigned i = 0; !warned && i < s->plan.n; i++) {
		if (s->plan.entries[i].module == NSSWITCH_DNS)
			return;
		if (s->plan.entries[i].module != NSSWITCH_FOREIGN)
			continue;
		log_error("%s: a module that is libc's stands before dns; names that get there are "
			  "not %s",
			  paths[SOURCE_NSSWITCH],
			  s->config->private ? "looked up, as tls:// is to be private"
					     : "guarded against rebinding");
		warned = true;
	}
}

static void choose_deadline(struct settings *s)
{
	const struct resolver_conf *u = &s->upstreams;
	uint64_t product = (uint64_t)u->timeout_ms * u->attempts * u->nupstreams;

	s->deadline_ms = s->config->deadline_ms	     ? s->config->deadline_ms
			 : product < DEADLINE_MAX_MS ? (uint32_t)product
						     : DEADLINE_MAX_MS;
	/* `attempts:0` asks nobody, and an upstream that was to be private and cannot be had must
	 * not be replaced by one that is not: fail at once. */
	if (s->resolv.attempts == 0 || s->config->upstream_unusable)
		s->deadline_ms = 0;
}

static int load_environment(struct settings *s)
{
	const char *aliases = secure_getenv("HOSTALIASES");

	s->host_aliases = aliases == NULL ? NULL : strdup(aliases);
	return aliases != NULL && s->host_aliases == NULL ? -1 : 0;
}

struct settings *settings_build(const struct config *config, struct cache *cache,
				struct settings_stamp *ret_stamp)
{
	struct settings *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->config = config;
	s->cache = cache;
	s->stand_aside = config->mode != CONFIG_MODE_ON;
	s->gai = gai_conf_default;
	read_hostname(s->hostname);
	ret_stamp->netns = netns_identify();
	ret_stamp->environment = hash_environment(s->hostname);
	if (load_environment(s) < 0 || load_resolv_conf(s, ret_stamp) < 0 ||
	    load_hosts(s, ret_stamp) < 0 || load_gai_conf(s, ret_stamp) < 0 ||
	    load_nsswitch(s, ret_stamp) < 0) {
		settings_free(s);
		return NULL;
	}
	warn_of_libcs_modules(s);
	choose_upstreams(s);
	choose_tls(s);
	choose_deadline(s);
	s->netns = ret_stamp->netns;
	s->gai_hash = gai_conf_hash(&s->gai);
	s->view = s->upstreams.view =
		settings_view(s, s->netns ^ (uint64_t)timens_identify(cache) << 32);
	return s;
}

void settings_free(struct settings *s)
{
	resolv_conf_free(&s->resolv);
	hosts_free(s->hosts);
	gai_conf_free(&s->gai);
	free(s->host_aliases);
	free(s);
}

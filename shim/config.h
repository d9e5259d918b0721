// SPDX-License-Identifier: MIT
/*
 * config.h - what the user wants: NOBLOCKDNS_* in the environment, then /etc/noblockdns.conf, then
 * the defaults.
 *
 * The file has `key = value` lines, the keys being the variables' names in lower case without the
 * prefix, and comments from `#` at the start of a line. A bad value gives one line with variable,
 * value and what is allowed, and the default is used. One table (config_table.h) says for each
 * variable its kind, range, default and place in struct config.
 *
 * config_parse() is pure. config_load() reads the environment and the file: at the first lookup,
 * not in the constructor, so that the children of a shell that look nothing up stay silent.
 */
#ifndef NOBLOCKDNS_CONFIG_H
#define NOBLOCKDNS_CONFIG_H

#include "resolver/resolver.h"
#include "shim/log.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CONFIG_PREFIX	"NOBLOCKDNS_" /* of each variable */
#define CONFIG_FILE	"/etc/noblockdns.conf"
#define CONFIG_FILE_MAX 65536 /* bytes read of it */

enum config_mode { CONFIG_MODE_ON, CONFIG_MODE_OBSERVE, CONFIG_MODE_OFF };
enum config_tls { CONFIG_TLS_STRICT, CONFIG_TLS_OPPORTUNISTIC };
enum config_cache {
	CONFIG_CACHE_DEFAULT, /* the file under /dev/shm */
	CONFIG_CACHE_FILE,    /* cache_path */
	CONFIG_CACHE_PRIVATE, /* memory of this process */
	CONFIG_CACHE_OFF,     /* none */
};

/* Texts are of malloc() and never freed: a configuration lives as long as its process. */
struct config {
	enum config_mode mode;

	struct resolver_upstream upstreams[RESOLVER_MAX_UPSTREAMS]; /* in order of preference */
	unsigned nupstreams; /* 0: the servers of resolv.conf, unless `upstream_unusable` */

	/*
	 * The user lists tls:// and wants it strictly: libc, which would ask in clear text, gets no
	 * lookup that may need the network, whatever goes wrong here (RFC 8310 section 5).
	 */
	bool private;

	/*
	 * The same, and the list, the CA or a pin cannot be read: nobody is asked. A lookup that
	 * needs the network fails with EAI_AGAIN; numeric names and the hosts file work as ever.
	 */
	bool upstream_unusable;

	enum config_tls tls;
	const char *tls_ca; /* NULL: system store */
	struct config_pins {
		unsigned n;
		unsigned char sha256[RESOLVER_MAX_PINS][32]; /* of SubjectPublicKeyInfo */
	} tls_pins;

	enum config_cache cache;
	const char *cache_path; /* with CONFIG_CACHE_FILE */
	uint64_t cache_size;	/* bytes */

	uint32_t deadline_ms; /* 0: from resolv.conf */
	uint32_t stale_after_ms;
	uint32_t stale_max_s;
	uint32_t min_ttl_s;
	uint32_t max_ttl_s; /* at least min_ttl_s */

	bool rebind_guard;	  /* private addresses of public names are refused (rebind.h) */
	const char *rebind_allow; /* but not of these domains and what is below: in lower case,
				   * separated by single spaces; NULL: none */

	bool race;
	uint32_t race_delay_ms;
	uint32_t resolution_delay_ms;

	enum log_level log;
	const char *log_file; /* NULL: stderr */
	const char *trace;    /* NULL: off */
};

/* Value of an environment variable, or NULL. */
typedef const char *config_getter(void *ctx, const char *name);

/* One line, without a newline, about a value that is not used. */
typedef void config_report(void *ctx, const char *line);

/* `conf` is the text of the file (`len` bytes, no NUL needed; NULL: none). Always succeeds. */
void config_parse(config_getter *get, void *get_ctx, const char *conf, size_t len,
		  struct config *ret, config_report *report, void *report_ctx);

/* Would config_parse() set `private`? In doubt, true. Allocates nothing, reports nothing. */
bool config_asks_private(config_getter *get, void *get_ctx, const char *conf, size_t len);

/*
 * config_parse() of this process's environment and CONFIG_FILE, and log_configure(). Bad values are
 * logged, after log_configure(). Large: keep it static. Not thread-safe. 0; a negative errno where
 * the file is there and cannot be read for the moment: what it asks for is not known then.
 */
int config_load(struct config *ret);

/*
 * config_asks_private() of the same, for a process that may not load them: true as well where the
 * file cannot be read for the moment. Touches no memory of the process but its stack; any thread,
 * also of a child of vfork(). Keeps errno.
 */
bool config_load_private(void);

#endif

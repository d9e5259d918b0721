// SPDX-License-Identifier: MIT
/*
 * settings.h - everything that files and the environment decide about a lookup, as one immutable
 * snapshot.
 *
 * A lookup takes the snapshot once and keeps it to its end, so it never sees half of a change.
 * At most once a second one caller looks whether a file has changed (stat, nothing more); the
 * others go on with the snapshot that they have. A hit makes no system call in between.
 */
#ifndef NOBLOCKDNS_SETTINGS_H
#define NOBLOCKDNS_SETTINGS_H

#include "resolver/resolver.h"
#include "shim/cache.h"
#include "shim/config.h"
#include "shim/gai_conf.h"
#include "shim/host_conf.h"
#include "shim/hosts.h"
#include "shim/nsswitch.h"
#include "shim/rcu.h"
#include "shim/resolv_conf.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define SETTINGS_CHECK_MS 1000 /* a changed file is seen within this time */

struct settings {
	struct rcu_head rcu;
	const struct config *config; /* borrows; the same for the life of the process */
	bool stand_aside; /* every lookup is libc's: the mode, or another network namespace than the
			   * io thread's */
	struct resolv_conf resolv;
	struct nsswitch_plan plan;
	struct host_conf host_conf;
	struct hosts *hosts; /* owns */
	struct gai_conf gai;
	char hostname[HOST_NAME_MAX + 1];
	char *host_aliases; /* owns; $HOSTALIASES, NULL when not set */
	struct resolver_conf upstreams;
	uint64_t netns;	      /* netns_identify(), when it was made */
	uint64_t gai_hash;    /* gai_conf_hash() of `gai` */
	uint64_t view;	      /* what makes two processes' answers differ: part of each cache key */
	uint32_t deadline_ms; /* one lookup's longest wait */
	struct cache *cache;  /* borrows; NULL when there is none */
};

/*
 * The current snapshot; NULL where not even one could be made (no memory): libc's turn. Valid until
 * rcu_read_unlock(); the caller is inside rcu_read_lock(). Any thread.
 */
const struct settings *settings_get(uint64_t now_ms);

/*
 * The same, as it is: looks at no file and makes no descriptor. For the io thread, beside which the
 * program runs and may be counting on the lowest number.
 */
const struct settings *settings_peek(void);

/*
 * May libc do what we cannot? Not where the user wants names to be asked for over TLS alone: libc
 * would ask in clear text. Known without a snapshot, for there may be none. Any thread of any
 * process, also of a child of vfork(); reads the configuration until somebody has loaded it.
 */
bool settings_libc_may(void);

/* In a forked child: forget who was reloading. */
void settings_reset(void);

#endif

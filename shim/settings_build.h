// SPDX-License-Identifier: MIT
/*
 * settings_build.h - makes one snapshot out of files and environment, and tells whether they are
 * still the same. Called under the lock of settings.c.
 */
#ifndef NOBLOCKDNS_SETTINGS_BUILD_H
#define NOBLOCKDNS_SETTINGS_BUILD_H

#include "shim/file.h"
#include "shim/settings.h"

enum settings_source {
	SOURCE_RESOLV_CONF,
	SOURCE_NSSWITCH,
	SOURCE_HOSTS,
	SOURCE_HOST_CONF,
	SOURCE_GAI_CONF,
	SOURCE_NETNS,  /* the thread's network namespace: part of the view */
	SOURCE_TIMENS, /* CLOCK_BOOTTIME differs between time namespaces: likewise */
	SOURCE_COUNT,
};

/* State of the outside world, as far as a snapshot depends on it. */
struct settings_stamp {
	struct file_id files[SOURCE_COUNT];
	uint64_t environment; /* hash of the variables that glibc looks at, and of the host name */
};

void settings_stamp(struct settings_stamp *ret);

/* Is anything different that a snapshot made under `was` would show? */
bool settings_stamp_differs(const struct settings_stamp *was, const struct settings_stamp *now,
			    const struct settings *settings);

/* `serial`, `config` and `cache` go into the snapshot as they are. NULL without memory. */
struct settings *settings_build(const struct settings_stamp *stamp, const struct config *config,
				struct cache *cache, uint32_t serial);

void settings_free(struct settings *settings);

#endif

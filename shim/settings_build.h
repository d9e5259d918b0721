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
	SOURCE_COUNT,
};

/* State of the outside world, as far as a snapshot depends on it. */
struct settings_stamp {
	struct file_id files[SOURCE_COUNT];
	uint64_t netns;	      /* netns_identify() */
	uint64_t environment; /* hash of the variables that glibc looks at, and of the host name */
};

/* Looks, without reading a file: one system call each. */
void settings_stamp(struct settings_stamp *ret);

/* Is anything different that a snapshot made under `was` would show? */
bool settings_stamp_differs(const struct settings_stamp *was, const struct settings_stamp *now,
			    const struct settings *settings);

/*
 * Reads everything. *ret_stamp is the state that was read: of the very files, so that a change in
 * between is seen at the next look. `config` and `cache` go into the snapshot as they
 * are. NULL where memory, or a descriptor to read a file with, is lacking.
 */
struct settings *settings_build(const struct config *config, struct cache *cache,
				struct settings_stamp *ret_stamp);

void settings_free(struct settings *settings);

#endif

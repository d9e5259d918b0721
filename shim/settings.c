// SPDX-License-Identifier: MIT
/*
 * settings.c - the current snapshot, and who replaces it.
 *
 * Procedure:
 *	1. A caller that finds no snapshot, or one that was last checked SETTINGS_CHECK_MS ago,
 *	   tries to move `checked_ms` forward. One thread wins; the others keep what they have.
 *	2. The winner looks at the files (a stat each). Nothing changed: done.
 *	3. Else it builds a new snapshot, publishes it, retires the old one (rcu.h).
 * The same check finds a cache file that was removed, replaced or truncated, and opens another.
 */
#include "shim/settings.h"

#include "shim/clock.h"
#include "shim/hot.h"
#include "shim/lock.h"
#include "shim/log.h"
#include "shim/process.h"
#include "shim/settings_build.h"
#include "shim/trace.h"

#include <errno.h>
#include <stdlib.h>

static HOT _Atomic(struct settings *)
	current; /* released by the builder, acquired by every lookup */
static HOT _Atomic uint64_t checked_ms;

static HOT struct lock lock;
static HOT struct settings_stamp stamp; /* of `current`; guarded by lock */
static struct config config;		/* guarded by lock until `current` is published */
static HOT bool configured;		/* guarded by lock */
static HOT _Atomic int privacy;		/* enum privacy; leaves UNKNOWN once, for good */
static HOT struct cache *cache;		/* guarded by lock; readers have it from the snapshot */
static HOT uint64_t home;		/* network namespace of the io thread; guarded by lock */

enum privacy { UNKNOWN, OPEN, PRIVATE };

struct retired_cache {
	struct rcu_head rcu;
	struct cache *cache;
};

static void free_cache(struct rcu_head *head)
{
	struct retired_cache *retired = (struct retired_cache *)head;

	cache_close(retired->cache);
	free(retired);
}

static void free_settings(struct rcu_head *head)
{
	settings_free((struct settings *)head);
}

static void retire_cache_locked(struct cache *old)
{
	struct retired_cache *retired = malloc(sizeof *retired);

	if (retired == NULL)
		return; /* one mapping stays until exit */
	retired->rcu.free = free_cache;
	retired->cache = old;
	rcu_retire(&retired->rcu);
}

/* Opens the cache, or a new one in place of one that is gone. `published` is the one that readers
 * have: it stays until they have another. */
static void refresh_cache_locked(const struct cache *published)
{
	const struct cache_options options = {
		.path = config.cache == CONFIG_CACHE_FILE ? config.cache_path : NULL,
		.want_private = config.cache == CONFIG_CACHE_PRIVATE,
		.size = config.cache_size,
		.keep_s = config.stale_max_s,
	};
	struct cache *opened = NULL, *old;
	char why[256];

	if (config.mode != CONFIG_MODE_ON)
		return; /* no lookup would use it */
	if (config.cache == CONFIG_CACHE_OFF || (cache != NULL && cache_is_current(cache)))
		return;
	if (cache_open(&options, &opened, why) < 0) {
		log_warn("cache: no memory; every lookup goes to the network");
		return;
	}
	if (why[0] != '\0')
		log_warn("cache: %s", why);
	old = cache;
	cache = opened; /* first: a child of a fork in between must not be left a closed one */
	if (old != NULL && old != published)
		cache_close(old);
}

static void publish_locked(struct settings *s, const struct settings_stamp *new_stamp)
{
	struct settings *old = atomic_exchange_explicit(&current, s, memory_order_seq_cst);

	stamp = *new_stamp;
	if (old == NULL)
		return;
	if (old->cache != NULL && old->cache != s->cache)
		retire_cache_locked(old->cache);
	old->rcu.free = free_settings;
	rcu_retire(&old->rcu);
}

static bool is_outdated_locked(const struct settings *s)
{
	struct settings_stamp now;

	refresh_cache_locked(s == NULL ? NULL : s->cache);
	if (s == NULL || s->cache != cache)
		return true;
	settings_stamp(&now);
	return settings_stamp_differs(&stamp, &now, s);
}

/* The io thread stays in the network namespace in which it was started. A program that moves on to
 * another is libc's from then on; until then (SETTINGS_CHECK_MS) it gets the old one's answers. */
static void stay_at_home_locked(struct settings *s, uint64_t netns)
{
	if (home == 0)
		home = netns;
	if (netns != home)
		s->stand_aside = true;
}

static void refresh_locked(uint64_t now_ms)
{
	struct settings *s = atomic_load_explicit(&current, memory_order_relaxed);
	struct settings_stamp built_stamp;
	struct settings *built;

	if (!configured) {
		if (config_load(&config) < 0)
			return;
		atomic_store(&privacy, config.private ? PRIVATE : OPEN);
		trace_configure(&config);
		configured = true;
	}
	atomic_store_explicit(&checked_ms, now_ms, memory_order_relaxed);
	if (is_outdated_locked(s)) {
		built = settings_build(&config, cache, &built_stamp);
		if (built != NULL) {
			stay_at_home_locked(built, built_stamp.netns);
			publish_locked(built, &built_stamp);
		}
	}
	rcu_poll();
}

/* `was` is the time of the last check as the caller saw it: who saw an older one has lost. */
static const struct settings *refresh(struct settings *s, uint64_t was, uint64_t now_ms)
{
	int saved = errno;

	if (s != NULL && !atomic_compare_exchange_strong(&checked_ms, &was, now_ms))
		return s; /* another thread has taken it on */
	if (process_check() != PROCESS_OWNER)
		return s;
	lock_take(&lock);
	if (s != NULL || atomic_load(&current) == NULL)
		refresh_locked(now_ms);
	lock_release(&lock);
	errno = saved;
	return atomic_load_explicit(&current, memory_order_acquire);
}

const struct settings *settings_get(uint64_t now_ms)
{
	struct settings *s = atomic_load_explicit(&current, memory_order_acquire);
	uint64_t checked = atomic_load_explicit(&checked_ms, memory_order_relaxed);

	if (s != NULL && !clock_elapsed(checked, now_ms, SETTINGS_CHECK_MS))
		return s;
	return refresh(s, checked, now_ms);
}

const struct settings *settings_peek(void)
{
	return atomic_load_explicit(&current, memory_order_acquire);
}

bool settings_libc_may(void)
{
	int known = atomic_load_explicit(&privacy, memory_order_relaxed);

	return known == UNKNOWN ? !config_load_private() : known == OPEN;
}

void settings_reset(void)
{
	lock_reset(&lock);
	home = 0;
	atomic_store(&checked_ms, 0); /* it may have moved to another network namespace already */
	rcu_reset();
}

// SPDX-License-Identifier: MIT
/*
 * resolver_host.h - the resolver library in this process: loads it, is its host (descriptors,
 * timers, randomness, log), and keeps one resolver view for each view that is in use.
 */
#ifndef NOBLOCKDNS_RESOLVER_HOST_H
#define NOBLOCKDNS_RESOLVER_HOST_H

#include "resolver/resolver.h"

#include <stdbool.h>

/*
 * Loads the resolver library, once, from the directory of this one. With `wait` waits for that, but
 * not for ever: a library's constructor may hold the loader's lock. 0; -ENOENT where it is not
 * there (logged once, and for good); -EAGAIN where it cannot be loaded now, or, without `wait`,
 * while it is. Any thread.
 */
int resolver_host_open(bool wait);

/*
 * OpenSSL has locks, and a child that is forked while one is held could never ask over TLS: loading
 * the library anew gives it the same image. Where an upstream is to be asked over TLS, fork() waits
 * for the io thread from here on (io_fork_prepare()). To be called by the thread that looks up,
 * before the io thread is told of it: a fork() of that thread comes after it then. What clone()
 * itself forks is not covered, nor is a fork() that had begun on another thread. Any thread.
 */
void resolver_host_guard_forks(const struct resolver_conf *conf);

/* A resolver view that is in use; shared by all who get the same one. */
struct host_view;

/*
 * The resolver's view under this key and with this configuration, opened if need be. Both count:
 * the key knows the network namespace that its sockets are in, but not how upstreams are asked. It
 * stays open until the matching put, and after that until its place is needed. io thread only. 0,
 * or a negative errno.
 */
int resolver_host_get_view(uint64_t view, const struct resolver_conf *conf, struct host_view **ret);
void resolver_host_put_view(struct host_view *view);

/* Puts a question to the resolver (resolver.h). io thread only. */
int resolver_host_query(struct host_view *view, const struct resolver_question *question,
			uint64_t now_ms);

/* In a forked child: forgets the parent's resolver without a word to its peers. */
void resolver_host_reset(void);

#endif

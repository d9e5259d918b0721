// SPDX-License-Identifier: MIT
/*
 * netns.h - which network namespace the calling thread is in.
 */
#ifndef NOBLOCKDNS_NETNS_H
#define NOBLOCKDNS_NETNS_H

#include <stdint.h>

/*
 * A number that no other network namespace of this boot has, had or will have (SO_NETNS_COOKIE,
 * Linux 5.14; before, device and inode of the namespace, which may be used again). 0 where the
 * kernel tells neither. Any thread; a socket for the duration of the call.
 *
 * /proc would tell the same at ten times the cost: the first look into it makes the kernel build
 * the process's folder there, 30 us that every new process would pay in its first lookup.
 */
uint64_t netns_identify(void);

/* The same for the namespace that a socket is in, which is the one that its maker was in. Where the
 * kernel does not tell, that of the calling thread. */
uint64_t netns_identify_socket(int fd);

#endif

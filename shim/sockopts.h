// SPDX-License-Identifier: MIT
/*
 * sockopts.h - what a program has made of its TCP socket before connect(): may the connect be
 * raced at all, and how a second socket becomes like it.
 *
 * Raw system calls on raw descriptors. No memory, no lock, no errno: any thread, also in a signal
 * handler.
 */
#ifndef NOBLOCKDNS_SOCKOPTS_H
#define NOBLOCKDNS_SOCKOPTS_H

#include <stdbool.h>
#include <stdint.h>

/* Why the connect of a socket is not raced. */
enum sockopts_bar {
	SOCKOPTS_FREE,	      /* nothing bars it */
	SOCKOPTS_NOT_TCP,     /* another family, type or protocol: UDP, raw, UNIX, Multipath TCP */
	SOCKOPTS_IN_USE,      /* connected, connecting or listening */
	SOCKOPTS_BOUND,	      /* to an address or a port */
	SOCKOPTS_DEVICE,      /* SO_BINDTODEVICE, SO_BINDTOIFINDEX */
	SOCKOPTS_FASTOPEN,    /* TCP_FASTOPEN_CONNECT: its connect() proves nothing */
	SOCKOPTS_FILTER,      /* a BPF program is attached */
	SOCKOPTS_TRANSPARENT, /* IP_TRANSPARENT, also as IPV6_TRANSPARENT */
	SOCKOPTS_ULP,	      /* TCP_ULP: another protocol has taken the socket over */
	SOCKOPTS_SEGMENT,     /* TCP_MAXSEG or TCP_WINDOW_CLAMP: cannot be read once it connects */
	SOCKOPTS_SIGNED,      /* TCP-AO: the keys are not for others to have */
};

struct sockopts_facts {
	int family;	       /* AF_INET or AF_INET6; 0 where bar is NOT_TCP */
	bool v6only;	       /* AF_INET6 that reaches no IPv4 */
	bool own_route;	       /* SO_MARK, SO_DONTROUTE: it may not go the way that others do */
	enum sockopts_bar bar; /* the first that was found: what comes later was not looked at */
};

/*
 * Looks at a socket that is about to connect. (Not at TCP_REPAIR: its connect() succeeds at once,
 * so that nothing is left to race.) Returns 0, or a negative errno where `fd` is no socket that can
 * be asked (-EBADF, -ENOTSOCK ...).
 */
int sockopts_examine(int fd, struct sockopts_facts *ret);

/* SO_SNDTIMEO, which bounds a blocking connect(); 0: no bound. */
uint64_t sockopts_sndtimeo_ms(int fd);

/*
 * Gives `to`, a socket that was just made, every option in which `from` differs from it: two TCP
 * sockets of one family. `from` may be connecting, or have failed to.
 *
 * Returns 0. A negative errno: `to` would not behave as `from` does and is not to be used:
 * -EOPNOTSUPP where `from` has what cannot be copied (a filter, keys of TCP-AO, another network
 * namespace or owner), else what the kernel said of an option (-EPERM: the program had privileges
 * when it set it).
 */
int sockopts_copy(int from, int to);

const char *sockopts_bar_to_str(enum sockopts_bar bar);

#endif

// SPDX-License-Identifier: MIT
/*
 * netlink.h - one dump of a kernel table over rtnetlink(7): a request, then every message of the
 * answer to a function.
 *
 * Any thread; raw system calls; a close-on-exec socket for the duration of the call.
 */
#ifndef NOBLOCKDNS_NETLINK_H
#define NOBLOCKDNS_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/* One message of the answer; complete and within bounds. 0: go on; another value ends the dump. */
typedef int netlink_message(void *ctx, const struct nlmsghdr *message);

/*
 * Requests a dump of `type` (RTM_GETADDR, RTM_GETLINK) for all families. 0 at its end, the value
 * that `each` ended it with, or a negative errno; -EIO for an answer that makes no sense.
 */
int netlink_dump(uint16_t type, netlink_message *each, void *ctx);

/*
 * The same for a request with a body of `len` bytes, NETLINK_BODY_MAX at most, which the kernel
 * checks strictly and filters by (Linux 4.20). -ENOPROTOOPT where it cannot.
 */
#define NETLINK_BODY_MAX 32
int netlink_dump_strict(uint16_t type, const void *body, size_t len, netlink_message *each,
			void *ctx);

#endif

// SPDX-License-Identifier: MIT
/*
 * dnsserver.h - the scripted server's process: sockets, connections and the clock.
 */
#ifndef LAB_DNSSERVER_H
#define LAB_DNSSERVER_H

#include "dnscount.h"

/*
 * Binds every address of the script, calls `ready(arg)`, and serves for ever. Ends the process
 * with lab_fail() where it cannot bind.
 */
_Noreturn void dns_server_run(const struct lab_dns_script *script, struct dns_counts *counts,
			      void (*ready)(void *arg), void *arg);

#endif

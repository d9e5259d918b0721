// SPDX-License-Identifier: MIT
/*
 * hot.h - keeps together what the first lookup of a process touches.
 *
 * The first touch of a page of zeros costs 0.7 us, and a second time when it was read before it is
 * written. Spread over .bss, between tables of megabytes, the shim's few hundred bytes of state
 * were on five such pages. In .data they are on the one that the loader has written already.
 */
#ifndef NOBLOCKDNS_HOT_H
#define NOBLOCKDNS_HOT_H

/* For a small variable of static storage: static HOT int x; */
#define HOT __attribute__((section(".data.hot")))

#endif

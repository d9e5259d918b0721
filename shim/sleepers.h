// SPDX-License-Identifier: MIT
/*
 * sleepers.h - threads of the program that sleep in poll() or select() on a placeholder, which has
 * been replaced under its number (swap.h).
 *
 * The kernel lets a sleeper wait for the files that it found when it fell asleep, and for no others
 * until the call returns: woken, it looks at the file that is there now, and sleeps on where that
 * is not ready, deaf to it. A winner is ready for those who wait to write, who are nearly all. For
 * the rest, those who wait for data, and those on a socket that connects on alone, the other end of
 * the placeholder stays open for as long as a sleeper is left, and wakes it every 20 ms;
 * the first time after 90 ms in a process whose sleepers have been gone by then the last time,
 * which costs no wake-up of its own.
 *
 * A placeholder that nobody sleeps on is gone with its last number, and its other end sees that it
 * is hung up.
 */
#ifndef NOBLOCKDNS_SLEEPERS_H
#define NOBLOCKDNS_SLEEPERS_H

#include <stdbool.h>

/* Takes the handles over; swap_wake(), if anybody is there. True: `peer` is the caller's again, for
 * sleepers_keep() a moment later: most are gone by then. Any thread, signal handlers; no lock may
 * be held. */
bool sleepers_wake(int peer, int end);

/* Takes the handle over; wakes them until nobody is left. Likewise. */
void sleepers_keep(int peer);

/* In a forked child (process.h). */
void sleepers_reset(void);

#endif

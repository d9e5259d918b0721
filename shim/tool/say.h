// SPDX-License-Identifier: MIT
/*
 * say.h - complaints of the command: one line each on stderr, "noblockdns: ...". What is not
 * printable in it is shown as an escape, so that no name or path can play tricks with the terminal.
 */
#ifndef NOBLOCKDNS_TOOL_SAY_H
#define NOBLOCKDNS_TOOL_SAY_H

__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

/* The same; each returns the exit status that goes with it, TOOL_USAGE or TOOL_TROUBLE. */
__attribute__((format(printf, 1, 2))) int say_usage(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) int say_trouble(const char *fmt, ...);

#endif

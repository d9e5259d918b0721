// SPDX-License-Identifier: MIT
/* version.h - which release this is, and since when there is one like it. */
#ifndef NOBLOCKDNS_TOOL_VERSION_H
#define NOBLOCKDNS_TOOL_VERSION_H

#define TOOL_VERSION "0.1.0"
#define TOOL_DATE    1795392000L /* seconds since 1970: no clock that is right is before it */

#endif

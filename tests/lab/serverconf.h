// SPDX-License-Identifier: MIT
/*
 * serverconf.h - the configuration files of the real servers.
 */
#ifndef LAB_SERVERCONF_H
#define LAB_SERVERCONF_H

#include "servers.h"

/* Writes `conf`, and what it names, into `dir`. */
void lab_server_configure(const struct lab_server_opts *opts, const char *dir);

#endif

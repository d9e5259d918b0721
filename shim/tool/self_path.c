// SPDX-License-Identifier: MIT
/*
 * self_path.c - the shim's self_path(), for the command: "this library" is the libnoblockdns.so
 * that belongs to it, so that the resolver is loaded from where that one would load it.
 */
#include "shim/self_path.h"

#include "shim/tool/preload.h"

int self_path(char ret[PATH_MAX])
{
	return preload_find(ret);
}

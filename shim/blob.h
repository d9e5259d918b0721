// SPDX-License-Identifier: MIT
/*
 * blob.h - an encoded entry (entry.h) that several threads read. Any thread.
 */
#ifndef NOBLOCKDNS_BLOB_H
#define NOBLOCKDNS_BLOB_H

#include "shim/entry.h"

#include <stdatomic.h>

struct blob {
	_Atomic uint32_t refs;
	size_t size;
	unsigned char data[] __attribute__((aligned(ENTRY_ALIGN)));
};

/* One reference, the caller's. NULL without memory, or where the entry does not fit its format. */
struct blob *blob_encode(const struct entry *entry);

struct blob *blob_retain(struct blob *blob); /* NULL stays NULL */
void blob_release(struct blob *blob);	     /* NULL is fine */

#endif

// SPDX-License-Identifier: MIT
/* blob.c - see blob.h. */
#include "shim/blob.h"

#include <stdlib.h>

struct blob *blob_encode(const struct entry *entry)
{
	size_t size = entry_encoded_size(entry);
	struct blob *blob = malloc(sizeof *blob + size);
	ssize_t n;

	if (blob == NULL)
		return NULL;
	n = entry_encode(entry, blob->data, size);
	if (n < 0) {
		free(blob);
		return NULL;
	}
	atomic_init(&blob->refs, 1);
	blob->size = (size_t)n;
	return blob;
}

struct blob *blob_retain(struct blob *blob)
{
	if (blob != NULL)
		atomic_fetch_add(&blob->refs, 1);
	return blob;
}

void blob_release(struct blob *blob)
{
	if (blob != NULL && atomic_fetch_sub(&blob->refs, 1) == 1)
		free(blob);
}

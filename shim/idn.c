// SPDX-License-Identifier: MIT
/*
 * idn.c - libidn2, opened by hand: programs that never ask for AI_IDN never load it, and the shim
 * needs nothing but libc.
 *
 * As in glibc 2.36, a failure to open is not remembered, and the library is never closed. Names are
 * in the encoding of the program's locale, which mbrtowc(3) and libidn2 both read.
 */
#include "shim/idn.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define LIBIDN2	    "libidn2.so.0"
#define VERSION	    "IDN2_0.0.0"
#define IDN2_MALLOC (-100)

typedef int convert_fn(const char *in, char **out, int flags);

/* NULL until the first use; once set never changed (release, acquire): every thread finds the
 * same two functions, so it does not matter which one stores them. */
static _Atomic(convert_fn *) lookup_ul;
static _Atomic(convert_fn *) to_unicode_lzlz;

enum name_class { NAME_ASCII, NAME_NON_ASCII, NAME_BAD, NAME_NO_MEMORY, NAME_SYSTEM };

/* How glibc sees a name before it thinks of libidn2. */
static enum name_class classify(const char *name)
{
	const char *end = name + strlen(name) + 1;
	bool non_ascii = false, backslash = false;
	mbstate_t state = {0};
	wchar_t wide;
	size_t len;

	while ((len = mbrtowc(&wide, name, (size_t)(end - name), &state)) != 0) {
		if (len == (size_t)-2)
			return NAME_BAD;
		if (len == (size_t)-1)
			return errno == EILSEQ	 ? NAME_BAD
			       : errno == ENOMEM ? NAME_NO_MEMORY
						 : NAME_SYSTEM;
		backslash |= wide == L'\\';
		non_ascii |= wide > 127;
		name += len;
	}
	if (!non_ascii)
		return NAME_ASCII;
	return backslash ? NAME_BAD : NAME_NON_ASCII;
}

static bool load(void)
{
	convert_fn *encode, *decode;
	void *handle;

	if (atomic_load_explicit(&lookup_ul, memory_order_acquire))
		return true;
	handle = dlopen(LIBIDN2, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return false;
	encode = (convert_fn *)dlvsym(handle, "idn2_lookup_ul", VERSION);
	decode = (convert_fn *)dlvsym(handle, "idn2_to_unicode_lzlz", VERSION);
	if (!encode || !decode) {
		dlclose(handle);
		return false;
	}
	atomic_store_explicit(&to_unicode_lzlz, decode, memory_order_relaxed);
	atomic_store_explicit(&lookup_ul, encode, memory_order_release);
	return true;
}

static int copy(const char *name, char **ret)
{
	char *text = strdup(name);

	if (!text)
		return EAI_MEMORY;
	*ret = text;
	return 0;
}

/* 0, EAI_MEMORY or EAI_IDN_ENCODE. */
static int convert(convert_fn *function, const char *name, char **ret)
{
	char *text = NULL;
	int err = function(name, &text, 0);

	if (err)
		return err == IDN2_MALLOC ? EAI_MEMORY : EAI_IDN_ENCODE;
	*ret = text; /* idn2_free() is free() */
	return 0;
}

int idn_to_dns(const char *name, char **ret)
{
	switch (classify(name)) {
	case NAME_ASCII:
		return copy(name, ret);
	case NAME_BAD:
		return EAI_IDN_ENCODE;
	case NAME_NO_MEMORY:
		return EAI_MEMORY;
	case NAME_SYSTEM:
		return EAI_SYSTEM;
	case NAME_NON_ASCII:
		break;
	}
	if (!load())
		return EAI_IDN_ENCODE;
	return convert(atomic_load_explicit(&lookup_ul, memory_order_relaxed), name, ret);
}

int idn_from_dns(const char *name, char **ret)
{
	int err;

	if (!load())
		return copy(name, ret);
	err = convert(atomic_load_explicit(&to_unicode_lzlz, memory_order_relaxed), name, ret);
	return err == EAI_IDN_ENCODE ? copy(name, ret) : err;
}

// SPDX-License-Identifier: MIT
/* eai.h - the results of getaddrinfo() by their names, as the tests expect them. */
#ifndef EAI_H
#define EAI_H

#include <netdb.h>

static inline const char *eai_to_str(int eai)
{
	switch (eai) {
	case EAI_NONAME:
		return "EAI_NONAME";
	case EAI_AGAIN:
		return "EAI_AGAIN";
	case EAI_FAIL:
		return "EAI_FAIL";
	case EAI_NODATA:
		return "EAI_NODATA";
	case EAI_SYSTEM:
		return "EAI_SYSTEM";
	}
	return gai_strerror(eai);
}

#endif

// SPDX-License-Identifier: MIT
/*
 * fuzz_anchor.c - any bytes as a file of certificate authorities (resolver/tls_anchor.c).
 * links: resolver/tls_anchor.c -lssl -lcrypto
 *
 * The input is what stands between two PEM lines, in binary: it is encoded here, so that the fuzzer
 * does not have to find base64. What is looked for has an empty name, which is the easiest to meet.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/tls_anchor.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t input_size;

static int read_input(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	char *text = malloc(sizeof(BEGIN) + sizeof(END) + input_size * 2 + 8);

	(void)ctx;
	(void)path;
	strcpy(text, BEGIN);
	EVP_EncodeBlock((unsigned char *)text + strlen(text), input, (int)input_size);
	strcat(text, "\n" END);
	*ret = text;
	*ret_len = strlen(text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reactor reactor = {.host.read_file = read_input};
	static struct tls_context tls = {.reactor = &reactor};
	STACK_OF(X509) * presented, *anchors;

	if (size > 8192)
		return 0;
	input = data;
	input_size = size;
	presented = sk_X509_new_null();
	sk_X509_push(presented, X509_new());
	if (!tls_anchor_find(&tls, presented, &anchors))
		sk_X509_pop_free(anchors, X509_free);
	sk_X509_pop_free(presented, X509_free);
	return 0;
}

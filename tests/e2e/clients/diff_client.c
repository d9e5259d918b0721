// SPDX-License-Identifier: MIT
/*
 * diff_client.c - a program that looks names up and says in full what it got.
 *
 *	diff_client ROUNDS CASES ANSWERS
 *
 * Reads cases from a file (diff_case.h), asks them all ROUNDS times in order, and writes one line
 * for each to another. It
 * knows nothing of the shim: run with and without it, the lines are compared.
 *
 * errno and h_errno are set to odd values before each call, so that `kept` tells whether it wrote
 * them.
 */
#include "tests/e2e/diff_case.h"

#include <arpa/inet.h>
#include <errno.h>
#include <locale.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

#define ERRNO_BEFORE   EKEYREVOKED
#define H_ERRNO_BEFORE 77
#define GUARD	       64 /* bytes behind the _r forms' buffer that nobody may touch */
#define GUARD_BYTE     0x5a

static const char *named(int value, const char *const names[], const int values[], size_t n)
{
	static char number[4][24];
	static unsigned turn;

	for (size_t i = 0; i < n; i++)
		if (values[i] == value)
			return names[i];
	snprintf(number[++turn % 4], sizeof *number, "%d", value);
	return number[turn % 4];
}

static const char *eai_name(int eai)
{
	static const char *const names[] = {
		"0",	   "BADFLAGS", "NONAME", "AGAIN",    "FAIL",   "FAMILY",     "SOCKTYPE",
		"SERVICE", "MEMORY",   "SYSTEM", "OVERFLOW", "NODATA", "ADDRFAMILY", "IDN_ENCODE"};
	static const int values[] = {0,
				     EAI_BADFLAGS,
				     EAI_NONAME,
				     EAI_AGAIN,
				     EAI_FAIL,
				     EAI_FAMILY,
				     EAI_SOCKTYPE,
				     EAI_SERVICE,
				     EAI_MEMORY,
				     EAI_SYSTEM,
				     EAI_OVERFLOW,
				     EAI_NODATA,
				     EAI_ADDRFAMILY,
				     EAI_IDN_ENCODE};

	return named(eai, names, values, sizeof values / sizeof *values);
}

static const char *h_errno_name(int h)
{
	static const char *const names[] = {"kept",	 "INTERNAL",	"SUCCESS", "HOST_NOT_FOUND",
					    "TRY_AGAIN", "NO_RECOVERY", "NO_DATA"};
	static const int values[] = {H_ERRNO_BEFORE, NETDB_INTERNAL, NETDB_SUCCESS, HOST_NOT_FOUND,
				     TRY_AGAIN,	     NO_RECOVERY,    NO_DATA};

	return named(h, names, values, sizeof values / sizeof *values);
}

static const char *errno_name(int e)
{
	const char *name = strerrorname_np(e);

	return e == ERRNO_BEFORE ? "kept" : name == NULL ? "?" : name;
}

static void print_string(const char *s)
{
	char text[3 * 1100];

	diff_encode(s != NULL, s, text, sizeof text);
	fputs(text, stdout);
}

/* ---- getaddrinfo ---- */

static void print_address(const struct addrinfo *ai)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (ai->ai_addr == NULL) {
		printf("no address");
	} else if (ai->ai_addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ai->ai_addr;

		printf("%s port %d", inet_ntop(AF_INET, &in->sin_addr, text, sizeof text),
		       ntohs(in->sin_port));
		for (size_t i = 0; i < sizeof in->sin_zero; i++)
			if (in->sin_zero[i] != 0)
				printf(" sin_zero[%zu]=%d", i, in->sin_zero[i]);
	} else {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ai->ai_addr;

		printf("family %d %s port %d scope %u flow %u", ai->ai_addr->sa_family,
		       inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text),
		       ntohs(in6->sin6_port), in6->sin6_scope_id, in6->sin6_flowinfo);
	}
}

static void ask_getaddrinfo(const struct diff_case *c)
{
	struct addrinfo hints = {.ai_flags = c->flags,
				 .ai_family = c->family,
				 .ai_socktype = c->socktype,
				 .ai_protocol = c->protocol};
	struct addrinfo untouched, *list = &untouched;
	int eai, err, h;

	h_errno = H_ERRNO_BEFORE;
	errno = ERRNO_BEFORE;
	eai = getaddrinfo(c->has_name ? c->name : NULL, c->has_service ? c->service : NULL,
			  c->call == DIFF_GAI_NO_HINTS ? NULL : &hints, &list);
	err = errno;
	h = h_errno;
	printf("%s\t%s\t%s\t", eai_name(eai), errno_name(err), h_errno_name(h));
	if (eai != 0) {
		printf("%s", list == &untouched ? "untouched" : list == NULL ? "NULL" : "a list");
	} else {
		for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
			printf("[");
			print_address(ai);
			printf(" flags 0x%x family %d type %d protocol %d len %u", ai->ai_flags,
			       ai->ai_family, ai->ai_socktype, ai->ai_protocol, ai->ai_addrlen);
			if (ai->ai_canonname != NULL) {
				printf(" canon ");
				print_string(ai->ai_canonname);
			}
			printf("]");
		}
		freeaddrinfo(list);
	}
	printf("\n");
}

/* ---- gethostbyname ---- */

static void print_hostent(const struct hostent *h)
{
	char text[INET6_ADDRSTRLEN];

	print_string(h->h_name);
	printf(" type %d length %d addresses", h->h_addrtype, h->h_length);
	for (char **a = h->h_addr_list; *a != NULL; a++)
		printf(" %s", inet_ntop(h->h_addrtype, *a, text, sizeof text));
	printf(" aliases");
	for (char **a = h->h_aliases; *a != NULL; a++) {
		printf(" ");
		print_string(*a);
	}
}

static void ask_gethostbyname(const struct diff_case *c)
{
	struct hostent *h;

	h_errno = H_ERRNO_BEFORE;
	errno = ERRNO_BEFORE;
	h = c->call == DIFF_GHBN ? gethostbyname(c->name) : gethostbyname2(c->name, c->family);
	printf("%s\t%s\t%s\t", h == NULL ? "NULL" : "0", errno_name(errno), h_errno_name(h_errno));
	if (h != NULL)
		print_hostent(h);
	printf("\n");
}

/* Does everything that the result points to lie in the buffer? */
static bool inside(const struct hostent *h, const char *buf, size_t size)
{
#define IN(p) ((const char *)(p) >= buf && (const char *)(p) < buf + size)
	bool ok = IN(h->h_name) && IN(h->h_aliases) && IN(h->h_addr_list);

	for (char **a = h->h_addr_list; *a != NULL; a++)
		ok = ok && IN(*a);
	for (char **a = h->h_aliases; *a != NULL; a++)
		ok = ok && IN(*a);
	return ok;
#undef IN
}

static void ask_gethostbyname_r(const struct diff_case *c)
{
	char *buf = malloc(c->size + GUARD);
	struct hostent hostent, *h = &hostent;
	int h_err = H_ERRNO_BEFORE, r, err;

	if (buf == NULL)
		exit(1);
	memset(buf, GUARD_BYTE, c->size + GUARD);
	h_errno = H_ERRNO_BEFORE;
	errno = ERRNO_BEFORE;
	r = c->call == DIFF_GHBN_R
		    ? gethostbyname_r(c->name, &hostent, buf, c->size, &h, &h_err)
		    : gethostbyname2_r(c->name, c->family, &hostent, buf, c->size, &h, &h_err);
	err = errno;
	printf("%s\t%s\t%s\t", r == 0 ? "0" : errno_name(r), errno_name(err), h_errno_name(h_err));
	if (h == NULL)
		printf("NULL");
	else if (h != &hostent)
		printf("a hostent that is not ours");
	else if (!inside(h, buf, c->size))
		printf("pointers outside of the buffer");
	else
		print_hostent(h);
	for (size_t i = 0; i < GUARD; i++)
		if (buf[c->size + i] != GUARD_BYTE) {
			printf(" OVERRUN");
			break;
		}
	printf("\n");
	free(buf);
}

static void ask(const struct diff_case *c)
{
	switch (c->call) {
	case DIFF_GAI:
	case DIFF_GAI_NO_HINTS:
		ask_getaddrinfo(c);
		break;
	case DIFF_GHBN:
	case DIFF_GHBN2:
		ask_gethostbyname(c);
		break;
	case DIFF_GHBN_R:
	case DIFF_GHBN2_R:
		ask_gethostbyname_r(c);
		break;
	case DIFF_CALLS:
		break;
	}
}

int main(int argc, char **argv)
{
	static struct diff_case cases[1024];
	char line[DIFF_LINE_MAX];
	size_t n = 0;
	int rounds = argc == 4 ? atoi(argv[1]) : 0;

	if (rounds < 1 || freopen(argv[2], "r", stdin) == NULL ||
	    freopen(argv[3], "w", stdout) == NULL) {
		fprintf(stderr, "usage: diff_client ROUNDS CASES ANSWERS\n");
		return 2;
	}
	setlocale(LC_ALL, "");
	while (n < sizeof cases / sizeof *cases && fgets(line, sizeof line, stdin) != NULL)
		if (!diff_case_parse(line, &cases[n++])) {
			fprintf(stderr, "diff_client: not a case: line %zu\n", n);
			return 2;
		}
	while (rounds-- > 0)
		for (size_t i = 0; i < n; i++)
			ask(&cases[i]);
	return fflush(stdout) == 0 ? 0 : 1;
}

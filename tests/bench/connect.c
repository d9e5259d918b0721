// SPDX-License-Identifier: MIT
/*
 * connect [-k CORE] [-c CALLS] [-n] [-l NAME] [-o hooked|libc] SUBJECT ADDRESS [PORT]
 *
 * What connect() to a literal costs beside libc's own connect(), in one process: the two take turns
 * at random, each on a socket of its own. Without PORT the program listens on ADDRESS itself.
 * -n: non-blocking. -l: NAME has been looked up before. -o: one of the two only, and no times, for
 * tools that count instructions.
 *
 * Figures: `hooked` and `libc`, medians in ns, and `ratio`.
 */
#include "bench.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int (*connect_fn)(int fd, const struct sockaddr *addr, socklen_t len);

struct target {
	struct sockaddr_storage addr;
	socklen_t len;
	int listener; /* -1: somebody else listens */
	bool nonblocking;
};

/* Past every preloaded library. */
static connect_fn libc_connect(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	connect_fn fn = libc != NULL ? (connect_fn)dlsym(libc, "connect") : NULL;

	if (fn == NULL)
		bench_die("libc.so.6", "no connect()");
	return fn;
}

static void look_up(const char *name)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;

	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		bench_die("no answer", name);
	freeaddrinfo(list);
}

static void parse(struct target *t, const char *address, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *list;

	if (getaddrinfo(address, port != NULL ? port : "0", &hints, &list) != 0)
		bench_die("no literal", address);
	memcpy(&t->addr, list->ai_addr, list->ai_addrlen);
	t->len = list->ai_addrlen;
	freeaddrinfo(list);
	t->listener = -1;
}

static void listen_there(struct target *t)
{
	t->listener = socket(t->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(t->listener, (struct sockaddr *)&t->addr, t->len) != 0 ||
	    listen(t->listener, 1024) != 0 ||
	    getsockname(t->listener, (struct sockaddr *)&t->addr, &t->len) != 0)
		bench_die("cannot listen", strerror(errno));
}

/* The time of one call. The connection is aborted, so that no port stays in TIME-WAIT. */
static uint64_t call(const struct target *t, connect_fn fn)
{
	const struct linger abort_it = {.l_onoff = 1};
	int type = SOCK_STREAM | SOCK_CLOEXEC | (t->nonblocking ? SOCK_NONBLOCK : 0);
	int fd = socket(t->addr.ss_family, type, 0), r, accepted;
	uint64_t start, took;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof abort_it);
	start = bench_now_ns();
	r = fn(fd, (const struct sockaddr *)&t->addr, t->len);
	took = bench_now_ns() - start;
	if (r != 0 && errno != EINPROGRESS)
		bench_die("connect", strerror(errno));
	close(fd);
	while (t->listener >= 0 && (accepted = accept(t->listener, NULL, NULL)) >= 0)
		close(accepted);
	return took;
}

static void measure(const struct target *t, const char *subject, size_t ncalls)
{
	const connect_fn fns[2] = {connect, libc_connect()};
	struct bench_samples samples[2];
	uint64_t random = 88172645463325252u, cost = bench_clock_cost_ns(), p50[2];

	for (int k = 0; k < 2; k++)
		bench_samples_init(&samples[k], ncalls);
	for (size_t i = 0; i < ncalls + ncalls / 10; i++) {
		unsigned first = bench_random(&random) >> 63;

		for (unsigned k = 0; k < 2; k++) {
			unsigned which = first ^ k;
			uint64_t took = call(t, fns[which]);

			if (i >= ncalls / 10) /* before: warming up */
				bench_sample(&samples[which], took > cost ? took - cost : 0);
		}
	}
	for (int k = 0; k < 2; k++) {
		bench_sort(&samples[k]);
		p50[k] = bench_percentile(&samples[k], 500);
	}
	bench_emit(subject, "hooked", (double)p50[0]);
	bench_emit(subject, "libc", (double)p50[1]);
	bench_emit(subject, "ratio", (double)p50[0] / (double)p50[1]);
}

int main(int argc, char **argv)
{
	const char *name = NULL, *only = NULL;
	struct target target = {.nonblocking = false};
	size_t ncalls = 2000;
	connect_fn fn;
	int option;

	while ((option = getopt(argc, argv, "k:c:nl:o:")) != -1) {
		if (option == 'k')
			bench_pin(atoi(optarg));
		else if (option == 'c')
			ncalls = (size_t)atol(optarg);
		else if (option == 'n')
			target.nonblocking = true;
		else if (option == 'l')
			name = optarg;
		else if (option == 'o')
			only = optarg;
		else
			return 2;
	}
	if (argc - optind < 2) {
		fputs("usage: connect [options] SUBJECT ADDRESS [PORT]\n", stderr);
		return 2;
	}
	parse(&target, argv[optind + 1], argv[optind + 2]);
	if (argv[optind + 2] == NULL)
		listen_there(&target);
	if (name != NULL)
		look_up(name);
	if (only == NULL) {
		measure(&target, argv[optind], ncalls);
		return 0;
	}
	fn = strcmp(only, "libc") == 0 ? libc_connect() : connect;
	for (size_t i = 0; i < ncalls; i++)
		call(&target, fn);
	return 0;
}

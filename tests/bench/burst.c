// SPDX-License-Identifier: MIT
/*
 * burst ZONE RUN COUNT ROUNDS SUBJECT - how fast new names are resolved that are asked for at once:
 * COUNT of them by one getaddrinfo_a(GAI_WAIT), ROUNDS times, after one lookup that opens the
 * connection.
 *
 * Figures: `rate`, answers a second; `lost`, names without an answer.
 */
#include "bench.h"

#include <netdb.h>

static const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};

/* Names that nobody has asked for in this RUN. The memory lives as long as the process. */
static struct gaicb **requests(const char *zone, const char *run, unsigned round, unsigned n)
{
	struct gaicb **list = bench_alloc(n, sizeof *list);

	for (unsigned i = 0; i < n; i++) {
		char *name = bench_alloc(1, BENCH_NAME_SIZE);

		snprintf(name, BENCH_NAME_SIZE, "b%u-%u-%s.%s", i, round, run, zone);
		list[i] = bench_alloc(1, sizeof *list[i]);
		*list[i] = (struct gaicb){.ar_name = name, .ar_request = &hints};
	}
	return list;
}

static void open_connection(const char *zone, const char *run)
{
	struct addrinfo *list = NULL;
	char name[BENCH_NAME_SIZE];

	snprintf(name, sizeof name, "first-%s.%s", run, zone);
	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		bench_die("no answer", name);
	freeaddrinfo(list);
}

int main(int argc, char **argv)
{
	unsigned n = argc == 6 ? (unsigned)atoi(argv[3]) : 0;
	unsigned rounds = argc == 6 ? (unsigned)atoi(argv[4]) : 0;
	unsigned lost = 0;
	uint64_t took = 0;

	if (n == 0 || rounds == 0) {
		fputs("usage: burst ZONE RUN COUNT ROUNDS SUBJECT\n", stderr);
		return 2;
	}
	open_connection(argv[1], argv[2]);
	for (unsigned round = 0; round < rounds; round++) {
		struct gaicb **list = requests(argv[1], argv[2], round, n);
		uint64_t start = bench_now_ns();

		getaddrinfo_a(GAI_WAIT, list, (int)n, NULL);
		took += bench_now_ns() - start;
		for (unsigned i = 0; i < n; i++)
			lost += gai_error(list[i]) != 0;
	}
	bench_emit(argv[5], "rate", (n * rounds - lost) * 1e9 / (double)took);
	bench_emit(argv[5], "lost", lost);
	return 0;
}

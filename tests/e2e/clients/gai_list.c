// SPDX-License-Identifier: MIT
/*
 * gai_list HOW [-a] COUNT [ROUNDS] - looks a list of COUNT names up by getaddrinfo_a() and prints
 * each result; with -a how many threads and descriptors there were instead, once a round.
 *
 * HOW: wait (GAI_WAIT), suspend (GAI_NOWAIT and gai_suspend()), thread, signal (notifications).
 * The names, by their place: one that only this run has asked for, one that all have, one that does
 * not exist, a number, NULL, an unknown service, one that needs the search list.
 */
#include "gai_util.h"

#include <arpa/inet.h>

static const struct addrinfo tcp = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};

/* The place of the NULL entries in each seven. */
#define NOTHING 4

static void fill(struct batch *b, int n, int round)
{
	for (int i = 0; i < n; i++) {
		switch (i % 7) {
		case 0:
			batch_add(b, "n%d-%d.cold.test", round, i);
			break;
		case 1:
			batch_add(b, "www.test");
			break;
		case 2:
			batch_add(b, "n%d-%d.gone.test.", round, i);
			break;
		case 3:
			batch_add(b, "192.0.2.%d", i % 250);
			break;
		case NOTHING:
			batch_add(b, "-");
			b->list[i] = NULL;
			break;
		case 5:
			batch_add(b, "n%d-%d.cold.test", round, i);
			b->requests[i].ar_service = "no-such-service";
			break;
		default:
			batch_add(b, "short%d-%d", round, i);
			b->requests[i].ar_service = "80";
		}
		b->requests[i].ar_request = i % 2 ? &tcp : NULL;
	}
}

static void print(struct batch *b)
{
	char text[INET6_ADDRSTRLEN], port[16];

	for (int i = 0; i < b->n; i++) {
		const struct addrinfo *first = b->requests[i].ar_result;

		printf("%s: %s", b->names[i],
		       b->list[i] == NULL ? "" : gai_strerror(gai_error(b->list[i])));
		for (const struct addrinfo *ai = first; ai != NULL; ai = ai->ai_next) {
			getnameinfo(ai->ai_addr, ai->ai_addrlen, text, sizeof text, port,
				    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
			printf(" %s#%s/%d", text, port, ai->ai_socktype);
		}
		if (first != NULL && first->ai_canonname != NULL)
			printf(" (%s)", first->ai_canonname);
		printf("\n");
	}
}

/* The most threads seen. */
static int look_up(struct batch *b, const char *how)
{
	struct sigevent event;

	if (strcmp(how, "wait") == 0) {
		must(getaddrinfo_a(GAI_WAIT, b->list, b->n, NULL) == 0);
		must(batch_count(b, EAI_INPROGRESS) == 0);
		return count_threads();
	}
	if (strcmp(how, "suspend") == 0) {
		must(getaddrinfo_a(GAI_NOWAIT, b->list, b->n, NULL) == 0);
		return suspend_until_done(b);
	}
	must(strcmp(how, "thread") == 0 || strcmp(how, "signal") == 0);
	atomic_store(&notified, 0);
	event = *how == 't' ? by_thread() : by_signal();
	must(getaddrinfo_a(GAI_NOWAIT, b->list, b->n, &event) == 0);
	wait_notified(1);
	must(batch_count(b, EAI_INPROGRESS) == 0);
	return count_threads();
}

int main(int argc, char **argv)
{
	static struct batch b;
	bool account = argc > 2 && strcmp(argv[2], "-a") == 0;
	int n = argc > 2 + account ? atoi(argv[2 + account]) : 0;
	int rounds = argc > 3 + account ? atoi(argv[3 + account]) : 1;

	must(argc > 2 + account);
	for (int round = 0; round < rounds; round++) {
		int threads;

		fill(&b, n, round);
		threads = look_up(&b, argv[1]);
		if (!account)
			print(&b);
		batch_clear(&b);
		if (account)
			printf("threads %d descriptors %d\n", threads, count_descriptors());
	}
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * hold SUBJECT IDLE_S NAME - looks NAME up and stays there for IDLE_S seconds.
 *
 * Figures: `heap`, bytes that malloc() has given out, `memory`, anonymous pages in memory, both
 * after the lookup; with IDLE_S, `wake_ups` of all other threads during that time.
 */
#include "bench.h"

#include <dirent.h>
#include <malloc.h>
#include <netdb.h>
#include <unistd.h>

/* A number of a file's line "WORD number". */
static unsigned long number_in(const char *path, const char *word)
{
	FILE *f = fopen(path, "re");
	unsigned long n = 0;
	char line[256];

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, word, strlen(word)) == 0)
			n = strtoul(line + strlen(word), NULL, 10);
	if (f != NULL)
		fclose(f);
	return n;
}

static unsigned long wake_ups(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned long n = 0;
	char path[300];

	for (struct dirent *d; tasks != NULL && (d = readdir(tasks)) != NULL;) {
		if (atoi(d->d_name) == getpid() || d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%s/status", d->d_name);
		n += number_in(path, "voluntary_ctxt_switches:");
	}
	if (tasks != NULL)
		closedir(tasks);
	return n;
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	unsigned idle_s = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
	struct addrinfo *list = NULL;
	struct mallinfo2 heap;
	unsigned long before;

	if (argc != 4) {
		fputs("usage: hold SUBJECT IDLE_S NAME\n", stderr);
		return 2;
	}
	if (getaddrinfo(argv[3], NULL, &hints, &list) != 0)
		bench_die("no answer", argv[3]);
	freeaddrinfo(list);
	usleep(300000); /* what comes after the answer: tickets */
	heap = mallinfo2();
	bench_emit(argv[1], "heap", (double)(heap.uordblks + heap.hblkhd));
	bench_emit(argv[1], "memory",
		   (double)number_in("/proc/self/smaps_rollup", "Anonymous:") * 1024);
	if (idle_s == 0)
		return 0;
	sleep(1);
	before = wake_ups();
	sleep(idle_s);
	bench_emit(argv[1], "wake_ups", (double)(wake_ups() - before));
	return 0;
}

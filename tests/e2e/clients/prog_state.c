// SPDX-License-Identifier: MIT
/*
 * prog_state [-n TIMES] NAME... - looks the names up (IPv4), and prints how many threads and open
 * descriptors the process has after that. A lookup that fails ends it with status 1.
 */
#include <dirent.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	if (dir == NULL)
		return 0;
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	int times = 1, c;

	while ((c = getopt(argc, argv, "n:")) != -1) {
		if (c != 'n')
			return 2;
		times = atoi(optarg);
	}
	for (int i = 0; i < times; i++) {
		for (char **name = argv + optind; *name != NULL; name++) {
			struct addrinfo *list;

			if (getaddrinfo(*name, "80", &hints, &list) != 0)
				return 1;
			freeaddrinfo(list);
		}
	}
	printf("threads %u\n", entries("/proc/self/task"));
	/* one of them is the folder's own */
	printf("descriptors %u\n", entries("/proc/self/fd") - 1);
	return 0;
}

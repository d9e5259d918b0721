// SPDX-License-Identifier: MIT
/*
 * crowd.h - processes that begin at the same moment and look names up: what the programs of that
 * kind, stale.c and the tests' stale_client.c, have for options, and how the processes start.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct crowd {
	unsigned processes;
	unsigned times;	    /* each looks each name up */
	unsigned wait_us;   /* after each lookup */
	unsigned count;	    /* of names; 0: one, as it is given */
	bool first_is_free; /* the first lookup of each name does not count */
};

#define CROWD_ONE                                                                                  \
	{                                                                                          \
		.processes = 1, .times = 1                                                         \
	}
#define CROWD_OPTIONS "p:t:w:c:1" /* for getopt(3) */

/* False: it is none of CROWD_OPTIONS. */
static inline bool crowd_option(struct crowd *crowd, int option, const char *value)
{
	unsigned *to = option == 'p'   ? &crowd->processes
		       : option == 't' ? &crowd->times
		       : option == 'w' ? &crowd->wait_us
		       : option == 'c' ? &crowd->count
				       : NULL;

	if (to != NULL)
		*to = (unsigned)atoi(value);
	else if (option == '1')
		crowd->first_is_free = true;
	return to != NULL || option == '1';
}

static inline unsigned crowd_nnames(const struct crowd *crowd)
{
	return crowd->count > 0 ? crowd->count : 1;
}

/* How many lookups each process makes. */
static inline unsigned crowd_each(const struct crowd *crowd)
{
	return crowd->times * crowd_nnames(crowd);
}

/*
 * A process that does `prepare` (or NULL), waits for the end of the pipe `go`, which comes when its
 * parent closes go[1], does `work` and ends with 0. Returns what fork() does.
 */
static inline pid_t crowd_start(const int go[2], void (*prepare)(void),
				void (*work)(unsigned which), unsigned which)
{
	pid_t pid = fork();
	char c;

	if (pid != 0)
		return pid;
	close(go[1]);
	if (prepare != NULL)
		prepare();
	if (read(go[0], &c, 1) != 0)
		_exit(1);
	close(go[0]);
	work(which);
	_exit(0);
}

#endif

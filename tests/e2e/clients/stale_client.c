// SPDX-License-Identifier: MIT
/*
 * stale_client [-p PROCESSES] [-t TIMES] [-w US] [-c COUNT] [-a API] [-d] [-1] NAME - PROCESSES
 * processes begin at the same moment and look NAME up, TIMES times, with US microseconds in
 * between; with a COUNT, so many names: 0.NAME, 1.NAME and so on. By getaddrinfo(), or API: `host`
 * for gethostbyname_r(), `async` for getaddrinfo_a(). With -d they are killed one after the other,
 * each half a second after the one before, but for the last. With -1 the first lookup of each name
 * does not count. Prints what came of it, and exits with 1 where there were errors or tries again:
 *
 *	errors 0 slow 8 crawling 0 longest 301 again 0 waited 8 spread 2 wall 304
 *
 * Errors are lookups without an address, but for those that say EAI_AGAIN, which are counted apart.
 * Slow are lookups of more than 100 ms; crawling are processes with more than one of those; waited
 * have those of more than 1 ms, or 20 where a sanitizer makes everything slow. The longest is in
 * milliseconds, and so is the spread, between the beginnings of the first and of the last process.
 *
 * What the machine takes is taken off: a lookup takes no time in which its thread has not slept of
 * its own accord (ru_nvcsw), and none in which it could run and had no core (schedstat). `wall` is
 * the longest of those that slept with nothing taken off.
 */
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "client.h"
#include "tests/bench/crowd.h"

#define SLOW_MS	  100
#define WAITED_MS (getenv("NBD_SANITIZER") != NULL ? 20 : 1)
#define DEATHS_US 500000

static struct crowd crowd = CROWD_ONE;
static bool dying;
static const char *suffix, *api = "";
static int schedstat = -1; /* of this thread */

static struct shared {
	_Atomic unsigned errors, again, slow, crawling, waited;
	_Atomic unsigned longest_ms, wall_ms; /* one writer at a time loses nothing that matters */
	_Atomic unsigned long long first_us, last_us; /* first lookups */
} * shared;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* What this thread has waited for a core in its life; 0 where the kernel does not say. */
static double delayed_ms(void)
{
	unsigned long long ran, delayed = 0;
	char text[128];
	ssize_t n = pread(schedstat, text, sizeof text - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%llu %llu", &ran, &delayed) == 2 ? (double)delayed / 1e6 : 0;
}

static int by_host(const char *name)
{
	struct hostent host, *found = NULL;
	char room[4096];
	int err = 0;

	if (gethostbyname_r(name, &host, room, sizeof room, &found, &err) == 0 && found != NULL)
		return 0;
	return err == TRY_AGAIN ? EAI_AGAIN : EAI_FAIL;
}

static int by_addrinfo(const char *name)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct gaicb request = {.ar_name = name, .ar_service = "80", .ar_request = &hints};
	struct gaicb *list[] = {&request};
	int r;

	if (strcmp(api, "async") != 0) {
		r = getaddrinfo(name, "80", &hints, &request.ar_result);
	} else {
		must(getaddrinfo_a(GAI_WAIT, list, 1, NULL) == 0);
		r = gai_error(&request);
	}
	if (request.ar_result != NULL)
		freeaddrinfo(request.ar_result);
	return r;
}

static void raise_to(_Atomic unsigned *most, unsigned value)
{
	if (value > atomic_load(most))
		atomic_store(most, value);
}

/* How often this thread has slept of its own accord. */
static long sleeps(void)
{
	struct rusage usage;

	must(getrusage(RUSAGE_THREAD, &usage) == 0);
	return usage.ru_nvcsw;
}

/* How many milliseconds it waited. */
static double look_up(unsigned number)
{
	double start, delayed, ms;
	char name[256];
	long switches;
	int r;

	if (crowd.count > 0)
		snprintf(name, sizeof name, "%u.%s", number, suffix);
	else
		snprintf(name, sizeof name, "%s", suffix);
	switches = sleeps();
	delayed = delayed_ms();
	start = now_ms();
	r = strcmp(api, "host") == 0 ? by_host(name) : by_addrinfo(name);
	ms = now_ms() - start - (delayed_ms() - delayed);
	if (r != 0)
		atomic_fetch_add(r == EAI_AGAIN ? &shared->again : &shared->errors, 1);
	if (sleeps() == switches)
		return 0;
	raise_to(&shared->wall_ms, (unsigned)(now_ms() - start));
	return ms > 0 ? ms : 0;
}

static void note_start(void)
{
	unsigned long long us = (unsigned long long)(now_ms() * 1e3), none = 0;

	atomic_compare_exchange_strong(&shared->first_us, &none, us);
	atomic_store(&shared->last_us, us);
}

static void work(unsigned which)
{
	unsigned slow = 0, names = crowd_nnames(&crowd);

	schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	(void)which;
	note_start();
	for (unsigned i = 0; i < crowd_each(&crowd); i++) {
		double ms = look_up(i % names);

		if (i >= names || !crowd.first_is_free) {
			slow += ms > SLOW_MS;
			atomic_fetch_add(&shared->waited, ms > WAITED_MS);
			raise_to(&shared->longest_ms, (unsigned)ms);
		}
		if (crowd.wait_us > 0)
			usleep(crowd.wait_us);
	}
	atomic_fetch_add(&shared->slow, slow);
	atomic_fetch_add(&shared->crawling, slow > 1);
}

static void end(const pid_t *pids)
{
	for (unsigned i = 0; i < crowd.processes; i++) {
		bool dies = dying && i + 1 < crowd.processes;
		int status = -1;

		if (dies) {
			usleep(DEATHS_US);
			must(kill(pids[i], SIGKILL) == 0);
		}
		must(waitpid(pids[i], &status, 0) > 0);
		must(dies ? WIFSIGNALED(status) || status == 0 : status == 0);
	}
}

int main(int argc, char **argv)
{
	int c, go[2];
	pid_t *pids;

	while ((c = getopt(argc, argv, CROWD_OPTIONS "a:d")) != -1) {
		if (c == 'a')
			api = optarg;
		else if (c == 'd')
			dying = true;
		else if (!crowd_option(&crowd, c, optarg))
			return 2;
	}
	if (optind != argc - 1)
		return 2;
	suffix = argv[optind];
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	pids = calloc(crowd.processes + 1, sizeof *pids);
	must(shared != MAP_FAILED && pids != NULL && pipe(go) == 0);
	for (unsigned i = 0; i < crowd.processes; i++) {
		pids[i] = crowd_start(go, NULL, work, i);
		must(pids[i] >= 0);
	}
	close(go[1]);
	end(pids);
	free(pids);
	printf("errors %u slow %u crawling %u longest %u again %u waited %u spread %llu "
	       "wall %u\n",
	       shared->errors, shared->slow, shared->crawling, shared->longest_ms, shared->again,
	       shared->waited, (shared->last_us - shared->first_us + 999) / 1000, shared->wall_ms);
	return shared->errors + shared->again > 0;
}

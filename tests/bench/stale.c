// SPDX-License-Identifier: MIT
/*
 * stale [-p PROCESSES] [-t TIMES] [-w US] [-c COUNT] [-i NAME] [-1] SUBJECT NAME - how long
 * lookups take while the upstream is in trouble. PROCESSES begin at the same moment and look NAME
 * up, TIMES times, with US microseconds in between; with a COUNT, so many names: n0.NAME, n1.NAME
 * and so on. With -i each looks another name up before. With -1 the first lookup of each name does
 * not count.
 *
 * Figures, in nanoseconds by the wall: `p50`, `p90`, `p99`, `max`; `lookups`; `errors`; `spread`,
 * between the beginnings of the first and of the last process; and of the lookups that began, in
 * any process, when the first wait of all was over: `then`, the longest; `over`, how many took more
 * than a millisecond; `waited`, how many of those have slept of their own accord, and are waits.
 * The rest is the machine's, which gave the core to somebody else.
 */
#include "bench.h"
#include "crowd.h"

#include <netdb.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_NS 1000000u

struct one {
	uint64_t start_ns, ns;
	bool slept, failed;
};

static struct crowd crowd = CROWD_ONE;
static const char *zone, *before;

/* Shared with all processes: their lookups, and when each of them began. */
static struct one *ones;
static uint64_t *began;

/* How often this thread has slept of its own accord. */
static long sleeps(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static struct one look_up_name(const char *name)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	long slept = sleeps();
	struct one one;

	one.start_ns = bench_now_ns();
	one.failed = getaddrinfo(name, "80", &hints, &list) != 0;
	one.ns = bench_now_ns() - one.start_ns;
	one.slept = sleeps() > slept;
	if (list != NULL)
		freeaddrinfo(list);
	return one;
}

static struct one look_up(unsigned number)
{
	char name[2 * BENCH_NAME_SIZE];

	if (crowd.count == 0)
		return look_up_name(zone);
	snprintf(name, sizeof name, "n%u.%s", number, zone);
	return look_up_name(name);
}

static void look_up_before(void)
{
	if (before != NULL)
		(void)look_up_name(before);
}

static void work(unsigned which)
{
	struct one *own = ones + (size_t)which * crowd_each(&crowd);

	began[which] = bench_now_ns();
	for (unsigned i = 0; i < crowd_each(&crowd); i++) {
		own[i] = look_up(i % crowd_nnames(&crowd));
		if (crowd.wait_us > 0)
			usleep(crowd.wait_us);
	}
}

static bool is_wait(const struct one *one)
{
	return one->ns > LONG_NS && one->slept;
}

/* When the first wait was over; 0: nobody waited. */
static uint64_t first_wait_ns(size_t n)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < n; i++)
		if (is_wait(&ones[i]) && ones[i].start_ns + ones[i].ns < first)
			first = ones[i].start_ns + ones[i].ns;
	return first == UINT64_MAX ? 0 : first;
}

static void emit_lookups(const char *subject)
{
	unsigned each = crowd_each(&crowd), skip = crowd.first_is_free ? crowd_nnames(&crowd) : 0;
	uint64_t from_ns = first_wait_ns((size_t)crowd.processes * each), then = 0;
	unsigned errors = 0, over = 0, waited = 0;
	struct bench_samples every;

	bench_samples_init(&every, (size_t)crowd.processes * each);
	for (size_t i = 0; i < (size_t)crowd.processes * each; i++) {
		if (i % each < skip)
			continue;
		bench_sample(&every, ones[i].ns);
		errors += ones[i].failed;
		if (ones[i].start_ns < from_ns)
			continue;
		then = ones[i].ns > then ? ones[i].ns : then;
		over += ones[i].ns > LONG_NS;
		waited += is_wait(&ones[i]);
	}
	bench_emit(subject, "lookups", (double)every.n);
	bench_emit_times(subject, "p50", &every);
	bench_emit(subject, "errors", errors);
	bench_emit(subject, "then", (double)then);
	bench_emit(subject, "over", over);
	bench_emit(subject, "waited", waited);
}

static void emit_spread(const char *subject)
{
	uint64_t earliest = UINT64_MAX, latest = 0;

	for (unsigned p = 0; p < crowd.processes; p++) {
		earliest = began[p] < earliest ? began[p] : earliest;
		latest = began[p] > latest ? began[p] : latest;
	}
	bench_emit(subject, "spread", (double)(latest - earliest));
}

static void *shared(size_t n, size_t size)
{
	void *p = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		bench_die("memory", strerror(errno));
	return p;
}

static void read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, CROWD_OPTIONS "i:")) != -1) {
		if (c == 'i')
			before = optarg;
		else if (!crowd_option(&crowd, c, optarg))
			exit(2);
	}
	if (optind != argc - 2) {
		fputs("usage: stale [-p PROCESSES] [-t TIMES] [-w US] [-c COUNT] [-i NAME] [-1] "
		      "SUBJECT NAME\n",
		      stderr);
		exit(2);
	}
	zone = argv[optind + 1];
}

int main(int argc, char **argv)
{
	int go[2];

	read_options(argc, argv);
	ones = shared((size_t)crowd.processes * crowd_each(&crowd), sizeof *ones);
	began = shared(crowd.processes, sizeof *began);
	if (pipe(go) != 0)
		bench_die("pipe", strerror(errno));
	for (unsigned i = 0; i < crowd.processes; i++)
		if (crowd_start(go, look_up_before, work, i) < 0)
			bench_die("fork", strerror(errno));
	if (before != NULL)
		sleep(1); /* all of them are ready */
	close(go[1]);
	for (unsigned i = 0; i < crowd.processes; i++) {
		int status;

		if (wait(&status) < 0 || status != 0)
			bench_die("a process", "did not end well");
	}
	emit_lookups(argv[optind]);
	emit_spread(argv[optind]);
	return 0;
}

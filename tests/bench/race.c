// SPDX-License-Identifier: MIT
/*
 * race [-m blocking|poll|epoll|relay] [-c ROUNDS] [-w WARMUP] [-a AT_ONCE] [-x EXTRA] SUBJECT NAME
 * PORT
 *
 * A program that connects as programs do: it looks NAME up, connects to the first address and, when
 * that has failed, to the next one. Each of ROUNDS makes AT_ONCE connections together (epoll), and
 * closes them. EXTRA other descriptors are in the epoll set. With `relay` another thread of the
 * program waits for the socket, and wakes the one that waits for that: no race, but the two
 * wake-ups that one has, whoever makes it.
 *
 * Figures: `time`, the median in ns from connect() to the connection, `worst`, `all`, the same for
 * all of a round, `cpu`, what the process and its threads took for a connection in us, `failed`,
 * `descriptors`, how many there are more at the end than before, and `threads` of the process.
 */
#include "bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPARE_FDS 4000 /* beside the extra ones: what connects, and what the shim has */

enum mode { BLOCKING, POLL, EPOLL, RELAY };

struct plan {
	enum mode mode;
	unsigned nrounds, nwarmup, nonce, nextra;
	const char *subject;
	const struct addrinfo *addresses;
	int epoll;
	int relayed; /* RELAY: an eventfd, written by the thread that waits in `epoll` */
};

/* A connection that is being made. */
struct attempt {
	const struct addrinfo *address;
	int fd;
	uint64_t start_ns, end_ns; /* end 0: not yet */
};

struct totals {
	struct bench_samples times, alls;
	unsigned nfailed;
};

static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;)
		n += d->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return n;
}

static void finish(struct attempt *a, bool connected, struct totals *t)
{
	if (!connected)
		t->nfailed++;
	a->end_ns = bench_now_ns();
}

/* Connects to the attempt's address, or to those after it. */
static void try_addresses(const struct plan *p, struct attempt *a, struct totals *t)
{
	int nonblock = p->mode == BLOCKING ? 0 : SOCK_NONBLOCK;

	for (; a->address != NULL; a->address = a->address->ai_next) {
		struct epoll_event event = {.events = EPOLLOUT, .data.ptr = a};

		a->fd = socket(a->address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | nonblock, 0);
		if (a->fd < 0)
			bench_die("socket", strerror(errno));
		if (connect(a->fd, a->address->ai_addr, a->address->ai_addrlen) == 0) {
			finish(a, true, t);
			return;
		}
		if (errno == EINPROGRESS) {
			if (p->mode == RELAY)
				event.events |= EPOLLONESHOT;
			if (p->mode != POLL &&
			    epoll_ctl(p->epoll, EPOLL_CTL_ADD, a->fd, &event) != 0)
				bench_die("epoll_ctl", strerror(errno));
			return;
		}
		close(a->fd);
		a->fd = -1;
	}
	finish(a, false, t);
}

/* The socket is writable: connected, or not. */
static void settle(const struct plan *p, struct attempt *a, struct totals *t)
{
	int error = 0;
	socklen_t len = sizeof error;

	getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error == 0) {
		if (p->mode != POLL && epoll_ctl(p->epoll, EPOLL_CTL_DEL, a->fd, NULL) != 0)
			bench_die("epoll_ctl", strerror(errno));
		finish(a, true, t);
		return;
	}
	close(a->fd);
	a->fd = -1;
	a->address = a->address->ai_next;
	try_addresses(p, a, t);
}

static void wait_poll(const struct plan *p, struct attempt *a, struct totals *t)
{
	while (a->end_ns == 0) {
		struct pollfd fd = {.fd = a->fd, .events = POLLOUT};

		if (poll(&fd, 1, -1) == 1)
			settle(p, a, t);
	}
}

static void *relay(void *arg)
{
	const struct plan *p = arg;
	struct epoll_event event;
	uint64_t one = 1;

	for (;;)
		if (epoll_wait(p->epoll, &event, 1, -1) == 1 &&
		    write(p->relayed, &one, sizeof one) < 0)
			bench_die("write", strerror(errno));
	return NULL;
}

static void start_relay(struct plan *p)
{
	pthread_t thread;

	p->relayed = eventfd(0, EFD_CLOEXEC);
	if (p->relayed < 0 || pthread_create(&thread, NULL, relay, p) != 0)
		bench_die("relay", strerror(errno));
}

static void wait_relay(const struct plan *p, struct attempt *a, struct totals *t)
{
	uint64_t n;

	while (a->end_ns == 0)
		if (read(p->relayed, &n, sizeof n) > 0)
			settle(p, a, t);
}

static void wait_epoll(const struct plan *p, struct attempt *attempts, struct totals *t)
{
	struct epoll_event events[64];
	unsigned nopen = 0;

	for (unsigned i = 0; i < p->nonce; i++)
		nopen += attempts[i].end_ns == 0;
	while (nopen > 0) {
		int n = epoll_wait(p->epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			struct attempt *a = events[i].data.ptr;

			settle(p, a, t);
			nopen -= a->end_ns != 0;
		}
	}
}

static void run_round(const struct plan *p, struct attempt *attempts, struct totals *t)
{
	uint64_t start = bench_now_ns();

	for (unsigned i = 0; i < p->nonce; i++) {
		struct attempt *a = &attempts[i];

		*a = (struct attempt){.address = p->addresses, .fd = -1};
		a->start_ns = bench_now_ns();
		try_addresses(p, a, t);
		if (p->mode == POLL)
			wait_poll(p, a, t);
		else if (p->mode == RELAY)
			wait_relay(p, a, t);
	}
	if (p->mode == EPOLL)
		wait_epoll(p, attempts, t);
	bench_sample(&t->alls, bench_now_ns() - start);
	for (unsigned i = 0; i < p->nonce; i++) {
		bench_sample(&t->times, attempts[i].end_ns - attempts[i].start_ns);
		if (attempts[i].fd >= 0)
			close(attempts[i].fd);
	}
}

/* Enters `n` duplicates of a file that has nothing to say; they lie from `first` upwards. */
static void add_duplicates(int epoll, unsigned n, int first)
{
	int quiet = eventfd(0, EFD_CLOEXEC);

	for (unsigned i = 0; i < n; i++) {
		struct epoll_event event = {.events = EPOLLIN};
		int fd = fcntl(quiet, F_DUPFD_CLOEXEC, first);

		if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			bench_die("extra descriptors", strerror(errno));
	}
}

/*
 * An epoll set with `nextra` descriptors beside those that connect. It knows a descriptor by its
 * file and its number, and keeps it while the file is open: so where the limit allows fewer, the
 * numbers are used again, for other files.
 */
static int make_epoll(unsigned nextra)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct rlimit limit;
	unsigned room;

	getrlimit(RLIMIT_NOFILE, &limit);
	room = (unsigned)limit.rlim_cur - SPARE_FDS;
	while (nextra > 0) {
		unsigned n = nextra < room ? nextra : room;

		add_duplicates(epoll, n, SPARE_FDS / 2);
		nextra -= n;
		if (nextra > 0 && close_range(SPARE_FDS / 2, ~0u, 0) != 0)
			bench_die("close_range", strerror(errno));
	}
	return epoll;
}

static void run(const struct plan *p)
{
	struct attempt *attempts = bench_alloc(p->nonce, sizeof *attempts);
	struct totals t = {.nfailed = 0};
	unsigned fds, threads;
	uint64_t cpu;

	bench_samples_init(&t.times, (size_t)p->nrounds * p->nonce);
	bench_samples_init(&t.alls, p->nrounds);
	for (unsigned i = 0; i < p->nwarmup; i++)
		run_round(p, attempts, &t);
	t.times.n = t.alls.n = t.nfailed = 0;
	usleep(200000); /* what lookups and races leave behind is gone soon */
	fds = count_entries("/proc/self/fd");
	cpu = bench_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 0; i < p->nrounds; i++)
		run_round(p, attempts, &t);
	cpu = bench_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	threads = count_entries("/proc/self/task");
	usleep(200000);
	bench_sort(&t.times);
	bench_sort(&t.alls);
	bench_emit(p->subject, "time", (double)bench_percentile(&t.times, 500));
	bench_emit(p->subject, "worst", (double)bench_percentile(&t.times, 1000));
	bench_emit(p->subject, "all", (double)bench_percentile(&t.alls, 500));
	bench_emit(p->subject, "cpu", (double)cpu / 1000 / p->nrounds / p->nonce);
	bench_emit(p->subject, "failed", t.nfailed);
	bench_emit(p->subject, "descriptors", (int)(count_entries("/proc/self/fd") - fds));
	bench_emit(p->subject, "threads", threads);
}

static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static enum mode parse_mode(const char *name)
{
	if (strcmp(name, "blocking") == 0)
		return BLOCKING;
	if (strcmp(name, "relay") == 0)
		return RELAY;
	return strcmp(name, "poll") == 0 ? POLL : EPOLL;
}

static _Noreturn void usage(void)
{
	fputs("usage: race [-m blocking|poll|epoll|relay] [-c ROUNDS] [-w WARMUP] [-a AT_ONCE]\n"
	      "            [-x EXTRA] SUBJECT NAME PORT\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct plan plan = {.mode = POLL, .nrounds = 1, .nonce = 1};
	struct addrinfo *addresses;
	int option;

	while ((option = getopt(argc, argv, "m:c:w:a:x:")) != -1) {
		if (option == 'm')
			plan.mode = parse_mode(optarg);
		else if (option == 'c')
			plan.nrounds = (unsigned)atoi(optarg);
		else if (option == 'w')
			plan.nwarmup = (unsigned)atoi(optarg);
		else if (option == 'a')
			plan.nonce = (unsigned)atoi(optarg);
		else if (option == 'x')
			plan.nextra = (unsigned)atoi(optarg);
		else
			usage();
	}
	if (argc - optind != 3)
		usage();
	raise_limit();
	plan.subject = argv[optind];
	plan.epoll = make_epoll(plan.nextra);
	if (plan.mode == RELAY)
		start_relay(&plan);
	if (getaddrinfo(argv[optind + 1], argv[optind + 2], &hints, &addresses) != 0)
		bench_die("no answer", argv[optind + 1]);
	plan.addresses = addresses;
	run(&plan);
	freeaddrinfo(addresses);
	return 0;
}

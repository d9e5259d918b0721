// SPDX-License-Identifier: MIT
/*
 * race_many.c - a program with many connects to the first address of a name.
 *
 *	race_many in-turn|threads|poll|epoll-et HOST PORT N [LIMIT]
 *
 * One after the other, in N threads at once, or N non-blocking sockets at once. With a LIMIT as its
 * RLIMIT_NOFILE it must get all N sockets, and waits for as many as can race. It prints one line
 * of `key=value`: how many are connected and over which family, how long it took, threads of the
 * process while they were in progress, and how many descriptors more there are afterwards.
 */
#include "race_meanwhile.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/resource.h>

#define MANY_MAX    1000
#define PATIENCE_MS 20000
#define SETTLE_MS   1000

/* That fit into a quarter of the limit. */
#define RACES_AT(limit) ((unsigned)((limit) / 4 - 8) / 3)

static struct sockaddr_storage to;
static socklen_t to_len;
static int fds[MANY_MAX];
static bool done[MANY_MAX];
static unsigned connected, over_v4, events, wanted;

static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	must(dir != NULL);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2; /* . and .. */
}

static void look_up(const char *host, const char *port)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;

	must(getaddrinfo(host, port, &hints, &list) == 0);
	memcpy(&to, list->ai_addr, list->ai_addrlen);
	to_len = list->ai_addrlen;
	freeaddrinfo(list);
}

static int open_one(int flags)
{
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	must(fd >= 0);
	return fd;
}

/* Counts it where it is connected. */
static void look_at(int fd)
{
	int error = -1;
	socklen_t len = sizeof error;

	must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
	__atomic_add_fetch(&connected, error == 0 && peer_family(fd) != 0, __ATOMIC_RELAXED);
	__atomic_add_fetch(&over_v4, error == 0 && peer_family(fd) == 4, __ATOMIC_RELAXED);
}

static void *connect_one(void *arg)
{
	int fd = open_one(0);

	(void)arg;
	(void)connect(fd, (const struct sockaddr *)&to, to_len);
	look_at(fd);
	close(fd);
	return NULL;
}

static void in_turn(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		connect_one(NULL);
}

static void in_threads(unsigned n)
{
	static pthread_t threads[MANY_MAX];
	pthread_attr_t attr;

	must(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, 65536) == 0);
	for (unsigned i = 0; i < n; i++)
		must(pthread_create(&threads[i], &attr, connect_one, NULL) == 0);
	join_threads(threads, (int)n);
}

static void begin_all(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		fds[i] = open_one(SOCK_NONBLOCK);
		if (connect(fds[i], (const struct sockaddr *)&to, to_len) != 0)
			must(errno == EINPROGRESS);
	}
}

static void end_one(unsigned i)
{
	events++;
	if (done[i])
		return;
	done[i] = true;
	look_at(fds[i]);
}

static void wait_by_poll(unsigned n)
{
	static struct pollfd p[MANY_MAX];
	const double end = now_ms() + PATIENCE_MS;

	for (unsigned i = 0; i < n; i++)
		p[i] = (struct pollfd){.fd = fds[i], .events = POLLOUT};
	while (events < wanted && left_ms(end) > 0) {
		must(poll(p, n, left_ms(end)) >= 0);
		for (unsigned i = 0; i < n; i++) {
			if (p[i].revents == 0)
				continue;
			end_one(i);
			p[i].fd = -1;
			p[i].revents = 0;
		}
	}
}

/* Goes on for 100 ms after the last, to see whether any is reported twice. */
static void wait_by_epoll(unsigned n)
{
	const int set = epoll_create1(EPOLL_CLOEXEC);
	double end = now_ms() + PATIENCE_MS;
	struct epoll_event event;
	int got;

	for (unsigned i = 0; i < n; i++) {
		event = (struct epoll_event){.events = EPOLLOUT | EPOLLET, .data.u32 = i};
		must(epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event) == 0);
	}
	while ((got = epoll_wait(set, &event, 1, left_ms(end))) > 0) {
		end_one(event.data.u32);
		if (events == wanted)
			end = now_ms() + 100;
	}
	must(got == 0);
	close(set);
}

static void report(unsigned n, double start_ms, unsigned threads, unsigned fds_before)
{
	const double took_ms = now_ms() - start_ms, end = now_ms() + SETTLE_MS;
	unsigned fds_now;

	while ((fds_now = count_entries("/proc/self/fd")) > fds_before && now_ms() < end)
		usleep(2000);
	printf("n=%u connected=%u v4=%u events=%u ms=%.0f threads=%u fds=%d\n", n, connected,
	       over_v4, events, took_ms, threads, (int)(fds_now - fds_before));
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	unsigned n, threads = 0, before;
	double start;

	if (argc < 5 || argc > 6 || (n = (unsigned)atoi(argv[4])) > MANY_MAX)
		return 2;
	must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = argc > 5 ? (rlim_t)atoi(argv[5]) : limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	wanted = argc > 5 ? RACES_AT(limit.rlim_cur) : n;
	look_up(argv[2], argv[3]);
	before = count_entries("/proc/self/fd");
	start = now_ms();
	if (strcmp(argv[1], "in-turn") == 0) {
		in_turn(n);
	} else if (strcmp(argv[1], "threads") == 0) {
		in_threads(n);
	} else {
		begin_all(n);
		threads = count_entries("/proc/self/task");
		strcmp(argv[1], "poll") == 0 ? wait_by_poll(n) : wait_by_epoll(n);
		for (unsigned i = 0; i < n; i++)
			close(fds[i]);
	}
	report(n, start, threads, before);
	return 0;
}

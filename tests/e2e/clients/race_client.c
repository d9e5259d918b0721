// SPDX-License-Identifier: MIT
/*
 * race_client.c - a program that knows nothing of Happy Eyeballs: it looks a name up, makes a
 * socket of the first address's family, connects to that address alone, and waits in the way it
 * was told.
 *
 *	race_client MODE HOST PORT [word | word=value]...
 *
 * MODE is block or a way of race_wait.h. The words:
 *
 *	mapped		an AF_INET6 socket in any case, with v4-mapped addresses
 *	first=6		the first IPv6 address of the list instead of the first one
 *	timeout=MS	how long it is patient (SO_SNDTIMEO of a blocking socket); none: 20 s
 *	close=MS	gives up after that time and closes
 *	mark		sets SO_MARK
 *	linger		counts the events of another 100 ms
 *	options		sets socket options before, and compares them afterwards
 *	greet		reads the first byte
 *	act=WHAT	dup, scm, fork or look, see race_meanwhile.h; signal, signal-restart:
 *			SIGALRM with and without SA_RESTART; all at 100 ms
 *	stop=MS		stopped at 100 ms for that time
 *
 * It prints one line of `key=value`, and writes one byte to the server where it is connected.
 */
#include "eai.h"
#include "race_meanwhile.h"
#include "race_options.h"
#include "race_wait.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <stdlib.h>

#define PATIENCE_MS 20000
#define ACT_AT_MS   100
#define LINGER_MS   100
#define SETTLE_MS   1000 /* within which everything of a race is gone, at the latest */

struct request {
	const struct race_wait *wait;
	const char *host, *port;
	bool mapped, v6_only, mark, linger, options, greet;
	int timeout_ms, close_ms, stop_ms;
	const char *act;
};

struct outcome {
	const char *first;	     /* what connect() itself said */
	double first_ms;	     /* ... and when */
	int error;		     /* 0: connected; -1: gave up */
	double start_ms, connect_ms; /* CLOCK_MONOTONIC; duration */
	unsigned events;
	unsigned flags; /* of the first event */
	int family;
	unsigned port;
	bool nonblock;
	char byte;
	const char *options;
	struct meanwhile meanwhile;
};

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	must(dir != NULL);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* Sockets of this network namespace that still try to connect to the port. */
static unsigned count_connecting(const char *port)
{
	static const char *const tables[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++) {
		FILE *f = fopen(tables[i], "re");
		char line[512];
		unsigned remote, state;

		must(f != NULL);
		while (fgets(line, sizeof line, f) != NULL)
			if (sscanf(line, "%*s %*[^:]:%*x %*[^:]:%x %x", &remote, &state) == 2)
				n += state == 2 && remote == (unsigned)atoi(port);
		fclose(f);
	}
	return n;
}

/* The address to connect to, and its length. */
static socklen_t pick(const struct request *r, const struct addrinfo *list,
		      struct sockaddr_storage *ret)
{
	const struct addrinfo *ai = list;
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};

	while (r->v6_only && ai->ai_next != NULL && ai->ai_family != AF_INET6)
		ai = ai->ai_next;
	memcpy(ret, ai->ai_addr, ai->ai_addrlen);
	if (!r->mapped || ai->ai_family == AF_INET6)
		return ai->ai_addrlen;
	mapped.sin6_port = ((const struct sockaddr_in *)ai->ai_addr)->sin_port;
	memset(&mapped.sin6_addr.s6_addr[10], 0xff, 2);
	memcpy(&mapped.sin6_addr.s6_addr[12], &((const struct sockaddr_in *)ai->ai_addr)->sin_addr,
	       4);
	memcpy(ret, &mapped, sizeof mapped);
	return sizeof mapped;
}

static void look_up(const struct request *r, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	const double start = now_ms();
	struct addrinfo *list;
	int rc = getaddrinfo(r->host, r->port, &hints, &list);

	if (rc != 0) {
		printf("lookup_start=%.3f error=%s start=%.3f connect_ms=0\n", start,
		       eai_to_str(rc), now_ms());
		exit(0);
	}
	printf("lookup_start=%.3f lookup_ms=%.3f ", start, now_ms() - start);
	*ret_len = pick(r, list, ret);
	freeaddrinfo(list);
}

static int socket_error(int fd)
{
	int error = -1;
	socklen_t len = sizeof error;

	must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
	return error;
}

/* connect() has said "in progress", or a signal ended its wait. */
static void wait_for_end(const struct request *r, int fd, struct outcome *o)
{
	unsigned (*const wait)(int, int) = r->wait->wait != NULL ? r->wait->wait : wait_poll;
	int patience = r->timeout_ms > 0 ? r->timeout_ms : PATIENCE_MS;

	if (r->close_ms > 0)
		patience = r->close_ms;
	o->flags = wait(fd, patience);
	o->events = o->flags != 0;
	o->error = o->flags != 0 ? socket_error(fd) : -1;
}

static void prepare(const struct request *r, int fd)
{
	const int one = 1;
	const struct timeval limit = {r->timeout_ms / 1000, r->timeout_ms % 1000 * 1000};

	if (r->wait->wait != NULL)
		must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
	else if (r->timeout_ms > 0)
		must(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
	if (r->mark)
		must(setsockopt(fd, SOL_SOCKET, SO_MARK, &one, sizeof one) == 0);
	if (r->wait->prepare != NULL)
		r->wait->prepare(fd);
	if (r->act != NULL && strcmp(r->act, "signal") == 0)
		alarm_in(ACT_AT_MS, 0);
	if (r->act != NULL && strcmp(r->act, "signal-restart") == 0)
		alarm_in(ACT_AT_MS, SA_RESTART);
}

static void do_connect(const struct request *r, int fd, const struct sockaddr_storage *to,
		       socklen_t len, struct outcome *o)
{
	int rc;

	o->start_ms = now_ms();
	rc = connect(fd, (const struct sockaddr *)to, len);
	o->error = rc == 0 ? 0 : errno;
	o->first_ms = now_ms() - o->start_ms;
	o->first = rc == 0 ? "0" : strerrorname_np(o->error);
	if (o->error == EINTR || (o->error == EINPROGRESS && r->wait->wait != NULL))
		wait_for_end(r, fd, o);
	o->connect_ms = now_ms() - o->start_ms;
}

static void after_connect(const struct request *r, int fd, struct outcome *o)
{
	o->nonblock = (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
	o->family = peer_family(fd);
	o->port = local_port(fd);
	if (o->error != 0)
		return;
	if (r->linger && r->wait->again != NULL) {
		const double end = now_ms() + LINGER_MS;

		while (left_ms(end) > 0)
			o->events += r->wait->again(left_ms(end)) != 0;
	}
	if (r->greet) {
		must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0);
		must(read(fd, &o->byte, 1) == 1);
	}
	must(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
}

static void report(const struct request *r, const struct outcome *o, unsigned fds_before)
{
	const double closed_ms = now_ms(), end = closed_ms + SETTLE_MS;
	double gone_ms;
	unsigned fds, connecting;

	/* The kernel takes 10 ms and more to list its sockets, so they are not what is waited for.
	 */
	do {
		fds = count_fds();
		gone_ms = now_ms();
	} while (fds > fds_before && gone_ms < end && usleep(1000) == 0);
	connecting = count_connecting(r->port);
	printf("error=%s first=%s first_ms=%.3f start=%.3f connect_ms=%.3f family=%d port=%u "
	       "events=%u flags=%#x nonblock=%d byte=%c options=%s fds=%d connecting=%u "
	       "gone_ms=%.1f %s\n",
	       o->error == -1 ? "gave-up" : strerrorname_np(o->error), o->first, o->first_ms,
	       o->start_ms, o->connect_ms, o->family, o->port, o->events, o->flags, o->nonblock,
	       o->byte != '\0' ? o->byte : '-', o->options, (int)(fds - fds_before), connecting,
	       gone_ms - closed_ms, o->meanwhile.seen);
}

static void run(const struct request *r)
{
	struct outcome o = {.options = "-", .meanwhile = {.act = r->act, .at_ms = ACT_AT_MS}};
	struct options_before options;
	struct sockaddr_storage to;
	pid_t stopper = 0;
	unsigned fds;
	socklen_t len;
	int fd;

	look_up(r, &to, &len);
	fds = count_fds();
	if (r->stop_ms > 0)
		stopper = stop_in(ACT_AT_MS, r->stop_ms);
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd >= 0);
	prepare(r, fd);
	if (r->options)
		options_set(fd, &options);
	meanwhile_start(&o.meanwhile, fd);
	do_connect(r, fd, &to, len, &o);
	after_connect(r, fd, &o);
	if (r->options)
		o.options = options_changed(fd, &options);
	meanwhile_end(&o.meanwhile);
	close(fd);
	close(wait_set);
	close(wait_outer);
	if (stopper > 0)
		must_exit_with_0(stopper);
	report(r, &o, fds);
}

/* False: no such word. */
static bool read_word(const char *word, struct request *r)
{
	const char *value = strchr(word, '=');
	size_t len = value != NULL ? (size_t)(value++ - word) : strlen(word);

#define IS(name) (strlen(name) == len && memcmp(word, name, len) == 0)
	if (value == NULL) {
		r->mapped |= IS("mapped");
		r->mark |= IS("mark");
		r->linger |= IS("linger");
		r->options |= IS("options");
		r->greet |= IS("greet");
		return IS("mapped") || IS("mark") || IS("linger") || IS("options") || IS("greet");
	}
	if (IS("first"))
		r->v6_only = true;
	else if (IS("timeout"))
		r->timeout_ms = atoi(value);
	else if (IS("close"))
		r->close_ms = atoi(value);
	else if (IS("stop"))
		r->stop_ms = atoi(value);
	else if (IS("act"))
		r->act = value;
	else
		return false;
#undef IS
	return true;
}

int main(int argc, char **argv)
{
	struct request r = {0};

	if (argc < 4 || (r.wait = race_wait_find(argv[1])) == NULL)
		return 2;
	r.host = argv[2];
	r.port = argv[3];
	for (int i = 4; i < argc; i++)
		if (!read_word(argv[i], &r))
			return 2;
	run(&r);
	return 0;
}

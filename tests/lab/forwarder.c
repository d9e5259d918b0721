// SPDX-License-Identifier: MIT
/*
 * forwarder.c - the process between the two TUN devices, and its starter's view of it.
 *
 * The rules and their counters lie in memory that the process shares with the test, under one spin
 * lock. A packet is counted and captured before it moves on, so whoever has seen a packet's effect
 * finds it counted.
 */
#include "forwarder.h"
#include "loop.h"
#include "packet.h"
#include "pcap.h"
#include "proc.h"
#include "random.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shared. Guarded by `lock`. */
struct table {
	atomic_flag lock;
	unsigned nrules;
	struct lab_rule rules[LAB_MAX_RULES];
	struct lab_packet_match matches[LAB_MAX_RULES];
	uint64_t packets[LAB_MAX_RULES + 1]; /* the last: no rule matched */
	uint64_t dropped[LAB_MAX_RULES + 1];
};

struct lab_forwarder {
	pid_t pid;
	struct table *table; /* owned, shared with the process */
};

/* The process's own state. One thread. */
static struct {
	struct table *table;
	int tun[2];  /* by enum lab_side */
	int capture; /* -1: none */
	uint64_t seed;
} forwarder;

/* What becomes of one packet. */
struct fate {
	bool lost;
	enum lab_action action;
	uint64_t delay_ns;
};

struct delayed {
	int tun;
	size_t len;
	uint8_t data[];
};

static void lock(struct table *t)
{
	while (atomic_flag_test_and_set_explicit(&t->lock, memory_order_acquire))
		sched_yield();
}

static void unlock(struct table *t)
{
	atomic_flag_clear_explicit(&t->lock, memory_order_release);
}

static bool chance(uint32_t permille)
{
	return permille && lab_random(&forwarder.seed) % 1000 < permille;
}

static struct fate decide(const struct lab_rule *rule, uint64_t nth)
{
	struct fate fate = {.action = rule->action};

	if (rule->first && nth > rule->first)
		fate.action = LAB_PASS;
	fate.lost = fate.action == LAB_BLACKHOLE || chance(rule->loss_permille);
	if (!chance(rule->reorder_permille)) {
		fate.delay_ns = rule->delay_us * 1000ULL;
		if (rule->jitter_us)
			fate.delay_ns += lab_random(&forwarder.seed) % rule->jitter_us * 1000;
	}
	return fate;
}

/* Finds the packet's rule, counts it there, and draws its fate. */
static struct fate judge(const struct lab_packet *p, enum lab_direction direction)
{
	struct table *t = forwarder.table;
	struct fate fate = {.action = LAB_PASS};
	unsigned i = 0;

	lock(t);
	while (i < t->nrules && !lab_packet_matches(&t->matches[i], p, direction))
		i++;
	if (i == t->nrules)
		i = LAB_MAX_RULES;
	t->packets[i]++;
	if (i < LAB_MAX_RULES)
		fate = decide(&t->rules[i], t->packets[i]);
	t->dropped[i] += fate.lost || fate.action != LAB_PASS;
	unlock(t);
	return fate;
}

static void deliver(int tun, const uint8_t *data, size_t len)
{
	/* A full or lowered device loses packets, as devices do. */
	(void)!write(tun, data, len);
}

static void deliver_delayed(void *arg)
{
	struct delayed *d = arg;

	deliver(d->tun, d->data, d->len);
	free(d);
}

static void deliver_at(uint64_t at_ns, int tun, const uint8_t *data, size_t len)
{
	struct delayed *d = malloc(sizeof(*d) + len);

	if (!d)
		lab_fail("forwarder: no memory");
	d->tun = tun;
	d->len = len;
	memcpy(d->data, data, len);
	lab_loop_at(at_ns, deliver_delayed, d);
}

static void forward(const struct lab_packet *p, enum lab_side from, uint64_t now_ns)
{
	uint8_t answer[128];
	struct fate fate = judge(p, from == LAB_NEAR ? LAB_OUT : LAB_IN);
	const uint8_t *data = p->data;
	size_t len = p->len;
	int tun = forwarder.tun[from == LAB_NEAR ? LAB_FAR : LAB_NEAR];

	if (fate.lost)
		return;
	if (fate.action != LAB_PASS) {
		len = lab_packet_reject(p, fate.action, answer);
		data = answer;
		tun = forwarder.tun[from];
	}
	if (len == 0)
		return;
	if (fate.delay_ns)
		deliver_at(now_ns + fate.delay_ns, tun, data, len);
	else
		deliver(tun, data, len);
}

static void tun_ready(void *arg, uint32_t events)
{
	static uint8_t data[PACKET_MAX];
	enum lab_side from = arg ? LAB_FAR : LAB_NEAR;
	struct lab_packet p;
	ssize_t n;

	(void)events;
	while ((n = read(forwarder.tun[from], data, sizeof(data))) > 0) {
		uint64_t now_ns = lab_now_ns();

		/* The kernel's own multicast chatter is none of the test's packets. */
		if (lab_packet_parse(data, (size_t)n, &p) || p.multicast)
			continue;
		if (forwarder.capture >= 0)
			lab_pcap_write(forwarder.capture, now_ns, data, (size_t)n);
		forward(&p, from, now_ns);
	}
}

static int open_tun(struct lab_world *w, enum lab_side side)
{
	struct ifreq ifr = {.ifr_name = "lab0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd;

	lab_enter_side(w, side);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		lab_skip("cannot open /dev/net/tun: %s", strerror(errno));
	if (ioctl(fd, TUNSETIFF, &ifr))
		lab_skip("cannot make a TUN device: %s", strerror(errno));
	return fd;
}

static _Noreturn void run(struct lab_world *w, const struct lab_forwarder_opts *opts,
			  struct table *table, int ready_fd)
{
	const struct sched_param first = {.sched_priority = 1};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Delays stay exact on a busy machine; where it is not allowed, they are as exact as can
	 * be. */
	(void)sched_setscheduler(0, SCHED_FIFO, &first);
	forwarder.table = table;
	forwarder.seed = opts->seed;
	forwarder.capture = -1;
	if (opts->capture && (forwarder.capture = lab_pcap_create(opts->capture)) < 0)
		lab_fail("capture %s: %s", opts->capture, strerror(-forwarder.capture));
	for (int side = LAB_NEAR; side <= LAB_FAR; side++) {
		forwarder.tun[side] = open_tun(w, (enum lab_side)side);
		lab_loop_watch(forwarder.tun[side], EPOLLIN, tun_ready,
			       side == LAB_FAR ? &forwarder : NULL);
	}
	if (write(ready_fd, "r", 1) != 1)
		lab_fail("forwarder: its starter is gone");
	close(ready_fd);
	lab_loop_run();
}

struct lab_forwarder *lab_forwarder_start(struct lab_world *w,
					  const struct lab_forwarder_opts *opts)
{
	struct lab_forwarder *f = calloc(1, sizeof(*f));
	int fds[2];
	char byte;

	if (w->ns[LAB_FAR] < 0)
		lab_fail("this world has no far side: set .far");
	if (!f || pipe2(fds, O_CLOEXEC))
		lab_fail("forwarder: %s", strerror(errno));
	f->table = mmap(NULL, sizeof(*f->table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (f->table == MAP_FAILED)
		lab_fail("forwarder: %s", strerror(errno));
	lab_forwarder_rules(f, opts->rules, opts->nrules);
	f->pid = lab_fork_side(w, LAB_NEAR);
	if (f->pid == 0) {
		close(fds[0]);
		run(w, opts, f->table, fds[1]);
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		lab_fail("the forwarder did not start");
	close(fds[0]);
	lab_link_tun(w);
	return f;
}

void lab_forwarder_stop(struct lab_forwarder *f)
{
	kill(f->pid, SIGKILL);
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(f->table, sizeof(*f->table));
	free(f);
}

void lab_forwarder_rules(struct lab_forwarder *f, const struct lab_rule *rules, unsigned nrules)
{
	struct lab_packet_match matches[LAB_MAX_RULES];
	struct table *t = f->table;

	if (nrules > LAB_MAX_RULES)
		lab_fail("forwarder: more than %d rules", LAB_MAX_RULES);
	for (unsigned i = 0; i < nrules; i++)
		if (lab_packet_match_compile(&rules[i].match, &matches[i]))
			lab_fail("forwarder: rule %u: bad prefix `%s`", i, rules[i].match.remote);
	lock(t);
	t->nrules = nrules;
	if (nrules) {
		memcpy(t->rules, rules, nrules * sizeof(*rules));
		memcpy(t->matches, matches, nrules * sizeof(*matches));
	}
	memset(t->packets, 0, sizeof(t->packets));
	memset(t->dropped, 0, sizeof(t->dropped));
	unlock(t);
}

uint64_t lab_forwarder_packets(const struct lab_forwarder *f, unsigned i)
{
	uint64_t n;

	lock(f->table);
	n = f->table->packets[i];
	unlock(f->table);
	return n;
}

uint64_t lab_forwarder_dropped(const struct lab_forwarder *f, unsigned i)
{
	uint64_t n;

	lock(f->table);
	n = f->table->dropped[i];
	unlock(f->table);
	return n;
}

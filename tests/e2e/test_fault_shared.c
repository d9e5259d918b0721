// SPDX-License-Identifier: MIT
/*
 * test_fault_shared.c - what processes may find in the cache that they share: leases of the dead,
 * nonsense, and others who have another configuration.
 */
#include "tests/e2e/fault_run.h"
#include "tests/lab/random.h"

#include "shim/cache_layout.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CACHE_FILE "/dev/shm/noblockdns.0/cache-v5"
#define LEASE_MS   600 /* the most that a lease can last */
#define PATIENT	   "nameserver 127.0.0.1\n"

static_assert(CACHE_LAYOUT == 5, "the name of the file");

#define RUN(...) fault_run(w, &(const struct fault_case){__VA_ARGS__})

/* The region of the file in which leases, states and outcomes are. */
struct region {
	unsigned char *at;
	size_t len;
};

static struct region map_region(void)
{
	struct cache_header header;
	struct region r;
	int fd = open(CACHE_FILE, O_RDWR | O_CLOEXEC);

	lab_assert(fd >= 0 && read(fd, &header, sizeof header) == sizeof header);
	r.len = header.reserved_len;
	r.at = mmap(NULL, r.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)header.reserved_at);
	lab_assert(r.at != MAP_FAILED);
	close(fd);
	return r;
}

static uint64_t boot_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Every place is held by somebody who has just begun, and will never end: lease.h says where its
 * words are. They are within the last sixteenth of the region (cache_region.h). */
static void dead_holders(struct fault *f)
{
	struct region r = map_region();
	uint64_t seed = 1;

	(void)f;
	for (;; fault_sleep_ms(20))
		for (size_t i = r.len - r.len / 16 / 4096 * 4096; i < r.len; i += 16) {
			uint64_t who = lab_random(&seed) << 32 | (uint32_t)(boot_ms() + LEASE_MS);

			memcpy(r.at + i, &who, sizeof who);
		}
}

/* All of the region, again and again. */
static void nonsense(struct fault *f)
{
	struct region r = map_region();
	uint64_t seed = 2;

	(void)f;
	for (;; fault_sleep_ms(2))
		for (size_t i = 0; i < r.len; i += 8) {
			uint64_t word = lab_random(&seed);

			memcpy(r.at + i, &word, sizeof word);
		}
}

LabTest(fault_shared, table_full_of_dead_holders, .resolv_conf = PATIENT)
{
	RUN(.row = 6, .what = "a lease table full of dead holders", .fill = "www.test",
	    .meanwhile = dead_holders, .who = "4 x 500", .client = "-p 4 -c 500 many.test",
	    .expected = "nobody waits for them", .waited = FAULT_ANY, .longest_ms = 50,
	    .name = "7.many.test", .asked = 4, .least_asked = 1);
}

LabTest(fault_shared, nonsense_in_the_region, .resolv_conf = PATIENT)
{
	RUN(.row = 6, .what = "random bytes where leases are", .fill = "www.test",
	    .meanwhile = nonsense, .script = FAULT_OLD "on * * delay 20\n", .who = "4 x 100",
	    .client = "-p 4 -c 100 many.test", .expected = "no error, a lease's time",
	    .waited = FAULT_ANY, .longest_ms = LEASE_MS, .name = "7.many.test", .asked = 8,
	    .least_asked = 1);
}

LabTest(fault_shared, nonsense_in_the_region_and_a_silent_server, FAULT_WORLD)
{
	RUN(.row = 6, .what = "random bytes, silent server", .fill = "-c 4 many.test",
	    .begin = fault_silent, .meanwhile = nonsense, .who = "4 x 4",
	    .client = "-p 4 -c 4 many.test", .expected = "no error, 320 ms", .waited = FAULT_ANY,
	    .longest_ms = 320);
}

/* ---- other configurations ---- */

#define OTHER_SERVER "127.0.0.2"

#define OURS   "www.test: 2001:db8::1 192.0.2.1\n"
#define THEIRS "www.test: 2001:db8::2 192.0.2.2\n"
#define AGAIN  "www.test: EAI_AGAIN\n"

static const struct {
	const char *env, *fresh, *silent;
} others[] = {
	{"NOBLOCKDNS_MODE=on", OURS, OURS},
	{"NOBLOCKDNS_UPSTREAM=udp://" OTHER_SERVER, THEIRS, THEIRS},
	{"NOBLOCKDNS_STALE_MAX=0", OURS, AGAIN},
	{"NOBLOCKDNS_STALE_AFTER_MS=0", OURS, OURS},
	{"NOBLOCKDNS_DEADLINE_MS=100", OURS, OURS},
	{"NOBLOCKDNS_CACHE=off", OURS, AGAIN},
	{"NOBLOCKDNS_CACHE=private", OURS, AGAIN},
	{"NOBLOCKDNS_MODE=off", OURS, AGAIN},
};

static pid_t start_crowd(struct lab_world *w, const char *env)
{
	const char *const envs[] = {env, NULL};
	const struct lab_proc_opts opts = {
		.argv = SHIM_ARGV("clients/stale_client", "-p", "4", "-t", "2000", "-w", "5000",
				  "www.test"),
		.env = envs,
		.preload = true,
	};

	return lab_proc_spawn(w, &opts);
}

static void stop(const struct lab_dns *dns)
{
	lab_assert(kill(lab_dns_pid(dns), SIGSTOP) == 0);
}

LabTest(fault_shared, other_configurations, FAULT_WORLD)
{
	const char *cells[RESULT_CELLS] = {"eight configurations, one cache", "each",
					   "its own answer, stale as set", "so", ""};
	struct lab_dns *dns[] = {
		lab_dns_start_text(w, FAULT_OLD),
		lab_dns_start_text(w, "listen " OTHER_SERVER ":53\nrr test 1 SOA 1\n"
				      "rr *.test 1 A 192.0.2.2\nrr *.test 1 AAAA 2001:db8::2\n")};
	pid_t crowds[2];

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		shim_says(SHIM_ENV(others[i].env), SHIM_ARGV("clients/lookup", "www.test"),
			  others[i].fresh);
	crowds[0] = start_crowd(w, others[0].env);
	crowds[1] = start_crowd(w, others[1].env);
	fault_sleep_ms(FAULT_EXPIRED_MS);
	stop(dns[0]);
	stop(dns[1]);
	fault_sleep_ms(FAULT_EXPIRED_MS);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		shim_says(SHIM_ENV(others[i].env), SHIM_ARGV("clients/lookup", "www.test"),
			  others[i].silent);
	for (int i = 0; i < 2; i++) {
		lab_assert(kill(lab_dns_pid(dns[i]), SIGCONT) == 0);
		lab_assert_int(lab_proc_wait(crowds[i], 30000), 0);
	}
	result_table_add(RESULT_FAULTS, 6, cells);
}

// SPDX-License-Identifier: MIT
/*
 * list PATH COMMAND... - how long `noblockdns cache list` takes for a cache file at PATH, new, with
 * 8,000 names, while two processes read and write it without a pause. COMMAND is what lists it:
 * NOBLOCKDNS_CACHE is set, and its output is read.
 *
 * Figures, in nanoseconds by the wall, from the start of COMMAND to its end: `p50`, `p90`, `p99`,
 * `max`; and `names`, the fewest of its lines in a run, by two.
 */
#include "bench.h"

#include "shim/cache.h"
#include "shim/cache_internal.h"
#include "shim/clock.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES	8000
#define RUNS	31
#define WRITERS 2
#define VIEW	UINT64_C(0x4c697374)

static struct cache *open_cache(const char *path)
{
	const struct cache_options options = {
		.path = path, .size = CACHE_SIZE_DEFAULT, .keep_s = 86400};
	struct cache *cache;
	char why[256];

	if (cache_open(&options, &cache, why) < 0 || cache_backing(cache) != CACHE_SHARED)
		bench_die(path, why);
	return cache;
}

static uint64_t name_of(struct cache *cache, unsigned number, char name[BENCH_NAME_SIZE],
			size_t *ret_len)
{
	*ret_len = (size_t)snprintf(name, BENCH_NAME_SIZE, "www.shop%u.example.com", number);
	return cache_hash(cache, VIEW, name, *ret_len);
}

/* Two addresses of each family. */
static void store(struct cache *cache, unsigned number)
{
	static _Alignas(ENTRY_ALIGN) unsigned char blob[CACHE_ENTRY_MAX];
	static const unsigned char addrs[2 * 16] = {192, 0, 2, 1, 192, 0, 2, 2};
	char name[BENCH_NAME_SIZE];
	size_t len;
	uint64_t hash = name_of(cache, number, name, &len), now_ms = clock_boot_ms();
	const struct entry_rrset rr = {.kind = RESOLVER_ANSWER,
				       .ttl_s = 300,
				       .stored_ms = now_ms,
				       .nnames = 1,
				       .names = name,
				       .names_len = len + 1,
				       .naddrs = 2,
				       .addrs = addrs};
	const struct entry entry = {.view = VIEW, .name = name, .name_len = len, .rr = {rr, rr}};
	ssize_t size = entry_encode(&entry, blob, sizeof blob);
	int err = size < 0 ? (int)size : cache_store(cache, hash, blob, (size_t)size, now_ms);

	if (err < 0 && err != -EBUSY) /* another one writes there: it is as good */
		bench_die("cannot store", strerror(-err));
}

static void look_up(struct cache *cache, unsigned number)
{
	static _Alignas(ENTRY_ALIGN) unsigned char room[CACHE_ENTRY_MAX];
	char name[BENCH_NAME_SIZE];
	struct entry entry;
	size_t len, need;
	uint64_t hash = name_of(cache, number, name, &len);

	if (cache_lookup(cache, hash, VIEW, name, len, room, sizeof room, &entry, &need) == 0)
		cache_touch(&entry);
}

/* Nine lookups to a store, for ever: it ends with its parent. */
static pid_t start_writer(const char *path, unsigned which)
{
	pid_t parent = getpid(), pid = fork();
	uint64_t random = which + 1;
	struct cache *cache;

	if (pid < 0)
		bench_die("fork", strerror(errno));
	if (pid > 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	cache = open_cache(path);
	for (unsigned i = 1;; i++) {
		unsigned number = (unsigned)(bench_random(&random) % NAMES);

		if (i % 10 == 0)
			store(cache, number);
		else
			look_up(cache, number);
	}
}

static unsigned count_lines(int fd)
{
	static char bytes[65536];
	unsigned lines = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += bytes[i] == '\n';
	return lines;
}

/* How many lines it printed. */
static unsigned run(char **command)
{
	int out[2], status;
	unsigned lines;
	pid_t pid;

	if (pipe(out) != 0 || (pid = fork()) < 0)
		bench_die(command[0], strerror(errno));
	if (pid == 0) {
		(void)dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execvp(command[0], command);
		_exit(127);
	}
	close(out[1]);
	lines = count_lines(out[0]);
	close(out[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		bench_die(command[0], "did not end well");
	return lines;
}

static void measure(char **command)
{
	struct bench_samples samples;
	unsigned fewest = UINT32_MAX;

	bench_samples_init(&samples, RUNS);
	for (unsigned i = 0; i < RUNS; i++) {
		uint64_t start = bench_now_ns();
		unsigned lines = run(command);

		bench_sample(&samples, bench_now_ns() - start);
		fewest = lines < fewest ? lines : fewest;
	}
	bench_emit_times("cache list", "p50", &samples);
	bench_emit("cache list", "names", fewest / 2);
}

int main(int argc, char **argv)
{
	pid_t writers[WRITERS];
	struct cache *cache;

	if (argc < 3)
		bench_die("usage", "list PATH COMMAND...");
	unlink(argv[1]);
	cache = open_cache(argv[1]);
	for (unsigned i = 0; i < NAMES; i++)
		store(cache, i);
	cache_close(cache);
	setenv("NOBLOCKDNS_CACHE", argv[1], 1);
	for (unsigned i = 0; i < WRITERS; i++)
		writers[i] = start_writer(argv[1], i);
	measure(argv + 2);
	for (unsigned i = 0; i < WRITERS; i++) {
		kill(writers[i], SIGKILL);
		waitpid(writers[i], NULL, 0);
	}
	unlink(argv[1]);
	return 0;
}

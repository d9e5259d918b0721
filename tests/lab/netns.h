// SPDX-License-Identifier: MIT
/*
 * netns.h - a private world for one test: its own network, mount and process namespaces.
 *
 * A world is made of a forked child, so that the caller's process never changes. What the child
 * starts dies with it (PID namespace), what it mounts vanishes (mount namespace), and its loopback
 * and addresses meet nobody else's (network namespace). As root the namespaces are made directly;
 * otherwise inside an unprivileged user namespace, where the caller is root (uid 0) of the world.
 *
 * Inside a world
 * - `lo` is up: every 127.0.0.0/8 address and ::1 can be bound, port 53 included;
 * - /etc is a tmpfs with copies of the host's files, and resolv.conf, hosts, nsswitch.conf,
 *   gai.conf, host.conf as the test gave them. They can be replaced by rename, as an editor would;
 * - /dev/shm, /run and the world's folder are empty tmpfs; /proc shows the world's processes;
 * - with `far`, a second network namespace exists, joined by lab_link_veth() or by a forwarder.
 *
 * How a test uses it (see labtest.h for the Criterion form):
 *
 *	static void body(struct lab_world *w, void *arg) { ... lab_assert(...); ... }
 *	lab_world_run(&(struct lab_world_opts){ .resolv_conf = "nameserver 127.0.0.1\n" },
 *		      body, NULL, &result);
 *
 * Functions that take a world end the body with lab_fail() where they cannot do their job, so a
 * test needs no error paths.
 */
#ifndef LAB_NETNS_H
#define LAB_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum lab_outcome {
	LAB_PASSED,
	LAB_FAILED,
	LAB_SKIPPED, /* the machine cannot run it; the message says why */
};

struct lab_result {
	enum lab_outcome outcome;
	char message[2048]; /* empty with LAB_PASSED */
};

/* The two ends of a world. Without `far` there is the near one only. */
enum lab_side {
	LAB_NEAR, /* where the test body and the program under test run */
	LAB_FAR,  /* where remote servers run */
};

/*
 * The addresses of a linked world. Each side has one device, `lab0`. Every address of the far
 * prefixes is local to the far side (nothing has to be added before a server binds one).
 */
#define LAB_NEAR_V4	"192.0.2.1"
#define LAB_NEAR_V6	"2001:db8:1::1"
#define LAB_FAR_GW_V4	"192.0.2.2"
#define LAB_FAR_GW_V6	"2001:db8:1::2"
#define LAB_FAR_NET_V4	"198.51.100.0/24"
#define LAB_FAR_NET_V6	"2001:db8:2::/64"
#define LAB_FAR_V4(n)	"198.51.100." #n
#define LAB_FAR_V6(hex) "2001:db8:2::" #hex

struct lab_file {
	const char *path; /* absolute, below /etc */
	const char *text; /* NULL: the file shall be absent */
};

struct lab_world_opts {
	const char *resolv_conf;      /* NULL: "nameserver 127.0.0.1\n" */
	const char *hosts;	      /* NULL: localhost for 127.0.0.1 and ::1 */
	const char *nsswitch;	      /* NULL: "hosts: files dns\n" and files for the rest */
	const char *gai_conf;	      /* NULL: absent */
	const char *host_conf;	      /* NULL: "multi on\n" */
	const char *services;	      /* NULL: the host's */
	const struct lab_file *files; /* more files; ends with a NULL path; or NULL */
	const char *const *addresses; /* "192.0.2.7/24", "2001:db8::7/64": put on a device
				       * `lab1` of the near side; NULL-terminated; or NULL */
	const char *hostname;	      /* NULL: "lab" */
	bool far;		      /* make the far side */
	bool unprivileged;	      /* as nobody in a user namespace even where we are root */
	unsigned timeout_s;	      /* the body is killed and fails after this; 0: 120 */
};

struct lab_world;

/*
 * Makes a world, runs `body(w, arg)` in it, waits, and takes everything down. Any thread, any
 * number at once. Memory that the body writes is its own, except shared mappings.
 *
 * ret: PASSED when the body returned; FAILED or SKIPPED with the message of the first lab_fail() or
 *      lab_skip() in any process of the world, or the signal that killed the body; SKIPPED where
 *      the kernel refuses the namespaces.
 */
void lab_world_run(const struct lab_world_opts *opts, void (*body)(struct lab_world *w, void *arg),
		   void *arg, struct lab_result *ret);

/* A private empty folder (tmpfs) for the test's files. Without a trailing slash. */
const char *lab_world_dir(const struct lab_world *w);

/* Moves the calling thread to the network namespace of that side. */
void lab_enter_side(struct lab_world *w, enum lab_side side);

/* fork(); the child is on that side. Returns as fork() does, but never fails. */
pid_t lab_fork_side(struct lab_world *w, enum lab_side side);

/* Runs lines of `ip -batch` on that side ("link set lab0 down\nroute add ...\n"). */
void lab_ip(struct lab_world *w, enum lab_side side, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Joins the sides by a veth pair, with the addresses above, and no delay. Needs `far`. */
void lab_link_veth(struct lab_world *w);

/* Writes a file and moves it over `path` by rename: another inode, as editors do it. */
void lab_file_replace(const char *path, const char *text);

/* Writes into the file that is there: the same inode. */
void lab_file_overwrite(const char *path, const char *text);

/* Reads a whole file, NUL-terminated, cut to fit `buf`. Returns its length, -errno. */
ssize_t lab_file_read(const char *path, char *buf, size_t size);

/*
 * End the process and give the test its outcome; the first one of the world wins. In a child of
 * the body they end that child, and the outcome still counts. Outside of a world they print the
 * message to stderr and exit with 1.
 */
_Noreturn void lab_fail_at(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void lab_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define lab_fail(...) lab_fail_at(__FILE__, __LINE__, __VA_ARGS__)

/* lab_assert(cond) or lab_assert(cond, "format", ...): fails with the condition and the text. */
#define lab_assert(cond, ...)                                                                      \
	((cond) ? (void)0 : lab_fail_cond_at(__FILE__, __LINE__, #cond, " " __VA_ARGS__))
_Noreturn void lab_fail_cond_at(const char *file, int line, const char *cond, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Fails with expected and got. */
void lab_assert_int_at(const char *file, int line, const char *what, long long got,
		       long long expected);
void lab_assert_str_at(const char *file, int line, const char *what, const char *got,
		       const char *expected);
#define lab_assert_int(got, expected) lab_assert_int_at(__FILE__, __LINE__, #got, got, expected)
#define lab_assert_str(got, expected) lab_assert_str_at(__FILE__, __LINE__, #got, got, expected)

#endif

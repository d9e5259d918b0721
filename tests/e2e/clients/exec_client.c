// SPDX-License-Identifier: MIT
/*
 * exec_client.c - a program that replaces itself, or starts others, by exec*().
 *
 *	exec_client race HOW HOST PORT	while it connects without waiting, see below
 *	exec_client words FUNCTION	hands itself words and an environment by that function
 *	exec_client errors		calls that fail: what each says
 *
 * and, as the next program:
 *
 *	exec_client found FD		what it finds under the number, once it is connected
 *	exec_client count WORD...	the words and the environment
 */
#include "race_meanwhile.h"

#include <netdb.h>
#include <sched.h>
#include <sys/syscall.h>

#define SELF	    "/proc/self/exe"
#define RACE_MS	    100	 /* after connect() */
#define PATIENCE_MS 5000 /* for a socket to be connected */
#define HIGH	    700	 /* a number that nobody has */

#define ARRAY(...) ((char *const *)(const char *const[]){__VA_ARGS__, NULL})

/*
 * Words -------------------------------------------------------------------------------------------
 */

#define TEN(w)	   w, w, w, w, w, w, w, w, w, w
#define HUNDRED(w) TEN(w), TEN(w), TEN(w), TEN(w), TEN(w), TEN(w), TEN(w), TEN(w), TEN(w), TEN(w)
#define WORDS	   HUNDRED("one"), HUNDRED("two"), HUNDRED("three"), "last"

static void count(char **argv)
{
	const char *before = "";
	unsigned run = 0;

	for (; *argv != NULL; argv++) {
		if (run > 0 && strcmp(before, *argv) != 0) {
			printf("%u %s\n", run, before);
			run = 0;
		}
		before = *argv;
		run++;
	}
	printf("%u %s\n", run, before);
	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, "EXEC_", 5) == 0)
			printf("%s\n", *e);
}

/* "execl", with a few words "execl-few", without any behind the name of the program "execl-none".
 */
static void hand_words(const char *function)
{
	char *const *few = ARRAY("exec_client", "count", "a", "", "c");
	char *const *environment = ARRAY("EXEC_OTHER=environment", "PATH=/nowhere");

	must(setenv("EXEC_OWN", "environment", 1) == 0);
	if (strcmp(function, "execl") == 0)
		execl(SELF, "exec_client", "count", WORDS, NULL);
	if (strcmp(function, "execl-few") == 0)
		execl(SELF, "exec_client", "count", "a", "", "c", NULL);
	if (strcmp(function, "execl-none") == 0)
		execl(SELF, "exec_client", NULL);
	if (strcmp(function, "execle") == 0)
		execle(SELF, "exec_client", "count", WORDS, NULL, environment);
	if (strcmp(function, "execle-none") == 0)
		execle(SELF, "exec_client", NULL, environment);
	if (strcmp(function, "execlp") == 0)
		execlp("exec_client", "exec_client", "count", WORDS, NULL);
	if (strcmp(function, "execlp-slash") == 0)
		execlp(SELF, "exec_client", "count", WORDS, NULL);
	if (strcmp(function, "execv") == 0)
		execv(SELF, few);
	if (strcmp(function, "execve") == 0)
		execve(SELF, few, environment);
	if (strcmp(function, "execvp") == 0)
		execvp("exec_client", few);
	if (strcmp(function, "execvpe") == 0)
		execvpe("exec_client", few, environment);
	if (strcmp(function, "fexecve") == 0)
		fexecve(open(SELF, O_RDONLY | O_CLOEXEC), few, environment);
	if (strcmp(function, "execveat") == 0)
		execveat(AT_FDCWD, SELF, few, environment, 0);
	must(!"replaced");
}

/*
 * Errors ------------------------------------------------------------------------------------------
 */

#define SAY(call)                                                                                  \
	do {                                                                                       \
		int ret_;                                                                          \
                                                                                                   \
		errno = 0;                                                                         \
		ret_ = (call);                                                                     \
		printf("%s: %d %s\n", #call, ret_, strerrorname_np(errno));                        \
	} while (0)

static void *volatile nowhere = (void *)1;

static void errors_of_paths(void)
{
	char *const *argv = ARRAY("x");

	SAY(execv("/nonexistent", argv));
	SAY(execve("/", argv, environ));
	SAY(execve("/etc/hosts", argv, environ));
	SAY(execve("/etc/hosts/x", argv, environ));
	SAY(execve("", argv, environ));
	SAY(execve(nowhere, argv, environ));
	SAY(execve("/bin/sh", nowhere, environ));
	SAY(fexecve(-1, argv, environ));
	SAY(fexecve(HIGH, argv, environ));
	SAY(execveat(HIGH, "x", argv, environ, 0));
	SAY(execveat(AT_FDCWD, "/bin/sh", argv, environ, 1 << 30));
	SAY(execl("/nonexistent", "x", NULL));
	SAY(execl("/", "x", WORDS, NULL));
	SAY(execle("/nonexistent", "x", WORDS, NULL, argv));
	SAY(execle("/bin/sh", "x", NULL, nowhere));
}

static void errors_of_names(void)
{
	char *const *argv = ARRAY("x");
	char long_name[300] = "";

	memset(long_name, 'x', sizeof long_name - 1);
	SAY(execvp("", argv));
	SAY(execvp(long_name, argv));
	SAY(execvp("no-such-program", argv));
	SAY(execvpe("no-such-program", argv, environ));
	SAY(execlp("no-such-program", "x", WORDS, NULL));
	must(setenv("PATH", "/etc:/proc/self", 1) == 0);
	SAY(execvp("hosts", argv));
	SAY(execlp("exe/x", "x", NULL));
	must(unsetenv("PATH") == 0);
	SAY(execlp("no-such-program", "x", NULL));
}

/*
 * A race ------------------------------------------------------------------------------------------
 */

static struct sockaddr_storage to;
static socklen_t to_len;

static int begin(int flags)
{
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | flags, 0);

	must(connect(fd, (const struct sockaddr *)&to, to_len) == -1 && errno == EINPROGRESS);
	return fd;
}

struct found {
	bool tcp;
	unsigned events;
	int family;
};

static struct found look(int fd)
{
	struct found f = {.tcp = is_tcp(fd)};

	f.events = wait_poll(fd, PATIENCE_MS);
	f.family = peer_family(fd);
	return f;
}

static void say(const char *who, struct found f)
{
	printf("%s: tcp=%d events=%#x family=%d\n", who, f.tcp, f.events, f.family);
}

/* Becomes the program that looks at the number. */
static void become(int fd)
{
	char number[16];

	snprintf(number, sizeof number, "%d", fd);
	execl(SELF, "exec_client", "found", number, NULL);
	_exit(1);
}

/* The parent goes on racing, and speaks last. */
static void parent_and_child(int fd, pid_t pid)
{
	const struct found own = look(fd);

	must_exit_with_0(pid);
	say("parent", own);
}

static void in_place(void)
{
	become(begin(0));
}

/* exec*() fails: who was to be handed down goes on alone, the other one races. */
static void fails(void)
{
	char *const *argv = ARRAY("x");
	int inherited = begin(0), closed = begin(SOCK_CLOEXEC);

	sleep_ms(RACE_MS);
	errno = 0;
	must(execv("/nonexistent", argv) == -1 && errno == ENOENT);
	say("close-on-exec", look(closed));
	say("inherited", look(inherited));
}

static void child_of_vfork(void)
{
	const int fd = begin(0);
	pid_t pid = vfork();

	if (pid == 0)
		become(fd);
	parent_and_child(fd, pid);
}

/* As a program that is to have the socket as its standard input. */
static void child_of_vfork_duplicates(void)
{
	const int fd = begin(SOCK_CLOEXEC);
	pid_t pid = vfork();

	if (pid == 0) {
		dup2(fd, 0);
		become(0);
	}
	parent_and_child(fd, pid);
}

static void child_of_fork(void)
{
	const int fd = begin(0);
	pid_t pid = fork();

	if (pid == 0)
		become(fd);
	parent_and_child(fd, pid);
}

static void child_of_raw_fork(void)
{
	const int fd = begin(0);
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		become(fd);
	parent_and_child(fd, pid);
}

static void *in_a_thread(void *arg)
{
	become(*(const int *)arg);
	return NULL;
}

static void *in_a_table_of_its_own(void *arg)
{
	must(unshare(CLONE_FILES) == 0);
	return in_a_thread(arg);
}

static void other_thread(void *(*body)(void *))
{
	int fd = begin(0);
	pthread_t thread;

	sleep_ms(RACE_MS);
	must(pthread_create(&thread, NULL, body, &fd) == 0);
	pthread_join(thread, NULL);
}

static void thread(void)
{
	other_thread(in_a_thread);
}

static void thread_with_a_table(void)
{
	other_thread(in_a_table_of_its_own);
}

static const struct mode races[] = {
	{"in-place", in_place},
	{"fails", fails},
	{"vfork", child_of_vfork},
	{"vfork-dup2", child_of_vfork_duplicates},
	{"fork", child_of_fork},
	{"raw-fork", child_of_raw_fork},
	{"thread", thread},
	{"thread-with-a-table", thread_with_a_table},
	{NULL, NULL},
};

static int race(const char *how, const char *host, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *ai;

	must(getaddrinfo(host, port, &hints, &ai) == 0);
	memcpy(&to, ai->ai_addr, ai->ai_addrlen);
	to_len = ai->ai_addrlen;
	freeaddrinfo(ai);
	return run_mode(races, how);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "count";
	int r = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(what, "count") == 0)
		count(argv);
	else if (strcmp(what, "words") == 0 && argc == 3)
		hand_words(argv[2]);
	else if (strcmp(what, "errors") == 0)
		errors_of_paths(), errors_of_names();
	else if (strcmp(what, "found") == 0 && argc == 3)
		say("started", look(atoi(argv[2])));
	else if (strcmp(what, "race") == 0 && argc == 5)
		r = race(argv[2], argv[3], argv[4]);
	else
		r = 2;
	return r;
}

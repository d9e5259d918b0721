// SPDX-License-Identifier: MIT
/*
 * race_call.c - connects to a name that nobody answers for, on sockets that block, while other
 * threads and signals do something about it: one line a case, to be compared with what the kernel
 * says to a program without the shim.
 *
 *	race_call NAME PORT MS...
 *
 * What is done is done MS after connect().
 */
#include "client.h"

#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ROUNDS	    6
#define PATIENCE_MS 5000
#define COVERED	    20 /* no number of this program's is that high */
#define COVERED_END 120

static struct sockaddr_storage to;
static socklen_t to_len;
static int after_ms;

/* ---- a thread in connect() ---- */

static struct caller {
	int fd, result, error;
	pthread_t thread;
} caller;

static _Atomic unsigned tidied;

/* What a C++ destructor is to the unwinder (built with -fexceptions). */
static void tidy(const int *unused)
{
	(void)unused;
	atomic_fetch_add(&tidied, 1);
}

static void *call(void *arg)
{
	__attribute__((cleanup(tidy))) int something = 0;

	(void)arg;
	(void)something;
	caller.result = connect(caller.fd, (struct sockaddr *)&to, to_len);
	caller.error = errno;
	return NULL;
}

static int new_socket(void)
{
	const int syns = 1; /* the kernel gives up after 3 s */
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &syns, sizeof syns) == 0);
	return fd;
}

static void begin(void)
{
	caller.fd = new_socket();
	must(pthread_create(&caller.thread, NULL, call, NULL) == 0);
	usleep((unsigned)after_ms * 1000);
}

static void end(const char *what)
{
	must(pthread_join(caller.thread, NULL) == 0);
	printf("%3d ms %s: %d %s\n", after_ms, what, caller.result,
	       caller.result < 0 ? strerrorname_np(caller.error) : "");
}

static int socket_error(int fd)
{
	int error = -1;
	socklen_t len = sizeof error;

	must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
	return error;
}

static void shut(void)
{
	begin();
	printf("%3d ms shutdown: %d\n", after_ms, shutdown(caller.fd, SHUT_RDWR));
	end("shutdown");
	printf("then SO_ERROR %d\n", socket_error(caller.fd));
	close(caller.fd);
}

/* connect() goes on, and what has the number by then is left alone. */
static void closed(void)
{
	char c;
	int fd;

	begin();
	close(caller.fd);
	fd = open("/dev/null", O_RDWR);
	must(fd == caller.fd);
	end("close");
	printf("then read() %zd\n", read(fd, &c, 1));
	close(fd);
}

static void do_nothing(int sig)
{
	(void)sig;
}

/* As JDKs end a blocking call: the signal comes right after the number has gone. */
static void closed_and_signalled(void)
{
	const struct sigaction act = {.sa_handler = do_nothing};

	must(sigaction(SIGUSR1, &act, NULL) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		begin();
		close(caller.fd);
		must(pthread_kill(caller.thread, SIGUSR1) == 0);
		end("close, signal");
	}
}

/* The call holds its socket, whatever comes under any number; and a handler has it restarted. */
static void covered_and_restarted(void)
{
	const struct sigaction act = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
	int null = open("/dev/null", O_RDWR);

	must(null >= 0 && sigaction(SIGUSR2, &act, NULL) == 0);
	begin();
	for (int fd = COVERED; fd < COVERED_END; fd++)
		must(dup2(null, fd) == fd);
	must(pthread_kill(caller.thread, SIGUSR2) == 0);
	end("dup2 over all others, signal");
	for (int fd = COVERED; fd < COVERED_END; fd++)
		close(fd);
	close(caller.fd);
	close(null);
}

/* ---- what is left ---- */

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	must(dir != NULL);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* Sockets of this network namespace that connect. */
static int connecting(void)
{
	static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
	char line[512];
	int n = 0;

	for (int i = 0; i < 2; i++) {
		FILE *file = fopen(tables[i], "re");
		unsigned state;

		must(file != NULL);
		while (fgets(line, sizeof line, file) != NULL)
			n += sscanf(line, "%*s %*s %*s %x", &state) == 1 && state == 2;
		fclose(file);
	}
	return n;
}

/* The io thread closes what another thread has given up. */
static void say_left(const char *what, int before)
{
	int left = 0;

	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		left = descriptors() - before;
		if (left <= 0 && connecting() == 0)
			break;
		usleep(1000);
	}
	printf("%3d ms %s: %d descriptors more, %d connecting\n", after_ms, what,
	       left > 0 ? left : 0, connecting());
}

static void cancelled(void)
{
	int before = 0;

	for (int i = 0; i < ROUNDS; i++) {
		void *result;

		atomic_store(&tidied, 0);
		begin();
		must(pthread_cancel(caller.thread) == 0);
		must(pthread_join(caller.thread, &result) == 0 && result == PTHREAD_CANCELED);
		must(atomic_exchange(&tidied, 0) == 1);
		close(caller.fd);
		if (i == 0)
			usleep(100000);
		if (i == 0)
			before = descriptors();
	}
	say_left("cancelled", before);
}

static sigjmp_buf out;

static void leave(int sig)
{
	(void)sig;
	siglongjmp(out, 1);
}

static void bounded_connect(int fd)
{
	const struct itimerval once = {.it_value = {.tv_usec = after_ms * 1000}};

	if (sigsetjmp(out, 1) != 0)
		return;
	must(setitimer(ITIMER_REAL, &once, NULL) == 0);
	must(connect(fd, (struct sockaddr *)&to, to_len) == 0);
}

static void *jump(void *arg)
{
	static char room[65536];
	const stack_t alternate = {.ss_sp = room, .ss_size = sizeof room};
	int fd;

	(void)arg;
	must(sigaltstack(&alternate, NULL) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		fd = new_socket();
		bounded_connect(fd);
		close(fd);
	}
	pthread_exit((void *)7); /* calls what is left of cleanup handlers */
}

/* The thread is the one that takes the signal. */
static void jumped(int flags)
{
	const struct sigaction act = {.sa_handler = leave, .sa_flags = flags};
	sigset_t set;
	pthread_t thread;
	void *result;
	int before = descriptors();

	must(sigaction(SIGALRM, &act, NULL) == 0);
	must(pthread_create(&thread, NULL, jump, NULL) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	must(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	must(pthread_join(thread, &result) == 0 && result == (void *)7);
	must(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
	say_left("siglongjmp", before);
}

/* ---- addresses that cannot be read ---- */

static void unreadable(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const void *const bad[] = {NULL, (void *)16, pages + page, pages + page - 8};

	must(pages != MAP_FAILED);
	memcpy(pages + page - 8, &to, 8);
	must(mprotect(pages + page, page, PROT_NONE) == 0);
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int fd = new_socket(), r = connect(fd, bad[i], to_len);

		printf("bad address %u: %d %s\n", i, r, strerrorname_np(errno));
		close(fd);
	}
	munmap(pages, 2 * page);
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *ai;

	setvbuf(stdout, NULL, _IOLBF, 0);
	must(argc > 3 && getaddrinfo(argv[1], argv[2], &hints, &ai) == 0);
	memcpy(&to, ai->ai_addr, ai->ai_addrlen);
	to_len = ai->ai_addrlen;
	freeaddrinfo(ai);
	unreadable();
	for (int i = 3; i < argc; i++) {
		after_ms = atoi(argv[i]);
		shut();
		closed();
		closed_and_signalled();
		covered_and_restarted();
		cancelled();
		jumped(0);
		jumped(SA_ONSTACK);
	}
	return 0;
}

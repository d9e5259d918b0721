// SPDX-License-Identifier: MIT
/*
 * race_ask.c - connects to a name that nobody answers for, without waiting, and asks everything
 * of a socket that connects, or does everything to it: one line a question, to be compared with
 * what the kernel says to a program without the shim.
 *
 *	race_ask NAME PORT MS...
 *
 * Each question is put to a socket of its own, MS after connect(): all sockets connect at once.
 */
#include "client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

static struct sockaddr_storage to;
static socklen_t to_len;
static const char *asking;
static int alive; /* ms since connect() */

/* "name  what: value errno" */
static void say(const char *what, long value)
{
	printf("%3d ms %-10s %-28s %ld %s\n", alive, asking, what, value,
	       value < 0 ? strerrorname_np(errno) : "");
}

#define SAY(call) (errno = 0, say(#call, (long)(call)))

static long option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	return getsockopt(fd, level, name, &value, &len) < 0 ? -1 : value;
}

static int events(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	return poll(&p, 1, 5) < 0 ? -1 : p.revents;
}

static void options(int fd)
{
	int on = 1;

	SAY(option(fd, SOL_SOCKET, SO_ERROR));
	SAY(option(fd, SOL_SOCKET, SO_DOMAIN));
	SAY(option(fd, SOL_SOCKET, SO_TYPE));
	SAY(option(fd, SOL_SOCKET, SO_PROTOCOL));
	SAY(option(fd, SOL_SOCKET, SO_ACCEPTCONN));
	SAY(option(fd, SOL_SOCKET, SO_SNDBUF));
	SAY(option(fd, SOL_SOCKET, SO_RCVBUF));
	SAY(option(fd, IPPROTO_TCP, TCP_NODELAY));
	SAY(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
	SAY(option(fd, IPPROTO_TCP, TCP_NODELAY));
	SAY(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, 1));
	SAY(setsockopt(fd, IPPROTO_TCP, 4711, &on, sizeof on));
	SAY(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
	SAY(option(fd, SOL_SOCKET, SO_KEEPALIVE));
	SAY(option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
	SAY(option(fd, 4711, 1));
}

static void names(int fd)
{
	struct sockaddr_storage addr = {.ss_family = 0};
	socklen_t len = sizeof addr;

	SAY(getpeername(fd, (struct sockaddr *)&addr, &len));
	SAY(getsockname(fd, (struct sockaddr *)&addr, &len));
	SAY(addr.ss_family);
	SAY(((struct sockaddr_in6 *)&addr)->sin6_port != 0);
	SAY(len);
}

static void transfers(int fd)
{
	char c = 'x';

	SAY(read(fd, &c, 1));
	SAY(recv(fd, &c, 1, MSG_PEEK));
	SAY(write(fd, &c, 1));
	SAY(send(fd, &c, 1, MSG_NOSIGNAL));
	SAY(events(fd));
	SAY(option(fd, SOL_SOCKET, SO_ERROR));
}

static void again(int fd)
{
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	SAY(connect(fd, (struct sockaddr *)&to, to_len));
	SAY(connect(fd, (struct sockaddr *)&to, to_len));
	SAY(connect(fd, &nobody, sizeof nobody));
	SAY(events(fd));
	SAY(getpeername(fd, &nobody, &(socklen_t){sizeof nobody}));
}

static void refused(int fd)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};

	SAY(listen(fd, 1));
	SAY(bind(fd, (struct sockaddr *)&any, sizeof any));
	SAY(accept(fd, NULL, NULL));
	SAY(events(fd));
}

static void shut(int fd)
{
	char c;

	SAY(shutdown(fd, SHUT_RDWR));
	SAY(events(fd));
	SAY(option(fd, SOL_SOCKET, SO_ERROR));
	SAY(read(fd, &c, 1));
	SAY(shutdown(fd, SHUT_WR));
}

static void flags(int fd)
{
	int on = 1, off = 0, n = -1;

	SAY(fcntl(fd, F_GETFL));
	SAY(fcntl(fd, F_GETFD));
	SAY(fcntl(fd, F_SETFD, 0));
	SAY(fcntl(fd, F_GETFD));
	SAY(fcntl(fd, F_GETOWN));
	SAY(ioctl(fd, FIONREAD, &n));
	SAY(n);
	SAY(ioctl(fd, TIOCOUTQ, &n));
	SAY(ioctl(fd, FIOCLEX));
	SAY(fcntl(fd, F_GETFD));
	SAY(ioctl(fd, FIONBIO, &off));
	SAY(fcntl(fd, F_GETFL));
	SAY(ioctl(fd, FIONBIO, &on));
	SAY(fcntl(fd, F_GETFL));
}

static void blocking(int fd)
{
	struct timeval soon = {.tv_usec = 20000};
	char c;

	SAY(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
	SAY(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon));
	SAY(fcntl(fd, F_SETFL, 0));
	SAY(fcntl(fd, F_GETFL));
	SAY(read(fd, &c, 1));
	SAY(write(fd, &c, 1));
	SAY(events(fd));
}

static void waits(int fd)
{
	fd_set in, out;

	SAY(events(fd));
	FD_ZERO(&in);
	FD_SET(fd, &in);
	out = in;
	SAY(select(fd + 1, &in, &out, NULL, &(struct timeval){.tv_usec = 5000}));
}

static void sets(int fd)
{
	int a = epoll_create1(EPOLL_CLOEXEC), b = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
	struct epoll_event exclusive = {.events = EPOLLOUT | EPOLLEXCLUSIVE};

	SAY(epoll_ctl(a, EPOLL_CTL_MOD, fd, &event));
	SAY(epoll_ctl(a, EPOLL_CTL_DEL, fd, &event));
	SAY(epoll_ctl(a, EPOLL_CTL_ADD, fd, &event));
	SAY(epoll_ctl(a, EPOLL_CTL_ADD, fd, &event));
	SAY(epoll_ctl(a, EPOLL_CTL_MOD, fd, &event));
	SAY(epoll_ctl(b, EPOLL_CTL_ADD, fd, &exclusive));
	SAY(epoll_ctl(b, EPOLL_CTL_MOD, fd, &exclusive));
	SAY(epoll_ctl(fd, EPOLL_CTL_ADD, a, &event));
	SAY(epoll_ctl(a, 4711, fd, &event));
	SAY(epoll_ctl(a, EPOLL_CTL_ADD, fd, NULL));
	SAY(epoll_wait(a, &event, 1, 5));
	SAY(epoll_wait(b, &event, 1, 0));
	SAY(epoll_ctl(a, EPOLL_CTL_DEL, fd, NULL));
	SAY(epoll_ctl(b, EPOLL_CTL_DEL, fd, NULL));
	close(a);
	close(b);
}

static bool is_the_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       S_ISSOCK(x.st_mode) && S_ISSOCK(y.st_mode);
}

static void duplicates(int fd)
{
	int copy = dup(fd), high = fcntl(fd, F_DUPFD_CLOEXEC, 500), onto = dup2(0, 600);

	SAY(is_the_same(fd, copy));
	SAY(high);
	SAY(fcntl(high, F_GETFD));
	SAY(fcntl(copy, F_GETFD));
	SAY(dup2(fd, onto));
	SAY(is_the_same(onto, copy));
	SAY(dup2(fd, fd) == fd);
	SAY(dup3(fd, fd, 0));
	SAY(dup2(4711, fd));
	SAY(close(high));
	SAY(option(copy, SOL_SOCKET, SO_DOMAIN));
	SAY(events(copy));
	SAY(close(copy));
	SAY(dup2(0, onto));
	SAY(option(onto, SOL_SOCKET, SO_DOMAIN));
	SAY(close(onto));
	SAY(events(fd));
}

static void closed(int fd)
{
	int copy = dup(fd);

	SAY(close(copy));
	SAY(close(copy));
	SAY(option(copy, SOL_SOCKET, SO_ERROR));
	SAY(option(fd, SOL_SOCKET, SO_PROTOCOL));
	SAY(close(fd));
	SAY(fcntl(fd, F_GETFD));
	SAY(connect(fd, (struct sockaddr *)&to, to_len));
	must(dup2(0, fd) == fd); /* for the caller's close() */
}

static void child(int fd)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		SAY(option(fd, SOL_SOCKET, SO_DOMAIN));
		SAY(option(fd, SOL_SOCKET, SO_PROTOCOL));
		SAY(connect(fd, (struct sockaddr *)&to, to_len));
		SAY(events(fd));
		SAY(close(fd));
		fflush(stdout);
		_exit(0);
	}
	must_exit_with_0(pid);
	SAY(events(fd));
}

static void passed(int fd)
{
	char control[CMSG_SPACE(sizeof fd)] = "", byte = 'p';
	struct iovec iov = {&byte, 1};
	struct mmsghdr msg = {.msg_hdr = {.msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof control}};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg.msg_hdr);
	int pair[2], got = -1;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
	SAY(sendmmsg(pair[0], &msg, 1, 0));
	must(recvmsg(pair[1], &msg.msg_hdr, MSG_CMSG_CLOEXEC) == 1);
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg.msg_hdr)), sizeof got);
	SAY(option(got, SOL_SOCKET, SO_PROTOCOL));
	SAY(is_the_same(fd, got));
	SAY(events(got));
	close(got);
	close(pair[0]);
	close(pair[1]);
}

static const struct {
	const char *name;
	void (*ask)(int fd);
} questions[] = {
	{"options", options}, {"names", names},		  {"transfers", transfers},
	{"again", again},     {"refused", refused},	  {"shut", shut},
	{"flags", flags},     {"blocking", blocking},	  {"waits", waits},
	{"sets", sets},	      {"duplicates", duplicates}, {"closed", closed},
	{"child", child},     {"passed", passed},
};

#define QUESTIONS (sizeof questions / sizeof questions[0])

static void ask_all(int ms)
{
	int fds[QUESTIONS];

	alive = ms;
	for (unsigned i = 0; i < QUESTIONS; i++) {
		fds[i] = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		must(connect(fds[i], (struct sockaddr *)&to, to_len) == -1 && errno == EINPROGRESS);
	}
	usleep((unsigned)ms * 1000);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		asking = questions[i].name;
		questions[i].ask(fds[i]);
		close(fds[i]);
	}
}

int main(int argc, char **argv)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *ai;

	must(argc > 3 && getaddrinfo(argv[1], argv[2], &hints, &ai) == 0);
	memcpy(&to, ai->ai_addr, ai->ai_addrlen);
	to_len = ai->ai_addrlen;
	freeaddrinfo(ai);
	for (int i = 3; i < argc; i++)
		ask_all(atoi(argv[i]));
	return 0;
}

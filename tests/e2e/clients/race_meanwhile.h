// SPDX-License-Identifier: MIT
/*
 * race_meanwhile.h - what a program does with a socket while its connect() is in progress: it
 * duplicates it, hands it to itself over a UNIX socket, forks, looks at it, gets a signal, is
 * stopped. Each is done by another thread or process AT ms after the start, so that the connecting
 * thread may sleep.
 */
#ifndef RACE_MEANWHILE_H
#define RACE_MEANWHILE_H

#include "client.h"
#include "race_wait.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#define MEANWHILE_PATIENCE_MS 3000 /* for the second name of a socket to be connected */

struct meanwhile {
	const char *act; /* "dup", "scm", "fork", "look"; or NULL */
	int at_ms;
	int fd; /* the program's */
	pthread_t thread;
	int alias;	    /* -1, or what dup or scm gave */
	pid_t child;	    /* of fork */
	const char *looked; /* of look */
	int child_pipe;	    /* it says there what it saw */
	char seen[128];	    /* the answer: words with `=` */
};

/* 4 or 6 on the wire; 0: not connected. */
static inline int peer_family(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&peer;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
		return 0;
	return peer.ss_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? 4 : 6;
}

/* The local port; 0: none. */
static inline unsigned local_port(int fd)
{
	struct sockaddr_in6 name = {0};
	socklen_t len = sizeof name;

	if (getsockname(fd, (struct sockaddr *)&name, &len) != 0)
		return 0;
	return ntohs(name.sin6_port); /* sin_port lies at the same place */
}

static inline bool is_tcp(int fd)
{
	int domain = -1, protocol = -1;
	socklen_t len = sizeof domain;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       (domain == AF_INET || domain == AF_INET6) && protocol == IPPROTO_TCP;
}

/* Hands the socket to itself; a file is what arrives, whatever lies under the number by then. */
static inline int pass_to_self(int fd)
{
	char control[CMSG_SPACE(sizeof fd)] = "", byte = 'p';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof control};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int pair[2], got;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
	must(sendmsg(pair[0], &msg, 0) == 1);
	must(recvmsg(pair[1], &msg, 0) == 1);
	cmsg = CMSG_FIRSTHDR(&msg);
	must(cmsg != NULL && cmsg->cmsg_type == SCM_RIGHTS);
	memcpy(&got, CMSG_DATA(cmsg), sizeof got);
	close(pair[0]);
	close(pair[1]);
	return got;
}

/* What the child of a fork finds under the number. */
static inline _Noreturn void look_as_child(int fd, int report)
{
	unsigned events = wait_poll(fd, MEANWHILE_PATIENCE_MS);

	dprintf(report, "child_tcp=%d child_events=%#x child_family=%d child_port=%u", is_tcp(fd),
		events, peer_family(fd), local_port(fd));
	_exit(0);
}

#define LOOK_KEEPIDLE 77 /* an option that is set while the connect is in progress */

/* What is not as it is with a socket that connects. */
static inline const char *look_at_connecting(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	const int idle = LOOK_KEEPIDLE;
	int error = -1;

	if (!is_tcp(fd))
		return "domain";
	if (wait_poll(fd, 0) != 0)
		return "poll";
	if (getpeername(fd, (struct sockaddr *)&name, &len) == 0 || errno != ENOTCONN)
		return "getpeername";
	len = sizeof name;
	if (getsockname(fd, (struct sockaddr *)&name, &len) != 0 || name.ss_family != AF_INET6)
		return "getsockname";
	if (connect(fd, (struct sockaddr *)&name, len) == 0 || errno != EALREADY)
		return "connect";
	len = sizeof error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
		return "SO_ERROR";
	if (write(fd, "y", 1) != -1 || errno != EAGAIN)
		return "write";
	if (setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) != 0)
		return "setsockopt";
	return "right";
}

static inline void *meanwhile_run(void *arg)
{
	struct meanwhile *m = arg;
	int pipes[2];

	sleep_ms(m->at_ms);
	if (strcmp(m->act, "dup") == 0) {
		m->alias = dup(m->fd);
	} else if (strcmp(m->act, "scm") == 0) {
		m->alias = pass_to_self(m->fd);
	} else if (strcmp(m->act, "look") == 0) {
		m->looked = look_at_connecting(m->fd);
	} else if (strcmp(m->act, "fork") == 0) {
		must(pipe(pipes) == 0);
		m->child = fork();
		if (m->child == 0)
			look_as_child(m->fd, pipes[1]);
		close(pipes[1]);
		m->child_pipe = pipes[0];
	}
	return NULL;
}

/* Signals are no matter of a thread. */
static inline bool meanwhile_is_own(const struct meanwhile *m)
{
	return m->act != NULL && strncmp(m->act, "signal", 6) != 0;
}

static inline void meanwhile_start(struct meanwhile *m, int fd)
{
	m->fd = fd;
	m->alias = -1;
	if (meanwhile_is_own(m))
		must(pthread_create(&m->thread, NULL, meanwhile_run, m) == 0);
}

/* After the connect. Says in `seen` what became of the alias or the child. */
static inline void meanwhile_end(struct meanwhile *m)
{
	if (!meanwhile_is_own(m))
		return;
	must(pthread_join(m->thread, NULL) == 0);
	if (m->looked != NULL) {
		int idle = -1;
		socklen_t len = sizeof idle;

		must(getsockopt(m->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &len) == 0);
		snprintf(m->seen, sizeof m->seen, "looked=%s option=%d", m->looked,
			 idle == LOOK_KEEPIDLE);
	}
	if (m->alias >= 0) {
		unsigned events = wait_poll(m->alias, MEANWHILE_PATIENCE_MS);

		snprintf(m->seen, sizeof m->seen,
			 "alias_tcp=%d alias_events=%#x alias_family=%d alias_same=%d",
			 is_tcp(m->alias), events, peer_family(m->alias),
			 local_port(m->alias) == local_port(m->fd));
		close(m->alias);
	}
	if (m->child > 0) {
		must(read(m->child_pipe, m->seen, sizeof m->seen - 1) > 0);
		close(m->child_pipe);
		must_exit_with_0(m->child);
	}
}

/* ---- signals ---- */

static inline void on_alarm(int sig)
{
	(void)sig;
}

/* SIGALRM after that time, with or without SA_RESTART. */
static inline void alarm_in(int ms, int flags)
{
	const struct itimerval once = {.it_value = {ms / 1000, ms % 1000 * 1000}};
	struct sigaction act = {.sa_handler = on_alarm, .sa_flags = flags};

	must(sigaction(SIGALRM, &act, NULL) == 0);
	must(setitimer(ITIMER_REAL, &once, NULL) == 0);
}

/* Another process stops this one, with all its threads, after `at_ms` for `for_ms`. */
static inline pid_t stop_in(int at_ms, int for_ms)
{
	const pid_t self = getpid();
	pid_t pid = fork();

	must(pid >= 0);
	if (pid != 0)
		return pid;
	sleep_ms(at_ms);
	kill(self, SIGSTOP);
	sleep_ms(for_ms);
	kill(self, SIGCONT);
	_exit(0);
}

#endif

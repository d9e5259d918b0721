// SPDX-License-Identifier: MIT
/*
 * test_racing.c - what lies under a number that races, meanwhile and in the end.
 */
#include "tests/unit/racing_rig.h"

#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>

Test(racing, winner_lies_under_the_number)
{
	int listener = rig_dead_and_alive(), fd = rig_begin(DELAY_MS), served;
	char c = 0;

	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_error(fd), 0);
	cr_expect_eq(rig_peer(fd), 2);
	served = accept(listener, NULL, NULL);
	cr_assert_eq(write(fd, "x", 1), 1);
	cr_expect_eq(read(served, &c, 1), 1);
	cr_expect_eq(c, 'x');
	rig_all_gone();
}

Test(racing, number_is_neither_readable_nor_writable_meanwhile)
{
	char c;
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_expect(racing_is(fd));
	cr_expect_eq(rig_wait(fd, POLLIN | POLLOUT, 20), 0);
	cr_expect_eq(write(fd, "x", 1), -1);
	cr_expect_eq(errno, EAGAIN);
	cr_expect_eq(read(fd, &c, 1), -1);
	cr_expect_eq(errno, EAGAIN);
}

Test(racing, first_attempt_that_wins_is_the_programs_own_socket)
{
	struct sockaddr_in before, after;
	socklen_t len = sizeof before;
	int fd;

	hooks_resolve();
	cr_assert_eq(process_check(), PROCESS_OWNER);
	race_listen(1);
	race_listen(2);
	rig_candidate(1);
	rig_candidate(2);
	fd = rig_begin(NEVER_MS);
	cr_assert_eq(nbd_getsockname(fd, (struct sockaddr *)&before, &len), 0);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_assert_eq(nbd_getsockname(fd, (struct sockaddr *)&after, &len), 0);
	cr_expect_eq(before.sin_port, after.sin_port);
	cr_expect_eq(rig_peer(fd), 1);
	rig_all_gone();
}

Test(racing, lost_race_leaves_the_error_to_the_program)
{
	int fd;

	hooks_resolve();
	cr_assert_eq(process_check(), PROCESS_OWNER);
	close(race_listen(1)); /* a port that nobody listens on */
	rig_candidate(1);
	rig_candidate(2);
	fd = rig_begin(NEVER_MS);
	cr_assert(rig_wait(fd, POLLOUT, PATIENCE_MS) & POLLERR);
	cr_expect_eq(rig_error(fd), ECONNREFUSED);
	cr_expect_eq(rig_error(fd), 0, "SO_ERROR is given once");
	rig_all_gone();
}

Test(racing, connect_again_says_ealready_and_then_what_the_kernel_says)
{
	struct sockaddr_in addr;
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	addr = race_server_at(1);
	cr_expect_eq(racing_connect(fd, (struct sockaddr *)&addr, sizeof addr), -1);
	cr_expect_eq(errno, EALREADY);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(racing_connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	cr_expect_eq(racing_connect(fd, (struct sockaddr *)&addr, sizeof addr), -1);
	cr_expect_eq(errno, EISCONN);
}

/*
 * Flags -------------------------------------------------------------------------------------------
 */

Test(racing, flags_that_are_set_meanwhile_are_the_winners)
{
	int fd, signals_to = getpid();

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(nbd_fcntl(fd, F_SETFD, NULL), 0);
	cr_assert_eq(nbd_fcntl(fd, F_SETOWN, (void *)(long)signals_to), 0);
	cr_assert_eq(nbd_fcntl(fd, F_SETSIG, (void *)(long)SIGURG), 0); /* ignored */
	cr_assert_eq(nbd_fcntl(fd, F_SETFL, (void *)(long)(O_NONBLOCK | O_ASYNC)), 0);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect(rig_is_tcp(fd));
	cr_expect_eq(fcntl(fd, F_GETFD), 0);
	cr_expect_eq(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK | O_ASYNC);
	cr_expect_eq(fcntl(fd, F_GETOWN), signals_to);
	cr_expect_eq(fcntl(fd, F_GETSIG), SIGURG);
}

/* For SIGURG; nobody looks for it before the hooks have seen such a call. */
Test(racing, owner_that_is_set_meanwhile_is_the_winners)
{
	int fd, signals_to = getpid();

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(nbd_fcntl(fd, F_SETOWN, (void *)(long)signals_to), 0);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(fcntl(fd, F_GETOWN), signals_to);
}

Test(racing, owner_that_ioctl_sets_meanwhile_is_the_winners)
{
	int fd, signals_to = getpid();

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(nbd_ioctl(fd, FIOSETOWN, &signals_to), 0);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(fcntl(fd, F_GETOWN), signals_to);
}

/* Another thread has closed the number and opened a file since connect() was called. */
Test(racing, number_of_another_file_is_left_alone)
{
	int fd = rig_socket(), own, domain = 0;
	socklen_t len = sizeof domain;
	struct attempts *a;
	struct swap_id id;

	rig_dead_and_alive();
	rig_goal.family = AF_INET;
	rig_goal.ipv4 = true;
	rig_goal.port = race_port();
	rig_goal.delay_ms = DELAY_MS;
	a = attempts_new(&rig_goal);
	cr_assert_not_null(a);
	cr_assert_eq(attempts_first(a, fd), -EINPROGRESS);
	cr_assert_eq(swap_identify(fd, &id), 0);
	own = swap_copy(fd, &id);
	cr_assert_gt(own, 0);
	cr_assert_eq(dup2(socket(AF_UNIX, SOCK_DGRAM, 0), fd), fd);
	cr_expect_eq(swap_copy(fd, &id), -EBADF);
	cr_expect_lt(racing_begin(fd, &id, own, a), 0);
	cr_expect_not(racing_is(fd));
	rig_all_gone();
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len), 0);
	cr_expect_eq(domain, AF_UNIX);
}

static void must_be_settled(int fd)
{
	cr_expect_not(racing_is(fd));
	cr_expect(rig_is_tcp(fd));
	cr_expect_eq(rig_peer(fd), 0);
	rig_all_gone();
}

/* A write() that sleeps on the placeholder would write there. */
Test(racing, socket_that_is_made_to_block_races_no_longer)
{
	int fd, off = 0;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_assert_eq(nbd_fcntl(fd, F_SETFL, NULL), 0);
	must_be_settled(fd);
	cr_expect_eq(fcntl(fd, F_GETFL), O_RDWR);

	fd = rig_begin(NEVER_MS);
	cr_assert_eq(nbd_ioctl(fd, FIONBIO, &off), 0);
	must_be_settled(fd);
	cr_expect_eq(fcntl(fd, F_GETFL), O_RDWR);
}

/*
 * Socket calls ------------------------------------------------------------------------------------
 */

Test(racing, options_are_those_of_the_own_socket_and_reach_the_winner)
{
	int fd, value, on = 1;
	socklen_t len = sizeof value;

	rig_dead_and_alive();
	fd = rig_begin(DELAY_MS);
	cr_assert_eq(nbd_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &len), 0);
	cr_expect_eq(value, AF_INET);
	cr_assert_eq(nbd_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len), 0);
	cr_expect_eq(value, IPPROTO_TCP);
	cr_expect_eq(rig_error(fd), 0);
	cr_assert_eq(nbd_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	cr_assert_eq(nbd_setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), 0);
	cr_assert_eq(rig_wait(fd, POLLOUT, PATIENCE_MS), POLLOUT);
	cr_expect_eq(rig_peer(fd), 2);
	cr_assert_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
	cr_expect_eq(value, 1);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
	cr_expect_eq(value, 1);
}

Test(racing, option_that_the_kernel_refuses_is_refused)
{
	int fd, on = 1;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_expect_eq(nbd_setsockopt(fd, 4711, 1, &on, sizeof on), -1);
	cr_expect_eq(errno, ENOPROTOOPT);
	cr_expect_eq(nbd_setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, sizeof on), -1);
	cr_expect_eq(errno, EFAULT);
}

Test(racing, names_are_those_of_a_socket_that_connects)
{
	struct sockaddr_in name = {.sin_family = 0};
	socklen_t len = sizeof name;
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_assert_eq(nbd_getsockname(fd, (struct sockaddr *)&name, &len), 0);
	cr_expect_eq(name.sin_family, AF_INET);
	cr_expect_neq(name.sin_port, 0);
	cr_expect_eq(nbd_getpeername(fd, (struct sockaddr *)&name, &len), -1);
	cr_expect_eq(errno, ENOTCONN);
}

Test(racing, shutdown_ends_it)
{
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_expect_eq(nbd_shutdown(fd, SHUT_RDWR), 0);
	must_be_settled(fd);
	cr_expect(rig_wait(fd, POLLOUT, 0) & POLLHUP);
}

Test(racing, listen_and_bind_are_refused_as_on_a_socket_that_connects)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	int fd;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_expect_eq(nbd_listen(fd, 1), -1);
	cr_expect_eq(errno, EINVAL);
	must_be_settled(fd);
	fd = rig_begin(NEVER_MS);
	cr_expect_eq(nbd_bind(fd, (struct sockaddr *)&addr, sizeof addr), -1);
	cr_expect_eq(errno, EINVAL);
	must_be_settled(fd);
}

Test(racing, number_that_is_passed_to_a_process_is_settled)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fd, pair[2];

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	cr_assert_eq(nbd_sendmsg(pair[0], &msg, 0), 1);
	must_be_settled(fd);
	cr_assert_eq(recvmsg(pair[1], &msg, 0), 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof fd);
	cr_expect(rig_is_tcp(fd));
}

Test(racing, ioctl_asks_the_own_socket)
{
	int fd, n = -1;

	rig_dead_and_alive();
	fd = rig_begin(NEVER_MS);
	cr_assert_eq(nbd_ioctl(fd, TIOCOUTQ, &n), 0);
	cr_expect_eq(n, 0, "the placeholder has %d bytes", n);
}

// SPDX-License-Identifier: MIT
/*
 * racing_socket.c - socket calls on a number under which a placeholder lies (racing.h).
 *
 * They are made on the program's own socket, where the first attempt is. Not SO_ERROR: it takes the
 * error of an attempt that has failed away, and the program would believe that all have. While they
 * connect there is none, as the placeholder says. TCP_INFO may tell of a first attempt that has
 * failed.
 */
#include "shim/racing_table.h"

enum socket_call { SYS_GET, SYS_SET, SYS_NAME };

struct call {
	enum socket_call what;
	int level, name;
	const void *value;
	socklen_t *ret_len; /* GET, NAME */
	socklen_t len;	    /* SET */
};

static int make_call(int fd, const struct call *c)
{
	switch (c->what) {
	case SYS_GET:
		return (int)sys_call(SYS_getsockopt, fd, c->level, c->name, (long)c->value,
				     (long)c->ret_len, 0);
	case SYS_SET:
		return (int)sys_call(SYS_setsockopt, fd, c->level, c->name, (long)c->value, c->len,
				     0);
	case SYS_NAME:
		break;
	}
	return (int)sys_call(SYS_getsockname, fd, (long)c->value, (long)c->ret_len, 0, 0, 0);
}

/* On the own socket; -ENOENT: no placeholder is there. */
static int on_own(int fd, const struct call *c)
{
	struct racing_session s;
	struct racing *race;
	int own, r = -ENOENT;

	if (!racing_may())
		return r;
	racing_open(&s);
	race = racing_at(&s, fd);
	if (race && !race->blocking) {
		private_fd_lock();
		own = private_fd_number_locked(race->own);
		r = own < 0 ? -ENOENT : make_call(own, c);
		private_fd_unlock();
	}
	if (race && c->what == SYS_SET && (race->blocking || r == 0))
		attempts_option(race->attempts, c->level, c->name, c->value, c->len);
	racing_close_session(&s);
	return r;
}

int racing_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	const struct call c = {
		.what = SYS_GET, .level = level, .name = name, .value = value, .ret_len = len};

	return level == SOL_SOCKET && name == SO_ERROR ? -ENOENT : on_own(fd, &c);
}

int racing_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct call c = {
		.what = SYS_SET, .level = level, .name = name, .value = value, .len = len};

	return on_own(fd, &c);
}

int racing_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	const struct call c = {.what = SYS_NAME, .value = addr, .ret_len = len};

	return on_own(fd, &c);
}

int racing_getpeername(int fd)
{
	struct racing_session s;
	struct racing *race;
	int r = -ENOENT;

	if (!racing_may())
		return r;
	racing_open(&s);
	race = racing_at(&s, fd);
	if (race && !race->blocking)
		r = -ENOTCONN;
	racing_close_session(&s);
	return r;
}

// SPDX-License-Identifier: MIT
/*
 * racing.c - a race under a number from its begin to its end (racing.h).
 *
 *	racing_begin:   own socket copied -> attempts started -> placeholder put over the numbers
 *	over:           what the race has shown put over the placeholder
 *	racing_settle:  own socket put over the placeholder, the other attempts stopped
 *
 * The attempts are started first: where that fails nothing has to be undone. They may be over
 * before the placeholder is there; then what they have shown is put in the place of the own socket.
 */
#include "shim/racing.h"

#include "shim/hooks.h"
#include "shim/process.h"
#include "shim/racing_table.h"

/* Numbers that are not the race's any more leave it. False: it has ended with the last one. */
static bool keep_ours(struct racing_session *s, struct racing *race, const struct swap_id *id)
{
	for (unsigned i = race->n; i-- > 0;) {
		bool last = race->n == 1;

		if (swap_is(race->numbers[i], id))
			continue;
		racing_remove(s, race, race->numbers[i]);
		if (last)
			return false;
	}
	return true;
}

/* The file at the number `from` over all numbers of the race, which hold the file `id` now. */
static int put_number(struct racing *race, int from, int flags, const struct swap_id *id)
{
	int r = -EBADF;

	swap_copy_flags(race->numbers[0], flags, from);
	registrations_leave(&race->registrations);
	for (unsigned i = 0; i < race->n; i++)
		if (swap_put(from, race->numbers[i], flags, id) == 0)
			r = 0;
	registrations_enter(&race->registrations);
	return r;
}

static int put(struct racing *race, int handle, const struct swap_id *id)
{
	int from, r, flags = sys_fcntl(race->numbers[0], F_GETFL, 0);

	if (race->peer && !race->end && flags >= 0 && (flags & O_ASYNC))
		race->end = swap_copy(race->numbers[0], id);
	private_fd_lock();
	from = private_fd_number_locked(handle);
	r = from < 0 ? from : put_number(race, from, flags, id);
	private_fd_unlock();
	return r;
}

static int find_registrations(struct racing *race)
{
	int r = 0;

	for (unsigned i = 0; i < race->n && r == 0; i++)
		r = registrations_find(race->numbers[i], &race->registrations);
	return r;
}

/* Puts what has won in the place of the own socket; nowhere, where all numbers have been taken
 * away. */
static int put_winner(struct racing_session *s, struct racing *race)
{
	int r;

	if (race->n == 0 || !keep_ours(s, race, &race->id))
		return 0;
	r = find_registrations(race);
	return r < 0 ? r : put(race, attempts_winner(race->attempts), &race->id);
}

/* Ends an active race with the file of `handle`; where the program has taken that away, with its
 * own socket. A blocking one with what it has shown by now, whoever asks first. */
static void finish(struct racing_session *s, struct racing *race, int handle)
{
	if (race->blocking) {
		race->replaced =
			attempts_end(race->attempts) == ATTEMPTS_WON && put_winner(s, race) == 0;
		racing_end(s, race);
		return;
	}
	if (race->n > 1 || registrations_any()) { /* else swap_put() looks soon enough */
		if (!keep_ours(s, race, &race->id))
			return;
		for (unsigned i = 0; i < race->n; i++)
			registrations_find_missing(race->numbers[i], &race->registrations);
	}
	if (put(race, handle, &race->id) < 0)
		(void)put(race, race->own, &race->id);
	racing_end(s, race);
}

static void over(struct attempts *a, uint64_t now_ms)
{
	struct racing_session s;
	struct racing *race;

	(void)now_ms;
	racing_open(&s);
	race = racing_of(attempts_arg(a), a);
	if (race && race->active)
		finish(&s, race, attempts_winner(a));
	else if (race)
		race->over = true;
	racing_close_session(&s);
}

static int put_placeholder(struct racing *race, struct swap_placeholder *placeholder)
{
	int r;

	race->peer = placeholder->peer;
	race->id = placeholder->id;
	race->active = true; /* from here on a forked child repairs it */
	r = put_number(race, placeholder->end, sys_fcntl(race->numbers[0], F_GETFL, 0),
		       &race->own_id);
	swap_placeholder_drop(placeholder);
	*placeholder = (struct swap_placeholder){.end = -1};
	return r;
}

/* The placeholder under all numbers, or the end of the race. */
static int install(struct racing_session *s, struct racing *race, int fd,
		   struct swap_placeholder *placeholder)
{
	int r = racing_add(s, race, fd);

	if (r == 0)
		r = racing_add_duplicates(s, race, fd);
	if (r == 0)
		r = find_registrations(race);
	if (r == 0 && race->registrations.n > 0 && !swap_is(fd, &race->own_id))
		r = -EBADF; /* what is registered is another file */
	if (r == 0)
		r = race->over ? put(race, attempts_winner(race->attempts), &race->own_id)
			       : put_placeholder(race, placeholder);
	if (r < 0 || race->over)
		racing_end(s, race);
	return r;
}

/* What can be done without the lock is done before it is taken. */
static int begin_placeholder(struct racing *race, int fd)
{
	struct swap_placeholder placeholder = {.end = -1};
	struct racing_session s;
	int r = swap_placeholder_make(&placeholder);

	racing_open(&s);
	if (r == 0)
		r = install(&s, race, fd, &placeholder);
	else
		racing_end(&s, race);
	racing_close_session(&s);
	if (placeholder.end >= 0)
		swap_placeholder_drop(&placeholder);
	if (placeholder.peer > 0)
		private_fd_close(placeholder.peer);
	return r;
}

/* A race that has no numbers yet. NULL: none left. */
static struct racing *make(const struct swap_id *id, int own, struct attempts *a)
{
	struct racing_session s;
	struct racing *race;

	racing_open(&s);
	race = racing_new();
	if (race) {
		race->own_id = *id;
		race->own = own;
		race->attempts = a;
	}
	racing_close_session(&s);
	return race;
}

int racing_begin(int fd, const struct swap_id *id, int own, struct attempts *a)
{
	struct racing_session s;
	struct racing *race = NULL;
	int r;

	if ((private_fd_in_turn() || process_check() == PROCESS_OWNER) &&
	    !private_fd_left_table() && racing_guard_fork())
		race = make(id, own, a);
	if (!race) {
		private_fd_close(own);
		attempts_release(a);
		return -ENFILE;
	}
	r = attempts_start(a, own, over, race);
	if (r == 0)
		return begin_placeholder(race, fd);
	racing_open(&s);
	racing_end(&s, race);
	racing_close_session(&s);
	return r;
}

void racing_settle(int fd)
{
	struct racing_session s;
	struct racing *race;

	if (!racing_may())
		return;
	racing_open(&s);
	race = racing_at(&s, fd);
	if (race)
		finish(&s, race, race->own);
	racing_close_session(&s);
}

int racing_shutdown(int fd, int how)
{
	racing_settle(fd);
	return real_shutdown(fd, how);
}

int racing_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	bool again = len >= sizeof(addr->sa_family) &&
		     sys_is_readable(addr, sizeof(addr->sa_family)) && addr->sa_family != AF_UNSPEC;
	struct racing_session s;
	struct racing *race;

	if (!racing_may())
		return real_connect(fd, addr, len);
	racing_open(&s);
	race = racing_at(&s, fd);
	again = again && race && !race->blocking;
	if (race && !again)
		finish(&s, race, race->own);
	racing_close_session(&s);
	if (!again)
		return real_connect(fd, addr, len);
	errno = EALREADY;
	return -1;
}

/*
 * Blocking ----------------------------------------------------------------------------------------
 */

int racing_watch(int fd, const struct swap_id *id, struct attempts *a)
{
	struct racing_session s;
	struct racing *race;
	int r = -ENFILE;

	if ((!private_fd_in_turn() && process_check() != PROCESS_OWNER) ||
	    private_fd_left_table() || !racing_guard_fork())
		return -EPERM;
	racing_open(&s);
	race = racing_new();
	if (race) {
		race->blocking = true;
		race->attempts = a;
		race->id = race->own_id = *id;
		r = swap_is(fd, id) ? racing_add(&s, race, fd) : -EBADF;
		if (r == 0)
			r = racing_add_duplicates(&s, race, fd);
		race->active = r == 0;
		if (r < 0) {
			racing_unmark(race);
			racing_free(race);
		}
	}
	racing_close_session(&s);
	return r;
}

void racing_unwatch(struct attempts *a)
{
	struct racing_session s;
	struct racing *race;

	racing_open(&s);
	race = racing_of(NULL, a);
	if (race) {
		racing_unmark(race);
		racing_free(race);
	}
	racing_close_session(&s);
}

int racing_replace(struct attempts *a)
{
	struct racing_session s;
	struct racing *race;
	bool replaced;

	racing_open(&s);
	race = racing_of(NULL, a);
	if (race && race->active)
		finish(&s, race, race->own);
	replaced = race && race->replaced;
	racing_close_session(&s);
	return replaced ? 0 : -ECANCELED;
}

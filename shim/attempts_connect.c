// SPDX-License-Identifier: MIT
/* attempts_connect.c - the sockets of a race (attempts.h): the program's own, and private ones. */
#include "shim/attempts_internal.h"

#include "shim/attempt_result.h"
#include "shim/counters.h"
#include "shim/dest.h"
#include "shim/private_fd.h"
#include "shim/sockopts.h"
#include "shim/sys.h"

int attempts_connect_to(const struct attempts *a, unsigned candidate, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = dest_to_sockaddr(&a->dests[candidate], a->goal.family, a->goal.port, &addr);

	return sys_connect(fd, (const struct sockaddr *)&addr, len);
}

int attempts_open_private(struct attempts *a, unsigned candidate)
{
	int handle, fd, own, r;

	if (!attempts_room_more(a))
		return -EMFILE;
	handle = private_fd_socket(a->goal.family, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
	if (handle < 0)
		return handle;
	/* Before the options are copied: what the program sets after that is set on both. */
	atomic_store(&a->attempts[candidate].handle, handle);
	private_fd_lock();
	fd = private_fd_number_locked(handle);
	own = private_fd_number_locked(a->own);
	r = fd < 0 || own < 0 ? -EBADF : sockopts_copy(own, fd);
	if (r == 0)
		r = attempts_connect_to(a, candidate, fd);
	private_fd_unlock();
	if (r == 0 || r == -EINPROGRESS)
		return handle;
	atomic_store(&a->attempts[candidate].handle, 0);
	private_fd_close(handle);
	return r;
}

void attempts_discard(int handle)
{
	const struct linger off = {.l_onoff = 0};
	int fd;

	private_fd_lock();
	fd = private_fd_number_locked(handle);
	if (fd >= 0)
		(void)sys_setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
	private_fd_unlock();
	private_fd_close(handle);
}

int attempts_first(struct attempts *a, int fd)
{
	int r = -EHOSTUNREACH, first = 0;
	struct race_action action;

	if (a->goal.blocking)
		(void)sys_fcntl(fd, F_SETFL, a->goal.flags | O_NONBLOCK);
	race_begin(&a->race, a->since_ms);
	while (race_next(&a->race, &action) && action.what == RACE_START) {
		counters_add(COUNTER_ATTEMPTS, 1);
		r = attempts_connect_to(a, action.candidate, fd);
		if (r == 0 || r == -EINPROGRESS) {
			a->own_candidate = action.candidate;
			a->attempts[action.candidate].since_ms = a->since_ms;
			if (a->has_history)
				history_trying(&a->history, &a->dests[action.candidate],
					       a->since_ms);
			break;
		}
		if (first == 0 || action.candidate == 0)
			first = r;
		attempts_note_failure(a, action.candidate, -r, a->since_ms);
		race_unsent(&a->race, action.candidate, -r, a->since_ms);
	}
	if (a->goal.blocking)
		(void)sys_fcntl(fd, F_SETFL, a->goal.flags);
	return r == 0 || r == -EINPROGRESS || first == 0 ? r : first;
}

bool attempts_answered(struct attempts *a, int fd)
{
	struct attempt_result result;

	attempt_look_at(fd, ATTEMPT_LOOK, &result);
	if (result.state != ATTEMPT_CONNECTED)
		return false;
	attempts_note_connected(a, a->own_candidate, result.rtt_us, a->since_ms);
	return true;
}

// SPDX-License-Identifier: MIT
/* history_retry.c - see history_retry.h. */
#include "shim/history_retry.h"

#include "shim/counters.h"
#include "shim/dest.h"
#include "shim/io.h"
#include "shim/private_fd.h"
#include "shim/sys.h"

#include <errno.h>
#include <string.h>

struct retry {
	int handle; /* of its socket, owned; 0: free */
	struct io_timer timer;
	struct history_view view;
	struct order_dest dest;
	uint64_t began_ms;
};

static struct retry retries[HISTORY_RETRIES]; /* io thread only */

static struct retry *find_free(void)
{
	for (struct retry *r = retries; r < retries + HISTORY_RETRIES; r++)
		if (r->handle == 0)
			return r;
	return NULL;
}

/* ---- its end ---- */

/* `error` is 0 or the errno of connect(). */
static void end(struct retry *r, int error, uint64_t now_ms)
{
	enum history_failure failure;

	io_timer_stop(&r->timer);
	(void)io_watch(r->handle, 0, NULL, NULL);
	private_fd_close(r->handle);
	r->handle = 0;
	if (error == 0) {
		counters_add(COUNTER_RETRIES_WORKED, 1);
		history_connected(&r->view, &r->dest, (uint32_t)(now_ms - r->began_ms), now_ms);
	} else if (history_failure_of(error, &failure)) {
		history_failed(&r->view, &r->dest, failure, now_ms);
	}
}

/* SO_ERROR, or a negative errno. */
static int error_of(int handle)
{
	int fd, r, error = 0;
	socklen_t len = sizeof error;

	private_fd_lock();
	fd = r = private_fd_number_locked(handle);
	if (fd >= 0)
		r = sys_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	private_fd_unlock();
	return r < 0 ? r : error;
}

static void ready(void *arg, int handle, unsigned events, uint64_t now_ms)
{
	int error = error_of(handle);

	(void)events;
	end(arg, error < 0 ? -error : error, now_ms);
}

static void too_late(void *arg, uint64_t now_ms)
{
	end(arg, ETIMEDOUT, now_ms);
}

/* ---- its beginning ---- */

/* 0, -EINPROGRESS, or why not. */
static int connect_to(int handle, const struct order_dest *dest, in_port_t port)
{
	struct sockaddr_storage addr;
	socklen_t len = dest_to_sockaddr(dest, dest->family, port, &addr);
	int fd, r;

	private_fd_lock();
	fd = r = private_fd_number_locked(handle);
	if (fd >= 0)
		r = sys_connect(fd, (const struct sockaddr *)&addr, len);
	private_fd_unlock();
	return r;
}

static void begin(struct retry *r, in_port_t port, uint64_t now_ms)
{
	int error = connect_to(r->handle, &r->dest, port);
	bool waits = error == -EINPROGRESS;

	counters_add(COUNTER_RETRIES, 1);
	if (waits)
		error = io_watch(r->handle, IO_WRITE, ready, r);
	if (waits && error == 0)
		error = io_timer_start(&r->timer, now_ms + HISTORY_RETRY_CONNECT_MS);
	if (!waits || error < 0)
		end(r, -error, now_ms);
}

void history_retry(const struct history_view *view, const struct order_dest *dest, in_port_t port,
		   uint64_t now_ms)
{
	struct retry *r = find_free();
	int handle;

	if (r == NULL || !history_claim(view, dest, now_ms))
		return;
	handle = private_fd_socket(dest->family, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
	if (handle < 0)
		return; /* the turn is spent; there will be another */
	*r = (struct retry){.handle = handle,
			    .timer = {.fire = too_late, .arg = r},
			    .view = *view,
			    .dest = *dest,
			    .began_ms = now_ms};
	begin(r, port, now_ms);
}

void history_retry_reset(void)
{
	memset(retries, 0, sizeof retries);
}

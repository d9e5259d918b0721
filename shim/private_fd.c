// SPDX-License-Identifier: MIT
/*
 * private_fd.c - see private_fd.h. What the handles and numbers are stands in private_fd_table.h;
 * here is what is done with them, under the one lock.
 */
#include "shim/private_fd.h"

#include "shim/private_fd_table.h"
#include "shim/process.h"

#include <sys/single_threaded.h>

/*
 * Numbers begin here: where a program's own hardly ever are, and still inside the 64 places that
 * every descriptor table has from the start. A number past its end makes the kernel enlarge the
 * table, and in a process with threads wait for an RCU grace period: 10 to 15 ms, measured, in the
 * first miss of every threaded program.
 */
#define FIRST 40L
#define LEAST 3L /* where RLIMIT_NOFILE or the program leaves none there */

static struct lock table_lock;
static _Atomic bool divided; /* some thread has left the table */

void private_fd_lock(void)
{
	lock_take(&table_lock);
}

void private_fd_unlock(void)
{
	lock_release(&table_lock);
}

void private_fd_turn(void)
{
	lock_take(&table_lock);
	private_fd_table_turn();
	lock_release(&table_lock);
}

bool private_fd_turn_begin(void)
{
	bool begins = !private_fd_in_turn();

	if (begins)
		private_fd_turn();
	return begins;
}

void private_fd_turn_over(void)
{
	private_fd_table_turn_over();
}

/* A copy of `fd` at a high number if possible. */
static int copy_high(int fd)
{
	for (long base = FIRST;; base = base / 2 < LEAST ? LEAST : base / 2) {
		int number = sys_fcntl(fd, F_DUPFD_CLOEXEC, base);

		if (number >= PRIVATE_FD_MAX) {
			(void)sys_close(number);
			number = -EMFILE;
		}
		if (number >= 0 || base == LEAST || (number != -EMFILE && number != -EINVAL))
			return number;
	}
}

static bool is_at(int fd, const struct stat *was)
{
	struct stat now;

	return sys_fstat(fd, &now) == 0 && now.st_ino == was->st_ino && now.st_dev == was->st_dev;
}

static void close_if(int fd, const struct stat *was)
{
	if (is_at(fd, was))
		(void)sys_close(fd);
}

/*
 * A handle for a copy of `fd`, which was `was`, at a high number. A copy of what the program has
 * put at `fd` meanwhile is closed. Not what it has put over the copy itself, with a raw dup2():
 * that has no close-on-exec.
 */
static int copy_locked(int fd, const struct stat *was)
{
	struct private_fd_slot *slot;
	int r, number = copy_high(fd);

	if (number < 0)
		return number;
	r = is_at(number, was) ? private_fd_table_add(number, was, &slot) : -EBADF;
	if (r == 0)
		return private_fd_table_handle(slot);
	if (sys_fcntl(number, F_GETFD, 0) == FD_CLOEXEC)
		(void)sys_close(number);
	return r;
}

static int adopt(int fd, const struct stat *was)
{
	int r;

	lock_take(&table_lock);
	r = copy_locked(fd, was);
	close_if(fd, was);
	lock_release(&table_lock);
	return r;
}

int private_fd_adopt_seen(int fd, const struct stat *was)
{
	if (!private_fd_in_turn() && process_check() != PROCESS_OWNER) {
		close_if(fd, was);
		return -EPERM;
	}
	return adopt(fd, was);
}

int private_fd_adopt(int fd)
{
	struct stat was;
	int r = sys_fstat(fd, &was);

	return r < 0 ? r : private_fd_adopt_seen(fd, &was);
}

int private_fd_adopt_owned(int fd)
{
	struct stat was;
	int r = sys_fstat(fd, &was);

	return r < 0 ? r : adopt(fd, &was);
}

int private_fd_copy(int fd)
{
	return process_check() == PROCESS_OWNER ? private_fd_copy_owned(fd) : -EPERM;
}

int private_fd_copy_seen(int fd, const struct stat *was)
{
	int r;

	lock_take(&table_lock);
	r = copy_locked(fd, was);
	lock_release(&table_lock);
	return r;
}

int private_fd_copy_owned(int fd)
{
	struct stat was;
	int r = sys_fstat(fd, &was);

	return r < 0 ? r : private_fd_copy_seen(fd, &was);
}

int private_fd_socket(int domain, int type, int protocol)
{
	int fd = sys_socket(domain, type | SOCK_CLOEXEC, protocol);

	return fd < 0 ? fd : private_fd_adopt(fd);
}

int private_fd_epoll(void)
{
	int fd = sys_epoll_create();

	return fd < 0 ? fd : private_fd_adopt(fd);
}

static int watch(struct private_fd_slot *epoll, struct private_fd_slot *slot, uint32_t events,
		 uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};
	int handle = private_fd_table_handle(epoll);
	int op = slot->epoll == handle ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	int r;

	if (events == 0 && op == EPOLL_CTL_ADD)
		return 0;
	r = sys_epoll_ctl(epoll->number, events ? op : EPOLL_CTL_DEL, slot->number, &event);
	if (r < 0)
		return r;
	slot->epoll = events ? handle : 0;
	slot->events = events;
	slot->data = data;
	return 0;
}

int private_fd_watch(int epoll_handle, int handle, uint32_t events, uint64_t data)
{
	struct private_fd_slot *epoll, *slot;
	int r = -EBADF;

	lock_take(&table_lock);
	epoll = private_fd_table_check(private_fd_table_find(epoll_handle));
	slot = private_fd_table_check(private_fd_table_find(handle));
	if (epoll && slot)
		r = watch(epoll, slot, events, data);
	lock_release(&table_lock);
	return r;
}

int private_fd_number_locked(int handle)
{
	struct private_fd_slot *slot = private_fd_table_check(private_fd_table_find(handle));

	return slot ? slot->number : -EBADF;
}

int private_fd_number(int handle)
{
	int number;

	lock_take(&table_lock);
	number = private_fd_number_locked(handle);
	lock_release(&table_lock);
	return number;
}

int private_fd_number_forked(int handle)
{
	const struct private_fd_slot *slot = private_fd_table_find(handle);

	return slot ? slot->number : -EBADF;
}

int private_fd_close(int handle)
{
	struct private_fd_slot *slot;
	int number = -EBADF;

	lock_take(&table_lock);
	slot = private_fd_table_check(private_fd_table_find(handle));
	if (slot) {
		number = slot->number;
		private_fd_table_remove(slot);
		(void)sys_close(number);
	}
	lock_release(&table_lock);
	return number < 0 ? number : 0;
}

bool private_fd_shields(int fd)
{
	return private_fd_next((unsigned)fd, (unsigned)fd) >= 0;
}

/* With the lock held and the slot checked. */
static void move(struct private_fd_slot *slot)
{
	struct private_fd_slot *epoll = private_fd_table_check(private_fd_table_find(slot->epoll));
	struct epoll_event event = {.events = slot->events, .data.u64 = slot->data};
	int old = slot->number, number = copy_high(old);

	/* epoll knows a member by description and number, and keeps it while the description is
	 * open anywhere: out under the old number, in under the new one. */
	if (epoll)
		(void)sys_epoll_ctl(epoll->number, EPOLL_CTL_DEL, old, &event);
	if (number < 0) {
		private_fd_table_remove(slot);
	} else {
		private_fd_table_renumber(slot, number);
		if (epoll)
			(void)sys_epoll_ctl(epoll->number, EPOLL_CTL_ADD, number, &event);
	}
	(void)sys_close(old);
}

static void make_way(int fd)
{
	struct private_fd_slot *slot = private_fd_table_check(private_fd_table_at(fd));

	if (slot)
		move(slot);
}

void private_fd_move(int fd)
{
	if (process_peek() != PROCESS_OWNER || private_fd_table_left)
		return; /* what a thread does in a table of its own moves nothing in ours */
	lock_take(&table_lock);
	make_way(fd);
	lock_release(&table_lock);
}

/* The kernel gives ours no number that is open, and takes no time to replace one that is not. */
int private_fd_dup3(int oldfd, int newfd, int flags)
{
	int r = -EEXIST;

	if (newfd < LEAST || __libc_single_threaded || process_peek() != PROCESS_OWNER ||
	    private_fd_table_left)
		return r;
	lock_take(&table_lock);
	make_way(newfd);
	if (sys_fcntl(newfd, F_GETFD, 0) < 0)
		r = sys_dup3(oldfd, newfd, flags);
	lock_release(&table_lock);
	return r;
}

/* A child of vfork must not mark its parent; one of fork has no other threads. Before the first
 * lookup nobody can tell, and a mark too many costs no more than lookups by libc. */
void private_fd_leave_table(void)
{
	if (__libc_single_threaded || (process_page && process_peek() != PROCESS_OWNER))
		return;
	private_fd_table_left = true;
	divided = true;
}

bool private_fd_left_table(void)
{
	return private_fd_table_left;
}

bool private_fd_tables_differ(void)
{
	return atomic_load_explicit(&divided, memory_order_relaxed);
}

int private_fd_next(unsigned first, unsigned last)
{
	int found = -1;

	if (process_peek() != PROCESS_OWNER)
		return -1;
	lock_take(&table_lock);
	for (unsigned n = first; n <= last && n <= private_fd_table_top && found < 0; n++) {
		if (private_fd_table_check(private_fd_table_at((int)n)))
			found = (int)n;
	}
	lock_release(&table_lock);
	return found;
}

/*
 * Judges all before it forgets any: epoll sets and their members vouch for each other. What is not
 * ours beyond doubt stays open, for the program may have put a file of its own there since the
 * fork; ours is close-on-exec and does no harm. The fork may have come in the middle of a change,
 * so the count is not believed.
 */
void private_fd_reset(void)
{
	struct private_fd_slot *slot;

	lock_reset(&table_lock);
	private_fd_table_left = false;
	divided = false;
	for (unsigned i = 0; i < private_fd_table_end; i++) {
		slot = private_fd_table_slot(i);
		slot->close_it = slot->number && private_fd_table_provable(slot);
	}
	for (unsigned i = 0; i < private_fd_table_end; i++) {
		int number;

		slot = private_fd_table_slot(i);
		number = slot->number;
		if (!number)
			continue;
		private_fd_table_remove(slot);
		if (slot->close_it)
			(void)sys_close(number);
	}
	atomic_store_explicit(&private_fd_used, 0, memory_order_relaxed);
}

// SPDX-License-Identifier: MIT
/*
 * private_fd.c - see private_fd.h.
 *
 * Two tables: slots by handle, and, by number, which slot lives there. Both are static: no malloc
 * under the lock, since an allocator may call close() under its own. Both grow as they are touched.
 *
 * Invariant, under the lock: private_fd_slots[slot.number] is that slot's index + 1 for each slot
 * in use, and 0 for every other number.
 */
#include "shim/private_fd.h"

#include "shim/process.h"

#include <assert.h>

/* A handle is a slot's index and, below it, the low bits of the slot's generation, never 0. */
#define GENERATIONS 8

static_assert(PRIVATE_FD_HANDLES < UINT16_MAX, "private_fd_slots holds index + 1");

struct slot {
	int number;	    /* 0: free */
	uint8_t generation; /* 1 to GENERATIONS - 1; the next one when freed, so that old
			     * handles are recognised */
	dev_t dev;
	ino_t ino;
	bool anonymous; /* shares its inode with others: see is_ours() */
	uint16_t next;	/* free slots: index + 1 of the next one */

	/* Registration in an epoll set of ours; epoll 0: none. */
	int epoll;
	uint32_t events;
	uint64_t data;
};

static struct lock table_lock;

/* All guarded by table_lock; the two below are read without. */
static struct slot slots[PRIVATE_FD_HANDLES];
static unsigned fresh;	    /* slots from here on were never used */
static uint16_t free_slots; /* index + 1 */
static unsigned top;	    /* no number in use is above */

_Atomic uint16_t private_fd_slots[PRIVATE_FD_MAX];
_Atomic unsigned private_fd_used;

void private_fd_lock(void)
{
	lock_take(&table_lock);
}

void private_fd_unlock(void)
{
	lock_release(&table_lock);
}

static int handle_of(const struct slot *slot)
{
	return (int)(slot - slots) * GENERATIONS + (int)slot->generation;
}

static struct slot *slot_of(int handle)
{
	struct slot *slot = &slots[(unsigned)handle / GENERATIONS % PRIVATE_FD_HANDLES];

	return handle > 0 && slot->number && handle_of(slot) == handle ? slot : NULL;
}

static struct slot *slot_at(int fd)
{
	uint16_t i = (unsigned)fd < PRIVATE_FD_MAX ? private_fd_slots[fd] : 0;

	return i ? &slots[i - 1] : NULL;
}

static struct slot *slot_new(void)
{
	struct slot *slot;

	if (free_slots) {
		slot = &slots[free_slots - 1];
		free_slots = slot->next;
	} else if (fresh < PRIVATE_FD_HANDLES) {
		slot = &slots[fresh++];
		slot->generation = 1; /* no handle is 0 */
	} else {
		return NULL;
	}
	slot->epoll = 0;
	return slot;
}

static void slot_place(struct slot *slot, int number)
{
	slot->number = number;
	if ((unsigned)number > top)
		top = (unsigned)number;
	atomic_store_explicit(&private_fd_slots[number], (uint16_t)(slot - slots + 1),
			      memory_order_relaxed);
}

/* Forgets; whatever has the number now stays open. */
static void slot_free(struct slot *slot)
{
	atomic_store_explicit(&private_fd_slots[slot->number], 0, memory_order_relaxed);
	atomic_fetch_sub_explicit(&private_fd_used, 1, memory_order_relaxed);
	slot->number = 0;
	slot->generation = slot->generation % (GENERATIONS - 1) + 1;
	slot->next = free_slots;
	free_slots = (uint16_t)(slot - slots + 1);
}

/* fstat() sees the file that was adopted, or one that cannot be told from it that way. */
static bool same_inode(const struct slot *slot)
{
	struct stat st;

	return sys_fstat(slot->number, &st) == 0 && st.st_ino == slot->ino &&
	       st.st_dev == slot->dev;
}

/*
 * Is `fd` registered in `epoll`? Asked by adding it: EEXIST changes nothing, whereas EPOLL_CTL_MOD
 * would re-arm. Where neither is ours any more it may succeed, and is undone.
 */
static bool registered(int epoll, int fd)
{
	struct epoll_event none = {.events = 0};
	int r = sys_epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &none);

	if (r == 0)
		(void)sys_epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &none);
	return r == -EEXIST;
}

/* An epoll set is known by its members. One without members is taken for ours. */
static bool has_members(const struct slot *epoll)
{
	int handle = handle_of(epoll);
	bool empty = true;

	for (unsigned i = 0; i < fresh; i++) {
		if (!slots[i].number || slots[i].epoll != handle)
			continue;
		if (registered(epoll->number, slots[i].number))
			return true;
		empty = false;
	}
	return empty;
}

static bool is_ours(const struct slot *slot)
{
	const struct slot *epoll;

	if (!same_inode(slot))
		return false;
	if (!slot->anonymous)
		return true;
	epoll = slot_of(slot->epoll);
	return epoll ? registered(epoll->number, slot->number) : has_members(slot);
}

static struct slot *checked(struct slot *slot)
{
	if (!slot)
		return NULL;
	if (is_ours(slot))
		return slot;
	slot_free(slot);
	return NULL;
}

/*
 * A copy of `fd` at a high number. Above the numbers that programs with up to 832 descriptors see,
 * and below 1024, so that a program that uses select() does not get higher ones because of us.
 */
static int copy_high(int fd)
{
	struct rlimit limit = {.rlim_cur = 1024};
	long base;

	(void)sys_getrlimit(RLIMIT_NOFILE, &limit);
	base = (limit.rlim_cur < 1024 ? (long)limit.rlim_cur : 1024) - 192;
	for (;;) {
		int number;

		if (base < 3)
			base = 3;
		number = sys_fcntl(fd, F_DUPFD_CLOEXEC, base);
		if (number >= PRIVATE_FD_MAX) {
			(void)sys_close(number);
			number = -EMFILE;
		}
		if (number >= 0 || base == 3 || (number != -EMFILE && number != -EINVAL))
			return number;
		base /= 2;
	}
}

static int adopt_locked(int number)
{
	struct slot *slot;
	struct stat st;
	int r = sys_fstat(number, &st);

	if (r < 0)
		return r;
	slot = slot_new();
	if (!slot)
		return -ENFILE;
	slot->dev = st.st_dev;
	slot->ino = st.st_ino;
	slot->anonymous = (st.st_mode & S_IFMT) == 0; /* anon_inode: has no file type */
	slot_place(slot, number);
	atomic_fetch_add_explicit(&private_fd_used, 1, memory_order_relaxed);
	return handle_of(slot);
}

int private_fd_adopt(int fd)
{
	int number, handle;

	if (process_check() != PROCESS_OWNER) {
		(void)sys_close(fd);
		return -EPERM;
	}
	lock_take(&table_lock);
	number = copy_high(fd);
	handle = number;
	if (number >= 0) {
		handle = adopt_locked(number);
		if (handle < 0)
			(void)sys_close(number);
	}
	(void)sys_close(fd);
	lock_release(&table_lock);
	return handle;
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

static int watch(struct slot *epoll, struct slot *slot, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};
	int handle = handle_of(epoll);
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
	struct slot *epoll, *slot;
	int r = -EBADF;

	lock_take(&table_lock);
	epoll = checked(slot_of(epoll_handle));
	slot = checked(slot_of(handle));
	if (epoll && slot)
		r = watch(epoll, slot, events, data);
	lock_release(&table_lock);
	return r;
}

int private_fd_number_locked(int handle)
{
	struct slot *slot = checked(slot_of(handle));

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

int private_fd_find(int fd)
{
	struct slot *slot;
	int handle;

	lock_take(&table_lock);
	slot = checked(slot_at(fd));
	handle = slot ? handle_of(slot) : -EBADF;
	lock_release(&table_lock);
	return handle;
}

int private_fd_close(int handle)
{
	struct slot *slot;
	int number = -EBADF;

	lock_take(&table_lock);
	slot = checked(slot_of(handle));
	if (slot) {
		number = slot->number;
		slot_free(slot);
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
static void move(struct slot *slot)
{
	struct slot *epoll = checked(slot_of(slot->epoll));
	struct epoll_event event = {.events = slot->events, .data.u64 = slot->data};
	int old = slot->number, number = copy_high(old);

	/* epoll knows a member by description and number, and keeps it while the description is
	 * open anywhere: out under the old number, in under the new one. */
	if (epoll)
		(void)sys_epoll_ctl(epoll->number, EPOLL_CTL_DEL, old, &event);
	if (number < 0) {
		slot_free(slot);
	} else {
		atomic_store_explicit(&private_fd_slots[old], 0, memory_order_relaxed);
		slot_place(slot, number);
		if (epoll)
			(void)sys_epoll_ctl(epoll->number, EPOLL_CTL_ADD, number, &event);
	}
	(void)sys_close(old);
}

void private_fd_move(int fd)
{
	struct slot *slot;

	if (process_peek() != PROCESS_OWNER)
		return;
	lock_take(&table_lock);
	slot = checked(slot_at(fd));
	if (slot)
		move(slot);
	lock_release(&table_lock);
}

int private_fd_next(unsigned first, unsigned last)
{
	int found = -1;

	if (process_peek() != PROCESS_OWNER)
		return -1;
	lock_take(&table_lock);
	for (unsigned n = first; n <= last && n <= top && found < 0; n++) {
		if (checked(slot_at((int)n)))
			found = (int)n;
	}
	lock_release(&table_lock);
	return found;
}

/* Checks all before it closes any: epoll sets and their members vouch for each other. */
void private_fd_reset(void)
{
	lock_reset(&table_lock);
	for (unsigned i = 0; i < fresh; i++) {
		if (slots[i].number)
			checked(&slots[i]);
	}
	for (unsigned i = 0; i < fresh; i++) {
		int number = slots[i].number;

		if (number) {
			slot_free(&slots[i]);
			(void)sys_close(number);
		}
	}
}

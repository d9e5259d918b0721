// SPDX-License-Identifier: MIT
/*
 * private_fd_table.c - see private_fd_table.h.
 */
#include "shim/private_fd_table.h"

#include <assert.h>

/* A handle is a slot's index and, below it, the slot's generation, which is never 0. */
#define GENERATIONS 8

static_assert(PRIVATE_FD_HANDLES < PRIVATE_FD_RACING, "private_fd_slots holds index + 1");

static_assert(PRIVATE_FD_HANDLES * GENERATIONS == PRIVATE_FD_HANDLE_MAX + 1, "slots and handles");

static struct private_fd_slot slots[PRIVATE_FD_HANDLES];
static uint16_t free_slots; /* index + 1 */

static uint32_t last_turn;
static _Thread_local uint32_t turn; /* 0: this thread has none, and checks each time */

_Thread_local bool private_fd_table_left;

unsigned private_fd_table_end;
unsigned private_fd_table_top;

_Atomic uint16_t private_fd_slots[PRIVATE_FD_MAX];
_Atomic unsigned private_fd_used;

void private_fd_table_turn(void)
{
	last_turn = last_turn == UINT32_MAX ? 1 : last_turn + 1;
	turn = last_turn;
}

void private_fd_table_turn_over(void)
{
	turn = 0;
}

bool private_fd_in_turn(void)
{
	return turn != 0;
}

struct private_fd_slot *private_fd_table_slot(unsigned index)
{
	return &slots[index];
}

int private_fd_table_handle(const struct private_fd_slot *slot)
{
	return (int)(slot - slots) * GENERATIONS + (int)slot->generation;
}

struct private_fd_slot *private_fd_table_find(int handle)
{
	struct private_fd_slot *slot = &slots[(unsigned)handle / GENERATIONS % PRIVATE_FD_HANDLES];

	return handle > 0 && slot->number && private_fd_table_handle(slot) == handle ? slot : NULL;
}

struct private_fd_slot *private_fd_table_at(int fd)
{
	return private_fd_is(fd) ? &slots[private_fd_slots[fd] - 1] : NULL;
}

static struct private_fd_slot *take_slot(void)
{
	struct private_fd_slot *slot;

	if (free_slots) {
		slot = &slots[free_slots - 1];
		free_slots = slot->next;
	} else if (private_fd_table_end < PRIVATE_FD_HANDLES) {
		slot = &slots[private_fd_table_end++];
		slot->generation = 1; /* no handle is 0 */
	} else {
		return NULL;
	}
	slot->epoll = 0;
	slot->turn = turn;
	return slot;
}

void private_fd_table_remove(struct private_fd_slot *slot)
{
	atomic_store_explicit(&private_fd_slots[slot->number], 0, memory_order_relaxed);
	atomic_fetch_sub_explicit(&private_fd_used, 1, memory_order_relaxed);
	slot->number = 0;
	slot->generation = slot->generation % (GENERATIONS - 1) + 1;
	slot->next = free_slots;
	free_slots = (uint16_t)(slot - slots + 1);
}

/* A slot that has the number already is dead: the kernel would not have given it away twice. */
static void place(struct private_fd_slot *slot, int number)
{
	struct private_fd_slot *dead = private_fd_table_at(number);

	if (dead)
		private_fd_table_remove(dead);
	slot->number = number;
	if ((unsigned)number > private_fd_table_top)
		private_fd_table_top = (unsigned)number;
	atomic_store_explicit(&private_fd_slots[number], (uint16_t)(slot - slots + 1),
			      memory_order_relaxed);
}

int private_fd_table_add(int number, const struct stat *st, struct private_fd_slot **ret)
{
	struct private_fd_slot *slot = take_slot();

	if (!slot)
		return -ENFILE;
	slot->dev = st->st_dev;
	slot->ino = st->st_ino;
	slot->anonymous = (st->st_mode & S_IFMT) == 0; /* anon_inode: has no file type */
	place(slot, number);
	atomic_fetch_add_explicit(&private_fd_used, 1, memory_order_relaxed);
	*ret = slot;
	return 0;
}

void private_fd_table_renumber(struct private_fd_slot *slot, int number)
{
	atomic_store_explicit(&private_fd_slots[slot->number], 0, memory_order_relaxed);
	place(slot, number);
	slot->turn = 0; /* in the table of the thread whose turn it is it may be another file */
}

/* fstat() sees the file that was adopted, or one that cannot be told from it that way. */
static bool same_inode(const struct private_fd_slot *slot)
{
	struct stat st;

	return sys_fstat(slot->number, &st) == 0 && st.st_ino == slot->ino &&
	       st.st_dev == slot->dev;
}

/*
 * Is `fd` registered in `epoll`, which then is ours, too? Asked by adding it: EEXIST changes
 * nothing, whereas EPOLL_CTL_MOD would re-arm. Where neither is ours any more it may succeed, and
 * is undone.
 */
static bool registered(struct private_fd_slot *epoll, int fd)
{
	struct epoll_event none = {.events = 0};
	int r = sys_epoll_ctl(epoll->number, EPOLL_CTL_ADD, fd, &none);

	if (r == 0)
		(void)sys_epoll_ctl(epoll->number, EPOLL_CTL_DEL, fd, &none);
	if (r == -EEXIST)
		epoll->turn = turn;
	return r == -EEXIST || r == -EPERM; /* a sandbox: nothing speaks against it */
}

/* An epoll set is known by a member of ours that is registered in it. Has it none on record,
 * nothing speaks for it or against it: `unknown`. */
static bool has_members(struct private_fd_slot *epoll, bool unknown)
{
	int handle = private_fd_table_handle(epoll);

	for (unsigned i = 0; i < private_fd_table_end; i++) {
		if (!slots[i].number || slots[i].epoll != handle)
			continue;
		if (same_inode(&slots[i]) && registered(epoll, slots[i].number))
			return true;
		unknown = false;
	}
	return unknown;
}

static bool is_ours(struct private_fd_slot *slot, bool unknown)
{
	struct private_fd_slot *epoll;

	if (!same_inode(slot))
		return false;
	if (!slot->anonymous)
		return true;
	epoll = private_fd_table_find(slot->epoll);
	return epoll ? registered(epoll, slot->number) : has_members(slot, unknown);
}

bool private_fd_table_provable(struct private_fd_slot *slot)
{
	return is_ours(slot, false);
}

struct private_fd_slot *private_fd_table_check(struct private_fd_slot *slot)
{
	if (!slot || (turn && slot->turn == turn))
		return slot;
	if (is_ours(slot, true)) {
		slot->turn = turn;
		return slot;
	}
	if (!private_fd_table_left)
		private_fd_table_remove(slot);
	return NULL;
}

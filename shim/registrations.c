// SPDX-License-Identifier: MIT
/*
 * registrations.c - see registrations.h.
 *
 * Notes are an array by number, of relaxed atomics. A program whose threads register the same
 * number at the same moment may leave a mixture, which is no more of a surprise than what the
 * kernel is left with.
 */
#include "shim/registrations.h"

#include "shim/process.h"

#include <linux/kcmp.h>
#include <stdatomic.h>
#include <time.h>

#define SETS 4096 /* epoll sets of a process that are asked; those beyond are believed empty */

struct registration_note registrations_notes[REGISTRATIONS_NOTES];

/* The kernel walks through all members to answer. A set whose answer takes longer, twice in a row,
 * is not asked again: what the hook has noted must do. */
#define SLOW_NS	   200000
#define SLOW_TIMES 2

static _Atomic int sets[SETS];	   /* number + 1; 0: free */
static _Atomic uint8_t slow[SETS]; /* how often in a row */
static _Atomic unsigned nsets;	   /* from here on never used */
static _Atomic uint8_t is_set[REGISTRATIONS_NOTES / 8];

/* ---- the hook's side ---- */

static void reach(unsigned end)
{
	unsigned was = atomic_load(&nsets);

	while (was < end && !atomic_compare_exchange_weak(&nsets, &was, end))
		;
}

void registrations_set(int epfd)
{
	uint8_t bit = (uint8_t)(1u << (epfd & 7));
	int none;

	if ((unsigned)epfd >= REGISTRATIONS_NOTES ||
	    atomic_fetch_or_explicit(&is_set[epfd / 8], bit, memory_order_relaxed) & bit)
		return;
	for (unsigned i = 0; i < SETS; i++) {
		none = 0;
		if (atomic_compare_exchange_strong(&sets[i], &none, epfd + 1)) {
			atomic_store_explicit(&slow[i], 0, memory_order_relaxed);
			reach(i + 1);
			return;
		}
	}
}

static void forget_set(unsigned i, int epfd)
{
	int number = epfd + 1;

	if (atomic_compare_exchange_strong(&sets[i], &number, 0))
		atomic_fetch_and(&is_set[epfd / 8], (uint8_t) ~(1u << (epfd & 7)));
}

static uint32_t load(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static void note(struct registration_note *n, int epfd, const struct epoll_event *event)
{
	store(&n->set, (uint32_t)epfd + 1);
	store(&n->events, event->events);
	atomic_store_explicit(&n->data, event->data.u64, memory_order_relaxed);
}

void registrations_note(int epfd, int op, int fd, const struct epoll_event *event)
{
	struct registration_note *n;

	if ((unsigned)epfd < REGISTRATIONS_NOTES &&
	    !(atomic_load_explicit(&is_set[epfd / 8], memory_order_relaxed) & 1u << (epfd & 7)))
		registrations_set(epfd);
	if ((unsigned)fd >= REGISTRATIONS_NOTES)
		return;
	n = &registrations_notes[fd];
	if (op != EPOLL_CTL_DEL)
		note(n, epfd, event);
	else if (load(&n->set) == (uint32_t)epfd + 1)
		store(&n->set, 0);
}

/* ---- lists ---- */

static struct registration *at(struct registration_list *list, int epfd, int fd)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->r[i].epfd == epfd && list->r[i].fd == fd)
			return &list->r[i];
	return NULL;
}

static int add(struct registration_list *list, const struct registration *r)
{
	struct registration *there = at(list, r->epfd, r->fd);

	if (!there && list->n == REGISTRATIONS_MAX)
		return -ENOSPC;
	*(there ? there : &list->r[list->n++]) = *r;
	return 0;
}

static void drop(struct registration_list *list, struct registration *r)
{
	*r = list->r[--list->n];
}

bool registrations_may_change(struct registration_list *list, int epfd, int op, int fd)
{
	return op == EPOLL_CTL_DEL || list->n < REGISTRATIONS_MAX || at(list, epfd, fd);
}

void registrations_change(struct registration_list *list, int epfd, int op, int fd,
			  const struct epoll_event *event)
{
	struct registration *there = at(list, epfd, fd);

	if (op != EPOLL_CTL_DEL)
		(void)add(list, &(struct registration){.fd = fd,
						       .epfd = epfd,
						       .events = event->events,
						       .data = event->data.u64});
	else if (there)
		drop(list, there);
}

void registrations_forget(struct registration_list *list, int fd)
{
	for (unsigned i = list->n; i-- > 0;)
		if (list->r[i].fd == fd)
			drop(list, &list->r[i]);
}

/* ---- what the kernel has ---- */

/* 1: it is registered there; 0: it is not; or a negative errno: not known. */
static int is_in(int epfd, int fd)
{
	const struct kcmp_epoll_slot slot = {.efd = (uint32_t)epfd, .tfd = (uint32_t)fd};
	const struct process_page *page = atomic_load(&process_page);
	pid_t pid = page != NULL ? atomic_load(&page->owner) : sys_getpid();
	int r = (int)sys_call(SYS_kcmp, pid, pid, KCMP_EPOLL_TFD, fd, (long)&slot, 0);

	return r == -ENOENT ? 0 : r == 0 ? 1 : r;
}

static int read_into(struct registration_list *list, int epfd, int fd)
{
	struct registration found;
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r == 0)
		r = registrations_read(epfd, fd, st.st_ino, &found);
	if (r == 0)
		r = add(list, &found);
	return r == -ENOENT ? 0 : r;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* As is_in() of set `i`; 0 also of one that is too large. */
static int ask_set(unsigned i, int epfd, int fd)
{
	uint8_t times = atomic_load_explicit(&slow[i], memory_order_relaxed);
	uint64_t since_ns;
	int is;

	if (times >= SLOW_TIMES)
		return 0;
	since_ns = now_ns();
	is = is_in(epfd, fd);
	times = now_ns() - since_ns > SLOW_NS ? (uint8_t)(times + 1) : 0;
	atomic_store_explicit(&slow[i], times, memory_order_relaxed);
	return is;
}

bool registrations_any(void)
{
	return atomic_load(&nsets) != 0;
}

/* All sets that the hook has seen, but for those of the list. */
static int ask_all(int fd, struct registration_list *list)
{
	int r = 0;

	for (unsigned i = 0; i < atomic_load(&nsets) && r == 0; i++) {
		int is, epfd = atomic_load(&sets[i]) - 1;

		if (epfd < 0 || at(list, epfd, fd))
			continue;
		is = ask_set(i, epfd, fd);
		if (is == -EBADF || is == -EINVAL)
			forget_set(i, epfd);
		else if (is != 0)
			r = read_into(list, epfd, fd);
	}
	return r;
}

/* One that is to be entered as EPOLLONESHOT may have fired, and be disarmed. */
static int add_noted(int fd, struct registration_list *list)
{
	const struct registration_note *n = &registrations_notes[fd];
	struct registration r = {.fd = fd,
				 .epfd = (int)load(&n->set) - 1,
				 .events = load(&n->events),
				 .data = atomic_load_explicit(&n->data, memory_order_relaxed)};

	if (r.epfd < 0)
		return 0;
	return r.events & EPOLLONESHOT ? read_into(list, r.epfd, fd) : add(list, &r);
}

int registrations_find(int fd, struct registration_list *list)
{
	int r = (unsigned)fd < REGISTRATIONS_NOTES ? add_noted(fd, list) : 0;

	return r < 0 ? r : ask_all(fd, list);
}

void registrations_find_missing(int fd, struct registration_list *list)
{
	struct epoll_event none = {.events = 0};

	for (unsigned i = 0; i < atomic_load(&nsets); i++) {
		int r, epfd = atomic_load(&sets[i]) - 1;

		if (epfd < 0 || epfd == fd || at(list, epfd, fd))
			continue;
		r = sys_epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &none);
		if (r == 0)
			(void)sys_epoll_ctl(epfd, EPOLL_CTL_DEL, fd, &none);
		else if (r == -EEXIST)
			(void)read_into(list, epfd, fd);
		else if (r == -EBADF || r == -EINVAL)
			forget_set(i, epfd);
	}
}

/* ---- moving ---- */

void registrations_leave(struct registration_list *list)
{
	struct epoll_event none = {.events = 0};

	for (unsigned i = list->n; i-- > 0;)
		if (sys_epoll_ctl(list->r[i].epfd, EPOLL_CTL_DEL, list->r[i].fd, &none) < 0)
			drop(list, &list->r[i]);
}

void registrations_enter(const struct registration_list *list)
{
	for (unsigned i = 0; i < list->n; i++) {
		const struct registration *r = &list->r[i];
		struct epoll_event event = {.events = r->events, .data.u64 = r->data};

		/* First: who is woken by it may take it out at once. */
		registrations_note(r->epfd, EPOLL_CTL_ADD, r->fd, &event);
		if (sys_epoll_ctl(r->epfd, EPOLL_CTL_ADD, r->fd, &event) < 0)
			registrations_note(r->epfd, EPOLL_CTL_DEL, r->fd, &event);
	}
}

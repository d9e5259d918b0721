// SPDX-License-Identifier: MIT
/*
 * in_handler.c - see in_handler.h.
 *
 *	1. No signal has had a handler since the program was started: no.
 *	2. On the alternate stack (sigaltstack(2)): yes.
 *	3. A handler returns into a few instructions of libc, the restorer. The kernel knows its
 *	   address, and has put it on the stack as what the handler returns to, below the registers
 *	   of what was interrupted. Is it anywhere between here and the end of the stack? Where that
 *	   is not known, or far (a coroutine has a stack that libc does not know of, a frame may be
 *	   huge), as far as can be read, or STACK_MAX.
 *
 * A disposition of SIG_DFL whose restorer is set counts in 1 and 3: the handler itself may have put
 * it back, or SA_RESETHAND. What a handler, or sigaction(), has left in memory that a frame has
 * taken over and not written to would be a wrong answer on the safe side; few are, since what the
 * kernel puts there must fit as well.
 */
#include "shim/in_handler.h"

#include "shim/sys.h"

#include <pthread.h>
#include <sys/auxv.h>

#define SIGNALS	      64
#define RESTORERS_MAX 4 /* libc's, and those of libraries that ask the kernel themselves */
#define PAGE	      ((uintptr_t)4096)
#define STACK_MAX     ((uintptr_t)512 << 10)

/* Words of struct rt_sigframe of x86-64, from the restorer's address on: that, 5 words of the
 * ucontext, 15 registers, and then what is looked at. */
enum { FRAME_LINK = 2, FRAME_SP = 21, FRAME_FLAGS = 23, FRAME_CS = 24, FRAME_WORDS };

#define USER_CS	     0x33u /* 64-bit code */
#define FLAGS_ALWAYS 2u	   /* bit 1 of the flags is set, all above 21 are clear */
#define FLAGS_MAX    ((uintptr_t)1 << 22)

/* The kernel's, as of x86-64. */
struct action {
	uintptr_t handler, flags, restorer;
	sys_sigset mask;
};

struct restorers {
	unsigned n;
	uintptr_t at[RESTORERS_MAX];
};

static bool has(const struct restorers *restorers, uintptr_t value)
{
	for (unsigned i = 0; i < restorers->n; i++)
		if (restorers->at[i] == value)
			return true;
	return false;
}

/* False: there are too many, or they cannot be asked for. */
static bool find_restorers(struct restorers *ret)
{
	ret->n = 0;
	for (int sig = 1; sig <= SIGNALS; sig++) {
		struct action is = {0};

		if (sys_call(SYS_rt_sigaction, sig, 0, (long)&is, sizeof is.mask, 0, 0) < 0)
			return false;
		if (is.restorer == 0 || has(ret, is.restorer))
			continue;
		if (ret->n == RESTORERS_MAX)
			return false;
		ret->at[ret->n++] = is.restorer;
	}
	return true;
}

static bool on_alternate_stack(void)
{
	stack_t stack = {0};

	return sys_call(SYS_sigaltstack, 0, (long)&stack, 0, 0, 0, 0) == 0 &&
	       (stack.ss_flags & SS_ONSTACK);
}

/*
 * Frames are below that. The first thread's stack has the random bytes of the auxiliary vector
 * above them. That of any other, as libc makes it, ends in the thread's own data, also where the
 * program has given it; pthread_getattr_np() would allocate.
 */
static uintptr_t stack_end(void)
{
	return sys_gettid() == sys_getpid() ? getauxval(AT_RANDOM) : (uintptr_t)pthread_self();
}

/* The kernel reads the set before it finds that there is no such way to use it. */
static bool is_readable(uintptr_t addr)
{
	return sys_call(SYS_rt_sigprocmask, -1, (long)addr, 0, sizeof(sys_sigset), 0, 0) == -EINVAL;
}

/* Sanitizers do not like other functions' frames to be read. */
__attribute__((no_sanitize("address", "thread"))) static uintptr_t word_at(uintptr_t addr)
{
	return *(const volatile uintptr_t *)addr;
}

static uintptr_t frame_word(uintptr_t at, unsigned word)
{
	return word_at(at + word * sizeof at);
}

/* A handler has been called there, if a restorer's address is. */
static bool is_frame(uintptr_t at, uintptr_t end)
{
	uintptr_t last = at + (FRAME_WORDS - 1) * sizeof at, sp, flags;

	if (last >= end || !is_readable(last))
		return false;
	sp = frame_word(at, FRAME_SP);
	flags = frame_word(at, FRAME_FLAGS);
	return sp > at && sp <= end && frame_word(at, FRAME_LINK) == 0 && (flags & FLAGS_ALWAYS) &&
	       flags < FLAGS_MAX && (frame_word(at, FRAME_CS) & UINT16_MAX) == USER_CS;
}

/* Is there a frame on the stack above `here`, or may there be? */
static bool has_frame(const struct restorers *restorers, uintptr_t here)
{
	uintptr_t end = stack_end();

	if (!is_readable(here))
		return true; /* it is: the question does not work */
	if (here >= end || end - here > STACK_MAX)
		end = here + STACK_MAX;
	for (uintptr_t at = here; at < end; at += sizeof at) {
		if (at % PAGE == 0 && !is_readable(at))
			return false;
		if (has(restorers, word_at(at)) && is_frame(at, end))
			return true;
	}
	return false;
}

/* Not inlined: its own frame is not looked at, where the addresses are anyway. */
__attribute__((noinline)) bool in_handler(void)
{
	struct restorers restorers;

#ifndef __x86_64__
	return true;
#endif
	if (!find_restorers(&restorers))
		return true;
	if (restorers.n == 0)
		return false;
	return on_alternate_stack() || has_frame(&restorers, (uintptr_t)__builtin_frame_address(0));
}

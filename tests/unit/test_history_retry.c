// SPDX-License-Identifier: MIT
/* history_retry.c: who re-tries a broken address, when, and what is left of it. */
#include "shim/history_retry.h"

#include "shim/clock.h"
#include "shim/counters.h"
#include "shim/io.h"
#include "shim/process.h"
#include "shim/sys.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <semaphore.h>
#include <string.h>

static const struct history_view here = {.network = 4711};
static const struct order_dest dest = {.family = AF_INET, .addr = {127, 0, 0, 1}};

static int listener;
static in_port_t port;

static void set_up(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof addr;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&addr, sizeof addr), 0);
	cr_assert_eq(listen(listener, 8), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	port = addr.sin_port;
	cr_assert_eq(process_check(), PROCESS_OWNER);
}

TestSuite(history_retry, .init = set_up);

struct request {
	struct io_task task;
	sem_t done;
};

static void on_io_thread(struct io_task *task, uint64_t now_ms)
{
	struct request *request = (struct request *)task;

	history_retry(&here, &dest, port, now_ms);
	sem_post(&request->done);
}

static void retry(void)
{
	struct request request = {.task = {.run = on_io_thread}};

	sem_init(&request.done, 0, 0);
	cr_assert_eq(io_submit(&request.task), 0);
	sem_wait(&request.done);
}

/* The address failed `ago_ms` ago. */
static void fail(uint64_t ago_ms)
{
	history_failed(&here, &dest, HISTORY_SILENT, clock_boot_ms() - ago_ms);
}

static enum race_verdict verdict(void)
{
	struct history_outcome got;

	history_find(&here, &dest, clock_boot_ms(), &got);
	return got.verdict;
}

/* What the listener gets within 5 s, or without waiting. A descriptor or -1. */
static int get_connection(bool wait)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};

	poll(&p, 1, wait ? 5000 : 0);
	return accept(listener, NULL, NULL);
}

static bool comes_to(enum race_verdict wanted)
{
	for (unsigned i = 0; i < 500 && verdict() != wanted; i++)
		usleep(10000);
	return verdict() == wanted;
}

Test(history_retry, address_that_works_again_is_found_out)
{
	int fd;
	char byte;

	fail(HISTORY_RETRY_MS + 100);
	cr_assert_eq(verdict(), RACE_BROKEN);
	retry();
	fd = get_connection(true);
	cr_assert_geq(fd, 0);
	cr_expect(comes_to(RACE_WORKS));
	cr_expect_eq(read(fd, &byte, 1), 0, "a byte was sent, or the connection is still there");
	cr_expect_eq(counters_read(COUNTER_RETRIES), 1u);
	cr_expect_eq(counters_read(COUNTER_RETRIES_WORKED), 1u);
}

Test(history_retry, nothing_is_sent_before_it_is_due)
{
	fail(HISTORY_RETRY_MS - 5000);
	retry();
	cr_expect_eq(counters_read(COUNTER_RETRIES), 0u);
	cr_expect_eq(get_connection(false), -1);
}

Test(history_retry, nothing_is_sent_to_an_address_that_is_not_broken)
{
	retry();
	history_connected(&here, &dest, 10, clock_boot_ms() - HISTORY_RETRY_MS - 100);
	retry();
	cr_expect_eq(counters_read(COUNTER_RETRIES), 0u);
}

Test(history_retry, many_races_make_one_connect)
{
	fail(HISTORY_RETRY_MS + 100);
	for (unsigned i = 0; i < 100; i++)
		retry();
	cr_expect_eq(counters_read(COUNTER_RETRIES), 1u);
}

Test(history_retry, refusal_leaves_the_verdict)
{
	history_retry_ms = 500;
	fail(1000);
	sys_close(listener);
	retry();
	cr_expect_eq(counters_read(COUNTER_RETRIES), 1u);
	cr_expect_eq(verdict(), RACE_BROKEN);
	retry(); /* twice the interval from now on */
	cr_expect_eq(counters_read(COUNTER_RETRIES), 1u);
	cr_expect_eq(counters_read(COUNTER_RETRIES_WORKED), 0u);
}

// SPDX-License-Identifier: MIT
/*
 * test_lab_forwarder.c - the lab's slow and broken network: delay, loss, order, black holes,
 * refusals, counters and captures.
 */
#include "tests/lab/dnsquery.h"
#include "tests/lab/forwarder.h"
#include "tests/lab/labtest.h"
#include "tests/lab/proc.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define V4     LAB_FAR_V4(1)
#define V6     LAB_FAR_V6(1)
#define SERVER "side far\nlisten " V4 ":53\nlisten [" V6 "]:53\nrr www.test 300 A 192.0.2.1\n"
#define START(w, ...)                                                                              \
	lab_forwarder_start(w, &(struct lab_forwarder_opts){                                       \
				       .rules = (const struct lab_rule[]){__VA_ARGS__},            \
				       .nrules = sizeof((const struct lab_rule[]){__VA_ARGS__}) /  \
						 sizeof(struct lab_rule)})

static int ask(const char *server, enum lab_dns_transport transport, unsigned timeout_ms,
	       unsigned long long *ret_ns)
{
	const struct lab_dns_question q = {.server = server,
					   .name = "www.test",
					   .type = LAB_A,
					   .transport = transport,
					   .timeout_ms = timeout_ms};
	struct lab_dns_reply reply;
	int rc = lab_dns_ask(&q, &reply);

	if (rc == 0 && ret_ns)
		*ret_ns = reply.elapsed_ns;
	return rc;
}

static int compare(const void *a, const void *b)
{
	const unsigned long long *x = a;
	const unsigned long long *y = b;

	return (*x > *y) - (*x < *y);
}

/* A connected UDP socket, so that ICMP errors are seen; or the error of a TCP connect. */
static int open_to(const char *address, int type, int *ret_error)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int one = 1;
	int fd;

	lab_assert_int(lab_parse_endpoint(address, 7, &addr, &len), 0);
	fd = socket(addr.ss_family, type | SOCK_CLOEXEC, 0);
	lab_assert(fd >= 0);
	/* Without it, Linux keeps "host unreachable" from a datagram socket. */
	if (type == SOCK_DGRAM && addr.ss_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	if (type == SOCK_DGRAM && addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	*ret_error = connect(fd, (struct sockaddr *)&addr, len) ? errno : 0;
	return fd;
}

static int tcp_error(const char *address)
{
	int error;

	close(open_to(address, SOCK_STREAM, &error));
	return error;
}

static int udp_error(const char *address)
{
	struct pollfd p = {.events = POLLIN};
	int error;
	char byte = 0;

	p.fd = open_to(address, SOCK_DGRAM, &error);
	lab_assert_int(error, 0);
	lab_assert_int(send(p.fd, &byte, 1, 0), 1);
	lab_assert_int(poll(&p, 1, 5000), 1);
	error = recv(p.fd, &byte, 1, 0) < 0 ? errno : 0;
	close(p.fd);
	return error;
}

static unsigned long long median_rtt(const char *server)
{
	unsigned long long rtt[21];

	for (int i = 0; i < 21; i++)
		lab_assert_int(ask(server, LAB_UDP, 2000, &rtt[i]), 0);
	qsort(rtt, 21, sizeof(*rtt), compare);
	return rtt[10];
}

LabTest(lab_forwarder, delay_is_kept_within_5_ms, .far = true)
{
	unsigned long long rtt;

	START(w, {.delay_us = 10000});
	lab_dns_start_text(w, SERVER);
	rtt = median_rtt(V4);
	lab_assert(rtt >= 20000000 && rtt <= 25000000, "(IPv4: %llu ns)", rtt);
	rtt = median_rtt(V6);
	lab_assert(rtt >= 20000000 && rtt <= 25000000, "(IPv6: %llu ns)", rtt);
}

LabTest(lab_forwarder, one_family_is_a_black_hole, .far = true)
{
	struct lab_forwarder *f =
		START(w, {.match = {.family = AF_INET6}, .action = LAB_BLACKHOLE});

	lab_dns_start_text(w, SERVER);
	lab_assert_int(ask(V6, LAB_UDP, 100, NULL), -ETIMEDOUT);
	lab_assert_int(ask(V4, LAB_UDP, 2000, NULL), 0);
	lab_assert_int(lab_forwarder_packets(f, 0), 1);
	lab_assert_int(lab_forwarder_dropped(f, 0), 1);
	lab_assert_int(lab_forwarder_packets(f, LAB_MAX_RULES), 2);
	lab_assert_int(lab_forwarder_dropped(f, LAB_MAX_RULES), 0);
}

LabTest(lab_forwarder, direction_address_and_port_select, .far = true)
{
	struct lab_forwarder *f = START(
		w,
		{.match = {.direction = LAB_IN, .remote = V4 "/32", .port = 53},
		 .action = LAB_BLACKHOLE},
		{.match = {.remote = LAB_FAR_V4(64) "/26"}}, {.match = {.protocol = IPPROTO_UDP}});
	struct lab_dns *dns = lab_dns_start_text(w, SERVER "listen " LAB_FAR_V4(70) ":53\n");

	lab_assert_int(ask(V4, LAB_UDP, 100, NULL), -ETIMEDOUT);
	lab_assert_int(lab_dns_count(dns, NULL, LAB_A, LAB_UDP), 1);
	lab_assert_int(ask(LAB_FAR_V4(70), LAB_UDP, 2000, NULL), 0);
	lab_assert_int(ask(V6, LAB_UDP, 2000, NULL), 0);
	lab_assert_int(lab_forwarder_packets(f, 0), 1);
	lab_assert_int(lab_forwarder_packets(f, 1), 2);
	lab_assert_int(lab_forwarder_packets(f, 2), 3); /* the first query, and both of IPv6 */
}

LabTest(lab_forwarder, rules_change_while_it_runs, .far = true)
{
	const struct lab_rule closed = {.action = LAB_BLACKHOLE};
	struct lab_forwarder *f = START(w, {.action = LAB_PASS});

	lab_dns_start_text(w, SERVER);
	lab_assert_int(ask(V4, LAB_UDP, 2000, NULL), 0);
	lab_assert_int(lab_forwarder_packets(f, 0), 2);
	lab_forwarder_rules(f, &closed, 1);
	lab_assert_int(lab_forwarder_packets(f, 0), 0);
	lab_assert_int(ask(V4, LAB_UDP, 100, NULL), -ETIMEDOUT);
	lab_forwarder_rules(f, NULL, 0);
	lab_assert_int(ask(V4, LAB_UDP, 2000, NULL), 0);
}

LabTest(lab_forwarder, first_packets_only, .far = true)
{
	START(w, {.match = {.direction = LAB_OUT}, .first = 2, .action = LAB_BLACKHOLE});
	lab_dns_start_text(w, SERVER);
	lab_assert_int(ask(V4, LAB_UDP, 100, NULL), -ETIMEDOUT);
	lab_assert_int(ask(V4, LAB_UDP, 100, NULL), -ETIMEDOUT);
	lab_assert_int(ask(V4, LAB_UDP, 2000, NULL), 0);
}

LabTest(lab_forwarder, refusal_reaches_the_program, .far = true)
{
	START(w, {.action = LAB_REFUSE});
	lab_assert_int(tcp_error(V4), ECONNREFUSED);
	lab_assert_int(tcp_error(V6), ECONNREFUSED);
	lab_assert_int(udp_error(V4), ECONNREFUSED);
	lab_assert_int(udp_error(V6), ECONNREFUSED);
}

LabTest(lab_forwarder, unreachable_reaches_the_program, .far = true)
{
	START(w, {.action = LAB_UNREACHABLE});
	lab_assert_int(tcp_error(V4), EHOSTUNREACH);
	lab_assert_int(tcp_error(V6), EHOSTUNREACH);
	lab_assert_int(udp_error(V4), EHOSTUNREACH);
	lab_assert_int(udp_error(V6), EHOSTUNREACH);
}

LabTest(lab_forwarder, refusal_is_delayed_too, .far = true)
{
	unsigned long long start = lab_now_ns();

	START(w, {.delay_us = 50000, .action = LAB_REFUSE});
	lab_assert_int(tcp_error(V4), ECONNREFUSED);
	lab_assert(lab_now_ns() - start >= 50000000);
}

/* A closed connection in the middle: the RST must be acceptable to the peer's window. */
LabTest(lab_forwarder, refusal_ends_an_open_connection, .far = true)
{
	struct lab_forwarder *f = START(w, {.action = LAB_PASS});
	const struct lab_rule refuse = {.match = {.direction = LAB_OUT}, .action = LAB_REFUSE};
	struct pollfd p = {.events = POLLIN};
	int error;
	char byte = 0;

	lab_dns_start_text(w, "side far\nlisten " V4 ":7\nlisten [" V6 "]:7\n");
	p.fd = open_to(V6, SOCK_STREAM, &error);
	lab_assert_int(error, 0);
	lab_forwarder_rules(f, &refuse, 1);
	lab_assert_int(send(p.fd, &byte, 1, 0), 1);
	lab_assert_int(poll(&p, 1, 5000), 1);
	lab_assert(recv(p.fd, &byte, 1, 0) < 0 && errno == ECONNRESET, "(%s)", strerror(errno));
}

/* Which of 40 datagrams arrive, as a string of their numbers' letters, in order of arrival. */
static void burst(struct lab_world *w, char arrived[41])
{
	struct pollfd p = {.events = POLLIN};
	int fds[2];
	int error;

	lab_assert_int(pipe(fds), 0);
	if (lab_fork_side(w, LAB_FAR) == 0) {
		struct sockaddr_storage addr;
		socklen_t len;
		char byte = 0;
		int fd;

		lab_parse_endpoint(V4, 7, &addr, &len);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		lab_assert_int(bind(fd, (struct sockaddr *)&addr, len), 0);
		lab_assert_int(write(fds[1], &byte, 1), 1);
		p.fd = fd;
		while (poll(&p, 1, 500) == 1 && recv(fd, &byte, 1, 0) == 1)
			lab_assert_int(write(fds[1], &byte, 1), 1);
		_exit(0);
	}
	close(fds[1]);
	lab_assert_int(read(fds[0], arrived, 1), 1); /* it listens */
	p.fd = open_to(V4, SOCK_DGRAM, &error);
	for (char c = 'A'; c < 'A' + 40; c++)
		lab_assert_int(send(p.fd, &c, 1, 0), 1);
	memset(arrived, 0, 41);
	for (int n = 0; n < 40 && read(fds[0], arrived + n, 1) == 1; n++)
		;
	close(fds[0]);
	close(p.fd);
}

LabTest(lab_forwarder, equal_delay_keeps_the_order, .far = true)
{
	char arrived[41];

	START(w, {.delay_us = 5000});
	burst(w, arrived);
	lab_assert_str(arrived, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh");
}

LabTest(lab_forwarder, reordering_loses_nothing, .far = true)
{
	char arrived[41];

	START(w, {.delay_us = 5000, .reorder_permille = 300});
	burst(w, arrived);
	lab_assert_int(strlen(arrived), 40);
	lab_assert(strcmp(arrived, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh") != 0);
}

LabTest(lab_forwarder, loss_repeats_from_its_seed, .far = true)
{
	const struct lab_rule rule = {.loss_permille = 500};
	struct lab_forwarder_opts opts = {.rules = &rule, .nrules = 1, .seed = 42};
	struct lab_forwarder *f = lab_forwarder_start(w, &opts);
	char first[41];
	char second[41];
	size_t n;

	burst(w, first);
	n = strlen(first);
	lab_assert(n > 5 && n < 35, "(%zu of 40)", n);
	lab_assert_int(lab_forwarder_dropped(f, 0), 40 - (long long)n);
	lab_forwarder_stop(f);
	lab_forwarder_start(w, &opts);
	burst(w, second);
	lab_assert_str(second, first);
}

LabTest(lab_forwarder, capture_shows_what_left, .far = true)
{
	const struct lab_match syn4 = {.family = AF_INET, .direction = LAB_OUT, .syn = true};
	const struct lab_match syn6 = {.family = AF_INET6, .syn = true, .remote = V6, .port = 7};
	/* The kernel may have things of its own to say, in ICMPv6. */
	const struct lab_match all = {.protocol = IPPROTO_TCP};
	const struct lab_rule hole = {.action = LAB_REFUSE};
	unsigned long long before = lab_now_ns();
	long long at_ns;
	char path[256];
	long nsyns;

	snprintf(path, sizeof(path), "%s/capture", lab_world_dir(w));
	lab_forwarder_start(
		w, &(struct lab_forwarder_opts){.rules = &hole, .nrules = 1, .capture = path});
	lab_assert_int(tcp_error(V6), ECONNREFUSED);
	lab_assert_int(lab_capture_count(path, &syn4), 0);
	nsyns = lab_capture_count(path, &syn6); /* two, where the link was up too late for a RST */
	lab_assert(nsyns > 0);
	lab_assert_int(lab_capture_count(path, &all), nsyns);
	at_ns = lab_capture_time_ns(path, &syn6, 0);
	lab_assert(at_ns > (long long)before && at_ns < (long long)lab_now_ns());
	lab_assert_int(lab_capture_time_ns(path, &syn6, (unsigned)nsyns), -ENOENT);
	lab_assert_int(lab_capture_count("/nowhere", &all), -ENOENT);
}

/* Where the TUN device is root's alone, the test must say so and not fail. */
LabTest(lab_forwarder, without_root, .unprivileged = true, .far = true)
{
	START(w, {.delay_us = 1000});
	lab_dns_start_text(w, SERVER);
	lab_assert_int(ask(V4, LAB_UDP, 2000, NULL), 0);
}

Test(lab_forwarder, rule_text_is_parsed)
{
	struct lab_rule rule;
	char error[128];

	cr_assert_eq(lab_rule_parse("out ipv6 tcp syn to 2001:db8::/32 port 80 delay 1.5 jitter 2 "
				    "loss 10 reorder 20 first 3 refuse\n",
				    error, sizeof(error), &rule),
		     0);
	cr_assert_eq(rule.match.direction, LAB_OUT);
	cr_assert_eq(rule.match.family, AF_INET6);
	cr_assert_eq(rule.match.protocol, IPPROTO_TCP);
	cr_assert(rule.match.syn);
	cr_assert_str_eq(rule.match.remote, "2001:db8::/32");
	cr_assert_eq(rule.match.port, 80);
	cr_assert_eq(rule.delay_us, 1500);
	cr_assert_eq(rule.jitter_us, 2000);
	cr_assert_eq(rule.loss_permille, 10);
	cr_assert_eq(rule.reorder_permille, 20);
	cr_assert_eq(rule.first, 3);
	cr_assert_eq(rule.action, LAB_REFUSE);
}

Test(lab_forwarder, bad_rule_text_is_refused)
{
	static const char *const bad[] = {"sideways",	       "port",	     "port 70000",
					  "to 1.2.3.4/33",     "to nowhere", "delay -1",
					  "delay 5 drop drops"};
	struct lab_rule rule;
	char error[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(lab_rule_parse(bad[i], error, sizeof(error), &rule), -EINVAL, "%s",
			     bad[i]);
}

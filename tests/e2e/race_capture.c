// SPDX-License-Identifier: MIT
/*
 * race_capture.c - attempts out of a capture, and their comparison with a table's text.
 */
#include "tests/e2e/race_capture.h"
#include "tests/lab/pcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_again(const struct race_capture *c, const struct lab_packet *p)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->attempts[i].port == p->source_port &&
		    memcmp(c->attempts[i].target, p->target, p->addr_len) == 0)
			return true;
	return false;
}

static void add_attempt(struct race_capture *c, const struct lab_packet *p, double at_ms)
{
	struct race_attempt *a = &c->attempts[c->n];

	if (c->n == RACE_CAPTURE_MAX || is_again(c, p))
		return;
	a->family = p->family == AF_INET ? 4 : 6;
	a->port = p->source_port;
	a->at_ms = at_ms;
	memcpy(a->target, p->target, p->addr_len);
	c->n++;
}

static bool seen(void *arg, const struct lab_packet *p, long long at_ns)
{
	struct race_capture *c = arg;
	const double at_ms = (double)at_ns / 1e6;
	const unsigned open = p->tcp_flags & (PACKET_SYN | PACKET_ACK);

	if (open == PACKET_SYN)
		add_attempt(c, p, at_ms);
	if (open == (PACKET_SYN | PACKET_ACK) && c->first_synack_ms == 0)
		c->first_synack_ms = at_ms;
	return true;
}

static bool seen_reset(void *arg, const struct lab_packet *p, long long at_ns)
{
	struct race_capture *c = arg;

	if ((p->tcp_flags & PACKET_RST) == 0)
		return true;
	c->first_rst_ms = (double)at_ns / 1e6;
	return false;
}

void race_capture_read(const char *path, uint16_t port, struct race_capture *ret)
{
	const struct lab_match all = {.protocol = IPPROTO_TCP, .port = port};
	const struct lab_match out = {.protocol = IPPROTO_TCP, .port = port, .direction = LAB_OUT};

	memset(ret, 0, sizeof *ret);
	lab_assert_int(lab_pcap_walk(path, &all, seen, ret), 0);
	lab_assert_int(lab_pcap_walk(path, &out, seen_reset, ret), 0);
}

void race_capture_print(const struct race_capture *c, double start_ms, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < c->n && i < 12 && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%d@%.0f", i > 0 ? " " : "",
					 c->attempts[i].family, c->attempts[i].at_ms - start_ms);
}

static bool is_early(char how, double wanted, double got)
{
	return how != '<' && got < wanted - RACE_EARLY_MS;
}

bool race_capture_is(const struct race_capture *c, double start_ms, const char *text, char *why,
		     size_t size, bool *late)
{
	unsigned i = 0;

	for (const char *word = text; *word != '\0'; i++) {
		const struct race_attempt *a = &c->attempts[i];
		const double at_ms = a->at_ms - start_ms;
		int family, wanted, len;
		bool is_late;
		char how;

		if (strcmp(word, "...") == 0)
			return true;
		if (sscanf(word, "%d%c%d%n", &family, &how, &wanted, &len) != 3)
			lab_fail("bad text of attempts: %s", text);
		is_late = i >= c->n || at_ms > wanted + RACE_SLOP_MS(wanted);
		*late |= is_late;
		if (is_late || a->family != family || is_early(how, wanted, at_ms)) {
			snprintf(why, size, "SYN %.*s expected", len, word);
			return false;
		}
		word += len + strspn(word + len, " ");
	}
	if (i < c->n)
		snprintf(why, size, "%u SYNs too many", c->n - i);
	return i == c->n;
}

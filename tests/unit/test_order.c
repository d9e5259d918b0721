// SPDX-License-Identifier: MIT
/*
 * test_order.c - each rule of RFC 6724 with a network that the test makes up, the stability of the
 * sort, and the real probe on loopback.
 */
#include "shim/order.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 8

/* A destination with the source that the network has for it ("" for none), and that one's state. */
struct route {
	const char *dest;
	const char *source;
	uint8_t flags;
	uint8_t prefix_len;
	uint32_t ifindex;
};

struct network {
	const struct route *routes;	 /* ends with a NULL dest */
	const struct order_known *known; /* of each; NULL: nothing of any */
	uint32_t tunnel;		 /* interface that is not native */
	unsigned asked, asked_native;
};

static struct in6_addr to_in6(const char *text)
{
	struct in6_addr addr = {0};

	if (inet_pton(AF_INET6, text, &addr) != 1) {
		cr_assert_eq(inet_pton(AF_INET, text, addr.s6_addr + 12), 1, "%s", text);
		addr.s6_addr[10] = addr.s6_addr[11] = 0xff;
	}
	return addr;
}

static struct order_dest to_dest(const char *text)
{
	struct order_dest dest = {.family = AF_INET6};

	if (inet_pton(AF_INET, text, dest.addr) == 1)
		dest.family = AF_INET;
	else
		cr_assert_eq(inet_pton(AF_INET6, text, dest.addr), 1, "%s", text);
	return dest;
}

static int source(void *ctx, const struct order_dest *dest, struct in6_addr *ret)
{
	struct network *network = ctx;

	network->asked++;
	for (const struct route *r = network->routes; r->dest; r++) {
		struct order_dest d = to_dest(r->dest);

		if (d.family != dest->family ||
		    memcmp(d.addr, dest->addr, d.family == AF_INET ? 4 : 16) != 0)
			continue;
		if (!*r->source)
			return -ENETUNREACH;
		*ret = to_in6(r->source);
		return 0;
	}
	return -ENETUNREACH;
}

static bool is_native(void *ctx, uint32_t ifindex)
{
	struct network *network = ctx;

	network->asked_native++;
	return ifindex != network->tunnel;
}

static void known(void *ctx, const struct order_dest *dest, struct order_known *ret)
{
	struct network *network = ctx;

	for (unsigned i = 0; network->known != NULL && network->routes[i].dest != NULL; i++) {
		struct order_dest d = to_dest(network->routes[i].dest);

		if (d.family == dest->family && memcmp(d.addr, dest->addr, 16) == 0)
			*ret = network->known[i];
	}
}

static int compare_addrs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct in6_addr));
}

/* The interfaces that the routes' sources are of. */
static void fill_netif(const struct network *network, struct netif *netif, struct netif_addr *addrs)
{
	for (const struct route *r = network->routes; r->dest; r++)
		if (*r->source && r->ifindex)
			addrs[netif->naddrs++] = (struct netif_addr){.addr = to_in6(r->source),
								     .ifindex = r->ifindex,
								     .flags = r->flags,
								     .prefix_len = r->prefix_len};
	qsort(addrs, netif->naddrs, sizeof(addrs[0]), compare_addrs);
}

/* The order of the routes' destinations, as "2 0 1". */
static const char *sort(struct network *network, const struct gai_conf *conf, char *buf)
{
	struct order_probe probe = {
		.source = source, .is_native = is_native, .known = known, .ctx = network};
	struct netif_addr addrs[MAX] = {0};
	struct netif netif = {.addrs = addrs};
	struct order_dest dests[MAX];
	uint16_t perm[MAX];
	unsigned n = 0;
	char *p = buf;

	for (const struct route *r = network->routes; r->dest; r++)
		dests[n++] = to_dest(r->dest);
	fill_netif(network, &netif, addrs);
	cr_assert_eq(order_sort(dests, n, conf, &netif, &probe, perm), 0);
	for (unsigned i = 0; i < n; i++)
		p += sprintf(p, i ? " %u" : "%u", perm[i]);
	return buf;
}

/* Why the first route's destination stands before the second's. */
static enum order_rule explain(struct network *network)
{
	struct order_probe probe = {
		.source = source, .is_native = is_native, .known = known, .ctx = network};
	struct order_dest pair[2] = {to_dest(network->routes[0].dest),
				     to_dest(network->routes[1].dest)};
	struct netif_addr addrs[2] = {0};
	struct netif netif = {.addrs = addrs};

	fill_netif(network, &netif, addrs);
	return order_explain(pair, &gai_conf_default, &netif, &probe);
}

Test(order, rules)
{
	static const struct {
		const char *rule;
		struct route routes[MAX];
		const char *want;
	} cases[] = {
		{"1: usable",
		 {{"2001:db8::1", "", 0, 0, 0}, {"1.2.3.4", "10.0.0.1", 0, 8, 1}},
		 "1 0"},
		{"1: neither usable, precedence decides",
		 {{"1.2.3.4", "", 0, 0, 0}, {"2001:db8::1", "", 0, 0, 0}},
		 "1 0"},
		{"2: scope of the source",
		 {{"2001:db8::1", "fe80::1", 0, 64, 1}, {"1.2.3.4", "10.0.0.1", 0, 8, 1}},
		 "1 0"},
		{"2: IPv4 scopes by table",
		 {{"1.2.3.4", "169.254.1.1", 0, 16, 1}, {"8.8.8.8", "10.0.0.1", 0, 8, 1}},
		 "1 0"},
		{"2: site-local and multicast scopes",
		 {{"ff02::1", "2001:db8::9", 0, 64, 1},
		  {"ff05::1", "fec0::9", 0, 64, 1},
		  {"fec0::1", "2001:db8::9", 0, 64, 1}},
		 "1 0 2"},
		{"3: deprecated",
		 {{"2001:db8::1", "2001:db8::8", NETIF_DEPRECATED, 64, 1},
		  {"2001:db8::2", "2001:db8:1::9", 0, 64, 1}},
		 "1 0"},
		{"4: home address",
		 {{"2001:db8::1", "2001:db8::8", 0, 64, 1},
		  {"2001:db8::2", "2001:db8:1::9", NETIF_HOME, 64, 1}},
		 "1 0"},
		{"5: label",
		 {{"2001:db8::1", "fd00::1", 0, 64, 1}, {"1.2.3.4", "10.0.0.1", 0, 8, 1}},
		 "1 0"},
		{"6: precedence",
		 {{"1.2.3.4", "10.0.0.1", 0, 8, 1}, {"2001:db8::1", "2001:db8:1::1", 0, 64, 1}},
		 "1 0"},
		{"6: precedence of ::1",
		 {{"127.0.0.1", "127.0.0.1", 0, 8, 1}, {"::1", "::1", 0, 128, 1}},
		 "1 0"},
		{"7: native",
		 {{"2001:db8::1", "2001:db8:1::1", 0, 64, 7},
		  {"2001:db8:f::2", "2001:db8:2::1", 0, 64, 1}},
		 "1 0"},
		{"7: an interface that is not known is not native",
		 {{"2001:db8::1", "2001:db8:1::1", 0, 64, 0},
		  {"2001:db8:f::2", "2001:db8:2::1", 0, 64, 1}},
		 "1 0"},
		{"8: smaller scope",
		 {{"2001:db8::1", "2001:db8:1::1", 0, 64, 1}, {"fe80::2", "fe80::1", 0, 64, 1}},
		 "1 0"},
		{"9: longest prefix, IPv6",
		 {{"2001:db8::1", "2001:db8:8000::1", 0, 64, 1},
		  {"2001:db8:8001::1", "2001:db8:8000::1", 0, 64, 1},
		  {"2001:db8:8000::1", "2001:db8:8000::1", 0, 64, 1}},
		 "2 1 0"},
		{"9: IPv4 within the subnet only",
		 {{"10.0.1.1", "10.0.0.1", 0, 24, 1},
		  {"10.0.3.1", "10.0.0.1", 0, 24, 1},
		  {"10.0.0.200", "10.0.0.1", 0, 24, 1},
		  {"10.0.0.3", "10.0.0.1", 0, 24, 1}},
		 "3 2 0 1"},
		{"9: without a known prefix the subnet is the source",
		 {{"10.0.0.3", "10.0.0.1", 0, 0, 0}, {"10.0.0.1", "10.0.0.1", 0, 0, 0}},
		 "1 0"},
		{"9: a loopback source is lo's",
		 {{"127.0.0.9", "127.0.0.9", 0, 0, 0}, {"127.0.0.1", "127.0.0.1", 0, 8, 1}},
		 "0 1"},
		{"9: a v4-mapped destination is IPv6",
		 {{"::ffff:1.2.3.4", "::ffff:10.0.0.1", 0, 8, 1},
		  {"::ffff:10.0.0.2", "::ffff:10.0.0.1", 0, 8, 1}},
		 "1 0"},
		{"10: as they came",
		 {{"1.2.3.4", "10.0.0.1", 0, 8, 1},
		  {"1.2.3.5", "10.0.0.1", 0, 8, 1},
		  {"1.2.3.3", "10.0.0.1", 0, 8, 1}},
		 "0 1 2"},
	};
	char got[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct network network = {.routes = cases[i].routes, .tunnel = 7};

		cr_expect_str_eq(sort(&network, &gai_conf_default, got), cases[i].want,
				 "rule %s: got %s, want %s", cases[i].rule, got, cases[i].want);
	}
}

/* The rule that decides between two is the one that the sort goes by. */
Test(order, explanation_names_the_rule_that_decides)
{
	static const struct {
		struct route routes[3];
		enum order_rule want;
	} cases[] = {
		{{{"1.2.3.4", "10.0.0.1", 0, 8, 1}, {"2001:db8::1", "", 0, 0, 0}},
		 ORDER_UNREACHABLE},
		{{{"1.2.3.4", "10.0.0.1", 0, 8, 1}, {"2001:db8::1", "fe80::1", 0, 64, 1}},
		 ORDER_SCOPE},
		{{{"2001:db8::2", "2001:db8:1::9", 0, 64, 1},
		  {"2001:db8::1", "2001:db8::8", NETIF_DEPRECATED, 64, 1}},
		 ORDER_DEPRECATED},
		{{{"2001:db8::2", "2001:db8:1::9", NETIF_HOME, 64, 1},
		  {"2001:db8::1", "2001:db8::8", 0, 64, 1}},
		 ORDER_HOME},
		{{{"1.2.3.4", "10.0.0.1", 0, 8, 1}, {"2001:db8::1", "fd00::1", 0, 64, 1}},
		 ORDER_LABEL},
		{{{"2001:db8::1", "2001:db8:1::1", 0, 64, 1}, {"1.2.3.4", "10.0.0.1", 0, 8, 1}},
		 ORDER_PRECEDENCE},
		{{{"2001:db8:f::2", "2001:db8:2::1", 0, 64, 1},
		  {"2001:db8::1", "2001:db8:1::1", 0, 64, 7}},
		 ORDER_NATIVE},
		{{{"fe80::2", "fe80::1", 0, 64, 1}, {"2001:db8::1", "2001:db8:1::1", 0, 64, 1}},
		 ORDER_SMALL_SCOPE},
		{{{"2001:db8:8000::1", "2001:db8:8000::1", 0, 64, 1},
		  {"2001:db8::1", "2001:db8:8000::1", 0, 64, 1}},
		 ORDER_PREFIX},
		{{{"1.2.3.4", "10.0.0.1", 0, 8, 1}, {"1.2.3.5", "10.0.0.1", 0, 8, 1}},
		 ORDER_AS_GIVEN},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct network network = {.routes = cases[i].routes, .tunnel = 7};

		cr_expect_eq(explain(&network), cases[i].want, "case %zu: got %d, want %d", i,
			     (int)explain(&network), (int)cases[i].want);
	}
}

Test(order, explanation_knows_the_history)
{
	static const struct route routes[3] = {{"1.2.3.4", "10.0.0.1", 0, 8, 1},
					       {"1.2.3.5", "10.0.0.1", 0, 8, 1}};
	static const struct order_known nearer[] = {{.srtt_ms = 10}, {.srtt_ms = 200}},
					broken[] = {{.works = true}, {.broken = true}};

	cr_expect_eq(explain(&(struct network){.routes = routes, .known = nearer}), ORDER_HISTORY);
	cr_expect_eq(explain(&(struct network){.routes = routes, .known = broken}), ORDER_BROKEN);
}

/* RFC 8305 section 4. */
Test(order, history)
{
	static const struct route v6_v4[MAX] = {{"2001:db8::1", "2001:db8:1::1", 0, 64, 1},
						{"1.2.3.4", "10.0.0.1", 0, 8, 1}},
				  v4_v6[MAX] = {{"1.2.3.4", "10.0.0.1", 0, 8, 1},
						{"2001:db8::1", "2001:db8:1::1", 0, 64, 1}},
				  v4_no_v6[MAX] = {{"1.2.3.4", "10.0.0.1", 0, 8, 1},
						   {"2001:db8::1", "", 0, 0, 0}},
				  v4_v4[MAX] = {{"1.2.3.4", "10.0.0.1", 0, 8, 1},
						{"1.2.3.5", "10.0.0.1", 0, 8, 1}},
				  global_link[MAX] = {{"2001:db8::1", "2001:db8:1::1", 0, 64, 1},
						      {"fe80::2", "fe80::1", 0, 64, 1}},
				  close_far[MAX] = {{"2001:db8:1::2", "2001:db8:1::1", 0, 64, 1},
						    {"2001:db8::1", "2001:db8:1::1", 0, 64, 1}};
	static const struct {
		const char *rule;
		const struct route *routes;
		struct order_known known[2];
		const char *want;
	} cases[] = {
		{"broken behind the other family", v6_v4, {{.broken = true}}, "1 0"},
		{"broken behind what has no route", v4_no_v6, {{.broken = true}}, "1 0"},
		{"broken ones among themselves",
		 v4_v6,
		 {{.broken = true}, {.broken = true}},
		 "1 0"},
		{"nearer", v4_v4, {{.srtt_ms = 60}, {.srtt_ms = 34}}, "1 0"},
		{"25 ms apart is a tie", v4_v4, {{.srtt_ms = 60}, {.srtt_ms = 35}}, "0 1"},
		{"only one is known", v4_v4, {{0}, {.srtt_ms = 1}}, "0 1"},
		{"worked before", v4_v4, {{0}, {.works = true}}, "1 0"},
		{"nearer before worked",
		 v4_v4,
		 {{.works = true, .srtt_ms = 60}, {.srtt_ms = 10}},
		 "1 0"},
		{"precedence before nearer", v4_v6, {{.srtt_ms = 1}, {.srtt_ms = 900}}, "1 0"},
		{"scope before nearer", global_link, {{.srtt_ms = 1}, {.srtt_ms = 900}}, "1 0"},
		{"longest prefix, without a history", close_far, {{0}}, "0 1"},
		{"nearer before longest prefix",
		 close_far,
		 {{.srtt_ms = 60}, {.srtt_ms = 10}},
		 "1 0"},
	};
	char got[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct network network = {.routes = cases[i].routes, .known = cases[i].known};

		cr_expect_str_eq(sort(&network, &gai_conf_default, got), cases[i].want,
				 "%s: got %s, want %s", cases[i].rule, got, cases[i].want);
	}
}

/* Where gai.conf gives the families one precedence, the history could decide between them. */
Test(order, history_does_not_decide_between_families)
{
	static const char text[] = "precedence ::/0 40\nprecedence ::ffff:0:0/96 40\n";
	static const struct route routes[MAX] = {{"2001:db8::1", "2001:db8:1::1", 0, 64, 1},
						 {"1.2.3.4", "10.0.0.1", 0, 8, 1}},
				  mapped[MAX] = {{"2001:db8::1", "2001:db8::2", 0, 64, 1},
						 {"::ffff:1.2.3.4", "::ffff:10.0.0.1", 0, 8, 1}};
	static const struct order_known works[2] = {{0}, {.works = true}},
					near[2] = {{.srtt_ms = 300}, {.srtt_ms = 20}},
					broken[2] = {{.broken = true}};
	struct network with_works = {.routes = routes, .known = works},
		       with_near = {.routes = routes, .known = near},
		       with_mapped = {.routes = mapped, .known = works},
		       with_broken = {.routes = routes, .known = broken};
	struct gai_conf conf;
	char got[64];

	cr_assert_eq(gai_conf_parse(text, strlen(text), &conf), 0);
	cr_expect_str_eq(sort(&with_works, &conf, got), "0 1");
	cr_expect_str_eq(sort(&with_near, &conf, got), "0 1");
	cr_expect_str_eq(sort(&with_mapped, &conf, got), "0 1");
	cr_expect_str_eq(sort(&with_broken, &conf, got), "1 0", "but that one is broken does");
	gai_conf_free(&conf);
}

Test(order, configured_tables_count)
{
	static const struct route routes[MAX] = {{"2001:db8::1", "2001:db8:1::1", 0, 64, 1},
						 {"1.2.3.4", "10.0.0.1", 0, 8, 1}};
	static const char text[] = "precedence ::ffff:0:0/96 100\n";
	struct network network = {.routes = routes};
	struct gai_conf conf;
	char got[64];

	cr_assert_eq(gai_conf_parse(text, strlen(text), &conf), 0);
	cr_expect_str_eq(sort(&network, &conf, got), "1 0");
	gai_conf_free(&conf);
}

Test(order, equal_neighbours_are_probed_once)
{
	static const struct route routes[MAX] = {{"1.2.3.4", "10.0.0.1", 0, 8, 1},
						 {"1.2.3.4", "10.0.0.1", 0, 8, 1},
						 {"1.2.3.5", "10.0.0.1", 0, 8, 1},
						 {"1.2.3.4", "10.0.0.1", 0, 8, 1}};
	struct network network = {.routes = routes};
	char got[64];

	sort(&network, &gai_conf_default, got);
	cr_expect_eq(network.asked, 3);
	cr_expect_eq(network.asked_native, 0);
}

Test(order, each_interface_is_asked_for_once)
{
	static const struct route routes[MAX] = {{"2001:db8::1", "2001:db8:1::1", 0, 64, 1},
						 {"2001:db8::2", "2001:db8:2::1", 0, 64, 2},
						 {"2001:db8::3", "2001:db8:1::1", 0, 64, 1},
						 {"2001:db8::4", "2001:db8:2::1", 0, 64, 2}};
	struct network network = {.routes = routes, .tunnel = 1};
	char got[64];

	cr_expect_str_eq(sort(&network, &gai_conf_default, got), "1 3 0 2");
	cr_expect_eq(network.asked_native, 2);
}

/* Precedence by the last byte: a key with many ties, so that a sort that is not stable shows. */
static int numbered_source(void *ctx, const struct order_dest *dest, struct in6_addr *ret)
{
	(void)ctx;
	(void)dest;
	(void)ret;
	return -ENETUNREACH;
}

Test(order, many_destinations_are_sorted_and_stable)
{
	static const unsigned sizes[] = {0, 1, 2, 3, 63, 64, 65, 1000, ORDER_MAX};
	static struct order_dest dests[ORDER_MAX];
	static uint16_t perm[ORDER_MAX];
	static const char text[] = "precedence ::1/128 1\nprecedence ::2/128 2\n"
				   "precedence ::3/128 3\nprecedence ::4/128 4\n";
	struct order_probe probe = {.source = numbered_source};
	struct gai_conf conf;

	cr_assert_eq(gai_conf_parse(text, strlen(text), &conf), 0);
	srand(1);
	for (unsigned i = 0; i < ORDER_MAX; i++) {
		dests[i].family = AF_INET6;
		dests[i].addr[15] = (unsigned char)(1 + rand() % 4);
		if (dests[i].addr[15] == 1) /* ::1 has another scope, which rule 8 compares first */
			dests[i].addr[15] = 2;
	}
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		unsigned n = sizes[k];

		cr_assert_eq(order_sort(dests, n, &conf, &netif_unknown, &probe, perm), 0);
		for (unsigned i = 1; i < n; i++) {
			int a = dests[perm[i - 1]].addr[15], b = dests[perm[i]].addr[15];

			cr_assert(a > b || (a == b && perm[i - 1] < perm[i]), "n %u, place %u", n,
				  i);
		}
	}
	cr_expect_eq(order_sort(dests, ORDER_MAX + 1u, &conf, &netif_unknown, &probe, perm),
		     -EINVAL);
	gai_conf_free(&conf);
}

Test(order, real_probe_on_loopback)
{
	static const char *const dests[] = {"127.0.0.1", "127.0.0.1", "::1", "127.0.0.1"};
	struct order_socket sock;
	struct order_probe probe = order_probe_open(&sock);
	struct in6_addr v4 = to_in6("127.0.0.1"), v6 = to_in6("::1");

	for (size_t i = 0; i < sizeof(dests) / sizeof(dests[0]); i++) {
		struct order_dest dest = to_dest(dests[i]);
		struct in6_addr got;
		int err = probe.source(probe.ctx, &dest, &got);

		if (err && dest.family == AF_INET6)
			continue; /* a machine without IPv6 */
		cr_assert_eq(err, 0, "%s: %s", dests[i], strerror(-err));
		cr_expect_arr_eq(&got, dest.family == AF_INET ? &v4 : &v6, sizeof(got), "%s",
				 dests[i]);
	}
	cr_expect_geq(sock.fd, 0);
	order_probe_close(&sock);
	cr_expect_eq(sock.fd, -1);
}

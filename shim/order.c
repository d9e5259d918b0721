// SPDX-License-Identifier: MIT
/*
 * order.c - the ten rules and those of the history, and a merge sort that compares in the order in
 * which glibc's does.
 *
 * Rules 2 to 5, 7 and 9 need a source address; rule 1 has settled by then that either both have one
 * or neither. Rule 7 (native transport) takes an interface that is not known for not native, as
 * glibc does.
 */
#include "shim/order.h"

#include "shim/race.h"
#include "shim/v4mapped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NO_INTERFACE UINT32_MAX

enum native { NATIVE_UNKNOWN, NATIVE_YES, NATIVE_NO };

struct candidate {
	const struct order_dest *dest;
	struct in6_addr addr;	/* of dest, IPv4 v4-mapped */
	struct in6_addr source; /* likewise, of dest's family */
	uint32_t ifindex;	/* of the source */
	uint8_t flags;		/* enum netif_flags, of the source */
	uint8_t prefix_len;	/* of the source; 0: not known */
	bool has_source;
	enum native native;
	struct order_known known;
	/* What the rules compare, found once. */
	int scope;
	int precedence;
	bool scope_matches;
	bool label_matches;
	unsigned common_bits;
};

struct sorter {
	struct candidate *candidates;
	unsigned n;
	const struct order_probe *probe;
	uint16_t *scratch; /* [n] */
};

static uint32_t word(const struct in6_addr *addr, unsigned i)
{
	uint32_t w;

	memcpy(&w, addr->s6_addr + 4 * i, sizeof(w));
	return ntohl(w);
}

static unsigned common_bits32(uint32_t a, uint32_t b)
{
	return a == b ? 32 : (unsigned)__builtin_clz(a ^ b);
}

static int scope_of(const struct gai_conf *conf, int family, const struct in6_addr *addr)
{
	if (family == AF_INET)
		return gai_conf_scope4(conf, htonl(word(addr, 3)));
	if (IN6_IS_ADDR_MULTICAST(addr))
		return addr->s6_addr[1] & 0xf;
	if (IN6_IS_ADDR_LINKLOCAL(addr) || IN6_IS_ADDR_LOOPBACK(addr)) /* RFC 4291 2.5.3 */
		return SCOPE_LINK;
	return IN6_IS_ADDR_SITELOCAL(addr) ? SCOPE_SITE : SCOPE_GLOBAL;
}

/*
 * Rule 9's length. A common prefix of IPv4 addresses means nothing outside of the source's subnet,
 * and counts as 0 there; a subnet that is not known holds the source alone.
 */
static unsigned common_prefix(const struct candidate *c)
{
	unsigned bits = 0;

	if (c->dest->family == AF_INET) {
		bits = common_bits32(word(&c->addr, 3), word(&c->source, 3));
		return bits >= (c->prefix_len ? c->prefix_len : 32) ? bits : 0;
	}
	for (unsigned i = 0; i < 4 && bits == 32 * i; i++)
		bits += common_bits32(word(&c->addr, i), word(&c->source, i));
	return bits;
}

/* What the interfaces know of the source address. */
static void describe_source(struct candidate *c, const struct netif *netif)
{
	const struct netif_addr *found;
	struct in6_addr key = c->source;

	/* Towards a loopback address the source can be any of 127/8; lo has 127.0.0.1. */
	if (c->dest->family == AF_INET && key.s6_addr[12] == 127)
		memcpy(key.s6_addr + 12, "\x7f\0\0\1", 4);
	found = netif_find(netif, &key);
	if (found) {
		c->flags = found->flags;
		c->prefix_len = found->prefix_len;
		c->ifindex = found->ifindex;
	}
}

static void describe(struct candidate *c, const struct gai_conf *conf, const struct netif *netif)
{
	int family = c->dest->family;

	c->scope = scope_of(conf, family, &c->addr);
	c->precedence = gai_conf_precedence(conf, &c->addr);
	if (!c->has_source)
		return;
	describe_source(c, netif);
	c->scope_matches = c->scope == scope_of(conf, family, &c->source);
	c->label_matches = gai_conf_label(conf, &c->addr) == gai_conf_label(conf, &c->source);
	c->common_bits = common_prefix(c);
}

static bool same_dest(const struct order_dest *a, const struct order_dest *b)
{
	size_t len = a->family == AF_INET ? 4 : 16;

	return a->family == b->family && memcmp(a->addr, b->addr, len) == 0 &&
	       (a->family == AF_INET || a->scope_id == b->scope_id);
}

static void fill(struct candidate *c, const struct order_dest *dest, const struct gai_conf *conf,
		 const struct netif *netif, const struct order_probe *probe)
{
	*c = (struct candidate){.dest = dest, .ifindex = NO_INTERFACE};
	if (dest->family == AF_INET)
		c->addr = v4mapped_make(dest->addr);
	else
		memcpy(&c->addr, dest->addr, 16);
	c->has_source = probe->source(probe->ctx, dest, &c->source) == 0;
	if (probe->known != NULL)
		probe->known(probe->ctx, dest, &c->known);
	describe(c, conf, netif);
}

/* Asks once an interface: the answer is written to every candidate that leaves through it. */
static bool is_native(const struct sorter *s, const struct candidate *c)
{
	enum native native;

	if (c->ifindex == NO_INTERFACE)
		return false;
	if (c->native == NATIVE_UNKNOWN) {
		native = s->probe->is_native(s->probe->ctx, c->ifindex) ? NATIVE_YES : NATIVE_NO;
		for (unsigned i = 0; i < s->n; i++)
			if (s->candidates[i].ifindex == c->ifindex)
				s->candidates[i].native = native;
	}
	return c->native == NATIVE_YES;
}

/* Below 0: `a` first. Both truths of one rule; 0 where it does not decide. */
static int prefer(bool a, bool b)
{
	return (int)b - (int)a;
}

/* RFC 8305 section 4, between rules 8 and 9. */
static int compare_known(const struct order_known *a, const struct order_known *b)
{
	if (a->srtt_ms != 0 && b->srtt_ms != 0 &&
	    (a->srtt_ms + RACE_RTT_TIE_MS < b->srtt_ms ||
	     b->srtt_ms + RACE_RTT_TIE_MS < a->srtt_ms))
		return prefer(a->srtt_ms < b->srtt_ms, b->srtt_ms < a->srtt_ms);
	return prefer(a->works, b->works);
}

/* Within a family: else one that has once not been there would never be tried again. A v4-mapped
 * address is of IPv4. */
static int compare_history(const struct candidate *a, const struct candidate *b)
{
	return v4mapped_is(&a->addr) == v4mapped_is(&b->addr) ? compare_known(&a->known, &b->known)
							      : 0;
}

/* Where the one of before did not decide. */
#define RULE(name, result)                                                                         \
	if (ret == 0) {                                                                            \
		ret = (result);                                                                    \
		*rule = (name);                                                                    \
	}

/* Rules 1 to 9; 0 for a tie, which rule 10 gives to the one that came first. *rule is the one that
 * has decided, or the last. Inlined: who does not ask for the rule does not pay for it. */
static inline __attribute__((always_inline)) int decide(const struct sorter *s,
							const struct candidate *a,
							const struct candidate *b,
							enum order_rule *rule)
{
	bool sources;
	int ret = 0;

	RULE(ORDER_BROKEN, prefer(!a->known.broken, !b->known.broken))
	RULE(ORDER_UNREACHABLE, prefer(a->has_source, b->has_source))
	sources = ret == 0 && a->has_source;
	if (sources) {
		RULE(ORDER_SCOPE, prefer(a->scope_matches, b->scope_matches))
		RULE(ORDER_DEPRECATED,
		     prefer(!(a->flags & NETIF_DEPRECATED), !(b->flags & NETIF_DEPRECATED)))
		RULE(ORDER_HOME, prefer(a->flags & NETIF_HOME, b->flags & NETIF_HOME))
		RULE(ORDER_LABEL, prefer(a->label_matches, b->label_matches))
	}
	RULE(ORDER_PRECEDENCE, b->precedence - a->precedence)
	if (sources && a->ifindex != b->ifindex)
		RULE(ORDER_NATIVE, prefer(is_native(s, a), is_native(s, b)))
	RULE(ORDER_SMALL_SCOPE, a->scope - b->scope)
	RULE(ORDER_HISTORY, compare_history(a, b))
	if (sources && a->dest->family == b->dest->family)
		RULE(ORDER_PREFIX, (int)b->common_bits - (int)a->common_bits)
	return ret;
}

static int compare(const struct sorter *s, const struct candidate *a, const struct candidate *b)
{
	enum order_rule rule;

	return decide(s, a, b, &rule);
}

/* Sorts perm[0, n): the smaller half first, as glibc's qsort_r() splits. */
static void merge_sort(const struct sorter *s, uint16_t *perm, unsigned n)
{
	unsigned half = n / 2;
	uint16_t *a = perm, *b = perm + half, *out = s->scratch;
	uint16_t *a_end = b, *end = perm + n;

	if (n <= 1)
		return;
	merge_sort(s, a, half);
	merge_sort(s, b, n - half);
	while (a < a_end && b < end) {
		if (compare(s, &s->candidates[*a], &s->candidates[*b]) <= 0)
			*out++ = *a++;
		else
			*out++ = *b++;
	}
	/* What is left of the second half is in its place already. */
	memcpy(out, a, (size_t)(a_end - a) * sizeof(*a));
	memcpy(perm, s->scratch, (n - (size_t)(end - b)) * sizeof(*perm));
}

int order_sort(const struct order_dest *dests, unsigned n, const struct gai_conf *conf,
	       const struct netif *netif, const struct order_probe *probe, uint16_t *ret_perm)
{
	struct candidate stack_candidates[ORDER_STACK_MAX];
	uint16_t stack_scratch[ORDER_STACK_MAX];
	struct sorter s = {stack_candidates, n, probe, stack_scratch};
	void *heap = NULL;

	if (n > ORDER_MAX)
		return -EINVAL;
	if (n > ORDER_STACK_MAX) {
		heap = malloc(n * (sizeof(*s.candidates) + sizeof(*s.scratch)));
		if (!heap)
			return -ENOMEM;
		s.candidates = heap;
		s.scratch = (uint16_t *)(void *)(s.candidates + n);
	}
	for (unsigned i = 0; i < n; i++) {
		if (i > 0 && same_dest(&dests[i], &dests[i - 1]))
			s.candidates[i] = s.candidates[i - 1];
		else
			fill(&s.candidates[i], &dests[i], conf, netif, probe);
		ret_perm[i] = (uint16_t)i;
	}
	merge_sort(&s, ret_perm, n);
	free(heap);
	return 0;
}

enum order_rule order_explain(const struct order_dest pair[2], const struct gai_conf *conf,
			      const struct netif *netif, const struct order_probe *probe)
{
	struct candidate candidates[2];
	struct sorter s = {candidates, 2, probe, NULL};
	enum order_rule rule;

	for (int i = 0; i < 2; i++)
		fill(&candidates[i], &pair[i], conf, netif, probe);
	return decide(&s, &candidates[0], &candidates[1], &rule) < 0 ? rule : ORDER_AS_GIVEN;
}

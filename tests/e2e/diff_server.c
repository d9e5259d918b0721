// SPDX-License-Identifier: MIT
/*
 * diff_server.c - what the DNS server of the differential test says: for each of the names
 * (label, domain) another combination of records and misbehaviour for A and AAAA. Nothing that
 * makes a client wait: every question gets an answer that ends it.
 */
#include "tests/e2e/diff_config.h"
#include "tests/e2e/diff_random.h"

const char *const diff_labels[] = {"www",   "mail",	   "db",   "api",     "node-1",
				   "Mixed", "under_score", "nick", "a.dotted"};
const unsigned diff_nlabels = DIFF_COUNT(diff_labels);
const char *const diff_domains[] = {"", "corp.test", "example.test", "a.b.test", "test"};
const unsigned diff_ndomains = DIFF_COUNT(diff_domains);

const char *diff_address_v4(uint64_t *rng)
{
	static const char *const fixed[] = {
		"192.0.2.1",   "192.0.2.200",  "198.51.100.7", "10.1.2.99",   "10.200.0.1",
		"192.168.1.1", "192.168.77.1", "172.16.5.5",   "169.254.9.9", "127.0.0.1",
		"127.0.0.5",   "203.0.113.9",  "8.8.8.8",      "224.0.0.9"};

	return DIFF_PICK(rng, fixed);
}

const char *diff_address_v6(uint64_t *rng)
{
	static const char *const fixed[] = {
		"2001:db8::1", "2001:db8::2",	    "2001:db8:5::77", "2001:db8:ffff::1",
		"2600::1",     "fd00:1::5",	    "fd77::1",	      "fe80::1",
		"fec0::1",     "2002:c000:201::1",  "2001:0:1::1",    "::1",
		"::192.0.2.3", "::ffff:192.0.2.44", "ff02::1",	      "64:ff9b::808:808",
		"3ffe::1",     "::ffff:127.0.0.1"};

	return DIFF_PICK(rng, fixed);
}

static void add_addresses(uint64_t *rng, struct diff_text *script, const char *name, bool v4,
			  bool v6)
{
	unsigned n4 = v4 ? 1 + (diff_chance(rng, 50) ? diff_below(rng, 5) : 0) : 0;
	unsigned n6 = v6 ? 1 + (diff_chance(rng, 50) ? diff_below(rng, 5) : 0) : 0;

	for (unsigned i = 0; i < n4; i++)
		diff_add(script, "rr %s 300 A %s\n", name, diff_address_v4(rng));
	for (unsigned i = 0; i < n6; i++)
		diff_add(script, "rr %s 300 AAAA %s\n", name, diff_address_v6(rng));
	if (n4 != 0 && diff_chance(rng, 3))
		diff_add(script, "rr %s 300 A 10.9.0.1*%u\n", name, 20 + diff_below(rng, 60));
}

static void absolute(char *buf, size_t size, const char *label, const char *domain)
{
	snprintf(buf, size, "%s%s%s", label, *domain != '\0' ? "." : "", domain);
}

static void add_cname(uint64_t *rng, struct diff_text *script, const char *name)
{
	static const char *const elsewhere[] = {
		"canon.other.test", "Nowhere.other.test", "nodata.other.test", "chain1.other.test",
		"loop1.other.test", "sf.other.test",	  "half.other.test"};
	char target[128];

	if (diff_chance(rng, 50))
		snprintf(target, sizeof target, "%s", DIFF_PICK(rng, elsewhere));
	else
		absolute(target, sizeof target, diff_labels[diff_below(rng, diff_nlabels)],
			 diff_domains[1 + diff_below(rng, diff_ndomains - 1)]);
	diff_add(script, "rr %s %u CNAME %s\n", name, 30 + diff_below(rng, 300), target);
}

/* Addresses, and a rule about the answers to A, AAAA or both. */
static void add_misbehaviour(uint64_t *rng, const struct diff_config *c, struct diff_text *script,
			     const char *name)
{
	static const char *const failures[] = {"servfail", "servfail", "servfail", "refused",
					       "notimp"};
	static const char *const others[] = {"formerr", "nxdomain", "empty", "truncate"};
	static const char *const types[] = {"A", "AAAA", "*"};

	add_addresses(rng, script, name, true, true);
	for (int i = diff_chance(rng, 30) && !c->first_failure_is_final; i >= 0; i--) {
		const char *action = DIFF_PICK(rng, others), *type = DIFF_PICK(rng, types);

		if (diff_chance(rng, 50) && (!c->first_failure_is_final || type[0] == '*'))
			action = c->failure != NULL ? c->failure : DIFF_PICK(rng, failures);
		diff_add(script, "on %s %s %s\n", name, type, action);
	}
}

static void add_name(uint64_t *rng, const struct diff_config *c, struct diff_text *script,
		     const char *name)
{
	static const char *const harmless[] = {"no-opt", "twice", "ad-always", "ttl 0"};
	unsigned kind = diff_below(rng, 100);

	if (kind < 30)
		return; /* NXDOMAIN */
	if (kind < 47)
		add_addresses(rng, script, name, true, true);
	else if (kind < 55)
		add_addresses(rng, script, name, true, false);
	else if (kind < 63)
		add_addresses(rng, script, name, false, true);
	else if (kind < 68)
		diff_add(script, "rr %s 300 TXT nothing else\n", name);
	else if (kind < 80)
		add_cname(rng, script, name);
	else
		add_misbehaviour(rng, c, script, name);
	if (diff_chance(rng, 8))
		diff_add(script, "on %s * %s\n", name, DIFF_PICK(rng, harmless));
}

void diff_server_make(uint64_t *rng, struct diff_config *c)
{
	diff_add(&c->server, "listen " DIFF_SERVER ":53\nlisten [::1]:53\nseed %u\n",
		 diff_below(rng, 1000));
	if (diff_chance(rng, 70))
		diff_add(&c->server, "rr test 900 SOA 60\n");
	diff_add(&c->server, "rr canon.other.test 300 A 192.0.2.80\n"
			     "rr canon.other.test 300 AAAA 2001:db8::80\n"
			     "rr nodata.other.test 300 TXT nothing\n"
			     "rr chain1.other.test 20 CNAME Chain2.other.test\n"
			     "rr Chain2.other.test 300 CNAME canon.other.test\n"
			     "rr loop1.other.test 300 CNAME loop2.other.test\n"
			     "rr loop2.other.test 300 CNAME loop1.other.test\n"
			     "rr half.other.test 300 A 192.0.2.81\n"
			     "on *.servfail.test * servfail\n"
			     "on *.nodata.test * empty\n"
			     "on sf.other.test * servfail\n"
			     "rr reversed.other.test 60 CNAME canon.other.test\n"
			     "on reversed.other.test * reverse\n"
			     "rr no-edns.other.test 60 A 192.0.2.82\n"
			     "on no-edns.other.test * formerr-edns\n"
			     "rr a\\.b.test 60 A 192.0.2.90\n"
			     "rr -lead.test 60 A 192.0.2.91\n"
			     "rr trail-.test 60 A 192.0.2.92\n"
			     "rr sp\\032ace.test 60 A 192.0.2.93\n"
			     "rr xn--mnchen-3ya.test 60 A 192.0.2.94\n"
			     "rr 1.2.3.4.5 60 A 192.0.2.95\n");
	for (unsigned l = 0; l < diff_nlabels; l++)
		for (unsigned d = 0; d < diff_ndomains; d++) {
			char *name = c->names[c->nnames++];

			absolute(name, sizeof c->names[0], diff_labels[l], diff_domains[d]);
			add_name(rng, c, &c->server, name);
		}
}

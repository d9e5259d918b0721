// SPDX-License-Identifier: MIT
/*
 * test_ttl.c - how long answers are kept whose TTL is none that makes sense, or that is limited by
 * the configuration: by how often the server is asked. A process asks twice, and what another one
 * finds is the cache's.
 */
#include "tests/e2e/shim_run.h"

#include <unistd.h>

#define SERVER	    "listen 127.0.0.1:53\n"
#define TWICE(name) SHIM_ARGV("clients/lookup", "-4", "-n2", name)
#define ONCE(name)  SHIM_ARGV("clients/lookup", "-4", name)
#define EXPIRED_MS  1200

static void sleep_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* ---- TTLs of the servers ---- */

static const struct {
	const char *name; /* asked for twice */
	const char *out;  /* once */
	unsigned asked;
} odd[] = {
	{"zero.test", "192.0.2.1", 2},
	{"by.zero.test", "192.0.2.3", 2}, /* an alias of TTL 0 */
	{"to.zero.test", "192.0.2.1", 2}, /* an alias of a name of TTL 0 */
	{"bit31.test", "192.0.2.2", 1},	  /* 2^31 */
	{"all.test", "192.0.2.2", 1},	  /* 2^32 - 1 */
	{"by.all.test", "192.0.2.3", 1},  /* an alias of that */
	{"x.nosoa", "EAI_NONAME", 2},	  /* no SOA */
	{"txt.nosoa", "EAI_NODATA", 2},
	{"x.usual", "EAI_NONAME", 1},
	{"txt.usual", "EAI_NODATA", 1},
	{"x.minimum0", "EAI_NONAME", 2}, /* SOA of TTL 300, MINIMUM 0 */
	{"x.ttl0", "EAI_NONAME", 2},	 /* SOA of TTL 0, MINIMUM 300 */
	{"x.allsoa", "EAI_NONAME", 1},	 /* both 2^32 - 1 */
	{"txt.allsoa", "EAI_NODATA", 1},
};

#define ODD                                                                                        \
	SERVER "rr zero.test 0 A 192.0.2.1\n"                                                      \
	       "rr bit31.test 2147483648 A 192.0.2.2\n"                                            \
	       "rr all.test 4294967295 A 192.0.2.2\n"                                              \
	       "rr fine.test 300 A 192.0.2.3\n"                                                    \
	       "rr by.zero.test 0 CNAME fine.test\n"                                               \
	       "rr to.zero.test 300 CNAME zero.test\n"                                             \
	       "rr by.all.test 4294967295 CNAME fine.test\n"                                       \
	       "rr txt.nosoa 300 TXT text\n"                                                       \
	       "rr usual 300 SOA 300\n"                                                            \
	       "rr txt.usual 300 TXT text\n"                                                       \
	       "rr minimum0 300 SOA 0\n"                                                           \
	       "rr ttl0 0 SOA 300\n"                                                               \
	       "rr allsoa 4294967295 SOA 4294967295\n"                                             \
	       "rr txt.allsoa 300 TXT text\n"

LabTest(ttl, odd_ones_are_kept_as_long_as_they_may_be)
{
	struct lab_dns *dns = lab_dns_start_text(w, ODD);
	char out[256];

	for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		const char *name = odd[i].name;

		snprintf(out, sizeof out, "%s: %s\n%s: %s\n", name, odd[i].out, name, odd[i].out);
		shim_says(NULL, TWICE(name), out);
		if (shim_asked(dns, name, LAB_A) != odd[i].asked)
			lab_fail("%s: asked %u times, not %u", name,
				 (unsigned)shim_asked(dns, name, LAB_A), odd[i].asked);
	}
}

/* What may not be kept serves those who have asked together, and nobody later. */
LabTest(ttl, zero_is_for_those_who_asked)
{
	struct lab_dns *dns = lab_dns_start_text(w, ODD);

	for (unsigned i = 1; i <= 3; i++) {
		shim_says(NULL, ONCE("zero.test"), "zero.test: 192.0.2.1\n");
		lab_assert_int(shim_asked(dns, "zero.test", LAB_A), i);
	}
}

/* ---- limits ---- */

#define LIMITS                                                                                     \
	SERVER "rr short.test 1 A 192.0.2.1\n"                                                     \
	       "rr long.test 300 A 192.0.2.1\n"                                                    \
	       "rr txt.brief 300 TXT text\n"                                                       \
	       "rr brief 1 SOA 1\n"                                                                \
	       "rr lasting 300 SOA 300\n"                                                          \
	       "rr zero.test 0 A 192.0.2.1\n"

#define MIN SHIM_ENV("NOBLOCKDNS_MIN_TTL=60")
#define MAX SHIM_ENV("NOBLOCKDNS_MAX_TTL=1")

static void ask(const char *const *env, const char *name, const char *out)
{
	char line[128];

	snprintf(line, sizeof line, "%s: %s\n", name, out);
	shim_says(env, ONCE(name), line);
}

LabTest(ttl, least_keeps_negative_answers_longer)
{
	struct lab_dns *dns = lab_dns_start_text(w, LIMITS);

	for (int i = 0; i < 2; i++) {
		ask(MIN, "x.brief", "EAI_NONAME");
		ask(MIN, "txt.brief", "EAI_NODATA");
		sleep_ms(EXPIRED_MS);
	}
	lab_assert_int(shim_asked(dns, "x.brief", LAB_A), 1);
	lab_assert_int(shim_asked(dns, "txt.brief", LAB_A), 1);
}

LabTest(ttl, least_keeps_what_has_none)
{
	struct lab_dns *dns = lab_dns_start_text(w, LIMITS);

	ask(MIN, "zero.test", "192.0.2.1");
	ask(MIN, "zero.test", "192.0.2.1");
	lab_assert_int(shim_asked(dns, "zero.test", LAB_A), 1);
}

/* RFC 2308 section 5: without a SOA it is not known to whom it applies. */
LabTest(ttl, least_keeps_no_negative_answer_without_soa)
{
	struct lab_dns *dns = lab_dns_start_text(w, LIMITS);

	ask(MIN, "x.nosoa", "EAI_NONAME");
	ask(MIN, "x.nosoa", "EAI_NONAME");
	lab_assert_int(shim_asked(dns, "x.nosoa", LAB_A), 2);
}

LabTest(ttl, most_drops_negative_answers_earlier)
{
	struct lab_dns *dns = lab_dns_start_text(w, LIMITS);

	ask(MAX, "x.lasting", "EAI_NONAME");
	ask(MAX, "x.lasting", "EAI_NONAME");
	lab_assert_int(shim_asked(dns, "x.lasting", LAB_A), 1);
	sleep_ms(EXPIRED_MS);
	ask(MAX, "x.lasting", "EAI_NONAME");
	lab_assert_int(shim_asked(dns, "x.lasting", LAB_A), 2);
}

/* One cache file, and nobody gets an answer that outlived its own limits. */
LabTest(ttl, limits_of_one_process_are_no_others)
{
	struct lab_dns *dns = lab_dns_start_text(w, LIMITS);

	ask(MIN, "short.test", "192.0.2.1");
	ask(NULL, "long.test", "192.0.2.1");
	sleep_ms(EXPIRED_MS);
	ask(NULL, "short.test", "192.0.2.1"); /* what is kept for 60 s has lived for 1 s too long */
	ask(MAX, "long.test", "192.0.2.1");   /* and what may live for 300 s as well */
	lab_assert_int(shim_asked(dns, "short.test", LAB_A), 2);
	lab_assert_int(shim_asked(dns, "long.test", LAB_A), 2);
	ask(MIN, "short.test", "192.0.2.1");
	ask(NULL, "long.test", "192.0.2.1");
	lab_assert_int(shim_asked(dns, "short.test", LAB_A), 2);
	lab_assert_int(shim_asked(dns, "long.test", LAB_A), 2);
}

/* Those who differ in what they make of an old answer, and in their patience, share. */
LabTest(ttl, stale_settings_and_deadlines_share_answers)
{
	struct lab_dns *dns = lab_dns_start_text(w, LIMITS);

	ask(NULL, "long.test", "192.0.2.1");
	ask(SHIM_ENV("NOBLOCKDNS_STALE_MAX=0", "NOBLOCKDNS_STALE_AFTER_MS=1",
		     "NOBLOCKDNS_DEADLINE_MS=100"),
	    "long.test", "192.0.2.1");
	lab_assert_int(shim_asked(dns, "long.test", LAB_A), 1);
}

// SPDX-License-Identifier: MIT
/*
 * test_entry.c - the flat form: what goes in comes out, and nothing that was altered does. The hash
 * below it is held to the counts that chance would give.
 */
#include "shim/entry.h"
#include "shim/hash.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN	  "www.Example.com\0www.example.com.edge.net\0e7.edge.net"
#define CHAIN_LEN sizeof(CHAIN)

static const unsigned char addrs4[8] = {192, 0, 2, 1, 192, 0, 2, 2};
static const unsigned char addrs6[32] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1, 0x20, [31] = 2};

static struct entry sample(void)
{
	return (struct entry){.view = 0x1122334455667788u,
			      .name = "www.example.com",
			      .name_len = 15,
			      .rr = {[ENTRY_A] = {.kind = RESOLVER_ANSWER,
						  .ad = true,
						  .ttl_s = 300,
						  .stored_ms = 123456789,
						  .nnames = 3,
						  .names = CHAIN,
						  .names_len = CHAIN_LEN,
						  .naddrs = 2,
						  .addrs = addrs4},
				     [ENTRY_AAAA] = {.kind = RESOLVER_ANSWER,
						     .ttl_s = 60,
						     .stored_ms = 123456790,
						     .nnames = 3,
						     .names = CHAIN,
						     .names_len = CHAIN_LEN,
						     .naddrs = 2,
						     .addrs = addrs6}}};
}

static void assert_same(const struct entry *got, const struct entry *want)
{
	static const size_t addr_len[ENTRY_NTYPES] = {4, 16};

	cr_assert_eq(got->view, want->view);
	cr_assert_eq(got->name_len, want->name_len);
	cr_assert_eq(memcmp(got->name, want->name, want->name_len), 0);
	for (int i = 0; i < ENTRY_NTYPES; i++) {
		const struct entry_rrset *g = &got->rr[i], *w = &want->rr[i];

		cr_assert_eq(g->kind, w->kind, "kind %d, expected %d", g->kind, w->kind);
		cr_assert_eq(g->failure, w->failure);
		cr_assert_eq(g->ad, w->ad);
		cr_assert_eq(g->ttl_s, w->ttl_s);
		cr_assert_eq(g->stored_ms, w->stored_ms);
		cr_assert_eq(g->nnames, w->nnames);
		cr_assert_eq(g->names_len, w->names_len);
		cr_assert(w->names_len == 0 || memcmp(g->names, w->names, w->names_len) == 0);
		cr_assert_eq(g->naddrs, w->naddrs);
		cr_assert(w->naddrs == 0 ||
			  memcmp(g->addrs, w->addrs, w->naddrs * addr_len[i]) == 0);
	}
}

/* Encodes into `buf`, checks the promise on sizes, decodes and compares. */
static size_t round_trip(const struct entry *want, void *buf, size_t size)
{
	struct entry got;
	ssize_t n = entry_encode(want, buf, size);

	cr_assert_gt(n, 0, "encode: %zd", n);
	cr_assert_eq((size_t)n, entry_encoded_size(want));
	cr_assert_eq(n % 8, 0);
	cr_assert_eq(entry_decode(buf, (size_t)n, &got), 0);
	assert_same(&got, want);
	return (size_t)n;
}

Test(entry, round_trip_of_both_families)
{
	_Alignas(8) unsigned char buf[1024];
	struct entry want = sample();

	round_trip(&want, buf, sizeof(buf));
}

Test(entry, equal_chains_are_stored_once)
{
	_Alignas(8) unsigned char buf[1024];
	struct entry same = sample(), other = sample();
	size_t with_same = round_trip(&same, buf, sizeof(buf)), with_other;

	other.rr[ENTRY_AAAA].names = "www.example.com\0www.example.com.edge.net\0e8.edge.net";
	other.rr[ENTRY_AAAA].names_len = CHAIN_LEN;
	with_other = round_trip(&other, buf, sizeof(buf));
	cr_assert_geq(with_other - with_same, CHAIN_LEN - 7);
}

Test(entry, name_is_not_stored_beside_its_equal)
{
	_Alignas(8) unsigned char buf[1024];
	struct entry other = sample(), same = sample();
	size_t with_other = round_trip(&other, buf, sizeof(buf)), with_same;

	for (int i = 0; i < ENTRY_NTYPES; i++)
		same.rr[i].names = "www.example.com\0www.example.com.edge.net\0e7.edge.net";
	with_same = round_trip(&same, buf, sizeof(buf));
	cr_assert_geq(with_other - with_same, same.name_len - 7);
	same.name_len--; /* a first name that only begins like it */
	round_trip(&same, buf, sizeof(buf));
	same = sample();
	same.rr[ENTRY_A] = (struct entry_rrset){.kind = RESOLVER_NODATA};
	same.rr[ENTRY_AAAA].names = "www.example.com";
	same.rr[ENTRY_AAAA].nnames = 1;
	same.rr[ENTRY_AAAA].names_len = 16;
	round_trip(&same, buf, sizeof(buf));
}

Test(entry, chain_of_aaaa_alone)
{
	_Alignas(8) unsigned char buf[1024];
	struct entry want = sample();

	want.rr[ENTRY_A] = (struct entry_rrset){.kind = RESOLVER_NXDOMAIN, .ttl_s = 5};
	round_trip(&want, buf, sizeof(buf));
	want.rr[ENTRY_A] = (struct entry_rrset){0};
	round_trip(&want, buf, sizeof(buf));
}

Test(entry, every_kind_and_failure)
{
	_Alignas(8) unsigned char buf[1024];

	for (int kind = RESOLVER_NONE; kind <= RESOLVER_FAILURE; kind++) {
		for (int failure = 0; failure <= RESOLVER_LOCAL_ERROR; failure++) {
			struct entry want = sample();

			want.rr[ENTRY_A].kind = (enum resolver_kind)kind;
			want.rr[ENTRY_A].failure = (enum resolver_failure)failure;
			if (kind != RESOLVER_ANSWER)
				want.rr[ENTRY_A].naddrs = 0;
			round_trip(&want, buf, sizeof(buf));
		}
	}
}

Test(entry, every_name_length)
{
	_Alignas(8) unsigned char buf[1024];
	char name[ENTRY_NAME_MAX + 1];

	memset(name, 'n', sizeof(name));
	for (size_t len = 0; len <= ENTRY_NAME_MAX; len++) {
		struct entry want = sample();

		want.name = name;
		want.name_len = len;
		round_trip(&want, buf, sizeof(buf));
	}
}

Test(entry, largest_dns_answer_fits)
{
	enum { N = 4000 }; /* A records of a 64 KB message */
	static _Alignas(8) unsigned char buf[ENTRY_SIZE_MAX];
	static unsigned char many[N * 4];
	struct entry want = sample();

	want.rr[ENTRY_A].naddrs = N;
	want.rr[ENTRY_A].addrs = many;
	round_trip(&want, buf, sizeof(buf));
}

Test(entry, what_does_not_fit_is_refused)
{
	static unsigned char many[70000 * 4];
	static _Alignas(8) unsigned char buf[ENTRY_SIZE_MAX];
	struct entry want = sample();
	size_t need = entry_encoded_size(&want);

	for (size_t size = 0; size < need; size++)
		cr_assert_eq(entry_encode(&want, buf, size), -EMSGSIZE, "into %zu bytes", size);
	want.rr[ENTRY_A].naddrs = 70000;
	want.rr[ENTRY_A].addrs = many;
	cr_assert_eq(entry_encode(&want, buf, sizeof(buf)), -EMSGSIZE);
	want = sample();
	want.name_len = ENTRY_NAME_MAX + 1;
	want.name = (const char *)many;
	cr_assert_eq(entry_encode(&want, buf, sizeof(buf)), -EMSGSIZE);
	want = sample();
	want.rr[ENTRY_A].nnames = RESOLVER_CHAIN_MAX + 1;
	cr_assert_eq(entry_encode(&want, buf, sizeof(buf)), -EMSGSIZE);
}

Test(entry, every_flipped_bit_is_noticed)
{
	_Alignas(8) unsigned char buf[1024];
	struct entry want = sample(), got;
	size_t size = round_trip(&want, buf, sizeof(buf));

	for (size_t bit = 0; bit < size * 8; bit++) {
		buf[bit / 8] ^= (unsigned char)(1u << bit % 8);
		cr_assert_eq(entry_decode(buf, size, &got), -EBADMSG, "bit %zu", bit);
		buf[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	cr_assert_eq(entry_decode(buf, size, &got), 0);
}

Test(entry, every_wrong_size_is_noticed)
{
	_Alignas(8) unsigned char buf[1024] = {0};
	struct entry want = sample(), got;
	size_t size = round_trip(&want, buf, sizeof(buf));

	for (size_t n = 0; n < sizeof(buf); n++) {
		if (n != size)
			cr_assert_eq(entry_decode(buf, n, &got), -EBADMSG, "size %zu", n);
	}
}

/*
 * A peer that is wrong, and not torn, has a right checksum. Each 16-bit word is set to extremes and
 * the checksum made good: what still decodes must lie within the blob (the sanitizers look too).
 */
Test(entry, wrong_lengths_under_a_right_checksum_stay_inside)
{
	static const uint16_t values[] = {0, 1, 2, 3, 5, 17, 18, 255, 256, 0x7fff, 0xffff};
	struct entry want = sample(), got;
	size_t size = entry_encoded_size(&want);
	uint64_t *exact = malloc(size), sum;
	unsigned char *bytes = (unsigned char *)exact;

	for (size_t at = 8; at + 2 <= size; at += 2) {
		for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
			cr_assert_gt(entry_encode(&want, exact, size), 0);
			memcpy(bytes + at, &values[v], 2);
			sum = hash_bytes(bytes + 8, size - 8, ENTRY_SEED);
			memcpy(bytes, &sum, 8);
			if (entry_decode(exact, size, &got) != 0)
				continue;
			for (int i = 0; i < ENTRY_NTYPES; i++) {
				const struct entry_rrset *rr = &got.rr[i];
				const unsigned char *names = (const unsigned char *)rr->names;

				cr_assert(names >= bytes && names + rr->names_len <= bytes + size);
				cr_assert(rr->addrs + rr->naddrs * (i ? 16 : 4) <= bytes + size);
				cr_assert(rr->names_len == 0 || !names[rr->names_len - 1]);
			}
		}
	}
	cr_assert_gt(entry_encode(&want, exact, size), 0);
	sum = hash_bytes(bytes + 8, size - 8, ENTRY_SEED);
	cr_assert_eq(memcmp(bytes, &sum, 8), 0, "the test computes another checksum than entry.c");
	free(exact);
}

Test(entry, freshness_ends_with_the_ttl_and_not_before_its_time)
{
	struct entry_rrset rr = {.kind = RESOLVER_ANSWER, .ttl_s = 2, .stored_ms = 1000};

	cr_assert(!entry_fresh(&rr, 999), "an answer from the future");
	cr_assert(entry_fresh(&rr, 1000));
	cr_assert(entry_fresh(&rr, 2999));
	cr_assert(!entry_fresh(&rr, 3000));
	rr.ttl_s = UINT32_MAX;
	cr_assert(entry_fresh(&rr, 1000 + (uint64_t)UINT32_MAX * 1000 - 1));
	cr_assert(!entry_fresh(&rr, 1000 + (uint64_t)UINT32_MAX * 1000));
	rr.kind = RESOLVER_NONE;
	cr_assert(!entry_fresh(&rr, 1000));
}

Test(hash, one_input_bit_changes_half_of_the_output)
{
	for (size_t len = 2; len <= 48; len++) {
		unsigned long flips[64] = {0}, rounds = 0;

		srandom(7);
		for (int round = 0; round < 400; round++) {
			unsigned char data[48];

			for (size_t i = 0; i < len; i++)
				data[i] = (unsigned char)random();
			uint64_t before = hash_bytes(data, len, 1);

			for (size_t bit = 0; bit < len * 8; bit++, rounds++) {
				data[bit / 8] ^= (unsigned char)(1u << bit % 8);
				uint64_t diff = before ^ hash_bytes(data, len, 1);

				data[bit / 8] ^= (unsigned char)(1u << bit % 8);
				for (int out = 0; out < 64; out++)
					flips[out] += diff >> out & 1;
			}
		}
		for (int out = 0; out < 64; out++) {
			double share = (double)flips[out] / (double)rounds;

			cr_assert(share > 0.46 && share < 0.54, "length %zu, output bit %d: %.3f",
				  len, out, share);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(hash, a_million_alike_names_do_not_collide)
{
	enum { N = 1000000 };
	uint64_t *hashes = malloc(N * sizeof(*hashes));
	unsigned folded_collisions = 0;
	char name[64];

	for (int i = 0; i < N; i++) {
		int len = snprintf(name, sizeof(name), "host%d.rack%d.example.com", i, i % 97);

		hashes[i] = hash_bytes(name, (size_t)len, 42);
	}
	qsort(hashes, N, sizeof(*hashes), by_value);
	for (int i = 1; i < N; i++) {
		cr_assert_neq(hashes[i], hashes[i - 1]);
		folded_collisions += hashes[i] >> 32 == hashes[i - 1] >> 32;
	}
	/* n^2 / 2^33 = 116 pairs by chance in the upper half alone */
	cr_assert(folded_collisions > 60 && folded_collisions < 180, "%u", folded_collisions);
	free(hashes);
}

Test(hash, seed_and_length_matter)
{
	unsigned char zeros[64] = {0};

	for (size_t len = 1; len < sizeof(zeros); len++) {
		cr_assert_neq(hash_bytes(zeros, len, 1), hash_bytes(zeros, len, 2));
		cr_assert_neq(hash_bytes(zeros, len, 1), hash_bytes(zeros, len - 1, 1));
	}
}

Test(hash, exchanged_blocks_show)
{
	unsigned char data[4096];
	uint64_t before;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + i / 256);
	before = hash_bytes(data, sizeof(data), 1);
	for (size_t distance = 8; distance <= 2048; distance += 8) {
		unsigned char swapped[4096], block[8];

		memcpy(swapped, data, sizeof(data));
		memcpy(block, swapped, 8);
		memcpy(swapped, swapped + distance, 8);
		memcpy(swapped + distance, block, 8);
		cr_assert(memcmp(swapped, data, 8) == 0 ||
				  hash_bytes(swapped, sizeof(swapped), 1) != before,
			  "distance %zu", distance);
	}
}

/* ---- what was stored before the network changed ---- */

#define STORED UINT64_C(1000000)

Test(entry, change_after_the_storing_ends_the_ttl)
{
	static const struct {
		uint64_t since_ms;
		uint32_t ttl_s;
		bool fresh; /* at that time */
	} cases[] = {
		{0, 300, true},
		{STORED, 300, true},
		{STORED + 1, 0, false},
		{STORED + 999, 0, false},
		{STORED + 1000, 1, false},
		{STORED + 299999, 299, false},
		{STORED + 300000, 300, false},
		{STORED + 9000000, 300, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct entry entry = sample();
		uint64_t now_ms = cases[i].since_ms > STORED ? cases[i].since_ms : STORED;

		for (int t = 0; t < ENTRY_NTYPES; t++) {
			entry.rr[t].ttl_s = 300;
			entry.rr[t].stored_ms = STORED;
		}
		entry_cut(&entry, cases[i].since_ms);
		for (int t = 0; t < ENTRY_NTYPES; t++) {
			cr_expect_eq(entry.rr[t].ttl_s, cases[i].ttl_s, "case %zu: %u s", i,
				     entry.rr[t].ttl_s);
			cr_expect_eq(entry_fresh(&entry.rr[t], now_ms), cases[i].fresh, "case %zu",
				     i);
		}
	}
}

Test(entry, change_between_two_rrsets_ends_the_older)
{
	struct entry entry = sample();

	entry.rr[ENTRY_AAAA].stored_ms = entry.rr[ENTRY_A].stored_ms + 5000;
	entry_cut(&entry, entry.rr[ENTRY_AAAA].stored_ms);
	cr_expect_eq(entry.rr[ENTRY_A].ttl_s, 5u);
	cr_expect_eq(entry.rr[ENTRY_AAAA].ttl_s, 60u);
}

// SPDX-License-Identifier: MIT
/*
 * gai_conf.c - gai.conf(5) as glibc 2.36 reads it, and its built-in tables: those of RFC 3484 2.1
 * and 3.2, with labels for site-local and unique-local addresses and Teredo, which are never behind
 * a NAT as private IPv4 addresses are.
 *
 * One row of a table in the file replaces the built-in table; a row that matches everything is
 * added where the file has none. A prefix without its length is ignored: glibc tests an
 * uninitialised pointer there, and its builds reject the line.
 */
#include "shim/gai_conf.h"

#include "shim/hash.h"
#include "shim/lines.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LABEL	   1
#define DEFAULT_PRECEDENCE 40

#define PREFIX(...)                                                                                \
	{                                                                                          \
		.s6_addr = { __VA_ARGS__ }                                                         \
	}
#define V4MAPPED PREFIX(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

static const struct gai_prefix default_labels[] = {
	{PREFIX(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 128, 0},
	{PREFIX(0), 96, 3},
	{V4MAPPED, 96, 4},
	{PREFIX(0x20, 0x01), 32, 7},
	{PREFIX(0x20, 0x02), 16, 2},
	{PREFIX(0xfe, 0xc0), 10, 5},
	{PREFIX(0xfc), 7, 6},
	{PREFIX(0), 0, DEFAULT_LABEL},
};

static const struct gai_prefix default_precedences[] = {
	{PREFIX(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 128, 50},
	{PREFIX(0), 96, 20},
	{V4MAPPED, 96, 10},
	{PREFIX(0x20, 0x02), 16, 30},
	{PREFIX(0), 0, DEFAULT_PRECEDENCE},
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NET32(a, b, c, d) ((uint32_t)(a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)
#else
#define NET32(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (uint32_t)(d))
#endif

static const struct gai_scope default_scopes[] = {
	{NET32(169, 254, 0, 0), NET32(255, 255, 0, 0), SCOPE_LINK},
	{NET32(127, 0, 0, 0), NET32(255, 0, 0, 0), SCOPE_LINK},
	{0, 0, SCOPE_GLOBAL},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

const struct gai_conf gai_conf_default = {
	.labels = default_labels,
	.precedences = default_precedences,
	.scopes = default_scopes,
	.nlabels = LENGTH(default_labels),
	.nprecedences = LENGTH(default_precedences),
	.nscopes = LENGTH(default_scopes),
};

/* The tables while they grow: arrays with room for every line of the file and the default row. */
struct builder {
	struct gai_prefix *labels, *precedences;
	struct gai_scope *scopes;
	unsigned nlabels, nprecedences, nscopes;
};

/* strtoul() of the whole string: "" is 0, a sign and blanks in front are let pass. */
static bool parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if ((n == ULONG_MAX && errno == ERANGE) || *end || n > max)
		return false;
	*ret = n;
	return true;
}

/* `address/bits`, cut in two at the slash. */
static bool split_prefix(char *text, char **ret_bits)
{
	char *slash = strchr(text, '/');

	if (!slash)
		return false;
	*slash = '\0';
	*ret_bits = slash + 1;
	return true;
}

/* Keeps the rows ordered by falling length, equal ones in the order of the file. */
static void insert_prefix(struct gai_prefix *table, unsigned *n, const struct gai_prefix *row)
{
	unsigned i = (*n)++;

	for (; i > 0 && table[i - 1].bits < row->bits; i--)
		table[i] = table[i - 1];
	table[i] = *row;
}

static void insert_scope(struct gai_scope *table, unsigned *n, const struct gai_scope *row)
{
	unsigned i = (*n)++;

	for (; i > 0 && ntohl(table[i - 1].mask) < ntohl(row->mask); i--)
		table[i] = table[i - 1];
	table[i] = *row;
}

static void parse_prefix(char *prefix, const char *value, struct gai_prefix *table, unsigned *n)
{
	struct gai_prefix row;
	unsigned long bits, number;
	char *bits_text;

	if (!split_prefix(prefix, &bits_text) || inet_pton(AF_INET6, prefix, &row.prefix) <= 0 ||
	    !parse_number(bits_text, 128, &bits) || !parse_number(value, INT_MAX, &number))
		return;
	row.bits = (unsigned)bits;
	row.value = (int)number;
	insert_prefix(table, n, &row);
}

/* An IPv4 prefix, or a v4-mapped one of 96 to 128 bits. */
static void parse_scope(char *prefix, const char *value, struct builder *b)
{
	struct gai_scope row;
	struct in6_addr in6;
	unsigned long bits, number;
	char *bits_text;

	if (!split_prefix(prefix, &bits_text) || !parse_number(value, INT_MAX, &number))
		return;
	if (inet_pton(AF_INET6, prefix, &in6) > 0) {
		if (!IN6_IS_ADDR_V4MAPPED(&in6) || !parse_number(bits_text, 128, &bits) ||
		    bits < 96)
			return;
		memcpy(&row.addr, in6.s6_addr + 12, sizeof(row.addr));
		bits -= 96;
	} else if (inet_pton(AF_INET, prefix, &row.addr) <= 0 ||
		   !parse_number(bits_text, 32, &bits)) {
		return;
	}
	row.mask = bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
	row.addr &= row.mask;
	row.scope = (int)number;
	insert_scope(b->scopes, &b->nscopes, &row);
}

/* Cuts the next word off. */
static char *next_word(char **p)
{
	char *word = lines_skip_space(*p);
	char *end = lines_skip_word(word);

	*p = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static void parse_line(char *line, struct builder *b)
{
	const char *keyword;
	char *subject, *value;

	line[lines_until(line, "#")] = '\0';
	keyword = next_word(&line);
	subject = next_word(&line);
	value = next_word(&line);
	if (strcmp(keyword, "label") == 0)
		parse_prefix(subject, value, b->labels, &b->nlabels);
	else if (strcmp(keyword, "precedence") == 0)
		parse_prefix(subject, value, b->precedences, &b->nprecedences);
	else if (strcmp(keyword, "scopev4") == 0)
		parse_scope(subject, value, b);
}

/* The tables that the file fills replace the built-in ones. */
static void finish(struct builder *b, struct gai_conf *ret)
{
	const struct gai_prefix any_label = {PREFIX(0), 0, DEFAULT_LABEL};
	const struct gai_prefix any_precedence = {PREFIX(0), 0, DEFAULT_PRECEDENCE};
	const struct gai_scope any_scope = {0, 0, SCOPE_GLOBAL};

	*ret = gai_conf_default;
	if (b->nlabels) {
		insert_prefix(b->labels, &b->nlabels, &any_label);
		ret->labels = b->labels;
		ret->nlabels = b->nlabels;
	}
	if (b->nprecedences) {
		insert_prefix(b->precedences, &b->nprecedences, &any_precedence);
		ret->precedences = b->precedences;
		ret->nprecedences = b->nprecedences;
	}
	if (b->nscopes) {
		insert_scope(b->scopes, &b->nscopes, &any_scope);
		ret->scopes = b->scopes;
		ret->nscopes = b->nscopes;
	}
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

int gai_conf_parse(const char *text, size_t len, struct gai_conf *ret)
{
	size_t room = 1 + count_lines(text, text ? len : 0);
	struct builder b = {0};
	struct lines lines;
	char *line;

	b.labels = malloc(room * (2 * sizeof(*b.labels) + sizeof(*b.scopes)));
	if (!b.labels)
		return -ENOMEM;
	b.precedences = b.labels + room;
	b.scopes = (struct gai_scope *)(void *)(b.precedences + room);
	if (!lines_open(&lines, text, len)) {
		free(b.labels);
		return -ENOMEM;
	}
	while ((line = lines_next(&lines)))
		parse_line(line, &b);
	lines_close(&lines);
	finish(&b, ret);
	if (b.nlabels || b.nprecedences || b.nscopes)
		ret->storage = b.labels;
	else
		free(b.labels);
	return 0;
}

void gai_conf_free(struct gai_conf *conf)
{
	free(conf->storage);
	*conf = gai_conf_default;
}

uint64_t gai_conf_hash(const struct gai_conf *conf)
{
	uint64_t hash;

	if (conf->storage == NULL)
		return 0;
	hash = hash_bytes(conf->labels, conf->nlabels * sizeof *conf->labels, HASH_K0);
	hash = hash_bytes(conf->precedences, conf->nprecedences * sizeof *conf->precedences, hash);
	return hash_bytes(conf->scopes, conf->nscopes * sizeof *conf->scopes, hash);
}

static bool prefix_matches(const struct gai_prefix *row, const struct in6_addr *addr)
{
	unsigned bytes = row->bits / 8;
	unsigned mask = 0xff00u >> (row->bits % 8) & 0xff;

	if (memcmp(row->prefix.s6_addr, addr->s6_addr, bytes) != 0)
		return false;
	return mask == 0 || ((row->prefix.s6_addr[bytes] ^ addr->s6_addr[bytes]) & mask) == 0;
}

/* The last row of a table matches everything. */
static int find_prefix(const struct gai_prefix *row, const struct in6_addr *addr)
{
	while (!prefix_matches(row, addr))
		row++;
	return row->value;
}

int gai_conf_label(const struct gai_conf *conf, const struct in6_addr *addr)
{
	return find_prefix(conf->labels, addr);
}

int gai_conf_precedence(const struct gai_conf *conf, const struct in6_addr *addr)
{
	return find_prefix(conf->precedences, addr);
}

int gai_conf_scope4(const struct gai_conf *conf, uint32_t addr)
{
	const struct gai_scope *row = conf->scopes;

	while ((addr & row->mask) != row->addr)
		row++;
	return row->scope;
}

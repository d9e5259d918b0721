// SPDX-License-Identifier: MIT
/*
 * resolv_conf.c - resolv.conf(5) as glibc 2.36's res_init reads it.
 *
 * A keyword counts only at the very start of a line and before a blank or a tab. The last `domain`
 * or `search` wins, unless LOCALDOMAIN is set. A carriage return is no blank: it becomes part of
 * the last search domain and makes an address invalid.
 */
#include "shim/resolv_conf.h"

#include "shim/lines.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DNS_PORT	 53
#define DEFAULT_NDOTS	 1
#define DEFAULT_TIMEOUT	 5 /* seconds, RES_TIMEOUT */
#define DEFAULT_ATTEMPTS 2 /* RES_DFLRETRY */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The value of the line `keyword value`, or NULL where it is another line. */
static char *value_of(char *line, const char *keyword)
{
	size_t len = strlen(keyword);

	if (strncmp(line, keyword, len) != 0 || !is_blank(line[len]))
		return NULL;
	for (line += len; is_blank(*line); line++)
		;
	return line;
}

/* inet_aton() alone would let white space and what follows it pass. */
static bool parse_ipv4(const char *text, struct in_addr *ret)
{
	for (const char *p = text; *p; p++)
		if (lines_is_space(*p))
			return false;
	/* inet_pton() knows the common form only, and saves inet_aton()'s tables' page faults */
	return inet_pton(AF_INET, text, ret) > 0 || inet_aton(text, ret) != 0;
}

/* RFC 4007 11.2; an interface that does not exist is 0, as in glibc. */
static uint32_t parse_scope(const struct in6_addr *addr, const char *scope)
{
	unsigned long number;
	char *end;

	if (IN6_IS_ADDR_LINKLOCAL(addr) || IN6_IS_ADDR_MC_LINKLOCAL(addr)) {
		uint32_t index = if_nametoindex(scope);

		if (index)
			return index;
	}
	if (*scope < '0' || *scope > '9')
		return 0;
	number = strtoul(scope, &end, 10);
	return *end || number > UINT32_MAX ? 0 : (uint32_t)number;
}

static bool parse_ipv6(char *text, struct sockaddr_in6 *ret)
{
	char *scope = strchr(text, '%');

	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, text, &ret->sin6_addr) <= 0)
		return false;
	ret->sin6_family = AF_INET6;
	ret->sin6_port = htons(DNS_PORT);
	ret->sin6_scope_id = scope ? parse_scope(&ret->sin6_addr, scope) : 0;
	return true;
}

static void add_server(struct resolv_conf *conf, char *value)
{
	struct sockaddr_storage server = {0};
	struct sockaddr_in *in4 = (struct sockaddr_in *)&server;

	value[lines_until(value, " \t")] = '\0';
	if (conf->nservers == RESOLV_CONF_MAX_SERVERS)
		return;
	if (parse_ipv4(value, &in4->sin_addr)) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(DNS_PORT);
	} else if (!parse_ipv6(value, (struct sockaddr_in6 *)&server)) {
		return;
	}
	conf->servers[conf->nservers++] = server;
}

/*
 * Replaces the search list by the words of `value`, up to a newline. A blank in front makes the
 * first domain empty (only LOCALDOMAIN can have one).
 */
static int set_search(struct resolv_conf *conf, const char *value)
{
	size_t len = lines_until(value, "\n");
	size_t max = 1;
	char **search;
	char *text;

	for (size_t i = 1; i < len; i++)
		max += is_blank(value[i - 1]) && !is_blank(value[i]);
	search = malloc(max * sizeof(*search) + len + 1);
	if (!search)
		return -ENOMEM;
	text = memcpy(search + max, value, len);
	text[len] = '\0';
	conf->nsearch = 0;
	search[conf->nsearch++] = text;
	for (size_t i = 0; i < len; i++) {
		if (is_blank(text[i]))
			text[i] = '\0';
		else if (i > 0 && !text[i - 1])
			search[conf->nsearch++] = text + i;
	}
	free(conf->search);
	conf->search = search;
	return 0;
}

static int set_domain(struct resolv_conf *conf, char *value)
{
	value[lines_until(value, " \t")] = '\0';
	return set_search(conf, value);
}

static unsigned capped(const char *digits, int max)
{
	int n = atoi(digits);

	return n < 0 ? 0 : (unsigned)(n > max ? max : n);
}

/* glibc keeps ndots in four bits without looking at its sign. */
static unsigned capped_ndots(const char *digits)
{
	int n = atoi(digits);

	return n > RESOLV_CONF_NDOTS_MAX ? RESOLV_CONF_NDOTS_MAX : (unsigned)n & 15;
}

/* One word of an `options` line. Flags match by prefix, so the longer of two comes first. */
static void set_option(struct resolv_conf *conf, const char *word)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{"rotate", &conf->rotate},
		{"edns0", &conf->edns0},
		{"single-request-reopen", &conf->single_request_reopen},
		{"single-request", &conf->single_request},
		{"no_tld_query", &conf->no_tld_query},
		{"no-tld-query", &conf->no_tld_query},
		{"no-reload", &conf->no_reload},
		{"use-vc", &conf->use_vc},
		{"trust-ad", &conf->trust_ad},
		{"no-aaaa", &conf->no_aaaa},
	};

	if (strncmp(word, "ndots:", 6) == 0) {
		conf->ndots = capped_ndots(word + 6);
	} else if (strncmp(word, "timeout:", 8) == 0) {
		conf->timeout_s = capped(word + 8, RESOLV_CONF_TIMEOUT_MAX);
	} else if (strncmp(word, "attempts:", 9) == 0) {
		conf->attempts = capped(word + 9, RESOLV_CONF_ATTEMPTS_MAX);
	} else {
		for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
			if (strncmp(word, flags[i].name, strlen(flags[i].name)) == 0) {
				*flags[i].flag = true;
				break;
			}
		}
	}
}

static void set_options(struct resolv_conf *conf, const char *words)
{
	while (*words) {
		words += strspn(words, " \t");
		set_option(conf, words);
		words += lines_until(words, " \t");
	}
}

/* Does the line hold at least one valid pair of `sortlist`? An item ends at a mask or a blank. */
static bool has_sort_pair(char *value)
{
	while (*value && *value != ';') {
		char *end = value + lines_until(value, "/&; \t\r\v\f");
		char separator = *end;
		struct in_addr addr;

		*end = '\0';
		if (parse_ipv4(value, &addr))
			return true;
		/* glibc stays for ever on a character that ends an item and starts none. */
		if (end == value)
			return false;
		*end = separator;
		value = end + strspn(end, " \t");
	}
	return false;
}

static int parse_line(struct resolv_conf *conf, char *line, bool fixed_search)
{
	char *value;

	if ((value = value_of(line, "domain")))
		return *value && !fixed_search ? set_domain(conf, value) : 0;
	if ((value = value_of(line, "search")))
		return *value && !fixed_search ? set_search(conf, value) : 0;
	if ((value = value_of(line, "nameserver")))
		add_server(conf, value);
	else if ((value = value_of(line, "sortlist")))
		conf->has_sortlist |= has_sort_pair(value);
	else if ((value = value_of(line, "options")))
		set_options(conf, value);
	return 0;
}

static int parse_file(struct resolv_conf *conf, const char *text, size_t len, bool fixed_search)
{
	struct lines lines;
	char *line;
	int ret = 0;

	if (!lines_open(&lines, text, len))
		return -ENOMEM;
	while (!ret && (line = lines_next(&lines)))
		ret = parse_line(conf, line, fixed_search);
	lines_close(&lines);
	return ret;
}

/* What neither the file nor LOCALDOMAIN said. */
static int add_defaults(struct resolv_conf *conf, const char *hostname)
{
	const char *dot = hostname ? strchr(hostname, '.') : NULL;
	char loopback[] = "127.0.0.1";

	if (conf->nservers == 0)
		add_server(conf, loopback);
	return conf->nsearch == 0 && dot ? set_search(conf, dot + 1) : 0;
}

int resolv_conf_parse(const char *text, size_t len, const struct resolv_env *env,
		      struct resolv_conf *ret)
{
	const struct resolv_env none = {0};
	struct resolv_conf conf = {
		.ndots = DEFAULT_NDOTS,
		.timeout_s = DEFAULT_TIMEOUT,
		.attempts = DEFAULT_ATTEMPTS,
	};
	int err = 0;

	if (!env)
		env = &none;
	if (env->localdomain)
		err = set_search(&conf, env->localdomain);
	if (!err)
		err = parse_file(&conf, text, len, env->localdomain != NULL);
	if (!err)
		err = add_defaults(&conf, env->hostname);
	if (err) {
		free(conf.search);
		return err;
	}
	if (env->res_options)
		set_options(&conf, env->res_options);
	*ret = conf;
	return 0;
}

void resolv_conf_free(struct resolv_conf *conf)
{
	free(conf->search);
	conf->search = NULL;
	conf->nsearch = 0;
}

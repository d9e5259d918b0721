// SPDX-License-Identifier: MIT
/*
 * diff_config.c - the files and the environment of the differential test. Each is drawn from a
 * table of pieces that libc reads differently; the common ones stand more than once.
 */
#include "tests/e2e/diff_config.h"

#include "tests/e2e/diff_random.h"

/* ---- resolv.conf ---- */

static void add_servers(uint64_t *rng, struct diff_config *c)
{
	unsigned kind = diff_below(rng, 20);

	if (kind == 0)
		diff_add(&c->resolv_conf, "nameserver " DIFF_SERVER_DEAD "\n");
	if (kind == 1)
		diff_add(&c->resolv_conf, "nameserver ::1\nnameserver fe80::1%%nodevice\n");
	if (kind == 2)
		return; /* 127.0.0.1 is the default */
	if (kind == 3) {
		diff_add(&c->resolv_conf, "nameserver " DIFF_SERVER_DEAD "\n");
		return;
	}
	if (kind >= 4 && kind < 7) {
		diff_add(&c->resolv_conf, "nameserver " DIFF_SERVER2 "\n");
		c->failure = kind == 4 ? "servfail" : kind == 5 ? "refused" : "notimp";
		diff_add(&c->server2, "listen " DIFF_SERVER2 ":53\non * * %s\n", c->failure);
	}
	diff_add(&c->resolv_conf, "nameserver " DIFF_SERVER "\n");
}

static void add_options(uint64_t *rng, struct diff_text *text)
{
	static const char *const options[] = {
		"rotate",	"use-vc",     "edns0",
		"trust-ad",	"no-aaaa",    "single-request",
		"no-tld-query", "no-reload",  "single-request-reopen",
		"inet6",	"nonsense:3", "ndots:",
	};

	/* Lost packets are no matter of chance here; a time-out costs a second. */
	diff_add(text, "timeout:1 attempts:%u",
		 diff_chance(rng, 10)  ? 2
		 : diff_chance(rng, 2) ? 0
				       : 1);
	if (diff_chance(rng, 60))
		diff_add(text, " ndots:%u",
			 diff_chance(rng, 60) ? diff_below(rng, 4) : diff_below(rng, 20));
	for (unsigned i = 0; i < DIFF_COUNT(options); i++)
		if (diff_chance(rng, 8))
			diff_add(text, " %s", options[i]);
}

static void add_search(uint64_t *rng, struct diff_text *text)
{
	static const char *const lists[] = {
		"search corp.test example.test",
		"search corp.test example.test",
		"search test",
		"search example.test corp.test a.b.test test",
		"search . corp.test",
		"search corp.test .",
		"search corp.test. example.test.",
		"search .corp.test example.test",
		"search Corp.Test\texample.TEST",
		"search nowhere.test servfail.test corp.test",
		"search servfail.test",
		"search nodata.test corp.test",
		"domain corp.test",
		"domain corp.test extra.test",
		"search corp.test\nsearch example.test",
		"domain corp.test\nsearch a.b.test test",
		"search a..b bad..test example.test",
		"search one.test two.test three.test four.test five.test six.test seven.test "
		"corp.test",
		"search",
		"; no search",
		"; no search",
	};

	diff_add(text, "%s\n", DIFF_PICK(rng, lists));
}

static void make_resolv_conf(uint64_t *rng, struct diff_config *c)
{
	if (diff_chance(rng, 20))
		diff_add(&c->resolv_conf, "# comment\n;another\n\nnonsense line\n");
	add_servers(rng, c);
	add_search(rng, &c->resolv_conf);
	diff_add(&c->resolv_conf, "options ");
	add_options(rng, &c->resolv_conf);
	diff_add(&c->resolv_conf, "\n");
	if (diff_chance(rng, 4))
		diff_add(&c->resolv_conf, "sortlist 192.0.2.0/255.255.255.0 10.0.0.0\n");
}

/* ---- the other files ---- */

static void make_hosts(uint64_t *rng, struct diff_config *c)
{
	static const char *const aliases[] = {"alias1",	      "Alias2.corp.test", "www",
					      "db.corp.test", "extra.",		  "three"};
	unsigned n = diff_below(rng, 24);

	if (diff_chance(rng, 75))
		diff_add(&c->hosts, "127.0.0.1 localhost\n");
	if (diff_chance(rng, 70))
		diff_add(&c->hosts, "::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (diff_chance(rng, 40))
		diff_add(&c->hosts, "127.0.1.1 %s.example.test %s\n", c->hostname, c->hostname);
	for (unsigned i = 0; i < n; i++) {
		const char *address =
			diff_chance(rng, 55) ? diff_address_v4(rng) : diff_address_v6(rng);

		diff_add(&c->hosts, "%s ", address);
		if (diff_chance(rng, 50)) {
			char name[40];

			snprintf(name, sizeof name, "hostsonly%u%s", diff_below(rng, 4),
				 diff_chance(rng, 30) ? ".corp.test" : "");
			diff_add(&c->hosts, "%s", name);
			snprintf(c->names[c->nnames++], sizeof c->names[0], "%s", name);
		} else {
			diff_add(&c->hosts, "%s%s%s", diff_labels[diff_below(rng, diff_nlabels)],
				 diff_chance(rng, 40) ? "" : ".corp.test",
				 diff_chance(rng, 5) ? "." : "");
		}
		for (unsigned k = diff_below(rng, 4); k > 0; k--)
			diff_add(&c->hosts, "\t%s", DIFF_PICK(rng, aliases));
		diff_add(&c->hosts, "%s\n", diff_chance(rng, 10) ? " # comment" : "");
	}
	if (diff_chance(rng, 20))
		diff_add(&c->hosts, "300.1.2.3 hostsonly0\n1.2.3 hostsonly1\nhostsonly2\n"
				    "fe80::7%%lo hostsonly3\n  # nothing\n");
}

static void make_nsswitch(uint64_t *rng, struct diff_config *c)
{
	static const char *const lines[] = {
		"hosts: files dns",
		"hosts: files dns",
		"hosts: files dns",
		"hosts: files dns",
		"hosts: dns files",
		"hosts: dns files",
		"hosts: files",
		"hosts: dns",
		"hosts: dns",
		"hosts: files [NOTFOUND=return] dns",
		"hosts: dns [!UNAVAIL=return] files",
		"hosts: dns [TRYAGAIN=return UNAVAIL=return] files",
		"hosts: dns [NOTFOUND=return] files",
		"hosts: dns [notfound=continue] files",
		"hosts: files mdns4_minimal [NOTFOUND=return] dns",
		"hosts: files myhostname dns",
		"hosts: nosuch files dns",
		"hosts: files dns nosuch",
		"hosts: dns [SUCCESS=continue] files",
		"hosts: files [SUCCESS=merge] dns",
		"hosts: files [UNAVAIL=return] dns",
		"hosts: files dns # comment",
		"hosts:files dns",
		"hosts: files [bad",
		"hosts: files [!SUCCESS=return] dns",
		"networks: files",
	};

	diff_add(&c->nsswitch, "passwd: files\nservices: files\nprotocols: files\n%s\n",
		 DIFF_PICK(rng, lines));
}

static void make_gai_conf(uint64_t *rng, struct diff_config *c)
{
	static const char *const lines[] = {
		"precedence ::ffff:0:0/96 100",
		"precedence ::/0 40\nprecedence ::1/128 50\nprecedence fc00::/7 60\n"
		"precedence ::ffff:0:0/96 10",
		"label ::/0 1\nlabel 2001:db8::/32 9\nlabel ::ffff:0:0/96 4",
		"label 2001:db8::/32 4\nprecedence 2001:db8::/32 1",
		"scopev4 ::ffff:169.254.0.0/112 2\nscopev4 ::ffff:10.0.0.0/104 5\n"
		"scopev4 ::ffff:0.0.0.0/96 14",
		"scopev4 ::ffff:192.168.0.0/112 5",
		"reload yes",
		"precedence nonsense\nlabel ::/200 3\n# comment",
	};

	c->has_gai_conf = diff_chance(rng, 40);
	for (unsigned i = 0; i < DIFF_COUNT(lines); i++)
		if (diff_chance(rng, 25))
			diff_add(&c->gai_conf, "%s\n", lines[i]);
}

/* ---- interfaces ---- */

static void make_links(uint64_t *rng, struct diff_config *c)
{
	static const char *const addresses[] = {
		"192.0.2.7/24",
		"10.1.2.3/8",
		"192.168.1.9/24",
		"169.254.3.4/16",
		"2001:db8::7/64 nodad",
		"2001:db8:5::1/64 nodad",
		"fd00:1::9/64 nodad",
		"fe80::5/64 nodad",
		"2001:db8::99/64 nodad preferred_lft 0",
		"2002:c000:207::1/48 nodad",
	};

	if (diff_chance(rng, 25))
		return;
	diff_add(&c->links, "link add diff0 type veth peer name diff1\n"
			    "link set diff0 addrgenmode none\nlink set diff1 addrgenmode none\n"
			    "link set diff0 up\nlink set diff1 up\n");
	for (unsigned i = 0; i < DIFF_COUNT(addresses); i++)
		if (diff_chance(rng, 35))
			diff_add(&c->links, "addr add %s dev diff0\n", addresses[i]);
	if (diff_chance(rng, 30))
		diff_add(&c->links, "route add 0.0.0.0/0 dev diff0\n");
	if (diff_chance(rng, 30))
		diff_add(&c->links, "route add ::/0 dev diff0\n");
}

/* ---- environment ---- */

__attribute__((format(printf, 2, 3))) static void add_env(struct diff_config *c, const char *fmt,
							  ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->env[c->nenv], sizeof c->env[0], fmt, ap);
	va_end(ap);
	c->env_list[c->nenv] = c->env[c->nenv];
	c->nenv++;
}

static void make_environment(uint64_t *rng, struct diff_config *c)
{
	static const char *const locales[] = {"C.UTF-8", "C"};
	static const char *const domains[] = {"example.test corp.test", "a.b.test", "", ".",
					      "test\ncorp.test"};
	static const char *const multi[] = {"on", "off", "On"};

	add_env(c, "LC_ALL=%s", DIFF_PICK(rng, locales));
	if (diff_chance(rng, 12))
		add_env(c, "LOCALDOMAIN=%s", DIFF_PICK(rng, domains));
	if (diff_chance(rng, 15)) {
		struct diff_text options = {0};

		add_options(rng, &options);
		add_env(c, "RES_OPTIONS=%s", options.s);
	}
	if (diff_chance(rng, 20)) {
		add_env(c, "HOSTALIASES=" DIFF_ALIASES_PATH);
		diff_add(&c->host_aliases, "api www.corp.test\nDB mail\nnick www.example.test.\n"
					   "broken\nloop loop\nmail db.corp.test trailing words\n");
	}
	if (diff_chance(rng, 8))
		add_env(c, "RESOLV_MULTI=%s", DIFF_PICK(rng, multi));
	/* RFC 8305's wait for the second answer (deviations.md): a loaded machine must not let it
	 * decide here. */
	add_env(c, "NOBLOCKDNS_RESOLUTION_DELAY_MS=1000");
}

static bool has_option(const struct diff_config *c, const char *option)
{
	bool found = strstr(c->resolv_conf.s, option) != NULL;

	for (unsigned i = 0; i < c->nenv; i++)
		found = found || strstr(c->env[i], option) != NULL;
	return found;
}

void diff_config_make(uint64_t seed, unsigned number, struct diff_config *ret)
{
	static const char *const hostnames[] = {"lab", "lab.corp.test", "Lab", "www"};
	static const char *const host_confs[] = {
		"multi on\n",  "multi on\n", "multi off\n", "", "order hosts,bind\nmulti on\n",
		"reorder on\n"};
	uint64_t rng = diff_stream(seed, number, 0);

	memset(ret, 0, sizeof *ret);
	ret->hostname = DIFF_PICK(&rng, hostnames);
	make_resolv_conf(&rng, ret);
	make_hosts(&rng, ret);
	make_nsswitch(&rng, ret);
	make_gai_conf(&rng, ret);
	make_links(&rng, ret);
	make_environment(&rng, ret);
	diff_add(&ret->host_conf, "%s", DIFF_PICK(&rng, host_confs));
	ret->first_failure_is_final =
		has_option(ret, "use-vc") || has_option(ret, "single-request");
	if (ret->first_failure_is_final || has_option(ret, "rotate"))
		ret->server2 = (struct diff_text){0}; /* refuses instead */
	diff_server_make(&rng, ret);
}

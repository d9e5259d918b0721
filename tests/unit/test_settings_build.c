// SPDX-License-Identifier: MIT
/* settings_build.c, settings_view.c: what makes two views differ, and what a change of the world
 * is. Reads the machine's own files, so it compares snapshots with each other only. */
#include "shim/settings_build.h"

#include "shim/settings_view.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct settings *build(const struct config *config)
{
	struct settings_stamp stamp;
	struct settings *s;

	s = settings_build(config, NULL, &stamp);
	cr_assert_not_null(s);
	return s;
}

/* The view under a configuration with one upstream 127.0.0.`last`:`port`. */
static uint64_t view_of(enum resolver_transport transport, unsigned char last, uint16_t port)
{
	struct config config = {.nupstreams = 1};
	struct sockaddr_in *in = (struct sockaddr_in *)&config.upstreams[0].addr;
	struct settings *s;
	uint64_t view;

	config.upstreams[0].transport = transport;
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(0x7f000000u | last);
	s = build(&config);
	cr_assert_eq(s->upstreams.nupstreams, 1u);
	view = s->view;
	settings_free(s);
	return view;
}

Test(settings_build, same_upstream_is_the_same_view)
{
	cr_expect_eq(view_of(RESOLVER_UDP, 1, 53), view_of(RESOLVER_UDP, 1, 53));
}

Test(settings_build, address_port_and_transport_change_the_view)
{
	uint64_t view = view_of(RESOLVER_UDP, 1, 53);

	cr_expect_neq(view_of(RESOLVER_UDP, 2, 53), view, "another address");
	cr_expect_neq(view_of(RESOLVER_UDP, 1, 5353), view, "another port");
	cr_expect_neq(view_of(RESOLVER_TCP, 1, 53), view, "another transport");
}

/* Changes of tls_config(). */

static void make_port(struct config *c)
{
	((struct sockaddr_in *)&c->upstreams[0].addr)->sin_port = htons(8853);
}

static void make_host(struct config *c)
{
	strcpy(c->upstreams[0].host, "other.example");
}

static void make_name(struct config *c)
{
	c->upstreams[0].addr = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	c->upstreams[0].port = 853;
}

static void make_name_with_port(struct config *c)
{
	make_name(c);
	c->upstreams[0].port = 8853;
}

static void make_opportunistic(struct config *c)
{
	c->tls = CONFIG_TLS_OPPORTUNISTIC;
}

static void make_ca(struct config *c)
{
	c->tls_ca = "/etc/ca.pem";
}

static void make_pin(struct config *c)
{
	c->tls_pins.n = 1;
}

static void make_other_pin(struct config *c)
{
	c->tls_pins.n = 1;
	c->tls_pins.sha256[0][31] = 1;
}

static void make_clear(struct config *c)
{
	c->upstreams[0].transport = RESOLVER_TCP;
}

static void make_clear_with_pin(struct config *c)
{
	make_clear(c);
	make_pin(c);
	make_ca(c);
}

/* One upstream, tls://192.0.2.1#dns.example. */
static struct config tls_config(void)
{
	struct config config = {.nupstreams = 1, .private = true};
	struct sockaddr_in *in = (struct sockaddr_in *)&config.upstreams[0].addr;

	config.upstreams[0].transport = RESOLVER_TLS;
	strcpy(config.upstreams[0].host, "dns.example");
	in->sin_family = AF_INET;
	in->sin_port = htons(853);
	in->sin_addr.s_addr = htonl(0xc0000201u);
	return config;
}

static uint64_t changed_view(void (*make)(struct config *config))
{
	struct config config = tls_config();
	struct settings *s;
	uint64_t view;

	if (make != NULL)
		make(&config);
	s = build(&config);
	view = s->view;
	cr_expect_eq(s->upstreams.view, view);
	settings_free(s);
	return view;
}

/* Answers that were had in one way are never given to who wants another. */
Test(settings_build, whatever_tells_how_upstreams_are_trusted_changes_the_view)
{
	static void (*const all[])(struct config *) = {
		NULL,
		make_port,
		make_host,
		make_name,
		make_name_with_port,
		make_opportunistic,
		make_ca,
		make_pin,
		make_other_pin,
		make_clear,
	};
	const size_t n = sizeof all / sizeof all[0];

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			cr_expect_neq(changed_view(all[i]), changed_view(all[k]), "%zu and %zu", i,
				      k);
	cr_expect_eq(changed_view(make_clear), changed_view(make_clear_with_pin),
		     "nobody authenticates in clear text");
}

static void make_guarded(struct config *c)
{
	c->rebind_guard = true;
}

static void make_guarded_with_list(struct config *c)
{
	c->rebind_guard = true;
	c->rebind_allow = "corp.example";
}

static void make_guarded_with_other_list(struct config *c)
{
	c->rebind_guard = true;
	c->rebind_allow = "corp.example lan";
}

static void make_list(struct config *c)
{
	c->rebind_allow = "corp.example";
}

Test(settings_build, guard_and_its_list_change_the_view)
{
	static void (*const all[])(struct config *) = {NULL, make_guarded, make_guarded_with_list,
						       make_guarded_with_other_list};
	const size_t n = sizeof all / sizeof all[0];

	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			cr_expect_neq(changed_view(all[i]), changed_view(all[k]), "%zu and %zu", i,
				      k);
	cr_expect_eq(changed_view(NULL), changed_view(make_list), "a list without a guard");
}

Test(settings_build, tls_of_the_configuration_is_the_resolvers)
{
	struct config config = tls_config();
	struct settings *s;

	make_ca(&config);
	make_other_pin(&config);
	s = build(&config);
	cr_expect_eq(s->upstreams.tls.npins, 1u);
	cr_expect_eq(s->upstreams.tls.pins[0][31], 1);
	cr_expect_str_eq(s->upstreams.tls.ca_file, "/etc/ca.pem");
	cr_expect_not(s->upstreams.tls.opportunistic);
	cr_expect_str_eq(s->upstreams.upstreams[0].host, "dns.example");
	cr_expect_eq(s->upstreams.nbootstrap, 0u, "an address needs none");
	settings_free(s);
	make_name(&config);
	make_opportunistic(&config);
	s = build(&config);
	cr_expect(s->upstreams.tls.opportunistic);
	cr_expect_eq(s->upstreams.upstreams[0].port, 853u);
	cr_expect_eq(s->upstreams.nbootstrap, s->resolv.nservers);
	cr_expect_eq(memcmp(s->upstreams.bootstrap, s->resolv.servers,
			    s->resolv.nservers * sizeof s->resolv.servers[0]),
		     0);
	settings_free(s);
}

Test(settings_build, network_namespace_changes_the_view)
{
	const struct config config = {0};
	struct settings *s = build(&config);

	cr_expect_eq(settings_view(s, 7), settings_view(s, 7));
	cr_expect_neq(settings_view(s, 7), settings_view(s, 8));
	settings_free(s);
}

static uint64_t view_with(const struct config *config)
{
	struct settings *s = build(config);
	uint64_t view = settings_view(s, 7);

	settings_free(s);
	return view;
}

/* An entry ends when the limits of the process say that stored it. What is made of it after that is
 * each reader's own. */
Test(settings_build, limits_of_the_ttl_change_the_view_and_of_stale_answers_do_not)
{
	const struct config usual = {.max_ttl_s = 86400, .stale_max_s = 86400};
	const struct config least = {.min_ttl_s = 60, .max_ttl_s = 86400, .stale_max_s = 86400};
	const struct config most = {.max_ttl_s = 60, .stale_max_s = 86400};
	const struct config both = {.min_ttl_s = 60, .max_ttl_s = 60, .stale_max_s = 86400};
	const struct config stale = {
		.max_ttl_s = 86400, .stale_after_ms = 7, .deadline_ms = 7, .stale_max_s = 7};

	cr_expect_neq(view_with(&usual), view_with(&least));
	cr_expect_neq(view_with(&usual), view_with(&most));
	cr_expect_neq(view_with(&least), view_with(&most));
	cr_expect_neq(view_with(&least), view_with(&both));
	cr_expect_neq(view_with(&most), view_with(&both));
	cr_expect_eq(view_with(&usual), view_with(&stale));
}

Test(settings_build, stamp_of_what_was_read_is_what_a_look_sees)
{
	const struct config config = {0};
	struct settings_stamp read, seen;
	struct settings *s = settings_build(&config, NULL, &read);

	settings_stamp(&seen);
	cr_expect_not(settings_stamp_differs(&read, &seen, s));
	settings_free(s);
}

Test(settings_build, mode_other_than_on_stands_aside)
{
	struct config config = {.mode = CONFIG_MODE_OFF};
	struct settings *s = build(&config);

	cr_expect(s->stand_aside);
	settings_free(s);
	config.mode = CONFIG_MODE_ON;
	s = build(&config);
	cr_expect_not(s->stand_aside);
	settings_free(s);
}

Test(settings_build, private_upstream_that_cannot_be_had_asks_nobody)
{
	const struct config config = {.upstream_unusable = true, .deadline_ms = 5000};
	struct settings *s = build(&config);

	cr_expect_eq(s->deadline_ms, 0u, "would wait %u ms for an answer in clear text",
		     s->deadline_ms);
	cr_expect_eq(s->upstreams.nupstreams, 0u, "would ask resolv.conf's servers");
	settings_free(s);
}

Test(settings_build, deadline_of_resolv_conf_is_capped)
{
	const struct config config = {0};
	struct settings *s;

	setenv("RES_OPTIONS", "timeout:30 attempts:5", 1);
	s = build(&config);
	cr_expect_eq(s->deadline_ms, 10000u, "got %u", s->deadline_ms);
	settings_free(s);
	setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
	s = build(&config);
	cr_expect_eq(s->deadline_ms, 2000u * s->upstreams.nupstreams, "got %u", s->deadline_ms);
	settings_free(s);
}

Test(settings_build, variable_that_changes_is_a_change)
{
	const struct config config = {0};
	struct settings_stamp before, after;
	struct settings *s = build(&config);

	settings_stamp(&before);
	settings_stamp(&after);
	cr_expect_not(settings_stamp_differs(&before, &after, s), "nothing has changed");
	setenv("LOCALDOMAIN", "example", 1);
	settings_stamp(&after);
	cr_expect(settings_stamp_differs(&before, &after, s));
	settings_free(s);
}

Test(settings_build, no_reload_keeps_resolv_conf)
{
	const struct config config = {0};
	struct settings_stamp before, after;
	struct settings *s = build(&config);

	settings_stamp(&before);
	after = before;
	after.files[SOURCE_RESOLV_CONF].ino++;
	cr_expect(settings_stamp_differs(&before, &after, s));
	s->resolv.no_reload = true;
	cr_expect_not(settings_stamp_differs(&before, &after, s));
	after.files[SOURCE_HOSTS].ino++;
	cr_expect(settings_stamp_differs(&before, &after, s), "hosts has changed");
	settings_free(s);
}

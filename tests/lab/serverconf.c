// SPDX-License-Identifier: MIT
/*
 * serverconf.c - the least configuration with which each real server stays in its folder, in the
 * foreground, without a control channel, as the user that started it.
 */
#include "serverconf.h"
#include "testca.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static FILE *create(const char *dir, const char *name)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		lab_fail("create %s: %s", path, strerror(errno));
	return f;
}

static const char *address_of(const struct lab_server_opts *opts)
{
	return opts->listen ? opts->listen : "127.0.0.1";
}

static unsigned port_of(const struct lab_server_opts *opts)
{
	return opts->port ? opts->port : 53;
}

/* "127.0.0.2:53" or "[::1]:53" as unbound and nsd write it: "127.0.0.2@53", "::1@53". */
static void print_at(FILE *f, const char *endpoint)
{
	const char *colon = strrchr(endpoint, ':');
	bool bracket = *endpoint == '[';

	if (!colon)
		fprintf(f, "%s", endpoint);
	else
		fprintf(f, "%.*s@%s", (int)(colon - endpoint) - 2 * bracket, endpoint + bracket,
			colon + 1);
}

/* Puts a certificate for the server into its folder, under `cert` and `key`. */
static void make_certificate(const struct lab_server_opts *opts, const char *dir)
{
	char cert[PATH_MAX], key[PATH_MAX], names[256];

	snprintf(cert, sizeof(cert), "%s/cert", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(names, sizeof(names), "dns.test,%s", address_of(opts));
	lab_ca_issue_files(LAB_CERT_GOOD, opts->tls_names ? opts->tls_names : names, cert, key);
}

/* Each line of a zone's text becomes one local-data record. */
static void unbound_zone(FILE *f, const struct lab_zone *zone)
{
	const char *line = zone->text;

	fprintf(f, "  local-zone: \"%s\" static\n", zone->name);
	while (*line) {
		size_t len = strcspn(line, "\n");

		if (len)
			fprintf(f, "  local-data: '%.*s'\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

static void configure_unbound(FILE *f, const struct lab_server_opts *opts, const char *dir)
{
	fprintf(f,
		"server:\n"
		"  interface: %s@%u\n"
		"  port: %u\n"
		"  access-control: 0.0.0.0/0 allow\n"
		"  access-control: ::/0 allow\n"
		"  do-daemonize: no\n"
		"  use-syslog: no\n"
		"  logfile: \"\"\n"
		"  username: \"\"\n"
		"  chroot: \"\"\n"
		"  directory: \"%s\"\n"
		"  pidfile: \"%s/pid\"\n"
		"  num-threads: 1\n"
		"  module-config: \"iterator\"\n"
		"  do-not-query-localhost: no\n",
		address_of(opts), port_of(opts), port_of(opts), dir, dir);
	if (opts->tls_port)
		fprintf(f,
			"  interface: %s@%u\n"
			"  tls-port: %u\n"
			"  tls-service-pem: \"%s/cert\"\n"
			"  tls-service-key: \"%s/key\"\n",
			address_of(opts), opts->tls_port, opts->tls_port, dir, dir);
	/* Names that unbound keeps to itself by default are ordinary names in tests. */
	fputs("  local-zone: \"test.\" transparent\n"
	      "  local-zone: \"invalid.\" transparent\n",
	      f);
	for (const struct lab_zone *z = opts->zones; z && z->name; z++)
		unbound_zone(f, z);
	if (opts->extra)
		fprintf(f, "%s\n", opts->extra);
	fputs("remote-control:\n  control-enable: no\n", f);
	if (!opts->upstreams)
		return;
	fputs("forward-zone:\n  name: \".\"\n", f);
	for (const char *const *u = opts->upstreams; *u; u++) {
		fputs("  forward-addr: ", f);
		print_at(f, *u);
		fputc('\n', f);
	}
}

static void configure_nsd(FILE *f, const struct lab_server_opts *opts, const char *dir)
{
	unsigned n = 0;

	fprintf(f,
		"server:\n"
		"  ip-address: %s@%u\n"
		"  server-count: 1\n"
		"  username: \"\"\n"
		"  chroot: \"\"\n"
		"  zonesdir: \"%s\"\n"
		"  database: \"\"\n"
		"  pidfile: \"%s/pid\"\n"
		"  xfrdfile: \"%s/xfrd\"\n"
		"  xfrdir: \"%s\"\n"
		"  zonelistfile: \"%s/zones\"\n"
		"  logfile: \"%s/log\"\n"
		"  rrl-ratelimit: 0\n"
		"%s%s"
		"remote-control:\n  control-enable: no\n",
		address_of(opts), port_of(opts), dir, dir, dir, dir, dir, dir,
		opts->extra ? opts->extra : "", opts->extra ? "\n" : "");
	for (const struct lab_zone *z = opts->zones; z && z->name; z++) {
		char name[32];
		FILE *zone;

		snprintf(name, sizeof(name), "zone-%u", n++);
		zone = create(dir, name);
		fputs(z->text, zone);
		fclose(zone);
		fprintf(f, "zone:\n  name: \"%s\"\n  zonefile: \"%s\"\n", z->name, name);
	}
}

/* setUp(): a server counts as up without health checks, which would disturb query counts. */
static void configure_dnsdist(FILE *f, const struct lab_server_opts *opts, const char *dir)
{
	const char *address = address_of(opts);
	bool six = strchr(address, ':');

	fprintf(f, "setLocal(\"%s%s%s:%u\")\n", six ? "[" : "", address, six ? "]" : "",
		port_of(opts));
	if (opts->tls_port)
		fprintf(f, "addTLSLocal(\"%s%s%s:%u\", \"%s/cert\", \"%s/key\")\n", six ? "[" : "",
			address, six ? "]" : "", opts->tls_port, dir, dir);
	fputs("setACL({\"0.0.0.0/0\", \"::/0\"})\nsetSecurityPollSuffix(\"\")\n", f);
	for (const char *const *u = opts->upstreams; u && *u; u++)
		fprintf(f, "newServer({address=\"%s\"}):setUp()\n", *u);
	if (opts->extra)
		fprintf(f, "%s\n", opts->extra);
}

/* The root's key is taken away: nothing in the lab is signed. */
static void configure_kresd(FILE *f, const struct lab_server_opts *opts, const char *dir)
{
	fprintf(f, "net.listen('%s', %u, {kind='dns'})\n", address_of(opts), port_of(opts));
	if (opts->tls_port)
		fprintf(f,
			"net.listen('%s', %u, {kind='tls'})\n"
			"net.tls('%s/cert', '%s/key')\n",
			address_of(opts), opts->tls_port, dir, dir);
	fprintf(f,
		"trust_anchors.remove('.')\n"
		"cache.open(10*MB, 'lmdb://%s/cache')\n",
		dir);
	if (opts->extra)
		fprintf(f, "%s\n", opts->extra);
	if (!opts->upstreams)
		return;
	fputs("policy.add(policy.all(policy.STUB({", f);
	for (const char *const *u = opts->upstreams; *u; u++) {
		fputs("'", f);
		print_at(f, *u);
		fputs("',", f);
	}
	fputs("})))\n", f);
}

static void configure_nscd(FILE *f, const struct lab_server_opts *opts)
{
	/* Where it and its clients meet is built into glibc; the world's /run is its own. */
	if (mkdir("/var/run/nscd", 0755) && errno != EEXIST)
		lab_skip("cannot make nscd's folder /var/run/nscd: %s", strerror(errno));
	fprintf(f,
		"enable-cache passwd no\n"
		"enable-cache group no\n"
		"enable-cache netgroup no\n"
		"enable-cache services no\n"
		"enable-cache hosts yes\n"
		"positive-time-to-live hosts 3600\n"
		"negative-time-to-live hosts 20\n"
		"persistent hosts no\n"
		"shared hosts yes\n"
		"%s\n",
		opts->extra ? opts->extra : "");
}

void lab_server_configure(const struct lab_server_opts *opts, const char *dir)
{
	FILE *f = create(dir, "conf");

	if (opts->tls_port)
		make_certificate(opts, dir);
	switch (opts->kind) {
	case LAB_UNBOUND:
		configure_unbound(f, opts, dir);
		break;
	case LAB_NSD:
		configure_nsd(f, opts, dir);
		break;
	case LAB_DNSDIST:
		configure_dnsdist(f, opts, dir);
		break;
	case LAB_KRESD:
		configure_kresd(f, opts, dir);
		break;
	case LAB_NSCD:
		configure_nscd(f, opts);
		break;
	}
	if (fclose(f))
		lab_fail("write %s/conf: %s", dir, strerror(errno));
}

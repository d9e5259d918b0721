// SPDX-License-Identifier: MIT
/*
 * doctor_upstream.c - do the upstreams answer? Each is asked over its own transport; one over UDP
 * also over TCP, which long answers need, and over TLS at port 853, to see whether that could be
 * had. Nobody else is sent a packet.
 */
#include "shim/tool/doctor.h"
#include "shim/tool/probe.h"
#include "shim/tool/say.h"
#include "shim/tool/upstream_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_MS 3000
#define DAY_S	   86400
#define WARN_DAYS  14  /* automatic renewal should have happened by then */
#define DOT_PORT   853 /* RFC 7858 section 3.1 */

static void set_port(struct resolver_upstream *u, uint16_t port)
{
	((struct sockaddr_in *)&u->addr)->sin_port = htons(port);
}

/* ---- what came of it ---- */

static const char *failure_words(enum resolver_failure failure)
{
	switch (failure) {
	case RESOLVER_FAILURE_NONE:
		return "";
	case RESOLVER_TIMEOUT:
		return "no answer within 3 s";
	case RESOLVER_UNREACHABLE:
		return "unreachable, or nobody listens there";
	case RESOLVER_SERVFAIL:
		return "it fails (SERVFAIL)";
	case RESOLVER_REFUSED:
		return "it refuses to answer us (REFUSED)";
	case RESOLVER_FORMERR:
	case RESOLVER_MALFORMED:
		return "its answers cannot be understood";
	case RESOLVER_BAD_NAME:
	case RESOLVER_CANCELLED:
		return "not asked";
	case RESOLVER_LOCAL_ERROR:
		return "nothing can be sent from here";
	}
	return "";
}

/* "unreachable, or ...; upstream ...: the certificate has expired" */
static void reason(const struct probe_result *r, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s%s%s", failure_words(r->failure), r->why[0] ? "; " : "",
		       r->why);
}

static void report_answer(struct doctor *d, const char *name, const char *how,
			  const struct probe_result *r, const char *remedy)
{
	char why[2 * PROBE_TEXT];

	reason(r, why, sizeof(why));
	if (!r->answered)
		doctor_find(d, DOCTOR_BAD, "upstream-silent", remedy, "%s does not answer%s: %s",
			    name, how, why);
	else if (r->failure == RESOLVER_REFUSED)
		doctor_find(d, DOCTOR_BAD, "upstream-refuses",
			    "name a server that is there for this machine",
			    "%s refuses to answer this machine%s", name, how);
	else
		doctor_find(d, DOCTOR_GOOD, "upstream", NULL, "%s answers%s, in %u ms%s", name, how,
			    r->ms, r->failure == RESOLVER_SERVFAIL ? " (with SERVFAIL)" : "");
}

static void date_text(int64_t seconds, char *buf, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(buf, size, "%e %B %Y", &tm) == 0)
		(void)snprintf(buf, size, "?");
}

static void report_certificate(struct doctor *d, const char *name, const struct probe_result *r,
			       bool opportunistic)
{
	int64_t left = r->certificate.not_after - (int64_t)time(NULL);
	long long days = (long long)(left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S));
	bool doubted = r->certificate.doubt[0] != '\0';
	char from[64], to[64];

	date_text(r->certificate.not_before, from, sizeof(from));
	date_text(r->certificate.not_after, to, sizeof(to));
	if (doubted)
		doctor_find(d, opportunistic ? DOCTOR_NOTE : DOCTOR_BAD, "certificate",
			    "check the name behind #, NOBLOCKDNS_TLS_CA and NOBLOCKDNS_TLS_PIN, "
			    "and this machine's clock",
			    "%s: %s", name, r->certificate.doubt);
	doctor_find(d,
		    left < 0 && !doubted		   ? DOCTOR_NOTE
		    : left < WARN_DAYS * DAY_S && !doubted ? DOCTOR_NOTE
							   : DOCTOR_GOOD,
		    "certificate-days", "tell the server's operator, unless it is renewed late",
		    "%s: certificate for %s, by %s, %u sent, from %s to %s, %lld days left", name,
		    r->certificate.names[0] ? r->certificate.names : r->certificate.subject,
		    r->certificate.issuer, r->certificate.presented, from, to, days);
}

/* ---- one upstream ---- */

struct one {
	struct doctor *d;
	struct resolver_conf conf; /* with this upstream alone */
	char name[UPSTREAM_TEXT];
};

/* Over TLS, at the usual port: could it be had? Of one that is silent, that is news if it can. */
static void try_tls(struct one *o, const struct resolver_upstream *plain, bool silent)
{
	struct probe_result r;

	o->conf.upstreams[0] = *plain;
	o->conf.upstreams[0].transport = RESOLVER_TLS;
	set_port(&o->conf.upstreams[0], DOT_PORT);
	o->conf.tls = (struct resolver_tls){.opportunistic = false};
	if (probe(&o->conf, TIMEOUT_MS, &r) < 0)
		return;
	if (r.answered)
		doctor_find(o->d, DOCTOR_NOTE, "tls-available",
			    "NOBLOCKDNS_UPSTREAM=tls://ADDRESS would hide names from the network",
			    "%s also answers over TLS at port 853, authenticated for %s", o->name,
			    r.certificate.names);
	else if (r.certificate.seen)
		doctor_find(o->d, DOCTOR_NOTE, "tls-available",
			    "NOBLOCKDNS_UPSTREAM=tls://ADDRESS#NAME, if one of these names is "
			    "known to be the server's, would hide names from the network",
			    "%s also speaks TLS at port 853, with a certificate for %s (%s)",
			    o->name,
			    r.certificate.names[0] ? r.certificate.names : r.certificate.subject,
			    r.certificate.doubt);
	else if (!silent)
		doctor_find(o->d, DOCTOR_GOOD, "tls-unavailable", NULL,
			    "%s speaks no TLS at port 853", o->name);
}

static void try_tcp(struct one *o, const struct resolver_upstream *plain)
{
	struct probe_result r;
	char why[2 * PROBE_TEXT];

	o->conf.upstreams[0] = *plain;
	o->conf.upstreams[0].transport = RESOLVER_TCP;
	if (probe(&o->conf, TIMEOUT_MS, &r) < 0)
		return;
	reason(&r, why, sizeof(why));
	if (r.answered)
		doctor_find(o->d, DOCTOR_GOOD, "tcp", NULL, "%s answers over TCP as well, in %u ms",
			    o->name, r.ms);
	else
		doctor_find(o->d, DOCTOR_BAD, "tcp",
			    "open port 53 for TCP as well: long answers need it (RFC 7766)",
			    "%s does not answer over TCP: %s", o->name, why);
}

/* 0 and whether it has answered. */
static int check(struct one *o, const struct resolver_upstream *u, bool *ret_answered)
{
	bool tls = u->transport == RESOLVER_TLS;
	struct probe_result r;
	int err = probe(&o->conf, TIMEOUT_MS, &r);

	if (err < 0)
		return err;
	*ret_answered = r.answered;
	report_answer(o->d, o->name,
		      u->transport == RESOLVER_UDP && !o->conf.use_tcp ? " over UDP"
		      : tls					       ? " over TLS"
								       : " over TCP",
		      &r,
		      tls ? "check address, port and certificate, and that port 853 is not blocked"
			  : "check that it runs, and that no firewall is between; else take it out "
			    "of /etc/resolv.conf or NOBLOCKDNS_UPSTREAM");
	if (r.certificate.seen)
		report_certificate(o->d, o->name, &r, o->conf.tls.opportunistic);
	else if (tls && r.answered)
		doctor_find(o->d, DOCTOR_NOTE, "clear-text",
			    "NOBLOCKDNS_TLS=strict refuses clear text",
			    "%s speaks no TLS now, and was asked in clear text (opportunistic)",
			    o->name);
	if (u->transport == RESOLVER_UDP && r.answered && !o->conf.use_tcp)
		try_tcp(o, u);
	if (u->transport != RESOLVER_TLS)
		try_tls(o, u, !r.answered);
	return 0;
}

static void count(struct doctor_families *f, const struct resolver_upstream *u, bool answered)
{
	if (u->addr.ss_family == AF_INET) {
		f->asked4++;
		f->answered4 += answered;
	} else if (u->addr.ss_family == AF_INET6) {
		f->asked6++;
		f->answered6 += answered;
	}
}

void doctor_upstreams(struct doctor *d, const struct settings *settings,
		      struct doctor_families *ret)
{
	const struct resolver_conf *all = &settings->upstreams;
	static struct one o;

	d->area = "upstreams";
	if (all->nupstreams == 0)
		doctor_find(d, DOCTOR_BAD, "no-upstream", "correct the configuration",
			    "nobody is asked: no upstream can be used");
	for (unsigned i = 0; i < all->nupstreams; i++) {
		const struct resolver_upstream *u = &all->upstreams[i];
		bool answered = false;
		int r;

		o.d = d;
		o.conf = *all;
		o.conf.nupstreams = 1;
		o.conf.upstreams[0] = *u;
		o.conf.attempts = 1;
		o.conf.timeout_ms = TIMEOUT_MS;
		upstream_text(u, o.name);
		r = check(&o, u, &answered);
		if (r < 0) {
			doctor_find(d, DOCTOR_BAD, "resolver",
				    "install libnoblockdns-resolver.so beside libnoblockdns.so",
				    "the resolver library cannot be used: %s", strerror(-r));
			return;
		}
		count(ret, u, answered);
	}
}

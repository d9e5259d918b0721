// SPDX-License-Identifier: MIT
/* test_lookup_util.c - see test_lookup_util.h. */
#include "tests/unit/test_lookup_util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char address[16] = {192, 0, 2, 1};

struct asked {
	const struct net *net;
	unsigned n;
	struct lookup_question v[NET_RUNS_MAX];
	char names[600]; /* of the entry handed out last */
};

static void fill(struct asked *asked, const char *name, const struct net_row *row, int slot,
		 struct entry_rrset *ret)
{
	*ret = (struct entry_rrset){.kind = RESOLVER_NXDOMAIN};
	if (row == NULL)
		return;
	ret->kind = slot == ENTRY_A ? row->a.kind : row->aaaa.kind;
	ret->failure = slot == ENTRY_A ? row->a.failure : row->aaaa.failure;
	ret->naddrs = ret->kind == RESOLVER_ANSWER;
	ret->addrs = address;
	if (ret->kind != RESOLVER_ANSWER && ret->kind != RESOLVER_NODATA)
		return;
	ret->nnames = row->canon == NULL ? 1 : 2;
	snprintf(asked->names, sizeof asked->names, "%s%c%s", name, '\0',
		 row->canon == NULL ? "" : row->canon);
	ret->names = asked->names;
}

static int find(void *ctx, const struct name *name, unsigned types, struct entry *ret)
{
	struct asked *asked = ctx;
	const struct net_row *row = asked->net->rows;

	for (unsigned i = 0; i < asked->n; i++) {
		if (strcmp(asked->v[i].name.text, name->text) != 0 ||
		    (asked->v[i].types & types) != types)
			continue;
		while (row != NULL && row->name != NULL && strcmp(row->name, name->text) != 0)
			row++;
		if (row != NULL && row->name == NULL)
			row = NULL;
		memset(ret, 0, sizeof *ret);
		for (int t = 0; t < ENTRY_NTYPES; t++)
			if (types & 1u << t)
				fill(asked, name->text, row, t, &ret->rr[t]);
		return 0;
	}
	return -EAGAIN;
}

static const struct config standard, guarded = {.rebind_guard = true};

static void load(const struct net *net, struct settings *ret)
{
	const char *resolv = net->resolv_conf == NULL ? "nameserver 127.0.0.1\n" : net->resolv_conf;
	const char *nsswitch = net->nsswitch == NULL ? "hosts: files dns\n" : net->nsswitch;
	const char *hosts = net->hosts == NULL ? "" : net->hosts;

	memset(ret, 0, sizeof *ret);
	ret->config = net->guarded ? &guarded : &standard;
	cr_assert(resolv_conf_parse(resolv, strlen(resolv), NULL, &ret->resolv) == 0);
	nsswitch_parse(nsswitch, strlen(nsswitch), &ret->plan);
	cr_assert(hosts_build(hosts, strlen(hosts), &ret->hosts) == 0);
	ret->host_conf.multi = true;
	ret->host_aliases = (char *)net->host_aliases;
	strcpy(ret->hostname, "lab");
}

static void unload(struct settings *s)
{
	resolv_conf_free(&s->resolv);
	hosts_free(s->hosts);
}

static void note(struct looked_up *l, const struct lookup_question *q)
{
	static const char *const types[] = {"?", "A", "AAAA", "A+AAAA"};
	size_t used = strlen(l->questions);

	snprintf(l->questions + used, sizeof l->questions - used, "%s%s %s", used ? ", " : "",
		 q->spelling, types[q->types & 3]);
}

static void look_up(const struct net *net, struct lookup_query *q, bool hostent,
		    struct looked_up *ret)
{
	static struct asked asked;
	struct settings settings;
	const struct lookup_source source = {.find = find, .ctx = &asked};

	asked.net = net;
	asked.n = 0;
	load(net, &settings);
	q->settings = &settings;
	q->source = &source;
	memset(ret, 0, sizeof *ret);
	lookup_answer_init(&ret->answer);
	while (asked.n < NET_RUNS_MAX) {
		struct lookup_question *question = &asked.v[asked.n];

		ret->runs++;
		ret->result = hostent ? lookup_hostent(q, &ret->answer, &ret->from_files, question)
				      : lookup_addrinfo(q, &ret->answer, question);
		if (ret->result != LOOKUP_ASK)
			break;
		note(ret, question);
		asked.n++;
	}
	cr_assert(ret->result != LOOKUP_ASK, "it asks for ever: %s", ret->questions);
	lookup_answer_free(&ret->answer);
	unload(&settings);
}

void net_addrinfo(const struct net *net, const char *name, int family, int flags,
		  struct looked_up *ret)
{
	struct lookup_query q = {
		.family = family,
		.want_canon = flags & AI_CANONNAME,
		.want_names = true,
		.v4mapped = flags & AI_V4MAPPED,
		.all = flags & AI_ALL,
	};

	lookup_query_name(&q, name);
	look_up(net, &q, false, ret);
}

void net_hostent(const struct net *net, const char *name, int family, struct looked_up *ret)
{
	struct lookup_query q = {.family = family, .want_names = true};

	lookup_query_name(&q, name);
	look_up(net, &q, true, ret);
}

// SPDX-License-Identifier: MIT
/*
 * dnsserver.c - takes queries from UDP sockets and TCP connections, counts them, and sends what
 * dnsreply.c builds, now or later.
 *
 * Everything that leaves is a job: octets, where they go, and what becomes of the connection
 * afterwards. A job names its connection by number, since that may be closed before the job is due.
 */
#include "dnsserver.h"
#include "dnsconn.h"
#include "dnsquery.h"
#include "dnsreply.h"
#include "loop.h"
#include "proc.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define MAX_LISTENERS 64
#define BACKLOG	      512

struct listener {
	unsigned index;
	struct lab_listen what;
	struct dns_tls_server *tls; /* NULL: UDP and TCP */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	int udp; /* -1 with TLS */
	int tcp;
	struct lab_watch *udp_watch;
	struct lab_watch *tcp_watch;
	int other; /* UDP, same address, another port; -1 until a rule wants it */
};

struct job {
	struct listener *listener;
	uint64_t conn_id; /* 0: UDP to `peer` */
	struct sockaddr_storage peer;
	socklen_t peer_len;
	bool wrong_port;
	struct dns_conn_manner manner;
	size_t len; /* 0: nothing to send */
	uint8_t octets[];
};

static struct {
	const struct lab_dns_script *script;
	struct dns_counts *counts;
	struct dns_zone *zone;
	struct dns_rules *rules;
	uint64_t seed;
	struct listener listeners[MAX_LISTENERS];
	unsigned nlisteners;
} server; /* the process serves one script; its one thread uses this */

static int open_socket(const struct listener *l, int type, const struct sockaddr_storage *addr)
{
	int fd = socket(addr->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0)
		lab_fail("scripted server: socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)addr, l->addr_len))
		lab_fail("scripted server: cannot bind %s: %s", server.script->listen[l->index],
			 strerror(errno));
	return fd;
}

static int other_port_socket(struct listener *l)
{
	struct sockaddr_storage addr = l->addr;

	if (l->other < 0) {
		if (addr.ss_family == AF_INET)
			((struct sockaddr_in *)&addr)->sin_port = 0;
		else
			((struct sockaddr_in6 *)&addr)->sin6_port = 0;
		l->other = open_socket(l, SOCK_DGRAM, &addr);
	}
	return l->other;
}

static void job_run(void *arg)
{
	struct job *job = arg;

	if (job->conn_id)
		dns_conn_send(job->conn_id, job->octets, job->len, &job->manner);
	else if (job->len)
		sendto(job->wrong_port ? other_port_socket(job->listener) : job->listener->udp,
		       job->octets, job->len, 0, (struct sockaddr *)&job->peer, job->peer_len);
	free(job);
}

/* Copies `model` with the packet's octets behind it, and runs it `delay_ms` from now. */
static void job_start(const struct job *model, const struct dns_packet *packet, uint32_t delay_ms)
{
	size_t len = packet ? packet->len : 0;
	struct job *job = malloc(sizeof(*job) + len);

	if (!job)
		lab_fail("scripted server: no memory");
	*job = *model;
	job->len = len;
	if (packet)
		memcpy(job->octets, packet->buf, len);
	if (delay_ms == 0)
		job_run(job);
	else
		lab_loop_at(lab_now_ns() + delay_ms * 1000000ULL, job_run, job);
}

/* How the answer goes over a connection. */
static void set_manner(struct dns_conn_manner *how, const struct dns_verdict *v, size_t len)
{
	if (v->on[LAB_DNS_CLOSE_AFTER])
		how->end = DNS_CONN_CLOSE;
	if (v->on[LAB_DNS_RESET_AFTER])
		how->end = DNS_CONN_RESET_AFTER;
	if (v->on[LAB_DNS_CLOSE_HALF])
		how->only = 2 + len / 2;
	if (v->on[LAB_DNS_CLOSE_LENGTH])
		how->only = 1;
	how->drip_ms = v->value[LAB_DNS_DRIP];
	how->renegotiate = v->on[LAB_DNS_RENEGOTIATE];
}

static void respond(struct job *model, const struct dns_query *query, const struct dns_verdict *v)
{
	static const struct dns_verdict honest;
	static struct dns_packet packet;
	uint32_t delay_ms = v->value[LAB_DNS_DELAY];
	bool close_now = v->on[LAB_DNS_CLOSE] || v->on[LAB_DNS_RESET];

	if (v->on[LAB_DNS_DROP] || (v->on[LAB_DNS_DROP_EDNS] && query->has_opt))
		return;
	if (close_now) {
		model->manner.end = v->on[LAB_DNS_RESET] ? DNS_CONN_RESET : DNS_CONN_CLOSE;
		job_start(model, NULL, delay_ms);
		return;
	}
	dns_reply_build(server.zone, query, v, &server.seed, &packet);
	model->wrong_port = v->on[LAB_DNS_WRONG_PORT];
	if (v->on[LAB_DNS_TWICE])
		job_start(model, &packet, delay_ms);
	set_manner(&model->manner, v, packet.len);
	job_start(model, &packet, delay_ms);
	if (v->on[LAB_DNS_THEN_RIGHT]) {
		dns_reply_build(server.zone, query, &honest, &server.seed, &packet);
		model->wrong_port = false;
		job_start(model, &packet, delay_ms + v->value[LAB_DNS_THEN_RIGHT]);
	}
}

static uint16_t port_of(const struct sockaddr_storage *addr)
{
	return ntohs(addr->ss_family == AF_INET ? ((const struct sockaddr_in *)addr)->sin_port
						: ((const struct sockaddr_in6 *)addr)->sin6_port);
}

static void record(const struct job *model, const struct dns_query *query)
{
	static const char *const words[] = {"?", "udp", "tcp", "tls"};
	struct lab_dns_query seen = {
		.at_ns = lab_now_ns(),
		.type = query->type,
		.id = query->id,
		.source_port = port_of(&model->peer),
		.edns_size = query->edns_size,
		.flags = query->flags,
		.size = query->size,
		.options = query->options,
		.listener = (uint8_t)model->listener->index,
		.transport = (uint8_t)query->transport,
	};

	dns_name_print(&query->name, seen.name, sizeof(seen.name));
	dns_counts_query(server.counts, &seen);
	if (server.script->log) {
		fprintf(server.script->log, "%s TYPE%u %s id %u%s\n", seen.name, seen.type,
			words[seen.transport], seen.id, query->has_opt ? " edns" : "");
		fflush(server.script->log);
	}
}

/* One message from a client; `model` says how to reach it. */
static void take_message(struct job *model, const uint8_t *msg, size_t len)
{
	enum lab_dns_transport transport = model->listener->tls ? LAB_TLS : LAB_TCP;
	struct dns_query query;
	struct dns_verdict verdict;

	if (dns_query_parse(msg, len, model->conn_id ? transport : LAB_UDP, &query))
		return;
	record(model, &query);
	dns_rules_apply(server.rules, &query, &verdict);
	respond(model, &query, &verdict);
}

static void take_tcp_message(void *arg, uint64_t conn_id, const struct sockaddr_storage *peer,
			     const uint8_t *msg, size_t len)
{
	struct job model = {.listener = arg, .conn_id = conn_id, .peer = *peer};

	take_message(&model, msg, len);
}

static void udp_ready(void *arg, uint32_t events)
{
	static uint8_t msg[DNS_MAX_MESSAGE];
	struct listener *l = arg;
	struct job model = {.listener = l};
	ssize_t n;

	(void)events;
	for (;;) {
		model.peer_len = sizeof(model.peer);
		model.manner = (struct dns_conn_manner){.end = DNS_CONN_KEEP};
		n = recvfrom(l->udp, msg, sizeof(msg), 0, (struct sockaddr *)&model.peer,
			     &model.peer_len);
		if (n < 0 && errno == ECONNREFUSED) /* an ICMP error of an answer of ours */
			continue;
		if (n < 0)
			return;
		take_message(&model, msg, (size_t)n);
	}
}

static void tcp_ready(void *arg, uint32_t events)
{
	struct listener *l = arg;
	const struct dns_conn_opts opts = {
		.listen = &l->what, .tls = l->tls, .message = take_tcp_message, .arg = l};
	struct sockaddr_storage peer;
	socklen_t len;
	int fd;

	(void)events;
	for (;;) {
		len = sizeof(peer);
		fd = accept4(l->tcp, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		dns_counts_connection(server.counts);
		if (dns_rules_close_accept(server.rules))
			close(fd);
		else
			dns_conn_open(fd, &peer, &opts);
	}
}

static void prepare_listener(struct listener *l, unsigned index, const char *text)
{
	char error[128];

	*l = (struct listener){.index = index, .udp = -1, .other = -1};
	if (lab_listen_parse(text, error, sizeof(error), &l->what) ||
	    lab_parse_endpoint(l->what.endpoint, l->what.tls ? 853 : 53, &l->addr, &l->addr_len))
		lab_fail("scripted server: bad address `%s`", text);
	if (l->what.tls)
		l->tls = dns_tls_server_new(&l->what, server.counts);
}

static void open_listener(struct listener *l)
{
	if (!l->what.tls) {
		l->udp = open_socket(l, SOCK_DGRAM, &l->addr);
		l->udp_watch = lab_loop_watch(l->udp, EPOLLIN, udp_ready, l);
	}
	l->tcp = open_socket(l, SOCK_STREAM, &l->addr);
	if (listen(l->tcp, BACKLOG))
		lab_fail("scripted server: listen: %s", strerror(errno));
	l->tcp_watch = lab_loop_watch(l->tcp, EPOLLIN, tcp_ready, l);
}

static void close_listener(struct listener *l)
{
	if (!l->what.tls) {
		lab_loop_unwatch(l->udp_watch);
		close(l->udp);
	}
	lab_loop_unwatch(l->tcp_watch);
	close(l->tcp);
}

/* SIGUSR1 and SIGUSR2: lab_dns_vanish() and lab_dns_return(). */
static void signal_ready(void *arg, uint32_t events)
{
	int fd = *(int *)arg;
	struct signalfd_siginfo info;
	bool away = dns_counts_away(server.counts);
	bool leave;

	(void)events;
	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	leave = info.ssi_signo == SIGUSR1;
	for (unsigned i = 0; i < server.nlisteners && leave != away; i++)
		(leave ? close_listener : open_listener)(&server.listeners[i]);
	if (leave)
		dns_conn_close_all();
	dns_counts_set_away(server.counts, leave);
}

static void watch_signals(void)
{
	static int fd;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		lab_fail("scripted server: signalfd: %s", strerror(errno));
	lab_loop_watch(fd, EPOLLIN, signal_ready, &fd);
}

void dns_server_run(const struct lab_dns_script *script, struct dns_counts *counts,
		    void (*ready)(void *arg), void *arg)
{
	server.script = script;
	server.counts = counts;
	server.zone = dns_zone_new(script->rrs);
	server.rules = dns_rules_new(script->rules);
	server.seed = script->seed;
	watch_signals();
	for (; script->listen[server.nlisteners]; server.nlisteners++) {
		struct listener *l = &server.listeners[server.nlisteners];

		if (server.nlisteners == MAX_LISTENERS)
			lab_fail("scripted server: more than %d addresses", MAX_LISTENERS);
		prepare_listener(l, server.nlisteners, script->listen[server.nlisteners]);
		open_listener(l);
	}
	ready(arg);
	lab_loop_run();
}

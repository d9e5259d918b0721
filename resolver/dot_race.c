// SPDX-License-Identifier: MIT
/* dot_race.c - see dot_race.h. Called on the thread that entered the resolver. */
#include "resolver/dot_race.h"

#include <errno.h>

#include "resolver/address.h"

static const struct dot_conn_user race_user;

static struct reactor *reactor_of(const struct dot_race *race)
{
	return race->target->reactor;
}

bool dot_race_is_on(const struct dot_race *race)
{
	return race->nrunning;
}

/* ---- what the log says ---- */

/* Once for each cause, until another one takes its place. */
static void tell(struct dot_race *race, const struct dot_conn *conn, const char *what,
		 const char *cause)
{
	char text[ADDRESS_TEXT];

	if (race->told != cause && cause)
		reactor_log(reactor_of(race), RESOLVER_LOG_WARN, "upstream %s: %s%s%s",
			    address_to_str(&conn->addr, text), what, cause,
			    conn->state == DOT_OPEN ? "; used without authentication" : "");
	race->told = cause;
}

/* ---- the course of the race ---- */

static unsigned place_of(const struct dot_race *race, const struct dot_conn *conn)
{
	unsigned i = 0;

	while (race->conns[i] != conn)
		i++;
	return i;
}

static void note(struct dot_race *race, int error)
{
	bool is_worse = error == -EACCES || (error == -EPROTO && race->error != -EACCES);

	if (is_worse || !race->error)
		race->error = error;
}

static void enter_conn(struct dot_race *race, unsigned place, bool resume)
{
	int err = dot_conn_open(race->target, &race->addrs[place], resume, &race_user, race,
				&race->conns[place]);

	if (err)
		note(race, err);
	else
		race->nrunning++;
}

static void leave(struct dot_race *race, unsigned place)
{
	dot_conn_close(race->conns[place]);
	race->conns[place] = NULL;
	race->nrunning--;
}

static void leave_all(struct dot_race *race)
{
	for (unsigned i = 0; i < race->naddrs; i++)
		if (race->conns[i])
			leave(race, i);
	race->next = race->naddrs;
	reactor_timer_stop(reactor_of(race), &race->timer);
}

static void give_up(struct dot_race *race)
{
	leave_all(race);
	race->user->lost(race, race->error);
}

/* Tries the next address that can be tried, if there is one. */
static void advance(struct dot_race *race)
{
	unsigned before = race->nrunning;
	uint64_t at_ms = race->end_ms;

	while (race->next < race->naddrs && race->nrunning == before)
		enter_conn(race, race->next++, true);
	if (!race->nrunning) {
		give_up(race);
		return;
	}
	if (race->next < race->naddrs && reactor_of(race)->now_ms + DOT_RACE_DELAY_MS < at_ms)
		at_ms = reactor_of(race)->now_ms + DOT_RACE_DELAY_MS;
	reactor_timer_start(reactor_of(race), &race->timer, at_ms);
}

static void on_timer(struct reactor_timer *timer)
{
	struct dot_race *race = container_of(timer, struct dot_race, timer);

	if (reactor_of(race)->now_ms < race->end_ms) {
		advance(race);
		return;
	}
	note(race, -ETIMEDOUT);
	give_up(race);
}

static void on_opened(struct dot_conn *conn)
{
	struct dot_race *race = conn->arg;

	if (conn->tls.authenticated || conn->tls.doubt) /* else a session brought its doubt */
		tell(race, conn, "", conn->tls.doubt);
	race->conns[place_of(race, conn)] = NULL;
	race->nrunning--;
	leave_all(race);
	race->user->won(race, conn);
}

static void on_lost(struct dot_conn *conn, int error)
{
	struct dot_race *race = conn->arg;
	unsigned place = place_of(race, conn);
	bool again = conn->tls.offered && (error == -EPROTO || error == -ECONNRESET);

	if (!again && conn->tls.doubt)
		tell(race, conn, error == -EPROTO ? "no TLS: " : "", conn->tls.doubt);
	leave(race, place);
	if (again)
		enter_conn(race, place, false);
	else
		note(race, error);
	if (!race->conns[place])
		advance(race);
}

static int on_conn_ready(struct dot_conn *conn)
{
	(void)conn;
	return 0; /* an open one has left the race */
}

static const struct dot_conn_user race_user = {
	.opened = on_opened,
	.ready = on_conn_ready,
	.lost = on_lost,
};

/* ---- its beginning and its end ---- */

/* The next address of a family that has not been placed, or of any. */
static unsigned pick(const struct sockaddr_storage *addrs, unsigned naddrs, unsigned placed,
		     int family)
{
	unsigned other = naddrs;

	for (unsigned i = 0; i < naddrs; i++) {
		if (placed & 1u << i)
			continue;
		if (addrs[i].ss_family == family)
			return i;
		if (other == naddrs)
			other = i;
	}
	return other;
}

/* RFC 8305 section 4. */
static void alternate(struct dot_race *race, const struct sockaddr_storage *addrs, unsigned naddrs)
{
	unsigned placed = 0;
	int family = addrs[0].ss_family;

	for (unsigned n = 0; n < naddrs; n++) {
		unsigned i = pick(addrs, naddrs, placed, family);

		race->addrs[n] = addrs[i];
		placed |= 1u << i;
		family = addrs[i].ss_family == AF_INET ? AF_INET6 : AF_INET;
	}
}

void dot_race_start(struct dot_race *race, const struct sockaddr_storage *addrs, unsigned naddrs)
{
	alternate(race, addrs, naddrs);
	race->naddrs = naddrs;
	race->next = 0;
	race->error = 0;
	race->end_ms = reactor_of(race)->now_ms + DOT_CONNECT_MS;
	advance(race);
}

int dot_race_init(struct dot_race *race, const struct dot_target *target,
		  const struct dot_race_user *user)
{
	*race = (struct dot_race){.user = user, .target = target};
	return reactor_timer_init(target->reactor, &race->timer, on_timer);
}

void dot_race_fini(struct dot_race *race)
{
	leave_all(race);
	reactor_timer_fini(reactor_of(race), &race->timer);
}

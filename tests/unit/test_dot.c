// SPDX-License-Identifier: MIT
/* test_dot.c - the transport over TLS: what it does with a server that behaves. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dot_rig.h"

static struct rig rig;

static void start(const char *tls, const char *rules)
{
	rig_serve(&rig, tls, rules);
	rig_open(&rig);
}

Test(dot, answer_comes_from_authenticated_server)
{
	const struct rig_call *call;

	start("cert good", "");
	call = rig_lookup(&rig, "www.test");
	cr_expect_eq(call->error, 0, "%d: %s", call->error, rig.host.log);
	cr_expect(call->authenticated);
	rig_close(&rig);
}

Test(dot, second_question_goes_over_the_same_connection)
{
	start("cert good", "");
	rig_lookup(&rig, "www.test");
	cr_expect_eq(rig_lookup(&rig, "www.test")->error, 0);
	cr_expect_eq(lab_dns_connections(rig.server), 1);
	rig_close(&rig);
}

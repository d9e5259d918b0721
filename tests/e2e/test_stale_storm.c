// SPDX-License-Identifier: MIT
/*
 * test_stale_storm.c - servers that are gone for many names or many processes, and come back.
 */
#include "tests/e2e/stale_run.h"

static void storm(struct lab_world *w, void (*leave)(struct lab_dns *dns))
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);
	struct toll got;

	lab_assert_int(toll("-c", "1000", "many.test").errors, 0);
	sleep_ms(EXPIRED_MS);
	leave(dns);
	got = toll("-p", "8", "-t", "13", "-c", "1000", "many.test");
	lab_assert_int(got.crawling, 0);
	start_other(w, dns, NEW);
	/* Two seconds, and a little. */
	shim_run(NULL, SHIM_ARGV("clients/lookup", "-n", "40", "-w", "50", "5.many.test"));
	lab_assert(strcmp(shim_got.out + strlen(shim_got.out) -
				  strlen("5.many.test: 2001:db8::2 192.0.2.2\n"),
			  "5.many.test: 2001:db8::2 192.0.2.2\n") == 0,
		   "(after two seconds: %s)", shim_got.out);
}

static void freeze(struct lab_dns *dns)
{
	fall_silent(dns);
}

LabTest(stale_storm, storm_on_a_silent_server, .resolv_conf = CONF)
{
	storm(w, freeze);
}

LabTest(stale_storm, storm_on_a_server_that_is_gone, .resolv_conf = CONF)
{
	storm(w, lab_dns_vanish);
}

/* One name, whose own question is in flight when the server comes back. */
LabTest(stale_storm, single_name_is_fresh_soon_after_the_return)
{
	struct lab_dns *dns = start_expired(w);

	fall_silent(dns);
	lab_assert_int(toll("-t", "150", "-w", "10000", "www.test").slow, 1);
	start_other(w, dns, NEW);
	shim_run(NULL, SHIM_ARGV("clients/lookup", "-n", "40", "-w", "50", "www.test"));
	lab_assert(strstr(shim_got.out, "www.test: 2001:db8::2 192.0.2.2\n") != NULL,
		   "(after two seconds: %s)", shim_got.out);
}

LabTest(stale_storm, server_that_comes_and_goes_breaks_no_lookup, .resolv_conf = CONF)
{
	struct lab_dns *dns = start_expired(w);
	const struct lab_proc_opts opts = {.argv = SHIM_ARGV("clients/stale_client", "-p", "4",
							     "-t", "250", "-w", "20000",
							     "www.test"),
					   .preload = true};
	pid_t pid = lab_proc_spawn(w, &opts);

	for (int i = 0; i < 3; i++) {
		sleep_ms(1000);
		lab_dns_vanish(dns);
		sleep_ms(1000);
		lab_dns_return(dns);
	}
	lab_assert_int(lab_proc_wait(pid, 30000), 0);
	lab_assert(shim_asked(dns, "www.test", LAB_A) >= 3);
}

// SPDX-License-Identifier: MIT
/*
 * test_change.c - what a program is looked up for changes under it: the network, the files, the
 * clocks. A change is seen within a second.
 */
#include "tests/e2e/shim_run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONF	"nameserver 127.0.0.1\noptions timeout:1 attempts:1\n" /* deadline: 1 s */
#define SEEN_MS 1100

#define LISTEN                                                                                     \
	"listen 127.0.0.1:53\n"                                                                    \
	"rr test 300 SOA 300\n"
#define OLD                                                                                        \
	LISTEN "rr www.test 300 A 192.0.2.1\n"                                                     \
	       "rr www.test 300 AAAA 2001:db8::1\n"
#define NEW                                                                                        \
	LISTEN "rr www.test 300 A 192.0.2.2\n"                                                     \
	       "rr www.test 300 AAAA 2001:db8::2\n"

#define OLD_WWW "www.test: 2001:db8::1 192.0.2.1\n"
#define NEW_WWW "www.test: 2001:db8::2 192.0.2.2\n"
#define LOOK_UP SHIM_ARGV("clients/lookup", "www.test")

/* For an answer that does come, on whatever machine. */
#define PATIENT SHIM_ENV("NOBLOCKDNS_STALE_AFTER_MS=9000")

/* A machine with a network, and a bridge for containers. */
static const char *const addresses[] = {"198.18.1.2/24", NULL};
#define MACHINE .addresses = addresses

static void sleep_ms(unsigned ms)
{
	usleep(ms * 1000);
}

static void move(struct lab_world *w)
{
	lab_ip(w, LAB_NEAR, "addr add 198.18.77.2/24 dev lab1\n");
	sleep_ms(SEEN_MS);
}

static void fall_silent(const struct lab_dns *dns)
{
	siginfo_t info;

	lab_assert(kill(lab_dns_pid(dns), SIGSTOP) == 0);
	lab_assert(waitid(P_PID, (id_t)lab_dns_pid(dns), &info, WSTOPPED | WNOWAIT) == 0);
}

static void speak_again(const struct lab_dns *dns)
{
	lab_assert(kill(lab_dns_pid(dns), SIGCONT) == 0);
}

static struct lab_dns *start_other(struct lab_world *w, struct lab_dns *dns, const char *script)
{
	lab_dns_stop(dns);
	return lab_dns_start_text(w, script);
}

/* ---- another network ---- */

static void must_be_a_change(struct lab_world *w, const char *batch)
{
	static const char *const argv[] = {"clients/lookup", "-4", "www.test", NULL};
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(PATIENT, argv, "www.test: 192.0.2.1\n");
	lab_ip(w, LAB_NEAR, "%s", batch);
	sleep_ms(SEEN_MS);
	shim_says(PATIENT, argv, "www.test: 192.0.2.1\n");
	if (shim_asked(dns, "www.test", LAB_A) != 2)
		lab_fail("not asked for anew: %s", batch);
	shim_says(PATIENT, argv, "www.test: 192.0.2.1\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
}

LabTest(change, address_that_comes_makes_answers_expire, MACHINE)
{
	must_be_a_change(w, "addr add 198.18.77.2/24 dev lab1\n");
}

LabTest(change, address_that_goes_makes_answers_expire, MACHINE)
{
	must_be_a_change(w, "addr del 198.18.1.2/24 dev lab1\n");
}

LabTest(change, route_makes_answers_expire, MACHINE)
{
	must_be_a_change(w, "route add 10.0.0.0/8 via 198.18.1.1\n");
}

/* As wg-quick sets it up: the main table stays as it is. */
LabTest(change, default_route_of_another_table_makes_answers_expire, MACHINE)
{
	must_be_a_change(w, "route add default via 198.18.1.1 table 51820\n"
			    "rule add table 51820\n");
}

LabTest(change, answer_of_another_network_is_replaced, MACHINE)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(PATIENT, LOOK_UP, OLD_WWW);
	start_other(w, dns, NEW);
	shim_says(PATIENT, LOOK_UP, OLD_WWW);
	move(w);
	shim_says(PATIENT, LOOK_UP, NEW_WWW);
}

LabTest(change, running_program_sees_it, MACHINE)
{
	static const char *const argv[] = {"clients/lookup", "-n",	 "2", "-w",
					   "2500",	     "www.test", NULL};
	struct lab_dns *dns = lab_dns_start_text(w, OLD);
	const struct lab_proc_opts opts = {.argv = argv, .env = PATIENT, .preload = true};
	pid_t pid = lab_proc_spawn(w, &opts);

	lab_dns_wait_count(dns, "www.test", LAB_A, 1, 10000);
	lab_dns_wait_count(dns, "www.test", LAB_AAAA, 1, 10000);
	sleep_ms(200);
	lab_ip(w, LAB_NEAR, "addr add 198.18.77.2/24 dev lab1\n");
	lab_assert_int(lab_proc_wait(pid, 30000), 0);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
}

LabTest(change, return_to_a_network_is_another_change, MACHINE)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(PATIENT, LOOK_UP, OLD_WWW);
	move(w);
	shim_says(PATIENT, SHIM_ARGV("clients/lookup", "other.test"), "other.test: EAI_NONAME\n");
	lab_ip(w, LAB_NEAR, "addr del 198.18.77.2/24 dev lab1\n");
	sleep_ms(SEEN_MS);
	shim_says(PATIENT, LOOK_UP, OLD_WWW);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
}

LabTest(change, old_answer_is_given_stale, MACHINE, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(NULL, LOOK_UP, OLD_WWW);
	move(w);
	fall_silent(dns);
	shim_says(NULL, LOOK_UP, OLD_WWW);
	speak_again(dns);
	lab_dns_wait_count(dns, "www.test", LAB_A, 2, 10000);
}

LabTest(change, old_answer_is_not_given_where_stale_ones_are_not, MACHINE, .resolv_conf = CONF)
{
	static const char *const none[] = {"NOBLOCKDNS_STALE_MAX=0", NULL};
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(none, LOOK_UP, OLD_WWW);
	lab_dns_vanish(dns);
	shim_says(none, LOOK_UP, OLD_WWW);
	move(w);
	shim_says(none, LOOK_UP, "www.test: EAI_AGAIN\n");
}

LabTest(change, old_answer_is_stale_from_the_change_on, MACHINE, .resolv_conf = CONF)
{
	static const char *const a_second[] = {"NOBLOCKDNS_STALE_MAX=1", NULL};
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(a_second, LOOK_UP, OLD_WWW);
	lab_dns_vanish(dns);
	move(w);
	shim_says(a_second, LOOK_UP, OLD_WWW);
	sleep_ms(FAILURE_MS + 1000);
	shim_says(a_second, LOOK_UP, "www.test: EAI_AGAIN\n");
}

LabTest(change, process_of_another_network_namespace_is_untouched, MACHINE, .far = true)
{
	struct lab_dns *far = lab_dns_start_text(w, "side far\n" OLD);
	const struct lab_proc_opts opts = {
		.argv = LOOK_UP, .env = PATIENT, .preload = true, .side = LAB_FAR};

	lab_dns_start_text(w, OLD);
	for (int i = 0; i < 3; i++) {
		lab_proc_run(w, &opts, &shim_got);
		lab_assert_str(shim_got.out, OLD_WWW);
		shim_says(PATIENT, LOOK_UP, OLD_WWW);
		lab_ip(w, LAB_NEAR, "addr add 198.18.77.%d/24 dev lab1\n", i);
		sleep_ms(SEEN_MS);
	}
	lab_assert_int(shim_asked(far, "www.test", LAB_A), 1);
}

/* ---- no other network ---- */

static void must_be_none(struct lab_world *w, const char *const *batches)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(PATIENT, LOOK_UP, OLD_WWW);
	for (; *batches != NULL; batches++) {
		lab_ip(w, LAB_NEAR, "%s", *batches);
		sleep_ms(SEEN_MS);
		shim_says(PATIENT, LOOK_UP, OLD_WWW);
		if (shim_asked(dns, "www.test", LAB_A) != 1)
			lab_fail("asked for anew: %s", *batches);
	}
}

LabTest(change, container_that_comes_and_goes_is_none, MACHINE)
{
	lab_ip(w, LAB_NEAR,
	       "link add bridge0 type bridge\n"
	       "addr add 172.17.0.1/16 dev bridge0\n"
	       "addr add fd00::1/64 dev bridge0 nodad\n"
	       "link set bridge0 up\n");
	must_be_none(w, SHIM_ARGV("link add veth1 type veth peer name veth2\n"
				  "link set veth1 master bridge0\n"
				  "link set veth1 up\n"
				  "link set veth2 up\n",
				  "link del veth1\n"));
}

LabTest(change, route_to_one_host_on_a_link_is_none, MACHINE)
{
	lab_ip(w, LAB_NEAR,
	       "link add cali1 type veth peer name cali2\n"
	       "link set cali1 up\n"
	       "link set cali2 up\n");
	must_be_none(w, SHIM_ARGV("route add 198.18.2.7/32 dev cali1\n"
				  "route add 2001:db8:7::7/128 dev cali1\n",
				  "link del cali1\n"));
}

LabTest(change, address_that_grows_old_is_none, MACHINE)
{
	lab_ip(w, LAB_NEAR, "addr add 2001:db8:7::1/64 dev lab1 nodad\n");
	must_be_none(w, SHIM_ARGV("addr change 2001:db8:7::1/64 dev lab1 preferred_lft 0\n"));
}

LabTest(change, first_look_at_the_network_is_none)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	for (int i = 0; i < 3; i++) {
		shim_says(PATIENT, LOOK_UP, OLD_WWW);
		sleep_ms(SEEN_MS); /* the next one looks for itself */
	}
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

/* ---- failures ---- */

/* By the third failure the name is not asked for 4 s. */
LabTest(change, failures_do_not_outlive_it, MACHINE, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on * * servfail\n");

	for (unsigned s = 1; s <= 4; s *= 2) {
		shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
		if (s < 4)
			sleep_ms(s * 1000 + 100);
	}
	start_other(w, dns, NEW);
	shim_says(NULL, LOOK_UP, "www.test: EAI_AGAIN\n");
	move(w);
	shim_says(PATIENT, LOOK_UP, NEW_WWW);
}

LabTest(change, silence_of_servers_does_not_outlive_it, MACHINE, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on www.test * ttl 1\n");

	shim_says(NULL, LOOK_UP, OLD_WWW);
	sleep_ms(1200);
	fall_silent(dns);
	shim_says(NULL, LOOK_UP, OLD_WWW); /* they are known to be silent, for 10 s */
	move(w);
	start_other(w, dns, NEW);
	shim_says(PATIENT, LOOK_UP, NEW_WWW);
}

LabTest(change, link_that_comes_and_goes_breaks_no_lookup, MACHINE)
{
	static const char *const argv[] = {
		"clients/stale_client", "-p", "2", "-t", "300", "-w", "20000", "www.test", NULL};
	struct lab_dns *dns = lab_dns_start_text(w, OLD);
	const struct lab_proc_opts opts = {.argv = argv, .env = PATIENT, .preload = true};
	pid_t pid = lab_proc_spawn(w, &opts);
	uint64_t n;

	for (int i = 0; i < 4; i++) {
		sleep_ms(SEEN_MS);
		lab_ip(w, LAB_NEAR, "addr %s 198.18.77.2/24 dev lab1\n",
		       i % 2 == 0 ? "add" : "del");
	}
	lab_assert_int(lab_proc_wait(pid, 60000), 0);
	n = shim_asked(dns, "www.test", LAB_A);
	lab_assert(n >= 4 && n <= 6, "(%llu queries)", (unsigned long long)n);
}

/* ---- files ---- */

/* A program that goes on, while the file changes. */
static void must_see(struct lab_world *w, const char *path, const char *text, const char *out)
{
	static const char *const argv[] = {"clients/lookup", "-n",	 "2", "-w",
					   "3000",	     "www.test", NULL};
	static char got[256];
	char file[128], command[512];
	const char *shell[] = {"/bin/sh", "-c", command, NULL};
	pid_t pid;

	snprintf(file, sizeof file, "%s/out", lab_world_dir(w));
	snprintf(command, sizeof command, "exec %s/%s %s %s %s %s %s >%s", lab_build_dir(), argv[0],
		 argv[1], argv[2], argv[3], argv[4], argv[5], file);
	pid = lab_proc_spawn(
		w, &(struct lab_proc_opts){.argv = shell, .env = PATIENT, .preload = true});
	sleep_ms(1500);
	lab_file_replace(path, text);
	lab_assert_int(lab_proc_wait(pid, 30000), 0);
	lab_assert(lab_file_read(file, got, sizeof got) > 0);
	lab_assert_str(got, out);
}

LabTest(change, resolv_conf_is_another_view, .resolv_conf = "nameserver 127.0.0.1\n")
{
	lab_dns_start_text(w, OLD);
	lab_dns_start_text(w, "listen 127.0.0.2:53\nrr www.test 300 A 192.0.2.2\n");
	must_see(w, "/etc/resolv.conf", "nameserver 127.0.0.2\n", OLD_WWW "www.test: 192.0.2.2\n");
}

LabTest(change, hosts_comes_first)
{
	lab_dns_start_text(w, OLD);
	must_see(w, "/etc/hosts", "192.0.2.3 www.test\n", OLD_WWW "www.test: 192.0.2.3\n");
}

LabTest(change, nsswitch_takes_dns_away)
{
	lab_dns_start_text(w, OLD);
	must_see(w, "/etc/nsswitch.conf", "hosts: files\n", OLD_WWW "www.test: EAI_NONAME\n");
}

LabTest(change, gai_conf_is_another_order)
{
	lab_dns_start_text(w, OLD);
	must_see(w, "/etc/gai.conf",
		 "precedence ::ffff:0:0/96 100\nprecedence ::/0 10\nlabel ::/0 1\n"
		 "label ::ffff:0:0/96 1\nlabel 2002::/16 1\n",
		 OLD_WWW "www.test: 192.0.2.1 2001:db8::1\n");
}

/* ---- clocks ---- */

/* The deadline is 20 s, and c-ares sends nothing anew before that. */
#define SLOW_CONF "nameserver 127.0.0.1\noptions timeout:20 attempts:1\n"
#define SLOW_ENV  SHIM_ENV("NOBLOCKDNS_DEADLINE_MS=20000", "NOBLOCKDNS_RACE=off")

static void must_end_soon(struct lab_world *w, const char *mode)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on * * drop\n");
	int seconds = -1;

	shim_run(SLOW_ENV, SHIM_ARGV("clients/clock_client", mode, "www.test"));
	lab_assert(sscanf(shim_got.out, "EAI_AGAIN\n%d", &seconds) == 1, "(%s)", shim_got.out);
	lab_assert(seconds <= 9, "(%d s)", seconds);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

LabTest(change, lookup_ends_soon_after_a_suspend, .resolv_conf = SLOW_CONF)
{
	must_end_soon(w, "resume");
}

LabTest(change, lookup_in_background_ends_soon_after_a_suspend, .resolv_conf = SLOW_CONF)
{
	must_end_soon(w, "resume_a");
}

LabTest(change, answers_expire_in_a_suspend)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(PATIENT, SHIM_ARGV("clients/clock_client", "sleep", "www.test"),
		  "2001:db8::1 192.0.2.1\n2001:db8::1 192.0.2.1\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2);
}

LabTest(change, wall_clock_that_jumps_is_none)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	shim_says(PATIENT, SHIM_ARGV("clients/clock_client", "wall", "www.test"),
		  "2001:db8::1 192.0.2.1\n2001:db8::1 192.0.2.1\n2001:db8::1 192.0.2.1\n");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

/* ---- clocks of other time namespaces, which share the cache file ---- */

/* Runs the lookup where CLOCK_BOOTTIME is ahead by so many seconds. */
static void says_ahead(const char *seconds, const char *const *env, const char *out)
{
	static char program[256];
	const char *argv[] = {"unshare", "-T",	  "--boottime", seconds, "--monotonic",
			      seconds,	 program, "www.test",	NULL};

	snprintf(program, sizeof program, "%s/clients/lookup", lab_build_dir());
	shim_run(env, argv);
	if (shim_got.status != 0 && strstr(shim_got.err, "unshare") != NULL)
		lab_skip("no time namespace: %s", shim_got.err);
	lab_assert_str(shim_got.err, "");
	lab_assert_str(shim_got.out, out);
}

#define DAY "86400"

LabTest(change, clock_a_day_ahead_or_behind_is_no_hindrance, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	for (int i = 0; i < 3; i++) {
		says_ahead(DAY, PATIENT, OLD_WWW);
		shim_says(PATIENT, LOOK_UP, OLD_WWW);
	}
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 2); /* each for itself, once */
	lab_dns_vanish(dns);
	says_ahead(DAY, NULL, OLD_WWW);
	shim_says(NULL, LOOK_UP, OLD_WWW);
}

LabTest(change, failures_of_a_clock_a_day_ahead_are_its_own, .resolv_conf = CONF)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on * * servfail\n");

	says_ahead(DAY, NULL, "www.test: EAI_AGAIN\n");
	start_other(w, dns, NEW);
	shim_says(PATIENT, LOOK_UP, NEW_WWW);
	sleep_ms(FAILURE_MS);
	says_ahead(DAY, PATIENT, NEW_WWW);
}

/* An answer of a clock that is 6 s ahead would be of this moment 6 s later, though it lives 3 s. */
LabTest(change, answer_of_a_clock_ahead_is_not_fresh_when_its_time_comes)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD "on * * ttl 3\n");

	says_ahead("6", PATIENT, OLD_WWW);
	start_other(w, dns, NEW);
	sleep_ms(7000);
	shim_says(PATIENT, LOOK_UP, NEW_WWW);
}

LabTest(change, network_that_changed_for_a_clock_ahead_is_no_hindrance, MACHINE)
{
	struct lab_dns *dns = lab_dns_start_text(w, OLD);

	says_ahead(DAY, PATIENT, OLD_WWW);
	shim_says(PATIENT, LOOK_UP, OLD_WWW);
	move(w);
	says_ahead(DAY, PATIENT, OLD_WWW);
	for (int i = 0; i < 3; i++) {
		shim_says(PATIENT, LOOK_UP, OLD_WWW);
		sleep_ms(SEEN_MS);
	}
	lab_assert(shim_asked(dns, "www.test", LAB_A) <= 4);
}

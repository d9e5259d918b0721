// SPDX-License-Identifier: MIT
/*
 * test_tool_doctor.c - `noblockdns doctor` with real programs, and on machines with one thing
 * wrong.
 */
#include "tests/e2e/tool_run.h"
#include "tests/lab/testca.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DNS "listen 127.0.0.1:53\n"

/* A finding of this mark and id, in JSON of one line a finding. */
static bool found(const char *mark, const char *id)
{
	char part[128];

	snprintf(part, sizeof part, "%s %s ", mark, id);
	for (const char *line = shim_got.out; *line != '\0';) {
		if (strncmp(line, part, strlen(part)) == 0)
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

/* Runs the doctor; "MARK ID TEXT" a line of what it found. */
static void examine(const char *arguments)
{
	char script[2048];

	snprintf(script, sizeof script,
		 "set -o pipefail; noblockdns doctor --json %s | python3 -c 'import json, sys\n"
		 "r = json.load(sys.stdin)\n"
		 "for f in r[\"findings\"]: print(f[\"mark\"], f[\"id\"], f[\"text\"])\n"
		 "bad = any(f[\"mark\"] == \"bad\" for f in r[\"findings\"])\n"
		 "assert r[\"fine\"] != bad\n"
		 "assert all(f[\"remedy\"] for f in r[\"findings\"] if f[\"mark\"] == \"bad\")'",
		 arguments);
	tool_shell(script);
	lab_assert_str(shim_got.err, "");
}

static void finds(const char *mark, const char *id)
{
	lab_assert(found(mark, id), "(no %s %s in \"%.1800s\")", mark, id, shim_got.out);
}

static void says_bad(const char *arguments, const char *id)
{
	examine(arguments);
	finds("bad", id);
	lab_assert_int(shim_got.status, 1);
	lab_assert(!found("ok", "wrappable"));
}

/* The command alone: nothing else is wrong here. */
static void can_be_wrapped(const char *command)
{
	char arguments[256];

	snprintf(arguments, sizeof arguments, "--offline %s", command);
	examine(arguments);
	finds("ok", "wrappable");
	tool_ended(0);
}

static void cannot_be_wrapped(const char *command, const char *id)
{
	char arguments[256];

	snprintf(arguments, sizeof arguments, "--offline %s", command);
	says_bad(arguments, id);
}

/* ---- programs ---- */

LabTest(tool_doctor, programs_of_the_distribution_can_be_wrapped)
{
	can_be_wrapped("git");
	can_be_wrapped("/usr/bin/python3");
	can_be_wrapped("curl");
	can_be_wrapped("/usr/sbin/nginx");
}

LabTest(tool_doctor, script_is_its_interpreter)
{
	can_be_wrapped("/usr/bin/ldd");
	finds("ok", "script");
}

LabTest(tool_doctor, script_of_a_script_is_followed)
{
	tool_shell("cd /run; printf '#!/usr/bin/env python3\n' >a; printf '#!/run/a\n' >b; "
		   "chmod +x a b");
	can_be_wrapped("/run/b");
	tool_shell("cd /run; printf '#!/run/c\n' >c; chmod +x c");
	cannot_be_wrapped("/run/c", "too-deep");
	tool_shell("cd /run; printf '#!/usr/bin/env -S -i sh\n' >d; chmod +x d");
	cannot_be_wrapped("/run/d", "environment-cleared");
	tool_shell("cd /run; printf '#!/usr/bin/gone\n' >e; chmod +x e");
	cannot_be_wrapped("/run/e", "not-found");
}

LabTest(tool_doctor, static_program_cannot)
{
	cannot_be_wrapped("/sbin/ldconfig", "static");
}

LabTest(tool_doctor, bundled_resolver_is_noted)
{
	can_be_wrapped("node");
	finds("note", "own-resolver");
}

LabTest(tool_doctor, program_with_cares_cannot)
{
	tool_shell(
		"echo 'int ares_library_init(int);int main(void){return ares_library_init(0);}' |"
		" cc -w -x c - -o /run/asks -lcares");
	tool_ended(0);
	cannot_be_wrapped("/run/asks", "own-resolver");
}

LabTest(tool_doctor, other_libc_cannot)
{
	tool_shell("echo 'int main(void){return 0;}' | "
		   "cc -x c - -o /run/musl -Wl,--dynamic-linker,/lib/ld-musl-none.so.1");
	cannot_be_wrapped("/run/musl", "musl");
	finds("bad", "no-loader");
}

LabTest(tool_doctor, library_that_is_not_there_is_bad)
{
	tool_shell("cd /run; cc -shared -o libgone.so -x c /dev/null\n"
		   "echo 'int main(void){return 0;}' | cc -x c - -x none -Wl,--no-as-needed "
		   "./libgone.so -o needs\nrm libgone.so");
	tool_ended(0);
	cannot_be_wrapped("/run/needs", "missing-library");
}

LabTest(tool_doctor, other_libc_has_its_libraries_elsewhere)
{
	tool_shell(
		"cd /run; cc -shared -o libgone.so -x c /dev/null\n"
		"echo 'int main(void){return 0;}' | cc -x c - -x none -Wl,--no-as-needed "
		"./libgone.so -o musl -Wl,--dynamic-linker,/lib/ld-musl-none.so.1\nrm libgone.so");
	tool_ended(0);
	cannot_be_wrapped("/run/musl", "musl");
	lab_assert(!found("bad", "missing-library"), "(%s)", shim_got.out);
}

LabTest(tool_doctor, other_architecture_cannot)
{
	static const unsigned char aarch64[] = {0xb7, 0x00}; /* e_machine */
	int fd;

	tool_shell("cp /bin/true /run/arm");
	fd = open("/run/arm", O_WRONLY | O_CLOEXEC);
	lab_assert(pwrite(fd, aarch64, sizeof aarch64, 18) == sizeof aarch64);
	close(fd);
	cannot_be_wrapped("/run/arm", "architecture");
	tool_printed("for AArch64 (64 bits), the library for");
}

LabTest(tool_doctor, damaged_program_cannot)
{
	tool_shell("cd /run; head -c 3000 /bin/true >cut; chmod +x cut");
	cannot_be_wrapped("/run/cut", "damaged");
	tool_shell("cd /run; : >empty; chmod +x empty");
	cannot_be_wrapped("/run/empty", "empty");
}

LabTest(tool_doctor, what_is_no_program_is_said)
{
	cannot_be_wrapped("no-such-command", "not-found");
	cannot_be_wrapped("/no/such/command", "not-found");
	cannot_be_wrapped("/etc/passwd", "not-executable");
	cannot_be_wrapped("/etc", "not-executable");
	cannot_be_wrapped("/lib/$(cc -print-multiarch)/libcares.so.2", "library");
}

LabTest(tool_doctor, escape_sequence_in_a_path_is_not_repeated)
{
	TOOL("doctor", "--offline", "/\033[2Jx");
	tool_printed("/\\x1b[2Jx: No such file");
	tool_did_not_print("\033");
}

LabTest(tool_doctor, privileged_program_cannot)
{
	if (geteuid() != 0)
		lab_skip("only root may make one");
	tool_shell("cd /run; cp /bin/true suid; cp /bin/true sgid; chown 65534:65534 suid sgid; "
		   "chmod 4755 suid; chmod 2755 sgid; mount -o remount,suid /run");
	if (shim_got.status != 0)
		lab_skip("cannot allow set-user-ID programs: %s", shim_got.err);
	cannot_be_wrapped("/run/suid", "setuid");
	cannot_be_wrapped("/run/sgid", "setgid");
}

LabTest(tool_doctor, file_capabilities_are_seen)
{
	/* VFS_CAP_REVISION_2 with the effective bit, CAP_NET_BIND_SERVICE permitted */
	static const unsigned char caps[20] = {1, 0, 0, 2, 0, 4};

	tool_shell("cp /bin/true /run/capable; mount -o remount,suid /run");
	if (setxattr("/run/capable", "security.capability", caps, sizeof caps, 0) < 0)
		lab_skip("file capabilities cannot be set here");
	examine("--offline /run/capable");
	lab_assert(found("note", "capabilities") || found("bad", "capabilities"), "(%s)",
		   shim_got.out);
}

LabTest(tool_doctor, wrapper_is_said_where_to_go)
{
	tool_shell("cp /bin/true /run/sudo");
	can_be_wrapped("/run/sudo");
	finds("note", "wrapper");
	TOOL("doctor", "--offline", "/run/sudo");
	tool_printed("        -> sudo noblockdns run -- CMD\n");
	tool_printed("\nNothing that matters was found.\n");
}

/* ---- upstreams ---- */

LabTest(tool_doctor, healthy_machine_is_fine)
{
	lab_dns_start_text(w, DNS);
	examine("git");
	tool_ended(0);
	finds("ok", "upstream");
	finds("ok", "tcp");
	finds("ok", "tls-unavailable");
	finds("ok", "nsswitch");
	finds("ok", "cache");
	finds("ok", "clock");
	finds("ok", "configuration");
}

LabTest(tool_doctor, each_transport_is_asked_once)
{
	struct lab_dns *dns = lab_dns_start_text(w, DNS);

	examine("");
	tool_ended(0);
	lab_assert_int(lab_dns_count(dns, NULL, LAB_ANY_TYPE, LAB_UDP), 1);
	lab_assert_int(lab_dns_count(dns, NULL, LAB_ANY_TYPE, LAB_TCP), 1);
}

LabTest(tool_doctor, offline_asks_nobody)
{
	struct lab_dns *dns = lab_dns_start_text(w, DNS);

	examine("--offline");
	lab_assert_int(lab_dns_count(dns, NULL, LAB_ANY_TYPE, LAB_ANY_TRANSPORT), 0);
	lab_assert(strstr(shim_got.out, " ipv6") != NULL,
		   "(addresses and routes are no upstreams: "
		   "%s)",
		   shim_got.out);
}

LabTest(tool_doctor, dead_upstream_is_bad)
{
	says_bad("", "upstream-silent");
}

LabTest(tool_doctor, silent_upstream_is_bad)
{
	lab_dns_start_text(w, DNS "on * * drop\n");
	says_bad("", "upstream-silent");
	tool_printed("no answer within 3 s");
}

LabTest(tool_doctor, refusing_upstream_is_bad)
{
	lab_dns_start_text(w, DNS "on * * refused\n");
	says_bad("", "upstream-refuses");
}

LabTest(tool_doctor, upstream_without_tcp_is_bad)
{
	lab_dns_start_text(w, DNS "on * * tcp close\n");
	says_bad("", "tcp");
}

LabTest(tool_doctor, tls_that_could_be_had_is_noted)
{
	lab_dns_start_text(w, DNS);
	lab_dns_start_text(w, "listen 127.0.0.1:853 tls\n");
	examine("");
	tool_ended(0);
	finds("note", "tls-available");
	tool_printed("dns.test");
}

/* Over TLS, with the lab's authority and this certificate. */
static void examine_tls(struct lab_world *w, const char *cert)
{
	char text[256];

	snprintf(text, sizeof text, "listen 127.0.0.1:853 tls cert %s\n", cert);
	lab_dns_start_text(w, text);
	snprintf(text, sizeof text, "%s/ca.pem", lab_world_dir(w));
	lab_ca_write(text);
	snprintf(text, sizeof text, "--upstream tls://127.0.0.1#dns.test --tls-ca %s/ca.pem",
		 lab_world_dir(w));
	examine(text);
}

LabTest(tool_doctor, good_certificate_is_shown)
{
	lab_ca_make();
	examine_tls(w, "good");
	finds("ok", "upstream");
	lab_assert(found("ok", "certificate-days") || found("note", "certificate-days"));
	tool_printed("certificate for dns.test, 127.0.0.1, by ");
	tool_printed("days left");
	tool_ended(0);
}

LabTest(tool_doctor, expired_certificate_is_bad)
{
	lab_ca_make();
	examine_tls(w, "expired");
	finds("bad", "certificate");
	finds("bad", "upstream-silent");
	tool_printed("the certificate has expired");
	tool_printed("-1 days left");
}

LabTest(tool_doctor, certificate_of_another_is_bad)
{
	lab_ca_make();
	examine_tls(w, "wrong-name");
	finds("bad", "certificate");
	tool_printed("the certificate is for another name");
	tool_printed("certificate for other.test");
}

LabTest(tool_doctor, unknown_authority_is_bad)
{
	lab_ca_make();
	examine_tls(w, "unknown-ca");
	finds("bad", "certificate");
}

LabTest(tool_doctor, upstream_by_name_alone_is_found)
{
	lab_ca_make();
	lab_dns_start_text(w, DNS "rr dns.test 60 A 127.0.0.8\n");
	lab_dns_start_text(w, "listen 127.0.0.8:853 tls\n");
	lab_ca_write("/run/ca.pem");
	examine("--upstream tls://dns.test --tls-ca /run/ca.pem");
	tool_ended(0);
	tool_printed("tls://dns.test:853 answers over TLS");
}

LabTest(tool_doctor, module_that_would_betray_names_is_bad,
	.nsswitch = "hosts: files resolve dns\n")
{
	says_bad("--offline --upstream tls://127.0.0.1", "nsswitch");
	tool_printed("is refused, as libc would ask in clear text");
}

LabTest(tool_doctor, missing_resolver_library_is_bad)
{
	tool_shell("d=$(dirname $(command -v noblockdns)); "
		   "cp $d/noblockdns $d/libnoblockdns.so /run/; /run/noblockdns doctor");
	tool_ended(1);
	lab_assert_str(shim_got.err, "");
	tool_printed("the resolver library cannot be used");
}

LabTest(tool_doctor, clear_text_instead_of_tls_is_noted)
{
	lab_dns_start_text(w, DNS);
	examine("--upstream tls://127.0.0.1 --tls opportunistic");
	finds("note", "clear-text");
}

LabTest(tool_doctor, broken_ipv6_is_bad, .resolv_conf = "nameserver 127.0.0.1\nnameserver ::1\n")
{
	lab_dns_start_text(w, DNS);
	says_bad("", "ipv6-broken");
}

LabTest(tool_doctor, working_ipv6_is_fine, .resolv_conf = "nameserver ::1\n")
{
	lab_dns_start_text(w, "listen [::1]:53\n");
	examine("");
	finds("ok", "ipv6");
	tool_ended(0);
}

LabTest(tool_doctor, ipv6_without_a_route_is_noted, .addresses = SHIM_ARGV("2001:db8::7/64"))
{
	lab_dns_start_text(w, DNS);
	examine("");
	finds("note", "ipv6-no-route");
}

/* ---- machine ---- */

LabTest(tool_doctor, module_before_dns_is_bad,
	.nsswitch = "hosts: files mymachines resolve [!UNAVAIL=return] dns\n")
{
	says_bad("--offline", "nsswitch");
	tool_printed("resolve (systemd-resolved's) stands before dns");
}

LabTest(tool_doctor, module_behind_dns_is_noted, .nsswitch = "hosts: files dns sss\n")
{
	examine("--offline");
	finds("note", "nsswitch");
	tool_ended(0);
}

LabTest(tool_doctor, module_that_is_never_reached_is_fine,
	.nsswitch = "hosts: files mdns4_minimal [NOTFOUND=return] dns [NOTFOUND=return] sss\n")
{
	examine("--offline");
	finds("ok", "nsswitch");
}

LabTest(tool_doctor, line_without_dns_is_bad, .nsswitch = "hosts: files myhostname\n")
{
	says_bad("--offline", "nsswitch");
}

LabTest(tool_doctor, file_that_libc_refuses_is_bad, .nsswitch = "hosts: files [NOTFOUND dns\n")
{
	says_bad("--offline", "nsswitch");
	tool_printed("cannot be followed");
}

LabTest(tool_doctor, cache_in_use_is_shown)
{
	lab_dns_start_text(w, DNS "rr www.test 300 A 192.0.2.1\n");
	TOOL("run", "getent", "hosts", "www.test");
	tool_ended(0);
	examine("--offline");
	finds("ok", "cache");
	tool_printed("KB, of which");
}

/* A program would replace it. What is in memory does not outlive a boot: the file is on a disk. */
LabTest(tool_doctor, cache_of_another_boot_is_left_alone)
{
	lab_dns_start_text(w, DNS "rr www.test 300 A 192.0.2.1\n");
	tool_shell("[ $(stat -f -c %T $NBD_BUILD) != tmpfs ]");
	if (shim_got.status != 0)
		lab_skip("the build folder is in memory");
	tool_shell("rm -f $NBD_BUILD/boot.cache; noblockdns run --cache $NBD_BUILD/boot.cache "
		   "getent hosts www.test");
	tool_ended(0);
	tool_shell("echo 11111111-2222-3333-4444-555555555555 >/run/boot && "
		   "mount --bind /run/boot /proc/sys/kernel/random/boot_id");
	if (shim_got.status != 0)
		lab_skip("cannot mount: %s", shim_got.err);
	/* Open, so that its number is not used again. */
	tool_shell("F=$NBD_BUILD/boot.cache; exec 9<$F; was=$(stat -c %i $F)\n"
		   "noblockdns doctor --offline --cache $F >/dev/null; doctor=$(stat -c %i $F)\n"
		   "noblockdns run --cache $F getent hosts www.test; program=$(stat -c %i $F)\n"
		   "rm $F; [ $doctor = $was ] && [ $program != $was ]");
	tool_ended(0);
}

LabTest(tool_doctor, cache_folder_of_others_is_bad)
{
	tool_shell("mkdir -m 0755 /dev/shm/noblockdns.$(id -u)");
	says_bad("--offline", "cache");
	tool_printed("mode 0755");
}

LabTest(tool_doctor, cache_folder_that_is_a_link_is_bad)
{
	tool_shell("mkdir -m 0700 /run/x; ln -s /run/x /dev/shm/noblockdns.$(id -u)");
	says_bad("--offline", "cache");
	tool_printed("a symbolic link");
}

LabTest(tool_doctor, cache_file_open_to_others_is_bad)
{
	lab_dns_start_text(w, DNS "rr www.test 300 A 192.0.2.1\n");
	TOOL("run", "getent", "hosts", "www.test");
	tool_shell("chmod 0644 /dev/shm/noblockdns.$(id -u)/*");
	says_bad("--offline", "cache");
	tool_printed("mode 0644");
}

LabTest(tool_doctor, cache_without_room_is_bad)
{
	tool_shell("mkdir /run/small && mount -t tmpfs -o size=1m none /run/small");
	if (shim_got.status != 0)
		lab_skip("cannot mount: %s", shim_got.err);
	says_bad("--offline --cache /run/small/cache", "cache-room");
}

LabTest(tool_doctor, bad_configuration_is_in_the_shims_words,
	.files = (const struct lab_file[]){{"/etc/noblockdns.conf", "mode = maybe\nspeed = 9\n"},
					   {NULL, NULL}})
{
	says_bad("--offline", "configuration");
	tool_printed("/etc/noblockdns.conf: mode: \"maybe\" is not allowed");
	tool_printed("there is no key \"speed\"");
}

LabTest(tool_doctor, seccomp_is_noted)
{
	tool_shell("python3 -c 'import ctypes, os, struct\n"
		   "f = ctypes.create_string_buffer(struct.pack(\"HBBI\", 6, 0, 0, 0x7fff0000))\n"
		   "p = ctypes.create_string_buffer(struct.pack(\"HxxxxxxP\", 1, "
		   "ctypes.addressof(f)))\n"
		   "c = ctypes.CDLL(None)\n"
		   "assert c.prctl(38, 1, 0, 0, 0) == 0 and c.prctl(22, 2, p) == 0\n"
		   "os.execlp(\"noblockdns\", \"noblockdns\", \"doctor\", \"--offline\")'");
	tool_printed("a seccomp filter decides");
}

// SPDX-License-Identifier: MIT
/*
 * test_tool_run.c - the noblockdns command itself: `run`, --help, what it refuses, the shells'
 * completion, and that its manual page is complete.
 */
#include "tests/e2e/tool_run.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPT "listen 127.0.0.1:53\nrr www.test 300 A 192.0.2.1\n"

/* ---- run ---- */

LabTest(tool_run, second_program_finds_the_name_in_the_cache)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	for (int i = 0; i < 2; i++) {
		TOOL("run", "--", "getent", "hosts", "www.test");
		tool_ended(0);
		tool_printed("192.0.2.1");
	}
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

LabTest(tool_run, python_and_git_are_wrapped)
{
	struct lab_dns *dns = lab_dns_start_text(w, SCRIPT);

	TOOL("run", "python3", "-c",
	     "import socket; print(socket.gethostbyname('www.test'), end='')");
	lab_assert_str(shim_got.err, "");
	lab_assert_str(shim_got.out, "192.0.2.1");
	TOOL("run", "git", "--version");
	tool_ended(0);
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

LabTest(tool_run, options_reach_the_program)
{
	TOOL("run", "--mode", "observe", "--stale-max=7", "--upstream", "udp://127.0.0.9", "--",
	     "sh", "-c", "echo $NOBLOCKDNS_MODE $NOBLOCKDNS_STALE_MAX $NOBLOCKDNS_UPSTREAM");
	tool_ended(0);
	lab_assert_str(shim_got.out, "observe 7 udp://127.0.0.9\n");
}

LabTest(tool_run, upstream_of_the_option_is_asked)
{
	struct lab_dns *dns = lab_dns_start_text(w, "listen 127.0.0.9:5353\n"
						    "rr www.test 300 A 192.0.2.9\n");

	TOOL("run", "--upstream", "udp://127.0.0.9:5353", "getent", "hosts", "www.test");
	tool_printed("192.0.2.9");
	lab_assert_int(shim_asked(dns, "www.test", LAB_A), 1);
}

LabTest(tool_run, what_is_preloaded_stays)
{
	shim_not_under(NULL, "its runtime is to be preloaded first");
	tool_run(SHIM_ENV("LD_PRELOAD=libc.so.6 libm.so.6"),
		 SHIM_ARGV("noblockdns", "run", "sh", "-c", "echo $LD_PRELOAD"));
	lab_assert(strncmp(shim_got.out, "libc.so.6:libm.so.6:/", 21) == 0, "(%s)", shim_got.out);
	lab_assert_int(shim_lines_with(shim_got.out, "/libnoblockdns.so"), 1);
}

LabTest(tool_run, library_is_not_preloaded_twice)
{
	tool_shell("noblockdns run noblockdns run sh -c 'echo $LD_PRELOAD' | tr : '\n'");
	tool_ended(0);
	lab_assert_int(shim_lines_with(shim_got.out, "libnoblockdns.so"), 1);
}

LabTest(tool_run, status_is_the_commands)
{
	TOOL("run", "sh", "-c", "exit 7");
	tool_ended(7);
	TOOL("run", "sh", "-c", "kill -TERM $$");
	lab_assert_int(shim_got.signal, 15);
}

LabTest(tool_run, missing_command_is_127)
{
	TOOL("run", "no-such-command");
	tool_ended(127);
	tool_complained("run: cannot execute no-such-command: No such file or directory");
}

LabTest(tool_run, what_cannot_be_executed_is_126)
{
	TOOL("run", "/etc/passwd");
	tool_ended(126);
	tool_complained("run: cannot execute /etc/passwd: Permission denied");
}

LabTest(tool_run, no_command_is_a_mistake)
{
	TOOL("run", "--mode", "on");
	tool_ended(2);
	tool_complained("run: which command? (noblockdns run [OPTION...] [--] CMD...)");
}

LabTest(tool_run, bad_value_is_refused)
{
	TOOL("run", "--mode", "maybe", "--", "touch", "/run/started");
	tool_ended(2);
	tool_complained("run: NOBLOCKDNS_MODE: \"maybe\" is not allowed (on, observe or off)");
	lab_assert(access("/run/started", F_OK) != 0);
	TOOL("run", "--upstream", "https://dns.test", "--", "true");
	tool_ended(2);
	lab_assert_int(shim_lines_with(shim_got.err, ""), 1);
}

LabTest(tool_run, print_is_read_by_a_shell)
{
	tool_shell("eval \"$(noblockdns run --log-file \"/a b'c\" --print)\"; "
		   "printf '%s|%s' \"$NOBLOCKDNS_LOG_FILE\" \"${LD_PRELOAD##*/}\"");
	lab_assert_str(shim_got.out, "/a b'c|libnoblockdns.so");
	tool_shell("noblockdns run --stale-max 9 --json | python3 -c 'import json, sys; "
		   "print(json.load(sys.stdin)[\"NOBLOCKDNS_STALE_MAX\"])'");
	lab_assert_str(shim_got.out, "9\n");
}

/* bin and lib, as they are installed: in lib itself, or in the architecture's folder. */
static void run_installed(struct lab_world *w, const char *lib)
{
	char script[1024];

	snprintf(script, sizeof script,
		 "set -e; cd %s; mkdir -p bin %s; cp \"$BUILD/noblockdns\" bin; "
		 "cp \"$BUILD\"/libnoblockdns.so %s; bin/noblockdns run sh -c 'echo $LD_PRELOAD'",
		 lab_world_dir(w), lib, lib);
	setenv("BUILD", lab_build_dir(), 1);
	tool_shell(script);
	tool_ended(0);
	tool_printed("/libnoblockdns.so");
	tool_printed(lab_world_dir(w));
}

LabTest(tool_run, library_is_found_where_it_is_installed)
{
	run_installed(w, "lib");
}

LabTest(tool_run, library_is_found_in_the_architectures_folder)
{
	run_installed(w, "lib/$(cc -print-multiarch)");
}

LabTest(tool_run, missing_library_is_said)
{
	char script[512];

	snprintf(script, sizeof script, "cd %s && cp %s/noblockdns . && ./noblockdns run true",
		 lab_world_dir(w), lab_build_dir());
	tool_shell(script);
	tool_ended(125);
	tool_complained("run: cannot find libnoblockdns.so beside this command: No such file or "
			"directory");
}

/* ---- the command line ---- */

LabTest(tool_run, unknown_verb_gets_the_nearest)
{
	TOOL("docotr");
	tool_ended(2);
	tool_complained("there is no verb docotr; did you mean doctor?");
	TOOL("--hlep");
	tool_ended(2);
	tool_complained("there is no option --hlep; did you mean --help?");
	TOOL("xyzzy");
	tool_ended(2);
	tool_complained("there is no verb xyzzy (see noblockdns --help)");
}

LabTest(tool_run, help_is_for_every_verb)
{
	tool_shell("set -e; noblockdns help --json | python3 -c 'import json, sys\n"
		   "for v in json.load(sys.stdin): print(v[\"verb\"])' | while read -r v; do\n"
		   "noblockdns $v --help >/run/a; noblockdns help $v >/run/b; cmp /run/a /run/b\n"
		   "grep -q \"^Usage: noblockdns $v\" /run/a; grep -q -- --help /run/a\n"
		   "done");
	lab_assert_str(shim_got.err, "");
	tool_ended(0);
}

LabTest(tool_run, version_is_told)
{
	TOOL("--version");
	tool_ended(0);
	lab_assert(strncmp(shim_got.out, "noblockdns ", 11) == 0, "(%s)", shim_got.out);
}

LabTest(tool_run, output_that_is_lost_is_trouble)
{
	tool_shell("noblockdns --help >/dev/full");
	tool_ended(125);
	tool_complained("cannot write the output: No space left on device");
}

LabTest(tool_run, there_is_no_colour_but_on_a_terminal)
{
	TOOL("--help");
	tool_did_not_print("\033");
	tool_shell("script -qec 'TERM=xterm noblockdns --help' /dev/null");
	tool_printed("\033[1mVerbs");
	tool_shell("script -qec 'NO_COLOR=1 TERM=xterm noblockdns --help' /dev/null");
	tool_printed("Verbs");
	tool_did_not_print("\033");
}

/* ---- completion ---- */

/* What bash offers for the last of these words. */
static void completes(const char *words, const char *expected)
{
	char script[1024];

	snprintf(script, sizeof script,
		 "source <(noblockdns completion bash); COMP_WORDS=(%s); "
		 "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _noblockdns; echo \"${COMPREPLY[*]}\"",
		 words);
	tool_shell(script);
	lab_assert_str(shim_got.err, "");
	lab_assert(strcmp(shim_got.out, expected) == 0, "(%s: wanted \"%s\", got \"%s\")", words,
		   expected, shim_got.out);
}

LabTest(tool_run, bash_completes)
{
	completes("noblockdns ru", "run\n");
	completes("noblockdns run --stale-m", "--stale-max\n");
	completes("noblockdns run --mode ''", "on observe off\n");
	completes("noblockdns run --mode = ob", "observe\n");
	completes("noblockdns run --mode on --tls-c", "--tls-ca\n");
	completes("noblockdns run --tls-ca /etc/nsswi", "/etc/nsswitch.conf\n");
	completes("noblockdns completion z", "zsh\n");
	completes("noblockdns help tr", "trace\n");
	completes("noblockdns run --mode on getent /etc/nsswi", "/etc/nsswitch.conf\n");
}

LabTest(tool_run, completion_of_another_shell_is_refused)
{
	TOOL("completion", "bsh");
	tool_ended(2);
	tool_complained("completion: there is none for bsh; did you mean bash?");
	TOOL("completion", "powershell");
	tool_complained("completion: there is none for powershell (bash|zsh)");
}

LabTest(tool_run, zsh_takes_its_script)
{
	tool_shell(
		"command -v zsh >/dev/null || exit 77; noblockdns completion zsh >/run/_noblockdns"
		" && zsh -n /run/_noblockdns && zsh -fc 'fpath=(/run $fpath); autoload -U compinit;"
		" compinit -D -u; print ${_comps[noblockdns]}'");
	if (shim_got.status == 77)
		lab_skip("there is no zsh");
	lab_assert_str(shim_got.err, "");
	lab_assert_str(shim_got.out, "_noblockdns\n");
}

/* ---- manual ---- */

/* Each verb's part of the page has its options and no other; those of the variables are in run's,
 * to which the others refer. */
LabTest(tool_run, manual_has_the_options_of_each_verb)
{
	tool_shell(
		"noblockdns help --json | python3 -c 'import json, re, sys\n"
		"page = open(\"shim/tool/noblockdns.1\").read()\n"
		"verbs = json.load(sys.stdin)\n"
		"starts = [page.index(\".It Cm \" + v[\"verb\"]) for v in verbs]\n"
		"ends = starts[1:] + [page.index(\".Sh ENVIRONMENT\")]\n"
		"assert starts == sorted(starts), \"another order than --help\"\n"
		"variables = {o[\"name\"] for o in verbs[0][\"options\"]} - {\"print\", \"json\"}\n"
		"for v, start, end in zip(verbs, starts, ends):\n"
		"    part = page[start:end]\n"
		"    has = {o[\"name\"] for o in v[\"options\"]}\n"
		"    told = set(re.findall(r\"^\\.It Fl -([a-z0-9-]+)\", part, re.M))\n"
		"    told |= set(re.findall(r\"^\\.Fl -(json|help)\", part, re.M)) | {\"help\"}\n"
		"    if v[\"verb\"] != \"run\" and variables <= has:\n"
		"        assert re.search(r\"the options of\\n\\.Cm run\", part, re.I), "
		"v[\"verb\"]\n"
		"        has -= variables - {\"help\"}\n"
		"    if has != told: print(v[\"verb\"], has ^ told)'");
	lab_assert_str(shim_got.err, "");
	lab_assert_str(shim_got.out, "");
}

#!/bin/bash
# SPDX-License-Identifier: MIT
# test.sh [--asan | --tsan] - runs the unit and the end-to-end tests of the build folder $O (default
# build), both even if the first fails. Ends with what the failed ones said, once more, and with
# `N passed, N failed, N skipped`. The exit status is 0 only if none failed.
#
# --asan, --tsan  $O is a sanitizer build: sets the sanitizer's options, and has its runtime
#                 preloaded in front of the shim where an uninstrumented program runs under it. What
#                 it reports, in whatever process, is printed at the end and is a failure, also where
#                 the test bore with the death of that process.
# V=1             also prints the start of each test.
set -uo pipefail

O=${O:-build}
mode=${1:-}
case $mode in
'' | --asan | --tsan) ;;
*)
	echo "usage: $0 [--asan | --tsan]" >&2
	exit 2
	;;
esac

NBD_BUILD=$(realpath "$O") || exit 1
export NBD_BUILD

# The sanitizer runtime's real file: the loader does not read the compiler's linker scripts.
runtime() {
	realpath "$("${CC:-cc}" -print-file-name="$1")"
}

reports=$NBD_BUILD/reports
rm -rf "$reports"
mkdir -m 1777 "$reports" || exit 1 # some programs give up their privileges

unit_env=()
e2e_env=()
common=abort_on_error=1:log_exe_name=1:log_path=$reports/report
case $mode in
--asan)
	ubsan=UBSAN_OPTIONS=$common:print_stacktrace=1
	common+=:detect_stack_use_after_return=0:strict_string_checks=1
	# Programs under the shim (shells, python) leak at exit by design: leaks are the unit tests'.
	unit_env=(ASAN_OPTIONS="$common:detect_leaks=1" "$ubsan")
	e2e_env=(ASAN_OPTIONS="$common:detect_leaks=0:verify_asan_link_order=0" "$ubsan"
		NBD_SANITIZER=address NBD_PRELOAD_FIRST="$(runtime libasan.so)")
	;;
--tsan)
	# At exit a process would wait 1 s for races of what still runs: 5 minutes in all.
	common+=:halt_on_error=1:second_deadlock_stack=1:die_after_fork=0:atexit_sleep_ms=0
	unit_env=(TSAN_OPTIONS="$common")
	e2e_env=(TSAN_OPTIONS="$common" NBD_SANITIZER=thread
		NBD_PRELOAD_FIRST="$(runtime libtsan.so)")
	;;
esac

passed=0
failed=0
skipped=0
result=0

count() { # of one key in a report
	sed -n "0,/^  \"$1\": /s/^  \"$1\": \([0-9]*\),/\1/p" "$2"
}

# What the failed tests in a log said, the end of it if it was much.
failures() {
	awk '/^\[(PASS|SKIP)\] / { n = 0; next }
		!/^\[RUN \] / { line[n++] = $0 }
		/^\[FAIL\] / { for (i = n > 40 ? n - 40 : 0; i < n; i++) print line[i]; n = 0 }' "$1"
}

# Runs one test program: its name, its arguments, then the environment to add.
run() {
	local name=$1 jobs=$2 report="$NBD_BUILD/$1.json" status
	shift 2
	echo "== $name tests"
	rm -f "$report"
	env "$@" "$NBD_BUILD/$name" --verbose "$jobs" --json="$report" 2>&1 | tee "$NBD_BUILD/$name.log" |
		if [ "${V:-0}" = 1 ]; then cat; else sed -u '/^\[RUN \]/d'; fi
	status=${PIPESTATUS[0]}
	if [ "$status" -ne 0 ]; then
		result=1
	fi
	if [ ! -s "$report" ]; then
		echo "$name: ended with status $status and without a report" >&2
		failed=$((failed + 1))
		result=1
		return
	fi
	passed=$((passed + $(count passed "$report")))
	failed=$((failed + $(count failed "$report")))
	skipped=$((skipped + $(count skipped "$report")))
}

run unit "-j$(nproc)" "${unit_env[@]}"
run e2e -j1 "${e2e_env[@]}" # one at a time: some of them measure
if [ $((passed + failed + skipped)) -eq 0 ]; then
	echo "no tests in $O" >&2
	result=1
fi
if [ -n "$(ls -A "$reports")" ]; then
	for report in "$reports"/*; do
		printf '== %s\n' "$(basename "$report")"
		cat "$report"
	done
	result=1
fi
if [ "$failed" -gt 0 ]; then
	echo "== failed"
	failures "$NBD_BUILD/unit.log"
	failures "$NBD_BUILD/e2e.log"
fi
echo "$passed passed, $failed failed, $skipped skipped"
exit $result

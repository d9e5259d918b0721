# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# bench_trace.sh - the part of bench.sh that measures what it costs to be observed and traced.
# Sourced by it.

trace_folder=/dev/shm/bench-traces

traced() {
	NOBLOCKDNS_TRACE=$trace_folder "$@"
	rm -f $trace_folder/*.trace
}

# The difference between a long and a short loop, so that what a process does once drops out.
trace_instructions() { # SUBJECT CALL COMMAND...
	local subject=$1 call=$2 log=$LAB_DIR/callgrind n counted=()
	shift 2
	for n in 100 2100; do
		"$@" valgrind -q --tool=callgrind --callgrind-out-file="$log" \
			"$O/bench/trace" - "$call" $n -l
		counted+=("$(awk '$1 == "summary:" {print $2}' "$log")")
	done
	per_lookup trace "$subject" instructions "${counted[@]}" 2000
}

trace_section() {
	local bench=$O/bench/trace
	say "lookups and poll(), observed and traced"
	echo "192.0.2.1 bench.hosts.test" >>/etc/hosts
	mkdir -m 0700 $trace_folder
	for _ in $(seq 7); do
		keep trace without_nscd "$bench" "lookup libc" lookup 20000
		NOBLOCKDNS_MODE=observe keep trace traced with_shim "$bench" "lookup observed" lookup 20000
		keep trace with_shim "$bench" "lookup shim" lookup 50000
		keep trace traced with_shim "$bench" "lookup traced" lookup 50000
		keep trace "$bench" "poll libc" poll 50000
		keep trace with_shim "$bench" "poll shim" poll 50000
		keep trace traced with_shim "$bench" "poll traced" poll 50000
	done
	trace_instructions "lookup shim" lookup with_shim
	trace_instructions "lookup traced" lookup traced with_shim
	trace_instructions "poll libc" poll env
	trace_instructions "poll shim" poll with_shim
	trace_instructions "poll traced" poll traced with_shim
	rm -rf $trace_folder
}

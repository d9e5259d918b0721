#!/bin/bash
# SPDX-License-Identifier: MIT
# bench.sh - measures the shim in the build folder $O (default build) beside its peers, prints one
# table, and writes $O/bench.json. A missed requirement is shown and does not fail the run.
#
# All of it happens in worlds of the network lab: unbound and nscd answer from their caches, nsd is
# the server that cold lookups ask, and a forwarder with a round trip of 20 ms leads to another one.
# Over TLS, unbound and dnsdist are asked, on loopback and behind the forwarder.
# BASE is the build folder of another version, beside which warm lookups are measured; none if unset.
# The machine may be busy with other things, so peers take turns in rounds, and a figure is the
# median of its rounds.
#
# The figures of a round are lines `SECTION<tab>SUBJECT<tab>METRIC<tab>VALUE` in
# $O/bench/figures.tsv, which tests/bench/report.py turns into the table.
set -euo pipefail

O=$(realpath "${O:-build}")
BASE=${BASE:+$(realpath "$BASE")}
export O BASE
figures=$O/bench/figures.tsv
shim=$O/libnoblockdns.so
rounds=7
core=$(($(nproc) - 1))

# Keeps what a benchmark program prints, as figures of a section.
keep() {
	local section=$1
	shift
	"$@" | sed "s/^/$section\t/" >>"$figures"
}

# Runs a command where nscd's socket is not to be seen, so that libc asks the server itself.
without_nscd() {
	unshare -m sh -c 'mkdir -p /run/nscd && mount -t tmpfs none /run/nscd && exec "$@"' sh "$@"
}

with_shim() {
	without_nscd env LD_PRELOAD="$shim" "$@"
}

use_server() {
	echo "nameserver $1" >/etc/resolv.conf
}

say() {
	printf '  %-7s %s\n' BENCH "$1" >&2
}

# ---- what is measured ----

warm() {
	local form calls
	say "warm lookups: shim, nscd, glibc, c-ares"
	for _ in $(seq $rounds); do
		keep warm without_nscd "$O/bench/warm" -k $core -s floor floor bench.test
		for form in stream getaddrinfo gethostbyname; do
			keep warm with_shim "$O/bench/warm" -k $core -s "shim $form" $form bench.test
			[ -z "${BASE:-}" ] ||
				keep warm without_nscd env LD_PRELOAD="$BASE/libnoblockdns.so" \
					"$O/bench/warm" -k $core -s "base $form" $form bench.test
			calls=2000
			keep warm "$O/bench/warm" -k $core -c $calls -s "nscd $form" $form bench.test
			calls=800
			keep warm without_nscd "$O/bench/warm" -k $core -c $calls -s "glibc $form" \
				$form bench.test
		done
		keep warm without_nscd "$O/bench/warm" -k $core -c 800 -s "c-ares getaddrinfo" ares \
			bench.test
	done
}

# System calls and instructions, counted from outside: the difference between a long and a short
# loop, so that what a process does once drops out.
system_calls() { # PRELOAD COMMAND...
	local preload=$1 log=$LAB_DIR/strace
	shift
	without_nscd strace -f -qq -c -o "$log" ${preload:+-E LD_PRELOAD="$preload"} "$@" >/dev/null
	awk '$NF == "total" {print $4}' "$log"
}

instructions() {
	local calls=$1 form=$2 log=$LAB_DIR/callgrind
	with_shim valgrind -q --tool=callgrind --callgrind-out-file="$log" \
		"$O/bench/warm" -l -c "$calls" "$form" bench.test
	awk '$1 == "summary:" {print $2}' "$log"
}

per_lookup() { # SECTION SUBJECT METRIC SHORT LONG CALLS
	awk -v OFS='\t' "BEGIN {print \"$1\", \"$2\", \"$3\", ($5 - $4) / $6}" >>"$figures"
}

counts() {
	local form
	say "system calls (strace) and instructions (callgrind) of a warm lookup"
	for form in stream getaddrinfo gethostbyname; do
		per_lookup counts "shim $form" syscalls \
			"$(system_calls "$shim" "$O/bench/warm" -l -c 100 $form bench.test)" \
			"$(system_calls "$shim" "$O/bench/warm" -l -c 10100 $form bench.test)" 10000
		per_lookup counts "glibc $form" syscalls \
			"$(system_calls '' "$O/bench/warm" -l -c 100 $form bench.test)" \
			"$(system_calls '' "$O/bench/warm" -l -c 300 $form bench.test)" 200
		per_lookup counts "shim $form" instructions "$(instructions 100 $form)" \
			"$(instructions 2100 $form)" 2000
	done
}

# Is it really nscd that answers? Its socket is opened, and nothing is sent to port 53.
nscd_check() {
	local log=$LAB_DIR/nscd.strace asked sent
	strace -f -qq -e trace=network -o "$log" "$O/bench/warm" -l -c 200 stream bench.test
	asked=$(grep -c 'nscd/socket' "$log" || true)
	sent=$(grep -c 'htons(53)' "$log" || true)
	printf 'nscd\tnscd\tdns_packets\t%s\nnscd\tnscd\tconnections\t%s\n' "$sent" "$asked" \
		>>"$figures"
}

scale() {
	say "two processes on two cores"
	[ "$(nproc)" -gt 1 ] || return 0
	for _ in 1 2 3; do
		keep scale without_nscd "$O/bench/scale" floor floor bench.test 20
		keep scale with_shim "$O/bench/scale" shim stream bench.test 20
	done
}

start() {
	say "process starts, first lookups"
	keep true without_nscd "$O/bench/start" true 1000 $core none= empty="$O/bench/empty.so" \
		shim="$shim"
	keep first without_nscd "$O/bench/start" first n3.bench.test 300 $core glibc= shim="$shim"
}

# Each set of names in a cache of its own, with distinct addresses and with the same for all.
many() {
	local kind n
	say "50,000 names"
	use_server 127.0.0.2
	export NOBLOCKDNS_CACHE_SIZE=52428800
	for _ in $(seq 5); do
		for n in 100 50000; do
			keep many without_nscd "$O/bench/warm" -k $core -n $n -c 100000 -s "floor $n" \
				floor many.test
			for kind in many same; do
				NOBLOCKDNS_CACHE=$LAB_DIR/cache-$kind-$n keep many with_shim \
					"$O/bench/warm" -k $core -n $n -c 100000 -s "$kind $n" \
					stream $kind.test
			done
		done
	done
	unset NOBLOCKDNS_CACHE_SIZE
	use_server 127.0.0.1
}

cold() { # SECTION SERVER CALLS ROUNDS
	local i
	say "cold lookups: $1"
	use_server "$2"
	for i in $(seq "$4"); do
		keep "$1" with_shim "$O/bench/cold" cold.test "run$i" "$3" shim=stream c-ares=ares \
			c-ares-query=ares-query glibc=libc
	done
}

cold_counts() { # SECTION
	local peer
	for peer in shim=stream c-ares=ares c-ares-query=ares-query glibc=libc; do
		per_lookup "$1" "${peer%=*}" syscalls \
			"$(system_calls "$shim" "$O/bench/cold" cold.test short 20 $peer)" \
			"$(system_calls "$shim" "$O/bench/cold" cold.test long 120 $peer)" 100
	done
}

# ---- DNS over TLS ----

servers='unbound=53 dnsdist=54' # kind and last octet of the address

over_tls() { # ADDRESS COMMAND...
	local address=$1
	shift
	NOBLOCKDNS_TLS_CA=$LAB_DIR/ca.pem NOBLOCKDNS_UPSTREAM="tls://$address#dns.test" with_shim "$@"
}

# Round trips of a new process's one lookup: its flights over TCP in the capture of the link.
round_trips() { # SUBJECT ADDRESS NAME
	local capture=$O/bench/dot.pcap before after
	before=$("$O/lab/capture" "$capture" flights)
	over_tls "$2" "$O/bench/hold" - 0 "$3.dot.test" >/dev/null
	after=$("$O/lab/capture" "$capture" flights)
	printf 'dot\t%s\tround_trips\t%s\n' "$1" $((after - before)) >>"$figures"
}

dot_far() {
	local server kind address i
	say "DNS over TLS, 20 ms: lookups over an open connection, first lookups"
	for server in $servers; do
		kind=${server%=*} address=198.51.100.${server#*=}
		export NOBLOCKDNS_CACHE=$LAB_DIR/cache-$kind
		round_trips "$kind full" "$address" full
		round_trips "$kind resumed" "$address" resumed
		for i in $(seq 5); do
			NOBLOCKDNS_UPSTREAM=udp://$address keep dot with_shim "$O/bench/cold" dot.test \
				"udp$i" 40 "$kind-udp=stream" "$kind-udp-a=inet"
			keep dot over_tls "$address" "$O/bench/cold" dot.test "tls$i" 40 \
				"$kind-tls=stream" "$kind-tls-a=inet"
		done
	done
	unset NOBLOCKDNS_CACHE
}

# The peer's time without its connecting, which the shim's does not hold either.
dnsperf_burst() { # SUBJECT ADDRESS
	dnsperf -m dot -s "$2" -d "$LAB_DIR/names" -c 1 -T 1 -q 1000 -n 5 2>/dev/null |
		awk -v OFS='\t' -v s="$1" '
			/Queries completed:/ {done = $3}
			/Queries lost:/ {lost = $3}
			/Run time/ {time = $4}
			/Connection Statistics/ {connection = 1}
			/Average Latency/ && connection {time -= $4}
			END {print "dot", s, "rate", done / time; print "dot", s, "lost", lost}' >>"$figures"
}

dot_bursts() {
	local server kind address i
	say "DNS over TLS: 1,000 names at once, beside dnsperf"
	awk 'BEGIN {for (i = 0; i < 1000; i++) printf "d%d-peer-burst.dot.test A\n", i}' >"$LAB_DIR/names"
	for server in $servers; do
		kind=${server%=*} address=127.0.0.${server#*=}
		for i in $(seq $rounds); do
			keep dot over_tls "$address" "$O/bench/burst" dot.test "burst$i" 1000 5 "$kind shim"
			dnsperf_burst "$kind dnsperf" "$address"
		done
	done
}

# Seven servers whose failures send each question on to the next, so that all eight connections are
# open at the end; and one connection alone.
dot_cost() {
	local eight
	say "DNS over TLS: memory of a connection, wake-ups of an idle one"
	eight=$(printf 'tls://127.0.1.%s#dns.test ' 1 2 3 4 5 6 7)
	for _ in 1 2 3 4 5; do
		NOBLOCKDNS_CACHE=private keep dot over_tls 127.0.0.53 "$O/bench/hold" one 0 a.dot.test
		NOBLOCKDNS_CACHE=private NOBLOCKDNS_TLS_CA=$LAB_DIR/ca.pem \
			NOBLOCKDNS_UPSTREAM="${eight}tls://127.0.0.53#dns.test" \
			keep dot with_shim "$O/bench/hold" eight 0 a.dot.test
	done
	keep dot over_tls 127.0.0.53 "$O/bench/hold" idle 10 idle.dot.test
}

# No network: the cache alone.
flood() {
	local dir
	say "the cache under a flood of 10 million names"
	dir=$(mktemp -d /dev/shm/noblockdns-bench.XXXXXX)
	keep flood "$O/bench/flood" "$dir/cache"
	rmdir "$dir"
}

# The folder must be the user's own for the command, as for the library.
list() {
	local dir
	say "noblockdns cache list of 8,000 names"
	dir=$(mktemp -d /dev/shm/noblockdns-bench.XXXXXX)
	keep list "$O/bench/list" "$dir/cache" "$O/noblockdns" cache list
	rmdir "$dir"
}

# shellcheck source=scripts/bench_trace.sh
. "$(dirname "$0")/bench_trace.sh"

# shellcheck source=scripts/bench_stale.sh
. "$(dirname "$0")/bench_stale.sh"

# shellcheck source=scripts/bench_race.sh
. "$(dirname "$0")/bench_race.sh"

# ---- the worlds ----

zone() { # NAME RECORDS
	# shellcheck disable=SC2016 # a master file's $ORIGIN and $TTL
	printf '$ORIGIN %s.\n$TTL 3600\n@ SOA ns.invalid. a.invalid. 1 3600 600 86400 60\n' "$1"
	printf '@ NS ns.invalid.\n%s\n' "$2"
}

many_records() {
	awk 'BEGIN {for (i = 0; i < 50000; i++) printf "n%d A 10.7.%d.%d\nn%d AAAA 2001:db8:7::%x\n",
		i, i / 256, i % 256, i, i + 1}'
}

start_nsd() {
	local dir=$LAB_DIR/nsd wild=$'* A 192.0.2.80\n* AAAA 2001:db8::80' z
	mkdir "$dir"
	zone cold.test "$wild" >"$dir/cold.test"
	zone same.test "$wild" >"$dir/same.test"
	zone many.test "$(many_records)" >"$dir/many.test"
	cat >"$dir/conf" <<-END
		server:
		  ip-address: 127.0.0.2
		  server-count: 1
		  username: ""
		  chroot: ""
		  zonesdir: "$dir"
		  database: ""
		  pidfile: "$dir/pid"
		  xfrdfile: "$dir/xfrd"
		  xfrdir: "$dir"
		  zonelistfile: "$dir/zones"
		  rrl-ratelimit: 0
		remote-control:
		  control-enable: no
	END
	for z in cold same many; do
		printf 'zone:\n  name: "%s.test"\n  zonefile: "%s.test"\n' $z $z >>"$dir/conf"
	done
	nsd -d -c "$dir/conf" >"$dir/log" 2>&1 &
	for _ in $(seq 100); do
		[ -z "$(dig +short +time=1 +tries=1 @127.0.0.2 n1.many.test A 2>/dev/null)" ] || return 0
		sleep 0.1
	done
	cat "$dir/log" >&2
	return 1
}

near_world() {
	start_nsd
	nscd_check
	warm
	counts
	scale
	start
	trace_section
	many
	cold "cold loopback" 127.0.0.2 400 7
	cold_counts "cold loopback"
}

far_world() {
	cold "cold 20 ms" 198.51.100.53 40 3
}

dot_near() {
	dot_bursts
	dot_cost
}

bench_records() {
	awk 'BEGIN {for (i = 0; i < 16; i++) printf "n%d.bench.test. 3600 A 192.0.2.%d\n" \
		"n%d.bench.test. 3600 AAAA 2001:db8::%d\n", i, i + 10, i, i + 10}'
}

case ${1:-} in
--near)
	near_world
	exit
	;;
--far)
	far_world
	exit
	;;
--dot-near)
	dot_near
	exit
	;;
--dot-far)
	dot_far
	exit
	;;
--stale-near)
	stale_near
	exit
	;;
--stale-far)
	steady
	exit
	;;
--race-near)
	race_near
	exit
	;;
--race-far)
	race_far
	exit
	;;
--race-dead)
	race_dead
	exit
	;;
esac

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
mkdir -p "$O/bench"
: >"$figures"
echo 'typedef int empty;' | "${CC:-cc}" -shared -fPIC -x c -o "$O/bench/empty.so" -
flood
list
"$O/lab/lab-run" --timeout 300 --address 192.0.2.7/24 --address 2001:db8::7/64 --nscd \
	--unbound "bench.test=$(bench_records)" -- "$0" --near
far_script='side far
listen 198.51.100.53:53
rr *.cold.test 300 A 192.0.2.80
rr *.cold.test 300 AAAA 2001:db8::80'
"$O/lab/lab-run" --timeout 100 --dns "$far_script" --forward 'delay 10
' -- "$0" --far || echo "no link with delay on this machine: that part is left out" >&2
failing_script=$(printf 'listen 127.0.1.%s:853 tls\n' 1 2 3 4 5 6 7)'
on * * servfail'
"$O/lab/lab-run" --timeout 200 --dot unbound --dot dnsdist --dns "$failing_script" -- "$0" --dot-near ||
	[ $? -eq 77 ] # a server is not there: lab-run says which
"$O/lab/lab-run" --timeout 200 --dot unbound --dot dnsdist --forward 'delay 10
' --capture "$O/bench/dot.pcap" -- "$0" --dot-far ||
	echo "no link with delay on this machine: that part is left out" >&2
stale_near_world
stale_far_world
race_near_world
race_far_world
race_dead_world
"${PYTHON:-python3}" -B "$(dirname "$0")/../tests/bench/report.py" "$figures" "$O/bench.json"

# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# bench_stale.sh - the part of bench.sh that measures lookups while the upstream is down, crowded or
# lossy: sourced by it, with its helpers and variables ($O, $shim, $figures).
# shellcheck disable=SC2154

# Each run has a cache of its own.
trouble() { # SUBJECT [OPTION...] NAME
	local subject=$1 name=${!#}
	keep stale with_shim "$O/bench/stale" "${@:2:$#-2}" "$subject" "$name"
}

# A scripted server of this script's own, which can be killed.
start_upstream() { # SCRIPT
	echo "$1" >"$LAB_DIR/upstream"
	: >"$LAB_DIR/upstream.log"
	"$O/lab/dnsscript" --log "$LAB_DIR/upstream" >"$LAB_DIR/upstream.log" &
	upstream=$!
	until grep -q ready "$LAB_DIR/upstream.log"; do sleep 0.01; done
}

stop_upstream() { # SIGNAL
	kill "-$1" $upstream
	[ "$1" = STOP ] || wait $upstream 2>/dev/null || true
}

upstream_of() { # TTL LAST-OCTET
	printf 'listen 127.0.0.1:53\nrr *.many.test %s A 192.0.2.%s\nrr *.many.test %s AAAA 2001:db8::%s\n' \
		"$1" "$2" "$1" "$2"
}

figure() { # SUBJECT METRIC VALUE
	printf 'stale\t%s\t%s\t%s\n' "$@" >>"$figures"
}

# From the return of the server until a new process has its answer.
recovery() { # SUBJECT
	local start
	start=$(date +%s%N)
	start_upstream "$(upstream_of 300 2)"
	until with_shim getent ahosts n5.many.test | grep -q '192\.0\.2\.2 '; do :; done
	figure "$1" recovery $(($(date +%s%N) - start))
}

storms() {
	local fault i
	say "upstream killed, and frozen: 104,000 lookups of 1,000 expired names by 8 processes"
	for i in 1 2 3; do
		for fault in KILL STOP; do
			export NOBLOCKDNS_CACHE=$LAB_DIR/cache-$fault-$i
			start_upstream "$(upstream_of 1 1)"
			with_shim "$O/bench/stale" -c 1000 fill many.test >/dev/null
			sleep 1.2
			stop_upstream $fault
			trouble "storm $fault" -p 8 -t 13 -c 1000 many.test
			[ $fault = KILL ] || stop_upstream KILL
			recovery "storm $fault"
			stop_upstream KILL
		done
	done
	unset NOBLOCKDNS_CACHE
}

crowds_of_askers() {
	local i type
	say "a cold name, asked for by 200 processes at once"
	for i in 1 2 3 4 5; do
		export NOBLOCKDNS_CACHE=$LAB_DIR/cache-crowd-$i
		start_upstream "$(upstream_of 300 1)
on * * delay 100"
		with_shim "$O/bench/stale" warm warm.many.test >/dev/null
		trouble crowd -p 200 -i warm.many.test n1.many.test
		for type in 1 28; do
			figure crowd "queries $type" "$(grep -c "n1.many.test TYPE$type " "$LAB_DIR/upstream.log" || true)"
		done
		stop_upstream KILL
	done
	unset NOBLOCKDNS_CACHE
}

# The one who asks is killed while its question is without an answer.
dead_holder() {
	local i holder
	say "the holder of the lease is killed"
	for i in 1 2 3 4 5; do
		export NOBLOCKDNS_CACHE=$LAB_DIR/cache-holder-$i
		start_upstream "$(upstream_of 300 1)
on * A first 1 drop
on * AAAA first 1 drop"
		LD_PRELOAD=$shim getent ahosts n1.many.test &
		holder=$!
		until grep -q TYPE28 "$LAB_DIR/upstream.log"; do sleep 0.01; done
		kill -KILL $holder
		wait $holder 2>/dev/null || true
		trouble "dead holder" -p 8 n1.many.test
		stop_upstream KILL
	done
	unset NOBLOCKDNS_CACHE
}

steady() {
	local type
	say "a name that lives for 5 s, 200 ms away, one packet in ten lost, for 60 s"
	use_server 198.51.100.53
	trouble steady -1 -t 6000 -w 9900 www.steady.test
	for type in 1 28; do
		figure steady "queries $type" "$(grep -c "TYPE$type " "$O/bench/steady.log" || true)"
	done
}

stale_near() {
	crowds_of_askers
	dead_holder
	storms
}

stale_near_world() {
	"$O/lab/lab-run" --timeout 200 -- "$0" --stale-near
}

stale_far_world() {
	"$O/lab/lab-run" --timeout 100 --dns-log "$O/bench/steady.log" --dns 'side far
listen 198.51.100.53:53
rr *.steady.test 5 A 192.0.2.80
rr *.steady.test 5 AAAA 2001:db8::80' --forward 'delay 100 loss 100
' -- "$0" --stale-far || echo "no link with delay on this machine: that part is left out" >&2
}

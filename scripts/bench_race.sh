# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# bench_race.sh - the part of bench.sh that measures connect() and its races: sourced by it, with its
# helpers and variables.
: "${rounds:?}" "${core:?}"

# The far side has a server on port 53, a round trip of 20 ms away, the near one has one too; the
# names are answered nearby.
far_v4=198.51.100.7 far_v6=2001:db8:2::7 far_literal=198.51.100.8
near_v4=192.0.2.7 near_v6=2001:db8::7
race_names="listen 127.0.0.1:53
rr race.test 3600 A $far_v4
rr race.test 3600 AAAA $far_v6
rr near.test 3600 A $near_v4
rr near.test 3600 AAAA $near_v6"
near_server="listen $near_v4:53
listen [$near_v6]:53"
race_server="side far
listen $far_v4:53
listen $far_literal:53
listen [$far_v6]:53"

# connect() to a literal: hooked, and libc's own. One round of each kind.
literal() { # SUBJECT ADDRESS [PORT] -- OPTION...
	local subject=$1 address=$2 port=
	[ "$3" = -- ] || { port=$3 && shift; }
	shift 3
	keep race with_shim "$O/bench/connect" "$@" "$subject" "$address" $port
	keep race with_shim "$O/bench/connect" "$@" -n "$subject non-blocking" "$address" $port
}

connect_instructions() { # CALLS hooked|libc LOOKUP
	local log=$LAB_DIR/callgrind
	with_shim valgrind -q --tool=callgrind --callgrind-out-file="$log" \
		"$O/bench/connect" -c "$1" -o "$2" ${3:+-l "$3"} x 127.0.0.1
	awk '$1 == "summary:" {print $2}' "$log"
}

literals() {
	local kind
	say "connect() to a literal, beside libc's"
	for _ in $(seq "$rounds"); do
		literal loopback 127.0.0.1 -- -k $core
		literal "loopback, looked up" 127.0.0.1 -- -k $core -l race.test
		literal near $near_v4 -- -k $core
		literal "near, looked up" $near_v4 -- -k $core -l race.test
	done
	for kind in hooked libc; do
		per_lookup race "$kind" instructions "$(connect_instructions 100 $kind)" \
			"$(connect_instructions 1100 $kind)" 1000
		per_lookup race "$kind, looked up" instructions \
			"$(connect_instructions 100 $kind race.test)" \
			"$(connect_instructions 1100 $kind race.test)" 1000
	done
}

far_literals() {
	say "connect() to a literal, 20 ms away"
	for _ in 1 2 3; do
		literal "far, looked up" $far_literal 53 -- -c 30 -l race.test
	done
}

# A program that connects to the name, run by `with_shim` or `without_nscd`.
races() { # HOW SUBJECT NAME [OPTION...]
	local how=$1 subject=$2 name=$3
	shift 3
	keep race $how "$O/bench/race" "$@" "$subject" "$name" 53
}

# What a race costs that its first attempt wins. A server on this machine, "near", has answered before
# connect() returns, and there is no race; no more than some 10,000 connections, or connect() spends
# its time on looking for a free port. Far away the machine sleeps in between, and what it
# has cached is gone: all that happens costs more then, also a connect() without the shim. So there is
# one without a race beside it, whose program has a thread of its own wake another (relay).
won_races() { # PLACE NAME ROUNDS
	local mode
	say "CPU of a race that the first attempt wins: $1"
	for _ in $(seq "$rounds"); do
		for mode in blocking poll epoll; do
			races with_shim "won $1 $mode" "$2" -m $mode -c "$3" -w 3
			races without_nscd "libc $1 $mode" "$2" -m $mode -c "$3" -w 3
		done
		races without_nscd "libc $1 relay" "$2" -m relay -c "$3" -w 3
	done
}

crowds() {
	say "a swap with 100,000 other descriptors in the epoll set"
	for _ in $(seq "$rounds"); do
		races with_shim "swap alone" race.test -m epoll -c 30 -w 3
		races with_shim "swap in a crowd" race.test -m epoll -c 30 -w 3 -x 100000
		races without_nscd "libc alone" race.test -m epoll -c 30 -w 3
		races without_nscd "libc in a crowd" race.test -m epoll -c 30 -w 3 -x 100000
	done
}

# New processes: each round begins with an empty cache, so without history.
black_hole() {
	local mode i
	say "IPv6 is a black hole: first process, second process, without the shim"
	echo 2 >/proc/sys/net/ipv4/tcp_syn_retries
	for mode in blocking poll epoll; do
		for i in 1 2 3 4 5; do
			export NOBLOCKDNS_CACHE=$LAB_DIR/cache-$mode-$i
			races with_shim "first $mode" race.test -m $mode
			races with_shim "second $mode" race.test -m $mode
		done
	done
	unset NOBLOCKDNS_CACHE
	races without_nscd "dead libc blocking" race.test -m blocking
	races without_nscd "dead libc poll" race.test -m poll
	for _ in 1 2 3 4 5; do
		keep race "$O/bench/race" -m blocking "round trip" $far_v4 53
	done
}

thousand() { # SUBJECT [OPTION...]
	local i
	say "1,000 races at once: $1"
	for i in 1 2 3; do
		NOBLOCKDNS_CACHE=$LAB_DIR/cache-$1-$i races with_shim "1000 $1" race.test -m epoll -a 1000
	done
}

race_near() {
	literals
	won_races near near.test 200
}

race_far() {
	far_literals
	won_races far race.test 50
	crowds
	thousand "first wins" -w 1
}

race_dead() {
	black_hole
	thousand "IPv6 dead" # no warming up: then its history would be known
}

race_near_world() {
	"$O/lab/lab-run" --timeout 200 --address $near_v4/24 --address $near_v6/64 --dns "$race_names" \
		--dns "$near_server" -- "$0" --race-near
}

race_far_world() {
	"$O/lab/lab-run" --timeout 300 --dns "$race_names" --dns "$race_server" --forward 'delay 10
' -- "$0" --race-far || echo "no link with delay on this machine: that part is left out" >&2
}

race_dead_world() {
	"$O/lab/lab-run" --timeout 200 --dns "$race_names" --dns "$race_server" --forward 'ipv6 drop
delay 10' -- "$0" --race-dead || true # race_far_world() has said it
}

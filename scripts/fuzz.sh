#!/bin/bash
# SPDX-License-Identifier: MIT
# fuzz.sh - builds each tests/fuzz/fuzz_*.c with libFuzzer, ASan and UBSan and runs it for
# SECONDS_EACH (default 60) from a corpus that is kept in $O/fuzz (default build). A crash is an
# error, and the input that caused it stays there.
set -euo pipefail

O=${O:-build}/fuzz
SECONDS_EACH=${SECONDS_EACH:-60}
mkdir -p "$O"

for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	# The first lines of a fuzzer name what it is linked with, in words and patterns.
	links=$(sed -n 's|^ \* links: ||p' "$source")
	clang -std=gnu11 -D_GNU_SOURCE -O1 -g -I. -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o "$O/$name" "$source" $links
	mkdir -p "$O/$name.corpus"
	echo "== $name, $SECONDS_EACH s"
	status=0
	"$O/$name" -max_total_time="$SECONDS_EACH" -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$O/$name." "$O/$name.corpus" >"$O/$name.log" 2>&1 || status=$?
	grep -E 'stat::number_of_executed_units|SUMMARY|ERROR' "$O/$name.log" || true
	if [ "$status" -ne 0 ]; then
		echo "$name failed; the report is $O/$name.log" >&2
		exit 1
	fi
done

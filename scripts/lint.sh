#!/bin/bash
# SPDX-License-Identifier: MIT
# lint.sh - everything that can be said about the sources without running them. Prints what it finds
# and exits 1 if that is anything. Each check says its name first.
#
#	format      clang-format with the repository's style
#	headers     an SPDX line first in every source, script and header; include guards
#	arrows      who may include whom (shim/ of resolver/ resolver.h only; resolver/ itself only)
#	compiler    all sources with every warning an error
#	cppcheck    errors, warnings and portability
#	clang-tidy  bug-finding checks
#	scripts     shellcheck's opinion of the scripts
#	manual      mandoc's opinion of the manual pages
set -uo pipefail

O=${O:-build}/lint
status=0

check() { # name, then a command whose output is the complaint
	local name=$1 out
	shift
	printf '  %-10s ' "$name"
	out=$("$@" 2>&1)
	if [ -n "$out" ]; then
		printf 'FAILED\n%s\n' "$out"
		status=1
	else
		echo ok
	fi
}

sources() {
	git ls-files -- "$@"
}

format() {
	sources '*.c' '*.h' | xargs -r clang-format --dry-run --Werror
}

headers() {
	local file guard
	sources '*.c' '*.h' '*.def' '*.sh' '*.py' '*.map' '*.[1-8]' .ci/run Makefile | while read -r file; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' ||
			echo "$file: no SPDX line"
	done
	sources '*.h' | while read -r file; do
		guard=$(sed -n 's/^#ifndef \([A-Z0-9_]*_H\)$/\1/p' "$file" | head -n 1)
		[ -n "$guard" ] && grep -q "^#define $guard$" "$file" ||
			echo "$file: no include guard"
	done
}

# Lines that include "X/..." from files of a folder, less those that are allowed.
includes() { # files, forbidden pattern
	grep -nE "#include \"$2" $1
}

arrows() {
	includes "$(sources 'shim/*.c' 'shim/*.h' | tr '\n' ' ')" 'resolver/' |
		grep -v '"resolver/resolver\.h"'
	includes "$(sources 'resolver/*.c' 'resolver/*.h' | tr '\n' ' ')" '(shim|tests)/'
	includes "$(sources 'shim/*.c' 'shim/*.h' | tr '\n' ' ')" 'tests/'
	includes "$(sources 'tests/lab/*.c' 'tests/lab/*.h' | tr '\n' ' ')" '(shim|resolver)/'
	# Descriptors are closed and duplicated by sys.h alone: the plain names are our own hooks.
	grep -nE '(^|[^a-z_])(close|dup2|dup3|fcntl|close_range)\(' $(sources 'shim/*.c' |
		grep -vE 'shim/(hook_|hooks|exports|tool)') | grep -vE '^\S+:[0-9]+:\s*(\*|/\*|//)|\* '
}

compiler() {
	local out
	out=$(make --no-print-directory -s -j"$(nproc)" O="$O" CFLAGS='-O2 -g -Werror' lint-objects 2>&1) ||
		echo "$out" | grep -vE '^ +CC ' | head -n 40
}

run_cppcheck() {
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr \
		--suppressions-list=scripts/cppcheck.suppressions -I. -D_GNU_SOURCE \
		-D__x86_64__ -D__SIZEOF_INT128__=16 $(sources 'shim/*.c' 'resolver/*.c')
}

# One file at a time: with several, the analyzer of clang 14 takes each va_list for uninitialized.
tidy() {
	local checks
	checks='-*,bugprone-*,clang-analyzer-*'
	checks+=,-bugprone-assignment-in-if-condition,-bugprone-branch-clone
	checks+=,-bugprone-easily-swappable-parameters,-bugprone-implicit-widening-of-multiplication-result
	checks+=,-bugprone-macro-parentheses,-bugprone-narrowing-conversions
	checks+=,-bugprone-reserved-identifier,-bugprone-sizeof-expression,-bugprone-suspicious-include
	checks+=,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling
	sources 'shim/*.c' 'resolver/*.c' |
		xargs -r -I FILE -P "$(nproc)" clang-tidy --quiet --warnings-as-errors='*' \
			--checks="$checks" FILE -- -std=gnu11 -D_GNU_SOURCE -I. 2>&1 |
		grep -iE 'error:|warning:'
}

scripts() {
	sources '*.sh' .ci/run | xargs -r shellcheck -S warning -e SC2046,SC2086
}

manual() {
	sources '*.[1-8]' | xargs -r mandoc -T lint -W warning
}

check format format
check headers headers
check arrows arrows
check compiler compiler
check cppcheck run_cppcheck
check clang-tidy tidy
check scripts scripts
check manual manual
exit $status

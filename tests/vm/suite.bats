#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Faults planted in the tests that run in the VM: each must turn the run red.
# One VM for all of them; its last test panics, so that one more never runs.

bats_require_minimum_version 1.5.0

# In the order in which they run.
planted=(good failing truncated silent status slow unloads warns holds panics
	lost)

plant() {
	cat >"$files/$1"
	chmod +x "$files/$1"
}

setup_file() {
	local name

	mkdir -p build/vm
	dir=$(mktemp -d build/vm/planted.XXXXXX)
	files=$dir/tests/planted
	export dir files
	mkdir -p "$files"
	for name in "${planted[@]}"; do
		printf '%s\n' '#!/usr/bin/env bash' 'echo 1..1; echo ok 1' |
			plant "$name"
	done
	plant failing <<<$'#!/bin/sh\necho 1..2; echo ok 1; echo not ok 2 - planted'
	plant truncated <<<$'#!/bin/sh\necho 1..3; echo ok 1'
	plant silent <<<$'#!/bin/sh\nexit 0'
	plant status <<<$'#!/bin/sh\necho 1..1; echo ok 1; exit 3'
	echo 'sleep 60' >>"$files/slow"
	echo 'rmmod ipcdemo' >>"$files/unloads"
	echo 'echo "BUG: planted" >/dev/kmsg' >>"$files/warns"
	echo 'setsid sleep 60 3<>/dev/ipcdemo </dev/null >/dev/null 2>&1 &' \
		>>"$files/holds"
	echo 'echo c >/proc/sysrq-trigger; sleep 60' >>"$files/panics"

	# What an earlier run left must not count.
	mkdir -p "$dir/results/planted"
	echo 'echo 1..1; echo ok 1' >"$dir/results/planted/lost"

	status=0
	TEST_LIMIT=4 tests/run-suite --results "$dir/results" \
		--guest "${planted[@]/#/$files/}" >"$dir/out" 2>&1 || status=$?
	echo "$status" >"$dir/status"
}

teardown_file() {
	rm -rf "$dir"
}

# What prove's summary says about one file: its lines are indented.
report() {
	sed -n '/^Test Summary Report/,$p' "$dir/out" |
		sed -n "/^planted\/$1 /,/^[^ ]/p" | sed '$d'
}

# The line of progress about one file.
progress() {
	grep "\] planted/$1 … " "$dir/out"
}

@test "the run as a whole is red" {
	[ "$(cat "$dir/status")" -ne 0 ]
	[ "$(tail -n 1 "$dir/out")" = "Result: FAIL" ]
}

@test "a good file stays good" {
	grep -q '^planted/good \.* ok$' "$dir/out"
	[[ $(progress good) == *"1 ok"* ]]
}

@test "a test that fails in the VM is red, and what it said is shown" {
	[[ $(report failing) == *"Failed test: "*2* ]]
	[[ $(progress failing) == *"FAILED: 1 of 2 not ok"* ]]
	grep -q '^ *not ok 2 - planted' "$dir/out"
}

@test "output that ends early is red" {
	[[ $(report truncated) == *"planned 3 tests but ran 1"* ]]
	[[ $(progress truncated) == *"FAILED: planned 3, ran 1"* ]]
}

@test "a file that prints nothing is red" {
	[[ $(report silent) == *"No plan found"* ]]
	[[ $(progress silent) == *"FAILED: no plan"* ]]
}

@test "a status other than 0 is red, even where all tests are ok" {
	[[ $(report status) == *"Non-zero exit status: 3"* ]]
	[[ $(progress status) == *"FAILED: status 3"* ]]
}

@test "a file that takes too long is stopped and red" {
	[[ $(report slow) == *"Non-zero exit status: 124"* ]]
	grep -q 'took longer than 4 s' "$dir/out"
}

@test "a file that leaves the module unloaded is red" {
	[[ $(report unloads) == *"Non-zero exit status: 99"* ]]
	grep -q 'it left the module unloaded' "$dir/out"
	grep -q 'loading the module again' "$dir/out"
}

@test "a file during which the kernel warns is red" {
	[[ $(report warns) == *"Non-zero exit status: 99"* ]]
	grep -q '^ .*BUG: planted' "$dir/out"
}

@test "a file that leaves something that holds the module is red" {
	[[ $(report holds) == *"Non-zero exit status: 99"* ]]
	grep -q 'left something that holds the module' "$dir/out"
}

@test "a file during which the guest panics is red, and those after it too" {
	[[ $(report panics) == *"No plan found"* ]]
	[[ $(report lost) == *"No plan found"* ]]
}

@test "the VM itself is red, with the lines of its log" {
	sed -n '/^Test Summary Report/,$p' "$dir/out" | grep -q '^vm/guest '
	grep -q 'Kernel panic' "$dir/results/vm/guest.tap"
	grep -q 'BUG: planted' "$dir/results/vm/guest.tap"
}

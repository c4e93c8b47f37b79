#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# make demo when somebody does not want to see all of it.

bats_require_minimum_version 1.5.0

setup() {
	export TMPDIR=$BATS_TEST_TMPDIR
}

@test "a reader that leaves ends the VM, and nothing is said to have failed" {
	local begun=$SECONDS

	tests/demo 2>"$BATS_TEST_TMPDIR/err" 3>&- | head -n 1 \
		>"$BATS_TEST_TMPDIR/out"
	[ -s "$BATS_TEST_TMPDIR/out" ]
	cat "$BATS_TEST_TMPDIR/err"
	run -1 grep 'failed\|above\|write failure' "$BATS_TEST_TMPDIR/err"
	run -1 pgrep -f "$BATS_TEST_TMPDIR/ipcdemo-vm"
	((SECONDS - begun < 60))
}

@test "Ctrl-C ends the VM, and points to nothing that is not there" {
	local pid status=0

	setsid -w env --default-signal=INT tests/demo \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$!
	for ((i = 0; i < 300; i++)); do
		! grep -q '^run: up' "$BATS_TEST_TMPDIR/err" || break
		sleep 0.1
	done
	# As the terminal does: to the whole group.
	kill -INT -- "-$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 130 ]
	cat "$BATS_TEST_TMPDIR/err"
	run -1 grep 'failed\|above' "$BATS_TEST_TMPDIR/err"
	run -1 pgrep -f "$BATS_TEST_TMPDIR/ipcdemo-vm"
}

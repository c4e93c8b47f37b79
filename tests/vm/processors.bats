#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# On four processors: many processes do the same at once, and a race breaks an
# invariant. The VM of all other tests has two.

setup() {
	export TMPDIR=$BATS_TEST_TMPDIR
}

# on_four COMMAND: in a VM with the module and four processors, and a short form.
on_four() {
	tests/vm/run --module --smp 4 --log "$BATS_TEST_TMPDIR/log" \
		--timeout 280 -- sh -c "test \$(nproc) = 4 &&
		IPCDEMO_OPS=1000 IPCDEMO_MESSAGES=3000 $1" \
		>"$BATS_TEST_TMPDIR/out" 3>&-
}

# In each primitive, on each kind of memory, POSIX's own among them; and through
# rings, of one sender and of three.
@test "locks and rings keep their promises on four processors" {
	on_four 'sh -ec "build/tests/kernel/sync-race
		build/tests/kernel/sync-ring_race"' || {
		cat "$BATS_TEST_TMPDIR/out"
		return 1
	}
	cat "$BATS_TEST_TMPDIR/out"
	# Each on the module's regions, and none was left out
	for claim in "a mutex lets nobody see half a step" \
		"a semaphore lets in as many as it says" \
		"what is put is taken, and nobody sleeps on" \
		"readers see what writers wrote whole" \
		"a writer comes in among readers that never end" \
		"behind a barrier is what was before it" \
		"who gives up at a barrier is not counted" \
		"all that one sends arrives, whole and in order" \
		"all that three send arrives, whole, each in its order"; do
		for kind in ipcdemofs IPCDEMO_IOC_REGION_MAKE; do
			grep -q "^ok [0-9]* - $kind: $claim" "$BATS_TEST_TMPDIR/out"
		done
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The debug kernel notices faults: each is planted (tests/debug/planted), and the
# run that it is planted in must fail with a report of it. KERNEL must name that
# kernel, as tests/check-debug does.

bats_require_minimum_version 1.5.0

setup() {
	dir=$BATS_TEST_TMPDIR
	export TMPDIR=$dir
	planted=$(tests/debug/build-planted)
}

# plant FAULT...: a VM in which they are made, in this order.
plant() {
	run -126 tests/vm/run --log "$dir/log" -- tests/debug/plant "$planted" "$@"
	# The command itself went well: it is the log that fails the run.
	[[ $output == *"the command itself ended with status 0"* ]]
}

# Its report names the function that made the fault.
reported() {
	local first

	first=$(grep -nE -m 1 "$1" "$dir/log") || {
		echo "nothing in the log about: $1; it has"
		grep -E 'BUG|WARNING|INFO:|UBSAN|ODEBUG|kmemleak|planted|lockdep' "$dir/log"
		return 1
	}
	tail -n "+${first%%:*}" "$dir/log" | head -n 60 | grep -q "$2" || {
		echo "the report of '$1' does not name $2"
		return 1
	}
}

# Those that turn lockdep off come last.
@test "each watcher reports the fault that it is there for" {
	plant leak sleep-in-atomic bad-shift free-of-work lock-inversion \
		use-after-free
	reported 'BUG: sleeping function called from invalid context' \
		planted_sleep_in_atomic
	reported 'UBSAN: shift-out-of-bounds' planted_bad_shift
	reported 'ODEBUG: free active' planted_free_of_work
	reported 'possible circular locking dependency' planted_lock_inversion
	reported 'KASAN: (slab-)?use-after-free' planted_use_after_free
	reported 'kmemleak: [1-9][0-9]* new suspected memory leak' \
		'unreferenced object'
	grep -q 'comm "insmod"' "$dir/log"
	# From here on nothing would be seen: that is said, too.
	grep -q 'lockdep has turned itself off' "$dir/log"
}

@test "memory is watched up to its end" {
	plant out-of-bounds
	reported 'KASAN: slab-out-of-bounds' planted_out_of_bounds
}

@test "a run without a fault is not complained of" {
	tests/vm/run --log "$dir/log" -- true
	grep -q 'kmemleak: Kernel memory leak detector initialized' "$dir/log"
	run grep -c 'new suspected memory leak' "$dir/log"
	[ "$output" = 0 ]
}

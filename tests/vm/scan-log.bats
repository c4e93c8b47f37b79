#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What counts as a defect in a kernel's log, line by line.

# Each is as the kernel prints it, from one subsystem or another.
@test "every kind of complaint is found" {
	while IFS= read -r line; do
		if tests/vm/scan-log <<<"[    1.234567] $line"; then
			echo "not found: $line"
			return 1
		fi
	done <<-'EOF'
		WARNING: CPU: 0 PID: 12 at fs/pipe.c:100 pipe_read+0x1/0x2
		WARNING: possible circular locking dependency detected
		BUG: kernel NULL pointer dereference, address: 0000000000000000
		BUG: KASAN: use-after-free in ring_read+0x1/0x2 [ipcdemo]
		BUG: sleeping function called from invalid context at mm/util.c:1
		BUG: Bad page state in process cat  pfn:12345
		BUG: scheduling while atomic: cat/12/0x00000002
		kernel BUG at lib/list_debug.c:26!
		Oops: 0002 [#1] PREEMPT SMP NOPTI
		Kernel panic - not syncing: Fatal exception
		general protection fault, probably for non-canonical address 0xdead
		INFO: task cat:12 blocked for more than 60 seconds.
		rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
		rcu: INFO: rcu_preempt self-detected stall on CPU
		watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [cat:12]
		UBSAN: array-index-out-of-bounds in ring.c:1:2
		kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
		refcount_t: underflow; use-after-free.
		list_del corruption. prev->next should be 0
		detected buffer overflow in strcpy, buffer overflow detected
		usercopy: Kernel memory exposure attempt detected from SLUB object
		CPU: 0 PID: 12 Comm: cat Tainted: G        W  OE
		cat: page allocation failure: order:4, mode:0x40cc0
		ipcdemo: disagrees about version of symbol module_layout
		ipcdemo: Unknown symbol foo (err -2)
		Out of memory: Killed process 12 (cat)
		x: module license 'Proprietary' taints kernel.
		------------[ cut here ]------------
		Call Trace:
	EOF
}

@test "a module from outside the kernel, and plain talk, are no defects" {
	run tests/vm/scan-log <<-'EOF'
		[    1.0] Linux version 6.1.0 (debian-kernel@lists.debian.org)
		[    1.1] ipcdemo: loading out-of-tree module taints kernel.
		[    1.2] ipcdemo: module verification failed: signature and/or required key missing - tainting kernel
		[    1.3] debug: no warning here, and no bug
		[    1.4] traps: test[12] trap int3
	EOF
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the place of a defect is told" {
	printf 'fine\r\nOops: 1\r\n' >"$BATS_TEST_TMPDIR/log"
	run tests/vm/scan-log "$BATS_TEST_TMPDIR/log"
	[ "$status" -eq 1 ]
	[ "$output" = "$BATS_TEST_TMPDIR/log:2: Oops: 1" ]
}

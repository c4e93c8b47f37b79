#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# tests/vm/run as seen from outside: what it passes on, what it finds wrong,
# and that no VM outlives it.

bats_require_minimum_version 1.5.0

setup() {
	run=tests/vm/run
	stderr=
	dir=$BATS_TEST_TMPDIR
	# Where a run that is killed leaves its files.
	export TMPDIR=$dir
}

# Starts a run in the background; sets run_pid and qemu_pid.
start_run() {
	tests/vm/run --log "$dir/log" -- sleep 100 2>"$dir/err" 3>&- &
	run_pid=$!
	find_qemu
}

# The same, for a run that SIGINT can end: a shell without job control starts
# its children with that signal ignored.
start_interruptible_run() {
	setsid -w env --default-signal=INT tests/vm/run --log "$dir/log" -- \
		sleep 100 3>&- &
	sleep 1
	run_pid=$(pgrep -f -- "--log $dir/log" | tail -n 1)
	find_qemu
}

find_run() {
	run_pid=$(cat "$dir/pid")
	find_qemu
}

find_qemu() {
	local i

	for ((i = 0; i < 100; i++)); do
		qemu_pid=$(pgrep -P "$run_pid" qemu-system) && return
		sleep 0.1
	done
	return 1
}

gone() {
	local i

	for ((i = 0; i < 50; i++)); do
		[[ -d /proc/$1 ]] || return 0
		sleep 0.1
	done
	return 1
}

@test "the command's output, arguments and status are passed on, and nothing else" {
	mkdir "$dir/a, b"
	cat >"$dir/a, b/command" <<-'EOF'
		printf '%s|' "$@"
		pwd
		echo seen >&2
		echo written >"$1/file"
		exit 3
	EOF
	run -3 --separate-stderr "$run" --log "$dir/log" --share "$dir/a, b" -- \
		bash "$dir/a, b/command" "$dir/a, b" '' "\$x" "it's"
	[ "$output" = "$dir/a, b||\$x|it's|$PWD" ]
	[[ $stderr == *seen* ]]
	[ "$(cat "$dir/a, b/file")" = written ]
}

@test "the guest cannot write to this machine" {
	rm -f build/guest-was-here
	mkdir -p build
	"$run" --log "$dir/log" -- bash -c \
		'touch build/guest-was-here && test -e build/guest-was-here'
	[ ! -e build/guest-was-here ]
}

@test "a warning in the guest's log fails the run, whatever the command says" {
	run -126 "$run" --log "$dir/log" -- \
		bash -c 'echo "WARNING: planted by a test" >/dev/kmsg'
	[[ $output == *"] WARNING: planted by a test"* ]]
	[[ $output == *"the guest's log is $dir/log"* ]]
}

@test "a guest that panics fails the run" {
	run -125 "$run" --log "$dir/log" -- \
		bash -c 'echo c >/proc/sysrq-trigger; sleep 60'
	[[ $output == *"Kernel panic"* ]]
	[[ $output == *"the VM died while the command ran"* ]]
}

@test "a command that takes too long is stopped, and the VM with it" {
	run -124 "$run" --log "$dir/log" --timeout 2 -- sleep 60
	[[ $output == *"did not end in 2 s"* ]]
}

@test "a module that cannot be removed fails the run" {
	run -127 "$run" --log "$dir/log" --module -- \
		bash -c 'sleep 60 3<>/dev/ipcdemo &'
	[[ $output == *"cannot be removed"*"in use"* ]]
	[[ $output == *"the command itself ended with status 0"* ]]
}

@test "two runs at once do not disturb each other" {
	local first status=0

	"$run" --log "$dir/log1" -- bash -c 'sleep 3; echo first; exit 4' \
		>"$dir/out1" 3>&- &
	first=$!
	run -5 --separate-stderr "$run" --log "$dir/log2" -- \
		bash -c 'sleep 3; echo second; exit 5'
	[ "$output" = second ]
	wait "$first" || status=$?
	[ "$status" -eq 4 ]
	[ "$(cat "$dir/out1")" = first ]
}

@test "SIGTERM, SIGINT and SIGHUP end the VM" {
	local signal

	for signal in TERM HUP; do
		start_run
		kill -"$signal" "$run_pid"
		gone "$run_pid"
		gone "$qemu_pid"
	done
	start_interruptible_run
	kill -INT "$run_pid"
	gone "$run_pid"
	gone "$qemu_pid"
}

@test "SIGKILL of the script ends the VM" {
	start_run
	kill -KILL "$run_pid"
	gone "$qemu_pid"
}

@test "the end of whoever started it ends the VM" {
	local parent

	bash -c "tests/vm/run --log '$dir/log' -- sleep 100 2>'$dir/err' &
		echo \$! >'$dir/pid'; wait" 3>&- &
	parent=$!
	sleep 1
	find_run
	kill -KILL "$parent"
	gone "$run_pid"
	gone "$qemu_pid"
	grep -q "who started this is gone" "$dir/err"
}

@test "what cannot work is refused with a sentence" {
	run -125 "$run"
	[[ $output == *"no command"* ]]
	run -125 "$run" --frobnicate -- true
	[[ $output == *"--frobnicate is no option"* ]]
	run -125 "$run" --smp none -- true
	[[ $output == *"must be a number"* ]]
	run -125 "$run" --share "$dir/nowhere" -- true
	[[ $output == *"no such folder"* ]]
	run -125 "$run" --interactive </dev/null
	[[ $output == *"needs a terminal"* ]]
}

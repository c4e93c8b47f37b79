#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Faults planted in suites of check-compat: each must turn it red, and say what
# is wrong. One VM for all of them until one panics, another for what is left.

# What comes first in each suite: ours is true where pipes shall be ours.
preamble() {
	cat <<'EOT'
#!/usr/bin/env bash
said() { printf '%s\t%s\n' "$1" "$2" >>"$RESULTS"; }
ours() { [[ -n ${IPCDEMO_RUN_COUNT-} && -z ${IPCDEMO_RUN_KERNEL-} ]]; }
EOT
}

# plant NAME [WHAT [SECONDS]]: the script on standard input is a suite.
plant() {
	{
		preamble
		cat
	} >"$dir/$1"
	chmod +x "$dir/$1"
	printf '%s\t%s\t%s\t1\t%s\n' "$1" "${2-pipes}" "${3-60}" "$dir/$1" \
		>>"$dir/table"
}

setup_file() {
	mkdir -p build/vm
	dir=$PWD/$(mktemp -d build/vm/compat.XXXXXX)
	export dir

	# Nothing is wrong with these.
	plant good <<<'echo hello | cat; said one ok'
	plant fifo fifos <<-'EOT'
		mkfifo "$FIFOS/x"
		echo hello >"$FIFOS/x" &
		cat "$FIFOS/x"
		said one ok
	EOT
	plant listed <<<'true | true; said one ok; if ours; then said two no; else said two ok; fi'
	printf 'differs\tlisted\ttwo\tok\tno\n' >>"$dir/table"
	plant unsteady <<-'EOT'
		true | true
		said one ok
		echo >>/tmp/runs
		said two "run $(($(wc -l </tmp/runs) % 2))"
	EOT
	plant alone alone <<<'exit 0'

	# Something is wrong with each of these.
	plant other <<-'EOT'
		said one "$(true | readlink /proc/self/fd/0 | sed "s/:.*//")"
	EOT
	plant once <<-'EOT'
		true | true
		said one ok
		! ours || [[ -e /tmp/once ]] || { : >/tmp/once; said two ok; exit; }
		said two no
	EOT
	plant missing <<<'true | true; said one ok; ours || said two ok'
	plant library <<-'EOT'
		true | true
		[[ -n ${IPCDEMO_RUN_KERNEL-} ]] && said one no || said one ok
	EOT
	plant dropped <<<'! ours || unset LD_PRELOAD; sh -c "true | true"; said one ok'
	plant kernels <<<'export IPCDEMO_RUN_KERNEL=1; sh -c "true | true"; said one ok'
	plant other_fifo fifos <<<'mkfifo x; echo >x & cat x; said one ok'
	plant dies <<-'EOT'
		true | true
		said one ok
		! ours || kill -SEGV $$
	EOT
	plant few <<<'true | true'
	plant slow pipes 2 <<<'true | true; said one ok; sleep 600'
	plant absent <<<'exec /nonexistent'
	plant alone_fails alone <<<'exit 3'
	plant unlisted <<<'true | true; said one ok'
	printf 'differs\tunlisted\ttwo\tok\tno\n' >>"$dir/table"
	plant warns <<<'true | true; said one ok; ! ours || echo "BUG: planted" >/dev/kmsg'
	plant panics <<<'true | true; ! ours || { echo c >/proc/sysrq-trigger; sleep 600; }'
	plant behind <<<'true | true; said one ok'

	status=0
	tests/check-compat --suites "$dir/table" --results "$dir/results" --again 1 \
		>"$dir/out" 2>&1 || status=$?
	echo "$status" >"$dir/status"
}

teardown_file() {
	rm -rf "$dir"
}

# The line of a suite, and the lines below it that belong to it.
report() {
	awk -v name="$1:" '
		$2 == name || $1 == name { on = 1; print; next }
		!/^ / { on = 0 }
		on' "$dir/out"
}

# passes NAME
passes() {
	[[ $(report "$1") == *"] $1: ok, "* ]] || {
		report "$1"
		return 1
	}
}

# fails NAME WORDS
fails() {
	[[ $(report "$1") == *"$1: FAILED"*"$2"* ]] || {
		echo "wanted that it fails with: $2; it says:"
		report "$1"
		return 1
	}
}

@test "suites without a fault pass, and the numbers of pipes are told" {
	passes good
	[[ $(report good) == *"1 tests, 1 ok; pipes 1 of the kernel's, 1 of ours"* ]]
	passes fifo
	[[ $(report fifo) == *"FIFOs of ours opened 2 times"* ]]
	passes alone
}

@test "a difference that is listed is told, and fails nothing" {
	passes listed
	[[ $(report listed) == *"1 differ, as is known"*"two: differs, as is known"* ]]
}

@test "a listed difference that is none fails" {
	fails unlisted "only 0 of the 1 differences"
}

@test "a test that is unsteady on pipe(2) itself is told, and fails nothing" {
	passes unsteady
	[[ $(report unsteady) == *"two: unsteady on pipe(2) itself"*"run 0"*"run 1"* ]]
}

@test "a test that differs fails, with what it said on each side" {
	fails other "1 of 1 tests differ"
	[[ $(report other) == *"one: differs"*"pipe(2) "*" pipe (2 times)"*"ours "*"ipcdemo (2 times)"* ]]
}

@test "a test that differed once fails, though it did not do so again" {
	fails once "two: differs"
	[[ $(report once) == *"no, ok"* ]]
}

@test "a test that is missing on ours fails" {
	fails missing "did not run"
}

@test "a test that the library alone changes fails" {
	fails library "one: differs"
}

@test "a suite that ours was not in force for fails" {
	fails dropped "ours was not in force: 0 of ours, 1 were wanted"
	fails kernels "ours was not in force"
	fails other_fifo "none of our FIFOs was opened"
}

@test "a suite that dies on ours fails" {
	fails dies "the whole: differs"
	[[ $(report dies) == *"ended with 139"* ]]
}

@test "a suite that does not work on pipe(2) fails" {
	fails few "only 0 tests of 1 are ok on pipe(2) itself"
	fails slow "on pipe(2) itself it took longer than 2 s"
	fails absent "on pipe(2) itself it ended with"
	fails alone_fails "ended with 3"
}

@test "a suite that the kernel's log complains of fails" {
	fails warns "the kernel's log: "
	[[ $(report warns) == *"BUG: planted"* ]]
}

@test "a suite that takes the VM with it fails, and the next one runs" {
	fails panics "the VM ended while it ran"
	passes behind
}

@test "the sum is told, and the status" {
	[[ $(tail -n 1 "$dir/out") == "6 passed, 15 failed" ]]
	(($(<"$dir/status") == 1))
}

@test "a suite that there is not is an error of usage, and so is a bad table" {
	run tests/check-compat --suites "$dir/table" nothing
	((status == 2))
	[[ $output == *"there is no suite nothing; there are: good fifo"* ]]
	echo "bad pipes x 1 true" >"$dir/bad"
	run tests/check-compat --suites "$dir/bad"
	((status == 2))
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# run COMMAND: programs that know nothing of us get our pipes and cannot tell.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

probe=$PWD/build/tests/cli/probe
export IPCDEMO_RUN_COUNT=$BATS_TEST_TMPDIR/count

# How many pipes of ours were made, and how many of the kernel's.
made() {
	od -An -tu8 "$IPCDEMO_RUN_COUNT" | tr -s ' ' | sed 's/^ //'
}

# At least so many of ours were made, and none of the kernel's: made_ours N
made_ours() {
	local ours kernels

	read -r ours kernels < <(made)
	((ours >= $1 && kernels == 0)) || {
		echo "wanted $1 pipes of ours, there were $ours, and $kernels"
		return 1
	}
}

# What a command prints with pipe(2), and then with ours; has to be the same
# and to have made at least so many pipes: alike N CMD...
alike() {
	local n=$1 wanted=0 status=0

	shift
	"$@" </dev/null >"$dir/kernels" 2>&1 || wanted=$?
	rm -f "$IPCDEMO_RUN_COUNT"
	ipcdemo run -- "$@" </dev/null >"$dir/ours" 2>&1 || status=$?
	diff -u "$dir/kernels" "$dir/ours"
	same "$wanted" "$status"
	made_ours "$n"
}

# The ids of the anonymous pipes that there are now.
anonymous() {
	ipcdemo ls -o id,name | sed -n 's/^ *\([0-9]*\) *ipcdemo:.*/\1/p'
}

# Who has the only one open: has_ends WANTED
has_ends() {
	local id

	id=$(anonymous)
	[[ $id == [0-9]* && $(ipcdemo show --json "$id" | jq -jc '.ends |
		sort_by(.end)[] | [.end, .command]') == "$1" ]]
}

is_gone() {
	[[ ! -e $1 ]]
}

@test "the pipes of a shell are ours, and ls shows them meanwhile" {
	local id

	start ipcdemo run -- bash -c 'sleep 100 | cat'
	until_true has_ends '["read","cat"]["write","sleep"]'
	made_ours 1
	id=$(anonymous)
	pkill -x sleep
	wait "$pid"
	until_true is_gone "/proc/ipcdemo/pipe/$id"
}

@test "a program of any textbook works as it stands" {
	gcc -o "$dir/textbook" userspace/textbook.c
	alike 1 "$dir/textbook"
	same "hello, parent" "$(<"$dir/ours")"
}

@test "what a program can see of its pipes is the same" {
	local what

	for what in numbers errors fill capacity; do
		alike 1 "$probe" $what
	done
	# Not because they are the kernel's
	same $'ipcdemo\npipe' "$(ipcdemo run "$probe" kind)"
}

@test "descriptors that a program closes, threads, vfork and signals" {
	local what

	for what in closed vfork threads signals; do
		alike 6 "$probe" $what
	done
}

@test "popen and pclose are those of libc" {
	alike 12 "$probe" streams
}

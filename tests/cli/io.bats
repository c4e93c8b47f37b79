#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Using the pipe: read, write, resize, persist.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

@test "write and read carry megabytes, whole and in order" {
	head -c 3000000 /dev/urandom >"$dir/sent"
	start ipcdemo write "$dir/sent"
	ipcdemo read >"$dir/got"
	cmp "$dir/sent" "$dir/got"
	wait "$pid"
	start ipcdemo read
	ipcdemo write - <"$dir/sent"
	wait "$pid"
}

@test "read -c stops there, read -n takes what is there" {
	exec 9<>/dev/ipcdemo
	ipcdemo write -s abcdefgh
	same abc "$(ipcdemo read -c 3)"
	same defgh "$(ipcdemo read -n)"
	tried 1 ipcdemo read -n
	says "the pipe is empty, but has a writer: read without -n to wait"
	exec 9>&-
	tried 0 ipcdemo read -n
	same "" "$out$err"
}

@test "write -n says why it could not: no reader, no room" {
	tried 1 ipcdemo write -n -s x
	says "nobody has /dev/ipcdemo open for reading"
	exec 9<>/dev/ipcdemo
	head -c 70000 /dev/zero >"$dir/zeros"
	tried 1 ipcdemo write -n "$dir/zeros"
	says "the pipe is full after 65536 bytes"
	exec 9>&-
}

@test "write says that the reader has left, and how far it came" {
	head -c 200000 /dev/zero >"$dir/zeros"
	start ipcdemo read -c 1000
	tried 1 ipcdemo write "$dir/zeros"
	says "the last reader left after "
	says "start one, and write the rest again"
	wait "$pid"
}

@test "write does not wait when its file cannot be read" {
	tried 1 ipcdemo write "$dir/nothing"
	says "cannot read $dir/nothing: No such file"
	tried 1 timeout 10 ipcdemo write "$dir"
	says "cannot read $dir: Is a directory"
	tried 2 ipcdemo write -s x "$dir/nothing"
	says "write takes -s STRING or a file, not both"
	tried 2 ipcdemo write a b
	says "do not know what to do with 'b'"
}

@test "resize prints what it became, and says why it could not" {
	tried 0 ipcdemo resize 100000
	same 131072 "$out"
	same 131072 "$(value capacity)"
	same 1048576 "$(ipcdemo resize 1M "${pipe##*/}")"
	same 4096 "$(ipcdemo resize 0)"
	same '{"id":1,"capacity":65536}' "$(ipcdemo resize --json 64K |
		jq -c '.id = 1')"

	ipcdemo persist kernel
	head -c 20000 /dev/zero | ipcdemo write
	tried 1 ipcdemo resize 4K
	says "the pipe holds more than fits into 4096 bytes"
	tried 1 ipcdemo resize 4G
	says "a capacity of 4294967296 bytes is too large"
	tried 1 nobody ipcdemo resize 2M
	says "above what an ordinary user may set"
	tried 1 ipcdemo resize 64K 4000000000
	says "there is no such object with the id 4000000000"
	same 65536 "$(value capacity)"
	same 20000 "$(value bytes)"
	tried 2 ipcdemo resize 99999999999G
	says "'99999999999G' is no size"
	tried 2 ipcdemo resize 18446744073709551616
	says "is no size"
	tried 2 ipcdemo resize -- -4
	says "'-4' is no size"
	tried 2 ipcdemo resize
	says "resize needs a size"
}

@test "persist: bytes stay with nobody there, and are dropped afterwards" {
	same process "$(ipcdemo persist)"
	same kernel "$(ipcdemo persist kernel)"
	echo hello >/dev/ipcdemo
	same '{"id":1,"persistence":"kernel"}' "$(ipcdemo persist --json |
		jq -c '.id = 1')"
	same "6 0 0" "$(value bytes) $(value readers) $(value writers)"
	same hello "$(cat /dev/ipcdemo)"
	echo again >/dev/ipcdemo
	same process "$(ipcdemo persist process "${pipe##*/}")"
	same 0 "$(value bytes)"
	tried 2 ipcdemo persist forever
	says "'forever' is neither process nor kernel, nor an id"
	tried 1 ipcdemo persist kernel "${region##*/}"
	says "is a region, not a pipe"
}

@test "what cannot be printed is a failure" {
	local cmd words

	ipcdemo persist kernel
	echo hello >/dev/ipcdemo
	for cmd in ls show "show --json" peek "peek --hex" help --version \
		"region read -c 1" "persist" "read"; do
		read -ra words <<<"$cmd"
		ipcdemo "${words[@]}" >/dev/full 2>"$dir/err" && return 1
		grep -q "^ipcdemo: standard output: No space left" "$dir/err"
	done
}

@test "an ordinary user writes, reads, looks, peeks and resizes" {
	nobody ipcdemo persist kernel
	nobody ipcdemo write -s hello
	same hello "$(nobody ipcdemo peek)"
	same 32768 "$(nobody ipcdemo resize 32K)"
	nobody ipcdemo show | grep -q "1 of 8 slots used, 5 bytes"
	same hello "$(nobody ipcdemo read)"
}

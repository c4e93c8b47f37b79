#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The tour: what it says when all is well, that it can tell when it is not, and
# what it leaves behind.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

last_line() {
	tail -n 1 "$1"
}

@test "every step is as expected, and the pipe is left as it was" {
	ipcdemo persist kernel >/dev/null
	ipcdemo resize 32K >/dev/null
	ipcdemo tour >"$dir/out" 2>"$dir/err"
	[[ ! -s $dir/err ]]
	[[ $(last_line "$dir/out") =~ ^tour:\ ([0-9]+)\ steps,\ ([0-9]+)\ as ]]
	same "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	same "${BASH_REMATCH[1]}" "$(grep -c '^  ok$' "$dir/out")"
	same "${BASH_REMATCH[1]}" \
		"$(grep -cE "^[0-9]+/${BASH_REMATCH[1]}  [a-z]" "$dir/out")"
	# What was asked for: the mission's example finds this very tour
	grep -Eq '^  > root +[0-9]+ .* ipcdemo tour$' "$dir/out"
	grep -Eq 'open\.wait +pid [0-9]+ +sh ' "$dir/out"
	grep -Eq 'read\.wait +pid [0-9]+ +cat ' "$dir/out"
	grep -Eq 'write\.wait +pid [0-9]+ +seq ' "$dir/out"
	grep -q 'slots: 8  used: 8  bytes: 32768' "$dir/out" ||
		grep -q 'slots: 16  used: 16  bytes: 65536' "$dir/out"
	same "kernel 32768 0 0 0" "$(value persistence) $(value capacity) $(
		value bytes) $(value readers) $(value writers)"
}

@test "an ordinary user takes it, with a name, where all pages are there" {
	ipcdemo region fill 7
	nobody ipcdemo tour --name gone --no-color >"$dir/out"
	grep -Eq '^  > nobody .* ipcdemo tour --name gone' "$dir/out"
	[[ $(last_line "$dir/out") =~ ^tour:\ ([0-9]+)\ steps,\ ([0-9]+)\ as ]]
	same "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	# It wrote into a page, and put back what was there
	same 0 "$(ipcdemo region read | tr -d '\7' | wc -c)"
	tried 2 ipcdemo tour --name '.*'
	says "--name takes a word of letters and digits"
}

@test "it goes on where ps has more to say than the pipe holds" {
	printf '#!/bin/sh\n%s "$@"\nexec seq 1 30000\n' "$(type -P ps)" >"$dir/ps"
	chmod +x "$dir/ps"
	PATH=$dir:$PATH ipcdemo tour >"$dir/out"
	grep -Eq 'write\.wait +pid [0-9]+ +seq ' "$dir/out"
	grep -Eq '^  > root +[0-9]+ .* ipcdemo tour$' "$dir/out"
	[[ $(last_line "$dir/out") =~ ^tour:\ ([0-9]+)\ steps,\ ([0-9]+)\ as ]]
	same "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

@test "it says NOT as expected, and fails, when /proc says something else" {
	cp "$region" "$dir/frozen"
	mount --bind "$dir/frozen" "$region"
	ipcdemo tour >"$dir/out" || status=$?
	umount "$region"
	same 1 "$status"
	grep -q "NOT as expected: wanted maps 2, /proc says maps 0" "$dir/out"
	[[ $(last_line "$dir/out") =~ ^tour:\ ([0-9]+)\ steps,\ ([0-9]+)\ as ]]
	same $((BASH_REMATCH[1] - 3)) "${BASH_REMATCH[2]}"
	same "0 0" "$(value readers) $(value writers)"
}

@test "it is refused while somebody has the pipe, or bytes are in it" {
	start cat /dev/ipcdemo
	until_true waits_at open.wait
	tried 1 ipcdemo tour
	says "somebody has the pipe open"
	: >/dev/ipcdemo
	wait "$pid"
	ipcdemo persist kernel
	echo hello >/dev/ipcdemo
	tried 1 ipcdemo tour
	says "the pipe holds 6 bytes"
	same hello "$(ipcdemo read)"
}

@test "stopped by a signal, it leaves the pipe empty and no process behind" {
	local signal

	# A ps that does not end: the tour waits for it in its third step
	printf '#!/bin/sh\nexec sleep 100\n' >"$dir/ps"
	chmod +x "$dir/ps"
	for signal in INT TERM; do
		PATH=$dir:$PATH start ipcdemo tour
		until_true has_value readers 1
		kill -$signal "$pid"
		wait "$pid" && return 1
		same "process 0 0 0" "$(value persistence) $(value bytes) $(
			value readers) $(value writers)"
		tried 1 pgrep -x sleep
	done
}

teardown_file() {
	reload
}

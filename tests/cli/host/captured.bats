#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Reading and drawing, on text that was captured from /proc.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../common.bash"

@test "captured pipes and regions are drawn as they were agreed" {
	local name

	for name in half full big; do
		IPCDEMO_ROOT=$fixtures/$name ipcdemo show >"$dir/$name"
		diff -u "$fixtures/$name/drawn" "$dir/$name"
	done
	IPCDEMO_ROOT=$fixtures/half tried 0 ipcdemo show --json
	same '[["write",4320,"seq",1],["read",4321,"cat",0]]' "$(jq -c \
		'[.ends[] | [.end, .pid, .command, .fd]]' <<<"$out")"
	IPCDEMO_ROOT=$fixtures/half ipcdemo show 2 >"$dir/region"
	diff -u "$fixtures/half/drawn-region" "$dir/region"
}

@test "lines and columns that are new are passed over, missing ones are named" {
	IPCDEMO_ROOT=$fixtures/later ipcdemo show >"$dir/later"
	diff -u "$fixtures/half/drawn" "$dir/later"
	IPCDEMO_ROOT=$fixtures/later tried 0 ipcdemo ls -o id,colour
	[[ ${lines[1]} =~ ^\ *1\ +blue$ ]]

	IPCDEMO_ROOT=$fixtures/no-bytes tried 1 ipcdemo show
	says "no-bytes/proc/ipcdemo/pipe/1: there is no line 'bytes:'"
	IPCDEMO_ROOT=$fixtures/no-len tried 1 ipcdemo show
	says "no-len/proc/ipcdemo/pipe/1: there is no column 'len'"
	cp -r "$fixtures/half/proc" "$dir/proc"
	sed -i 's/^used: .*/used: 12x/' "$dir/proc/ipcdemo/pipe/1"
	IPCDEMO_ROOT=$dir tried 1 ipcdemo show
	says "'used' should be a number, it is '12x'"
	sed -i '/^15 - free/d; s/^used: .*/used: 8/' "$dir/proc/ipcdemo/pipe/1"
	IPCDEMO_ROOT=$dir tried 1 ipcdemo show
	says "15 lines in the ring, but 'slots' is 16"
}

@test "a command's name cannot steer the terminal, and JSON keeps it whole" {
	IPCDEMO_ROOT=$fixtures/full tried 0 ipcdemo show --color always
	[[ $out == *'evil \?[31m'* ]]
	IPCDEMO_ROOT=$fixtures/full tried 0 ipcdemo show --json
	same '"evil \\\u001b[31m"' "$(jq -c '.waiters[0].command' <<<"$out")"
	same '[4294967284,12]' \
		"$(jq -c '[.ring[4].index, .ring[15].page]' <<<"$out")"
}

@test "colour and blocks are for a terminal with UTF-8 only" {
	local show="env IPCDEMO_ROOT=$fixtures/half"

	LC_ALL=C.UTF-8 TERM=xterm script -qec "$show ipcdemo show" /dev/null \
		>"$dir/tty" </dev/null
	grep -q $'\033\[32m█' "$dir/tty"
	LC_ALL=C.UTF-8 TERM=xterm NO_COLOR=1 \
		script -qec "$show ipcdemo show" /dev/null >"$dir/tty" </dev/null
	grep -q █ "$dir/tty"
	tried 1 grep -q $'\033' "$dir/tty"
	LC_ALL=C TERM=xterm script -qec "$show ipcdemo show" /dev/null \
		</dev/null | tr -d '\r' >"$dir/tty"
	diff -u "$fixtures/half/drawn" "$dir/tty"
	IPCDEMO_ROOT=$fixtures/half LC_ALL=C.UTF-8 ipcdemo show --color always |
		sed 's/\x1b\[[0-9]*m//g' >"$dir/always"
	diff -u "$fixtures/half/drawn" "$dir/always"
	tried 2 ipcdemo show --color perhaps
	says "--color is auto, always or never"
}

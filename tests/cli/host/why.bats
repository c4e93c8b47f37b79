#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# why, on machines that are made up: what it says of a graph that is known.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../common.bash"

setup() {
	kids=()
	export IPCDEMO_ROOT=$dir
	mkdir -p "$dir/proc/ipcdemo/pipe" "$dir/proc/ipcdemo/region"
	cp "$fixtures/half/proc/ipcdemo/version" "$dir/proc/ipcdemo/"
	echo "id name readers writers" >"$dir/proc/ipcdemo/pipes"
	echo "id name" >"$dir/proc/ipcdemo/regions"
}

# a_pipe ID USED: a pipe of 16 slots; its waiters come from standard input, and
# behind an empty line its trail.
a_pipe() {
	local slot state=data waiters='' trail='' line to=waiters

	while IFS= read -r line; do
		if [[ -z $line ]]; then
			to=trail
		else
			printf -v $to '%s%s\n' "${!to}" "$line"
		fi
	done
	echo "$1 ipcdemo:[$1] 1 1" >>"$dir/proc/ipcdemo/pipes"
	{
		printf 'id: %s\nname: ipcdemo:[%s]\nowner: 0\nmode: 0600\n' "$1" "$1"
		printf 'persistence: process\ncapacity: 65536\nslots: 16\n'
		printf 'used: %s\nbytes: %s\nhead: %s\ntail: 0\n' "$2" $(($2 * 4096)) "$2"
		printf 'readers: 1\nwriters: 1\nspare: 0\nsnapshot: consistent\n'
		printf 'read_pollers: 0\nwrite_pollers: 0\n\n'
		echo "slot index state page pfn offset len flags"
		for ((slot = 0; slot < 16; slot++)); do
			((slot < $2)) || state=free
			echo "$slot - $state - - 0 0 -"
		done
		printf '\npoint pid command seconds state\n%s' "$waiters"
		printf '\npoint unit count\n\npoint pid command seconds state\n'
		printf '\nevent count pid command seconds\n%s' "$trail"
	} >"$dir/proc/ipcdemo/pipe/$1"
}

# a_task PID COMMAND PARENT SYSCALL [FD:END:PIPE...]
a_task() {
	local task=$dir/proc/$1 end fd

	mkdir -p "$task/fd" "$task/fdinfo"
	echo "$2" >"$task/comm"
	echo "$1 ($2) S $3 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 0" >"$task/stat"
	printf 'Name:\t%s\nTgid:\t%s\nSigIgn:\t0\nSigBlk:\t0\n' "$2" "$1" >"$task/status"
	echo "$4 0x0 0x0 0x0 0x0 0x0 0x0 0x0" >"$task/syscall"
	for end in "${@:5}"; do
		fd=${end%%:*}
		printf 'ipcdemo-object:\t%s\nipcdemo-end:\t%s\n' "${end##*:}" \
			"$(cut -d: -f2 <<<"$end")" >"$task/fdinfo/$fd"
	done
}

# The names of all mistakes that it says.
mistakes() {
	ipcdemo why --json | jq -r '[.mistakes[] |
		.name + (if .sure then "" else "?" end)] | join(",")'
}

# Numbers of system calls of this machine's kind: 0 is read there, 61 wait4.
calls_are_known() {
	[[ $(uname -m) == x86_64 ]] || skip "the numbers of calls are those of x86_64"
}

@test "the paragraph of a pipeline that stands at a pager" {
	calls_are_known
	a_task 790 bash 1 61 1:write:1
	a_task 812 gzip 790 1 1:write:1
	a_task 815 less 790 0 0:read:1
	sed -i 's/^0 0x0/0 0x3/' "$dir/proc/815/syscall"
	ln -s /dev/tty "$dir/proc/815/fd/3"
	a_pipe 1 16 <<-EOF
		write.wait 812 gzip 4.200 sleeping

		read 0 815 less 4.300
		write 0 812 gzip 4.200
	EOF
	tried 0 ipcdemo why
	same "writer 812 (gzip) has waited 4.2 s: the ring of pipe 1 is full, 16 of 16\
 slots; the only reader is 815 (less), which last read 4.3 s ago and is itself waiting\
 for terminal input (/dev/tty); 790 (bash) also holds a write end (descriptor 1), so\
 there would be no end of file if 812 ended." "$out"
	same "" "$(mistakes)"
	same "$out" "$(ipcdemo why 1)"
	same "$out" "$(ipcdemo why 812)"
	same '[[815],815,"outside",false]' "$(ipcdemo why --json |
		jq -c '.stuck[] | [.chain, .root, .root_waits, .deadlock]')"
}

@test "two who wait for each other are a deadlock; a third who could write is not" {
	a_task 10 a 1 0 3:read:1 4:write:2
	a_task 11 b 1 0 3:read:2 4:write:1
	a_pipe 1 0 <<-EOF
		read.wait 10 a 1.000 sleeping
	EOF
	a_pipe 2 0 <<-EOF
		read.wait 11 b 2.000 sleeping
	EOF
	tried 0 ipcdemo why
	[[ $out == *"deadlock: 10 (a) waits for 11 (b) waits for 10 (a); only a signal frees them."* ]]
	same "pipe-order?" "$(mistakes)"
	a_task 12 c 1 35 5:write:2
	tried 0 ipcdemo why
	[[ $out != *deadlock* ]]
	same "" "$(mistakes)"
	same "false false" "$(ipcdemo why --json | jq -r '[.stuck[].deadlock] | join(" ")')"
}

@test "two who take turns are no deadlock: one of them has begun to wait just now" {
	a_task 10 a 1 0 3:read:1 4:write:2
	a_task 11 b 1 0 3:read:2 4:write:1
	a_pipe 1 0 <<-EOF
		read.wait 10 a 1.000 sleeping
	EOF
	a_pipe 2 0 <<-EOF
		read.wait 11 b 0.000 sleeping
	EOF
	tried 0 ipcdemo why
	[[ $out == *"the only writer is 11 (b), which has not written yet and is at work until just now"* ]]
	[[ $out != *deadlock* ]]
	same "" "$(mistakes)"
	same '[[11,false]]' "$(ipcdemo why --json |
		jq -c '[.stuck[] | [.root, .deadlock]]')"
}

@test "one who waits in an epoll for edges is told of the bytes that it left" {
	calls_are_known
	a_task 10 a 1 232 3:read:1
	a_task 11 b 1 35 4:write:1
	echo "232 0x5 0x0 0x8 0xffffffffffffffff 0x0 0x0 0x0 0x0" \
		>"$dir/proc/10/syscall"
	echo "tfd:        3 events: 80000001 data: 0" >"$dir/proc/10/fdinfo/5"
	a_pipe 1 1 </dev/null
	tried 0 ipcdemo why
	[[ $out == "reader 10 (a) waits in poll: pipe 1 holds 4096 bytes, and its epoll tells only of what comes anew (EPOLLET); the only writer is 11 (b)"* ]]
	sed -i 's/80000001/1/' "$dir/proc/10/fdinfo/5"
	tried 0 ipcdemo why
	[[ $out == "reader 10 (a) waits in poll: pipe 1 holds 4096 bytes; the only"* ]]
}

@test "where a process may not be looked into, nobody is said to be deadlocked" {
	# Root may look into all
	local as=()

	((EUID)) || as=(setpriv --reuid 65534 --clear-groups)
	chmod 755 "$BATS_RUN_TMPDIR" "${dir%/*}" "$dir"
	"${as[@]}" ipcdemo --version >/dev/null || skip "others may not run it"
	a_task 10 a 1 0 3:read:1 4:write:2
	a_task 11 b 1 0 3:read:2 4:write:1
	a_task 12 c 1 35
	chmod 0 "$dir/proc/12/fdinfo"
	a_pipe 1 0 <<-EOF
		read.wait 10 a 1.000 sleeping
	EOF
	a_pipe 2 0 <<-EOF
		read.wait 11 b 2.000 sleeping
	EOF
	tried 0 "${as[@]}" ipcdemo why
	[[ $out == *"as far as may be seen, 10 (a) waits for 11 (b) waits for 10 (a); who may not be looked into could free them."* ]]
	[[ $out != *deadlock* ]]
	same "false false" "$("${as[@]}" ipcdemo why --json |
		jq -r '[.stuck[].deadlock] | join(" ")')"
	chmod 755 "$dir/proc/12/fdinfo"
}

@test "who was asked and has not answered may keep his answer" {
	a_task 10 a 1 0 3:read:1 4:write:2
	a_task 11 b 1 0 3:read:2 4:write:1
	a_pipe 1 0 <<-EOF
		read.wait 10 a 1.000 sleeping
	EOF
	a_pipe 2 0 <<-EOF
		read.wait 11 b 2.000 sleeping

		read 0 11 b 2.000
		write 0 10 a 2.004
	EOF
	same "stdio-buffering?" "$(mistakes)"
}

@test "a reader with its own write end is accused once the writer has gone" {
	a_task 20 sort 1 0 0:read:1 5:write:1
	a_pipe 1 0 <<-EOF
		read.wait 20 sort 3.000 sleeping

		read 0 20 sort 3.000
		write 0 19 seq 3.100
	EOF
	same "unused-end" "$(mistakes)"
	# Both ends in one descriptor
	rm "$dir/proc/20/fdinfo/5"
	sed -i 's/read$/both/' "$dir/proc/20/fdinfo/0"
	same "rdwr-fifo" "$(mistakes)"
	# The only one who ever wrote is the one who waits
	sed -i 's/^write 0 19 seq/write 0 20 sort/' "$dir/proc/ipcdemo/pipe/1"
	same "same-process" "$(mistakes)"
	# Nobody has written: a server before its first client
	sed -i '/^write 0/d; /^read 0/d' "$dir/proc/ipcdemo/pipe/1"
	same "" "$(mistakes)"
	# Several threads: another one may write
	sed -i 's/both$/read/' "$dir/proc/20/fdinfo/0"
	printf 'ipcdemo-object:\t1\nipcdemo-end:\twrite\n' >"$dir/proc/20/fdinfo/5"
	same "same-process" "$(mistakes)"
	sed -i 's/ 20 0 1 0 0$/ 20 0 2 0 0/' "$dir/proc/20/stat"
	same "" "$(mistakes)"
}

@test "one whose calls cannot be seen may move" {
	a_task 10 a 1 0 3:read:1
	a_task 11 b 1 0 4:write:1
	rm "$dir/proc/11/syscall"
	a_pipe 1 0 <<-EOF
		read.wait 10 a 1.000 sleeping
	EOF
	same '[11,"hidden",false]' "$(ipcdemo why --json |
		jq -c '.stuck[] | [.root, .root_waits, .deadlock]')"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# record COMMAND...: what the kernel says of its points is what the module counts.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

instances=/sys/kernel/tracing/instances
counting=/sys/module/ipcdemo/parameters/count_points

# How often each point was passed, of all objects, as JSON.
passed() {
	awk 'NR > 1 { printf "%s\"%s\":%d", (NR > 2 ? "," : "{"), $1, $4 }
		END { print "}" }' /proc/ipcdemo/points
}

# Records a command while the module counts; in "before" and "after" what it had
# counted. In "report" what was recorded: counted_record STATUS ARGUMENT...
counted_record() {
	local wanted=$1

	shift
	echo 1 >"$counting"
	passed >"$dir/before"
	tried "$wanted" ipcdemo record -o "$dir/rec" "$@"
	passed >"$dir/after"
	echo 0 >"$counting"
	ipcdemo report --json "$dir/rec" >"$dir/report"
}

# What the module counted at each point meanwhile; as JSON, without zeros.
counted_meanwhile() {
	jq -nSc --slurpfile a "$dir/before" --slurpfile b "$dir/after" '$b[0] |
		with_entries(.value -= $a[0][.key] | select(.value != 0))'
}

# Nothing of record is left in tracefs.
nothing_left() {
	[[ ! -d $instances || -z $(ls "$instances") ]]
}

@test "of ps aux | grep each point is recorded as often as the module counts it" {
	local copied_w copied_r wake_r wake_w

	copied_w=$(counted write.copy) copied_r=$(counted read.copy)
	wake_r=$(counted wake.readers) wake_w=$(counted wake.writers)
	counted_record 0 ipcdemo pipeline 'ps aux | grep ipcdem[o]'
	[[ $out == *"ipcdemo pipeline"* ]]
	[[ $err == "ipcdemo: $dir/rec has "*" points; nothing was lost" ]]
	same "$(counted_meanwhile)" "$(jq -Sc .passed "$dir/report")"

	# Bytes and wake-ups are those of the counters, which always run
	same "[$(($(counted write.copy) - copied_w)),$(($(counted read.copy) - copied_r))]" \
		"$(jq -c '.objects[0] | [.written, .read]' "$dir/report")"
	same "$(($(counted wake.readers) - wake_r + $(counted wake.writers) - wake_w))" \
		"$(jq '.passed | .["wake.readers"] + .["wake.writers"]' "$dir/report")"
	same '"/dev/ipcdemo"' "$(jq -c '.objects[0].name' "$dir/report")"

	# Who they are, and that each moment of their lives is told of
	same '["grep","ps"]' "$(jq -c '[.uses[] | select(.read + .written > 0).pid] as $p |
		[.tasks[] | select(.pid | IN($p[])).command] | sort' "$dir/report")"
	same true "$(jq '[.tasks[] | select(.processor_known) | .life_ns == .running_ns + .copying_ns +
		.waiting_ns + .mutex_ns + .elsewhere_ns] | length > 1 and all' "$dir/report")"
	same '[0,false]' "$(jq -c '[.lost_points, .lower_bounds]' "$dir/report")"
	nothing_left
}

@test "the pipes of an unmodified pipeline are seen, and who waited for whom" {
	# The pipe stays until it was looked at: its name is nowhere else
	rm -f "$dir/rec"
	tried 0 ipcdemo record -o "$dir/rec" bash -c '
		{
			until grep -qs " sleeping$" /proc/ipcdemo/pipe/*; do :; done
			until grep -qs "\"name\":\"ipcdemo:\[" '"$dir/rec"'; do :; done
			echo hello
		} | cat'
	same hello "$out"
	ipcdemo report --json "$dir/rec" >"$dir/report"
	# The reader waited, and the writer woke it
	same '[["read",true]]' "$(jq -c '(.uses[] | select(.written > 0).pid) as $writer |
		[.waits[] | select(.for == $writer) | [.what, .ns > 0]]' "$dir/report")"
	grep -q '"name":"ipcdemo:\[' "$dir/rec"
	# Only what is of the module is seen without its pipes
	tried 0 ipcdemo record -k -o "$dir/rec" bash -c 'echo a | readlink /proc/self/fd/0'
	[[ $out == pipe:* ]]
	[[ $err == *" has 0 points; nothing was lost" ]]
	tried 0 ipcdemo report "$dir/rec"
	[[ $out == *"0 points"* ]]
}

@test "what has no room in the kernel's buffers is counted, to the last point" {
	counted_record 0 -b 8K ipcdemo pipeline \
		'head -c 300000 /dev/zero | dd bs=100 of=/dev/null status=none'
	[[ $err == *" points were lost"* || $err == *" were lost (processor 0: "* ]]
	same true "$(jq '.lost_points > 0 and .lower_bounds' "$dir/report")"
	same "$(counted_meanwhile | jq '[.[]] | add')" \
		"$(jq '.points + .lost_points' "$dir/report")"
	tried 0 ipcdemo report "$dir/rec"
	[[ $out == *"points were lost: numbers of calls, bytes and wake-ups are lower bounds"* ]]
	# With more of it nothing is
	counted_record 0 -b 16M ipcdemo pipeline \
		'head -c 100000 /dev/zero | dd bs=100 of=/dev/null status=none'
	same 0 "$(jq .lost_points "$dir/report")"
	same "$(counted_meanwhile)" "$(jq -Sc .passed "$dir/report")"
}

@test "of two recordings at once each has what passed while it was on" {
	is_recorded() {
		grep -q '"at":"read.eof"' "$dir/outer" 2>/dev/null
	}

	start ipcdemo record -o "$dir/outer" sh -c "ipcdemo pipeline 'seq 99 | wc -l'
		until [ -e $dir/done ]; do sleep 0.02; done"
	until_true is_recorded
	counted_record 0 ipcdemo pipeline 'seq 1000 | wc -l'
	same "$(counted_meanwhile)" "$(jq -Sc .passed "$dir/report")"
	same 0 "$(jq .lost_points "$dir/report")"
	: >"$dir/done"
	wait "$pid"
	ipcdemo report --json "$dir/outer" >"$dir/report"
	same '[2,0]' "$(jq -c '[.passed["read.eof"], .lost_points]' "$dir/report")"
	nothing_left
}

@test "the status is that of the command, and its children are waited for" {
	cd "$dir" || return
	tried 143 ipcdemo record sh -c '(sleep 0.3; echo late >/dev/ipcdemo) &
		cat /dev/ipcdemo >late & kill -TERM $$'
	same late "$(<late)"
	[[ $err == "ipcdemo: ipcdemo.rec has "*" points; nothing was lost" ]]
	tried 0 ipcdemo report
	[[ ${lines[0]} == "ipcdemo.rec: sh -c "*" (status 143)" ]]
	[[ $out == *"/dev/ipcdemo"* ]]
	tried 127 ipcdemo record ipcdemo-no-such-program
	says "cannot run ipcdemo-no-such-program: No such file or directory"
	nothing_left
}

@test "Ctrl-C does not wait for what the command left behind" {
	start ipcdemo record -o "$dir/rec" sh -c 'sleep 100 & exit 3'
	until_true pgrep -x sleep
	# Its end is seen before
	sleep 0.5
	kill -INT "$pid"
	wait "$pid" || same 3 $?
	pkill -x sleep
	tried 0 ipcdemo report "$dir/rec"
	nothing_left
}

@test "the instances in tracefs go however the recorder ends" {
	is_there() {
		[[ -n $(ls "$instances" 2>/dev/null) ]]
	}
	both() {
		is_there && [[ -s $dir/rec && -e $dir/begun ]]
	}

	start ipcdemo record -o "$dir/rec" sh -c ": >$dir/begun; exec sleep 100"
	until_true both
	kill -KILL "$pid"
	until_true nothing_left
	pkill -x sleep
	# It is not whole, and a report says so
	tried 1 ipcdemo report "$dir/rec"
	says "the recording is not whole"

	rm "$dir/begun"
	start ipcdemo record -o "$dir/rec" sh -c ": >$dir/begun; exec sleep 100"
	until_true both
	kill -TERM "$pid"
	wait "$pid" || same 143 $?
	nothing_left
	tried 0 ipcdemo report "$dir/rec"
}

@test "what cannot be recorded is refused before the command runs" {
	tried 1 ipcdemo record -o "$dir/no/such" touch "$dir/ran"
	says "cannot write $dir/no/such: No such file or directory"
	tried 1 nobody ipcdemo record -o /dev/null touch "$dir/ran"
	says "record needs root"
	nothing_left
	rmmod ipcdemo
	tried 1 ipcdemo record -o "$dir/rec" touch "$dir/ran"
	says "the module is not loaded"
	reload
	[[ ! -e $dir/ran ]]
	tried 1 ipcdemo record -o /dev/full touch "$dir/ran"
	says "cannot write /dev/full: No space left on device"
	[[ ! -e $dir/ran ]]
	# A disk that gets full is noticed when the command has run
	mount -t tmpfs -o size=8k none /mnt
	tried 1 ipcdemo record -o /mnt/rec sh -c 'cat /dev/ipcdemo >/dev/null &
		for i in 1 2 3 4 5 6 7 8 9; do echo; done >/dev/ipcdemo'
	says "cannot write /mnt/rec: No space left on device: the recording is not whole"
	umount /mnt
	nothing_left
}

teardown_file() {
	echo 0 >"$counting"
	reload
}

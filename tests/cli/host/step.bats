#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Schedules that are none: each message names file, line and column, and what
# could stand there. Nothing is run then, so no module is needed.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../common.bash"

# wrong LINE:COLUMN MESSAGE SCHEDULE
wrong() {
	printf 'task W opens write\n%b\n' "$3" >"$dir/x.step"
	tried 2 ipcdemo step "$dir/x.step"
	says "$dir/x.step:$1: $2"
	[[ -z $out && $err != *$'\n'* ]]
}

@test "a line that begins with something else" {
	wrong 2:1 "expected pipe, task, run, step, signal, kill, let, expect, or a task and a colon, not 'wait'" "wait W"
	wrong 2:1 "there is no task 'X': 'task X opens write' is missing above" "X: write 1"
	wrong 3:3 "expected a blank behind the colon" "# a comment\nW:write 1"
	wrong 2:3 "expected open, read, write, splice, tee, vmsplice, close, poll, resize, signal or run, not the end of the line" "W:"
}

@test "declarations" {
	wrong 2:14 "expected read, write, both or nothing, not 'wrote'" "task R opens wrote"
	wrong 2:6 "expected a name that no other task has, not 'W'" "task W"
	wrong 2:6 "expected a name for the task" "task head"
	wrong 2:6 "expected a name for the task" "task 1st"
	wrong 2:12 "expected a power of two, not '3'" "pipe slots 3"
	wrong 2:14 "expected 'process' or 'kernel', not 'user'" "pipe persist user"
	wrong 3:1 "'pipe' comes before everything but 'task'" "W: write 1\npipe slots 2"
	wrong 2:11 "expected this line above the tasks, not 'named'" "pipe kind named"
	wrong 2:19 "the device has no packets: 'pipe kind anonymous' or 'pipe kind named' above" "task R opens read packets"
	tried 2 ipcdemo step - </dev/null
	says "standard input:1:1: the file has no task"
}

@test "operations" {
	wrong 2:9 "expected a number up to 1048576, not the end of the line" "W: write"
	wrong 2:10 "expected a number up to 1048576, not '2M'" "W: write 2M"
	wrong 2:11 "expected a number up to 65536, not '65537'" "W: splice 65537"
	wrong 2:10 "this \" has no partner" 'W: write "abc'
	wrong 2:15 "expected a blank behind the \"" 'W: write "abc"x'
	wrong 2:12 "expected the end of the line, not '2'" "W: write 1 2"
	wrong 2:11 "expected the name of a task, not 'R'" "W: signal R USR1"
	wrong 2:13 "expected USR1, USR2, ALRM, TERM or PIPE, not 'KILL'" "W: signal W KILL"
	wrong 2:7 "expected a command, not the end of the line" "W: run"
	wrong 3:4 "R has nothing open: 'task R opens write', or an operation 'open write' before" "task R\nR: read 1"
}

@test "orders" {
	wrong 2:13 "expected a point such as write.copy (/proc/ipcdemo/points has them all), 'blocked' or 'done', not 'write.cop'" "run W until write.cop"
	wrong 2:13 "no task can be stopped at write.sleep: give a point before or after it, or 'blocked'" "run W until write.sleep"
	wrong 2:13 "expected a point of a pipe, not 'map.fault'" "run W until map.fault"
	wrong 2:11 "expected a number from 1 on, not '0'" "run W for 0 calls"
	wrong 2:13 "expected 'calls', not 'times'" "run W for 2 times"
	wrong 2:8 "expected a number from 1 on, not '0'" "step W 0"
	wrong 2:18 "no task can be stopped at poll.look" "signal W USR1 at poll.look"
	wrong 2:6 "expected 'go', not the end of the line" "let W"
}

@test "expectations" {
	wrong 2:8 "expected a task, slots, bytes, head, tail, readers, writers, poll or count, not 'X'" "expect X done"
	wrong 2:10 "expected at, blocked, asleep, waits, done, gone, result, got, caught or decided, not 'happy'" "expect W happy"
	wrong 2:17 "expected a number, an errno such as EAGAIN, or what poll says (in, out, err, hup, nothing), not 'ENOTHING'" "expect W result ENOTHING"
	wrong 2:14 "expected \"text\", W*4096 (so many W) or nothing, not '5'" "expect W got 5"
	wrong 2:14 "expected a point that has a counter" "expect count write.look 1"
	wrong 2:13 "expected a number up to 4294967295, not 'tail'" "expect head tail 1"
}

@test "one typo stops all files, and a file that is not there is status 1" {
	echo "task W opens write" >"$dir/good.step"
	echo "tusk W" >"$dir/bad.step"
	tried 2 ipcdemo step "$dir/good.step" "$dir/bad.step"
	says "$dir/bad.step:1:1: expected pipe, task"
	tried 1 ipcdemo step "$dir/none.step"
	says "$dir/none.step: No such file or directory"
	tried 2 ipcdemo step
	says "step needs a FILE with a schedule"
	tried 2 ipcdemo step --timeout soon "$dir/good.step"
	says "'soon' is no number of seconds"
}

@test "the schedules of the tests can be read" {
	tried 2 ipcdemo step tests/interleave/*.step <(echo end)
	same 1 "$(wc -l <<<"$err")"
}

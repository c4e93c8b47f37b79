#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The screen of `ipcdemo step ID`, used as a person uses it: by keys, in a
# terminal (tmux).

# shellcheck source=tests/kernel/screen.bash
source "$BATS_TEST_DIRNAME/screen.bash"

@test "tasks are stepped and run; each has its sentence; ring and queues are drawn" {
	begin
	sees 'no task yet: n makes one'
	types 'task R opens read'
	types 'task W opens write'
	types 'R: read 10'
	types 'W: write "hello"'
	keys k
	sees '^> R +[0-9]+ R +read 10 +has not begun'
	keys s
	sees '^> R .* is at read.enter \(len 10, head 0, tail 0\)'
	sees '^    a read has begun; it has no lock$'
	keys s
	sees '^    the read has the mutex and has looked at nothing yet$'
	sees '^ +6  step R  +R is at read.locked$'
	keys r
	sees '^> R .* is asleep at read.sleep'
	sees '^ +7  run R until blocked  +R is asleep at read.sleep$'
	sees "^Readers' queue: R \([0-9]+, sleeping\)"
	sees "^Writers' queue: nobody"
	keys j r
	sees '^> W .* is done: write "hello" gave 5'
	sees '^  R .* is at read.woken'
	sees '^ pipe .* 1 of 16 slots used, 5 bytes; readers 1, writers 1'
	sees '^ +tail .* 0    5 +[0-9]+$'
	keys s
	sees '^W cannot take a step: it is done: write "hello" gave 5; it has nothing left to$'
	sees '^do$'
	leave
	is_clean
}

@test "gates stop what is run; when they are cleared it goes on to its end" {
	begin_with_two
	keys g
	sees '^hold at'
	keys read.qu Tab
	sees '^hold at .*read.queue *$'
	keys Enter
	sees '^Gates: read.queue$'
	gate 'write.p*'
	keys r
	sees '^> R .* is at read.queue '
	keys a
	sees '^  W .* is at write.publish '
	sees '^> R .* is asleep'
	sees 'run W until write.publish  +W is at write.publish'
	keys c
	sees '^clear the gate at'
	keys read.queue Enter
	sees '^Gates: write.p\*$'
	keys G
	sees '^Gates: none$'
	keys g
	sees '^hold at'
	keys read.sleep Enter
	sees "there is no point 'read.sleep' where a task can be held"
	keys a
	sees '^  W .* is done'
	sees '^> R .* is done: read 10 gave 5'
	keys a
	sees 'there is no task that can move'
	leave
	is_clean
}

@test "undo replays up to the action before, and what is saved replays as a file" {
	begin_with_two
	keys s s
	sees 'is at read.locked '
	keys u
	sees '^> R .* is at read.enter '
	sees_not '^ +6  step R'
	sees 'undone'
	keys r
	sees '^ +6  run R until blocked'
	types 'signal R USR1'
	sees 'R .* is at read.leave '
	keys u
	sees '^> R .* is asleep at read.sleep'
	types 'step W 6'
	keys a
	sees 'R is done: read 10 gave 5'
	types 'expect bytes 0'
	keys w C-u saved.step Enter
	sees '^saved: ipcdemo step saved.step does it again'
	keys w C-u saved.step Enter
	sees 'saved.step is there: write over it'
	keys n
	# Back to the beginning, and one further.
	keys u u u u u u u u u u u
	sees 'there is nothing to undo'
	sees '^no task yet'
	leave
	is_clean
	tried 0 ipcdemo step "$dir/saved.step"
	[[ $out == *"run R until blocked "*"expect R asleep "*"step W 6 "*"expect W at "*"expect R got \"hello\" "*"expect slots used 0 "* ]]
	[[ $out != *"signal"* ]]
	# What it expects can fail.
	sed -i 's/^step W 6/step W 5/' "$dir/saved.step"
	tried 1 ipcdemo step "$dir/saved.step"
	is_clean
}

@test "a live process is held, stepped, let go; it is saved as a task that replays" {
	begin /dev/ipcdemo
	gate '*'
	start cat /dev/ipcdemo >"$dir/got"
	sees "^> cat +$pid cat +open read +is at open.enter "
	sees "cat \\($pid\\) is held at open.enter"
	keys G
	sees '^Gates: none'
	keys s
	sees '^> cat .* is at open.locked '
	keys r
	sees '^> cat .* is asleep at open.sleep'
	sees "^In open: cat \\($pid, sleeping\\)"
	types 'task W opens write'
	sees '^  cat .* is at open.woken'
	types 'W: write "live\n"'
	keys a
	sees '^> W .* is done'
	keys a
	sees '^  cat .* read [0-9]+ +is at read.enter'
	keys a
	keys a
	sees '^  cat .* is asleep at read.sleep'
	same live "$(<"$dir/got")"
	keys u
	sees 'a live process took part, and what it did cannot be undone'
	keys w C-u live.step Enter
	sees '^saved'
	types 'W: write "more\n"'
	keys r k l
	sees '^> cat .* \(free\)'
	sees 'cat goes where it likes'
	until_true grep -qx more "$dir/got"
	# Another one comes, and is held until the end of the session.
	gate write.copy
	start ipcdemo write -s last
	sees 'is at write.copy'
	until_true is_held ipcdemo
	keys q
	left 0
	wait
	same $'live\nmore\nlast' "$(<"$dir/got")"
	is_clean
	tried 0 ipcdemo step "$dir/live.step"
	[[ $out == *"cat: open read"*"run cat until open.locked "*"expect cat result 5 "*"expect cat asleep "* ]]
	is_clean
}

@test "who sleeps already when a gate is set is a task, and wakes up to the gate" {
	# First: it would keep descriptor 9 open.
	open_terminal LANG=C.UTF-8
	start cat /dev/ipcdemo
	exec 9>/dev/ipcdemo
	until_true waits_at read.wait
	begin
	sees '^ pipe .* readers 1, writers 1'
	gate write.copy
	sees '^no task yet'
	gate '*'
	sees "^> cat +$pid cat +read [0-9]+ +is asleep at read.sleep"
	sees '^ +[0-9]+  run cat until blocked'
	types 'task W opens write'
	types 'W: write "wake"'
	keys G r
	sees '^> W .* is done'
	sees '^  cat .* is at read.woken '
	keys k r
	sees '^> cat .* is at read.enter'
	keys w C-u asleep.step Enter
	sees '^saved'
	keys j u
	sees 'a live process took part'
	leave
	exec 9>&-
	wait
	is_clean
	tried 0 ipcdemo step "$dir/asleep.step"
	[[ $out == *"run cat until blocked "*"expect cat at read.woken "*"expect cat result 4 "* ]]
	is_clean
}

@test "a FIFO of ipcdemofs can be stepped as well, by its path and by its id" {
	local id

	mkdir "$dir/fs"
	mount -t ipcdemofs none "$dir/fs"
	mkfifo "$dir/fs/fifo"
	begin fs/fifo
	types 'task R opens read'
	types 'R: open write nonblock'
	types 'task W opens write'
	types 'W: write 5'
	keys r
	sees '^> W .* is done: write 5 gave 5'
	sees '^ pipe [0-9]+: 1 of 16 slots used, 5 bytes; readers 1, writers 1'
	same "0 0" "$(value readers) $(value bytes)"
	keys u u u u
	sees '^> R .* has not begun'
	id=$(screen | sed -n 's/^ pipe \([0-9]*\):.*/\1/p')
	leave
	begin "$id"
	sees "^ pipe $id: 0 of 16 slots used, 0 bytes; readers 0, writers 0"
	types 'task B opens both'
	sees "^ pipe $id: .* readers 1, writers 1"
	leave
	umount "$dir/fs"
	is_clean
}

@test "a file is done line by line, up to a line that is chosen" {
	begin 1 "$PWD/tests/interleave/read-sleep-write-at-queue.step"
	sees '^next  run R until read.queue'
	keys x
	sees '^ +[0-9]+  run R until read.queue  +R is at read.queue'
	keys Enter
	sees '^next  expect'
	keys u u
	sees '^next  run R until read.queue'
	leave
	printf '%s\n' 'pipe slots 2' 'task W opens both' 'W: write 4097' \
		'# a comment' 'run W until write.copy' 'step W' 'expect bytes 1' \
		'step W' >"$dir/x.step"
	begin 1 x.step --until 6
	sees '^> W .* is at write.publish'
	sees ' 1 of 2 slots used, 4096 bytes'
	sees '^next  expect bytes 1'
	keys x
	sees '^expected bytes 1, but it is 4096'
	sees '^next  expect bytes 1'
	leave
	sed -i '7s/1/4096 # a page/' "$dir/x.step"
	begin 1 x.step
	keys x
	sees '^# a comment$'
	keys x x
	sees '^# a page$'
	leave
	is_clean
	echo 'run X until done' >"$dir/x.step"
	tried 2 script -qec "ipcdemo step 1 $dir/x.step" /dev/null
	[[ $out == *"x.step:1:5: expected a task, but there is none yet"* ]]
}

@test "what is typed wrongly is told, and changes nothing" {
	begin_with_two
	types 'run R until write.cop' \
		'^at column 13: expected a point such as write.copy'
	types 'run R until write.copy' \
		'^R does not come to write.copy: it is asleep at read.sleep'
	# But the steps that it took are in the schedule.
	sees '^ +[0-9]+  step R [0-9]+  +R is asleep'
	types 'task R' \
		'expected a name that no other task has'
	types 'expect bytes 7' \
		'^expected bytes 7, but it is 0'
	keys n
	sees '^: *$'
	keys 'task X opens read' Escape
	sees_not '^:'
	types 'task C'
	types 'C: run sh -c "echo complains >&2"'
	keys r
	sees 'complains'
	sees '^> C .* is gone'
	keys Z
	sees 'this key does nothing'
	keys '?'
	sees '^s  step:'
	keys x
	sees '^> C '
	leave
	is_clean
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The interactive VM, used as a person uses it: in a terminal, by keys.

screen() {
	tmux -S "$socket" capture-pane -p -J -t vm
}

# Waits until a line of the screen matches the extended regular expression.
wait_for() {
	local i

	for ((i = 0; i < 600; i++)); do
		! screen | grep -qE "$1" || return 0
		sleep 0.1
	done
	echo "no line matches $1 on this screen:"
	screen
	return 1
}

# The shell in the VM waits for a command. What is typed before that can get
# lost between a command and the line editor.
prompt() {
	wait_for '^vm.*# *$'
}

keys() {
	tmux -S "$socket" send-keys -t vm "$@"
}

setup() {
	socket=$BATS_TEST_TMPDIR/tmux
	# The size is one that no default has.
	TERM=xterm tmux -S "$socket" -f /dev/null new-session -d -s vm \
		-x 93 -y 41 "env PS1='host> ' bash --norc -i" 3>&-
}

teardown() {
	tmux -S "$socket" kill-server
}

@test "a shell in the VM has job control, Ctrl-C, the terminal's size, the module" {
	wait_for '^host> '
	keys 'stty -g >'"$BATS_TEST_TMPDIR"'/before' Enter
	keys "tests/vm/run --module --interactive --log $BATS_TEST_TMPDIR/log" \
		Enter
	prompt

	keys 'stty size; tty' Enter
	wait_for '^41 93$'
	wait_for '^/dev/hvc0$'
	prompt
	keys 'ls -C /proc/ipcdemo; type ipcdemo' Enter
	wait_for '^pipe .*version'
	wait_for "^ipcdemo is $PWD/build/ipcdemo\$"

	# Ctrl-C ends the command, not the VM.
	prompt
	keys 'echo going; cat /dev/ipcdemo' Enter
	wait_for '^going$'
	keys C-c
	prompt
	keys 'echo status $?' Enter
	wait_for '^status 130$'

	# Ctrl-Z stops it, and it can be continued.
	prompt
	keys "sh -c 'echo ready; exec sleep 1234'" Enter
	wait_for '^ready$'
	keys C-z
	wait_for 'Stopped +sh -c'
	prompt
	keys 'jobs; kill %1; fg' Enter
	wait_for '^Terminated'

	# What is left behind ends with the shell: neither one that holds the
	# pipe, nor one that ignores to be hung up, is in the module's way.
	prompt
	keys 'ipcdemo read & nohup cat /dev/ipcdemo >/dev/null 2>&1 &' Enter
	wait_for '^\[2\] [0-9]+'
	keys clear Enter
	prompt
	# Two wait in open: the column before those of the inode.
	keys 'until grep -q " 2 - -$" /proc/ipcdemo/pipes; do sleep 0.1; done' \
		'; echo both wait' Enter
	wait_for '^both wait$'

	prompt
	keys 'exit 7' Enter
	wait_for '^host> *$'
	keys 'echo "left with $?"; stty -g >'"$BATS_TEST_TMPDIR"'/after' \
		'; echo done' Enter
	wait_for '^left with 0$'
	wait_for '^done$'
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

# What docs/stepping.md has one type, block by block, in the section on the hang.
blocks() {
	awk '/^## / { on = /hang of Linux/ }
		on && /^```/ { inside = !inside; if (inside) n++; next }
		on && inside { print > (dir "/block" n) }' dir="$1" \
		docs/stepping.md
}

# The block has these lines.
says() {
	diff <(printf '%s\n' "${@:2}") "$BATS_TEST_TMPDIR/block$1"
}

@test "the hang comes as docs/stepping.md says, and not with the real module" {
	local bug=two-loads
	local -a lines

	blocks "$BATS_TEST_TMPDIR"
	says 1 "make shell BUG=$bug"
	says 3 'ipcdemo show'

	wait_for '^host> '
	keys "unset MAKEFLAGS MAKELEVEL; $(<"$BATS_TEST_TMPDIR/block1")" Enter
	wait_for "^run: the module in it has a bug, .*: $bug"
	wait_for "^vm with bug $bug:.*# *\$"
	keys "$(<"$BATS_TEST_TMPDIR/block2")" Enter
	wait_for '^ +[0-9]+  run W until done +no$'
	wait_for 'W does not come to the end .* asleep at write.sleep; somebody'
	wait_for '^all stays as it is'
	keys "clear; $(<"$BATS_TEST_TMPDIR/block3")" Enter
	wait_for ' 0 of 2 slots used, 0 bytes; 1 reader, 2 writers'
	wait_for '^  write.wait +pid [0-9]+ +W .* sleeping  for a free slot'
	prompt
	keys 'clear; ipcdemo ls' Enter
	wait_for ' /dev/ipcdemo +2 +0 +0 +1 +R\([0-9]+\) +V\([0-9]+\)\+1$'

	# The same with the real one
	mapfile -t lines <"$BATS_TEST_TMPDIR/block5"
	says 5 'kill %1' exit 'make shell' "${lines[3]}"
	prompt
	keys "${lines[0]}; clear" Enter
	prompt
	keys "${lines[1]}" Enter
	wait_for '^host> *$'
	keys "clear; ${lines[2]}" Enter
	prompt
	keys "${lines[3]}" Enter
	wait_for 'run W until done +W is done: write 12288 gave 12288'
	wait_for '^6 expectations held$'
	prompt
	keys 'exit' Enter
	wait_for '^host> *$'
}

@test "a run that is killed gives the terminal back" {
	local pid

	wait_for '^host> '
	keys 'stty -g >'"$BATS_TEST_TMPDIR"'/before' Enter
	keys "tests/vm/run --interactive --log $BATS_TEST_TMPDIR/log" Enter
	wait_for '^run: booting'
	pid=$(pgrep -f -- "--interactive --log $BATS_TEST_TMPDIR/log" | head -n 1)
	kill -TERM "$pid"
	wait_for '^host> *$'
	keys 'stty -g >'"$BATS_TEST_TMPDIR"'/after; echo done' Enter
	wait_for '^done$'
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# ipcdemo step on the console of a VM: a terminal that is bytes and nothing more,
# as a serial line is. No signal tells of its size, and no shell is there.

screen() {
	tmux -S "$socket" capture-pane -p -t vm
}

# Waits until a line of the screen matches the extended regular expression.
wait_for() {
	local i

	for ((i = 0; i < 600; i++)); do
		! grep -qE -- "$1" < <(screen) || return 0
		sleep 0.1
	done
	echo "no line matches $1 on this screen:"
	screen
	return 1
}

keys() {
	tmux -S "$socket" send-keys -t vm "$@"
}

setup() {
	socket=$BATS_TEST_TMPDIR/tmux
	TERM=xterm tmux -S "$socket" -f /dev/null new-session -d -s vm \
		-x 80 -y 24 "env PS1='host> ' bash --norc -i" 3>&-
}

teardown() {
	tmux -S "$socket" kill-server
}

@test "a pipe is stepped on a console that is a vt100" {
	wait_for '^host>'
	keys "clear; TERM=vt100 tests/vm/run --module --interactive" \
		" --log $BATS_TEST_TMPDIR/log -- ipcdemo step 1" \
		'; echo status $?' Enter
	wait_for '^ pipe [0-9]+: 0 of 16 slots used, 0 bytes'
	wait_for '^no task yet'
	keys n 'task W opens both' Enter n 'W: write 5000' Enter
	wait_for '^> W .* has not begun'
	keys g 'write.pub' Tab Enter
	wait_for '^Gates: write.publish$'
	keys r
	wait_for '^> W .* is at write.publish '
	wait_for '^ +tail > .*\|#{32}\| +0 4096 +[0-9]+$'
	keys G a
	wait_for '^> W .* is done: write 5000 gave 5000'
	keys u
	wait_for '^> W .* is at write.publish '
	keys Down Up
	wait_for '^> W '
	keys q
	wait_for '^status 0$'
}

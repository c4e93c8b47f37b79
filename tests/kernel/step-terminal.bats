#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The screen of `ipcdemo step ID` and its terminal: sizes, kinds, none; and what
# is left when a signal ends it.

# shellcheck source=tests/kernel/screen.bash
source "$BATS_TEST_DIRNAME/screen.bash"

@test "it fits any size, and follows when the size changes" {
	local size

	begin_with_two
	types 'task X opens both'
	types 'X: write 3'
	keys k s j s
	sees '^> X .* is at write.enter'
	for size in 60x12 40x9 20x5 8x2 1x1 200x60 80x24; do
		tmux -S "$socket" resize-window -t t -x "${size%x*}" \
			-y "${size#*x}"
		case $size in
		20x5) sees '^too small' ;;
		8x2) sees '^too smal' ;;
		1x1) ;;
		*) sees '^ pipe [0-9]+: 0 of 16' && sees '^> X ' ;;
		esac
		# No line of before is left, or is there twice.
		((${size%x*} < 40)) ||
			same 1 "$(screen | grep -c '^> X ')"
	done
	sees '^    a write has begun; it has no lock$'
	sees '^s step  r run'
	leave
	is_clean
}

@test "more tasks than fit are scrolled through" {
	local i

	begin
	for i in {1..24}; do
		types "task T$i"
	done
	sees '^> T24 '
	sees_not '^  T1 '
	sees "^Readers' queue"
	keys j
	sees '^> T1 '
	sees_not 'T24 '
	leave
}

@test "a vt100 will do, a terminal without a cursor is refused" {
	open_terminal TERM=vt100
	begin_with_two
	keys s
	sees '^> R .* is at read.enter '
	sees '^head=tail > +[0-9]+ .* \|[ .]+\|'
	leave
	keys 'clear; TERM=dumb ipcdemo step 1; echo status $?' Enter
	sees "^ipcdemo: the terminal 'dumb' cannot place its cursor"
	left 1
	keys 'clear; TERM=nonsense ipcdemo step 1; echo status $?' Enter
	sees "^ipcdemo: cannot use the terminal 'nonsense'"
	left 1
	is_clean
}

@test "signals end it, with the terminal as it was and nobody held" {
	local signal kid

	for signal in INT TERM HUP QUIT KILL; do
		begin
		types 'task W opens write'
		types 'W: write 5'
		keys s
		sees '^> W .* is at write.enter'
		gate 'read.*'
		start cat /dev/ipcdemo >"$dir/got"
		kid=$pid
		sees "^  cat +$kid .* is at read.enter"
		case $signal in
		INT)
			# A shell that waits for it gives up its line, too.
			keys C-c 'echo status $?' Enter
			;;
		*) kill -"$signal" "$(pgrep -x ipcdemo)" ;;
		esac
		if [[ $signal == KILL ]]; then
			# It cannot put the terminal back; a shell can.
			until_true eval '! pgrep -x ipcdemo >/dev/null'
			keys C-c Enter 'reset; clear' Enter
			sees '^shell>$'
		else
			left $((128 + $(kill -l $signal)))
		fi
		# The write end went with the session: end of file, not held.
		wait "$kid"
		is_clean
	done
}

@test "without a terminal, or for what is no pipe, it says what to do" {
	tried 2 ipcdemo step 1
	says "step 1 needs a terminal on standard input and output"
	tried 2 ipcdemo step /dev/ipcdemo
	tried 1 ipcdemo step 2
	says "2 is a region: only pipes can be stepped"
	tried 1 ipcdemo step 99
	says "there is no object with the id 99"
	tried 1 ipcdemo step /dev/null
	says "/dev/null is no object of ipcdemo"
	tried 2 ipcdemo step 1 a b
	says "do not know what to do with 'b'"
	tried 2 ipcdemo step --tap 1
	tried 2 ipcdemo step --until 3 x.step
	says "--until is for an ID and a FILE"
	tried 2 ipcdemo step --until x 1
	says "'x' is no number of a line"
}

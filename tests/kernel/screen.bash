# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of `ipcdemo step ID` share: a terminal, its keys, its screen.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../cli/common.bash"

# See kernel/step.bats.
setup_file() {
	echo 1 >/sys/module/ipcdemo/parameters/count_points
}

teardown_file() {
	echo 0 >/sys/module/ipcdemo/parameters/count_points
}

# A terminal of 80x24 with a shell: open_terminal NAME=VALUE...
open_terminal() {
	socket=$dir/tmux
	TERM=xterm tmux -S "$socket" -f /dev/null new-session -d -s t \
		-x 80 -y 24 "cd $dir; exec env $* PS1='shell> ' \
		bash --norc -i" 3>&-
	sees '^shell>'
	keys 'stty -g >before; echo ready' Enter
	sees '^ready$'
}

close_terminal() {
	[[ -z ${socket-} ]] || tmux -S "$socket" kill-server || true
	socket=
}

# The same as in common.bash, behind the terminal's end.
eval "common_$(declare -f teardown)"
teardown() {
	close_terminal
	common_teardown
}

screen() {
	tmux -S "$socket" capture-pane -p -t t
}

# Does a line of the screen match the extended regular expression? By a program:
# bats looks at each command of a loop in the shell, which takes longer.
matches() {
	grep -qE -- "$1" < <(screen)
}

# As until_true, but each look at a screen costs two processes: it takes its time.
wait_until() {
	local deadline=$((SECONDS + 30))

	until "$@"; do
		((SECONDS < deadline)) || return
		read -rt 0.1 <> <(:) || true
	done
}

# Waits until one does.
sees() {
	wait_until matches "$1" || {
		echo "no line matches '$1' on this screen:"
		screen
		return 1
	}
}

differs() {
	! matches "$1"
}

# Waits until none does.
sees_not() {
	wait_until differs "$1" || {
		echo "a line matches '$1' on this screen:"
		screen
		return 1
	}
}

keys() {
	tmux -S "$socket" send-keys -t t "$@"
}

in_schedule() {
	[[ $(screen) == *[0-9]"  $1"* ]]
}

# Types a line of the language and waits until the screen answers, by default
# until the line is in the schedule: types LINE [ERE]
types() {
	tmux -S "$socket" send-keys -t t n \; send-keys -t t -l "$1" \; \
		send-keys -t t Enter
	if (($# > 1)); then
		sees "$2"
	else
		wait_until in_schedule "$1" || {
			echo "the schedule does not say: $1"
			screen
			return 1
		}
	fi
}

# Sets a gate: gate PATTERN
gate() {
	keys g "$1" Enter
	sees "^Gates:.* ${1//\*/\\*}( |\$)"
}

# Begins: begin [ARGUMENT...], by default those for the default pipe.
begin() {
	[[ -n ${socket-} ]] || open_terminal LANG=C.UTF-8
	keys "clear; ipcdemo step ${*:-1}; echo status \$?" Enter
	sees '^ pipe [0-9]+: .* lines$'
}

leave() {
	keys q
	left 0
}

# It has ended with this status, and the terminal is as it was: left STATUS
left() {
	sees "^status $1\$"
	sees_not 'q quit'
	keys 'clear; stty -g >after; echo restored' Enter
	sees '^restored$'
	cmp "$dir/before" "$dir/after"
}

# Begins with one reader and one writer, who have not begun.
begin_with_two() {
	printf '%s\n' 'task R opens read' 'task W opens write' 'R: read 10' \
		'W: write "hello"' >"$dir/two.step"
	begin 1 "$dir/two.step"
	sees '^> R +[0-9]+ R +read 10 +has not begun'
}

# As nobody had used it.
is_clean() {
	same "0 0 0 65536 process" "$(value readers) $(value writers) $(value bytes) $(value capacity) $(value persistence)"
	tried 0 timeout 10 ipcdemo pipeline 'echo through | cat'
	same through "$out"
}

is_held() {
	grep -q "$1.* held" "$pipe"
}

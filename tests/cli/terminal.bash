# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of commands that have a screen share: a terminal, its keys, its
# screen.

# shellcheck source=tests/cli/common.bash
source "${BASH_SOURCE[0]%/*}/common.bash"

# A terminal of 80x24 with a shell: open_terminal NAME=VALUE...
open_terminal() {
	# The server of the one before may still be on its way out.
	terminals=$((${terminals-0} + 1))
	socket=$dir/tmux$terminals
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

# It has ended with this status, and the terminal is as it was, with its cursor,
# and not on its other screen: left STATUS
left() {
	sees "^status $1\$"
	sees_not 'q quit'
	keys 'clear; stty -g >after; echo restored' Enter
	sees '^restored$'
	cmp "$dir/before" "$dir/after"
	same '1 0' "$(tmux -S "$socket" display -p -t t \
		'#{cursor_flag} #{alternate_on}')"
}

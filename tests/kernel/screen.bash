# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of `ipcdemo step ID` share.

# shellcheck source=tests/cli/terminal.bash
source "$BATS_TEST_DIRNAME/../cli/terminal.bash"

# See kernel/step.bats.
setup_file() {
	echo 1 >/sys/module/ipcdemo/parameters/count_points
}

teardown_file() {
	echo 0 >/sys/module/ipcdemo/parameters/count_points
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

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# `ipcdemo watch` on text that was captured from /proc, and changed meanwhile.

# shellcheck source=tests/cli/terminal.bash
source "$BATS_TEST_DIRNAME/../terminal.bash"

# A machine of our own: fixture NAME
fixture() {
	root=$dir/root
	cp -r "$fixtures/$1" "$root"
	pipe=$root/proc/ipcdemo/pipe/1
}

# Replaces lines of the pipe's file, at once: change SED-COMMAND...
change() {
	sed "$@" "$pipe" >"$dir/changed"
	mv "$dir/changed" "$pipe"
}

# The screen: begin [ARGUMENT...], in the environment of the array begin_env
begin() {
	[[ -n ${socket-} ]] ||
		open_terminal LANG=C.UTF-8 "IPCDEMO_ROOT=$root" "${begin_env[@]}"
	keys "clear; ipcdemo watch $*; echo status \$?" Enter
	sees '^(pipe|region) [0-9]+ '
}

leave() {
	keys q
	left 0
}

last_json() {
	tail -n 1 "$dir/json" | jq -e "$1" >/dev/null
}

went_back() {
	tail -n +2 "$dir/json" | grep -q '"write.copy":null'
}

@test "frames of captured pipes and regions are as they were agreed" {
	local name

	for name in half full big; do
		IPCDEMO_ROOT=$fixtures/$name tried 0 ipcdemo watch --batch 1
		# It is later by the time that the second object is read.
		sed -Ei 's/[0-9]+\.[0-9]{2} s/0.00 s/' "$dir/out"
		diff -u "$fixtures/$name/watched" "$dir/out"
	done
	COLUMNS=40 IPCDEMO_ROOT=$fixtures/half tried 0 ipcdemo watch -b 1 1
	diff -u "$fixtures/half/watched-40" "$dir/out"
	same 0 "$(awk 'length > 40' "$dir/out" | wc -l)"
	IPCDEMO_ROOT=$fixtures/half tried 0 ipcdemo watch -b 1 --color always 1
	[[ $out == *$'\033[7m'*$'\033[32m###'* ]]
	sed 's/\x1b\[[0-9]*m//g' "$dir/out" >"$dir/plain"
	sed '/^$/,$d' "$fixtures/half/watched" >"$dir/wanted"
	echo >>"$dir/wanted"
	diff -u "$dir/wanted" "$dir/plain"
}

@test "rates times their time are all that was counted; nothing left is the end" {
	fixture half
	start_batch() {
		IPCDEMO_ROOT=$root ipcdemo watch --json -b 100000 -n 0.02 1 \
			>"$dir/json" 2>"$dir/err"
	}
	start start_batch
	until_true last_json '.look >= 2 and .rates["write.copy"] == 0'
	change 's/^write.copy bytes .*/write.copy bytes 64096/'
	until_true last_json '.look >= 2 and .rates["write.copy"] == 0'
	change 's/^write.copy bytes .*/write.copy bytes 68192/
		s/^write.enter calls .*/write.enter calls 1/; s/^head: .*/head: 26/'
	until_true last_json .head==26
	until_true last_json '.rates["write.copy"] == 0'
	# A counter that goes back is another object's.
	change 's/^write.copy bytes .*/write.copy bytes 5/'
	until_true went_back
	rm "$pipe"
	until_true grep -q . "$dir/err"
	wait "$pid" || same 1 $?
	same "ipcdemo: nothing is left to look at" "$(<"$dir/err")"
	same '8192 1' "$(jq -sr '[range(1; length) as $i |
		(.[$i].seconds - .[$i - 1].seconds) as $t |
		[.[$i].rates["write.copy"] // 0, .[$i].rates["write.enter"] // 0] |
		map(. * $t)] | transpose | map(add | round) | map(tostring) |
		join(" ")' "$dir/json")"
	# The first look has no rates, and the last line says that it is gone.
	same 'null true' "$(jq -sr '"\(.[0].rates["write.copy"]) \(last.gone)"' \
		"$dir/json")"
}

@test "wrong usage and a machine without the module are told before a screen is taken" {
	fixture half
	export IPCDEMO_ROOT=$root
	tried 2 ipcdemo watch
	says "watch needs a terminal on standard input and output; --batch COUNT prints frames"
	tried 2 ipcdemo watch --json
	says "--json needs --batch COUNT"
	tried 2 ipcdemo watch -b 0
	says "'0' is no number of frames"
	tried 2 ipcdemo watch -b 1 -n 0.001
	says "'0.001' is no number of seconds from 0.01 on"
	tried 2 ipcdemo watch -b 1 --history x
	says "'x' is no number of seconds"
	tried 2 ipcdemo watch -b 1 --color perhaps
	tried 1 ipcdemo watch -b 1 99
	says "there is no object with the id 99"
	tried 2 ipcdemo watch -b 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
	says "16 objects at most"
	tried 1 bash -c 'ipcdemo watch -b 1 >/dev/full'
	IPCDEMO_ROOT=$dir tried 1 ipcdemo watch -b 1
	says "the module is not loaded"
	open_terminal "IPCDEMO_ROOT=$dir"
	keys "clear; ipcdemo watch; echo status \$?" Enter
	sees 'the module is not loaded'
	left 1
}

@test "it pauses, steps back through the looks, and goes on" {
	fixture half
	begin -n 0.05
	sees '^  readers 1, writers 1; tail 17, head 25$'
	sees '^ +tail +head$'
	sees '^Points passed, up to [0-9.]+ s: none \(counted: a made-up machine\)$'
	change 's/^write.enter calls .*/write.enter calls 3/; s/^head: .*/head: 26/
		s/^used: .*/used: 9/; s/^9 - .*/9 25 data 109 - 0 4096 -/'
	sees '^ +[0-9]+\.[0-9]+ write.enter \+3$'
	sees 'tail 17, head 26$'
	change 's/^write.enter calls .*/write.enter calls 8/; s/^head: .*/head: 27/
		s/^used: .*/used: 10/; s/^10 - .*/10 26 data 110 - 0 4096 -/'
	sees '^ +[0-9]+\.[0-9]+ write.enter \+5$'
	keys ' '
	sees '^pipe 1 .* PAUSED, at [0-9.]+ s$'
	# Nothing is looked at while it is paused.
	change 's/^head: .*/head: 28/; s/^used: .*/used: 11/
		s/^11 - .*/11 27 data 111 - 0 4096 -/'
	keys Home
	sees '^pipe 1 .* PAUSED, [0-9.]+ s back, at 0.00 s$'
	sees '^  fill \|\[5\]'
	sees 'tail 17, head 25$'
	sees '^  writers +- +- '
	keys Left
	sees '^this is the oldest look'
	# On, one by one, up to the look that saw the first change.
	wait_until step_on 'head 26$'
	sees '^ +[0-9.]+ write.enter \+3$'
	sees_not 'write.enter \+5'
	wait_until step_on 'head 27$'
	sees '^ +[0-9.]+ write.enter \+5$'
	keys Left
	sees 'head 26$'
	keys End
	sees 'head 28$'
	sees '^pipe 1 .* every 0.05 s, at'
	leave
}

# One look on, if the screen does not show it yet.
step_on() {
	local before

	matches "$1" && return
	before=$(screen)
	keys Right
	until [[ $(screen) != "$before" ]]; do :; done
	matches "$1"
}

@test "objects are picked from the list, by Tab, or are those that were named" {
	fixture half
	begin
	keys Tab
	sees '^region 2  /dev/ipcdemo'
	sees '^  1048576 bytes, 3 of 256 pages are there$'
	sees '^  \|##\.+\|$'
	sees '^  last fault: page 3, write by cat \(4321\)'
	keys BTab
	sees '^pipe 1 '
	keys o
	sees '^> pipe +1 +8 of 16 '
	sees '^  region +2 +3 pages '
	keys 2 Enter
	sees '^region 2 '
	keys o Up
	sees '^> pipe +1 '
	keys Escape
	sees '^region 2 '
	keys '?'
	sees '^q +quit$'
	keys x
	sees '^region 2 '
	keys z
	sees '^this key does nothing'
	leave
	begin 2
	sees '^region 2 '
	keys Tab
	sees '^there is no other object among those named'
	keys o
	sees '^objects: 1$'
	keys q q
	left 0
}

@test "it fits any size, and follows when the size changes" {
	local size

	fixture full
	begin -n 0.1
	for size in 60x12 40x10 40x7 20x5 8x2 1x1 300x60 80x24; do
		tmux -S "$socket" resize-window -t t -x "${size%x*}" \
			-y "${size#*x}"
		case $size in
		20x5) sees '^too small' ;;
		8x2) sees '^too smal' ;;
		1x1) ;;
		40x7) sees '^  16 of 16 slots' && sees '^q quit' ;;
		*)
			sees '^q quit'
			sees '^  writers wait: evil '
			sees ' sleeping 3.2 s$'
			sees '^ +(=|head=tail)$'
			;;
		esac
		# No line of before is left, or is there twice.
		((${size%x*} < 40)) ||
			same 1 "$(screen | grep -c '^  16 of 16 slots')"
	done
	# The slots one by one: where all fit, or if they are asked for.
	sees_not 'offset'
	keys s
	sees '^ +slot +index +one page'
	keys Down Down Down
	sees_not '^ +slot +index'
	keys Up Up Up
	sees '^ +slot +index'
	leave
	rm -rf "$root"
	fixture big
	begin
	sees '^101 of 256 slots|^  101 of 256 slots'
	# Four lines, each with its marks
	same 4 "$(screen | grep -cE '^  │[█· ]{64}│$')"
	leave
}

@test "a vt100 and a Linux console will do, with letters for blocks" {
	local term

	fixture half
	for term in vt100 linux; do
		begin_env=("TERM=$term")
		begin
		sees '^  \|\.+\|###\|###.*\|   \|$'
		keys Left
		sees 'PAUSED'
		leave
		close_terminal
	done
	begin_env=()
	open_terminal LANG=C.UTF-8 "IPCDEMO_ROOT=$root"
	keys 'clear; TERM=dumb ipcdemo watch; echo status $?' Enter
	sees "^ipcdemo: the terminal 'dumb' cannot place its cursor: set TERM, or print frames:"
	sees '^ --batch COUNT$'
	left 1
	keys 'clear; TERM=nonsense ipcdemo watch; echo status $?' Enter
	sees "^ipcdemo: cannot use the terminal 'nonsense'"
	left 1
}

# Does the screen have a colour?
has_color() {
	tmux -S "$socket" capture-pane -e -p -t t | grep -q $'\033\[3[0-9]m'
}

@test "without colour it says the same" {
	local how

	fixture half
	begin
	wait_until has_color
	screen | sed 1d >"$dir/wanted"
	leave
	for how in '--color never' NO_COLOR=1 TERM=vt100; do
		close_terminal
		begin_env=()
		[[ $how == -* ]] || begin_env=("$how")
		if [[ $how == -* ]]; then
			begin "$how"
		else
			begin
		fi
		sees '^Points passed'
		keys ' '
		sees 'PAUSED'
		! has_color
		same "$(sed -n 2,4p "$dir/wanted")" "$(screen | sed -n 3,5p |
			if [[ $how == TERM* ]]; then
				sed 's/|/│/g; s/#/█/g; s/\./·/g'
			else
				cat
			fi)"
		leave
	done
}

@test "signals end it, or stop it for a while, with the terminal as it was" {
	local signal

	fixture half
	for signal in INT TERM HUP QUIT SEGV; do
		begin
		if [[ $signal == INT ]]; then
			# A shell that waits for it gives up its line, too.
			keys C-c 'echo status $?' Enter
		else
			kill -"$signal" "$(watch_pid)"
		fi
		left $((128 + $(kill -l $signal)))
	done
	begin
	keys C-z
	sees '^\[1\]\+ +Stopped'
	same '1 0' "$(tmux -S "$socket" display -p -t t \
		'#{cursor_flag} #{alternate_on}')"
	keys fg Enter
	sees '^pipe 1 '
	sees '^q quit'
	keys q
	sees '^shell>'
	keys 'echo status $?' Enter
	left 0
}

# The one on our terminal: others may run.
watch_pid() {
	pgrep -x ipcdemo -t "$(tmux -S "$socket" display -p -t t \
		'#{pane_tty}' | sed 's|^/dev/||')"
}

@test "an object that goes is shown as it was; when the module goes it ends" {
	fixture half
	begin -n 0.05
	mv "$pipe" "$dir/kept"
	sees '^pipe 1 .* GONE, seen at [0-9.]+ s$'
	sees '^  8 of 16 slots'
	keys Home
	sees 'PAUSED, GONE, seen at 0.00 s$'
	keys End
	mv "$dir/kept" "$pipe"
	sees '^pipe 1 .* every 0.05 s, at'
	mv "$root/proc/ipcdemo" "$dir/gone"
	sees 'the module is not loaded'
	left 1
}

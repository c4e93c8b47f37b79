#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# why: each of the ten mistakes is made for real and has to be named; who does the
# same rightly is not accused.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

mistakes=$PWD/build/tests/cli/mistakes
actor=$PWD/build/tests/cli/sync-actor
mnt=$BATS_TEST_TMPDIR/mnt

# make_it NAME wrong|right: starts it and waits until it is there.
make_it() {
	rm -f "$dir/ready"
	start ipcdemo run -- "$mistakes" "$1" "$2" "$dir/ready" "${fifo-}"
	until_true test -e "$dir/ready"
}

# The names of the mistakes that why knows now, with a ? if it says perhaps.
named() {
	ipcdemo why --json | jq -r '[.mistakes[] |
		.name + (if .sure then "" else "?" end)] | unique | join(",")'
}

is_named() {
	same "$1" "$(named)" >/dev/null
}

end_it() {
	kill -KILL "$pid"
	wait "$pid" || true
	until_true nobody_has_one
}

nobody_has_one() {
	[[ $(ipcdemo ls --json | jq '[.pipes[].readers + .pipes[].writers] | add') == 0 ]]
}

# both_ways NAME WORD: the wrong one is named so, the right one is not accused.
both_ways() {
	make_it "$1" wrong
	until_true is_named "$2"
	tried 0 ipcdemo why
	echo "$out"
	grep -q "^\(perhaps \)\?${2%\?}: " <<<"$out"
	end_it
	make_it "$1" right
	same "" "$(named)"
	end_it
}

@test "an end that is not used and left open, by the child or by the parent" {
	both_ways unused-end-child unused-end
	both_ways unused-end-parent unused-end
}

@test "a process that is reader and writer of one pipe" {
	both_ways same-process same-process
}

@test "a FIFO that is opened for reading and writing never ends" {
	local fifo=$dir/mnt/q

	mkdir "$dir/mnt"
	mount -t ipcdemofs none "$dir/mnt"
	mkfifo "$fifo" "$fifo.2"
	both_ways rdwr-fifo rdwr-fifo
	both_ways fifo-order 'pipe-order?'
	umount "$dir/mnt"
}

@test "what stdio keeps in its buffer is found there" {
	both_ways stdio-buffering stdio-buffering
}

@test "writes above PIPE_BUF that others tore" {
	both_ways pipe-buf-tearing pipe-buf-tearing
}

@test "EAGAIN taken for the end of file" {
	both_ways eagain-as-eof 'eagain-as-eof?'
}

@test "SIGPIPE ignored, and EPIPE too" {
	both_ways sigpipe-ignored sigpipe-ignored
}

@test "two readers of one pipe" {
	both_ways two-readers 'two-readers?'
}

@test "two pipes between two processes, in the wrong order" {
	both_ways pipe-order pipe-order
}

@test "tokens of make's jobserver that nobody gave back" {
	local back

	for back in '' ++; do
		rm -f "$dir/ready"
		start ipcdemo run -- make -s -j3 -f tests/cli/run/tokens.mk \
			READY="$dir/ready" BACK="$back"
		until_true test -e "$dir/ready"
		if [[ $back ]]; then
			same "" "$(named)"
		else
			until_true is_named jobserver-tokens
			ipcdemo why | grep -q "so 2 are lost"
		fi
		kill "$pid"
		wait "$pid" || true
		until_true nobody_has_one
	done
}

@test "a deadlock of three is one, with its cycle" {
	make_it ring-of-three wrong
	until_true all_three_wait
	tried 0 ipcdemo why
	[[ ${lines[-1]} =~ ^deadlock:\ ([0-9]+)\ .*\ waits\ for\ ([0-9]+)\ .*\ waits\ for\ ([0-9]+)\ .*\ waits\ for\ ([0-9]+)\ \(mistakes\)\;\ only\ a\ signal ]]
	same "${BASH_REMATCH[1]}" "${BASH_REMATCH[4]}"
	same "3 true" "$(ipcdemo why --json |
		jq -r '"\(.stuck | length) \([.stuck[].deadlock] | all)"')"
	end_it
}

all_three_wait() {
	[[ $(ipcdemo why --json | jq '.stuck | length') == 3 ]]
}

# The end of a chain of pipes, by what its last one does: root COMMAND
root_is() {
	[[ $(ipcdemo why --json | jq -r '[.stuck[].root_text] | unique | join(",")') == "$1" ]]
}

@test "a chain of pipes is followed to the one who sleeps, or is stopped" {
	local sleeper

	start ipcdemo run -- bash -c 'yes | cat | sleep 1000'
	until_true root_is "asleep for a time of its own"
	tried 0 ipcdemo why
	[[ $out =~ ^writer\ [0-9]+\ \(yes\)\ has\ waited\ [0-9.]+\ s:\ the\ ring\ of\ pipe\ [0-9]+\ is\ full,\ 16\ of\ 16\ slots\;\ the\ only\ reader\ is\ ([0-9]+)\ \(cat\),\ which\ last\ read\ [0-9.]+\ s\ ago\;\ that\ one\ waits\ in\ turn ]]
	[[ $out == *"(sleep), which has not read yet and is itself asleep for a time of its own."* ]]
	# By process as well: of the first, all that follows, too
	same "1" "$(ipcdemo why "${BASH_REMATCH[1]}" --json | jq '.stuck | length')"
	sleeper=$(ipcdemo why --json | jq '.stuck[0].root')
	kill -STOP "$sleeper"
	until_true root_is stopped
	ipcdemo why | grep -q "SIGCONT would let it go on"
	kill -KILL "$sleeper"
	wait "$pid" || true
}

@test "a reader of a terminal is the root, and who else has a write end is said" {
	local id

	# The shell that waits for the pipeline has a write end, too
	start script -qec "ipcdemo run -- bash -c '
		exec 8> >(exec sh -c \"exec 7<&0 </dev/tty; exec cat >/dev/null\"); yes >&8'" \
		/dev/null </dev/zero >/dev/null
	until_true root_begins "waiting for terminal input"
	tried 0 ipcdemo why
	[[ $out == *"itself waiting for terminal input"* ]]
	[[ $out =~ \;\ [0-9]+\ \(bash\)\ also\ holds\ a\ write\ end\ \(descriptor\ 8\),\ so\ there\ would\ be\ no\ end\ of\ file\ if\ [0-9]+\ ended ]]
	id=$(ipcdemo why --json | jq '.stuck[0].id')
	same "$(ipcdemo why | tr -d '0-9.')" "$(ipcdemo why "$id" | tr -d '0-9.')"
}

root_begins() {
	[[ $(ipcdemo why --json | jq -r '.stuck[0].root_text') == "$1"* ]]
}

@test "who waits for a lock in a region waits for its holder" {
	local holder

	mkdir "$mnt"
	mount -t ipcdemofs none "$mnt"
	"$actor" "$mnt/file" make
	mkfifo "$dir/end"
	start holds_m
	holder=$pid
	exec 9>"$dir/end"
	until_true grep -qs held "$dir/said"
	start "$actor" "$mnt/file" want m 9>&-
	until_true waits_for_word "$holder"
	tried 0 ipcdemo why "$pid"
	[[ $out =~ ^$pid\ \(sync-actor\)\ has\ waited\ [0-9.]+\ s:\ in\ region\ [0-9]+\ it\ is\ waiting\ for\ m\;\ it\ is\ held\ by\ $holder\ \(sync-actor\)\ and\ is\ itself\  ]]
	exec 9>&-
	wait "$holder" "$pid"
	umount "$mnt"
}

# It becomes a process that holds the mutex until descriptor 9 is closed.
holds_m() {
	exec "$actor" "$mnt/file" hold m <"$dir/end" >"$dir/said"
}

# Does somebody wait for a word whose lock that process has?
waits_for_word() {
	[[ $(ipcdemo why --json | jq -c '.stuck[] | [.waits, .chain]') == "[\"word\",[$1]]" ]]
}

@test "if nobody waits it says so, and why" {
	tried 0 ipcdemo why
	same "nobody waits: no pipe is open or holds bytes." "$out"
	exec 8<>/dev/ipcdemo
	printf abcd >&8
	read -rn 1 -u 8
	tried 0 ipcdemo why /dev/ipcdemo
	[[ ${lines[0]} =~ ^nobody\ waits\ at\ pipe\ [0-9]+:\ 3\ bytes\ in\ the\ ring,\ 1\ of\ 16\ slots\;\ reader\ $$\ has\ not\ read\ for\ [0-9.]+\ s\.$ ]]
	same "[]" "$(ipcdemo why --json | jq -c .stuck)"
	tried 0 nobody ipcdemo why
	[[ $out == *"processes may not be looked into: as root, all are seen"* ]]
	exec 8<&-
	tried 1 ipcdemo why 4000000
	says "there is no object and no process 4000000"
}

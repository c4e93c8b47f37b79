#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# pipeline 'a | b': the data, the grammar, the statuses, the signals.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

@test "the data of the joint goes through our pipe, and all of it arrives" {
	local before

	before=$(counted write.copy)
	seq 1 30000 >"$dir/wanted"
	ipcdemo pipeline 'seq 1 30000 | cat' >"$dir/got" 2>"$dir/err"
	cmp "$dir/wanted" "$dir/got"
	[[ ! -s $dir/err ]]
	same "$(stat -c %s "$dir/wanted")" $(($(counted write.copy) - before))
	same "0 0 0" "$(value readers) $(value writers) $(value bytes)"
}

@test "with more stages, --joint chooses, and it says so" {
	local joint before

	for joint in 1 2 3; do
		before=$(counted write.copy)
		tried 0 ipcdemo pipeline --joint $joint \
			'echo aa | sed "s/a/bb/g" | tr b c | sed "s/c/dd/g"'
		same dddddddd "$out"
		same "ipcdemo: joint $joint of 3 goes through /dev/ipcdemo, the others are pipe(2)" \
			"$err"
		same $((joint == 1 ? 3 : 5)) $(($(counted write.copy) - before))
	done
	tried 2 ipcdemo pipeline --joint 2 'true | true'
	says "--joint 2: 2 stages have 1 joints"
	tried 2 ipcdemo pipeline --joint 0 'true | true'
	says "--joint is 1, 2, ...: not '0'"
}

@test "a line is cut where the shell would cut it" {
	local line

	while IFS= read -r line; do
		same "$(sh -c "$line")" "$(ipcdemo pipeline "$line")"
	done <<'LINES'
echo 'a|b' "c|d" e\|f | cat
echo "$(echo x | tr x y)" "`echo 'p|q'`" | tr y z
(echo 2; echo 1) | sort # not | a stage
echo "${nov:-1|2}" $((1|6)) '#' a#b | cat
echo out >|/dev/null | cat; true
(false || echo "\"|" && echo '|') | cat
LINES
}

@test "a line that is more than a pipeline is refused, and nothing is run" {
	local line hint

	while IFS=: read -r line hint; do
		tried 2 ipcdemo pipeline "$line"
		says "$hint"
		[[ ! -e $dir/ran ]]
	done <<LINES
touch $dir/ran | cat || true:'||' makes a list of it: put the list in ( )
touch $dir/ran; true | cat:';' makes a list
touch $dir/ran & true | cat:'&' makes a list
touch $dir/ran |& cat:'|&' is not for /bin/sh
touch $dir/ran | 'cat:a quote or parenthesis is not closed
touch $dir/ran | (cat:a quote or parenthesis is not closed
touch $dir/ran | cat):a ) has no ( before it
touch $dir/ran | | cat:a stage is empty
touch $dir/ran |:a stage is empty
touch $dir/ran:it has no | between two stages
touch $dir/ran | cat <<X:a here-document cannot be cut
touch $dir/ran && true | cat:'&&' makes a list
touch $dir/ran | { cat; }:write '... | (while ...; done)'
touch $dir/ran | while read -r x; do cat; done:begins with a word
touch $dir/ran | ! cat:begins with a word of the shell's grammar
LINES
	tried 2 ipcdemo pipeline touch "$dir/ran" '|' cat
	says "put quotes around the whole line"
	tried 2 ipcdemo pipeline $'true | cat\ntrue'
	says "a line break makes a list"
}

@test "the status is that of the last stage, or of the last that failed" {
	tried 0 ipcdemo pipeline 'exit 3 | true'
	tried 3 ipcdemo pipeline 'true | exit 3'
	tried 3 ipcdemo pipeline --pipefail 'exit 3 | true'
	tried 127 ipcdemo pipeline 'true | ipcdemo-no-such-program'
	tried 143 ipcdemo pipeline 'true | kill -TERM $$'
	tried 141 ipcdemo pipeline --pipefail 'yes | head -n 1'
	same y "$out"
}

@test "it is refused while somebody has the pipe, or bytes are in it" {
	start cat /dev/ipcdemo
	until_true waits_at open.wait
	tried 1 ipcdemo pipeline "touch $dir/ran | cat"
	says "somebody has the pipe open (0 for reading, 0 for writing, 1 wait)" ||
		says "somebody has the pipe open (1 for reading, 0 for writing, 1 wait)"
	exec 9>/dev/ipcdemo
	until_true waits_at read.wait
	tried 1 ipcdemo pipeline "touch $dir/ran | cat"
	says "somebody has the pipe open (1 for reading, 1 for writing, 1 wait): \`ipcdemo show\` says who"
	exec 9>&-
	wait "$pid"
	ipcdemo persist kernel
	echo hello >/dev/ipcdemo
	tried 1 ipcdemo pipeline "touch $dir/ran | cat"
	says "the pipe holds 6 bytes: first take them out with \`ipcdemo read -n\`"
	[[ ! -e $dir/ran ]]
}

@test "a signal for the command alone reaches the stages, and none is left" {
	start ipcdemo pipeline 'sleep 100 | cat'
	until_true waits_at read.wait
	kill -TERM "$pid"
	tried 143 wait "$pid"
	same "0 0" "$(value readers) $(value writers)"
	tried 1 pgrep -x sleep
}

@test "on a terminal, Ctrl-C ends all stages and the command" {
	mkfifo "$dir/keys"
	# Both ends: opening one of them would wait for the other
	exec 8<>"$dir/keys"
	# The shell lets what it starts in the background ignore SIGINT
	start env --default-signal=INT \
		script -qec "ipcdemo pipeline 'sleep 100 | cat'" /dev/null \
		<"$dir/keys" >/dev/null 8>&-
	until_true waits_at read.wait
	printf '\003' >&8
	until_true has_value readers 0
	exec 8>&-
	tried 130 wait "$pid"
	tried 1 pgrep -x sleep
}

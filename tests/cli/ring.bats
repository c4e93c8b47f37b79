#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Messages through a ring in a file: of ipcdemofs if the module is loaded, else
# of the file system that the tests write to.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

setup() {
	kids=()
	[[ ! -d /proc/ipcdemo ]] || {
		objects
		mkdir "$dir/mnt"
		mount -t ipcdemofs none "$dir/mnt"
	}
	mkdir -p "$dir/mnt"
	q=$dir/mnt/q
}

teardown() {
	end_kids
	! mountpoint -q "$dir/mnt" || umount "$dir/mnt"
}

# How many bytes of the ring are taken: used
used() {
	ipcdemo sync show --json "$q" | jq -r '.objects[0].value'
}

# What the ring says of itself, as a condition of jq: holds CONDITION
holds() {
	[[ -e $q ]] && ipcdemo sync show --json "$q" 2>"$dir/why" |
		jq -e ".objects[0] | $1" >/dev/null
}

# Waits until it holds: comes CONDITION
comes() {
	local deadline=$((SECONDS + 60))

	until holds "$1"; do
		((SECONDS < deadline)) || {
			echo "this did not come true: $1"
			ipcdemo sync show --json "$q"
			return 1
		}
		read -rt 0.02 <> <(:) || true
	done
}

# A sender, which it becomes: feed FILE
feed() {
	exec ipcdemo ring send "$q" <"$1"
}

# Numbers up to N, and then the sender becomes: count N OPTION...
count() {
	local n=$1

	shift
	seq "$n" | ipcdemo ring send "$@" "$q"
}

@test "lines come through a file that was not there, whichever side is first" {
	local n=20000 _

	start count $n
	tried 0 ipcdemo ring recv "$q"
	same "$n" "${#lines[@]}"
	same "$n" "${lines[-1]}"
	wait "$pid"
	rm "$q"
	start ipcdemo ring recv "$q" >"$dir/got"
	comes '.waiters > 0'
	count $n
	wait "$pid"
	seq $n | cmp - "$dir/got"
	# Both at once, on a new file each time
	for _ in 1 2 3 4 5 6 7 8; do
		rm "$q"
		start count 100
		start ipcdemo ring recv "$q" >"$dir/got"
		wait "${kids[@]: -2}"
		seq 100 | cmp - "$dir/got"
	done
}

@test "what is sent first stays until somebody receives" {
	printf 'one\n\nthree' | ipcdemo ring send "$q"
	same 192 "$(used)"
	tried 0 ipcdemo ring recv "$q"
	same "one||three" "${lines[0]}|${lines[1]}|${lines[2]}"
	same 0 "$(used)"
	# The end was seen: the next one waits for another sender
	start ipcdemo ring recv "$q" >"$dir/got"
	comes '.waiters > 0'
	echo four | ipcdemo ring send "$q"
	wait "$pid"
	same four "$(<"$dir/got")"
	printf 'a\nb\0c\0' | ipcdemo ring send -0 "$q"
	ipcdemo ring recv -0 "$q" | od -An -c >"$dir/got"
	same 'a\nb\0c\0' "$(tr -d ' \n' <"$dir/got")"
}

@test "many send, and one receives all of it" {
	local senders=() _

	for _ in 1 2 3 4; do
		start count 2000 --multi
		senders+=("$pid")
	done
	tried 0 ipcdemo ring recv --senders 4 "$q"
	wait "${senders[@]}"
	same 8000 "${#lines[@]}"
	sort -n "$dir/out" | uniq -c | awk '$1 != 4' >"$dir/wrong"
	[[ ! -s $dir/wrong ]]
}

@test "a full ring and an empty one wait, or say so" {
	seq 9 >"$dir/in"
	tried 1 ipcdemo ring send -n -s 500 "$q" <"$dir/in"
	says "$q is full after 8 messages: receive some, or send without -n"
	tried 0 ipcdemo ring recv -n "$q"
	same 8 "${#lines[@]}"
	tried 1 ipcdemo ring recv -n "$q"
	says "nothing is in $q"
	tried 1 ipcdemo ring recv -n "$dir/mnt/other"
	says "nothing is in $dir/mnt/other: send something, or receive without -n"
}

@test "the end of the other side is noticed" {
	start count 100000 -s 4K
	ipcdemo ring recv "$q" | head -n 2 >"$dir/got"
	same "1 2" "$(tr '\n' ' ' <"$dir/got" | sed 's/ $//')"
	tried 1 wait "$pid"
	rm "$q"
	# Killed: without a word
	start ipcdemo ring recv -s 4K "$q" >"$dir/got"
	comes '.waiters > 0'
	kill -KILL "$pid"
	wait "$pid" || true
	tried 1 count 100000
	says "the receiver of $q has ended after"
	# What was not received is there for the next; then the end is there, too
	tried 0 ipcdemo ring recv "$q"
	rm "$q"
	mkfifo "$dir/fifo"
	exec 9<>"$dir/fifo"
	start feed "$dir/fifo"
	echo first >&9
	comes '.value == 64'
	kill -KILL "$pid"
	wait "$pid" || true
	tried 0 ipcdemo ring recv "$q"
	same first "$out"
}

@test "a signal ends both, and they leave the ring" {
	local status=0

	start ipcdemo ring recv -s 4K "$q"
	comes '.waiters > 0'
	kill -TERM "$pid"
	wait "$pid" || status=$?
	same 143 "$status"
	seq 1000 >"$dir/in"
	start feed "$dir/in"
	comes '.waiters > 0'
	status=0
	kill -TERM "$pid"
	wait "$pid" || status=$?
	same 143 "$status"
	tried 0 ipcdemo ring recv "$q"
	same 64 "${#lines[@]}"
	# Asleep in read(2)
	mkfifo "$dir/fifo"
	exec 9<>"$dir/fifo"
	start feed "$dir/fifo"
	comes '.round == 1'
	status=0
	kill -TERM "$pid"
	wait "$pid" || status=$?
	same 143 "$status"
	holds '.round == 0'
}

@test "what goes wrong is said, and what to do" {
	tried 2 ipcdemo ring send
	says "ring send needs a path"
	tried 2 ipcdemo ring recv a b
	says "ring recv: do not know what to do with 'b'"
	tried 2 ipcdemo ring send -s 2G "$q"
	says "'2G' is no size of a ring: 512 to 1G"
	tried 2 ipcdemo ring recv -s x "$q"
	says "'x' is no size of a ring"
	tried 2 ipcdemo ring recv --senders 0 "$q"
	says "'0' is no number of senders"
	tried 1 ipcdemo ring send "$dir/no/file"
	says "cannot open $dir/no/file: No such file or directory"
	tried 1 ipcdemo ring recv "$dir"
	says "$dir is no file that can be a region: name another"
	tried 1 ipcdemo ring recv /dev/null
	says "/dev/null is no file that can be a region: name another"
	seq 10000 >"$dir/text"
	cp "$dir/text" "$dir/before"
	tried 1 ipcdemo ring recv "$dir/text"
	says "$dir/text holds something else: name another file, or remove it"
	cmp "$dir/text" "$dir/before"
	head -c 600 /dev/zero >"$dir/small"
	tried 1 ipcdemo ring recv "$dir/small"
	says "$dir/small has no room for a ring of 1048576 bytes"
	: | ipcdemo ring send -s 512 "$q"
	printf 'good\n%300s\n' x >"$dir/in"
	tried 1 ipcdemo ring send "$q" <"$dir/in"
	says "line 2 is longer than a message in $q can be, 256 bytes"
	tried 0 ipcdemo ring recv "$q"
	same good "$out"
	start ipcdemo ring recv "$q"
	comes '.waiters > 0'
	tried 1 ipcdemo ring recv "$q"
	says "another process receives from $q: there can be only one"
	mkfifo "$dir/fifo"
	exec 9<>"$dir/fifo"
	start feed "$dir/fifo"
	comes '.round == 1'
	tried 1 ipcdemo ring send "$q" </dev/null
	says "another process sends into $q: start all of them with --multi"
	tried 1 ipcdemo ring send -m "$q" </dev/null
	says "another process sends into $q: start that one with --multi, too"
	ipcdemo sync show "$q" | grep -Eq "^ring +ring .* used=0/512"
}

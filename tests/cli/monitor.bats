#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What comes over netlink: monitor, and ls and show, which say the same as by /proc.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

# Starts a monitor that prints to $dir/events, and waits until it is subscribed:
# then somebody looks at the pipes, and has no gate.
monitor() {
	start ipcdemo monitor "$@" >"$dir/events" 2>"$dir/told"
	until_true resize_is_seen
}

# A resize is an event of the default pipe, which the tests here all ask for.
resize_is_seen() {
	ipcdemo resize 64K >/dev/null
	grep -q resize "$dir/events"
}

# Ends it with a signal, TERM if none is given; its status is in the variable status.
end_monitor() {
	kill "-${1-TERM}" "$pid"
	status=0
	wait "$pid" || status=$?
}

# Opens its output itself: that waits for the reader.
to_fifo() {
	exec ipcdemo monitor >"$dir/out"
}

# Made to ignore SIGINT by the shell, as a job in the background is: undone.
with_int() {
	exec perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$@"
}

is_over_after_a_resize() {
	ipcdemo resize 64K >/dev/null
	[[ ! -d /proc/$pid ]] || grep -q '^State:.Z' "/proc/$pid/status"
}

has_line() {
	grep -q "$1" "$dir/events"
}

@test "monitor prints what happens to objects, with the names of the points" {
	monitor
	echo hello >/dev/ipcdemo &
	kids+=($!)
	until_true has_line 'open.sleep *bash('
	tried 0 cat /dev/ipcdemo
	until_true has_line 'ring.empty *cat('
	mkdir "$dir/fs"
	mount -t ipcdemofs none "$dir/fs"
	mkfifo "$dir/fs/fifo"
	until_true has_line 'pipe [0-9]*  pipe.new *mkfifo('
	rm "$dir/fs/fifo"
	umount "$dir/fs"
	until_true has_line 'pipe [0-9]*  pipe.gone '
	end_monitor
	((status == 0))
	grep -Eq '^ *[0-9]+\.[0-9]{6}  pipe [0-9]+  open.woken +bash\([0-9]+\)  waited [0-9.]+ s' \
		"$dir/events"
	tried 1 grep -v '^ *[0-9]' "$dir/events"
	[[ ! -s $dir/told ]]
}

@test "monitor --json prints an event a line, and --count ends it" {
	start ipcdemo monitor --json --count 3 --kinds resize "${pipe##*/}" \
		>"$dir/events"
	until_true resize_is_seen
	until_true is_over_after_a_resize
	wait "$pid"
	same 3 "$(wc -l <"$dir/events")"
	same "[1,\"resize\",\"resize.done\",\"pipe\",${pipe##*/},\"ipcdemo\",16]" \
		"$(jq -c 'select(.seq == 1) | [.seq, .event, .point, .kind,
			.id, .command, .slots]' "$dir/events")"
	same "1 2 3" "$(jq .seq "$dir/events" | paste -sd ' ')"
}

@test "monitor tells of the kinds and objects that were asked for alone" {
	mkdir "$dir/fs"
	mount -t ipcdemofs none "$dir/fs"
	mkfifo "$dir/fs/one"
	monitor --kinds resize,new "${pipe##*/}" "$dir/fs/one"
	mkfifo "$dir/fs/two"
	ipcdemo persist kernel >/dev/null
	echo hello >/dev/ipcdemo
	ipcdemo resize 8K >/dev/null
	until_true has_line 'of 2 slots'
	end_monitor
	((status == 0))
	tried 1 grep -v resize.done "$dir/events"
	rm "$dir/fs/one" "$dir/fs/two"
	umount "$dir/fs"

	tried 2 ipcdemo monitor --kinds full,half
	says "'half' is no kind of events"
	tried 2 ipcdemo monitor --count 0
	says "'0' is no number of events"
	tried 1 ipcdemo monitor 4000000
	says "there is no object with the id 4000000"
}

@test "monitor ends on signals, when nobody reads, and when the module goes" {
	start with_int ipcdemo monitor >"$dir/events"
	until_true resize_is_seen
	end_monitor INT
	((status == 0))

	# The reader goes; no event comes any more.
	mkfifo "$dir/out"
	start to_fifo
	exec 8<"$dir/out"
	until_true eval 'ipcdemo resize 64K >/dev/null;
		read -rt 0.01 -u 8 line'
	exec 8<&-
	status=0
	wait "$pid" || status=$?
	((status == 0 || status == 141))

	monitor
	rmmod ipcdemo
	status=0
	wait "$pid" || status=$?
	reload
	((status == 1))
	grep -q "the module was unloaded" "$dir/told"
}

@test "a signal ends monitor also while its output stands" {
	mkfifo "$dir/out"
	exec 8<>"$dir/out"
	# No room for any event
	dd if=/dev/zero of="$dir/out" bs=4096 count=16 oflag=nonblock status=none
	start to_fifo
	until_true eval 'ipcdemo resize 64K >/dev/null; stands'
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	exec 8<&-
	same 143 "$status"
}

# It waits for room, and there are events: it takes no more from its socket.
stands() {
	awk -v pid="$pid" '$2 == 16 && $3 == pid && $5 > 0 { found = 1 }
		END { exit !found }' /proc/net/netlink
}

@test "monitor keeps up with a pipe in use, or says how much it lost" {
	local told lost begun=$EPOCHREALTIME seconds

	monitor --json --kinds block,woken,full,empty,resize
	# shellcheck disable=SC2016
	tried 0 ipcdemo run -- bash -c 'head -c 20M /dev/zero | cat >/dev/null'
	end_monitor
	((status == 0))
	seconds=$((${EPOCHREALTIME/[.,]/} - ${begun/[.,]/}))
	told=$(grep -c '"seq"' "$dir/events")
	lost=$(jq -s 'map(.lost // 0) | add' "$dir/events")
	echo "# $told events told of and $lost lost in $((seconds / 1000)) ms" >&3
	# No event is missing without a word.
	same "$((told + lost))" "$(jq -s 'map(.seq // 0) | max' "$dir/events")"
}

# What differs from one look to the next.
masked() {
	sed -E 's/[0-9]+\.[0-9]+( s)?/T/g; s/"seconds":[0-9.]+/T/g'
}

# The same command, by netlink and by /proc; none of these has the pipe open.
both_ways() {
	ipcdemo "$@" 8<&- | masked 8<&- >"$dir/netlink"
	IPCDEMO_ROOT=/ ipcdemo "$@" 8<&- | masked 8<&- >"$dir/proc"
	[[ -s $dir/proc ]]
	diff "$dir/netlink" "$dir/proc" 8<&-
}

@test "ls and show say the same by netlink and by /proc" {
	local what

	mkdir "$dir/fs"
	mount -t ipcdemofs none "$dir/fs"
	mkfifo "$dir/fs/a b"$'\n'"\\c"
	head -c 10000 /dev/zero >"$dir/fs/file"
	exec 8<>"$dir/fs/a b"$'\n'"\\c"
	head -c 5000 /dev/zero >&8
	start sh -c 'exec head -c 200000 /dev/zero >&8'
	until_true eval 'ipcdemo ls -o waiters | grep -q 1'
	for what in "ls" "ls --json" "ls -o id,name,kind,mode,waiters,dev,ino" \
		"region ls" "show" "show --json" "show 2" "show 2 --json"; do
		# shellcheck disable=SC2086
		both_ways $what
	done
	for what in "$dir/fs/a b"$'\n'"\\c" "$dir/fs/file"; do
		both_ways show "$what"
		both_ways show --json "$what"
	done
	kill -KILL "$pid"
	wait "$pid" || true
	exec 8<&-

	# It was netlink that said so.
	strace -o "$dir/trace" -e trace=openat,socket ipcdemo ls >/dev/null
	grep -q AF_NETLINK "$dir/trace"
	tried 1 grep '/proc/ipcdemo/\(pipes\|regions\)' "$dir/trace"
	# Where it is not to be had, /proc does.
	same "$(ipcdemo ls)" "$(unshare -n ipcdemo ls)"
	tried 1 unshare -n ipcdemo monitor
	says "there is no family ipcdemo here"
	rm "$dir/fs/a b"$'\n'"\\c" "$dir/fs/file"
	umount "$dir/fs"
}

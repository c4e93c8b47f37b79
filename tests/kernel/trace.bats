#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints: there is one for each point, it says what docs/tracing.md says
# of its fields, the commands of that page work, and the module can go while they
# are on.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../cli/common.bash"

tracing=/sys/kernel/tracing
events=$tracing/events/ipcdemo

setup() {
	kids=()
	[[ -d $events ]] || skip "this kernel was built without tracing"
	objects
	echo >$tracing/trace
}

teardown() {
	[[ -e $events ]] || return 0
	echo 0 >$events/enable
	end_kids
	! mountpoint -q "$dir/mnt" || umount "$dir/mnt"
	echo >$tracing/trace
}

# Turns points on, and nothing else: trace POINT...
trace() {
	local point

	for point in "$@"; do
		echo 1 >"$events/${point/./_}/enable"
	done
}

# What was traced since, a line an event, "point key=value ...", in order, of
# the object of that id or of any: traced [ID]
traced() {
	sed -nE 's/^.* ([a-z]+)_([a-z_]+): (pipe|region) ([0-9]+): (.*) wait ([0-9]+) ns of ([0-9]+) slots$/\1.\2 id \4 \5 wait \6 nr \7/p' \
		$tracing/trace | grep -E " id ${1:-[0-9]+} "
}

# The points alone: points_traced [ID]
points_traced() {
	traced "$@" | cut -d ' ' -f 1
}

# A field of the only event of that point: field POINT KEY
field() {
	traced | awk -v point="$1" -v key="$2" \
		'$1 == point { for (i = 2; i < NF; i += 2) if ($i == key) print $(i + 1) }'
}

# The sum of the lines.
sum() {
	awk '{ sum += $1 } END { print sum }'
}

@test "each point has a tracepoint, and no other is there" {
	tail -n +2 /proc/ipcdemo/points | cut -d ' ' -f 1 | tr . _ |
		sort >"$dir/want"
	find "$events" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' |
		sort >"$dir/got"
	[[ $(wc -l <"$dir/want") -gt 80 ]]
	diff "$dir/want" "$dir/got"
}

@test "the fields are those of docs/tracing.md, in all alike" {
	local point

	# shellcheck disable=SC2016 # no command: backquotes of the page
	sed -nE 's/^\| (`[^|]*`) \| ([su][0-9]+) \|.*/\2 \1/p' docs/tracing.md |
		tr -d '`,' | awk '{ for (i = 2; i <= NF; i++) print $1, $i }' \
		>"$dir/want"
	[[ $(wc -l <"$dir/want") == 11 ]]
	for point in "$events"/*/format; do
		sed -nE 's/^\tfield:([su][0-9]+) ([a-z_]+);.*/\1 \2/p' "$point" \
			>"$dir/got"
		diff "$dir/want" "$dir/got"
	done
}

@test "a write and a read say their sizes, slots and results" {
	exec 8<>/dev/ipcdemo
	trace write.enter write.copy write.publish write.return read.copy \
		read.release ring.empty
	head -c 5000 /dev/zero >&8
	head -c 5000 <&8 >/dev/null
	echo 0 >$events/enable
	exec 8>&-
	traced "${pipe##*/}" >"$dir/got"
	# head(1) may write and read in pieces of its own.
	same 5000 "$(field write.copy len | sum)"
	same 5000 "$(field read.copy len | sum)"
	same "$(field write.enter len)" "$(field write.return decided)"
	same 1 "$(grep -c '^ring.empty ' "$dir/got")"
	same 16 "$(field ring.empty nr)"
	same "$(field ring.empty head)" "$(field ring.empty tail)"
	# Where a slot is filled head has moved on, and it is the one before.
	awk '$1 == "write.publish" && $5 != ($11 - 1) % 16 { exit 1 }' "$dir/got"
	same "$(grep -c '^write.publish ' "$dir/got")" \
		"$(grep -c '^read.release ' "$dir/got")"
}

@test "a wake-up names whom it chose, and he says how long he waited" {
	local reader

	trace read.wait wake.readers wake.task read.woken
	start cat /dev/ipcdemo
	reader=$pid
	exec 8>/dev/ipcdemo
	until_true waits_at read.wait
	echo hello >&8
	until_true grep -q 'read_woken' $tracing/trace
	exec 8>&-
	wait "$reader"
	echo 0 >$events/enable
	# The one that waited in open was chosen before.
	traced "${pipe##*/}" | sed -n '/^read.wait /,$p' >"$dir/got"
	same "read.wait wake.readers wake.task read.woken" \
		"$(cut -d ' ' -f 1 "$dir/got" | head -4 | xargs)"
	awk -v pid="$reader" '
		$1 == "wake.task" && !chosen++ {
			if ($17 != pid || $19 <= 0) exit 1; waited = $19 }
		$1 == "read.woken" && !woken++ && $19 < waited { exit 1 }
		$1 == "read.wait" && $19 != 0 { exit 1 }
		END { exit !chosen || !woken }' "$dir/got"
}

@test "a ring that is full says so once, where its last slot is filled" {
	exec 8<>/dev/ipcdemo
	trace write.publish ring.full read.release ring.empty
	head -c 65536 /dev/zero >&8
	echo 0 >$events/enable
	exec 8>&-
	same "ring.full" "$(points_traced "${pipe##*/}" | tail -1)"
	same 1 "$(points_traced | grep -c ring.full)"
	same 16 "$(points_traced | grep -c write.publish)"
	same 16 "$(($(field ring.full head) - $(field ring.full tail)))"
}

@test "regions, words, mappings and names are traced" {
	mkdir "$dir/mnt"
	mount -t ipcdemofs none "$dir/mnt"
	# What comes first must be there still when a slow ring has ended.
	echo 16384 >$tracing/buffer_size_kb
	echo 1 >$events/enable
	mkfifo "$dir/mnt/fifo"
	cat "$dir/mnt/fifo" >"$dir/out" &
	echo through >"$dir/mnt/fifo"
	wait $!
	rm "$dir/mnt/fifo"
	seq 20000 | ipcdemo ring send "$dir/mnt/ring" &
	ipcdemo ring recv "$dir/mnt/ring" | tail -n 1 >"$dir/last"
	wait $!
	rm "$dir/mnt/ring"
	umount "$dir/mnt"
	echo 0 >$events/enable
	same through "$(<"$dir/out")"
	same 20000 "$(<"$dir/last")"
	points_traced >"$dir/got"
	echo 1408 >$tracing/buffer_size_kb
	for point in pipe.new open.wait wake.task open.woken write.copy read.eof \
		pipe.gone region.new map.new map.fault map.gone word.enter \
		word.wake region.gone; do
		grep -qxF "$point" "$dir/got" || {
			echo "nothing was traced of $point"
			return 1
		}
	done
	# A page of the region: on a boundary, and the whole of a mapping.
	awk '$1 == "map.fault" && $7 % 4096 { exit 1 }
		$1 == "map.new" && $9 % 4096 { exit 1 }' < <(traced)
}

@test "the commands of docs/tracing.md print what stands there" {
	local n=0 file

	[[ -e /proc/sys/kernel/perf_event_paranoid ]] ||
		skip "this kernel was built without perf events and BPF"
	[[ -e /sys/kernel/btf/vmlinux ]] ||
		skip "this kernel has no BTF, which tells bpftrace what a u32 is"
	command -v perf trace-cmd bpftrace >/dev/null
	# Each block of commands, and the block of what it prints.
	awk -v dir="$dir" '
		/^```sh$/ { out = dir "/" ++n ".sh"; next }
		/^```text$/ { out = dir "/" n ".text"; next }
		/^```$/ { out = ""; next }
		out { print >out }' docs/tracing.md
	for ((n = 1; ; n++)); do
		[[ -e $dir/$n.sh ]] || break
		(cd "$dir" && bash -eu -o pipefail "$n.sh") >"$dir/$n.got" \
			2>"$dir/$n.err" || {
			cat "$dir/$n.sh" "$dir/$n.got" "$dir/$n.err"
			return 1
		}
		sed '/^$/d' "$dir/$n.got" | diff "$dir/$n.text" - || {
			cat "$dir/$n.sh" "$dir/$n.err"
			return 1
		}
	done
	# All of them: the one that is not there is the sixth.
	((n == 6))
}

@test "the module goes while its tracepoints are on, and comes back" {
	local file

	file=$(find build/kernel -name ipcdemo.ko | grep "/$(uname -r)/")
	echo 1 >$events/enable
	ipcdemo pipeline 'echo a | cat' >/dev/null
	rmmod ipcdemo
	[[ ! -e $events ]]
	insmod "$file"
	same 0 "$(<$events/enable)"
	# Nobody looks: a write is not told of.
	ipcdemo pipeline 'echo a | cat' >/dev/null
	[[ -z $(traced) ]]
	trace write.copy
	ipcdemo pipeline 'echo a | cat' >/dev/null
	same write.copy "$(points_traced)"
}

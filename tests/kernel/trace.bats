#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints: there is one for each point, it says what docs/tracing.md says
# of its fields, the commands of that page work, and the module can go while they
# are on. The one that tells of many points says the same of them.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../cli/common.bash"

tracing=/sys/kernel/tracing
events=$tracing/events/ipcdemo
batch=$tracing/events/ipcdemo_batch/points
parameters=/sys/module/ipcdemo/parameters

setup() {
	kids=()
	[[ -d $events ]] || skip "this kernel was built without tracing"
	objects
	echo >$tracing/trace
}

teardown() {
	[[ -e $events ]] || return 0
	echo 0 >$events/enable
	echo 0 >$batch/enable
	echo 0 >$parameters/fail_batches
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

has_passed() {
	[[ $(counted "$1") -gt 0 ]]
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
	sed -nE '/^## All points/q; s/^\| (`[^|]*`) \| ([su][0-9]+) \|.*/\2 \1/p' \
		docs/tracing.md | tr -d '`,' | awk '{ for (i = 2; i <= NF; i++) print $1, $i }' \
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

@test "the fields of a batch are those of docs/tracing.md" {
	# shellcheck disable=SC2016 # no command: backquotes of the page
	sed -nE '/^## All points/,$ s/^\| (`[^|]*`) \| (u[0-9]+(\[\])?) \|.*/\2 \1/p' \
		docs/tracing.md | tr -d '`,' |
		awk '{ for (i = 2; i <= NF; i++) print $1, $i }' >"$dir/want"
	[[ $(wc -l <"$dir/want") == 8 ]]
	sed -nE 's/^\tfield:(__data_loc )?(u[0-9]+(\[\])?) ([a-z_]+);.*/\2 \4/p' \
		$batch/format >"$dir/got"
	diff "$dir/want" "$dir/got"
}

# A recording as one line a point of that object, by task, each task's in order:
# recorded ID
recorded() {
	jq -r --argjson id "$1" 'select(.at and .id == $id) | def v(x): x // -1;
		"\(.t) \(.pid) \(.at) slot \(v(.slot)) offset \(v(.offset)) len \(v(.len)) head \(
		v(.head)) tail \(v(.tail)) decided \(v(.decided)) other \(.other // 0) wait \(
		.wait // 0) nr \(.nr // 0)"' "$dir/rec" |
		sort -s -k 2,2n -k 1,1n | cut -d ' ' -f 2-
}

# The same of what was traced, an event a point, in the main buffers.
traced_by_task() {
	sed -nE 's/^.*-([0-9]+) +\[[0-9]+\] .* ([a-z]+)_([a-z_]+): (pipe|region) '"$1"': (.*) wait ([0-9]+) ns of ([0-9]+) slots$/\1 \2.\3 \5 wait \6 nr \7/p' \
		$tracing/trace | sort -s -k 1,1n
}

@test "a batch says of each point what its own event says" {
	local commands='exec 8<>/dev/ipcdemo 9<>/dev/ipcdemo
		head -c 5000 /dev/zero >&8; head -c 3000 <&9 >/dev/null
		printf more >&8; head -c 2004 <&8 >/dev/null
		echo bytes | ipcdemo region write -o 5000 -'

	echo 16384 >$tracing/buffer_size_kb
	echo 1 >$events/enable
	ipcdemo record -o "$dir/rec" bash -c "$commands"
	echo 0 >$events/enable
	for object in "$pipe" "$region"; do
		recorded "${object##*/}" >"$dir/got"
		traced_by_task "${object##*/}" >"$dir/want"
		grep -c . "$dir/want"
		diff "$dir/want" "$dir/got"
	done
	recorded "${pipe##*/}" | grep -q ' write.merge '
	recorded "${region##*/}" | grep -q 'map.fault .* offset 4096 '
}

@test "a batch names whom a wake-up chose, and how long he has waited" {
	# Where others go on, head and tail may be those of another moment.
	without_places() {
		sed -E 's/ (slot|offset|head|tail) -?[0-9]+//g'
	}

	echo 16384 >$tracing/buffer_size_kb
	echo 1 >$events/enable
	ipcdemo record -o "$dir/rec" ipcdemo pipeline \
		'head -c 200000 /dev/zero | dd bs=1000 of=/dev/null status=none'
	echo 0 >$events/enable
	recorded "${pipe##*/}" | without_places >"$dir/got"
	traced_by_task "${pipe##*/}" | without_places >"$dir/want"
	echo 1408 >$tracing/buffer_size_kb
	diff "$dir/want" "$dir/got"
	grep -q ' wake.task .* other [1-9][0-9]* wait [1-9]' "$dir/got"
	grep -qE ' (read|write)\.woken .* wait [1-9]' "$dir/got"
}

@test "the times of a batch fit those of the scheduler: who passes a point runs" {
	ipcdemo record -o "$dir/rec" ipcdemo pipeline \
		'head -c 200000 /dev/zero | dd bs=1000 of=/dev/null status=none'
	jq -r 'if .switch then "\(.t) 0 \(.cpu) \(.switch) \(.to)"
		elif .at then "\(.t) 1 \(.cpu) \(.pid) \(.at)" else empty end' \
		"$dir/rec" | sort -s -k 1,1n >"$dir/order"
	awk '!$2 { on[$4] = "no"; on[$5] = $3; next }
		!($4 in on) { next }
		on[$4] != $3 { print "not on that processor:", $0; wrong++ }
		{ seen++ }
		END { exit wrong || seen < 1000 }' "$dir/order"
}

@test "points are numbered, and a flush tells of those that wait to be told of" {
	echo 1 >$batch/enable
	printf through | ipcdemo pipeline 'cat | cat' >/dev/null
	echo 1 >$parameters/flush_points
	echo 0 >$batch/enable
	sed -nE 's/^.* points: ([0-9]+) points of processor ([0-9]+), ([0-9]+) before .*/\2 \3 \1/p' \
		$tracing/trace >"$dir/got"
	[[ -s $dir/got ]]
	awk '{ if ($2 != next_of[$1] + 0) exit 1; next_of[$1] = $2 + $3; all += $3 }
		END { exit all < 10 }' "$dir/got"
	# Turned on anew they begin anew, and what was not told of is gone.
	echo >$tracing/trace
	echo 1 >$batch/enable
	echo 1 >$parameters/flush_points
	same "0 points" "$(grep -o '[0-9]* points of .*, 0 before' $tracing/trace |
		grep -o '^[0-9]* points' | sort -u)"
	echo 0 >$batch/enable
	# Nobody is told: it is no error.
	echo 1 >$parameters/flush_points
}

@test "batches come and go while points are passed" {
	local i

	start ipcdemo pipeline 'cat /dev/zero | cat >/dev/null'
	until_true has_passed write.copy
	for ((i = 0; i < 40; i++)); do
		echo 1 >$batch/enable
		((i % 4)) || echo 1 >$parameters/flush_points
		echo 0 >$batch/enable
	done
	kill -0 "$pid"
}

@test "without memory for batches the tracepoint stays off, and record says so" {
	echo 1 >$parameters/fail_batches
	run bash -c "echo 1 >$batch/enable"
	[[ $status != 0 && $output == *"Cannot allocate memory"* ]]
	same 0 "$(<$batch/enable)"
	same 0 "$(<$parameters/fail_batches)"
	echo 1 >$parameters/fail_batches
	tried 1 ipcdemo record -o "$dir/rec" touch "$dir/ran"
	says "Cannot allocate memory"
	[[ ! -e $dir/ran ]]
	tried 0 ipcdemo record -o "$dir/rec" ipcdemo pipeline 'echo a | cat'
	[[ $err == *" points; nothing was lost" ]]
}

@test "a processor goes and comes while points are recorded: none is lost" {
	local online=/sys/devices/system/cpu/cpu1/online

	[[ -e $online ]] || skip "no processor of this machine can go offline"
	echo 1 >$parameters/count_points
	awk 'NR > 1 { n += $4 } END { print n }' /proc/ipcdemo/points >"$dir/before"
	tried 0 ipcdemo record -o "$dir/rec" bash -c '
		pipeline() {
			ipcdemo pipeline "head -c 50000 /dev/zero | dd bs=1000 of=/dev/null status=none"
		}
		for i in 1 2 3; do
			pipeline; echo 0 >'$online'; pipeline; echo 1 >'$online'; pipeline
		done'
	awk 'NR > 1 { n += $4 } END { print n }' /proc/ipcdemo/points >"$dir/after"
	echo 0 >$parameters/count_points
	[[ $err == *" has $(($(<"$dir/after") - $(<"$dir/before"))) points; nothing was lost" ]]
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
	echo 0 >$events/enable
	# With points in batches, some of which are not told of yet.
	echo 1 >$batch/enable
	ipcdemo pipeline 'echo a | cat' >/dev/null
	rmmod ipcdemo
	[[ ! -e $batch ]]
	insmod "$file"
	same 0 "$(<$batch/enable)"
	tried 0 ipcdemo record -o "$dir/rec" ipcdemo pipeline 'echo a | cat'
	[[ $err == *" points; nothing was lost" ]]
	# Under a recording: the kernel forgets what its buffers have.
	tried 1 ipcdemo record -k -o "$dir/rec" rmmod ipcdemo
	says "the module was unloaded meanwhile: the recording is not whole"
	insmod "$file"
	tried 0 ipcdemo record -o "$dir/rec" ipcdemo pipeline 'echo a | cat'
	[[ $err == *" points; nothing was lost" ]]
	tried 1 ipcdemo record -k -o "$dir/rec" sh -c "rmmod ipcdemo; insmod $file"
	says "the module was unloaded meanwhile: the recording is not whole"
}

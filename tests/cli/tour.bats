#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The tour: what it says when all is well, that it can tell when it is not, and
# what it leaves behind.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

last_line() {
	tail -n 1 "$1"
}

# row NAME: the numbers of that row of the table of both ways to do a job.
row() {
	sed -nE "s/^  $1 +([0-9]+) +([0-9]+) .*/\1 \2/p" "$dir/out"
}

@test "every step is as expected, and the pipe is left as it was" {
	local first second woken

	ipcdemo persist kernel >/dev/null
	ipcdemo resize 32K >/dev/null
	ipcdemo tour >"$dir/out" 2>"$dir/err"
	[[ ! -s $dir/err ]]
	[[ $(last_line "$dir/out") =~ ^tour:\ ([0-9]+)\ steps,\ ([0-9]+)\ as ]]
	same "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	same "${BASH_REMATCH[1]}" "$(grep -c '^  ok$' "$dir/out")"
	same "${BASH_REMATCH[1]}" \
		"$(grep -cE "^[0-9]+/${BASH_REMATCH[1]}  [a-z]" "$dir/out")"
	# What was asked for: the mission's example finds this very tour
	grep -Eq '^  > root +[0-9]+ .* ipcdemo tour$' "$dir/out"
	grep -Eq 'open\.wait +pid [0-9]+ +sh ' "$dir/out"
	grep -Eq 'read\.wait +pid [0-9]+ +cat ' "$dir/out"
	grep -Eq 'write\.wait +pid [0-9]+ +seq ' "$dir/out"
	same "1 pipe of the module, 0 of the kernel|1 pipe of the module, 0 of the kernel" \
		"$(sed -n 's/^  made meanwhile: //p' "$dir/out" | paste -sd '|')"
	grep -q '^  > hello, parent$' "$dir/out"
	# Both have the same sum, and what the module counted fits: each byte is copied
	# twice on its way through the pipe, once into the region
	same 1 "$(sed -n 's/^.*, sum \([0-9a-f]*\); sent: sum \([0-9a-f]*\)$/\1\n\2/p' \
		"$dir/out" | sort -u | wc -l)"
	read -r first second < <(row 'bytes received')
	[[ $first == "$second" && $first -ge 4194304 ]]
	same "$((2 * first)) $first" "$(row 'bytes copied')"
	read -r first second < <(row 'system calls')
	((first >= 2 * 1024 && second <= 3 * first / 2))
	read -r first second < <(row 'sleeps')
	read -r _ woken < <(row 'tasks woken')
	((woken <= second))
	grep -q 'slots: 8  used: 8  bytes: 32768' "$dir/out" ||
		grep -q 'slots: 16  used: 16  bytes: 65536' "$dir/out"
	same "kernel 32768 0 0 0" "$(value persistence) $(value capacity) $(
		value bytes) $(value readers) $(value writers)"
}

@test "an ordinary user takes it, with a name, where all pages are there" {
	ipcdemo region fill 7
	nobody ipcdemo tour --name gone --no-color >"$dir/out"
	grep -Eq '^  > nobody .* ipcdemo tour --name gone' "$dir/out"
	[[ $(last_line "$dir/out") =~ ^tour:\ ([0-9]+)\ steps,\ ([0-9]+)\ as ]]
	same "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	# It wrote into a page, and put back what was there
	same 0 "$(ipcdemo region read | tr -d '\7' | wc -c)"
	tried 2 ipcdemo tour --name '.*'
	says "--name takes a word of letters and digits"
}

@test "it goes on where ps has more to say than the pipe holds" {
	printf '#!/bin/sh\n%s "$@"\nexec seq 1 30000\n' "$(type -P ps)" >"$dir/ps"
	chmod +x "$dir/ps"
	PATH=$dir:$PATH ipcdemo tour >"$dir/out"
	grep -Eq 'write\.wait +pid [0-9]+ +seq ' "$dir/out"
	grep -Eq '^  > root +[0-9]+ .* ipcdemo tour$' "$dir/out"
	[[ $(last_line "$dir/out") =~ ^tour:\ ([0-9]+)\ steps,\ ([0-9]+)\ as ]]
	same "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

@test "it says NOT as expected, and fails, when what it sees is something else" {
	cp "$region" "$dir/frozen"
	mount --bind "$dir/frozen" "$region"
	# A view that stands still can be had of /proc alone
	IPCDEMO_ROOT=/. ipcdemo tour >"$dir/out" || status=$?
	umount "$region"
	same 1 "$status"
	grep -q "NOT as expected: wanted maps 2, the module says maps 0" "$dir/out"
	[[ $(last_line "$dir/out") =~ ^tour:\ ([0-9]+)\ steps,\ ([0-9]+)\ as ]]
	same $((BASH_REMATCH[1] - 3)) "${BASH_REMATCH[2]}"
	same "0 0" "$(value readers) $(value writers)"
}

@test "it is refused while somebody has the pipe, or bytes are in it" {
	start cat /dev/ipcdemo
	until_true waits_at open.wait
	tried 1 ipcdemo tour
	says "somebody has the pipe open"
	: >/dev/ipcdemo
	wait "$pid"
	ipcdemo persist kernel
	echo hello >/dev/ipcdemo
	tried 1 ipcdemo tour
	says "the pipe holds 6 bytes"
	same hello "$(ipcdemo read)"
}

@test "stopped by a signal, it leaves the pipe empty and no process behind" {
	local signal

	# A ps that does not end: the tour waits for it in its third step
	printf '#!/bin/sh\nexec sleep 100\n' >"$dir/ps"
	chmod +x "$dir/ps"
	for signal in INT TERM; do
		PATH=$dir:$PATH start ipcdemo tour
		until_true has_value readers 1
		kill -$signal "$pid"
		wait "$pid" && return 1
		same "process 0 0 0" "$(value persistence) $(value bytes) $(
			value readers) $(value writers)"
		tried 1 pgrep -x sleep
	done
}

# The module with the bug of commit 3d252160b818, as make check has built it.
bug=build/mutants/two-loads
loaded() {
	cat /sys/module/ipcdemo/srcversion
}

is_loaded() {
	[[ $(loaded 2>/dev/null) == "$1" ]]
}

is_not_loaded() {
	! is_loaded "$1"
}

# kit PATCHED REAL SCHEDULE: a folder for --bug that differs from that one.
kit() {
	mkdir -p "$dir/kit"
	ln -sfn "$PWD/$1" "$dir/kit/patched.ko"
	ln -sfn "$PWD/$2" "$dir/kit/real.ko"
	ln -sfn "$3" "$dir/kit/schedule.step"
}

@test "the hang is stepped on a copy with the bug, then the real code goes on" {
	local real hang fixed

	rmmod ipcdemo
	insmod $bug/real.ko mode=0600 trim_seconds=7 region_size=8192
	objects
	real=$(loaded)
	ipcdemo persist kernel >/dev/null
	ipcdemo resize 32K >/dev/null
	ipcdemo tour --bug $bug >"$dir/out" 2>"$dir/err"
	[[ ! -s $dir/err ]]
	same "tour: 22 steps, 22 as expected" "$(last_line "$dir/out")"
	hang=$(sed -n '/^21\/22  a hang of Linux/,/^  ok$/p' "$dir/out")
	fixed=$(sed -n '/^22\/22  the same steps, on the real code$/,/^  ok$/p' \
		"$dir/out")
	[[ $hang == *"3d252160b818"* ]]
	[[ $hang == *"insmod the copy with the bug: srcversion "* ]]
	[[ $hang != *"srcversion $real"* ]]
	[[ $fixed == *"insmod the real one: srcversion $real"* ]]
	# Each line with its explanation, the same in both
	[[ $hang == *'# W fills both slots'*'W is at wake.readers'* ]]
	same "$(grep '^  >        #' <<<"$hang")" \
		"$(grep '^  >        #' <<<"$fixed")"
	grep -Eq 'run W until done +no$' <<<"$hang"
	grep -q '0 of 2 slots used, 0 bytes' <<<"$hang"
	grep -q '^  slots: 2  used: 0  bytes: 0  readers: 1 ' <<<"$hang"
	grep -Eq '^  write.wait +pid [0-9]+ +W .*sleeping' <<<"$hang"
	grep -q '^  2 of 2 slots are free, and W sleeps in write' <<<"$hang"
	grep -Eq 'run W until done +W is done: write 12288 gave 12288$' \
		<<<"$fixed"
	grep -q 'expectations held' <<<"$fixed"
	# It is the module that was there, with its parameters, and as it was
	is_loaded "$real"
	same "600 7 8192" "$(stat -c %a /dev/ipcdemo) $(
		cat /sys/module/ipcdemo/parameters/trim_seconds) $(
		sed -n 's/^size: //p' "$region")"
	same "kernel 32768 0 0 0" "$(value persistence) $(value capacity) $(
		value bytes) $(value readers) $(value writers)"
	tried 1 pgrep -x ipcdemo-swap
	reload
}

@test "without the copy, or not as root, it says what that chapter needs" {
	ipcdemo tour >"$dir/out"
	grep -q '^Left out: it needs that copy. With the sources, .make demo.' \
		"$dir/out"
	grep -q 'ipcdemo tour --bug build/mutants/two-loads' "$dir/out"
	same "tour: 20 steps, 20 as expected" "$(last_line "$dir/out")"
	nobody ipcdemo tour --bug $bug >"$dir/out"
	grep -q '^Left out: .* only root may do that' "$dir/out"
	same "tour: 20 steps, 20 as expected" "$(last_line "$dir/out")"
	tried 1 ipcdemo tour --bug "$dir"
	says "$dir/real.ko is no module: \`tests/plant-bug two-loads\` makes"
}

@test "while somebody uses the module, that chapter is left out" {
	local real

	real=$(loaded)
	# Has the region mapped, and waits for somebody to read what it prints
	mkfifo "$dir/fifo"
	exec 8<>"$dir/fifo"
	start ipcdemo region read 8>&- >"$dir/fifo"
	until_true grep -q '^maps: 1$' "$region"
	ipcdemo tour --bug $bug >"$dir/out"
	same 2 "$(grep -c 'left out: the module cannot be taken out: somebody' \
		"$dir/out")"
	same "tour: 22 steps, 20 as expected, 2 left out" \
		"$(last_line "$dir/out")"
	is_loaded "$real"
	kill "$pid"
	exec 8>&-
}

@test "a real module with the bug, or a copy without it, makes the tour fail" {
	kit $bug/patched.ko $bug/patched.ko "$PWD/$bug/schedule.step"
	tried 1 ipcdemo tour --bug "$dir/kit"
	says "real.ko is not the module that is loaded (srcversion "
	# Even if it is the one that was loaded: what it does tells
	rmmod ipcdemo
	insmod $bug/patched.ko
	objects
	tried 1 ipcdemo tour --bug "$dir/kit"
	[[ $out == *"22/22 "*"NOT as expected: the real module hangs as well"* ]]
	reload
	# A copy that does not hang
	kit $bug/patched.ko $bug/real.ko "$PWD/tests/interleave/commands.step"
	tried 1 ipcdemo tour --bug "$dir/kit"
	[[ $out == *"wanted a hang, the schedule came to its end"* ]]
	same "tour: 22 steps, 21 as expected" "${lines[-1]}"
}

@test "however it ends, the module with the bug does not stay" {
	local signal real

	real=$(loaded)
	printf '%s\n' 'task T opens both' 'T: run sleep 100' \
		'run T until done' >"$dir/slow.step"
	kit $bug/patched.ko $bug/real.ko "$dir/slow.step"
	for signal in INT KILL; do
		start env --default-signal=INT ipcdemo tour \
			--bug "$dir/kit" >"$dir/out"
		until_true pgrep -x sleep >/dev/null
		is_not_loaded "$real"
		kill -$signal "$pid"
		wait "$pid" && return 1
		until_true is_loaded "$real"
		objects
		# The helper has nothing left to do
		tried 1 timeout 20 sh -c \
			'while pgrep -x ipcdemo-swap; do sleep 0.1; done; exit 1'
		tried 1 pgrep -x sleep
		same "process 0 0 0" "$(value persistence) $(value bytes) $(
			value readers) $(value writers)"
	done
}

teardown_file() {
	reload
}

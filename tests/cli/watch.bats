#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# `ipcdemo watch` on the module's own objects. How the screen behaves is tested
# on the host, too: tests/cli/host/watch.bats.

# shellcheck source=tests/cli/terminal.bash
source "$BATS_TEST_DIRNAME/terminal.bash"

# The screen: begin ARGUMENT...
begin() {
	[[ -n ${socket-} ]] || open_terminal LANG=C.UTF-8
	keys "clear; ipcdemo watch -n 0.2 $*; echo status \$?" Enter
	sees '^(pipe|region) [0-9]+ '
}

leave() {
	keys q
	left 0
}


@test "who waits is shown with how long; head, tail and rates move with the bytes" {
	begin --counts
	start cat /dev/ipcdemo >"$dir/got"
	sees "^  in open: cat \\($pid\\) sleeping [0-9.]+ s\$"
	exec 9>/dev/ipcdemo
	sees "^  readers wait: cat \\($pid\\) sleeping [0-9.]+ s\$"
	sees '^  writers wait: nobody$'
	sees '^  readers 1, writers 1; tail 0, head 0$'
	sees '^ +head=tail$'
	# A pause shows the look before the bytes.
	keys ' '
	sees PAUSED
	echo hello >&9
	until_true grep -q hello "$dir/got"
	sees 'tail 0, head 0$'
	keys ' '
	sees '^  readers 1, writers 1; tail 1, head 1$'
	sees ' read.copy \+6 bytes'
	sees ' write.copy \+6 bytes'
	sees ' wake.readers \+1'
	sees ' read.woken \+1'
	# And back to the time when it waited for them
	keys Left
	sees PAUSED
	keys Home
	sees 'tail 0, head 0$'
	keys End
	sees 'tail 1, head 1$'
	exec 9>&-
	wait "$pid"
	sees '^  readers 0, writers 0;'
	# Now a full one.
	exec 8<>/dev/ipcdemo
	start dd if=/dev/zero of=/dev/ipcdemo bs=4096 count=17 status=none
	sees '^  16 of 16 slots, 65536 of 65536 bytes$'
	sees "^  writers wait: dd \\($pid\\) sleeping [0-9.]+ s\$"
	sees '^  │(███│){16}$'
	sees '^  fill \|#*\[#\]\|$'
	keys s
	sees '^head=tail ▸ +[0-9]+ +[0-9]+ │█{32}│ +0 4096 '
	exec 8<&-
	leave
}

two_pipes() {
	(($(wc -l </proc/ipcdemo/pipes) == 3))
}

@test "a region's pages, faults and waiters are shown, and objects come and go" {
	local id

	id=${region##*/}
	begin --counts
	keys o
	sees "^  region +$id "
	keys Down Enter
	sees "^region $id "
	ipcdemo region fill -c 1 0
	sees '^ +[0-9.]+ .*map.fault \+1'
	sees '^  last fault: page 0, write by ipcdemo '
	# A pipe that comes is in the list, and one that is gone is remembered.
	start ipcdemo run -- bash -c 'sleep 1000 | sleep 1000'
	until_true two_pipes
	id=$(sed -n '$s/ .*//p' /proc/ipcdemo/pipes)
	keys o
	sees "^  pipe +$id "
	keys Home Down Enter
	sees "^pipe $id  ipcdemo:\\["
	pkill -P "$pid" sleep
	sees "^pipe $id .* GONE, seen at"
	keys Home
	sees "^pipe $id .* PAUSED, GONE, seen at"
	leave
	tried 1 ipcdemo watch -b 1 "$id"
	says "there is no object with the id $id"
}

# How many instances of tracefs are ours?
instances() {
	find /sys/kernel/tracing/instances -maxdepth 1 -name 'ipcdemo-watch-*' |
		wc -l
}

no_instances() {
	(($(instances) == 0))
}

@test "points are traced one by one where tracefs is, and nothing of that stays" {
	local enabled=/sys/kernel/tracing/events/ipcdemo/enable

	mountpoint -q /sys/kernel/tracing ||
		mount -t tracefs none /sys/kernel/tracing
	# What somebody left who was killed with his guard.
	mkdir /sys/kernel/tracing/instances/ipcdemo-watch-99999-1
	echo 1 >/sys/kernel/tracing/instances/ipcdemo-watch-99999-1/events/ipcdemo/enable
	begin "${pipe##*/}"
	sees '^Points passed, up to '
	tmux -S "$socket" resize-window -t t -x 100 -y 90
	same 1 "$(instances)"
	start cat /dev/ipcdemo
	sees "^ +[0-9]+\\.[0-9]{3} $pid cat  open.wait"
	exec 9>/dev/ipcdemo
	sees "^ +[0-9.]+ $pid cat  open.woken after [0-9.]+ s"
	echo hello >&9
	sees "^ +[0-9.]+ $BASHPID [a-z-]+  wake.task $pid after [0-9.]+ s"
	sees "^ +[0-9.]+ $pid cat  read.copy .*len 6"
	exec 9>&-
	wait "$pid"
	# Or how often, as without tracefs.
	keys c
	sees '^Points passed, .* \(counted: c: one by one\)$'
	sees ' read.copy \+6 bytes'
	leave
	no_instances
	# Nobody else's tracing was touched, and ours is over.
	same 0 "$(<"$enabled")"
	begin "${pipe##*/}"
	wait_until eval '! no_instances'
	kill -KILL "$(pgrep -x ipcdemo)"
	until_true no_instances
}

@test "frames for scripts: rates add up to the counters, until the object is gone" {
	local before

	before=$(counted write.copy)
	start_batch() {
		ipcdemo watch --json -b 100000 -n 0.1 "${pipe##*/}" >"$dir/json"
	}
	start start_batch
	until_true grep -q '"look":2' "$dir/json"
	ipcdemo pipeline 'head -c 1000000 /dev/zero | cat' >/dev/null
	until_true last_has "$(counted write.copy)"
	kill "$pid"
	wait "$pid" || same 143 $?
	same 1000000 "$(jq -sr --argjson before "$before" '
		[range(1; length) as $i |
		(.[$i].seconds - .[$i - 1].seconds) * .[$i].rates["write.copy"]] |
		add | round' "$dir/json")"
}

# Nothing was counted in the last look, and something before.
last_has() {
	tail -n 1 "$dir/json" | jq -e '.rates["write.copy"] == 0' >/dev/null &&
		jq -se 'map(.rates["write.copy"] // 0) | add > 0' "$dir/json" \
			>/dev/null
}

@test "it holds nothing: the module can be removed, and then it ends" {
	ipcdemo watch -b 100000 -n 0.05 >"$dir/out" 2>"$dir/err" 3>&- &
	kids+=($!)
	until_true grep -q 'look 2, ' "$dir/out"
	# A look that is under way holds it for that long
	until_true rmmod ipcdemo
	wait $! || same 1 $?
	cat "$dir/err"
	# Its files go one after the other; any of them may be missed first.
	[[ $(<"$dir/err") == "ipcdemo: "*"/proc/ipcdemo"* ]]
	reload
	tried 0 ipcdemo watch -b 2 -n 0.01
	[[ $out == *"look 2, "* ]]
}

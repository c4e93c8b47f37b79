#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The locks of a region of the module: who holds them, who waits, who died.

# shellcheck source=tests/cli/sync.bash
source "$BATS_TEST_DIRNAME/sync.bash"

setup() {
	kids=()
	mnt=$(mktemp -d /tmp/ipcdemo-sync.XXXXXX)
	mount -t ipcdemofs none "$mnt"
	locks=$mnt/file
	"$actor" "$locks" make
}

teardown() {
	end_kids
	exec 9>&-
	umount "$mnt"
	rmdir "$mnt"
}

# is NAME MEMBER VALUE: waits until it is that.
is() {
	for _ in {1..300}; do
		[[ $(of "$1" "$2") != "$3" ]] || return 0
	done
	same "$3" "$(of "$1" "$2")"
}

@test "who holds a mutex and who waits for it is named, by the module's word" {
	local holder waiter

	hold m
	holder=$pid
	start "$actor" "$locks" want m 9>&-
	waiter=$pid
	is m waiters 1
	same true "$(ipcdemo sync show --json "$locks" | jq .by_module)"
	same locked "$(of m state)"
	same "$holder" "$(of m pid)"
	same sync-actor "$(of m command)"
	same "$waiter" "$(of m waiting[0].pid)"
	same sync-actor "$(of m waiting[0].command)"
	tried 0 ipcdemo sync show "$locks"
	[[ $out == *"$waiter (sync-actor) waits for m at 8192, "*" s, sleeping"* ]]
	exec 9>&-
	wait "$holder" "$waiter"
	same free "$(of m state)"
	same 0 "$(of m waiters)"
}

@test "of a mutex whose holder died it is said, also when it is lost" {
	hold m
	kill -KILL "$pid"
	wait "$pid" || true
	is m state owner-died
	same 0 "$(of m pid)"
	same died "$("$actor" "$locks" want m)"
	same free "$(of m state)"
	rm "$dir/end" "$dir/said"
	hold m
	kill -KILL "$pid"
	wait "$pid" || true
	"$actor" "$locks" leave m
	same not-recoverable "$(of m state)"
	tried 1 "$actor" "$locks" want m
	same lost "$out"
}

@test "looking locks nothing, and needs only the right to read" {
	chmod 0755 "$mnt"
	chmod 0644 "$locks"
	hold l
	same writing "$(of l state)"
	same "$pid" "$(of l pid)"
	nobody ipcdemo sync show --json "$locks" >/dev/null
	exec 9>&-
	wait "$pid"
}

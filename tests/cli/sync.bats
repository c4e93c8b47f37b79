#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The locks of a region of the module: who holds them, who waits, who died.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

actor=$PWD/build/tests/cli/sync-actor

setup() {
	kids=()
	mnt=$(mktemp -d /tmp/ipcdemo-sync.XXXXXX)
	mount -t ipcdemofs none "$mnt"
	"$actor" "$mnt/file" make
}

teardown() {
	local kid

	for kid in "${kids[@]}"; do
		kill -KILL "$kid" 2>/dev/null || true
		wait "$kid" 2>/dev/null || true
	done
	exec 9>&-
	umount "$mnt"
	rmdir "$mnt"
}

# The member of an object: of NAME MEMBER
of() {
	ipcdemo sync show --json "$mnt/file" |
		jq -r --arg name "$1" ".objects[] | select(.name == \$name) | .$2"
}

# In a process of its own, which it becomes.
holder() {
	exec "$actor" "$mnt/file" hold "$1" <"$dir/end" >"$dir/said"
}

# hold NAME: a process holds it from now on, and lets go when descriptor 9 is closed.
hold() {
	mkfifo "$dir/end"
	start holder "$1"
	exec 9>"$dir/end"
	until grep -qs held "$dir/said"; do
		kill -0 "$pid"
	done
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
	start "$actor" "$mnt/file" want m 9>&-
	waiter=$pid
	is m waiters 1
	same true "$(ipcdemo sync show --json "$mnt/file" | jq .by_module)"
	same locked "$(of m state)"
	same "$holder" "$(of m pid)"
	same sync-actor "$(of m command)"
	same "$waiter" "$(of m waiting[0].pid)"
	same sync-actor "$(of m waiting[0].command)"
	tried 0 ipcdemo sync show "$mnt/file"
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
	same died "$("$actor" "$mnt/file" want m)"
	same free "$(of m state)"
	rm "$dir/end" "$dir/said"
	hold m
	kill -KILL "$pid"
	wait "$pid" || true
	"$actor" "$mnt/file" leave m
	same not-recoverable "$(of m state)"
	tried 1 "$actor" "$mnt/file" want m
	same lost "$out"
}

@test "looking locks nothing, and needs only the right to read" {
	chmod 0755 "$mnt"
	chmod 0644 "$mnt/file"
	hold l
	same writing "$(of l state)"
	same "$pid" "$(of l pid)"
	nobody ipcdemo sync show --json "$mnt/file" >/dev/null
	exec 9>&-
	wait "$pid"
}

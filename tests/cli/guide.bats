#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# docs/guide.md: its commands do what it says, one after the other in one shell.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

@test "each command of the guide works, and shows what the guide says of it" {
	local n

	mkdir -p build/shared
	tests/guide-commands >"$dir/commands"
	# A guide without commands would pass
	n=$(grep -c . "$dir/commands")
	((n >= 15))
	same "cat /proc/ipcdemo/pipes" "$(head -n 1 "$dir/commands")"
	# What each of them prints, behind a line with its number
	awk '{ print "echo \"== " NR "\""; print }' "$dir/commands" >"$dir/script"
	tried 0 bash -e "$dir/script"
	same "== $n" "$(grep '^== ' <<<"$out" | tail -n 1)"
	# The ring with hello in it, and what came out of it
	[[ $out == *"1 of 16 slots used, 6 bytes"*$'\nhello\n'* ]]
	# The reader that waits, and what freed it
	[[ $out == *"open.wait"*"cat"*$'\ndone\n'* ]]
	# ps and grep through a pipe of ours
	[[ $out == *"grep ipcdemo"* ]]
	[[ $err == *"build/shared/ps.rec has "*" points; nothing was lost"* ]]
	[[ $out == *"who waited for whom"*"grep("*"ps("* ]]
	grep -q '>grep([0-9]*)<title>' build/shared/ps.html
	# In the other picture the ring is full, and dd waits for cat
	grep -q 'at most 16 of 16 slots' build/shared/full.svg
	ipcdemo report --json build/shared/full.rec >"$dir/full"
	same '["dd","cat","write"]' "$(jq -c '(.tasks | map({(.pid | tostring): .command}) | add) as $name |
		.waits[] | select(.what == "write" and .for) |
		[$name[.pid | tostring], $name[.for | tostring], .what]' "$dir/full" | head -n 1)"
	jq -e '.traceEvents | length > 50' build/shared/ps.json >"$dir/json"
}

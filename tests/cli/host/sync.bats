#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The locks of a region that is not of the module.

# shellcheck source=tests/cli/sync.bash
source "$BATS_TEST_DIRNAME/../sync.bash"

setup() {
	kids=()
	locks=$dir/file
}

@test "the locks of any file are listed, with their state" {
	"$actor" "$locks" make
	tried 0 ipcdemo sync show "$locks"
	same "name kind offset size state pid thread waiters
m mutex 8192 64 free - - 0
s semaphore 8256 64 value=3 - - 0
c condition 8320 64 - - - 0
l rwlock 8384 64 free - - 0
b barrier 8448 64 here=0/2 - - 0
- bytes 8512 100 - - - -" "$(tr -s ' ' <<<"$out" | sed 's/^ //; s/ $//')"
	same "$locks" "$(ipcdemo sync show --json "$locks" | jq -r .path)"
	same false "$(ipcdemo sync show --json "$locks" | jq .by_module)"
	same 6 "$(ipcdemo sync show --json "$locks" | jq '.objects | length')"
	same 3 "$(of s value)"
	same 2 "$(of b count)"
}

@test "who holds a mutex or writes is named, and nobody afterwards" {
	local name

	"$actor" "$locks" make
	for name in m l; do
		rm -f "$dir/end" "$dir/said"
		hold $name
		[[ $(of $name state) == locked || $(of $name state) == writing ]]
		same "$pid" "$(of $name pid)"
		same "$pid" "$(of $name thread)"
		exec 9>&-
		wait "$pid"
		same free "$(of $name state)"
		same 0 "$(of $name pid)"
	done
}

@test "what holds no locks is named as such" {
	tried 1 ipcdemo sync show "$dir/nothing"
	says "$dir/nothing: No such file or directory"
	tried 1 ipcdemo sync show /dev/null
	says "/dev/null is no file that can be a region"
	: >"$dir/empty"
	tried 1 ipcdemo sync show "$dir/empty"
	says "$dir/empty is empty: nothing can live in it"
	head -c 4096 /dev/zero >"$dir/zeros"
	tried 1 ipcdemo sync show "$dir/zeros"
	says "$dir/zeros holds no locks: libipcdemo(3) did not format it"
	"$actor" "$locks" make
	# The version is the second number, the size the next
	cp "$locks" "$dir/other"
	printf '\x63' | dd of="$dir/other" bs=1 seek=4 conv=notrunc status=none
	tried 1 ipcdemo sync show "$dir/other"
	says "$dir/other was formatted by another version of libipcdemo"
	head -c 16384 "$locks" >"$dir/short"
	tried 1 ipcdemo sync show "$dir/short"
	says "$dir/short is smaller than its header says"
	# An object that is garbage now
	printf 'xxxx' | dd of="$locks" bs=1 seek=8192 conv=notrunc status=none
	same damaged "$(of m state)"
	tried 2 ipcdemo sync show
	says "sync show needs a path"
	tried 2 ipcdemo sync show a b
	says "sync show: do not know what to do with 'b'"
	tried 2 ipcdemo sync
	says "sync needs one more word: show"
}

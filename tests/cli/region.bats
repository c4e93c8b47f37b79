#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Using the region: region read, write, fill, show.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

size=1048576

@test "what was written is read, raw, in hex and as JSON" {
	ipcdemo region write -o 5000 -s "hello, region"
	same "hello, region" "$(ipcdemo region read -o 5000 -c 13)"
	same "00001388  68 65 6c 6c 6f                                   |hello|" \
		"$(ipcdemo region read -o 5000 -c 5 --hex)"
	same '{"offset":5000,"length":2,"hex":"6865"}' \
		"$(ipcdemo region read -o 5000 -c 2 --json | jq -c 'del(.id)')"
	head -c 300000 /dev/urandom >"$dir/sent"
	ipcdemo region write -o 4K "$dir/sent"
	ipcdemo region read -o 4096 -c 300000 | cmp - "$dir/sent"
	ipcdemo region write -o 4K - <"$dir/sent"
	ipcdemo region read -o 4096 -c 300000 | cmp - "$dir/sent"
	same "$size" "$(ipcdemo region read | wc -c)"
	# A terminal gets what can be read
	script -qec "ipcdemo region read -o 4K -c 3" /dev/null </dev/null |
		tr -d '\r' | cmp - <(ipcdemo region read -o 4K -c 3 --hex)
}

@test "fill sets the bytes that were asked for and no others" {
	ipcdemo region fill 0
	ipcdemo region fill -o 10 -c 4 "'z"
	ipcdemo region fill -o 14 -c 1 0x41
	ipcdemo region fill -o $((size - 1)) 255
	same "00007a7a7a7a4100" "$(ipcdemo region read -o 8 -c 8 --json |
		jq -r .hex)"
	same "00ff" "$(ipcdemo region read -o $((size - 2)) --json | jq -r .hex)"
	ipcdemo region fill -o 5 -c 0 1
	tried 2 ipcdemo region fill 256
	says "'256' is no byte: 0 to 255, or \"'A\" for the character A"
	tried 2 ipcdemo region fill
	says "region fill needs a byte"
}

@test "what does not fit is refused as a whole" {
	ipcdemo region fill 7
	tried 1 ipcdemo region read -o $((size + 1))
	says "nothing is at $((size + 1)): the region has $size bytes, up to $((size - 1))"
	tried 1 ipcdemo region fill -o 2M 1
	says "nothing is at 2097152: the region has $size bytes"
	tried 1 ipcdemo region read -o $size
	says "nothing is at $size: "
	tried 1 ipcdemo region write -o 1M -s x
	says "nothing is at $size: "
	tried 1 ipcdemo region read -o 1 -c $size
	says "$size bytes from 1 on do not fit"
	tried 1 ipcdemo region write -o $((size - 3)) -s abcd
	says "4 bytes from $((size - 3)) on do not fit"
	head -c $((size + 1)) /dev/zero >"$dir/long"
	tried 1 ipcdemo region write "$dir/long"
	says "is longer than the region"
	tried 1 ipcdemo region write - <"$dir/long"
	says "standard input is longer than the region"
	tried 1 ipcdemo region fill -o 18446744073709551615 -c 2 0
	says "nothing is at 18446744073709551615"
	tried 1 ipcdemo region write "$dir/nothing"
	says "cannot read $dir/nothing"
	tried 2 ipcdemo region write -s x "$dir/long"
	says "not both"
	# Every byte is still a 7
	same "$size 0" "$(ipcdemo region read | wc -c) $(
		ipcdemo region read | tr -d '\7' | wc -c)"
	same "" "$(ipcdemo region read -o $size -c 0)"
}

@test "an ordinary user shares it, and nobody opens an end for that" {
	local before

	before=$(counted open.enter)
	nobody ipcdemo region write -s "from nobody"
	same "from nobody" "$(nobody ipcdemo region read -c 11)"
	same "$before" "$(counted open.enter)"
	nobody ipcdemo region show | grep -q "nobody maps it"
}

@test "a file of ipcdemofs is used like that of the device, and shown by its path" {
	local id m

	# Everybody must get there, and $dir is ours alone.
	m=$(mktemp -d /mnt/ipcdemo.XXXXXX)
	mount -t ipcdemofs none "$m"
	: >"$m/q"
	tried 1 ipcdemo region fill -f "$m/q" -o 1 0
	says "it is empty: see \`ipcdemo region grow\`"
	tried 0 ipcdemo region grow -f "$m/q" 64K
	ipcdemo region write -f "$m/q" -o 8190 -s across
	same across "$(ipcdemo region read -f "$m/q" -o 8190 -c 6)"
	same across "$(dd if="$m/q" bs=6 count=1 iflag=skip_bytes skip=8190 2>"$dir/dd")"
	tried 1 ipcdemo region grow -f "$m/q" 10
	says "it has 65536 bytes, which are more: truncate(1)"
	chmod 444 "$m/q"
	same across "$(nobody ipcdemo region read -f "$m/q" -o 8190 -c 6)"
	tried 1 nobody ipcdemo region fill -f "$m/q" 1
	says "$m/q: Permission denied"

	id=$(ipcdemo region show "$m/q" --json | jq .id)
	same "$m/q 65536 2 [[1,2,\"there\"]]" "$(ipcdemo region show "$id" \
		--json | jq -r '"\(.name) \(.size) \(.pages) " +
		([.page_runs[] | select(.state != "none") |
		[.first, .last, .state]] | tojson)')"
	same "$m/q" "$(ipcdemo region ls --json |
		jq -r ".[] | select(.id == $id).name")"
	coproc python3 -c 'import mmap, sys
f = open(sys.argv[1], "rb")
m = mmap.mmap(f.fileno(), 8192, prot=mmap.PROT_READ)
print(m[4], flush=True)
input()' "$m/q"
	read -r <&"${COPROC[0]}"
	ipcdemo show "$m/q" >"$dir/shown"
	grep -E "pid $COPROC_PID +python3 +r--s  bytes 0 to 8192" "$dir/shown"
	grep -E "page 0 +read  pid $COPROC_PID +python3" "$dir/shown"
	echo >&"${COPROC[1]}"
	wait "$COPROC_PID"
	umount "$m"
	rmdir "$m"

	: >"$dir/plain"
	tried 1 ipcdemo region read -f "$dir/plain"
	says "$dir/plain is no region of ipcdemo: \`ipcdemo region ls\` lists them"
	tried 1 ipcdemo region show "$dir/plain"
	says "is no object of ipcdemo"
	tried 1 ipcdemo region grow 2M
	says "the region of the device is sealed: it has $size bytes for good"
}

@test "show tells who waits for a word, who woke whom, and who owns locks" {
	local m=$BATS_TEST_TMPDIR/words

	mkdir "$m"
	mount -t ipcdemofs none "$m"
	: >"$m/w"
	ipcdemo region grow -f "$m/w" 8192
	# Owner of a table of two, an eventfd for the word at 16, asleep at 8.
	coproc python3 -c 'import ctypes, fcntl, mmap, os, struct, sys
f = open(sys.argv[1], "r+b")
m = mmap.mmap(f.fileno(), 8192)
fcntl.ioctl(f, 0xc018dc27, bytearray(struct.pack("=IIQII", 24, 0, 4096, 2, 0)))
e = ctypes.CDLL(None).eventfd(0, 0)
fcntl.ioctl(f, 0x4018dc26, struct.pack("=IIQiI", 24, 0, 16, e, 0))
fcntl.ioctl(f, 0x4020dc23, struct.pack("=IIQIIQ", 32, 0, 8, 0, 1, 2**64 - 1))
print("woken", flush=True)
input()' "$m/w"
	until ipcdemo region show "$m/w" --json >"$dir/shown" &&
		jq -e '.waiters | length == 1' "$dir/shown"; do :; done
	same "8 word.wait $COPROC_PID python3 sleeping" "$(jq -r '.waiters[] |
		"\(.offset) \(.point) \(.pid) \(.command) \(.state)"' "$dir/shown")"
	same "1 $COPROC_PID python3 4096 2" "$(jq -r '.owners[] |
		"\(.owner) \(.pid) \(.command) \(.offset) \(.entries)"' "$dir/shown")"
	same "16 $COPROC_PID python3" "$(jq -r '.eventfds[] |
		"\(.offset) \(.pid) \(.command)"' "$dir/shown")"
	same '[]' "$(jq -c .wake_ups "$dir/shown")"
	ipcdemo region show "$m/w" >"$dir/shown"
	grep -E "word at 8 +word.wait +pid $COPROC_PID +python3 +[0-9.]+ s  sleeping" \
		"$dir/shown"
	grep -E "owner 1 +pid $COPROC_PID +python3 +table of 2 at 4096" "$dir/shown"
	grep -E "word at 16 +pid $COPROC_PID +python3$" "$dir/shown"

	python3 -c 'import fcntl, os, struct, sys
f = open(sys.argv[1], "r+b")
n = fcntl.ioctl(f, 0x4018dc24, struct.pack("=IIQII", 24, 0, 8, 9, 0))' "$m/w" &
	waker=$!
	wait "$waker"
	read -r <&"${COPROC[0]}"
	ipcdemo region show "$m/w" --json >"$dir/shown"
	same "8 $waker python3 $COPROC_PID python3" "$(jq -r '.wake_ups[] |
		"\(.offset) \(.waker) \(.waker_command) \(.woken) \(.woken_command)"' \
		"$dir/shown")"
	same '[]' "$(jq -c .waiters "$dir/shown")"
	ipcdemo region show "$m/w" >"$dir/shown"
	grep -E "word at 8 +pid $waker +python3 +woke pid $COPROC_PID +python3 +after" \
		"$dir/shown"
	echo >&"${COPROC[1]}"
	wait "$COPROC_PID"
	same '[[],[]]' "$(ipcdemo region show "$m/w" --json |
		jq -c '[.owners, .eventfds]')"
	umount "$m"
	rmdir "$m"
}

@test "region alone asks which" {
	tried 2 ipcdemo region
	says "region needs one more word: ls, show, read, write, fill or grow"
	tried 2 ipcdemo region wrote
	says "did you mean 'region write'?"
}

# The pages stay as long as the module: those who count them want a fresh one.
teardown_file() {
	reload
}

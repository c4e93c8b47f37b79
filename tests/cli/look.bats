#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Looking: ls, show, peek, on the live module.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

@test "ls shows the tables of /proc, and -o and --json their columns" {
	local wanted

	tried 0 ipcdemo
	same "$(ipcdemo ls)" "$out"
	same "$(sed '1s/$/ reading writing/; 2s/$/ - -/' /proc/ipcdemo/pipes)" \
		"$(sed -n '2,3{s/^ *//; s/  */ /gp}' <<<"$out")"
	same "$(tr -s ' ' </proc/ipcdemo/regions)" \
		"$(sed -n '5,6{s/^ *//; s/  */ /gp}' <<<"$out")"

	tried 0 ipcdemo ls -o kind,slots,size
	same "kind slots size|pipe 16 -|region - 1048576|" \
		"$(tr -s ' ' <<<"$out" | sed 's/^ //' | tr '\n' '|')"
	tried 0 ipcdemo ls --json
	wanted='{"name":"/dev/ipcdemo","mode":"0666","slots":16,"size":1048576}'
	same "$wanted" "$(jq -c '.pipes[0] * .regions[0] |
		{name, mode, slots, size}' <<<"$out")"
	tried 0 ipcdemo --json -o kind,slots
	same '[{"kind":"pipe","slots":16},{"kind":"region","slots":null}]' \
		"$(jq -c . <<<"$out")"
	same "waiters|0|-|" "$(ipcdemo ls -o waiters | tr -d ' ' | tr '\n' '|')"
	tried 2 ipcdemo ls -o id,shape
	says "there is no column 'shape'"
}

@test "ls fits into the terminal" {
	start cat /dev/ipcdemo
	until_true waits_at open.wait
	script -qec "stty cols 80; ipcdemo" /dev/null </dev/null |
		tr -d '\r' >"$dir/narrow"
	tried 1 grep -E '.{81}' "$dir/narrow"
	same "id name slots used bytes waiters reading writing" \
		"$(sed -n '2{s/^ *//; s/  */ /g; p}' "$dir/narrow")"
	[[ $(sed -n 3p "$dir/narrow" | tr -s ' ') == *" 1 - -" ]]
	script -qec "stty cols 200; ipcdemo" /dev/null </dev/null |
		tr -d '\r' | cmp - <(ipcdemo)
}

@test "ls names who has the ends, each process once, as far as it may look" {
	local other

	exec 8<>/dev/ipcdemo 9<&8
	start sleep 100
	other=$pid
	until_true readable "/proc/$other/fdinfo/8"
	tried 0 without_ends ipcdemo ls -o reading
	same "bash($$),sleep($other)" "${lines[1]}"
	tried 0 without_ends ipcdemo ls --json
	same "[[$$,8],[$$,9],[$other,8],[$other,9]]" "$(jq -c \
		'[.pipes[0].writing[] | [.pid, .fd]]' <<<"$out")"
	same '0["bash","sleep"]' "$(jq -jc '.hidden_processes,
		([.pipes[0].reading[].command] | unique)' <<<"$out")"
	tried 0 without_ends ipcdemo ls -o writing --json
	same '[[8,9],null]' "$(jq -c "[[.[0].writing[] |
		select(.pid == $$).fd], .[1].writing]" <<<"$out")"

	# In 80 columns, the first one and how many more there are
	without_ends script -qec "stty cols 80; ipcdemo" /dev/null </dev/null \
		>"$dir/narrow"
	grep -Eq "  bash\($$\)\+1  bash\($$\)\+1.?$" "$dir/narrow"
	tried 1 grep -E '.{82}' "$dir/narrow"

	# Somebody has them, and who asks may not see who
	tried 0 without_ends setpriv --reuid=65534 --regid=65534 \
		--clear-groups ipcdemo ls -o reading,writing
	same "? ?" "$(tr -s ' ' <<<"${lines[1]}")"
	exec 8<&- 9<&-
}

@test "a pipe of ipcdemofs has its path, by every mount, and show finds it" {
	local id

	mkdir "$dir/a" "$dir/b c"
	mount -t ipcdemofs none "$dir/a"
	mkdir "$dir/a/d"
	mkfifo "$dir/a/d/q r"
	same "$dir/a/d/q r" "$(ipcdemo ls --json | jq -r '.pipes[1].name')"
	same "$dir/a/d/q r" "$(ipcdemo ls -o name | sed -n '3s/ *$//p')"
	id=$(ipcdemo ls --json | jq '.pipes[1].id')
	tried 0 ipcdemo show "$dir/a/d/q r"
	[[ ${lines[0]} == "pipe $id  $dir/a/d/q r  owner 0 "* ]]
	same "\"$dir/a/d/q r\"" "$(ipcdemo show --json "$id" | jq .name)"

	# What is below the part that is mounted
	mount --bind "$dir/a/d" "$dir/b c"
	umount -l "$dir/a"
	same "$dir/b c/q r" "$(ipcdemo ls --json | jq -r '.pipes[1].name')"
	# Nowhere to be seen: where it is inside
	exec 8<>"$dir/b c/q r"
	umount -l "$dir/b c"
	same "/d/q r" "$(ipcdemo show --json "/proc/$$/fd/8" | jq -r .name)"
	exec 8<&-
	mkfifo "$dir/kernels"
	tried 1 ipcdemo show "$dir/kernels"
	says "kernels is a pipe of the kernel: \`ipcdemo ls\` lists ours"
}

readable() {
	[[ -r $1 ]]
}

# Runs a program that does not have what the test opened.
without_ends() {
	"$@" 8<&- 9<&-
}

@test "show tells what the live pipe holds, by id, by path, by descriptor" {
	local id=${pipe##*/}

	ipcdemo persist kernel
	head -c 10000 /dev/zero | ipcdemo write
	ipcdemo read -c 100 >/dev/null
	ipcdemo show >"$dir/default"
	grep -q "3 of 16 slots used, 9900 bytes; 0 readers, 0 writers" \
		"$dir/default"
	grep -Eq "tail > .* 100 3996 " "$dir/default"
	grep -q "nobody waits" "$dir/default"
	tried 1 grep -q " end \|has it open" "$dir/default"
	ipcdemo show "$id" | cmp - "$dir/default"
	ipcdemo show /dev/ipcdemo | cmp - "$dir/default"
	tried 0 ipcdemo show --json
	same '[9900,3,100,9900,16]' "$(jq -c '[.bytes, .used,
		.ring[.tail % .slots].offset, ([.ring[].len] | add),
		(.ring | length)]' <<<"$out")"

	tried 0 ipcdemo show "${region##*/}"
	[[ $out == "region ${region##*/}  /dev/ipcdemo"* ]]
	# But for how long ago a fault was.
	same "$(ipcdemo region show | sed 's/[0-9.]* s ago//')" \
		"$(printf '%s\n' "$out" | sed 's/[0-9.]* s ago//')"
	same '["region",1048576,0]' "$(ipcdemo region show --json |
		jq -c '[.kind, .size, .maps]')"

	start ipcdemo write -s x
	until_true has_value bytes 9901
	tried 1 ipcdemo show 4000000000
	says "there is no object with the id 4000000000"
	tried 1 ipcdemo show /dev/null
	says "/dev/null is no object of ipcdemo"
	tried 1 ipcdemo show "$dir/nothing"
	says "nothing: No such file"
}

@test "show tells who waits, by the descriptor of another process as well" {
	start cat /dev/ipcdemo
	until_true waits_at open.wait
	tried 0 ipcdemo show
	[[ $out =~ open\.wait\ +pid\ $pid\ +cat ]]
	same "[$pid,\"open.wait\",\"cat\"]" "$(ipcdemo show --json |
		jq -c '.waiters[0] | [.pid, .point, .command]')"
	exec 9>/dev/ipcdemo
	until_true waits_at read.wait
	same "$(ipcdemo show --json | jq -c '.id')" \
		"$(ipcdemo show --json /proc/$$/fd/9 | jq -c '.id')"
	tried 0 ipcdemo show
	[[ $out == *"1 reader, 1 writer"* ]]
	# Who has which end, whether it waits or not
	[[ $out =~ read\ end\ +pid\ $pid\ +cat\ +fd\ 3 ]]
	[[ $out =~ write\ end\ +pid\ $$\ +bash\ +fd\ 9 ]]
	same "[\"bash\",\"write\",9][\"cat\",\"read\",3]0" \
		"$(ipcdemo show --json 9>&- | jq -jc "(.ends[] |
			select(.pid == ($pid, $$)) | [.command, .end, .fd]),
			.hidden_processes")"
	tried 0 nobody ipcdemo show 9>&-
	[[ $out == *"processes may not be looked into: as root, all are seen"* ]]
	[[ $out != *" end  "* ]]
	exec 9>&-
	wait "$pid"
}

@test "peek prints the bytes and leaves them there" {
	seq 1 60000 >"$dir/sent"
	ipcdemo persist kernel
	ipcdemo resize 1M
	ipcdemo write "$dir/sent"
	ipcdemo peek | cmp - "$dir/sent"
	ipcdemo peek --skip 100000 -c 5 | cmp - <(tail -c +100001 "$dir/sent" |
		head -c 5)
	same "" "$(ipcdemo peek --skip 9M)"
	tried 0 ipcdemo peek -c 18 --hex
	same "00000000  31 0a 32 0a 33 0a 34 0a 35 0a 36 0a 37 0a 38 0a  |1.2.3.4.5.6.7.8.|" \
		"${lines[0]}"
	[[ ${lines[1]} == "00000010  39 0a  "*"|9.|" ]]
	tried 0 ipcdemo peek -c 3 --skip 2 --json "${pipe##*/}"
	same "{\"id\":${pipe##*/},\"bytes\":$(stat -c %s "$dir/sent"),\"skip\":2,\"length\":3,\"hex\":\"320a33\"}" \
		"$(jq -c . <<<"$out")"
	ipcdemo read -n | cmp - "$dir/sent"
	tried 1 ipcdemo peek 4000000000
	says "there is no such object with the id 4000000000"
	tried 2 ipcdemo peek -c 1x
	says "'1x' is no number of bytes"
	tried 1 ipcdemo peek "${region##*/}"
	says "${region##*/} is a region, not a pipe: \`ipcdemo ls\` lists them"
	tried 1 ipcdemo region show "${pipe##*/}"
	says "${pipe##*/} is a pipe, not a region"
	tried 2 ipcdemo peek pipe
	says "'pipe' is not the id of a pipe"
}

@test "looking opens no end" {
	local before

	before=$(counted open.enter)
	ipcdemo ls >/dev/null
	ipcdemo show >/dev/null
	ipcdemo peek >/dev/null
	ipcdemo region show >/dev/null
	ipcdemo region read -c 1 >/dev/null
	ipcdemo persist >/dev/null
	same "$before" "$(counted open.enter)"
}

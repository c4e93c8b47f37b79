#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# ipcdemofs: names, permissions, mount options and what /proc says of them, each
# claim about files compared with tmpfs. Runs in the VM as root, module loaded.

bats_require_minimum_version 1.5.0

setup() {
	dir=$(mktemp -d "${TMPDIR:-/tmp}/ipcdemo-fs.XXXXXX")
	kids=()
}

teardown() {
	local kid

	for kid in "${kids[@]}"; do
		kill -KILL "$kid" 2>/dev/null || true
		wait "$kid" 2>/dev/null || true
	done
	exec 7<&- 8<&-
	cd /
	! mountpoint -q "$dir/ours" || umount "$dir/ours"
	! mountpoint -q "$dir/theirs" || umount "$dir/theirs"
	rm -rf "$dir"
	run -0 cat /proc/ipcdemo/pipes
	[[ ${#lines[@]} == 2 ]]
}

kill_later() {
	kids+=("$1")
}

# mount_both [OPTIONS]: the same on ipcdemofs and on tmpfs.
mount_both() {
	mkdir -p "$dir/ours" "$dir/theirs"
	mount -t ipcdemofs ${1:+-o "$1"} none "$dir/ours"
	mount -t tmpfs ${1:+-o "$1"} none "$dir/theirs"
}

# both COMMAND: run in each of the two, as a shell would; prints ours.
both() {
	local theirs

	theirs=$(cd "$dir/theirs" && bash -c "$1" 2>&1) || theirs+=" status $?"
	ours=$(cd "$dir/ours" && bash -c "$1" 2>&1) || ours+=" status $?"
	[[ $ours == "$theirs" ]] || {
		printf '%s\nours:   %s\ntheirs: %s\n' "$1" "$ours" "$theirs"
		return 1
	}
	printf '%s\n' "$ours"
}

# The names that /proc/ipcdemo/pipes has, but that of the device.
names() {
	awk 'NR > 2 { print $2 }' /proc/ipcdemo/pipes | sort
}

@test "files have the names, kinds, owners and modes that they have on tmpfs" {
	mount_both
	both "stat -c '%A %u %g %h %F' ."
	both "umask 022; mkfifo a b; mkfifo -m 600 c; mkdir d; mkfifo d/e
		ln -s a s; python3 -c 'import socket
socket.socket(socket.AF_UNIX).bind(\"k\")'"
	both "stat -c '%n %A %u %g %h %F' * d/*; stat -c %s a k s"
	both "ls | tr '\n' ' '; readlink s; cat s & echo x >s; wait"
	both "chmod 4751 a; chown 3:4 a; stat -c '%A %u %g' a"
	both "touch -d @1000 a; stat -c '%Y %X' a"
	both "ln a f; mv a g; stat -c '%n %h' f g; rm f; ls"
	both "mv -n b c; ls; mv -f b c; ls; mv c d/e; ls . d"
	both "rmdir d; rm -r d; ls"
	both "mkfifo g; mkdir g; rmdir g; rm nothing; cat nothing"
	both "mkfifo $(printf 'x%.0s' {1..255}); mkfifo $(printf 'x%.0s' {1..256}) | tail -c 30"
	both "test -p g; echo \$?; test -r g -a -w g; echo \$?"
	both "setpriv --reuid 65534 --clear-groups mkfifo n; stat -c %u n"
	both "setpriv --reuid 65534 --clear-groups chmod 777 g
		setpriv --reuid 65534 --clear-groups rm -f g
		setpriv --reuid 65534 --clear-groups bash -c ': <>g'"
}

@test "a setgid directory hands its group on" {
	mount_both
	both "mkdir d; chgrp 7 d; chmod g+s d; mkfifo d/q; mkdir d/e
		stat -c '%n %A %g' d/*"
}

@test "the FIFOs in it are ours, and work between programs" {
	mount_both
	both "mkfifo q; seq 100000 >q & sha256sum <q; wait"
	both "mkfifo r; exec 5<>r; echo abc >&5; head -c 2 <&5"
	cd "$dir/ours"
	exec 7<>q
	echo hello >&7
	run -0 grep ' /q ' /proc/ipcdemo/pipes
	[[ $output == *" process 16 1 6 1 1 "* ]]
	grep -q "^ipcdemo-end:.both$" /proc/$$/fdinfo/7
	run -0 head -c 6 <&7
	[[ $output == hello ]]
}

@test "bytes go with the last close, and the name stays" {
	mount_both
	both "mkfifo q; exec 5<>q; echo abc >&5; exec 5<&-; timeout 9 cat <q & sleep 0 >q; wait"
	[[ $(names) == /q ]]
}

@test "a name in /proc follows link, rename and removal" {
	mount_both
	cd "$dir/ours"
	mkdir -p d/e
	mkfifo d/e/q
	[[ $(names) == /d/e/q ]]
	mv d 'f g'
	[[ $(names) == '/f\040g/e/q' ]]
	ln 'f g/e/q' r
	rm 'f g/e/q'
	[[ $(names) == /r ]]
	exec 7<>r
	rm r
	[[ $(names) == /r//deleted ]]
	exec 7<&-
	[[ -z $(names) ]]
	mkfifo $'a\nb\\'
	[[ $(names) == '/a\012b\134' ]]
}

@test "dev and ino in /proc are those of stat" {
	local id dev ino

	mount_both
	mkfifo "$dir/ours/q"
	read -r id dev ino < <(awk '$2 == "/q" { print $1, $14, $15 }' \
		/proc/ipcdemo/pipes)
	[[ $(stat -c '%Hd:%Ld %i' "$dir/ours/q") == "$dev $ino" ]]
	grep -q "^dev: $dev$" "/proc/ipcdemo/pipe/$id"
	grep -q "^ino: $ino$" "/proc/ipcdemo/pipe/$id"
	grep -q " $dev / $dir/ours " /proc/self/mountinfo
}

@test "owner, group and mode in /proc follow the file" {
	local id

	mount_both
	mkfifo -m 640 "$dir/ours/q"
	chown 11:22 "$dir/ours/q"
	id=$(awk '$2 == "/q" { print $1 }' /proc/ipcdemo/pipes)
	grep -q '^owner: 11$' "/proc/ipcdemo/pipe/$id"
	grep -q '^group: 22$' "/proc/ipcdemo/pipe/$id"
	grep -q '^mode: 0640$' "/proc/ipcdemo/pipe/$id"
}

@test "umount refuses while a FIFO is open, as on tmpfs" {
	mount_both
	mkfifo "$dir/ours/q" "$dir/theirs/q"
	exec 7<>"$dir/ours/q" 8<>"$dir/theirs/q"
	run -32 umount "$dir/theirs"
	run -32 umount "$dir/ours"
	[[ $output == *"target is busy"* ]]
	exec 7<&- 8<&-
	umount "$dir/ours"
	[[ -z $(names) ]]
}

@test "a pipe of a mount that was taken away works until it is closed" {
	mount_both
	mkfifo "$dir/ours/q"
	exec 7<>"$dir/ours/q"
	umount -l "$dir/ours"
	echo hello >&7
	[[ $(names) == /q ]]
	run -1 rmmod ipcdemo
	run -0 head -c 6 <&7
	[[ $output == hello ]]
	exec 7<&-
	[[ -z $(names) ]]
}

@test "mount options" {
	mount_both mode=750,uid=12,gid=34,nr_inodes=10
	both "stat -c '%a %u %g' .; df --output=itotal,iused,iavail ."
	both "stat -f -c %c-%d ."
	run -0 grep " $dir/ours " /proc/self/mountinfo
	[[ $output == *' - ipcdemofs none rw,mode=750,uid=12,gid=34,nr_inodes=10' ]]
	both "mkfifo 1 2 3 4 5 6 7 8 9; mkfifo 10; rm 3; mkfifo 11; ls"
	run -32 mount -o remount,nr_inodes=5 "$dir/ours"
	run -32 mount -o remount,nr_inodes=5 "$dir/theirs"
	mount -o remount,nr_inodes=11 "$dir/ours"
	mkfifo "$dir/ours/12"
	run -1 mkfifo "$dir/ours/13"
	[[ $output == *"No space left on device"* ]]
}

@test "wrong mount options are refused" {
	local options

	mkdir "$dir/ours"
	for options in mode=9 uid=-2 gid=x nr_inodes=many nr_inodes= size=1m what; do
		run -32 mount -t ipcdemofs -o "$options" none "$dir/ours"
	done
}

@test "a mount keeps the module" {
	mkdir "$dir/ours"
	mount -t ipcdemofs none "$dir/ours"
	run -1 rmmod ipcdemo
	[[ $output == *"in use"* ]]
}

@test "regular files are regions, and otherwise as on tmpfs" {
	mount_both
	both "umask 022; echo one >a; cat a; stat -c '%A %s %F' a; wc -c <a"
	both "echo two >>a; cat a; truncate -s 3 a; cat a; : >a; stat -c %s a"
	both "seq 100000 >b; cp b c; cmp b c; sha1sum b c; dd if=b bs=1000 2>&- |
		cmp - c; mv c d; ln d e; rm d; cmp b e; stat -c '%h %s' e"
	both "truncate -s 1G hole; du -k hole | cut -f 1; stat -c %s hole
		cmp -n 5000 hole /dev/zero"
	both "chmod 000 a; stat -c %A a; echo x >/dev/full; chmod 644 a
		touch -d 2001-02-03 a; stat -c %y a; sync -f a"
	both "grep -c 7 b; sed -i s/7/x/ b; grep -c x b; sort -r b | tail -n 1"
	both "tar cf t.tar a b e; tar tf t.tar; tar xf t.tar; rm -r *; ls"
	[[ -z $(names) ]]
	[[ $(wc -l </proc/ipcdemo/regions) == 2 ]]
}

@test "the table of regions has the files, by the names that they have now" {
	mkdir "$dir/ours"
	mount -t ipcdemofs none "$dir/ours"
	cd "$dir/ours"
	mkdir sub
	printf 12345 >sub/a
	awk '$2 == "/sub/a" { print $3, $4, $5, $6, $9 }' /proc/ipcdemo/regions |
		cmp - <(echo "0 $(stat -c 0%a sub/a) 5 1 -")
	chmod 600 sub/a
	chown 65534 sub/a
	mv sub/a "b c"
	awk '$2 == "/b\\040c" { print $3, $4, $5, $6, $10, $11 }' \
		/proc/ipcdemo/regions |
		cmp - <(stat -c "65534 0600 5 1 0:$(stat -c %Ld .) %i" "b c")
	exec 7<"b c"
	rm "b c"
	[[ $(awk '$5 == 5 { print $2, $7 }' /proc/ipcdemo/regions) == \
		*"//deleted 1" ]]
	exec 7<&-
	[[ $(wc -l </proc/ipcdemo/regions) == 2 ]]
}

@test "what is mapped keeps the mount, what is full says so" {
	mkdir "$dir/ours"
	mount -t ipcdemofs -o nr_inodes=3 none "$dir/ours"
	cd "$dir/ours"
	touch a b
	run -1 touch c
	[[ $output == *"No space left on device"* ]]
	truncate -s 4096 a
	coproc python3 -c 'import mmap
f = open("a", "r+b")
m = mmap.mmap(f.fileno(), 0)
f.close()
print("mapped", flush=True)
input()'
	kill_later "$COPROC_PID"
	read -r line <&"${COPROC[0]}"
	[[ $line == mapped ]]
	cd /
	run -32 umount "$dir/ours"
	[[ $output == *"busy"* ]]
	run -1 rmmod ipcdemo
	echo >&"${COPROC[1]}"
	wait "$COPROC_PID"
	umount "$dir/ours"
	mkdir -p "$dir/ours"
	mount -t ipcdemofs none "$dir/ours"
	[[ -z $(ls "$dir/ours") ]]
}

@test "what there is not is refused" {
	mkdir "$dir/ours"
	mount -t ipcdemofs none "$dir/ours"
	cd "$dir/ours"
	run -1 mknod device c 1 3
	[[ $output == *"Operation not permitted"* ]]
	[[ -z $(ls) ]]
}

@test "a user who has as many pipes as he may have is told so" {
	local parameter=/sys/module/ipcdemo/parameters/user_objects before

	mkdir "$dir/ours"
	mount -t ipcdemofs none "$dir/ours"
	cd "$dir/ours"
	before=$(<"$parameter")
	echo 2 >"$parameter"
	run -1 setpriv --reuid 65534 --clear-groups mkfifo 1 2 3
	echo "$before" >"$parameter"
	[[ $output == *"'3': Disk quota exceeded"* ]]
	[[ $(ls) == $'1\n2' ]]
}

@test "files that come and go under many hands are all gone afterwards" {
	local i

	mount_both
	cd "$dir/ours"
	for ((i = 0; i < 3; i++)); do
		bash -c 'for ((i = 0; i < 6; i++)); do
			mkdir -p d$((i % 3))
			mkfifo d$((i % 3))/$1.$i
			mv d$((i % 3)) e$((i % 3)) || mv e$((i % 3)) d$((i % 3))
			rm -rf e$(((i + 1) % 3))
		done' - "$i" >/dev/null 2>&1 &
		kill_later $!
	done
	while [[ -n $(jobs -r) ]]; do
		cat /proc/ipcdemo/pipes /proc/ipcdemo/pipe/* >/dev/null 2>&1 || true
	done
	rm -rf "$dir"/ours/*
	[[ -z $(names) ]]
	[[ $(df --output=iused .) == *1 ]]
}

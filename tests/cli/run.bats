#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# run COMMAND: programs that know nothing of us get our pipes and cannot tell.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

probe=$PWD/build/tests/cli/probe
export IPCDEMO_RUN_COUNT=$BATS_TEST_TMPDIR/count

# How many pipes of ours were made, and how many of the kernel's.
made() {
	od -An -tu8 "$IPCDEMO_RUN_COUNT" | tr -s ' ' | sed 's/^ //'
}

# At least so many of ours were made, and none of the kernel's: made_ours N
made_ours() {
	local ours kernels

	read -r ours kernels < <(made)
	((ours >= $1 && kernels == 0)) || {
		echo "wanted $1 pipes of ours, there were $ours, and $kernels"
		return 1
	}
}

# What a command prints with pipe(2), and then with ours; has to be the same
# and to have made at least so many pipes: alike N CMD...
alike() {
	local n=$1 wanted=0 status=0

	shift
	"$@" </dev/null >"$dir/kernels" 2>&1 || wanted=$?
	rm -f "$IPCDEMO_RUN_COUNT"
	ipcdemo run -- "$@" </dev/null >"$dir/ours" 2>&1 || status=$?
	diff -u "$dir/kernels" "$dir/ours"
	same "$wanted" "$status"
	made_ours "$n"
}

# The ids of the anonymous pipes that there are now.
anonymous() {
	ipcdemo ls -o id,name | sed -n 's/^ *\([0-9]*\) *ipcdemo:.*/\1/p'
}

# Who has the only one open, as ls says: has_ends WANTED
has_ends() {
	local id

	id=$(anonymous)
	[[ $id == [0-9]* && $(ipcdemo ls --json | jq -jc '.pipes[] |
		select(.id == '"$id"') | .reading, .writing |
		[.[].command]') == "$1" ]]
}

is_gone() {
	[[ ! -e $1 ]]
}

@test "the pipes of a shell are ours, and ls shows them meanwhile" {
	local id

	start ipcdemo run -- bash -c 'sleep 100 | cat'
	until_true has_ends '["cat"]["sleep"]'
	made_ours 1
	id=$(anonymous)
	tried 0 ipcdemo ls -o id,reading,writing
	[[ $out =~ (^|$'\n')\ *$id\ +cat\([0-9]+\)\ +sleep\([0-9]+\) ]]
	pkill -x sleep
	wait "$pid"
	until_true is_gone "/proc/ipcdemo/pipe/$id"
}

@test "a program of any textbook works as it stands" {
	gcc -o "$dir/textbook" userspace/textbook.c
	alike 1 "$dir/textbook"
	same "hello, parent" "$(<"$dir/ours")"
}

@test "ps and grep, checksums, substitutions: shells and Python cannot tell" {
	tried 0 ipcdemo run -- bash -c 'ps aux | grep ipcdem[o]-name' \
		ipcdemo-name
	[[ $out == *" bash -c ps aux | grep "*" ipcdemo-name" ]]
	made_ours 1

	seq 1 200000 >"$dir/data"
	cat >"$dir/bash" <<'END'
gzip -1 <"$1" | tee >(wc -c) | gzip -d | md5sum
echo "$(seq 5 | sort -r | tr "\n" " ")" "$(</dev/null cat)"
cat <(echo a | tr a b) <(echo c)
seq 9 | { read -r x; echo "$x"; }
set -o pipefail
yes | head -n 1
echo "${PIPESTATUS[*]}"
END
	alike 9 bash "$dir/bash" "$dir/data"
	cat >"$dir/dash" <<'END'
md5sum <"$1" | cut -c 1-9
echo `echo x | cat`
END
	alike 3 dash "$dir/dash" "$dir/data"
	alike 4 python3 -c 'import subprocess, os
p = subprocess.run(["tr", "a-z", "A-Z"], input=b"hello" * 30000,
		   capture_output=True)
print(len(p.stdout), p.stdout[:5], p.returncode, os.pipe())
print(subprocess.getoutput("echo one | cat; exit 3"))'
	alike 2 perl -e 'pipe(R, W); print fileno(R), fileno(W), "\n";
		open(P, "echo from perl |"); print <P>; close P; print $?'
}

@test "what a program can see of its pipes is the same" {
	local what

	for what in numbers errors fill capacity; do
		alike 1 "$probe" $what
	done
	# Not because they are the kernel's
	same $'ipcdemo\npipe' "$(ipcdemo run "$probe" kind | sed /limits/d)"
}

@test "descriptors that a program closes, threads, vfork and signals" {
	local what

	for what in closed vfork threads signals; do
		alike 6 "$probe" $what
	done
}

@test "splice, tee, vmsplice and sendfile" {
	alike 3 "$probe" by_page
	grep -q "^vmsplice: 5 taken$" "$dir/ours"
}

@test "popen and pclose are those of libc" {
	alike 12 "$probe" streams
}

@test "where the limit cannot be raised, the top number below it is used" {
	tried 0 nobody prlimit --nofile=21:21 ipcdemo run -- python3 -c '
import os, errno
print(os.readlink("/proc/self/fd/%d" % os.pipe()[0])[:9])
try:
	while True: last = os.dup(0)
except OSError as e:
	print(last, errno.errorcode[e.errno])
print(os.readlink("/proc/self/fd/20"))'
	same $'ipcdemo:[\n19 EMFILE\n/dev/ipcdemo' "$out"
	# And where it is very high, a number that needs no long table
	tried 0 prlimit --nofile=1000000:1000000 ipcdemo run -- \
		bash -c 'readlink /proc/self/fd/4096'
	same /dev/ipcdemo "$out"
	tried 0 prlimit --nofile=1000000:1000000 ipcdemo run -- "$probe" closed
	[[ $out == *$'limits: 1000000 1000000'* ]]
}

@test "the status is that of the command, and its options are its own" {
	tried 3 ipcdemo run -- sh -c 'exit 3'
	tried 143 ipcdemo run sh -c 'kill -TERM $$'
	tried 0 ipcdemo run echo -q --help
	same "-q --help" "$out"
	tried 127 ipcdemo run ipcdemo-no-such-program
	says "cannot run ipcdemo-no-such-program: No such file or directory"
	tried 126 ipcdemo run "$dir"
	says "cannot run $dir: Permission denied"
	tried 2 ipcdemo run
	says "run needs a command"
	tried 2 ipcdemo run --tap true
}

@test "what was preloaded stays, and a run inside a run adds nothing" {
	local library=$PWD/build/libipcdemo-run.so

	same "$library" "$(ipcdemo run printenv LD_PRELOAD)"
	same "$library" "$(ipcdemo run ipcdemo run printenv LD_PRELOAD)"
	gcc -shared -o "$dir/other.so" -x c /dev/null
	same "$dir/other.so:$library" "$(LD_PRELOAD=$dir/other.so ipcdemo run \
		printenv LD_PRELOAD)"
	# From where a path cannot stand in LD_PRELOAD
	mkdir "$dir/a b"
	cp build/ipcdemo "$library" "$dir/a b"
	tried 1 "$dir/a b/ipcdemo" run true
	says "libipcdemo-run.so cannot be preloaded: put ipcdemo where"
	rm "$dir/a b/libipcdemo-run.so"
	tried 1 "$dir/a b/ipcdemo" run true
	says "there is no libipcdemo-run.so in $dir/a b or $dir/a b/../lib"
}

@test "the library can be told to make the kernel's pipes, and to count" {
	(
		cd "$dir"
		IPCDEMO_RUN_KERNEL=1 IPCDEMO_RUN_COUNT=count ipcdemo run -- \
			bash -c 'cd /; echo a | readlink /proc/self/fd/0'
	) >"$dir/out"
	[[ $(<"$dir/out") == pipe:* ]]
	same "0 1" "$(made)"
}

@test "a program without dynamic linking keeps the kernel's pipes" {
	gcc -static -o "$dir/static" userspace/textbook.c
	tried 0 ipcdemo run "$dir/static"
	same "hello, parent" "$out"
	[[ ! -e $IPCDEMO_RUN_COUNT ]]
}

@test "without the module it is refused, or falls back and says so once" {
	local line='echo a | cat; bash -c "echo b | cat"; echo c | cat'

	rmmod ipcdemo
	tried 1 ipcdemo run touch "$dir/ran"
	says "the module is not loaded"
	[[ ! -e $dir/ran ]]
	tried 0 ipcdemo run -f -- bash -c "$line"
	same $'a\nb\nc' "$out"
	same "ipcdemo: run: cannot use /dev/ipcdemo (No such file or directory): the pipes made here are the kernel's own" \
		"$err"
	same "0 3" "$(made)"
	tried 0 ipcdemo run -fq bash -c "$line"
	same "" "$err"
	alike_without numbers
	alike_without streams
	insmod "build/kernel/$(uname -r)/ipcdemo.ko" mode=0600
	tried 1 nobody ipcdemo run true
	says "no permission to open /dev/ipcdemo"
	tried 0 nobody ipcdemo run -f bash -c "$line"
	[[ $err == *"cannot use /dev/ipcdemo (Permission denied)"* ]]
	reload
}

# The same, where the library falls back: alike_without CASE
alike_without() {
	"$probe" "$1" >"$dir/kernels" 2>&1
	ipcdemo run -fq "$probe" "$1" >"$dir/fallback" 2>&1
	diff -u "$dir/kernels" "$dir/fallback"
}

teardown_file() {
	reload
}

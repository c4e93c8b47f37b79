#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# pipelines.sh MIB: pipelines of a POSIX shell (dash, and bash), with checksums
# over so many MiB. Adds a line a test to $RESULTS.

set -u

mib=$1
sum=$(stream 7 "$mib" | sha256sum)

check() {
	if [ "$2" = "$3" ]; then
		printf '%s\tok\n' "$1" >>"$RESULTS"
	else
		printf '%s\tFAIL: %.300s\n' "$1" "$(printf %s "$3" | tr '\n' ' ')" \
			>>"$RESULTS"
	fi
}

# The outcome holds the checksum: it has to be the same on all sides.
if [ "$sum" = "$(stream 8 "$mib" | sha256sum)" ]; then
	echo "the stream	FAIL: always the same" >>"$RESULTS"
else
	echo "the stream	ok: $sum" >>"$RESULTS"
fi
check "through eight cats" "$sum" \
	"$(stream 7 "$mib" | cat | cat | cat | cat | cat | cat | cat | cat | sha256sum)"
check "through dd in pieces of odd sizes" "$sum" \
	"$(stream 7 "$mib" | dd bs=3333 obs=70001 iflag=fullblock 2>/dev/null | sha256sum)"
check "through tee into two pipes" "$sum $sum" \
	"$({ { stream 7 "$mib" | tee /dev/fd/3 | sha256sum >one; } 3>&1 |
		sha256sum >two; }; echo "$(cat one) $(cat two)")"
check "through a named pipe" "$sum" \
	"$(mkfifo "$FIFOS/named" && {
		stream 7 "$mib" >"$FIFOS/named" &
		sha256sum <"$FIFOS/named"
		wait
		rm "$FIFOS/named"
	})"

# What a shell does with pipes itself.
lines=$((mib * 200))
check "while read" "$lines" "$(seq "$lines" | {
	n=0
	while read -r _; do n=$((n + 1)); done
	echo $n
})"
check "command substitution of a MiB" 1048576 "$(
	text=$(stream 3 1 | od -v -An -tx1 | tr -d ' \n' | head -c 1048576)
	echo ${#text}
)"
check "nested command substitution" "a b c d e" \
	"$(printf 'a %s e' "$(printf 'b %s d' "$(printf c)")")"
here=$(seq 9000)
check "a here-document larger than a pipe" "$here" "$(
	cat <<END
$here
END
)"
check "a small here-document" "one
two" "$(
	cat <<END
one
two
END
)"
check "a here-document read line by line" "first second" "$({
	read -r a
	read -r b
	echo "$a $b"
} <<END
first
second
END
)"

# Who ends first, and how.
check "the last command's status" 3 "$(true | false | sh -c 'exit 3'; echo $?)"
check "a reader that stops early" 141 "$(
	sh -c '{ yes; echo $? >&3; } | head -n 1 >/dev/null' 3>&1
)"
check "a writer that ignores SIGPIPE" 1 "$(
	sh -c 'trap "" PIPE; { yes 2>/dev/null; echo $? >&3; } | true' 3>&1
)"
check "a writer in the background that ends late" "late" "$(
	{ (until [ -e go ]; do sleep 0.1; done; echo late) & } | { : >go; cat; }
)"
rm -f go
check "twenty pipelines at once" "$(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	stream "$i" 1 | sha256sum
done)" "$(
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		stream "$i" 1 | cat | sha256sum >"part.$i" &
	done
	wait
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		cat "part.$i"
	done
)"
check "a pipeline of a hundred commands" hello "$(
	all="cat"
	for i in 1 2 3 4 5 6 7 8 9 10; do
		all="$all | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat"
	done
	echo hello | eval "$all"
)"
check "sort, uniq, awk and sed" "  1000 a
  1000 b" "$(seq 2000 | awk '{ print $1 % 2 ? "a" : "b" }' | sort | uniq -c |
	sed 's/^ */  /')"
check "xargs" 500 "$(seq 500 | xargs -n 50 echo | tr ' ' '\n' | wc -l)"
exit 0

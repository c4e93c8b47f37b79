#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# pipelines.bash MIB: pipelines.sh with a few MiB, and what bash can do with pipes
# beyond that. Adds a line a test to $RESULTS.

set -u

bash "$SUITES/pipelines.sh" 8
sum=$(stream 7 "$1" | sha256sum)

check() {
	if [[ $2 == "$3" ]]; then
		printf '%s\tok\n' "$1" >>"$RESULTS"
	else
		printf '%s\tFAIL: %.300s\n' "$1" "${3//$'\n'/ }" >>"$RESULTS"
	fi
}

check "through four cats" "$sum" "$(stream 7 "$1" | cat | cat | cat | cat | sha256sum)"
check "process substitution, to read" "$sum" "$(sha256sum <(stream 7 "$1") | sed 's,/.*,-,')"
check "process substitution, to write" "$sum" "$(
	stream 7 "$1" | tee >(sha256sum >inner) >/dev/null
	until [[ -s inner ]]; do sleep 0.1; done
	cat inner
)"
check "two of them compared" same \
	"$(cmp <(stream 5 4) <(stream 5 4 | cat) && echo same)"
check "diff of two" '1d0
< only' "$(diff <(echo only; seq 100) <(seq 100))"
check "twenty at once" "$(seq 20)" "$(
	cat <(echo 1) <(echo 2) <(echo 3) <(echo 4) <(echo 5) <(echo 6) <(echo 7) \
		<(echo 8) <(echo 9) <(echo 10) <(echo 11) <(echo 12) <(echo 13) \
		<(echo 14) <(echo 15) <(echo 16) <(echo 17) <(echo 18) <(echo 19) <(echo 20)
)"
mapfile -t lines < <(seq 50000)
check "mapfile from one" 50000 "${#lines[@]}"
true | false | bash -c 'exit 3' | sed -n '1q'
check "PIPESTATUS" "0 1 3 0" "${PIPESTATUS[*]}"
check "pipefail" 4 "$(set -o pipefail; bash -c 'exit 4' | true; echo $?)"
check "lastpipe" 1000 "$(
	shopt -s lastpipe
	seq 1000 | while read -r line; do n=$line; done
	echo "$n"
)"
check "|&" "err out" "$(bash -c 'echo out; echo err >&2' |& sort | paste -sd ' ')"
check "a coprocess" "HELLO WORLD" "$(
	coproc UP { while read -r line; do echo "${line^^}"; done; }
	pid=$UP_PID
	echo hello >&"${UP[1]}"
	read -r a <&"${UP[0]}"
	echo world >&"${UP[1]}"
	read -r b <&"${UP[0]}"
	echo "$a $b"
	eval "exec ${UP[1]}>&-"
	wait "$pid"
)"
check "a here-string" "a string" "$(cat <<<"a string")"
check "a here-string larger than a pipe" 100001 "$(
	printf -v long '%100000s' ''
	wc -c <<<"$long" | tr -d ' '
)"
check "read -t on an empty pipe" 142 "$(
	read -r -t 0.2 _ < <(exec sleep 1000)
	echo $?
	kill $!
)"
check "read -N in pieces" "abc def" "$(
	printf abcdef | { read -r -N 3 a; read -r -N 3 b; echo "$a $b"; }
)"
check "read -t 0 looks, and takes nothing" "0 x" "$(
	echo x | { until read -r -t 0; do :; done; echo -n "$? "; cat; }
)"
exit 0

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The command step on the live module: when expectations do not hold, when a
# schedule gets stuck, when it is interrupted, when the pipe is in use. What the
# schedules of tests/interleave say is tested by kernel/interleave.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../cli/common.bash"

# The first gate and the last one patch all points in the kernel's text, which
# is slow in an emulated machine. Who counts keeps them patched.
setup_file() {
	echo 1 >/sys/module/ipcdemo/parameters/count_points
}

teardown_file() {
	echo 0 >/sys/module/ipcdemo/parameters/count_points
}

# As nobody had used it: open by nobody, empty, of the usual size; no gate.
is_clean() {
	same "0 0 0 65536 process" "$(value readers) $(value writers) $(value bytes) $(value capacity) $(value persistence)"
	same "" "$(pgrep -P "${1:-$$}" -x 'W|R|T' || true)"
	# Would be held by a gate that was left.
	tried 0 timeout 10 ipcdemo pipeline 'echo through | cat'
	same through "$out"
}

schedule() {
	cat >"$dir/x.step"
}

@test "the same output each time, and each arrival with its sentence" {
	local files=(tests/interleave/{baton,signal}-*.step)

	ipcdemo step "${files[@]}" >"$dir/first"
	ipcdemo step "${files[@]}" | cmp - "$dir/first"
	ipcdemo step -v "${files[0]}" >"$dir/first"
	ipcdemo step -v "${files[0]}" | cmp - "$dir/first"
	grep -q "A  read.check: the reader has looked without the mutex: still empty, it will sleep (head 0, tail 0, decided no)" \
		"$dir/first"
	is_clean
}

@test "what does not hold: status 1, with the tasks, the ring and the schedule" {
	schedule <<-'END'
		# Nothing of this is so
		pipe slots 2
		task R opens read
		task W opens write

		R: read 10
		W: write "hello"
		run R until read.check
		run W until write.copy
		expect bytes 5   # not yet
		expect bytes 0
	END
	tried 1 ipcdemo step "$dir/x.step"
	says "x.step:10: expected bytes 5, but it is 0"
	[[ ${lines[0]} == *"x.step: Nothing of this is so" ]]
	[[ ${lines[3]} == *" 8  run R until read.check "*" R is at read.check" ]]
	[[ $out == *"10  expect bytes 5 "*" no"* ]]
	[[ $out == *"R is at read.check: the reader has looked "*" [read 10]"* ]]
	[[ $out == *'W is at write.copy: bytes of the writer are in a page'*' [write "hello"]'* ]]
	[[ $out == *"0 of 2 slots used, 0 bytes; readers 1, writers 1"*"one page"*"head=tail"* ]]
	[[ $out != *"11 "* ]]
	is_clean

	# The same as TAP, and the next file is run all the same
	tried 1 ipcdemo step --tap "$dir/x.step" tests/interleave/commands.step
	same "1..2" "${lines[0]}"
	[[ ${lines[1]} == "not ok 1 - "*"x.step: Nothing of this is so" ]]
	[[ ${lines[2]} == "# "*"x.step:10: expected bytes 5, but it is 0" ]]
	[[ $out == *"#     8  run R until read.check "*"# "*"head=tail"*"ok 2 - tests/interleave/commands.step: "* ]]
	same "" "$(grep -Ev '^(# |ok |not ok |1\.\.)' <<<"$out" || true)"
	is_clean
}

@test "the same in JSON Lines, for programs" {
	local json

	tried 0 ipcdemo step --json tests/interleave/baton-readers.step
	json=$out
	# Each line is an object; arrivals are those that -v tells.
	same "$(wc -l <<<"$json")" "$(jq -c . <<<"$json" | wc -l)"
	same schedule "$(jq -rs '.[0].type' <<<"$json")"
	same true "$(jq -rs '.[-1] | .type == "end" and .ok and .failure == null' <<<"$json")"
	same "$(grep -c '^expect' tests/interleave/baton-readers.step)" \
		"$(jq -rs '.[-1].expectations' <<<"$json")"
	tried 0 ipcdemo step -v tests/interleave/baton-readers.step
	same "$(sed -nE 's/^         ([A-Z]+)  ([a-z_]+\.[a-z_]+):.*/\1 \2/p' <<<"$out")" \
		"$(jq -r 'select(.type == "arrival" and .point) | .task + " " + .point' <<<"$json")"

	printf '%s\n' 'task W opens both' 'W: write 3' 'run W until write.copy' \
		'expect bytes 3' >"$dir/x.step"
	tried 1 ipcdemo step --json "$dir/x.step"
	same "W held write.copy 3 false" "$(jq -r 'select(.type == "state") |
		[.task, .state, .point, .len, .ok // false] | join(" ")' <<<"$out")"
	same "$dir/x.step:4: expected bytes 3, but it is 0" \
		"$(jq -rs '.[-1].failure' <<<"$out")"
	tried 2 ipcdemo step --json --tap "$dir/x.step"
	tried 2 ipcdemo step --json -v "$dir/x.step"
	is_clean
}

@test "each kind of expectation can fail" {
	local -a expectations=("W at write.copy" "W blocked" "W asleep"
		"W waits for lock" "W gone" "W result 4" "W result EAGAIN"
		"W result in" "W caught USR1" "W decided yes" "R got \"hellO\""
		"R got \"hell\"" "R got nothing" "R done" "slots 4"
		"slots used 0" "bytes 6" "head 3" "tail 0" "head 2 tail 0"
		"readers 0" "writers 0" "poll W nothing" "poll R nothing"
		"count write.enter 3")
	local i

	for i in "${!expectations[@]}"; do
		schedule <<-END
			pipe slots 2
			task R opens read
			task W opens write
			W: write "hello"
			W: write "world"
			R: read 5
			R: read 2
			run W for 1 call
			run R for 1 call
			run W until done
			expect W done
			expect W result 5
			expect R got "hello"
			run R until read.copy
			expect ${expectations[i]}
		END
		mv "$dir/x.step" "$dir/$i.step"
	done
	tried 1 ipcdemo step --tap "$dir"/*.step
	same 0 "$(grep -c '^ok' <<<"$out" || true)"
	for i in "${!expectations[@]}"; do
		[[ $out == *$'\n'"# $dir/$i.step:15: "* ]] || {
			echo "not told: ${expectations[i]}"
			return 1
		}
	done
	is_clean
}

@test "a pipe of the schedule's own is gone when it ends, and has what it can have" {
	local before

	before=$(ipcdemo ls --json)
	schedule <<-'END'
		pipe kind named
		task R opens read
		task W opens write packets
		W: write "one"
		W: write "two"
		R: tee 10
		R: read 10
		run W until done
		expect slots used 2
		run R until done
		expect R got "one"
	END
	tried 0 ipcdemo step "$dir/x.step"
	# Only root may mount
	tried 1 nobody ipcdemo step /dev/stdin <"$dir/x.step"
	says "cannot mount ipcdemofs for a named pipe: Operation not permitted; are you root?"
	sed -i 's/named/anonymous/' "$dir/x.step"
	tried 0 nobody ipcdemo step /dev/stdin <"$dir/x.step"
	sed -i 's/expect slots used 2/expect slots used 1/' "$dir/x.step"
	tried 1 ipcdemo step "$dir/x.step"
	says "expected slots used 1, but it is 2"
	sed -i '/kind/d' "$dir/x.step"
	tried 2 ipcdemo step "$dir/x.step"
	says "x.step:2:20: the device has no packets: 'pipe kind anonymous' or 'pipe kind named' above"
	printf 'task R\npipe kind named\n' >"$dir/x.step"
	tried 2 ipcdemo step "$dir/x.step"
	says "x.step:2:11: expected this line above the tasks, not 'named'"
	same "$before" "$(ipcdemo ls --json)"
	same "" "$(grep ipcdemofs /proc/mounts || true)"
	is_clean
}

@test "comments are printed if asked for, above their line and behind it" {
	schedule <<-'END'
		# The title
		# what it is about
		task R opens read
		task W opens write    # no line that is run
		W: write "a # b"
		# first
		#   second

		run W until done      # "third" # and all
	END
	tried 0 ipcdemo step --explain "$dir/x.step"
	same '       # what it is about
    5  W: write "a # b"
       # first
       # second
    9  run W until done                     W is done: write "a # b" gave 5
       # "third" # and all' "$(sed '1d; $d' <<<"$out")"
	tried 0 ipcdemo step "$dir/x.step"
	[[ $out != *"third"* ]]
	is_clean
}

@test "if asked to, everybody stays where he is when something does not hold" {
	schedule <<-'END'
		pipe slots 1
		task W opens write
		task R opens read
		R: read 1
		W: write 5
		run W until write.copy
		expect bytes 5
	END
	start env --default-signal=INT ipcdemo step --stay "$dir/x.step" \
		>"$dir/stay" 2>"$dir/said"
	until_true grep -q '^all stays as it is' "$dir/stay"
	same "ipcdemo: $dir/x.step:7: expected bytes 5, but it is 0" \
		"$(<"$dir/said")"
	same "1 1 1" "$(value slots) $(value readers) $(value writers)"
	grep -Eq '^write\.copy [0-9]+ W .*held' "$pipe"
	kill -INT "$pid"
	tried 130 wait "$pid"
	same 1 "$(wc -l <"$dir/said")"
	is_clean "$pid"
	# When all holds it ends
	sed -i 's/bytes 5/bytes 0/' "$dir/x.step"
	tried 0 ipcdemo step --stay "$dir/x.step"
	tried 2 ipcdemo step --stay --tap "$dir/x.step"
	says "--stay, --explain and -v are for people, --json and --tap for programs"
	is_clean
}

@test "a task that cannot come to where it shall is named, at once" {
	schedule <<-'END'
		task R opens read
		task W opens write
		R: read 1
		W: write 1
		run W until write.copy
		run R until done
	END
	tried 1 ipcdemo step --timeout 1000 "$dir/x.step"
	says "x.step:6: R does not come to the end of its operations: it waits for the lock at read.lock; who has the lock has to go on first"
	schedule <<-'END'
		task R opens read
		task W opens write
		R: read 1
		run R until read.copy
	END
	tried 1 ipcdemo step --timeout 1000 "$dir/x.step"
	says "x.step:4: R does not come to read.copy: it is asleep at read.sleep; somebody else has to wake it"
	schedule <<-'END'
		task W opens write
		step W
	END
	tried 1 ipcdemo step --timeout 1000 "$dir/x.step"
	says "x.step:2: W cannot take a step: it has not begun; it has nothing left to do"
	is_clean
}

@test "a task that does not come to rest is ended after the timeout" {
	local spin

	for spin in "sleep 1000" "sh -c 'while :; do :; done'"; do
		schedule <<-END
			task T opens read
			task W opens write
			T: run ${spin//\'/\"}
			run T until done
		END
		tried 1 ipcdemo step --timeout 0.5 "$dir/x.step"
		says "x.step:4: after 0.5 s, T is "
		says "it did not come to a point"
		is_clean
	done
}

@test "a signal ends the command, and everything is put back" {
	local signal

	schedule <<-'END'
		pipe slots 2
		pipe persist kernel
		task W opens write
		task T opens read
		W: write 5000
		T: run sleep 1000
		run W until write.publish
		run T until done
	END
	for signal in INT TERM; do
		# Not started with &: a shell has SIGINT ignored there.
		start env --default-signal=INT ipcdemo step "$dir/x.step"
		until_true has_value slots 2
		until_true has_value bytes 4096
		kill -"$signal" "$pid"
		tried $((128 + $(kill -l $signal))) wait "$pid"
		is_clean "$pid"
	done
	# Killed, it cannot put back the size of a pipe that keeps its bytes; but
	# nobody is held, and nobody is left.
	start ipcdemo step "$dir/x.step"
	until_true has_value bytes 4096
	kill -KILL "$pid"
	wait "$pid" || true
	until_true has_value writers 0
	ipcdemo persist process
	is_clean "$pid"
}

@test "it refuses a pipe that is in use, and leaves it alone" {
	start cat /dev/ipcdemo
	until_true waits_at open.wait
	tried 1 ipcdemo step tests/interleave/commands.step
	says "somebody has the pipe open (1 for reading, 0 for writing, 1 wait)"
	exec 9>/dev/ipcdemo
	until_true waits_at read.wait
	tried 1 ipcdemo step --tap tests/interleave/commands.step
	[[ $out == *"not ok 1 - "*"# somebody has the pipe open (1 for reading, 1 for writing, 0 wait)"* ]]
	until_true waits_at read.wait
	exec 9>&-
	wait "$pid"
	ipcdemo persist kernel
	ipcdemo write -s mine
	tried 1 ipcdemo step tests/interleave/commands.step
	says "the pipe holds 4 bytes: first take them out with \`ipcdemo read -n\`"
	same mine "$(ipcdemo read -n)"
}

@test "an ordinary user cannot set gates in a pipe of root" {
	tried 1 nobody ipcdemo step tests/interleave/commands.step
	says "only the owner of the object, or root, can set gates: do it as root"
	is_clean
}

@test "persistence and capacity come back as they were" {
	ipcdemo persist kernel
	ipcdemo resize 16K
	tried 0 ipcdemo step tests/interleave/{persist-kernel,grow-before-wake}.step
	same "16384 kernel" "$(value capacity) $(value persistence)"
}

@test "a task that was let go moves whenever it can" {
	schedule <<-'END'
		pipe slots 1
		task R opens read
		task W opens write
		W: write 12288
		let W go
		expect W asleep
		R: read 4096
		R: read 4096
		run R until done
		expect W result 12288
		expect R got W*4096
	END
	tried 0 ipcdemo step "$dir/x.step"
	[[ $out == *"5  let W go "*" W is asleep at write.sleep"* ]]
	is_clean
}

@test "a task that was let go also moves when one that comes late wakes it" {
	schedule <<-'END'
		task R opens nothing
		R: open read
		run R until open.queue
		let R go
		task W opens write
		expect R done
		expect readers 1
	END
	tried 0 ipcdemo step "$dir/x.step"
	tried 0 ipcdemo step -v "$dir/x.step"
	[[ $out == *"6  expect R done "*" yes"* ]]
	is_clean
}

@test "a task that comes late opens its end at that moment, and never waits" {
	schedule <<-'END'
		pipe slots 2
		task W opens write
		W: write 1
		W: write 1
		run W for 1 call
		expect W result EPIPE
		expect readers 0
		task R opens read
		expect readers 1
		expect writers 1
		run W until done
		expect W result 1
		task X opens write nonblock
		X: close
		W: close
		R: close
		run X until done
		run W until done
		expect writers 0
		task Y opens write
		run R until done
		expect readers 0
		task V opens write
		task S opens read
		expect writers 2
		V: write "v"
		S: read 9
		run V until done
		run S until done
		expect S got "Wv"
	END
	tried 0 ipcdemo step "$dir/x.step"
	schedule <<-'END'
		task A
		A: open write
		run A until blocked
		task B opens write
	END
	tried 1 ipcdemo step "$dir/x.step"
	says "x.step:4: B cannot open the pipe for writing: it has no reader, and others wait for one, too"
	schedule <<-'END'
		task A opens both
		A: write 1
		run A until write.copy
		task B opens write
	END
	tried 1 ipcdemo step "$dir/x.step"
	says "x.step:4: B cannot open the pipe now: who has the lock has to go on first"
	is_clean
}

@test "tasks send signals to each other, and command lines are words" {
	schedule <<-'END'
		task A opens read
		task B opens both
		task C
		A: read 1
		B: signal A USR2
		C: run printf "%s-%s|" "a b" c
		C: run false
		run A until blocked
		run B until done
		expect A at read.leave
		run A until done
		expect A result EINTR
		expect A caught USR2
		run C until done
		expect C got "a b-c|"
		expect C result 0
	END
	tried 0 ipcdemo step "$dir/x.step"
	schedule <<<$'task C\nC: run /no/such/program\nrun C until done\nexpect C result ENOENT'
	tried 0 ipcdemo step - <"$dir/x.step"
	is_clean
}

@test "the exercises of docs/stepping.md come out as it says" {
	local i file

	awk -v dir="$dir" '/^```/ { inside = !inside; if (inside) n++; next }
		inside { print >(dir "/block" n) }' docs/stepping.md
	i=1
	while read -r file; do
		mv "$file" "$dir/exercise$((i++))"
	done < <(grep -lE '^task [RA] opens read$' "$dir"/block* | sort -V)
	same 4 "$i"
	tried 0 ipcdemo step "$dir/exercise1"
	sed 's/read.check/read.queue/' "$dir/exercise1" >"$dir/x.step"
	tried 0 ipcdemo step "$dir/x.step"
	sed -i 's/read.queue/read.wait/' "$dir/x.step"
	tried 1 ipcdemo step "$dir/x.step"
	says "W does not come to the end of its operations: it waits for the lock"
	sed -i 's/run W until done/run W until blocked\nstep R\n&/' "$dir/x.step"
	tried 0 ipcdemo step "$dir/x.step"
	tried 1 ipcdemo step "$dir/exercise2"
	[[ $out == *" 6  expect bytes 5 "*" no"* ]]
	sed -i 's/write.copy/write.publish/' "$dir/exercise2"
	tried 0 ipcdemo step "$dir/exercise2"
	tried 0 ipcdemo step "$dir/exercise3"
	sed -i 's/^signal A USR1/&\nrun A until read.woken/
		s/^run A until done/&\nrun B until done/
		/^expect B asleep/d; /^expect A caught/d
		s/^expect A got.*/expect A result EINTR\nexpect B got "hello"/' \
		"$dir/exercise3"
	tried 0 ipcdemo step "$dir/exercise3"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# report FILE, on recordings that were made up: so each number is known.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../common.bash"

recordings=$fixtures/recordings

# Is a value of the JSON that report prints: is FILTER WANTED [FILE]
is() {
	same "$2" "$(ipcdemo report --json "${3-$recordings/two-tasks.rec}" |
		jq -c "$1")"
}

# A recording of one writer that fills a ring of four slots and one reader that
# empties it, N points each: many N
many() {
	awk -v n="$1" 'BEGIN {
		print "{\"ipcdemo\":\"recording\",\"version\":1,\"module\":\"0\"," \
			"\"clock\":\"mono\",\"cpus\":1,\"buffer\":8192," \
			"\"pipes\":\"ours\",\"start\":1000,\"command\":[\"many\"]}"
		for (i = 0; i < n; i++) {
			printf "{\"t\":%d,\"at\":\"write.publish\",\"cpu\":0,\"pid\":5,\"kind\":\"pipe\",\"id\":1,\"len\":10,\"head\":%d,\"tail\":%d,\"nr\":4}\n",
				1100 + 20 * i, i + 1, i
			printf "{\"t\":%d,\"at\":\"read.copy\",\"cpu\":0,\"pid\":6,\"kind\":\"pipe\",\"id\":1,\"len\":10,\"head\":%d,\"tail\":%d,\"nr\":4}\n",
				1110 + 20 * i, i + 1, i
		}
		printf "{\"end\":%d,\"status\":0,\"lines\":%d,\"lost\":{\"points\":[0],\"sched\":[0]}}\n",
			2000 + 20 * n, 2 * n + 1
	}'
}

@test "each moment of a task's life is running, copying, waiting, mutex or elsewhere" {
	is '[.tasks[] | [.command, .life_ns, .running_ns, .copying_ns, .waiting_ns, .mutex_ns, .elsewhere_ns]]' \
		'[["grep",680000,230000,30000,390000,20000,10000],["ps",580000,430000,60000,0,0,90000]]'
	is '[.tasks[] | .life_ns == .running_ns + .copying_ns + .waiting_ns + .mutex_ns + .elsewhere_ns] | all' true
}

@test "who waited waited for the task that made the wake-up" {
	is '[.waits[] | [.pid, .for, .id, .what, .times, .ns]]' \
		'[[102,101,7,"read",3,390000]]'
	# Without it, for nobody
	sed '/"t":1570000,/d; s/"lines":57/"lines":56/' \
		"$recordings/two-tasks.rec" >"$dir/rec"
	is '[.waits[] | [.for, .times, .ns]]' '[[101,2,310000],[null,1,80000]]' \
		"$dir/rec"
}

@test "a wake-up is useless if the woken task waits again before it did something" {
	is '[.woken, .useless]' '[3,1]'
	is '[.objects[] | [.id, .wake_calls, .woken, .useless]]' '[[7,3,3,1]]'
	# It finds bytes, and then it was not
	sed '/"t":1530000,/s/read.sleep/read.copy/' \
		"$recordings/two-tasks.rec" >"$dir/rec"
	is '[.woken, .useless]' '[3,0]' "$dir/rec"
	# A task that is woken before it sleeps does not sleep again: it wakes
	sed '/"t":1480000,/s/read.sleep/read.queue/' \
		"$recordings/two-tasks.rec" >"$dir/rec"
	is '[.woken, .useless]' '[3,0]' "$dir/rec"
}

@test "bytes and calls are those of each task and object, fills those of the ring" {
	is '[.objects[] | [.writes, .written, .reads, .read, .dropped, .slots, .most]]' \
		'[[1,5000,2,5000,0,4,2]]'
	is '[.uses[] | [.pid, .id, .writes, .written, .reads, .read]]' \
		'[[102,7,0,0,2,5000],[101,7,1,5000,0,0]]'
	is '.objects[0] | [.empty_ns, .full_ns]' '[580000,0]'
	is '.passed | [.["write.copy"], .["read.copy"], .["wake.task"]]' '[2,2,3]'
}

@test "lines in another order are the same recording" {
	{
		head -n 1 "$recordings/two-tasks.rec"
		sed '1d; $d' "$recordings/two-tasks.rec" | tac
		tail -n 1 "$recordings/two-tasks.rec"
	} >"$dir/rec"
	# Two lines of one moment have changed places: neither is a point
	diff <(ipcdemo report --json "$dir/rec" | jq -S 'del(.file, .tasks)') \
		<(ipcdemo report --json "$recordings/two-tasks.rec" |
			jq -S 'del(.file, .tasks)')
}

@test "a recording with losses says that its numbers are lower bounds" {
	is '[.lower_bounds, .lost_points]' '[false,0]'
	tried 0 ipcdemo report "$recordings/two-tasks.rec"
	[[ $out == *"nothing was lost."* ]]
	sed 's/"points":\[0,0\]/"points":[12,30]/' \
		"$recordings/two-tasks.rec" >"$dir/rec"
	is '[.lower_bounds, .lost_points]' '[true,42]' "$dir/rec"
	tried 0 ipcdemo report --html "$dir/html" "$dir/rec"
	grep -q '42 points were lost, and are missing here' "$dir/html"
	tried 0 ipcdemo report "$dir/rec"
	[[ $out == *"42 points were lost: numbers of calls, bytes and wake-ups are lower bounds"* ]]
}

@test "a file that is cut off is refused, and it is said where" {
	local whole=$recordings/two-tasks.rec size cut

	size=$(wc -c <"$whole")
	# After each of its lines, and within some
	for cut in 1 100 1000 3000 $((size - 1)); do
		head -c "$cut" "$whole" >"$dir/rec"
		tried 1 ipcdemo report "$dir/rec"
		says "$dir/rec, line $(head -c "$cut" "$whole" | awk 'END { print NR }'): "
	done
	[[ $err == *"it ends within this line, at byte $((size - 1)): the recording is not whole" ]]
	sed '$d' "$whole" >"$dir/rec"
	tried 1 ipcdemo report "$dir/rec"
	says "line 57: it ends here, at byte $(wc -c <"$dir/rec"), without a last line"
	# A line in the middle is missing
	sed 30d "$whole" >"$dir/rec"
	tried 1 ipcdemo report "$dir/rec"
	says "line 57: 57 lines should stand before it, 56 do"
}

@test "what is no recording is refused, and what a later ipcdemo made" {
	: >"$dir/empty"
	tried 1 ipcdemo report "$dir/empty"
	says "the file is empty"
	head -c 3000 /dev/urandom >"$dir/garbage"
	tried 1 ipcdemo report "$dir/garbage"
	says "$dir/garbage, line 1: this is no recording of ipcdemo record"
	echo '{"some":"thing"}' >"$dir/json"
	tried 1 ipcdemo report "$dir/json"
	says "this is no recording of ipcdemo record"
	sed '1s/"version":1/"version":2/' "$recordings/two-tasks.rec" >"$dir/rec"
	tried 1 ipcdemo report "$dir/rec"
	says "line 1: it has version 2, this program knows 1"
	sed '12s/"to":101/"to":"ps"/' "$recordings/two-tasks.rec" >"$dir/rec"
	tried 1 ipcdemo report "$dir/rec"
	says 'line 12: it has no number "to"'
	sed '8s/"id":7/"id":-7/' "$recordings/two-tasks.rec" >"$dir/rec"
	tried 1 ipcdemo report "$dir/rec"
	says 'line 8: "id" cannot be -7'
	# No control character of it comes to the terminal
	sed '8s/"kind":"pipe"/"kind":"\\u001b[2J"/' "$recordings/two-tasks.rec" >"$dir/rec"
	tried 1 ipcdemo report "$dir/rec"
	says 'line 8: "kind" is neither "pipe" nor "region"'
	sed '20s/}$//' "$recordings/two-tasks.rec" >"$dir/rec"
	tried 1 ipcdemo report "$dir/rec"
	says "line 20: this is no JSON object"
	tried 1 ipcdemo report "$dir/no-such-file"
	says "cannot open $dir/no-such-file: No such file or directory"
	# What is not known is passed over
	sed '2i{"later":"kind of line"}
s/"lines":57/"lines":58/' "$recordings/two-tasks.rec" >"$dir/rec"
	tried 0 ipcdemo report "$dir/rec"
}

@test "a diagram names each point, and has an arrow for each wake-up" {
	local points

	cp "$recordings/two-tasks.rec" "$dir/ipcdemo.rec"
	cd "$dir" || return
	tried 0 ipcdemo report --html page.html --svg alone.svg
	same "" "$out"
	for points in page.html alone.svg; do
		same 38 "$(grep -c '<g class="e ' "$points")"
		same 3 "$(grep -c 'class="arrow[^>]*data-a' "$points")"
		same 1 "$(grep -c 'class="arrow useless" data-a' "$points")"
		diff <(grep -o '"at":"[^"]*' ipcdemo.rec | cut -c 7- | sort) \
			<(grep -o 'rotate(-90)">[^<]*' "$points" |
				cut -d '>' -f 2 | sort)
		grep -q 'read.eof: the ring is empty and has no writer' "$points"
	done
	python3 -c 'import sys, xml.dom.minidom as m; m.parse("alone.svg")'
	# Nothing of it comes from elsewhere
	same "" "$(grep -E '(src|href)=|url\(["'\'']?http|@import' page.html alone.svg ||
		true)"
	grep -q 'prefers-color-scheme: dark' alone.svg
	# The writer is above its ring, and the reader below
	same $'ps(101)\npipe 7\ngrep(102)' "$(grep -oE \
		'>(ps\(101\)|pipe 7|grep\(102\))<title>' alone.svg |
		sed 's/^>//; s/<.*//')"
}

@test "what others chose cannot break out of the page" {
	sed '1s/ps aux/<script>alert(1)<\/script> \& x/
s/"sh","ps"/"<b>\\u0007"/
2,9s/"at":"[^"]*"/"at":"x\\"><b>"/' "$recordings/two-tasks.rec" >"$dir/rec"
	grep -q '"at":"x\\"><b>"' "$dir/rec"
	tried 0 ipcdemo report --html "$dir/html" --svg "$dir/svg" "$dir/rec"
	same "" "$(grep -E '<script>alert|<b>' "$dir/html" "$dir/svg" || true)"
	python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$dir/svg"
}

@test "a name that the kernel cut within a character makes no broken file" {
	printf 's/"ps"/"p\xe2\x82\xac\xc3"/g\n1s/ps aux/\xff/\n' >"$dir/sed"
	LC_ALL=C sed -f "$dir/sed" "$recordings/two-tasks.rec" >"$dir/rec"
	tried 0 ipcdemo report --html "$dir/html" --svg "$dir/svg" \
		--perfetto "$dir/trace" "$dir/rec"
	ipcdemo report --json "$dir/rec" >"$dir/json"
	for file in html svg trace json; do
		iconv -f UTF-8 -t UTF-8 "$dir/$file" >"$dir/same"
		grep -q 'p€?' "$dir/$file"
	done
	python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$dir/svg"
}

@test "many points become columns, which the page says; a part is drawn in full" {
	many 5000 >"$dir/rec"
	tried 0 ipcdemo report --html "$dir/html" "$dir/rec"
	grep -q '10000 of 10000 points, from 0 ns to 101.0 us. They are too many' \
		"$dir/html"
	same 0 "$(grep -c '<g class="e ' "$dir/html")"
	# None is lost on the way to its column
	same 10000 "$(grep -o 'data-points="[0-9]*' "$dir/html" |
		awk -F '"' '{ n += $2 } END { print n }')"
	tried 0 ipcdemo report --html "$dir/html" --from 50us --to 51us "$dir/rec"
	same 101 "$(grep -c '<g class="e ' "$dir/html")"
	grep -q '101 of 10000 points, from 50.0 us to 51.0 us' "$dir/html"
	tried 2 ipcdemo report --from 5ms --to 4ms "$dir/rec"
	tried 2 ipcdemo report --from soon "$dir/rec"
	says "'soon' is no time such as 1.5ms or 20us"
	tried 1 ipcdemo report --svg "$dir/svg" --from 50s --to 51s "$dir/rec"
	says "there is nothing to draw"
}

@test "of many fills the last is drawn, too" {
	many 5002 | sed '10005s/"tail":5001/"tail":5002/' >"$dir/rec"
	tried 0 ipcdemo report --html "$dir/html" "$dir/rec"
	grep -q 'data-fill="[^"]*,0\.0000"' "$dir/html"
}

@test "the trace for Perfetto has a name for each task, and arrows with two ends" {
	tried 0 ipcdemo report --perfetto "$dir/trace" "$recordings/two-tasks.rec"
	trace() {
		jq -c "$1" "$dir/trace"
	}
	same '["grep","ps"]' "$(trace '[.traceEvents[] | select(.name == "thread_name") | .args.name]')"
	same 38 "$(trace '[.traceEvents[] | select(.ph == "i")] | length')"
	same true "$(trace '[.traceEvents[] | select(.ph == "s") | .id] == [.traceEvents[] | select(.ph == "f") | .id]')"
	same 3 "$(trace '[.traceEvents[] | select(.ph == "s")] | length')"
	# Each end of an arrow is in a slice of its task, or it would not be shown
	same true "$(jq '.traceEvents as $all | [$all[] | select(.ph == "s" or .ph == "f") |
		. as $tip | any($all[]; .ph == "X" and .tid == $tip.tid and
			.ts <= $tip.ts and .ts + .dur >= $tip.ts)] | all' "$dir/trace")"
	same '[0,1,2,1,0]' "$(jq -c '[.traceEvents[] | select(.ph == "C") | .args.slots] |
		reduce .[] as $x ([]; if .[-1] == $x then . else . + [$x] end)' "$dir/trace")"
	# Calls that contain each other do so wholly
	same '[[200,140],[50,400],[460,170]]' "$(trace '[.traceEvents[] | select(.cat == "call" and .name != "close") | [.ts, .dur]] | sort_by(.[1])' |
		jq -c '[.[] | map(floor)] | [.[0], .[2], .[1]]')"
}

@test "where it cannot be written is said" {
	local kind

	for kind in html svg perfetto; do
		tried 1 ipcdemo report "--$kind" "$dir/no/such" \
			"$recordings/two-tasks.rec"
		says "cannot write $dir/no/such: No such file or directory"
		tried 1 ipcdemo report "--$kind" /dev/full "$recordings/two-tasks.rec"
		says "cannot write /dev/full: No space left on device"
	done
}

@test "record needs a command, and a size that the kernel can have" {
	tried 2 ipcdemo record
	says "record needs a command"
	tried 2 ipcdemo record -b 4K true
	says "'4K' is not a size of at least 8K"
}

@test "the pictures of the guide are there, and name what it tells of" {
	local picture n=0

	while read -r picture; do
		python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' \
			"docs/$picture"
		grep -q 'data-at="write.publish"' "docs/$picture"
		# Small enough to be kept
		(($(wc -c <"docs/$picture") < 200000))
		n=$((n + 1))
	done < <(grep -o 'pictures/[a-z-]*\.svg' docs/guide.md)
	same 2 "$n"
}

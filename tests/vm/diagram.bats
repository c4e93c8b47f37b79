#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# A diagram that was recorded in the VM, opened in a browser: what is drawn there
# is what the module counted.

bats_require_minimum_version 1.5.0

setup_file() {
	mkdir -p build/vm
	dir=$PWD/$(mktemp -d build/vm/diagram.XXXXXX)
	export dir
	cat >"$dir/record" <<'EOT'
set -euo pipefail
PATH=$PWD/build:$PATH
passed() {
	awk 'NR > 1 { print $1, $4 }' /proc/ipcdemo/points
}
counters() {
	awk '/^point unit count/ { on = 1; next } !NF { on = 0 } on { print $1, $3 }' \
		/proc/ipcdemo/pipe/1
}
echo 1 >/sys/module/ipcdemo/parameters/count_points
passed >"$1/passed.before"
counters >"$1/counters.before"
ipcdemo record -o "$1/rec" ipcdemo pipeline 'ps aux | grep ipcdem[o]'
passed >"$1/passed.after"
counters >"$1/counters.after"
EOT
	tests/vm/run --module --share "$dir" --timeout 120 -- \
		bash "$dir/record" "$dir"
	build/ipcdemo report --html "$dir/report.html" --json "$dir/rec" >"$dir/json"
}

teardown_file() {
	rm -rf "$dir"
}

browser() {
	chromium-headless-shell --no-sandbox --disable-gpu \
		--user-data-dir="$dir/profile" --virtual-time-budget=10000 \
		--window-size=1400,1000 "$@" 2>"$dir/log"
}

# The page as the browser has made it: opened NAME [#WORDS]
opened() {
	type -P chromium-headless-shell >/dev/null ||
		skip "no chromium-headless-shell: tests/install-deps browser"
	browser --dump-dom "file://$dir/report.html${2-}" >"$dir/$1"
	# Its script came to its end
	grep -q '<body data-ready="yes">' "$dir/$1" || {
		cat "$dir/log"
		return 1
	}
}

# By how much a number rose: rose passed|counters POINT
rose() {
	local before after

	before=$(awk -v p="$2" '$1 == p { print $2 }' "$dir/$1.before")
	after=$(awk -v p="$2" '$1 == p { print $2 }' "$dir/$1.after")
	echo "$((after - before))"
}

# Points in the opened page, one a line: what it is, and how many bytes.
drawn() {
	grep -o '<g class="e [^>]*>' "$dir/page" |
		sed -E 's/.*data-at="([^"]*)".*data-pid="[0-9]*"( data-len="([0-9]*)")?.*/\1 \3/'
}

@test "the browser draws each point as often as the module passed it" {
	local point n

	opened page
	while read -r point _; do
		n=$(rose passed "$point")
		[[ $(drawn | grep -c "^$point ") == "$n" ]] || {
			echo "$point: the module counted $n, the page has $(drawn |
				grep -c "^$point ")"
			return 1
		}
	done <"$dir/passed.after"
	(($(drawn | wc -l) > 30))
}

@test "bytes, calls and wake-ups of the page are those of the module's counters" {
	opened page
	[ "$(drawn | awk '$1 == "write.publish" || $1 == "write.merge" { n += $2 }
		END { print n }')" -eq "$(rose counters write.copy)" ]
	[ "$(drawn | awk '$1 == "read.copy" { n += $2 } END { print n }')" -eq \
		"$(rose counters read.copy)" ]
	[ "$(drawn | grep -c '^read.enter ')" -eq "$(rose counters read.enter)" ]
	[ "$(drawn | grep -c '^write.enter ')" -eq "$(rose counters write.enter)" ]
	[ "$(drawn | grep -c '^wake.readers ')" -eq "$(rose counters wake.readers)" ]
	# In its tables, too: the writer's row and the reader's
	n=$(rose counters write.copy)
	grep -qE "<td>ps\([0-9]+\)</td><td>$(rose counters write.enter)</td><td>$n</td><td>0</td>" \
		"$dir/page"
	# An arrow for each that was chosen
	[ "$(grep -o '<path class="arrow[^>]*data-a' "$dir/page" | wc -l)" -eq \
		"$(jq .woken "$dir/json")" ]
	[ "$(jq .woken "$dir/json")" -eq "$(rose passed wake.task)" ]
}

# x of each point, in the order of the page: places NAME
places() {
	grep -o '<g class="e [^>]*>' "$dir/$1" |
		sed -E 's/.*translate\(([0-9.]+)[ ,].*/\1/'
}

@test "points are a step apart, or true to time, and all of them have names" {
	opened page '#steps'
	grep -q "points drawn: $(jq .points "$dir/json") (with room for their names: $(jq .points "$dir/json"))" \
		"$dir/page"
	# In the order of time, each the same way from the one before
	places page | awk 'NR > 1 && ($1 - x < 12.9 || $1 - x > 13.1) { bad = 1 }
		{ x = $1 } END { exit bad || NR < 30 }'
	opened time '#time'
	# As far from the first as the time between them says
	paste <(places time) <(grep -o '<g class="e [^>]*>' "$dir/time" |
		sed -E 's/.*data-a="([0-9]+)".*/\1/') |
		awk 'NR == 1 { x = $1; t = $2 }
			{ last_x = $1; last_t = $2; xs[NR] = $1; ts[NR] = $2 }
			END {
				k = (last_x - x) / (last_t - t)
				for (i = 1; i <= NR; i++) {
					d = xs[i] - x - k * (ts[i] - t)
					if (d > 0.5 || d < -0.5)
						exit 1
				}
			}'
	# Two pictures, neither of which is blank
	browser --screenshot="$dir/page.png" "file://$dir/report.html#steps"
	browser --screenshot="$dir/time.png" "file://$dir/report.html#time"
	run ! cmp "$dir/page.png" "$dir/time.png"
	(($(wc -c <"$dir/page.png") > 30000 && $(wc -c <"$dir/time.png") > 30000))
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of the CLI share: asking /proc, waiting, cleaning up.

PATH=$PWD/build:$PATH
export fixtures=$PWD/tests/cli/fixtures dir=$BATS_TEST_TMPDIR
export pipe='' region='' out='' err='' pid=''
export lines=()

# The files of the default pipe and of the default region.
objects() {
	local rest id

	{ read -r rest && read -r id rest; } </proc/ipcdemo/pipes
	pipe=/proc/ipcdemo/pipe/$id
	{ read -r rest && read -r id rest; } </proc/ipcdemo/regions
	region=/proc/ipcdemo/region/$id
}

setup() {
	kids=()
	[[ ! -d /proc/ipcdemo ]] || objects
}

# nobody CMD...: runs it as an ordinary user.
nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

# Starts a program in the background, to be ended with the test: start CMD...
# In the variable pid then.
start() {
	"$@" 3>&- &
	pid=$!
	kids+=("$pid")
}

# Ends a process, and first whom it has started: end_tree PID
end_tree() {
	local child

	for child in $(pgrep -P "$1"); do
		end_tree "$child"
	done
	kill -KILL "$1" 2>/dev/null || true
}

# Ends what start has begun.
end_kids() {
	local kid

	for kid in "${kids[@]}"; do
		end_tree "$kid"
		wait "$kid" 2>/dev/null || true
	done
}

teardown() {
	end_kids
	[[ -e /dev/ipcdemo ]] || return 0
	# Dropped by the first if nobody has it open, by the second in any case
	ipcdemo persist process >/dev/null
	(($(value bytes) == 0)) || timeout 10 ipcdemo read -n >/dev/null
	(($(value capacity) == 65536)) || ipcdemo resize 64K >/dev/null
}

# The value of a line of the pipe's file: value KEY
value() {
	local key word

	while read -r key word; do
		[[ $key != "$1:" ]] || {
			printf '%s\n' "$word"
			return
		}
	done <"$pipe"
	return 1
}

# What was counted at a point: counted POINT
counted() {
	local point unit n

	while read -r point unit n; do
		[[ $point != "$1" || $unit == [0-9]* ]] || {
			printf '%s\n' "$n"
			return
		}
	done <"$pipe"
	return 1
}

# Does a task wait at the point?
waits_at() {
	local point rest

	while read -r point rest; do
		[[ $point != "$1" || $rest != *sleeping* ]] || return 0
	done <"$pipe"
	return 1
}

has_value() {
	[[ $(value "$1") == "$2" ]]
}

# Only who waits in vain waits that long; all is slower on the debug kernel.
patience=60
[[ $(uname -r) != *-debug-* ]] || patience=240

# Tries until it is true, for at most so long: until_true CMD...
until_true() {
	local deadline=$((SECONDS + patience))

	until "$@"; do
		((SECONDS < deadline)) || {
			echo "this did not come true in $patience s: $*"
			cat "$pipe"
			return 1
		}
		read -rt 0.02 <> <(:) || true
	done
}

# Runs a command that has to end with that status: tried STATUS CMD... What it
# printed is then in out, lines and err. (Does what "run" does with fewer
# processes: in a VM that is emulated each of them counts.)
tried() {
	local wanted=$1 status=0

	shift
	"$@" >"$dir/out" 2>"$dir/err" || status=$?
	IFS= read -rd '' out <"$dir/out" || true
	IFS= read -rd '' err <"$dir/err" || true
	mapfile -t lines <"$dir/out"
	out=${out%$'\n'} err=${err%$'\n'}
	((status == wanted)) || {
		printf '%s\nwanted status %s, got %s\n%s\n%s\n' "$*" "$wanted" \
			"$status" "$out" "$err"
		return 1
	}
}

# Standard error of what was tried is a message of ours with this text.
says() {
	[[ $err == "ipcdemo: "*"$1"* ]] || {
		printf 'wanted on stderr: %s\nit said: %s\n' "$1" "$err"
		return 1
	}
}

# same WANTED GOT
same() {
	[[ $1 == "$2" ]] || {
		printf 'wanted: %s\ngot:    %s\n' "$1" "$2"
		return 1
	}
}

# Takes the module out and puts it in again: a clean world.
reload() {
	[[ ! -d /sys/module/ipcdemo ]] || rmmod ipcdemo
	insmod "build/kernel/$(uname -r)/ipcdemo.ko"
	objects
}

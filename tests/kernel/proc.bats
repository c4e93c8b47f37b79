#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# /proc/ipcdemo and fdinfo: the format of docs/proc.md, and that the values are
# what was done. Runs in the VM as root with the module loaded.

bats_require_minimum_version 1.5.0

# Processes are slow to start in an emulated VM, and bats makes each command of
# a test slow: so helpers are done by the shell itself, without bats' trap.
setup() {
	kids=()
	object pipes
	pipe=$found
	object regions
	region=$found
	is_idle
}

teardown() {
	local deadline=$((SECONDS + 30)) kid

	for kid in "${kids[@]}"; do
		kill -KILL "$kid" 2>/dev/null || true
		wait "$kid" 2>/dev/null || true
	done
	exec 7<&- 8<&- 9<&-
	until is_idle; do
		((SECONDS < deadline)) || {
			echo "the pipe is still open, or has bytes"
			return 1
		}
	done
}

# Sets found to the file of the only object of a table: object TABLE
object() {
	local -a line

	mapfile -t line <"/proc/ipcdemo/$1"
	found=/proc/ipcdemo/${1%s}/${line[1]%% *}
}

# Nobody has the pipe open, and it is empty.
is_idle() {
	local -a line

	mapfile -t line </proc/ipcdemo/pipes
	[[ ${line[1]} =~ ' process 16 0 0 0 0 0 0 0 - -'$ ]]
}

# value FILE KEY: of a line "KEY: value" in the first block.
value() (
	trap - DEBUG
	declare line
	declare -a text

	mapfile -t text <"$1"
	for line in "${text[@]}"; do
		[[ $line ]] || break
		[[ $line != "$2: "* ]] || {
			printf '%s\n' "${line#*: }"
			exit
		}
	done
	exit 1
)

# The keys of the first block: keys FILE
keys() (
	trap - DEBUG
	declare line
	declare -a text

	mapfile -t text <"$1"
	for line in "${text[@]}"; do
		[[ $line ]] || exit 0
		printf '%s\n' "${line%%:*}"
	done
)

# header FILE N: the first line of the N-th block.
header() (
	trap - DEBUG
	declare line n=1
	declare -a text

	mapfile -t text <"$1"
	for line in "${text[@]}"; do
		if [[ -z $line ]]; then
			n=$((n + 1))
		elif ((n == $2)); then
			printf '%s\n' "$line"
			exit
		fi
	done
	exit 1
)

# block FILE N [BEGINNING]: the lines of the N-th block that begin so, without
# its header line.
block() (
	trap - DEBUG
	declare line n=1 first=false
	declare -a text

	mapfile -t text <"$1"
	for line in "${text[@]}"; do
		if [[ -z $line ]]; then
			n=$((n + 1))
			first=true
		elif ((n == $2)) && ! $first && [[ $line == "${3-}"* ]]; then
			printf '%s\n' "$line"
		else
			first=false
		fi
	done
)

# blocks FILE: how many there are.
blocks() (
	trap - DEBUG
	declare line n=1
	declare -a text

	mapfile -t text <"$1"
	for line in "${text[@]}"; do
		[[ $line ]] || n=$((n + 1))
	done
	echo $n
)

# count FILE POINT: its counter, in the last block.
count() (
	trap - DEBUG
	declare line
	declare -a text

	mapfile -t text <"$1"
	for line in "${text[@]}"; do
		[[ ! $line =~ ^"$2 "[a-z]+' '([0-9]+)$ ]] ||
			printf '%s\n' "${BASH_REMATCH[1]}"
	done
)

# until_like REGEX CMD...: waits until CMD prints that, up to 30 seconds.
until_like() {
	local deadline=$((SECONDS + 30)) regex=^$1\$ is

	shift
	until is=$("$@") && [[ $is =~ $regex ]]; do
		((SECONDS < deadline)) || {
			echo "not like $regex: $*: $is"
			return 1
		}
		sleep 0.02
	done
}

# start CMD...: in the background, ended with the test; its pid is $pid.
start() {
	"$@" 3>&- &
	pid=$!
	kids+=("$pid")
}

# waiting POINT: the lines of the waiters' block with that point.
waiting() {
	block "$pipe" 3 "$1 "
}

module_file() {
	echo "build/kernel/$(uname -r)/ipcdemo.ko"
}

# How many: waiters POINT
waiters() {
	waiting "$1" | wc -l
}

# A perl that names itself and reads a byte from the device: reader NAME
reader() {
	exec perl -e 'syscall(157, 15, my $name = $ARGV[0]);
		 open my $in, "<", "/dev/ipcdemo"; sysread $in, $_, 1' "$1"
}

@test "version has the versions of the module and of the uAPI" {
	run -0 cat /proc/ipcdemo/version
	[[ ${#lines[@]} == 2 ]]
	[[ ${lines[0]} == "version: $(modinfo -F version "$(module_file)")" ]]
	[[ ${lines[1]} =~ ^'uapi: '[1-9][0-9]*$ ]]
}

@test "pipes has a header and a line for each pipe" {
	exec 8<>/dev/ipcdemo
	printf '%5000s' x >&8
	exec 9<>/dev/ipcdemo
	run -0 cat /proc/ipcdemo/pipes
	[[ ${#lines[@]} == 2 ]]
	[[ ${lines[0]} == "id name owner mode persistence slots used bytes\
 readers writers read_waiters write_waiters open_waiters dev ino" ]]
	[[ ${lines[1]} == "${pipe##*/} /dev/ipcdemo 0 0666 process 16 2 5000\
 2 2 0 0 0 - -" ]]
	head -c 5000 <&8 >/dev/null
}

@test "regions has a header and a line for each region" {
	run -0 cat /proc/ipcdemo/regions
	[[ ${#lines[@]} == 2 ]]
	[[ ${lines[0]} == "id name owner mode size pages files maps seals\
 dev ino" ]]
	[[ ${lines[1]} =~ ^"${region##*/} /dev/ipcdemo 0 0666 1048576 "[0-9]+' 0 0 seal,shrink,grow - -'$ ]]
}

@test "an id that is not there has no file" {
	[[ ! -e /proc/ipcdemo/pipe/4000000 ]]
	[[ ! -e /proc/ipcdemo/pipe/${region##*/} ]]
	[[ ! -e /proc/ipcdemo/region/${pipe##*/} ]]
	[[ ! -e /proc/ipcdemo/pipe/0 ]]
}

@test "a pipe's file has six blocks with their headers and keys" {
	[[ $(blocks "$pipe") == 6 ]]
	run -0 keys "$pipe"
	[[ ${lines[*]} == "id name owner mode persistence capacity slots used\
 bytes head tail readers writers spare snapshot read_pollers write_pollers\
 group dev ino" ]]
	[[ $(header "$pipe" 2) == "slot index state page pfn offset len flags" ]]
	[[ $(header "$pipe" 3) == "point pid command seconds state" ]]
	[[ $(header "$pipe" 4) == "point unit count" ]]
	[[ $(header "$pipe" 5) == "point pid command seconds state" ]]
	[[ $(header "$pipe" 6) == "event count pid command seconds" ]]
}

@test "a region's file has nine blocks with their headers and keys" {
	[[ $(blocks "$region") == 9 ]]
	run -0 keys "$region"
	[[ ${lines[*]} == "id name owner mode size pages files maps page_size\
 seals group dev ino" ]]
	[[ $(header "$region" 2) == "point unit count" ]]
	[[ $(header "$region" 3) == "point pid command seconds state" ]]
	[[ $(header "$region" 4) == "first last state" ]]
	[[ $(header "$region" 5) == "page access pid command seconds" ]]
	[[ $(header "$region" 6) == "offset point pid command seconds state" ]]
	[[ $(header "$region" 7) == "offset waker waker_command woken\
 woken_command waited seconds" ]]
	[[ $(header "$region" 8) == "owner pid command offset entries" ]]
	[[ $(header "$region" 9) == "offset pid command" ]]
	[[ $(value "$region" page_size) == 4096 ]]
}

# points KIND: "name unit" of each point of that kind, in the table's order.
points() {
	tr -d '\\\n' <module/points.h |
		grep -oE 'X\([A-Z_]+,[[:space:]]*[a-z_]+,[[:space:]]*"[^"]+",[[:space:]]*[A-Z]+,[[:space:]]*"[a-z]+"' |
		sed -nE "s/.*\"([^\"]+)\",[[:space:]]*$1,[[:space:]]*\"([a-z]+)\"/\1 \2/p"
}

# passed POINT: how often /proc/ipcdemo/points says it was passed.
passed() {
	sed -nE "s/^$1 (pipe|region) (no|kill|signal) ([0-9]+) .*/\3/p" \
		/proc/ipcdemo/points
}

@test "points says what each is, and counts only while it is told to" {
	local counting=/sys/module/ipcdemo/parameters/count_points before

	[[ $(head -1 /proc/ipcdemo/points) == "point kind hold count sentence" ]]
	tail -n +2 /proc/ipcdemo/points | cut -d ' ' -f 1 |
		sort >"$BATS_TEST_TMPDIR/got"
	grep -oE '"[a-z]+\.[a-z_]+"' module/points.h | tr -d '"' |
		sort >"$BATS_TEST_TMPDIR/want"
	diff "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
	exec 8<>/dev/ipcdemo
	before=$(passed write.publish)
	echo a >&8
	[[ $(passed write.publish) == "$before" ]]
	read -r -u 8
	echo 1 >$counting
	echo b >&8
	echo 0 >$counting
	[[ $(passed write.publish) == $((before + 1)) ]]
	echo c >&8
	[[ $(passed write.publish) == $((before + 1)) ]]
	exec 8>&-
}

@test "the counters are the points of the table, in its order" {
	points PIPE >"$BATS_TEST_TMPDIR/want"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/want") -gt 20 ]]
	block "$pipe" 4 | cut -d ' ' -f 1,2 >"$BATS_TEST_TMPDIR/got"
	diff "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
	points REGION >"$BATS_TEST_TMPDIR/want"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/want") -gt 3 ]]
	block "$region" 2 | cut -d ' ' -f 1,2 >"$BATS_TEST_TMPDIR/got"
	diff "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
}

# ring_is HEAD TAIL: all lines of the ring; two slots have bytes.
ring_is() (
	trap - DEBUG
	set -e
	declare slot index state page pfn offset len flags
	declare data=0 spare=0 free=0 sum=0 seen=' '

	while read -r slot index state page pfn offset len flags; do
		sum=$((sum + len))
		if [[ $page != - ]]; then
			[[ $page =~ ^[1-9][0-9]*$ && $pfn =~ ^[1-9][0-9]*$ ]]
			[[ $seen != *" $page "* ]]
			seen+="$page "
		fi
		if [[ $state != data ]]; then
			[[ "$index $offset $len $flags" == "- 0 0 -" ]]
		fi
		case $state in
		data)
			data=$((data + 1))
			[[ $((index % 16)) == "$slot" && $flags == merge ]]
			if [[ $index == "$2" ]]; then
				[[ $offset == 10 && $len == 4086 ]]
			else
				[[ $index == $(($1 - 1)) ]]
				[[ $offset == 0 && $len == 100 ]]
			fi
			;;
		spare)
			spare=$((spare + 1))
			[[ $page != - ]]
			;;
		free)
			free=$((free + 1))
			[[ $page == - && $pfn == - ]]
			;;
		*) exit 1 ;;
		esac
	done < <(block "$pipe" 2)
	[[ $data == 2 && $((data + spare + free)) == 16 && $sum == 4186 ]]
	[[ $spare == "$(value "$pipe" spare)" && $spare -ge 1 ]]
)

@test "the ring is shown slot by slot" {
	local head tail

	exec 8<>/dev/ipcdemo
	printf '%8192s' x >&8
	printf '%100s' x >&8
	head -c 4096 <&8 >/dev/null
	head -c 10 <&8 >/dev/null
	head=$(value "$pipe" head)
	tail=$(value "$pipe" tail)
	[[ $((head - tail)) == 2 && $(value "$pipe" used) == 2 ]]
	[[ $(value "$pipe" snapshot) == consistent ]]
	[[ $(value "$pipe" bytes) == 4186 ]]
	ring_is "$head" "$tail"
	head -c 4186 <&8 >/dev/null
}

@test "who waits in open, read and write is shown, and for how long" {
	local name before state reader writer who

	start sh -c 'exec 9</dev/ipcdemo; exec head -c 1 <&9'
	reader=$pid
	until_like '.+' waiting open.wait
	read -r _ who name before state < <(waiting open.wait)
	[[ $who == "$reader" && $name == sh && $state == sleeping ]]
	[[ $before =~ ^[0-9]+\.[0-9]{3}$ ]]
	[[ $(</proc/ipcdemo/pipes) == *' 0 0 1 - -' ]]
	longer() {
		local now

		read -r _ _ _ now _ < <(waiting open.wait)
		((10#${now/./} > 10#${before/./})) && echo longer
	}
	until_like longer longer

	exec 8>/dev/ipcdemo
	until_like "read.wait $reader head .*" waiting read.wait
	[[ -z $(waiting open.wait) ]]
	[[ $(</proc/ipcdemo/pipes) == *' 1 0 0 - -' ]]
	exec 8>&-
	wait "$reader" || true

	exec 9<>/dev/ipcdemo
	start sh -c 'exec head -c 70000 /dev/zero >&9'
	writer=$pid
	until_like '.+' waiting write.wait
	read -r _ who name _ state < <(waiting write.wait)
	[[ $who == "$writer" && $name == head && $state == sleeping ]]
	[[ $(value "$pipe" used) == 16 ]]
	head -c 70000 <&9 >/dev/null
	wait "$writer"
	[[ -z $(block "$pipe" 3) ]]
}

@test "waiters stand in the order of the queue" {
	local first second

	start reader one
	first=$pid
	until_like '.+' waiting open.wait
	start reader two
	second=$pid
	until_like $'.+\n.+' waiting open.wait
	exec 8>/dev/ipcdemo
	until_like $'.+\n.+' waiting read.wait
	run -0 waiting read.wait
	[[ $output == *" $first one "*" $second two "* ||
		$output == *" $second two "*" $first one "* ]]
	exec 8>&-
}

@test "odd characters of a command are escaped" {
	start reader $'a b\\c\td\ne'
	until_like '.+' waiting open.wait
	run -0 waiting open.wait
	[[ ${#lines[@]} == 1 ]]
	[[ $output == "open.wait $pid a\\040b\\134c\\011d\\012e "* ]]
}

@test "pids are those of the reader's namespace, 0 if it has none there" {
	local inside

	start reader outside
	until_like '.+' waiting open.wait
	run -0 unshare --pid --fork --mount-proc sed -n '/^open.wait/p' "$pipe"
	[[ $output == "open.wait 0 outside "* ]]

	start unshare --pid --kill-child --mount-proc bash -c "
		perl -e 'syscall(157, 15, my \$n = \"inside\");
			open my \$in, \"<\", \"/dev/ipcdemo\"' &
		until grep -q inside $pipe; do sleep 0.02; done
		grep inside $pipe >$BATS_TEST_TMPDIR/inside.new
		echo \$! >>$BATS_TEST_TMPDIR/inside.new
		mv $BATS_TEST_TMPDIR/inside.new $BATS_TEST_TMPDIR/inside
		wait"
	until_like inside ls "$BATS_TEST_TMPDIR"
	inside=$(tail -n 1 "$BATS_TEST_TMPDIR/inside")
	[[ $(head -n 1 "$BATS_TEST_TMPDIR/inside") == \
		"open.wait $inside inside "* ]]
	# seen from outside it has another pid, that of a perl
	run -0 waiting open.wait
	inside=$(grep ' inside ' <<<"$output" | cut -d ' ' -f 2)
	[[ $(cat "/proc/$inside/comm") == inside ]]
}

@test "owners are those of the reader's user namespace" {
	run -0 unshare --user cat /proc/ipcdemo/pipes
	[[ ${lines[1]} == "${pipe##*/} /dev/ipcdemo 65534 0666 "* ]]
}

@test "an ordinary user may read all of it, but no page frame numbers" {
	local file

	exec 8<>/dev/ipcdemo
	printf '%5000s' x >&8
	for file in version pipes regions "pipe/${pipe##*/}" \
		"region/${region##*/}"; do
		run -0 setpriv --reuid=65534 --regid=65534 --clear-groups \
			cat "/proc/ipcdemo/$file"
		[[ -n $output ]]
	done
	run -0 setpriv --reuid=65534 --regid=65534 --clear-groups \
		awk -v RS= 'NR == 2' "$pipe"
	[[ $(tail -n +2 <<<"$output" | cut -d ' ' -f 5 | sort -u) == - ]]
	# who opened it counts, not who reads
	run -0 setpriv --reuid=65534 --regid=65534 --clear-groups \
		awk -v RS= 'NR == 2' <"$pipe"
	[[ $(tail -n +2 <<<"$output" | cut -d ' ' -f 5 | sort -u) != - ]]
	head -c 5000 <&8 >/dev/null
}

@test "nobody can write to these files" {
	local file

	for file in version pipes regions "pipe/${pipe##*/}"; do
		[[ $(stat -c %a "/proc/ipcdemo/$file") == 444 ]]
		run ! bash -c "echo x >/proc/ipcdemo/$file"
	done
}

@test "no kernel address is shown anywhere" {
	exec 8<>/dev/ipcdemo
	printf '%5000s' x >&8
	run -0 cat /proc/ipcdemo/version /proc/ipcdemo/pipes \
		/proc/ipcdemo/regions "$pipe" "$region"
	[[ ! $output =~ [Ff]{4}[0-9a-fA-F]{8} ]]
	head -c 5000 <&8 >/dev/null
}

@test "fdinfo names the object and the end" {
	info() { grep '^ipcdemo-' "/proc/$$/fdinfo/$1" | tr -s '\t\n' ' '; }
	local id=${pipe##*/}

	exec 7<>/dev/ipcdemo
	[[ $(info 7) == "ipcdemo-object: $id ipcdemo-end: both " ]]
	exec 8</dev/ipcdemo
	[[ $(info 8) == "ipcdemo-object: $id ipcdemo-end: read " ]]
	exec 9>/dev/ipcdemo
	[[ $(info 9) == "ipcdemo-object: $id ipcdemo-end: write " ]]
	cat >"$BATS_TEST_TMPDIR/fds" <<-'EOF'
		use Fcntl;
		sysopen(my $ctl, "/dev/ipcdemo", 3) or die $!;
		my $request = pack("L4", 16, 0, 0, 0);
		my $region = ioctl($ctl, 0x4010dc08, $request) or die $!;
		for (fileno($ctl), $region + 0) {
			open my $in, "<", "/proc/self/fdinfo/$_" or die $!;
			print grep /^ipcdemo/, <$in>;
		}
	EOF
	run -0 perl "$BATS_TEST_TMPDIR/fds"
	[[ ${lines[0]} == "ipcdemo-object:"$'\t'"$id" ]]
	[[ ${lines[1]} == "ipcdemo-end:"$'\t'control ]]
	[[ ${lines[2]} == "ipcdemo-object:"$'\t'"${region##*/}" ]]
	[[ ${lines[3]} == "ipcdemo-end:"$'\t'region ]]
}

@test "fdinfo of anonymous and named objects has id and end, too" {
	local mnt=$BATS_TEST_TMPDIR/mnt kind id

	PATH=$PWD/build:$PATH
	run -0 ipcdemo run -- bash -c 'true | grep ^ipcdemo /proc/self/fdinfo/0
		grep ^ipcdemo /proc/self/fdinfo/1 | cat'
	[[ ${lines[0]} =~ ^ipcdemo-object:[[:space:]][1-9][0-9]*$ ]]
	[[ ${lines[1]} == "ipcdemo-end:"$'\t'read ]]
	[[ ${lines[2]} =~ ^ipcdemo-object:[[:space:]][1-9][0-9]*$ ]]
	[[ ${lines[3]} == "ipcdemo-end:"$'\t'write ]]
	mkdir "$mnt"
	mount -t ipcdemofs none "$mnt"
	mkfifo "$mnt/fifo"
	exec 7<>"$mnt/fifo" 8<>"$mnt/file"
	for kind in pipe:both:7:fifo region:region:8:file; do
		IFS=: read -r kind end fd name <<<"$kind"
		id=$(sed -n "s|^\([0-9]*\) /$name .*|\1|p" "/proc/ipcdemo/${kind}s")
		[[ -n $id ]]
		run -0 grep ^ipcdemo "/proc/$$/fdinfo/$fd"
		[[ ${lines[0]} == "ipcdemo-object:"$'\t'"$id" ]]
		[[ ${lines[1]} == "ipcdemo-end:"$'\t'"$end" ]]
	done
	exec 7>&- 8>&-
	rm "$mnt/fifo" "$mnt/file"
	umount "$mnt"
}

@test "a view of a pipe that is stuck answers" {
	local state

	exec 9<>/dev/ipcdemo
	start sh -c 'exec head -c 70000 /dev/zero >&9'
	until_like '.+' waiting write.wait
	kill -STOP "$pid"
	run -0 timeout 10 cat "$pipe" /proc/ipcdemo/pipes
	[[ $output == *"bytes: 65536"* ]]
	kill -CONT "$pid"
	state=$(value "$pipe" snapshot)
	[[ $state == consistent ]]
	head -c 70000 <&9 >/dev/null
}

@test "counters of a pipe rise by what was done" {
	local read write

	read=$(count "$pipe" read.copy)
	write=$(count "$pipe" write.copy)
	exec 8<>/dev/ipcdemo
	printf '%300s' x >&8
	head -c 300 <&8 >/dev/null
	[[ $(count "$pipe" read.copy) == $((read + 300)) ]]
	[[ $(count "$pipe" write.copy) == $((write + 300)) ]]
}

# The lines of the trail that begin so, without the times: trail [EVENT]
trail() {
	block "$pipe" 6 "${1-}" | sed 's/ [0-9]*\.[0-9]*$//' | paste -sd,
}

# shellcheck disable=SC2016 # perl expands it
@test "the trail says who did what last, and begins anew with the next open" {
	local perl='use Fcntl; $SIG{PIPE} = "IGNORE"; my $b;
		sub end_of { sysopen my $f, "/dev/ipcdemo", shift or die; $f }
		sub did { my $pid = fork; $pid or exit !shift->(); waitpid $pid, 0 }
		sub hold { syswrite STDOUT, "$$\n"; <STDIN> }'

	[[ $(trail) == "" ]]
	exec 8<>/dev/ipcdemo
	[[ $(trail) == "" ]]
	printf ab >&8
	[[ $(trail) == "write 0 $$ bash" ]]
	read -rn 1 -u 8
	[[ $(trail) == "read 0 $$ bash,write 0 $$ bash" ]]
	# Another one, and then we again; the dead have their names still
	start perl -e 'syswrite STDOUT, "x"' >&8
	wait "$pid"
	[[ $(trail write) == "write 1 $pid perl" ]]
	printf c >&8
	[[ $(trail write) == "write 2 $$ bash,write.turn 1 $$ bash" ]]
	exec 8>&-
	[[ $(trail) == "" ]]

	# EAGAIN, and gone; after a poll or a read it would be no such thing
	exec 8<>/dev/ipcdemo
	perl -e "$perl"'
		did(sub { sysread end_of(O_RDONLY | O_NONBLOCK), $b, 1; 1 });
		did(sub { my $f = end_of(O_RDONLY | O_NONBLOCK); sysread $f, $b, 1;
			  vec(my $set = "", fileno $f, 1) = 1;
			  select $set, undef, undef, 0; 1 })' 8>&-
	[[ $(trail) =~ ^read.again\ 2\ [0-9]+\ perl,close.again\ 1\ [0-9]+\ perl$ ]]
	exec 8>&-

	# No reader, thrice; and full
	perl -e "$perl"'
		my $r = end_of(O_RDONLY | O_NONBLOCK); my $w = end_of(O_WRONLY | O_NONBLOCK);
		1 while syswrite $w, "x" x 4096;
		close $r;
		syswrite $w, "x" for 1 .. 3;
		open my $f, "<", $ARGV[0]; print <$f>' "$pipe" >"$BATS_TEST_TMPDIR/view"
	pipe=$BATS_TEST_TMPDIR/view
	[[ $(trail write.) =~ ^write.again\ 1\ ([0-9]+)\ perl,write.epipe\ 3\ ([0-9]+)\ perl$ ]]
	[[ ${BASH_REMATCH[1]} == "${BASH_REMATCH[2]}" ]]
}

# Who stands first among those who wait to write.
first_writer() {
	local first

	read -r _ first _ < <(waiting write.wait) || true
	echo "$first"
}

@test "a write that others wrote into is counted as torn, once; alone it is whole" {
	local large=77824 first

	exec 8<>/dev/ipcdemo
	start dd if=/dev/zero bs=$large count=1 status=none >&8
	until_like 1 waiters write.wait
	head -c $large <&8 >/dev/null
	until_like "write 0 $pid dd" trail "write "
	[[ $(trail write.torn) == "" ]]

	start dd if=/dev/zero bs=$large count=1 status=none >&8
	first=$pid
	until_like 1 waiters write.wait
	start dd if=/dev/zero bs=10 count=1 status=none >&8
	until_like 2 waiters write.wait
	# The first puts one more page and is behind the second then
	dd bs=4096 count=1 of=/dev/null status=none <&8
	until_like "$pid" first_writer
	dd bs=4096 count=1 of=/dev/null status=none <&8
	until_like "$first" first_writer
	[[ $(trail write.torn) == "" ]]
	dd bs=4096 count=1 of=/dev/null status=none <&8
	until_like "write.torn 1 $first dd" trail write.torn
	head -c $((large - 3 * 4096 + 10)) <&8 >/dev/null
	[[ $(trail write.torn) == "write.torn 1 $first dd" ]]
}

@test "sysfs knows the number of the device" {
	[[ -e /sys/class/ipcdemo/ipcdemo/dev ]]
	[[ $(stat -c '%t:%T' /dev/ipcdemo | while IFS=: read -r major minor; do
		echo $((16#$major)):$((16#$minor))
	done) == $(cat /sys/class/ipcdemo/ipcdemo/dev) ]]
}

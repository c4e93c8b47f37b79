# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# How one test file is run, on the host and in the VM. Sourced.
#
# A test file NAME leaves in the folder of results NAME.tap and NAME.err (what
# it printed) and, only once it has ended, NAME.status.

# run_test NAME PROGRAM RESULTS SECONDS: sets test_status (the file's, 124 if
# it took too long) and test_verdict (a few words); fails if the file did.
run_test() {
	local out=$3/$1 begun ended ok=0
	local -a command=("$2")

	case $2 in
	*.bats) command=(bats --tap "$2") ;;
	esac
	mkdir -p "$(dirname "$out")"
	begun=${EPOCHREALTIME/[.,]/}
	test_status=0
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$4" "${command[@]}" \
		</dev/null >"$out.tap" 2>"$out.err" || test_status=$?
	ended=${EPOCHREALTIME/[.,]/}
	# cmocka calls a claim that it skips "not ok", which prove takes for failed.
	sed -i -E 's/^not (ok [0-9]+ # SKIP)/\1/' "$out.tap"
	((test_status != 124)) ||
		echo "the file took longer than $4 s and was stopped" >>"$out.err"
	test_verdict=$(judge_tap "$out.tap") || ok=1
	if ((test_status)); then
		ok=1
		test_verdict+=", FAILED: status $test_status"
	fi
	ended=$(((ended - begun) / 100000))
	test_verdict+=" ($((ended / 10)).$((ended % 10)) s)"
	return "$ok"
}

# In a few words what a file of TAP says; fails if that is not "all is well".
# For the line of progress: the last word is prove's.
judge_tap() {
	awk '
		/^1\.\.[0-9]+/ {
			planned = substr($1, 4) + 0
			plan = 1
		}
		/^(not )?ok( |$)/ {
			ran++
			if ($0 ~ /# *[Ss][Kk][Ii][Pp]/)
				skipped++
			else if ($1 == "not" && $0 !~ /# *TODO/)
				failed++
		}
		/^Bail out!/ { bailed = 1 }
		END {
			if (bailed)
				say = "bailed out"
			else if (!plan)
				say = "no plan"
			else if (planned != ran)
				say = "planned " planned ", ran " ran + 0
			else if (failed)
				say = failed " of " ran " not ok"
			if (say != "") {
				print "FAILED: " say
				exit 1
			}
			print ran - skipped " ok" \
				(skipped ? ", " skipped " skipped" : "")
		}' "$1"
}

# What a person wants to see of a file that failed.
show_failure() {
	{
		sed -n '/^not ok/,/^ok/{/^ok/!p}; /^Bail out/p' "$1.tap"
		cat "$1.err"
	} | sed -n '1,60s/^/        /p'
}

# The line of progress is begun before the test and ended after it.
begin_progress() {
	printf '[%d/%d] %s … ' "$1" "$2" "$3"
}

end_progress() {
	printf '%s\n' "$1"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The model of the kernel in tests/explore, held against the kernel: the same
# schedules lead to the same points, in the same order, with the same values.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../cli/common.bash"

# What `ipcdemo step -v` prints of an arrival, in the words of the twin: "R
# read.check head 0 tail 0 decided no". Whether a slot has kept a page depends on
# what the pipe was used for before.
steps_of_module() {
	ipcdemo step -v "$@" >"$dir/told"
	sed -E '
		s/^([^ ]+\.step)(:.*)?$/\1/
		t
		/^ {9}/!d
		s/^ {9}//
		s/^([^ ]+)  ([a-z._]+): [^(]*/\1 \2 /
		s/[(),]//g
		s/ (is done|is between two calls): .* gave / gave /
		s/ is gone$/ gone/
		s/ has not begun$//
		s/ +$//
		s/ page\.(alloc|reuse) / page /' "$dir/told"
}

steps_of_model() { # twin, schedules
	"$1" --replay "${@:2}" >"$dir/told"
	sed -E 's/ page\.(alloc|reuse) / page /' "$dir/told"
}

@test "each schedule takes the same steps on the module and on the model" {
	local files=()

	# The model runs no commands, splices nothing, and has one pipe.
	mapfile -t files < <(grep -LE \
		'^([A-Za-z0-9_]+: (run|splice|tee|vmsplice) |pipe kind )' \
		tests/interleave/*.step)
	((${#files[@]} > 50))
	steps_of_model build/tests/explore/twin "${files[@]}" >"$dir/model"
	steps_of_module "${files[@]}" >"$dir/module"
	(($(wc -l <"$dir/module") > 1000))
	diff "$dir/module" "$dir/model"
}

@test "a model that takes other steps is noticed" {
	local file=tests/interleave/grow-lets-writer-go.step
	local other=build/tests/explore/faults/grow-wakes-early/twin

	# With that bug the schedule comes to no end.
	steps_of_model "$other" "$file" >"$dir/model" || true
	steps_of_module "$file" >"$dir/module"
	tried 1 diff "$dir/module" "$dir/model"
	grep -q "^> W write.check" "$dir/out"
}

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of `ipcdemo sync` share: processes that hold the locks of a
# file, whose path is in the variable locks.

# shellcheck source=tests/cli/common.bash
source "${BASH_SOURCE[0]%/*}/common.bash"

actor=$PWD/build/tests/cli/sync-actor
export locks=''

# The member of an object: of NAME MEMBER
of() {
	ipcdemo sync show --json "$locks" |
		jq -r --arg name "$1" ".objects[] | select(.name == \$name) | .$2"
}

# In a process of its own, which it becomes.
holder() {
	exec "$actor" "$locks" hold "$1" <"$dir/end" >"$dir/said"
}

# hold NAME: a process holds it from now on, and lets go when descriptor 9 is closed.
hold() {
	mkfifo "$dir/end"
	start holder "$1"
	exec 9>"$dir/end"
	until grep -qs held "$dir/said"; do
		kill -0 "$pid"
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What is made from the command table, and the manual page that is not.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../common.bash"

@test "help names every command, and each has a help of its own" {
	local name rest words

	ipcdemo help >"$dir/help"
	ipcdemo --help | cmp - "$dir/help"
	ipcdemo help --synopsis >"$dir/synopsis"
	while read -r _ name rest; do
		[[ $name != region && $name != sync && $name != ring ]] || name+=" ${rest%% *}"
		grep -Eq "^  $name +[a-z]" "$dir/help"
		read -ra words <<<"$name"
		tried 0 ipcdemo help "${words[@]}"
		[[ $out == "usage: ipcdemo $name"* ]]
		same "$out" "$(ipcdemo "${words[@]}" --help)"
	done <"$dir/synopsis"
	same 6 "$(ipcdemo help region | wc -l)"
	same 1 "$(ipcdemo help sync | wc -l)"
	same 2 "$(ipcdemo help ring | wc -l)"
	tried 2 ipcdemo help frobnicate
	says "there is no command 'frobnicate'"
	[[ $err == *"ipcdemo: try \`ipcdemo help\`" ]]
}

@test "the manual page has the synopsis of the table" {
	ipcdemo help --synopsis >"$dir/wanted"
	sed -n '/^\.SH SYNOPSIS/,/^\.fi/{/^\./d; s/\\-/-/g; s/\\(aq/'\''/g; p}' \
		userspace/ipcdemo.1 >"$dir/got"
	diff -u "$dir/wanted" "$dir/got"
}

@test "the manual page is formatted without a warning, and knows the version" {
	local version

	command -v man groff >/dev/null || skip "man and groff are not installed"
	LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l userspace/ipcdemo.1 \
		>"$dir/page" 2>"$dir/warnings"
	[[ ! -s $dir/warnings ]]
	[[ -s $dir/page ]]
	version=$(ipcdemo --version | head -n 1)
	grep -q "\"${version%,*}\"" userspace/ipcdemo.1
}

@test "the completion offers commands, their second words and options" {
	complete_words() {
		bash -c '
			source <(ipcdemo help --completion)
			COMP_WORDS=("$@")
			COMP_CWORD=$(($# - 1))
			_ipcdemo
			echo "${COMPREPLY[*]}"' - "$@"
	}
	same "show" "$(complete_words ipcdemo sh)"
	same "why" "$(complete_words ipcdemo wh)"
	same "read resize region record report" "$(complete_words ipcdemo re)"
	same "ls show read write fill grow" "$(complete_words ipcdemo region '')"
	same "show" "$(complete_words ipcdemo sync '')"
	same "send recv" "$(complete_words ipcdemo ring '')"
	same "--senders" "$(complete_words ipcdemo ring recv --se)"
	same "--json" "$(complete_words ipcdemo sync show --j)"
	same "--offset" "$(complete_words ipcdemo region fill --o)"
	same "--pipefail" "$(complete_words ipcdemo pipeline --p)"
	same "process" "$(complete_words ipcdemo persist p)"
	same "doctor" "$(complete_words ipcdemo help doc)"
}

@test "wrong usage is status 2 and a hint" {
	tried 2 ipcdemo shoe
	says "there is no command 'shoe'; did you mean 'show'?"
	[[ $err == *"ipcdemo: try \`ipcdemo help\`" ]]
	tried 2 ipcdemo frobnicate
	says "there is no command 'frobnicate'"
	[[ $err != *"did you mean"* ]]
	tried 2 ipcdemo show --wrong
	says "show: there is no option --wrong"
	[[ $err == *"ipcdemo: try \`ipcdemo help show\`" ]]
	tried 2 ipcdemo peek -x
	says "peek: there is no option -x"
	tried 2 ipcdemo peek -c
	says "peek: -c needs an argument"
	tried 2 ipcdemo ls --json=yes
	says "ls: --json=yes takes no argument"
	tried 2 ipcdemo ls more
	says "ls: do not know what to do with 'more'"
}

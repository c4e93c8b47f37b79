# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# How packages are looked up and downloaded, not installed. Sourced, after
# common.sh.

# apt as whoever runs this. With our own package lists once the machine's turn
# out to be missing or out of date: those an ordinary user cannot refresh.
apt_options=(-q -o "APT::Sandbox::User=$(id -un)" -o Acquire::Retries=2)

own_package_lists() {
	local lists

	lists=$(cache_dir)/apt
	mkdir -p "$lists/lists/partial" "$lists/archives/partial"
	apt_options+=(-o "Dir::State::Lists=$lists/lists" -o "Dir::Cache=$lists")
	say "fetching package lists"
	apt-get "${apt_options[@]}" update >&2 || return 1
}

# depends PACKAGE PATTERN: the package that PACKAGE depends on and that
# matches the extended regular expression PATTERN.
depends() {
	apt-cache "${apt_options[@]}" --no-recommends --no-suggests depends \
		"$1" 2>/dev/null |
		sed -nE "s/^ *\\|?Depends: ($2)\$/\\1/p" | head -n 1
}

# fetch PACKAGE...: downloads into the current folder.
fetch() {
	say "downloading $*"
	apt-get "${apt_options[@]}" download "$@" >&2
}

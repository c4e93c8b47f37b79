# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the scripts that build for the VM and boot it have in common. Sourced.

export TOP
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

# An ordinary user may not have these, where modinfo and its like are.
PATH=$PATH:/usr/sbin:/sbin

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$1"
	exit "${2:-1}"
}

# Where downloads and what was made from them live, whichever checkout asks.
cache_dir() {
	if [[ -n ${XDG_CACHE_HOME:-} ]]; then
		printf '%s/ipcdemo\n' "$XDG_CACHE_HOME"
	elif [[ -n ${HOME:-} ]]; then
		printf '%s/.cache/ipcdemo\n' "$HOME"
	else
		die "neither XDG_CACHE_HOME nor HOME is set: set one, for the cache"
	fi
}

# Milliseconds since some fixed moment. Bash's own clock: no process needed.
now_ms() {
	local t=${EPOCHREALTIME/[.,]/}

	printf '%s\n' "${t%???}"
}

# 12345 -> 12.3
seconds() {
	printf '%d.%d\n' "$(($1 / 1000))" "$(($1 % 1000 / 100))"
}

# The value of an option of QEMU: commas are doubled.
qemu_value() {
	printf '%s\n' "${1//,/,,}"
}

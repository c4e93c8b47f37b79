# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# The first lines of a mutant. Sourced; needs die().

# field PATCH NAME: prints what the header of the patch says behind "NAME: ".
field() {
	local value

	value=$(sed -n "/^--- /q; s/^$2: //p" "$1")
	[[ -n $value && $value != *$'\n'* ]] ||
		die "$1: its header must have one line '$2: …', before the diff"
	printf '%s\n' "$value"
}

# read_header PATCH: sets noticed_by and fails_with, or dies.
read_header() {
	local claimed='^(kernel|host)/[a-z0-9_]+ ".+"$'

	field "$1" Bug >/dev/null
	field "$1" What-happened >/dev/null
	noticed_by=$(field "$1" Noticed-by)
	fails_with=$(field "$1" Fails-with)
	[[ -n $fails_with ]]
	case $noticed_by in
	tests/interleave/*.step)
		[[ -f $noticed_by ]] || die "$1: there is no $noticed_by"
		;;
	*)
		[[ $noticed_by =~ $claimed ]] ||
			die "$1: Noticed-by names neither tests/interleave/NAME.step nor kernel/NAME \"claim\" nor host/NAME \"claim\""
		;;
	esac
}

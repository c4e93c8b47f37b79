#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Where kernels and packages come from, with the network and apt as they may
# be: programs of the same names stand in for them.

setup() {
	dir=$BATS_TEST_TMPDIR
	export TMPDIR=$dir
	mkdir "$dir/bin" "$dir/cache"
	release=$(tests/vm/kernel)
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/ipcdemo
}

stand_in() {
	cat >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}

no_network() {
	stand_in apt-get <<<$'#!/bin/sh\necho "Could not resolve host" >&2; exit 100'
	stand_in apt-cache <<<$'#!/bin/sh\nexit 100'
}

@test "the second time needs neither network nor apt" {
	no_network
	PATH=$dir/bin:$PATH run tests/vm/kernel
	[ "$status" -eq 0 ]
	[ "$output" = "$release" ]
}

@test "without network the newest kernel in the cache is taken, and that is said" {
	local old

	no_network
	mkdir -p "$dir/cache/ipcdemo/kernel"
	for old in 5.9.0-1-amd64 5.10.0-2-amd64; do
		mkdir -p "$dir/cache/ipcdemo/kernel/$old/headers"
		touch "$dir/cache/ipcdemo/kernel/$old/vmlinux"
	done
	# One whose download was cut off.
	mkdir "$dir/cache/ipcdemo/kernel/5.11.0-1-amd64"
	PATH=$dir/bin:$PATH XDG_CACHE_HOME=$dir/cache run tests/vm/kernel
	[ "$status" -eq 0 ]
	[[ $output == *"apt cannot be reached: taking 5.10.0-2-amd64"* ]]
	[ "${lines[-1]}" = 5.10.0-2-amd64 ]
}

@test "without network and cache it says what is needed" {
	no_network
	PATH=$dir/bin:$PATH XDG_CACHE_HOME=$dir/cache run tests/vm/kernel
	[ "$status" -eq 1 ]
	[[ $output == *"needs the network once"* ]]
}

@test "a kernel that there is not is refused, and nothing is left of it" {
	no_network
	PATH=$dir/bin:$PATH XDG_CACHE_HOME=$dir/cache KERNEL=1.2.3-none \
		run tests/vm/kernel
	[ "$status" -eq 1 ]
	[[ $output == *"cannot get kernel 1.2.3-none"* ]]
	[ -z "$(ls -A "$dir/cache/ipcdemo/kernel")" ]
}

@test "the headers name nothing outside the cache" {
	local headers=$cache/kernel/$release/headers

	grep -q "^include $cache/kernel/$release/" "$headers/Makefile"
	grep -q "\"$release\"" "$headers/include/generated/utsrelease.h"
}

@test "ACCEL decides how the VM is run, and nonsense in it is refused" {
	[ "$(ACCEL=kvm tests/vm/accel "$release")" = kvm ]
	[ "$(ACCEL=tcg tests/vm/accel "$release")" = tcg ]
	ACCEL=magic run tests/vm/accel "$release"
	[ "$status" -eq 2 ]
	[[ $output == *"must be kvm or tcg"* ]]
}

@test "packages that are there cost nothing" {
	stand_in apt-get <<<$'#!/bin/sh\necho "apt-get was run"; exit 1'
	PATH=$dir/bin:$PATH run tests/install-deps build vm test lint
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

# A stand-in for an apt-get that installs: it only notes what it was asked for.
apt_that_notes() {
	stand_in dpkg-query <<-EOF
		#!/bin/sh
		[ -e "$dir/installed" ] || exit 1
		shift 3
		for package; do echo "ii  \$package"; done
	EOF
	stand_in apt-get <<-EOF
		#!/bin/sh
		echo "\$*" >>"$dir/calls"
		[ ! -e "$dir/broken" ] || exit 100
		case \$* in
		*update*) touch "$dir/updated" ;;
		*) [ -e "$dir/updated" ] || exit 100
		   touch "$dir/installed" ;;
		esac
	EOF
	stand_in sudo <<-'EOF'
		#!/bin/sh
		shift
		exec "$@"
	EOF
}

@test "missing packages are installed, after an update only if that is needed" {
	apt_that_notes
	PATH=$dir/bin:$PATH tests/install-deps vm
	[ "$(wc -l <"$dir/calls")" -eq 3 ]
	[[ $(sed -n 1p "$dir/calls") == install*qemu-system-x86* ]]
	[[ $(sed -n 2p "$dir/calls") == *update ]]
	run grep 'linux-image\|linux-headers' "$dir/calls"
	[ "$status" -eq 1 ]

	rm "$dir/calls" "$dir/installed"
	PATH=$dir/bin:$PATH tests/install-deps vm
	[ "$(wc -l <"$dir/calls")" -eq 1 ]
}

@test "an apt-get that fails is reported with its name" {
	apt_that_notes
	touch "$dir/broken"
	PATH=$dir/bin:$PATH run tests/install-deps vm
	[ "$status" -eq 1 ]
	[[ $output == *"apt-get failed"* ]]
	# Its log was printed, and is gone.
	[ -z "$(find "$dir" -name 'ipcdemo-apt.*')" ]
}

@test "a user who may not install gets the line to run" {
	local user=() line

	apt_that_notes
	stand_in sudo <<<$'#!/bin/sh\nexit 1'
	chmod go+x "$BATS_RUN_TMPDIR" "$(dirname "$dir")" "$dir"
	if ((EUID == 0)); then
		# The script is handed over as input: this user may not be able
		# to read the checkout.
		user=(setpriv --reuid 65534 --clear-groups)
	fi
	line=$(PATH=$dir/bin:$PATH "${user[@]}" bash -s vm \
		<tests/install-deps 2>&1) && return 1
	[[ $line == *"sudo apt-get install --yes "*"qemu-system-x86"* ]]
	[ ! -e "$dir/installed" ]
}

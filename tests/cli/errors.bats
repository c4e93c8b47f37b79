#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What every command says when it cannot work: no module, another version, no
# device, no permission.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/common.bash"

commands=("ls" "show" "show 1" "show --json" "write -s x" "read" "peek"
	"resize 64K" "persist" "persist kernel" "region show" "region read"
	"region write -s x" "region fill 0" "pipeline true|true" "tour"
	"step tests/interleave/commands.step")

# Each command fails with one sentence that has the text: all_say TEXT [WORD...]
all_say() {
	local cmd words text=$1

	shift
	for cmd in "$@"; do
		read -ra words <<<"$cmd"
		tried 1 ipcdemo "${words[@]}"
		says "$text"
		[[ -z $out && $err != *$'\n'* ]] || {
			echo "$cmd: $out$err"
			return 1
		}
	done
}

put_back() {
	[[ ! -d /proc/ipcdemo ]] || return 0
	insmod "build/kernel/$(uname -r)/ipcdemo.ko"
}

teardown() {
	umount /proc/ipcdemo/version 2>/dev/null || true
	put_back
	# A node that was moved away and back is one that rmmod would leave there:
	# let the kernel make its own again.
	if [[ -e $dir/device ]]; then
		rm -f /dev/ipcdemo
		reload
	fi
	chmod 666 /dev/ipcdemo
}

@test "without the module" {
	rmmod ipcdemo
	all_say "the module is not loaded (there is no /proc/ipcdemo/version): \`ipcdemo doctor\` says how to load it" \
		"${commands[@]}"
	tried 0 ipcdemo --version
	same "module: not loaded" "${lines[1]}"
	tried 0 ipcdemo help
	tried 1 ipcdemo doctor
	[[ $out == *"the module is not loaded"*"next: sudo insmod "*"/ipcdemo.ko"* ]]
	put_back
	tried 0 ipcdemo ls
}

@test "with a module of another version" {
	printf 'version: 7.5\nuapi: 75\n' >"$dir/version"
	mount --bind "$dir/version" /proc/ipcdemo/version
	all_say "the loaded module is version 7.5 with interface 75, this program speaks interface 1: \`ipcdemo doctor\` says how to load the one that fits" \
		"${commands[@]}"
	tried 0 ipcdemo --version
	same "module 7.5, interface 75" "${lines[1]}"
	umount /proc/ipcdemo/version
	tried 0 ipcdemo --version
	[[ ${lines[0]} =~ ^ipcdemo\ [0-9.]+,\ interface\ 1$ ]]
	same "${lines[0]#ipcdemo }" "${lines[1]#module }"
}

@test "without the device" {
	mv /dev/ipcdemo "$dir/device"
	all_say "/dev/ipcdemo does not exist, though the module is loaded: \`ipcdemo doctor\` says how to make it" \
		"write -s x" "read" "peek" "resize 64K" "persist" \
		"region read" "region write -s x" "region fill 0" \
		"pipeline true|true" "tour" \
		"step tests/interleave/commands.step"
	tried 0 ipcdemo ls
	tried 0 ipcdemo show
	tried 1 ipcdemo doctor
	[[ $out =~ next:\ sudo\ (mknod\ -m\ 666\ /dev/ipcdemo\ c\ [0-9]+\ 0) ]]
	# What it advises helps
	eval "${BASH_REMATCH[1]}"
	tried 0 ipcdemo peek
	rm /dev/ipcdemo
	mknod /dev/ipcdemo c 240 77
	tried 1 ipcdemo peek
	says "/dev/ipcdemo is not the device of the loaded module"
	tried 1 ipcdemo doctor
	[[ $out == *"is not the device of the loaded module"*"next: sudo rm /dev/ipcdemo && sudo mknod "* ]]
	rm /dev/ipcdemo
}

@test "without permission" {
	local cmd words

	chmod 600 /dev/ipcdemo
	for cmd in "write -s x" "read" "peek" "resize 64K" "region read" "tour" \
		"step tests/interleave/commands.step"; do
		read -ra words <<<"$cmd"
		tried 1 nobody ipcdemo \
			"${words[@]}"
		says "no permission to open /dev/ipcdemo for "
		says "as root, \`chmod a+rw /dev/ipcdemo\`"
	done
	tried 0 nobody ipcdemo show
	chmod 644 /dev/ipcdemo
	tried 1 nobody ipcdemo peek
	says "no permission to open /dev/ipcdemo for reading and writing"
	tried 1 nobody ipcdemo doctor
	[[ $out == *"no permission to read and write /dev/ipcdemo (mode 0644)"*"next: sudo chmod a+rw /dev/ipcdemo"* ]]
}

@test "on this machine, where the tests run, ipcdemo can be used" {
	tried 0 ipcdemo doctor
	[[ $out == *"the module is loaded, version "* ]]
	[[ $out == *"/dev/ipcdemo can be read and written"* ]]
	[[ $out == *"ipcdemo.ko fits the running kernel"* ]]
	tried 0 nobody ipcdemo doctor
	tried 1 ipcdemo doctor "$dir/none.ko"
	says "none.ko: No such file"
}

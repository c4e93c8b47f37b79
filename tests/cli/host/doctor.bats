#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The doctor: each finding, on a machine made of files.

# shellcheck source=tests/cli/common.bash
source "$BATS_TEST_DIRNAME/../common.bash"

# A machine where nothing is missing; in $dir.
machine() {
	mkdir -p "$dir"/{dev,bin,sys/kernel/security} \
		"$dir"/sys/firmware/efi/efivars \
		"$dir"/proc/{self,sys/kernel,ipcdemo} \
		"$dir"/sys/module/module/parameters \
		"$dir"/lib/modules/6.1.0-test/{build,extra}
	echo 6.1.0-test >"$dir/proc/sys/kernel/osrelease"
	echo 0 >"$dir/proc/sys/kernel/modules_disabled"
	: >"$dir/proc/modules"
	printf 'Name:\tx\nCapEff:\t000001ffffffffff\n' >"$dir/proc/self/status"
	printf 'version: 0.1.0\nuapi: 1\n' >"$dir/proc/ipcdemo/version"
	printf 'Character devices:\n245 ipcdemo\n' >"$dir/proc/devices"
	: >"$dir/lib/modules/6.1.0-test/build/Makefile"
	printf 'x\0vermagic=6.1.0-test SMP mod_unload \0name=ipcdemo\0' \
		>"$dir/lib/modules/6.1.0-test/extra/ipcdemo.ko"
	echo '[none] integrity confidentiality' >"$dir/sys/kernel/security/lockdown"
	echo N >"$dir/sys/module/module/parameters/sig_enforce"
	secure_boot 0
	mkdir -p "$dir/etc"
	: >"$dir/etc/debian_version"
	: >"$dir/dev/kvm"
	: >"$dir/dev/ipcdemo"
	chmod 666 "$dir/dev/ipcdemo"
	printf '#!/bin/sh\n' | tee "$dir/bin/gcc" >"$dir/bin/make"
	chmod +x "$dir"/bin/*
	ipcdemo=$(type -P ipcdemo)
	ko=$dir/lib/modules/6.1.0-test/extra/ipcdemo.ko
}

secure_boot() {
	{ printf '\6\0\0\0' && printf '%b' "\\x$1"; } \
		>"$dir/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
}

# The doctor of that machine: doctor STATUS [OPTION]
doctor() {
	PATH=$dir/bin IPCDEMO_ROOT=$dir tried "$1" "$ipcdemo" doctor "${@:2}"
}

# examine STATUS VERDICT SAYS NEXT: the line of the finding, and the next one.
examine() {
	local i

	doctor "$1"
	for ((i = 0; i < ${#lines[@]}; i++)); do
		[[ ${lines[i]} != "$2 "*" $3"* ]] || {
			same "         next: $4" "${lines[i + 1]}"
			return
		}
	done
	printf 'wanted: %s %s\nfound:\n%s\n' "$2" "$3" "$out"
	return 1
}

@test "where nothing is missing, it says so and exits with 0" {
	machine
	doctor 0
	[[ $out != *next:* ]]
	same "ipcdemo can be used here" "${lines[-1]}"
	doctor 0 --json
	same '[true,"6.1.0-test",["good"],[null]]' "$(jq -c '[.usable, .kernel,
		([.findings[].verdict] | unique),
		([.findings[].next] | unique)]' <<<"$out")"
}

@test "the module and its device: not loaded, another version, missing" {
	machine
	echo "uapi: 9" >"$dir/proc/ipcdemo/version"
	examine 1 MISSING "$dir/proc/ipcdemo/version: there is no line 'version:'" \
		"sudo rmmod ipcdemo && sudo insmod $ko"
	printf 'version: 9.0\nuapi: 9\n' >"$dir/proc/ipcdemo/version"
	examine 1 MISSING "is version 9.0 with interface 9" \
		"sudo rmmod ipcdemo && sudo insmod $ko"
	rm -r "$dir/proc/ipcdemo"
	examine 1 MISSING "the module is not loaded" "sudo insmod $ko"
	same "ipcdemo cannot be used here now" "${lines[-1]}"
	doctor 1 --json
	same "[false,\"bad\",\"sudo insmod $ko\"]" "$(jq -c '[.usable,
		(.findings[0] | .verdict, .next)]' <<<"$out")"
	rm "$ko"
	examine 1 MISSING "the module is not loaded" "make demo"
	machine
	rm "$dir/dev/ipcdemo"
	examine 1 MISSING "No such file or directory, though the module is" \
		"sudo mknod -m 666 $dir/dev/ipcdemo c 245 0"
}

@test "what refuses modules: the kernel, Secure Boot, lockdown, the user" {
	machine
	secure_boot 1
	examine 0 note "Secure Boot is on" "make demo"
	echo 'none [integrity] confidentiality' \
		>"$dir/sys/kernel/security/lockdown"
	examine 0 note "locked down [integrity]" "make demo"
	rm "$dir/sys/kernel/security/lockdown"
	echo Y >"$dir/sys/module/module/parameters/sig_enforce"
	examine 0 note "refuse unsigned modules" "make demo"
	echo 1 >"$dir/proc/sys/kernel/modules_disabled"
	examine 0 note "switched off until the next boot" "make demo"
	rm "$dir/proc/modules"
	examine 0 note "cannot load modules" "make demo"
	printf 'CapEff:\t00000000fffeffff\n' >"$dir/proc/self/status"
	doctor 0
	[[ $out == *"ok       this user need not load modules"* ]]
	rm -r "$dir/proc/ipcdemo"
	examine 1 note "may not load modules (CAP_SYS_MODULE)" \
		"sudo ipcdemo doctor"
}

@test "what building needs: headers, compiler, a module that fits, KVM" {
	machine
	rm "$dir/lib/modules/6.1.0-test/build/Makefile"
	examine 0 note "headers of the running kernel 6.1.0-test" \
		"sudo apt-get install linux-headers-6.1.0-test"
	# Without them it does not say how to build with them
	rm "$ko"
	examine 0 note "no ipcdemo.ko was found" \
		"sudo apt-get install linux-headers-6.1.0-test"
	[[ $out =~ headers\ of.*no\ ipcdemo.ko ]]
	printf '#!/bin/sh\necho "  Candidate: 6.1"\n' >"$dir/bin/apt-cache"
	chmod +x "$dir/bin/apt-cache"
	examine 0 note "6.1.0-test are missing" \
		"sudo apt-get install linux-headers-6.1.0-test"
	printf '#!/bin/sh\n' >"$dir/bin/apt-cache"
	examine 0 note "no package is known that has them: \`make demo\`" \
		"make demo"
	examine 0 note "no ipcdemo.ko was found" "make demo"
	printf '#!/bin/sh\necho "  Candidate: (none)"\n' >"$dir/bin/apt-cache"
	examine 0 note "no package is known that has them" "make demo"
	machine
	rm "$dir/bin/gcc"
	examine 0 note "gcc is missing" \
		"sudo apt-get install build-essential"
	rm "$dir/bin/make"
	examine 0 note "gcc and make are missing" \
		"sudo apt-get install build-essential"
	rm "$dir/dev/kvm"
	examine 0 note "emulates, which is slower" "make demo"
	printf 'flags\t\t: fpu hypervisor lahf_lm\n' >"$dir/proc/cpuinfo"
	doctor 0
	[[ $out == *"ok       this is a VM, without /dev/kvm"* ]]
	[[ $out != *"make demo"* ]]
	printf 'vermagic=6.1.0-other SMP \0' >"$ko"
	examine 0 note "is for kernel 6.1.0-other, not for the running 6.1.0-test" \
		"make module KDIR=/lib/modules/6.1.0-test/build"
	echo text >"$ko"
	examine 0 note "is no kernel module" \
		"make module KDIR=/lib/modules/6.1.0-test/build"
	rm "$ko"
	examine 0 note "no ipcdemo.ko was found for kernel 6.1.0-test" \
		"make module KDIR=/lib/modules/6.1.0-test/build"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# make install and make uninstall, into a folder of their own.

setup() {
	dest=$BATS_TEST_TMPDIR/dest
}

@test "what is installed works from where it is, and uninstall removes it all" {
	make install DESTDIR="$dest" PREFIX=/usr
	"$dest/usr/bin/ipcdemo" --version
	[ -s "$dest/usr/share/man/man1/ipcdemo.1" ]
	# The library that run preloads is found from there
	[ -s "$dest/usr/lib/libipcdemo-run.so" ]
	[ "$("$dest/usr/bin/ipcdemo" run -f -q printenv LD_PRELOAD)" = \
		"$(cd "$dest" && pwd -P)/usr/bin/../lib/libipcdemo-run.so" ]
	[ "$("$dest/usr/lib/ipcdemo/textbook")" = "hello, parent" ]
	bash -n "$dest/usr/share/bash-completion/completions/ipcdemo"

	cat >"$BATS_TEST_TMPDIR/user.c" <<-'EOF'
		#include <linux/ipcdemo.h>

		int main(void)
		{
			return IPCDEMO_UAPI_VERSION < 1;
		}
	EOF
	gcc -Wall -Werror -I"$dest/usr/include" -o "$BATS_TEST_TMPDIR/user" \
		"$BATS_TEST_TMPDIR/user.c"
	"$BATS_TEST_TMPDIR/user"

	make uninstall DESTDIR="$dest" PREFIX=/usr
	[ -z "$(find "$dest" ! -type d)" ]
}

@test "with KDIR the module is installed, for that kernel" {
	local release kdir

	release=$(tests/vm/kernel)
	kdir=${XDG_CACHE_HOME:-$HOME/.cache}/ipcdemo/kernel/$release/headers
	make install DESTDIR="$dest" KDIR="$kdir"
	[ -s "$dest/lib/modules/$release/extra/ipcdemo.ko" ]
	make uninstall DESTDIR="$dest" KDIR="$kdir"
	[ -z "$(find "$dest" ! -type d)" ]
}

@test "what is not built yet is named" {
	run make install DESTDIR="$dest" BUILD="$BATS_TEST_TMPDIR/nothing"
	[ "$status" -ne 0 ]
	[[ $output == *"ipcdemo is not there: run make userspace first"* ]]
	for target in module install uninstall; do
		run make $target DESTDIR="$dest" KDIR=/nowhere
		[ "$status" -ne 0 ]
		[[ $output == *"/nowhere holds no kernel headers"* ]]
		[[ $output != *sed:* && $output != *"not there"* ]]
	done
}

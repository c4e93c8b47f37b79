#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# Building and linting, on a small project of its own: what is wrong stops
# them, and nothing appears beside the sources.

setup() {
	top=$PWD
	dir=$BATS_TEST_TMPDIR/checkout
	mkdir -p "$dir/module" "$dir/docs"
	cp -r tests Makefile .clang-format "$dir"
	# What is generated, and what it is generated from.
	cp docs/points.* "$dir/docs"
	cp module/points.h "$dir/module"
	rm -rf "$dir"/tests/{bench,cli,compat,debug,explore,host,kernel} \
		"$dir"/tests/{semantics,sync,model} "$dir"/tests/build.mk \
		"$dir"/tests/interleave/*.step "$dir"/tests/mutants/*.patch
	# Tables of nothing.
	: >"$dir"/tests/interleave/README.md
	: >"$dir"/tests/mutants/README.md
	cd "$dir" || return
	cat >Kbuild <<-'EOF'
		# SPDX-License-Identifier: GPL-2.0
		obj-m := ipcdemo.o
		ipcdemo-y := module/main.o module/other.o
	EOF
	cat >module/main.c <<-'EOF'
		// SPDX-License-Identifier: GPL-2.0
		#include <linux/module.h>

		MODULE_DESCRIPTION("a module for a test of the build");
		MODULE_LICENSE("GPL");
	EOF
	echo '// SPDX-License-Identifier: GPL-2.0' >module/other.c
	echo /build/ >.gitignore
	git init -q .
	git add .
	release=$("$top/tests/vm/kernel")
	built=build/kernel/$release
}

@test "what is built is in build/ and nowhere else, and follows the sources" {
	make module
	[ -s "$built/ipcdemo.ko" ]
	run grep -v '^A  ' <(git status --porcelain)
	[ -z "$output" ]

	# A file less.
	rm module/other.c
	sed -i 's/ module.other.o//' Kbuild
	make module
	[ ! -e "$built/module/other.c" ]

	# One more.
	echo 'int ipcdemo_more;' >module/more.c
	sed -i 's/main.o/main.o module\/more.o/' Kbuild
	run make module
	[ "$status" -ne 0 ]
	[[ $output == *"ipcdemo_more' was not declared"* ]]
}

@test "the module builds for whatever kernel's headers KDIR names" {
	KDIR=$(readlink -f "${XDG_CACHE_HOME:-$HOME/.cache}/ipcdemo/kernel/$release/headers")
	make module KDIR="$KDIR"
	[ -s "$built/ipcdemo.ko" ]
	run make module KDIR=/nowhere
	[ "$status" -ne 0 ]
	[[ $output == *"/nowhere holds no kernel headers"* ]]
}

@test "a checkout that kbuild cannot work in is refused with a sentence" {
	mv "$dir" "$BATS_TEST_TMPDIR/a checkout"
	cd "$BATS_TEST_TMPDIR/a checkout" || return
	run make module
	[ "$status" -ne 0 ]
	[[ $output == *"a path holds a space"* ]]
}

@test "a warning of the compiler, or of sparse, is an error" {
	echo 'static int unused;' >>module/other.c
	run tests/build-module
	[ "$status" -ne 0 ]
	[[ $output == *unused* ]]
	[ ! -e "$built/ipcdemo.ko" ]

	cat >module/other.c <<-'EOF'
		// SPDX-License-Identifier: GPL-2.0
		#include <linux/uaccess.h>

		int ipcdemo_planted(int __user *from);
		int ipcdemo_planted(int __user *from)
		{
			return *from;
		}
	EOF
	run tests/build-module
	[ "$status" -ne 0 ]
	[[ $output == *"dereference of noderef"* ]]
	# And again, though the file has not changed since.
	run tests/build-module
	[ "$status" -ne 0 ]
}

@test "lint is silent about sources that are clean" {
	run tests/lint
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run grep -v '^A  ' <(git status --porcelain)
	[ -z "$output" ]
}

@test "every tool of lint finds what is planted for it" {
	echo 'int ipcdemo_planted ;' >>module/other.c
	echo '#!/usr/bin/env bash' >tests/planted
	echo "echo \$1" >>tests/planted
	echo "T""eh word." >README
	echo "by hand" >>docs/points.md
	git add .
	run tests/lint
	[ "$status" -ne 0 ]
	[ "${lines[-1]}" = "lint: not clean: checkpatch sparse shellcheck clang-format generated codespell" ]
}

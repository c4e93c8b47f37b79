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

	[ -s "$dest/usr/share/man/man3/libipcdemo.3" ]
	cat >"$BATS_TEST_TMPDIR/user.c" <<-'EOF'
		#define _GNU_SOURCE
		#include <ipcdemo.h>
		#include <linux/ipcdemo.h>
		#include <sys/mman.h>
		#include <unistd.h>

		int main(void)
		{
			int fd = memfd_create("user", MFD_CLOEXEC);
			struct ipcdemo_region *region;
			struct ipcdemo_mutex mutex;

			return ftruncate(fd, 65536) ||
			       ipcdemo_region_from_fd(fd, 0, &region) ||
			       ipcdemo_region_format(region, 4, 0) ||
			       ipcdemo_mutex_init(region, IPCDEMO_ANYWHERE, "it", &mutex) ||
			       ipcdemo_mutex_lock(&mutex) ||
			       ipcdemo_mutex_unlock(&mutex) ||
			       IPCDEMO_UAPI_VERSION < 1;
		}
	EOF
	# The build of a user, who has nothing but pkg-config
	export PKG_CONFIG_PATH=$dest/usr/lib/pkgconfig
	version=$("$dest/usr/bin/ipcdemo" --version)
	[[ $version == *" $(pkg-config --modversion libipcdemo)"* ]]
	cd "$BATS_TEST_TMPDIR"
	read -ra flags < <(pkg-config --cflags --libs libipcdemo)
	cc -Wall -Werror -o user user.c "${flags[@]}"
	LD_LIBRARY_PATH=$dest/usr/lib ./user
	[[ $(readelf -d user) == *"[libipcdemo.so.0]"* ]]
	read -ra flags < <(pkg-config --cflags --static --libs libipcdemo)
	cc -Wall -Werror -static -o user-static user.c "${flags[@]}"
	./user-static
	# C++ can include it
	echo '#include <ipcdemo.h>' >user.cc
	gcc -x c++ -Wall -Werror -fsyntax-only user.cc \
		-I"$dest/usr/include"
	# Nothing but what the header declares is exported
	[ -z "$(nm -D --defined-only "$dest/usr/lib/libipcdemo.so" |
		awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
		while read -r name; do
			grep -q "\b$name(" "$dest/usr/include/ipcdemo.h" || echo "$name"
		done)" ]
	cd "$OLDPWD"

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

# SPDX-License-Identifier: GPL-2.0
#
# Every command a person types. `make help` lists them.
#
# What is built goes below build/; downloads go to the cache, which is
# ${XDG_CACHE_HOME:-~/.cache}/ipcdemo.

BUILD := build
CC = gcc
CFLAGS = -std=gnu11 -O2 -g -Wall -Wextra -Werror -Imodule/uapi
PREFIX = /usr/local

# The kernel headers to build the module against. If this is not given, those
# of the kernel that the VM boots, downloaded.
KDIR =

# V=1 prints the commands as they are, not only what they make; -s nothing.
Q = $(if $(filter 1,$(V)),,@)
silent = $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
short = $(if $(Q),$(if $(silent),,@printf '  %-3s %s\n' $(1) $(2)))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

-include userspace/build.mk
-include tests/build.mk

HOST_BATS := $(sort $(wildcard tests/cli/host/*.bats))
VM_BATS := $(sort $(wildcard tests/vm/*.bats))
DEBUG_BATS := $(sort $(wildcard tests/debug/*.bats))
GUEST_BATS := $(sort $(wildcard tests/kernel/*.bats tests/cli/*.bats))

.PHONY: help
help: ## this list
	@echo "make TARGET, where TARGET is one of"
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' Makefile | \
		expand -t 16

.PHONY: demo
demo: ## build everything, boot a VM, load the module there, take the tour
	@tests/install-deps build vm
	@$(MAKE) --no-print-directory module userspace
	@tests/plant-bug two-loads >/dev/null
	@tests/demo

.PHONY: shell
shell: ## a shell in a VM with the module loaded; BUG=NAME: with that of tests/mutants
	@tests/install-deps build vm
	@$(MAKE) --no-print-directory module userspace
	$(if $(BUG),@tests/plant-bug $(BUG) >/dev/null)
	@mkdir -p $(BUILD)/shared
	@tests/vm/run $(if $(BUG),--bug $(BUG),--module) --share $(BUILD)/shared \
		--interactive

.PHONY: module
module: ## the kernel module, for the VM's kernel or the one of KDIR=DIRECTORY
	@tests/install-deps build
	@tests/build-module $(KDIR)

.PHONY: userspace
userspace: ## the command ipcdemo and the libraries
	@tests/install-deps build
	@$(MAKE) --no-print-directory userspace-programs

.PHONY: check
check: ## all tests; TESTS='NAME...' runs only these
	@tests/install-deps build vm test netlink
	@$(MAKE) --no-print-directory module userspace test-programs
	@tests/plant-bug two-loads >/dev/null
	@tests/run-suite --only "$(TESTS)" \
		--host $(HOST_TESTS) $(HOST_BATS) $(VM_BATS) \
		--guest $(GUEST_TESTS) $(GUEST_BATS)

.PHONY: check-debug
check-debug: ## the tests on a kernel that watches itself; SHORT=1: some; TESTS=
	@tests/install-deps build vm test netlink debug
	@tests/check-debug $(if $(SHORT),--short) --only "$(TESTS)" \
		$(DEBUG_BATS) $(DEBUG_TESTS) $(GUEST_TESTS) $(GUEST_BATS) \
		$(HOST_TESTS) $(HOST_BATS) $(VM_BATS)

.PHONY: check-mutants
check-mutants: ## put old bugs back: tests must notice; MUTANTS='NAME...' only these
	@tests/install-deps build vm test netlink
	@$(MAKE) --no-print-directory module userspace test-programs
	@tests/check-mutants $(MUTANTS)

.PHONY: check-compat
check-compat: ## other people's test suites, on pipe(2) and on ours; SUITE='NAME...' only these
	@tests/install-deps build vm compat
	@$(MAKE) --no-print-directory module userspace compat-programs
	@tests/check-compat $(SUITE)

.PHONY: check-host
check-host: ## the tests that need no VM
	@tests/install-deps build test
	@$(MAKE) --no-print-directory userspace test-programs
	@tests/run-suite --only "$(TESTS)" --host $(HOST_TESTS) $(HOST_BATS)

.PHONY: check-rings
check-rings: ## 100 million messages through rings, twice; MESSAGES=N, a quarter
	@tests/install-deps build test
	@$(MAKE) --no-print-directory -s $(RING_RACE) $(RING_RACE_THREADS)
	@echo "processes"
	@IPCDEMO_TEST_SECONDS=36000 IPCDEMO_MESSAGES=$(or $(MESSAGES),25000000) $(RING_RACE)
	@echo "threads, under the sanitizer of threads"
	@IPCDEMO_TEST_SECONDS=36000 IPCDEMO_MESSAGES=$(or $(MESSAGES),25000000) \
		$(RING_RACE_THREADS)

.PHONY: check-scribble
check-scribble: ## a peer that writes anything anywhere, against libipcdemo; SECONDS=N
	@tests/install-deps build test
	@$(MAKE) --no-print-directory -s $(SCRIBBLE)
	@IPCDEMO_SECONDS=$(or $(SECONDS),60) IPCDEMO_TEST_SECONDS=36000 $(SCRIBBLE)

# The words of the explorer; it has more options: explore --help.
EXPLORE_ARGS = $(if $(REPLAY),--replay $(REPLAY)) $(if $(LIMIT),--limit $(LIMIT)) \
	$(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED)) \
	--k $(or $(K),2) $(SCENARIOS)

.PHONY: check-model
check-model: ## search the models of tests/model through; MODELS='FILE...' only these
	@tests/install-deps build model
	@tests/model/check $(MODELS)

.PHONY: explore
explore: ## all orders of small scenarios, in a VM; K=2 SCENARIOS='NAME...'
	@tests/install-deps build vm
	@$(MAKE) --no-print-directory module userspace $(EXPLORE)
	@tests/vm/run --module --timeout 14400 -- $(EXPLORE) $(EXPLORE_ARGS)

.PHONY: explore-host
explore-host: ## the same here, without a limit, over a model of the kernel
	@tests/install-deps build test
	@$(MAKE) --no-print-directory -s $(TWIN)
	@echo "a step from each point to the next"
	@$(TWIN) $(SCENARIOS)
	@echo "a step from each access to shared memory to the next"
	@$(TWIN) --small-steps $(SCENARIOS)

# Apart from the targets above, so that what these need is there by then.
.PHONY: userspace-programs test-programs compat-programs debug-programs
userspace-programs: $(BUILD)/ipcdemo $(BUILD)/libaccess.a \
		$(BUILD)/libipcdemo.a $(BUILD)/libipcdemo.so $(BUILD)/libipcdemo.pc \
		$(BUILD)/libipcdemo-run.so $(BUILD)/textbook $(BUILD)/ipcdemo.bash
	@:
test-programs: $(HOST_TESTS) $(GUEST_TESTS) $(CLI_PROGRAMS)
	@:
compat-programs: $(COMPAT_PROGRAMS)
	@:
debug-programs: $(DEBUG_TESTS)
	@:

.PHONY: bench-points
bench-points: ## what points cost while nobody looks, in instructions
	@tests/install-deps build vm
	@$(MAKE) --no-print-directory -s $(BUILD)/tests/bench/pairs
	@tests/bench/points

$(BUILD)/tests/bench/pairs: tests/bench/pairs.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $< -o $@

.PHONY: docs
docs: $(BUILD)/docs-points ## the pages of docs/ that are made from the code
	$(BUILD)/docs-points > docs/points.md

.PHONY: pictures
pictures: ## the pictures of docs/, by the commands of docs/guide.md, in a VM
	@tests/install-deps build vm
	@$(MAKE) --no-print-directory module userspace
	@tests/vm/run --module --share docs/pictures -- docs/pictures/make

$(BUILD)/docs-points: docs/points.c module/points.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Imodule $< -o $@

.PHONY: sequences
sequences: ## docs/sequences.md, as it happens in a VM
	@tests/install-deps build vm test
	@$(MAKE) --no-print-directory module userspace $(SEMANTICS)
	@mkdir -p $(BUILD)/sequences
	@tests/vm/run --module --share $(BUILD)/sequences -- \
		$(SEMANTICS) --sequences $(BUILD)/sequences/page.md
	cp $(BUILD)/sequences/page.md docs/sequences.md

.PHONY: netlink
netlink: ## the code of the netlink family, from module/netlink/ipcdemo.yaml
	@tests/netlink-code

.PHONY: lint
lint: ## checkpatch, sparse, shellcheck, clang-format and codespell
	@tests/install-deps build lint netlink
	@tests/lint

# What is installed where, below DESTDIR.
INSTALLED = \
	755:$(BUILD)/ipcdemo:$(PREFIX)/bin/ipcdemo \
	755:$(BUILD)/libipcdemo-run.so:$(PREFIX)/lib/libipcdemo-run.so \
	755:$(BUILD)/textbook:$(PREFIX)/lib/ipcdemo/textbook \
	644:$(BUILD)/libipcdemo.a:$(PREFIX)/lib/libipcdemo.a \
	755:$(BUILD)/libipcdemo.so.0:$(PREFIX)/lib/libipcdemo.so.0 \
	644:$(BUILD)/libipcdemo.pc:$(PREFIX)/lib/pkgconfig/libipcdemo.pc \
	644:userspace/lib/ipcdemo.h:$(PREFIX)/include/ipcdemo.h \
	644:userspace/lib/libipcdemo.3:$(PREFIX)/share/man/man3/libipcdemo.3 \
	644:module/uapi/linux/ipcdemo.h:$(PREFIX)/include/linux/ipcdemo.h \
	644:module/uapi/linux/ipcdemo_netlink.h:$(PREFIX)/include/linux/ipcdemo_netlink.h \
	644:userspace/ipcdemo.1:$(PREFIX)/share/man/man1/ipcdemo.1 \
	644:$(BUILD)/ipcdemo.bash:$(PREFIX)/share/bash-completion/completions/ipcdemo
# The name that the linker looks for, beside the one that programs do.
LINKER_NAME := $(PREFIX)/lib/libipcdemo.so
ifneq ($(KDIR),)
# Empty where there are none; who needs it says so.
KDIR_RELEASE := $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2>/dev/null)
MODULE_DIR := /lib/modules/$(KDIR_RELEASE)/extra
INSTALLED += 644:$(BUILD)/kernel/$(KDIR_RELEASE)/ipcdemo.ko:$(MODULE_DIR)/ipcdemo.ko
endif

# Without its release it is not known where the module goes.
.PHONY: kdir-release
kdir-release:
	@$(if $(KDIR),$(if $(KDIR_RELEASE),:,echo "$(KDIR) holds no kernel" \
		"headers: give make KDIR=DIRECTORY as for make module" >&2; exit 1),:)

.PHONY: install
install: kdir-release ## the command and the library; with KDIR=DIRECTORY, the module too
	@for file in $(INSTALLED); do \
		from=$${file#*:}; from=$${from%%:*}; \
		test -e "$$from" || { echo "$$from is not there: run make userspace" \
			"$(if $(KDIR),module KDIR=$(KDIR) )first" >&2; exit 1; }; \
	done
	@for file in $(INSTALLED); do \
		from=$${file#*:}; from=$${from%%:*}; to="$(DESTDIR)$${file##*:}"; \
		install -D -m "$${file%%:*}" "$$from" "$$to" || exit 1; \
		echo "$$to"; \
	done
	@ln -sf libipcdemo.so.0 "$(DESTDIR)$(LINKER_NAME)"
	@echo "$(DESTDIR)$(LINKER_NAME)"
	$(if $(DESTDIR),,ldconfig)
	$(if $(KDIR),$(if $(DESTDIR),,depmod $(KDIR_RELEASE)))

.PHONY: uninstall
uninstall: kdir-release ## remove what install put there
	@for file in $(INSTALLED); do \
		rm -f "$(DESTDIR)$${file##*:}" || exit 1; \
	done
	@rm -f "$(DESTDIR)$(LINKER_NAME)"
	$(if $(KDIR),$(if $(DESTDIR),,depmod $(KDIR_RELEASE)))

.PHONY: clean
clean: ## remove build/; the cache stays
	rm -rf $(BUILD)

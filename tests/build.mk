# SPDX-License-Identifier: GPL-2.0
# Tests: host programs (HOST_TESTS) and guest programs (GUEST_TESTS).  Both
# print TAP.  The top Makefile sets BUILD, CC and CFLAGS and includes this.

TEST_OUT := $(BUILD)/tests

# --- host: the ring under ASan and UBSan --------------------------------------

RING := module/ring.c module/ring.h tests/host/kernel_shim.h
RING_FLAGS = $(CFLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Itests/host
FAULTS := $(wildcard tests/host/faults/*.sed)
FAULT_DIR := $(TEST_OUT)/host/faults
FAULT_TESTS := $(FAULTS:tests/host/faults/%.sed=$(FAULT_DIR)/%.test)

HOST_TESTS := $(TEST_OUT)/host/ring $(TEST_OUT)/host/check-faults

$(TEST_OUT)/host/ring.o: tests/host/ring.c $(RING)
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) $(RING_FLAGS) -Imodule -c $< -o $@

$(TEST_OUT)/host/ring: $(TEST_OUT)/host/ring.o $(RING)
	$(call short,LD,$@)
	$(Q)$(CC) $(RING_FLAGS) -Imodule $< module/ring.c -o $@ -lcmocka

# A fault is a sed script for ring.c and ring.h.  One that changes neither is
# no fault, and one that does not compile proves nothing: both stop the build.
$(FAULT_DIR)/%.test: tests/host/faults/%.sed $(TEST_OUT)/host/ring.o $(RING)
	@mkdir -p $(FAULT_DIR)/$*
	$(Q)sed -f $< module/ring.c > $(FAULT_DIR)/$*/ring.c
	$(Q)sed -f $< module/ring.h > $(FAULT_DIR)/$*/ring.h
	@if cmp -s module/ring.c $(FAULT_DIR)/$*/ring.c && \
	    cmp -s module/ring.h $(FAULT_DIR)/$*/ring.h; then \
		echo "$<: changes nothing in module/ring.[ch] any more:" \
			"make it fit" >&2; exit 1; fi
	$(call short,LD,$@)
	$(Q)$(CC) $(RING_FLAGS) -I$(FAULT_DIR)/$* $(TEST_OUT)/host/ring.o \
		$(FAULT_DIR)/$*/ring.c -o $@ -lcmocka
	$(Q)cp $< $(FAULT_DIR)/

$(TEST_OUT)/host/check-faults: tests/host/check-faults $(FAULT_TESTS) \
		$(TEST_OUT)/host/ring
	$(Q)cp $(TEST_OUT)/host/ring $(FAULT_DIR)/good
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/faults/check" %s\n' \
		'"$$(dirname "$$0")/faults"' > $@.new
	$(Q)cp $< $(FAULT_DIR)/check
	$(Q)chmod +x $@.new $(FAULT_DIR)/check
	$(Q)mv $@.new $@

# The same with a bug from tests/mutants put back: tests/check-mutants asks.
$(BUILD)/mutants/%/ring: $(BUILD)/mutants/%/module/ring.c \
		$(BUILD)/mutants/%/module/ring.h $(TEST_OUT)/host/ring.o
	$(call short,LD,$@)
	$(Q)$(CC) $(RING_FLAGS) -I$(BUILD)/mutants/$*/module $(TEST_OUT)/host/ring.o \
		$< -o $@ -lcmocka

# --- host: the twin of the explorer, tests/explore -----------------------------
# It runs the module's own code over a model of the kernel.

TWIN_OUT := $(TEST_OUT)/explore
TWIN := $(TWIN_OUT)/twin
# A context switch is no function call to a sanitizer, and the stacks of the
# tasks are copied as bytes: so no red zones there.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
TWIN_MODEL := $(addprefix tests/explore/,build kernel.h model.c model.h switch.h)
TWIN_MODULE := $(addprefix module/,pipe.c waiter.c ring.c) $(wildcard module/*.h)
TWIN_PLAIN := $(addprefix $(TWIN_OUT)/,switch.o replay.o step_parse.o util.o)
TWIN_OBJ := $(TWIN_OUT)/twin.o $(TWIN_OUT)/serial.o $(TWIN_PLAIN)
TWIN_CHECKED_OBJ := $(TWIN_OUT)/twin-checked.o $(TWIN_OUT)/serial-checked.o \
	$(TWIN_PLAIN)
TWIN_HEADERS := $(wildcard tests/explore/*.h) userspace/step.h userspace/cli.h \
	module/points.h module/uapi/linux/ipcdemo.h

$(TWIN_OUT)/%.o: tests/explore/%.c $(TWIN_HEADERS)
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -c $< -o $@

$(TWIN_OUT)/%-checked.o: tests/explore/%.c $(TWIN_HEADERS)
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -D_GNU_SOURCE -c $< -o $@

# The parser of schedules; the rest of these files is left out of the twin.
$(TWIN_OUT)/%.o: userspace/%.c $(TWIN_HEADERS)
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -ffunction-sections -c $< -o $@

$(TWIN): $(TWIN_OBJ) $(TWIN_MODEL) $(TWIN_MODULE)
	$(call short,LD,$@)
	$(Q)tests/explore/build module $@ -O2 -g -- $(TWIN_OBJ)

$(TWIN_OUT)/twin-checked: $(TWIN_CHECKED_OBJ) $(TWIN_MODEL) $(TWIN_MODULE)
	$(call short,LD,$@)
	$(Q)tests/explore/build module $@ -O1 -g $(SANITIZE) --param asan-stack=0 \
		-- $(TWIN_CHECKED_OBJ)

# Not all orders under the sanitizers: they take their time.
$(TEST_OUT)/host/twin: $(TWIN_OUT)/twin-checked tests/build.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s --tap --states 20000\n' $< > $@.new
	@chmod +x $@.new
	@mv $@.new $@

# The bugs of tests/mutants that it has to find, and its own.
TWIN_FAULTS := $(shell sed -n 's/^\([a-z][^ :]*\).*/\1/p' tests/explore/faults/list)
TWIN_FAULT_DIR := $(TWIN_OUT)/faults

$(TWIN_FAULT_DIR)/%/twin: $(TWIN_OBJ) $(TWIN_MODEL) $(TWIN_MODULE) \
		$(wildcard tests/mutants/*.patch tests/explore/faults/*.patch)
	$(call short,BUG,$*)
	@rm -rf $(@D)
	@mkdir -p $(@D)
	@cp -a module $(@D)/
	$(Q)patch -s -p1 --fuzz=0 --no-backup-if-mismatch -d $(@D) \
		< $(firstword $(wildcard tests/explore/faults/$*.patch \
			tests/mutants/$*.patch))
	$(Q)tests/explore/build $(@D)/module $@ -O1 -g -- $(TWIN_OBJ)

$(TEST_OUT)/host/check-twin: tests/explore/check-faults \
		tests/explore/faults/list $(TWIN) \
		$(TWIN_FAULTS:%=$(TWIN_FAULT_DIR)/%/twin)
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s %s %s\n' $< $(TWIN) \
		$(TWIN_FAULT_DIR) > $@.new
	@chmod +x $@.new
	@mv $@.new $@

HOST_TESTS += $(TEST_OUT)/host/twin $(TEST_OUT)/host/check-twin

# --- host: what ipcdemo watch remembers -----------------------------------------

WATCH_SRC := userspace/watch_history.c $(ACCESS_SRC)
$(TEST_OUT)/host/watch: tests/host/watch.c $(WATCH_SRC) \
		userspace/watch_history.h userspace/access.h
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -D_GNU_SOURCE -Iuserspace $< $(WATCH_SRC) \
		-o $@ -lcmocka -lmnl

HOST_TESTS += $(TEST_OUT)/host/watch

# --- host: libipcdemo, on memory of the kernel's own ----------------------------

# One program a noun of tests/sync; sync.c is what they share.
SYNC_TESTS := words locks objects race scribble rings ring_race
SYNC_COMMON := tests/sync/sync.c tests/sync/api.c $(wildcard tests/sync/*.h)
LIB_HEADERS := $(wildcard userspace/lib/*.h) module/uapi/linux/ipcdemo.h
SYNC_FLAGS = $(CFLAGS) -D_GNU_SOURCE -Iuserspace/lib

$(SYNC_TESTS:%=$(TEST_OUT)/host/sync-%): $(TEST_OUT)/host/sync-%: \
		tests/sync/%.c $(SYNC_COMMON) $(LIB_SRC) $(LIB_HEADERS)
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(SYNC_FLAGS) $(SANITIZE) $< $(filter %.c,$(SYNC_COMMON)) $(LIB_SRC) \
		-o $@ -lcmocka -pthread

SCRIBBLE := $(TEST_OUT)/host/sync-scribble

# Threads, under the sanitizer of threads; slower, so fewer steps.
$(TEST_OUT)/host/sync-race-threads.bin: tests/sync/race.c $(SYNC_COMMON) \
		$(LIB_SRC) $(LIB_HEADERS)
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(SYNC_FLAGS) -DTHREADS -fsanitize=thread $< \
		$(filter %.c,$(SYNC_COMMON)) $(LIB_SRC) -o $@ -lcmocka -pthread

$(TEST_OUT)/host/sync-race-threads: $(TEST_OUT)/host/sync-race-threads.bin
	@printf '#!/bin/sh\nIPCDEMO_OPS=$${IPCDEMO_OPS:-4000} exec %s\n' $< > $@.new
	@chmod +x $@.new
	@mv $@.new $@

HOST_TESTS += $(SYNC_TESTS:%=$(TEST_OUT)/host/sync-%) \
	$(TEST_OUT)/host/sync-race-threads

# Rings: the same under the sanitizer of threads, and, for many messages, without any.
RING_RACE_THREADS := $(TEST_OUT)/host/sync-ring_race-threads
$(RING_RACE_THREADS): tests/sync/ring_race.c $(SYNC_COMMON) \
		$(LIB_SRC) $(LIB_HEADERS)
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(SYNC_FLAGS) -DTHREADS -fsanitize=thread $< \
		$(filter %.c,$(SYNC_COMMON)) $(LIB_SRC) -o $@ -lcmocka -pthread

RING_RACE := $(TEST_OUT)/sync/ring_race
$(RING_RACE): tests/sync/ring_race.c $(SYNC_COMMON) $(LIB_SRC) $(LIB_HEADERS)
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(SYNC_FLAGS) $< $(filter %.c,$(SYNC_COMMON)) $(LIB_SRC) -o $@ \
		-lcmocka -pthread

HOST_TESTS += $(RING_RACE_THREADS)

# Bugs in libipcdemo: the tests above must notice each one.
LIB_FAULTS := $(wildcard tests/sync/faults/*.patch)
LIB_FAULT_DIR := $(TEST_OUT)/sync/faults
LIB_FAULT_TESTS := $(LIB_FAULTS:tests/sync/faults/%.patch=$(LIB_FAULT_DIR)/%/test)

$(LIB_FAULT_DIR)/%/test: tests/sync/faults/%.patch tests/sync/build-fault \
		$(wildcard tests/sync/*.c) $(wildcard tests/sync/*.h) $(LIB_SRC) \
		$(LIB_HEADERS)
	$(call short,BUG,$*)
	$(Q)CC="$(CC)" tests/sync/build-fault $< $(@D) $(CFLAGS) -O1 -D_GNU_SOURCE

$(TEST_OUT)/host/sync-faults: tests/sync/check-faults $(LIB_FAULT_TESTS) tests/build.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s %s %s\n' $< $(TEST_OUT)/host \
		$(LIB_FAULT_DIR) > $@.new
	@chmod +x $@.new
	@mv $@.new $@

HOST_TESTS += $(TEST_OUT)/host/sync-faults

# --- guest: claims about pipes, the device and the region ---------------------

KERNEL_TESTS := $(patsubst tests/kernel/%.c,%,\
	$(filter-out tests/kernel/harness.c,$(wildcard tests/kernel/*.c)))
TESTS_32 := $(TEST_OUT)/kernel/ioctl32 $(TEST_OUT)/kernel/wait_word32
GUEST_TESTS := $(KERNEL_TESTS:%=$(TEST_OUT)/kernel/%) $(TESTS_32) \
	$(TEST_OUT)/kernel/interleave $(TEST_OUT)/kernel/explore

$(TEST_OUT)/kernel/harness.o: tests/kernel/harness.c tests/kernel/harness.h \
		module/uapi/linux/ipcdemo.h
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -c $< -o $@

$(KERNEL_TESTS:%=$(TEST_OUT)/kernel/%): $(TEST_OUT)/kernel/%: tests/kernel/%.c \
		tests/kernel/harness.h $(TEST_OUT)/kernel/harness.o \
		module/uapi/linux/ipcdemo.h
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE $< $(TEST_OUT)/kernel/harness.o -o $@ \
		-lcmocka -pthread $(LIBS)

WORD_TESTS := $(addprefix $(TEST_OUT)/kernel/,wait_word wait_word32 owner)
$(WORD_TESTS): tests/kernel/words.h

$(TEST_OUT)/kernel/uring: LIBS = -luring
$(TEST_OUT)/kernel/netlink: LIBS = -lmnl

# 32-bit programs on a 64-bit kernel; static, so that they need no 32-bit
# libraries where they run.
$(TESTS_32): $(TEST_OUT)/kernel/%32: tests/kernel/%.c tests/kernel/harness.c \
		tests/kernel/harness.h $(wildcard tests/kernel/m32/*) \
		module/uapi/linux/ipcdemo.h
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -m32 -static -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-Itests/kernel/m32 $< tests/kernel/harness.c \
		tests/kernel/m32/cmocka.c -o $@ -pthread

# The schedules: one process runs them all, a line of TAP each.
$(TEST_OUT)/kernel/interleave: tests/build.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec build/ipcdemo step --tap %s\n' \
		'tests/interleave/*.step' > $@.new
	@chmod +x $@.new
	@mv $@.new $@

# The explorer: all orders of small scenarios, or with --orders some by chance.
EXPLORE := $(TEST_OUT)/explore/explore
EXPLORE_SRC := $(addprefix tests/explore/,explore.c order.c machine.c serial.c)

$(EXPLORE): $(EXPLORE_SRC) $(wildcard tests/explore/*.h) module/points.h \
		module/uapi/linux/ipcdemo.h
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -Imodule $(EXPLORE_SRC) -o $@

$(TEST_OUT)/kernel/explore: $(EXPLORE) tests/build.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s --tap --orders 1000\n' $(EXPLORE) > $@.new
	@chmod +x $@.new
	@mv $@.new $@

# --- guest: libipcdemo, on regions of the module as well -------------------------
# The same programs, as somebody else would link them; no sanitizers there.

SYNC_GUEST := $(patsubst %,$(TEST_OUT)/kernel/sync-%,$(SYNC_TESTS) robust)

$(SYNC_GUEST): $(TEST_OUT)/kernel/sync-%: tests/sync/%.c $(SYNC_COMMON) \
		userspace/lib/ipcdemo.h $(BUILD)/libipcdemo.a
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(SYNC_FLAGS) -DON_MODULE $< $(filter %.c,$(SYNC_COMMON)) \
		$(BUILD)/libipcdemo.a -o $@ -lcmocka -pthread

GUEST_TESTS += $(SYNC_GUEST)

# --- guest: programs that the tests of the command run -------------------------

CLI_PROGRAMS := $(TEST_OUT)/cli/probe $(TEST_OUT)/cli/sync-actor \
	$(TEST_OUT)/cli/mistakes

# As a program of somebody else: the header and the static library.
$(TEST_OUT)/cli/sync-actor: tests/cli/run/sync-actor.c $(BUILD)/libipcdemo.a
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -Iuserspace/lib $^ -o $@ -pthread

$(TEST_OUT)/cli/mistakes: tests/cli/run/mistakes.c
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE $< -o $@

$(TEST_OUT)/cli/probe: tests/cli/run/probe.c
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE $< -o $@ -pthread

# The kernel's own tool for netlink families, where the VM finds it.
YNL := $(BUILD)/ynl/tools/net/ynl/cli.py
CLI_PROGRAMS += $(YNL)

$(YNL): tests/vm/ynl
	$(call short,GET,$(BUILD)/ynl)
	$(Q)from=$$(tests/vm/ynl) && rm -rf $(BUILD)/ynl && \
		cp -a "$$from" $(BUILD)/ynl && touch $@

# --- guest: docs/semantics.md, taken by its word --------------------------------

SEMANTICS := $(TEST_OUT)/kernel/semantics
SEMANTICS_SRC := $(wildcard tests/semantics/*.c)

$(SEMANTICS): $(SEMANTICS_SRC) $(wildcard tests/semantics/*.h) \
		tests/kernel/harness.h $(TEST_OUT)/kernel/harness.o \
		module/uapi/linux/ipcdemo.h
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE $(SEMANTICS_SRC) \
		$(TEST_OUT)/kernel/harness.o -o $@ -lcmocka

GUEST_TESTS += $(SEMANTICS)

# --- guest: programs that the suites of tests/compat run ------------------------

COMPAT_PROGRAMS := $(TEST_OUT)/compat/stream $(SEMANTICS)

$(TEST_OUT)/compat/stream: tests/compat/stream.c
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE $< -o $@

# --- guest: what only the debug kernel can be asked for -------------------------

DEBUG_OUT := $(TEST_OUT)/debug
DEBUG_TESTS := $(DEBUG_OUT)/faults $(DEBUG_OUT)/explore

$(DEBUG_OUT)/faults: tests/debug/faults.c tests/kernel/harness.h \
		$(TEST_OUT)/kernel/harness.o module/uapi/linux/ipcdemo.h
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE $< $(TEST_OUT)/kernel/harness.o -o $@ \
		-lcmocka -pthread

# The orders of kernel/explore, but fewer: that kernel is slow.
$(DEBUG_OUT)/explore: $(EXPLORE) tests/build.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s --tap --orders 100\n' $(EXPLORE) > $@.new
	@chmod +x $@.new
	@mv $@.new $@

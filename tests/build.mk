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
	$(CC) $(RING_FLAGS) -Imodule -c $< -o $@

$(TEST_OUT)/host/ring: $(TEST_OUT)/host/ring.o $(RING)
	$(CC) $(RING_FLAGS) -Imodule $< module/ring.c -o $@ -lcmocka

# A fault is a sed script for ring.c and ring.h.  One that changes neither is
# no fault, and one that does not compile proves nothing: both stop the build.
$(FAULT_DIR)/%.test: tests/host/faults/%.sed $(TEST_OUT)/host/ring.o $(RING)
	@mkdir -p $(FAULT_DIR)/$*
	sed -f $< module/ring.c > $(FAULT_DIR)/$*/ring.c
	sed -f $< module/ring.h > $(FAULT_DIR)/$*/ring.h
	@if cmp -s module/ring.c $(FAULT_DIR)/$*/ring.c && \
	    cmp -s module/ring.h $(FAULT_DIR)/$*/ring.h; then \
		echo "$<: changes nothing in module/ring.[ch] any more:" \
			"make it fit" >&2; exit 1; fi
	$(CC) $(RING_FLAGS) -I$(FAULT_DIR)/$* $(TEST_OUT)/host/ring.o \
		$(FAULT_DIR)/$*/ring.c -o $@ -lcmocka
	cp $< $(FAULT_DIR)/

$(TEST_OUT)/host/check-faults: tests/host/check-faults $(FAULT_TESTS) \
		$(TEST_OUT)/host/ring
	cp $(TEST_OUT)/host/ring $(FAULT_DIR)/good
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/faults/check" %s\n' \
		'"$$(dirname "$$0")/faults"' > $@.new
	cp $< $(FAULT_DIR)/check
	chmod +x $@.new $(FAULT_DIR)/check
	mv $@.new $@

# The same with a bug from tests/mutants put back: tests/check-mutants asks.
$(BUILD)/mutants/%/ring: $(BUILD)/mutants/%/module/ring.c \
		$(BUILD)/mutants/%/module/ring.h $(TEST_OUT)/host/ring.o
	$(CC) $(RING_FLAGS) -I$(BUILD)/mutants/$*/module $(TEST_OUT)/host/ring.o \
		$< -o $@ -lcmocka

# --- guest: claims about pipes, the device and the region ---------------------

KERNEL_TESTS := $(patsubst tests/kernel/%.c,%,\
	$(filter-out tests/kernel/harness.c,$(wildcard tests/kernel/*.c)))
GUEST_TESTS := $(KERNEL_TESTS:%=$(TEST_OUT)/kernel/%) $(TEST_OUT)/kernel/ioctl32 \
	$(TEST_OUT)/kernel/interleave $(TEST_OUT)/kernel/explore

$(TEST_OUT)/kernel/harness.o: tests/kernel/harness.c tests/kernel/harness.h \
		module/uapi/linux/ipcdemo.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -c $< -o $@

$(KERNEL_TESTS:%=$(TEST_OUT)/kernel/%): $(TEST_OUT)/kernel/%: tests/kernel/%.c \
		tests/kernel/harness.h $(TEST_OUT)/kernel/harness.o \
		module/uapi/linux/ipcdemo.h
	$(CC) $(CFLAGS) -D_GNU_SOURCE $< $(TEST_OUT)/kernel/harness.o -o $@ \
		-lcmocka -pthread

# A 32-bit program on a 64-bit kernel; static, so that it needs no 32-bit
# libraries where it runs.
$(TEST_OUT)/kernel/ioctl32: tests/kernel/ioctl.c tests/kernel/harness.c \
		tests/kernel/harness.h $(wildcard tests/kernel/m32/*) \
		module/uapi/linux/ipcdemo.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -m32 -static -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-Itests/kernel/m32 tests/kernel/ioctl.c tests/kernel/harness.c \
		tests/kernel/m32/cmocka.c -o $@

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
	$(CC) $(CFLAGS) -D_GNU_SOURCE -Imodule $(EXPLORE_SRC) -o $@

$(TEST_OUT)/kernel/explore: $(EXPLORE) tests/build.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s --tap --orders 1000\n' $(EXPLORE) > $@.new
	@chmod +x $@.new
	@mv $@.new $@

# --- guest: programs that the tests of the command run -------------------------

CLI_PROGRAMS := $(TEST_OUT)/cli/probe

$(TEST_OUT)/cli/probe: tests/cli/run/probe.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE $< -o $@ -pthread

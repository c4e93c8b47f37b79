# SPDX-License-Identifier: GPL-2.0
#
# The command ipcdemo, how it reaches the module (access.c, for the command
# alone), the library that `ipcdemo run` preloads, and the completion that the
# command prints.

ACCESS_SRC := userspace/access.c userspace/access_netlink.c
PRELOAD_SRC := userspace/preload.c
TEXTBOOK_SRC := userspace/textbook.c
CLI_SRC := $(filter-out $(ACCESS_SRC) $(PRELOAD_SRC) $(TEXTBOOK_SRC), \
	$(wildcard userspace/*.c))
USERSPACE_OBJ = $(patsubst userspace/%.c,$(BUILD)/userspace/%.o, \
	$(ACCESS_SRC) $(CLI_SRC))

$(USERSPACE_OBJ): $(BUILD)/userspace/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -MMD -MP -c -o $@ $<

$(BUILD)/userspace/watch_points.o: CFLAGS += $$(pkg-config --cflags libtracefs)

-include $(USERSPACE_OBJ:.o=.d)

$(BUILD)/libaccess.a: $(ACCESS_SRC:userspace/%.c=$(BUILD)/userspace/%.o)
	@rm -f $@
	$(call short,AR,$@)
	$(Q)$(AR) rcs $@ $^

# What a page of ipcdemo report holds besides the report.
PAGE_OBJ := $(BUILD)/userspace/report_page.o
PAGE_PARTS := $(addprefix userspace/,report.css report_page.css report.js)
$(PAGE_OBJ): $(PAGE_PARTS)
	@mkdir -p $(@D)
	$(call short,LD,$@)
	$(Q)ld -r -b binary -z noexecstack -o $@ $^

# The sentences of the points; tracefs.
$(BUILD)/userspace/report_svg.o: CFLAGS += -Imodule
$(BUILD)/userspace/record.o: CFLAGS += $$(pkg-config --cflags libtracefs)

$(BUILD)/ipcdemo: $(patsubst userspace/%.c,$(BUILD)/userspace/%.o,$(CLI_SRC)) \
		$(PAGE_OBJ) $(BUILD)/libaccess.a $(BUILD)/libipcdemo.a
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -ljson-c -lmnl -lncursesw -ltinfo \
		-ltracefs -ltraceevent

# What it exports is marked in the source; nothing of it may be found late.
$(BUILD)/libipcdemo-run.so: $(PRELOAD_SRC)
	@mkdir -p $(BUILD)/userspace
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -fPIC -fvisibility=hidden -shared \
		-Wl,-z,now -MMD -MP -MF $(BUILD)/userspace/preload.d -o $@ $<

-include $(BUILD)/userspace/preload.d

# The library: one set of objects, which both of its forms are made of.
LIB_OUT := $(BUILD)/userspace/lib
LIB_SRC := $(wildcard userspace/lib/*.c)
LIB_OBJ := $(LIB_SRC:userspace/lib/%.c=$(LIB_OUT)/%.o)
LIB_FLAGS = $(CFLAGS) -D_GNU_SOURCE
LIB_MAP := userspace/lib/libipcdemo.map

$(LIB_OBJ): $(LIB_OUT)/%.o: userspace/lib/%.c
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) $(LIB_FLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

-include $(LIB_OBJ:.o=.d)

$(BUILD)/libipcdemo.a: $(LIB_OBJ)
	@rm -f $@
	$(call short,AR,$@)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/libipcdemo.so.0: $(LIB_OBJ) $(LIB_MAP)
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-soname,$(@F) -Wl,-z,defs \
		-Wl,--version-script=$(LIB_MAP) -o $@ $(LIB_OBJ) -pthread

# The name that the linker looks for.
$(BUILD)/libipcdemo.so: $(BUILD)/libipcdemo.so.0
	$(Q)ln -sf $(<F) $@

$(BUILD)/libipcdemo.pc: userspace/lib/libipcdemo.pc.in module/uapi/linux/ipcdemo.h
	@mkdir -p $(@D)
	$(call short,GEN,$@)
	$(Q)sed "s/@VERSION@/$$(sed -n 's/^.define IPCDEMO_VERSION[^"]*"\(.*\)"/\1/p' \
		module/uapi/linux/ipcdemo.h)/" $< >$@

# As anybody would compile it.
$(BUILD)/textbook: $(TEXTBOOK_SRC)
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) -o $@ $<

$(BUILD)/ipcdemo.bash: $(BUILD)/ipcdemo
	$(call short,GEN,$@)
	$(Q)$(BUILD)/ipcdemo help --completion >$@

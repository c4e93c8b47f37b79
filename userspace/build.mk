# SPDX-License-Identifier: GPL-2.0
#
# The command ipcdemo, its library, and the completion that it prints.

LIB_SRC := userspace/libipcdemo.c
CLI_SRC := $(filter-out $(LIB_SRC),$(wildcard userspace/*.c))
USERSPACE_OBJ = $(patsubst userspace/%.c,$(BUILD)/userspace/%.o, \
	$(LIB_SRC) $(CLI_SRC))

$(USERSPACE_OBJ): $(BUILD)/userspace/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -MMD -MP -c -o $@ $<

-include $(USERSPACE_OBJ:.o=.d)

$(BUILD)/libipcdemo.a: $(BUILD)/userspace/libipcdemo.o
	@rm -f $@
	$(call short,AR,$@)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/ipcdemo: $(patsubst userspace/%.c,$(BUILD)/userspace/%.o,$(CLI_SRC)) \
		$(BUILD)/libipcdemo.a
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -ljson-c

$(BUILD)/ipcdemo.bash: $(BUILD)/ipcdemo
	$(call short,GEN,$@)
	$(Q)$(BUILD)/ipcdemo help --completion >$@

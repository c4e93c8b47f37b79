# SPDX-License-Identifier: GPL-2.0
#
# The command ipcdemo, how it reaches the module (access.c, for the command
# alone), the library that `ipcdemo run` preloads, and the completion that the
# command prints.

ACCESS_SRC := userspace/access.c
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

-include $(USERSPACE_OBJ:.o=.d)

$(BUILD)/libaccess.a: $(BUILD)/userspace/access.o
	@rm -f $@
	$(call short,AR,$@)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/ipcdemo: $(patsubst userspace/%.c,$(BUILD)/userspace/%.o,$(CLI_SRC)) \
		$(BUILD)/libaccess.a
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -ljson-c -lncursesw -ltinfo

# What it exports is marked in the source; nothing of it may be found late.
$(BUILD)/libipcdemo-run.so: $(PRELOAD_SRC)
	@mkdir -p $(BUILD)/userspace
	$(call short,LD,$@)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -fPIC -fvisibility=hidden -shared \
		-Wl,-z,now -MMD -MP -MF $(BUILD)/userspace/preload.d -o $@ $<

-include $(BUILD)/userspace/preload.d

# As anybody would compile it.
$(BUILD)/textbook: $(TEXTBOOK_SRC)
	@mkdir -p $(@D)
	$(call short,CC,$<)
	$(Q)$(CC) -o $@ $<

$(BUILD)/ipcdemo.bash: $(BUILD)/ipcdemo
	$(call short,GEN,$@)
	$(Q)$(BUILD)/ipcdemo help --completion >$@

# SPDX-License-Identifier: GPL-2.0
#
# What tests/compat/jobserver has make build: 32 jobs that wait for each other,
# so that they have to run at once, then 4 makes with 20 jobs each below this
# one, and then a look at the jobserver, when only that job runs.

top := $(abspath $(firstword $(MAKEFILE_LIST)))
barrier := $(addprefix at-once.,$(shell seq 32))
groups := $(addprefix group.,$(shell seq 4))
jobs := $(addprefix job.$(GROUP).,$(shell seq 20))

.PHONY: all group interrupted fails $(barrier) $(groups) $(jobs) good bad
all: $(groups)
	+@$(HERE)/jobserver-tokens $(filter --jobserver%,$(MAKEFLAGS)) >tokens

$(groups): $(barrier)
	+@$(MAKE) --no-print-directory -f $(top) GROUP=$(@:group.%=%) group

group: $(jobs)

# The last one to come lets all go; who waits for too long says so by its absence.
$(barrier):
	@: >here.$@; \
	set -- here.*; \
	[ $$# != 32 ] || : >all-here; \
	n=0; \
	until [ -e all-here ]; do \
		n=$$((n + 1)); [ $$n -lt 200 ] || exit 1; sleep 0.5; \
	done

# Each says how many it saw at work.
$(jobs):
	@: >works.$@; \
	set -- works.*; \
	echo $$# >saw.$@; \
	echo $@ >built.$@; \
	rm works.$@

# One job fails, and its neighbours do not.
fails: bad good
good:
	@echo good >good
bad:
	@exit 3

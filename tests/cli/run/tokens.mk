# SPDX-License-Identifier: GPL-2.0
#
# What tests/cli/why.bats has make -j3 do: a job takes both tokens of the jobserver,
# gives back what BACK says, and ends. Then another one touches READY and stays.

auth = $(patsubst --jobserver-auth=%,%,$(filter --jobserver-auth=%,$(MAKEFLAGS)))

.PHONY: all takes
all: takes
	@: >$(READY); exec sleep 1000
takes:
	+@auth=$(auth); bash -c \
		"read -rN 2 -u $${auth%,*} tokens; printf '$(BACK)' >&$${auth#*,}"

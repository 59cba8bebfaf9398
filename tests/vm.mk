# SPDX-License-Identifier: GPL-2.0-or-later
# make check-vm              the kernel suites on Debian's kernels, in virtual machines; see tests/README.md
# Included by the top Makefile.

# To kill at every system call, or have it fail, thousands of rules again and again, and commands amid a flood of processes
# take too long where each instruction is emulated.
VM_WITHOUT  := kill faults gapless writers exhausted attack_admin
VM_TESTS    := $(filter-out $(VM_WITHOUT:%=$(BUILD)/tests/kernel/test_%),$(KERNEL))
VM_PROGRAMS := $(BUILD)/bindctl $(KERNEL_HELPERS) $(VM_TESTS) $(wildcard tests/kernel/schema-3/*)

.PHONY: check-vm vm-deps vm-run

vm-deps:
	@scripts/setup --build --test --vm

check-vm: vm-deps
	@$(MAKE) --no-print-directory vm-run

vm-run: $(VM_PROGRAMS)
	@VM_DIR=$(abspath $(BUILD)/vm) VM_PROGRAMS='$(abspath $(VM_PROGRAMS))' tests/run tests/vm/run

# SPDX-License-Identifier: GPL-2.0-or-later
# The test suites; included by the top Makefile. tests/README.md says what each needs.

# Unit tests link the library's base, pure and host parts, built once more with the sanitizers.
SAN := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_SRC := $(wildcard user/lib/base/*.c user/lib/pure/*.c user/lib/host/*.c)
SAN_OBJ := $(SAN_SRC:%.c=$(BUILD)/san/%.o)
UNIT := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))

KERNEL := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/kernel/test_*.c))
KERNEL_BED := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/kernel/test_%,$(wildcard tests/kernel/*.c)))
# A bindctl whose programs mean the same in other instructions: what an upgrade replaces, and is replaced by.
OTHER := $(BUILD)/tests/other
KERNEL_HELPERS := $(BUILD)/tests/kernel/static_bind $(OTHER)/other_bindctl

# Fuzzers need clang, and the library's base and pure parts built once more, with coverage. Unlike gcc, clang warns of a
# format that a static function hands on.
FUZZ_SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-Wno-format-nonliteral
FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIB := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(wildcard user/lib/base/*.c user/lib/pure/*.c))
FUZZ_SECONDS ?= 60
# Of the node agent what reads an API server's replies.
FUZZ_AGENT := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(filter-out %/kubeconfig.c,$(wildcard user/agent/api/*.c)))

# What test programs are told: absolute paths.
TEST_ENV := BINDCTL=$(abspath $(BUILD)/bindctl) STATIC_BIND=$(abspath $(BUILD)/tests/kernel/static_bind) \
	FUZZ_DIR=$(abspath $(BUILD)/fuzz) SCHEMA_3=$(abspath tests/kernel/schema-3) \
	OTHER_BINDCTL=$(abspath $(OTHER)/other_bindctl) BINDCTL_AGENT=$(abspath $(BUILD)/bindctl-agent) \
	WATCHER=$(abspath $(BUILD)/tests/k8s/watcher)

$(BUILD)/san/%.o: %.c Makefile tests/tests.mk | $(SKEL)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SAN) -MMD -MP -c -o $@ $<

$(BUILD)/san/libbindctl.a: $(SAN_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/tests/unit/%: $(BUILD)/san/tests/unit/%.o $(BUILD)/san/libbindctl.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -o $@ $^ -lcmocka -lsystemd -lmnl

$(BUILD)/tests/kernel/%.o: tests/kernel/%.c Makefile tests/tests.mk | $(SKEL)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests/kernel $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/tests/kernel/static_bind: tests/kernel/helpers/static_bind.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -static -o $@ $<

$(OTHER)/bindctl.bpf.o: bpf/bindctl.bpf.c Makefile tests/tests.mk
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -O1 -MMD -MP -c -o $@ $<

$(OTHER)/bindctl.skel.h: $(OTHER)/bindctl.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name bindctl_bpf > $@

# The one file that has the programs in it; what else there is comes from the library.
$(OTHER)/programs.o: user/lib/kernel/programs.c $(OTHER)/bindctl.skel.h
	$(call say,CC,$@)
	$(Q)$(CC) -I$(OTHER) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(HARDEN) -MMD -MP -c -o $@ $<

$(OTHER)/other_bindctl: $(CMD_OBJ) $(OTHER)/programs.o $(BUILD)/libbindctl.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(HARDEN) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/tests/kernel/test_%: $(BUILD)/tests/kernel/test_%.o $(KERNEL_BED) $(BUILD)/libbindctl.a
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(LIBS) -lcmocka -luring -lpthread

$(BUILD)/fuzz/%.o: %.c Makefile tests/tests.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(FUZZ_SAN) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(FUZZ_LIB)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)

$(BUILD)/fuzz/fuzz_reply: $(BUILD)/fuzz/tests/fuzz/fuzz_reply.o $(FUZZ_AGENT) $(FUZZ_LIB)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_SAN) -fsanitize=fuzzer -o $@ $^ -lcurl -ljson-c

.SECONDARY:
.PHONY: build-tests check-layers check-unit check-cli check-old check-kernel check-fuzz check-tree fuzz
.PHONY: check-guards check-guards-unit check-guards-bind

# Many tests make mount and user namespaces of their own, which the kernel gives to nobody in a chroot.
check-deps:
	@scripts/setup --build --test
	@unshare --mount --user true 2>/dev/null || { echo "make check: cannot make a mount and a user namespace:" \
		"run it as root, and in a container or after pivot_root(8) rather than in a chroot" >&2; exit 1; }

# What a machine can see in the sources.
check-tree:
	@scripts/check-layers
	@scripts/check-sizes
	@if command -v mandoc >/dev/null; then mandoc -T lint -W warning user/man/*.[578]; \
	else echo "check-tree: no mandoc: SKIPPED the manual" >&2; fi

# All that the suites need, and nothing run.
build-tests: $(BUILD)/bindctl $(UNIT) $(FUZZ) $(KERNEL) $(KERNEL_HELPERS)

check-layers:
	@tests/run tests/layers/run

check-unit: $(UNIT)
	@tests/run $^

check-cli: $(BUILD)/bindctl $(BUILD)/bindctl-agent
	@$(TEST_ENV) tests/run tests/cli/run

# What the manual says of the old ways to a low port.
check-old: $(BUILD)/bindctl $(KERNEL_HELPERS)
	@$(TEST_ENV) tests/run tests/old/run

# Takes the guards out of a copy one by one, and wants to see red.
check-guards: all
	@tests/run tests/guards/run

# The same, in two parts that may run side by side: of the guards that unit tests see, and of the others.
check-guards-unit check-guards-bind: check-guards-%: all
	@GUARDS_SEEN_BY=$* tests/run tests/guards/run

check-kernel: $(BUILD)/bindctl $(KERNEL) $(KERNEL_HELPERS)
	@$(TEST_ENV) tests/run $(KERNEL)

# Every input of the corpora once: what was found stays found.
check-fuzz: $(FUZZ)
	@$(TEST_ENV) tests/run tests/fuzz/run

# Looks for more, all fuzzers side by side.
fuzz: $(FUZZ)
	@$(TEST_ENV) tests/fuzz/run --seconds $(FUZZ_SECONDS)

# For a make below: on all processors, unless this one was told how many.
EVERY_CPU = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

check: check-deps
	@$(MAKE) --no-print-directory $(EVERY_CPU) check-analysis
	@$(MAKE) --no-print-directory check-tree
	@$(MAKE) --no-print-directory $(EVERY_CPU) all build-tests
	@$(TEST_ENV) tests/run tests/layers/run $(UNIT) $(AGENT_UNIT) tests/fuzz/run tests/cli/run tests/old/run $(KERNEL) $(AGENT_SUITES)

-include $(OTHER)/programs.d $(OTHER)/bindctl.bpf.d
-include $(SAN_OBJ:.o=.d) $(UNIT:$(BUILD)/%=$(BUILD)/san/%.d) $(KERNEL:=.d) $(KERNEL_BED:.o=.d)
-include $(FUZZ_LIB:.o=.d) $(FUZZ_AGENT:.o=.d) $(FUZZ:$(BUILD)/fuzz/%=$(BUILD)/fuzz/tests/fuzz/%.d)

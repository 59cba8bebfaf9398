# SPDX-License-Identifier: GPL-2.0-or-later
# The tests of the node agent: tests/k8s/unit, which need nothing; the watch client before an API server that has faults;
# tests/k8s/enforce, which bind for real, and tests/k8s/ops and port, the program as a whole (all as root); tests/k8s/manifests,
# which looks at user/kubernetes alone. Included by the top Makefile, after tests.mk.

# The agent but for its main(), built once more with the sanitizers.
AGENT_SAN := $(patsubst %.c,$(BUILD)/san/%.o,$(filter-out user/agent/main.c,$(AGENT_SRC)))
AGENT_UNIT := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/k8s/unit/test_*.c))

# The agent but for its main(), under the kernel suites' bed.
AGENT_REST := $(filter-out $(BUILD)/user/agent/main.o,$(AGENT_OBJ))
ENFORCE := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/k8s/enforce/test_*.c))
ENFORCE_BED := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/k8s/enforce/test_%,$(wildcard tests/k8s/enforce/*.c)))

# What of it has values in and values out; a fuzzer tells it of a cluster.
AGENT_FUZZ := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(wildcard user/agent/intent/*.c))
$(BUILD)/fuzz/fuzz_objects: FUZZ_LIBS := -ljson-c
$(BUILD)/fuzz/fuzz_objects: $(AGENT_FUZZ)

# Of make check, beside the unit tests.
AGENT_SUITES := tests/k8s/manifests tests/k8s/test_server tests/k8s/faults tests/k8s/ops tests/k8s/port $(ENFORCE)
build-tests: $(BUILD)/bindctl-agent $(AGENT_UNIT) $(BUILD)/tests/k8s/watcher $(ENFORCE)

.PHONY: check-agent check-faults check-ops check-enforce check-manifests

$(BUILD)/san/libagent.a: $(AGENT_SAN)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/tests/k8s/unit/%: $(BUILD)/san/tests/k8s/unit/%.o $(BUILD)/san/libagent.a $(BUILD)/san/libbindctl.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -o $@ $^ -lcmocka $(LIBS) $(AGENT_LIBS)

# Reflectors by themselves, which the tests of faults look at; with the sanitizers.
$(BUILD)/tests/k8s/watcher: $(BUILD)/san/tests/k8s/watcher.o $(BUILD)/san/tests/k8s/lines.o $(BUILD)/san/libagent.a $(BUILD)/san/libbindctl.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -o $@ $^ $(LIBS) $(AGENT_LIBS)

check-agent: $(AGENT_UNIT)
	@tests/run $^

check-faults: $(BUILD)/tests/k8s/watcher
	@$(TEST_ENV) tests/run tests/k8s/test_server tests/k8s/faults

# The agent's binary as an operator sees it.
check-ops: $(BUILD)/bindctl $(BUILD)/bindctl-agent
	@$(TEST_ENV) tests/run tests/k8s/ops tests/k8s/port

$(BUILD)/libagent.a: $(AGENT_REST)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/tests/k8s/enforce/%.o: tests/k8s/enforce/%.c Makefile tests/k8s.mk | $(SKEL)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests/kernel $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/tests/k8s/enforce/test_%: $(BUILD)/tests/k8s/enforce/test_%.o $(ENFORCE_BED) $(KERNEL_BED) \
		$(BUILD)/libagent.a $(BUILD)/libbindctl.a
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(LIBS) $(AGENT_LIBS) -lcmocka -lpthread

check-enforce: $(BUILD)/bindctl $(ENFORCE)
	@$(TEST_ENV) tests/run $(ENFORCE)

# What user/kubernetes promises, as far as its text shows it.
check-manifests:
	@tests/run tests/k8s/manifests

-include $(AGENT_FUZZ:.o=.d) $(AGENT_SAN:.o=.d) $(BUILD)/san/tests/k8s/watcher.d $(BUILD)/san/tests/k8s/lines.d \
	$(AGENT_UNIT:$(BUILD)/%=$(BUILD)/san/%.d)
-include $(ENFORCE:=.d) $(ENFORCE_BED:.o=.d)

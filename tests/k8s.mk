# SPDX-License-Identifier: GPL-2.0-or-later
# The tests of the node agent: tests/k8s/unit, which need nothing, and the watch client before an API server that has
# faults. Included by the top Makefile, after tests.mk.

# The agent but for its main(), built once more with the sanitizers.
AGENT_SAN := $(patsubst %.c,$(BUILD)/san/%.o,$(filter-out user/agent/main.c,$(AGENT_SRC)))
AGENT_UNIT := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/k8s/unit/test_*.c))

.PHONY: check-agent check-faults

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
	@WATCHER=$< tests/run tests/k8s/test_server tests/k8s/faults

-include $(AGENT_SAN:.o=.d) $(BUILD)/san/tests/k8s/watcher.d $(BUILD)/san/tests/k8s/lines.d \
	$(AGENT_UNIT:$(BUILD)/%=$(BUILD)/san/%.d)

# SPDX-License-Identifier: GPL-2.0-or-later
# The tests of the node agent: tests/k8s/unit, which need nothing. Included by the top Makefile, after tests.mk.

# The agent but for its main(), built once more with the sanitizers.
AGENT_SAN := $(patsubst %.c,$(BUILD)/san/%.o,$(filter-out user/agent/main.c,$(AGENT_SRC)))
AGENT_UNIT := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/k8s/unit/test_*.c))

# What of it has values in and values out; a fuzzer tells it of a cluster.
AGENT_PURE := claim column field finding gather intent labels pod podpath policies ports rules selector settle state write
AGENT_FUZZ := $(AGENT_PURE:%=$(BUILD)/fuzz/user/agent/%.o)
$(BUILD)/fuzz/fuzz_objects: FUZZ_LIBS := -ljson-c
$(BUILD)/fuzz/fuzz_objects: $(AGENT_FUZZ)

.PHONY: check-agent

$(BUILD)/san/libagent.a: $(AGENT_SAN)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/tests/k8s/unit/%: $(BUILD)/san/tests/k8s/unit/%.o $(BUILD)/san/libagent.a $(BUILD)/san/libbindctl.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) -o $@ $^ -lcmocka $(LIBS) $(AGENT_LIBS)

check-agent: $(AGENT_UNIT)
	@tests/run $^

-include $(AGENT_FUZZ:.o=.d) $(AGENT_SAN:.o=.d) $(AGENT_UNIT:$(BUILD)/%=$(BUILD)/san/%.d)

# SPDX-License-Identifier: GPL-2.0-or-later
# make check-agent      the node agent's modules; needs nothing
# make check-manifests  what user/kubernetes promises; wants python3 with jsonschema and yaml
# make check-k8s        the agent with Debian's own API server, which is compiled the first time (as root)
# make check-churn      the same for ten minutes of changes, while the API server is killed again and again (as root)
# Included by the top Makefile, after tests.mk.

# The agent but for its main(), built once more with the sanitizers.
AGENT_SAN := $(patsubst %.c,$(BUILD)/san/%.o,$(filter-out user/agent/main.c,$(AGENT_SRC)))
AGENT_UNIT := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/k8s/unit/test_*.c))

# A container's process.
K8S_POD := $(BUILD)/tests/k8s/pod

.PHONY: check-agent check-manifests check-k8s check-churn k8s-deps k8s-run churn-run

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

$(K8S_POD): tests/k8s/pod.c Makefile tests/k8s.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -static -o $@ $<

# The API server is made before the tests, whose words are shown only at their end.
k8s-deps:
	@scripts/setup --build --k8s
	@tests/k8s/apiserver >/dev/null

check-k8s: k8s-deps
	@$(MAKE) --no-print-directory k8s-run

check-churn: k8s-deps
	@$(MAKE) --no-print-directory churn-run

k8s-run: $(BUILD)/bindctl $(BUILD)/bindctl-agent $(K8S_POD)
	@BINDCTL_BUILD=$(abspath $(BUILD)) BINDCTL_CHURN_SECONDS=$${BINDCTL_CHURN_SECONDS:-75} \
		tests/run tests/k8s/run tests/k8s/churn

churn-run: $(BUILD)/bindctl $(BUILD)/bindctl-agent $(K8S_POD)
	@BINDCTL_BUILD=$(abspath $(BUILD)) tests/run tests/k8s/churn

# What user/kubernetes promises, as far as its text shows it.
check-manifests:
	@tests/run tests/k8s/manifests

-include $(AGENT_SAN:.o=.d) $(AGENT_UNIT:$(BUILD)/%=$(BUILD)/san/%.d)

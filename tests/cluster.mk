# SPDX-License-Identifier: GPL-2.0-or-later
# make check-k8s     the agent with Debian's own API server, which is compiled the first time (as root)
# make check-churn   the same for ten minutes of changes, while the API server is killed again and again (as root)
# make bench-agent   what the agent takes on a node of 250 pods in a cluster of 1,000 policies (as root)
# Included by the top Makefile, after k8s.mk.

# A container's process.
K8S_POD := $(BUILD)/tests/k8s/pod

.PHONY: check-k8s check-churn bench-agent cluster-deps cluster-run churn-run

$(K8S_POD): tests/k8s/pod.c Makefile tests/cluster.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -static -o $@ $<

# The API server is made before the tests, whose words are shown only at their end.
cluster-deps:
	@scripts/setup --build --k8s
	@tests/k8s/apiserver >/dev/null

check-k8s: cluster-deps
	@$(MAKE) --no-print-directory cluster-run

check-churn: cluster-deps
	@$(MAKE) --no-print-directory churn-run

# A minute of changes; the figures are in its comments. A pod is one of 25 of its namespace, and has some three policies.
bench-agent: cluster-deps
	@BINDCTL_CHURN_POLICIES=1000 BINDCTL_CHURN_APPS=25 BINDCTL_CHURN_SECONDS=60 $(MAKE) --no-print-directory churn-run

cluster-run: $(BUILD)/bindctl $(BUILD)/bindctl-agent $(K8S_POD)
	@BINDCTL_BUILD=$(abspath $(BUILD)) BINDCTL_CHURN_SECONDS=$${BINDCTL_CHURN_SECONDS:-75} \
		tests/run tests/k8s/run tests/k8s/churn

churn-run: $(BUILD)/bindctl $(BUILD)/bindctl-agent $(K8S_POD)
	@BINDCTL_BUILD=$(abspath $(BUILD)) tests/run tests/k8s/churn

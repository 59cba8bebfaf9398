// SPDX-License-Identifier: GPL-2.0-or-later
/* intent: what it does with too much, and with what is wrong. */
#include <time.h>

#include "cluster.h"

static void bad_objects_are_named_and_the_others_stay(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "good", "", GRANT("443")));
	set(state, STATE_BIND_POLICY, POLICY("web", "action", "", "{'action': 'grant\\nall', 'ports': [1]}"));
	set(state, STATE_BIND_POLICY, POLICY("web", "range", "", GRANT("'9-8'")));
	set(state, STATE_BIND_POLICY,
	    POLICY("web", "nothing",
		   "'matchLabels': {'a': 'b'}, 'matchExpressions': [{'key': 'a', "
		   "'operator': 'DoesNotExist'}]",
		   GRANT("1")));
	set(state, STATE_BIND_POLICY, POLICY("web", "label", "'matchLabels': {'a': '\\n grant port any'}", GRANT("1")));
	set(state, STATE_BIND_POLICY, POLICY("web", "x\\ngrant port any", "", GRANT("1")));
	set(state, STATE_BIND_POLICY, POLICY("web", "\xff\xfe", "", GRANT("1")));
	set(state, STATE_BIND_POLICY, "{'metadata': {'namespace': 'web', 'name': 'nul\\u0000'}, 'spec': {}}");
	set(state, STATE_BIND_POLICY, "{'metadata': {'namespace': 'web', 'name': 'type'}, 'spec': 'Deny'}");
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'ceiling': [{'ports': [443]}], 'allowHostNetwork': true"));
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'ceiling': [{'ports': [443, 0]}]"));
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("never", "'podSelector': {'matchLabels': {'app': 'none'}}, "
			     "'rules': [{'action': 'Allow', 'ports': ['any']}]"));
	set(state, STATE_NAMESPACE, NAMESPACE("odd", "'a': 1"));
	set(state, STATE_POD,
	    "{'metadata': {'namespace': 'web', 'name': 'slash', 'uid': '../../../'}, 'spec': {'nodeName': 'n1'}}");
	state_lost(state, STATE_POD);
	make(state, &cluster_config, &made);
#define REJECTED(kind, ns, name, text) assert_finding(&made.findings, FINDING_REJECTED, kind, ns, name, text)
	REJECTED("BindPolicy", "web", "action", "spec.rules[0].action: 'grant\\x0aall' is not Grant");
	REJECTED("BindPolicy", "web", "range", "spec.rules[0].ports[0]: the port range 9-8 runs backwards");
	REJECTED("BindPolicy", "web", "nothing", "spec.podSelector: selects nothing");
	REJECTED("BindPolicy", "web", "label", "spec.podSelector.matchLabels: '\\x0a grant port any' is not");
	REJECTED("BindPolicy", "web", "x\\x0agrant port any", "metadata.name: 'x\\x0agrant port any' is not a name");
	REJECTED("BindPolicy", "web", "\\xff\\xfe", "metadata.name: '\\xff\\xfe' is not a name");
	REJECTED("BindPolicy", "web", "?", "metadata.name: has a NUL in it");
	REJECTED("BindPolicy", "web", "type", "spec: is a string, not an object");
	REJECTED("ClusterBindPolicy", "", "c", "matched by 'any' alone; its last readable version stays in force");
	REJECTED("ClusterBindPolicy", "", "never", "spec.rules[0].action: 'Allow' is not Deny");
	REJECTED("Namespace", "", "odd", "metadata.labels: is a whole number, not a string");
	REJECTED("Pod", "web", "slash", "metadata.uid: '../../../' is not a uid");
	REJECTED("Pod", "", "?", "1 more of this kind cannot be read, not even their names");
	assert_int_equal(made.findings.n, 13);
	assert_int_equal(rejected(state, STATE_BIND_POLICY), 8);
	assert_int_equal(state_count(state, STATE_BIND_POLICY), 9);
	assert_verdict(&made, bind_of(P1, false, 443), BC_GRANT);
	assert_verdict(&made, bind_of(P2, true, 443), BC_GRANT);
	assert_verdict(&made, bind_of(P1, false, 1), BC_NONE);
	assert_verdict(&made, bind_of(NULL, true, 1), BC_NONE);
	for (size_t i = 0; i < made.policy.n; i++)
		assert_int_equal(made.policy.ranges[made.policy.rules[i].ranges].first, 443);
	state_free(state);
}

/* Rules that overlap in every way are too many long before they are a gigabyte of text. */
static void too_many_rules_are_cut_off_and_denies_stay(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set_overlapping_policies(state, "web", 200);
	set(state, STATE_BIND_POLICY, POLICY("web", "a", "", DENY("80")));
	set(state, STATE_BIND_POLICY, POLICY("dns", "b", "", GRANT("443")));
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': [22]}]"));
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 80), BC_DENY);
	assert_verdict(&made, bind_of(P1, false, 22), BC_DENY);
	assert_verdict(&made, bind_of(PATH_OF(3), false, 443), BC_GRANT);
	assert_finding(&made.findings, FINDING_WARNING, "BindPolicy", "web", "p100", "this one is left out");
	assert_finding(&made.findings, FINDING_WARNING, "Pod", "web", "edge",
		       "in force is only what they and the cluster's deny");
	print_message("# %zu bytes of text\n", made.text.len);
	assert_true(made.text.len < 1000000);
	state_free(state);
}

/* Five ClusterBindPolicies of 1024 pairs each, `audits` of which only report, and come first. */
static void set_wide_cluster_policies(struct state *state, int audits)
{
	_cleanup_(bc_text_done) struct bc_text rules = {};

	for (int k = 0; k < 64; k++) {
		bc_text_addf(&rules, "%s{'action': 'Deny', 'ports': [%d], 'addresses': [", k ? ", " : "", 1000 + k);
		for (int a = 0; a < 16; a++)
			bc_text_addf(&rules, "%s'10.0.%d.0/24'", a ? ", " : "", a);
		bc_text_addf(&rules, "]}");
	}
	for (int i = 0; i < 5; i++)
		setf(state, STATE_CLUSTER_POLICY,
		     "{'metadata': {'name': 'c%d'}, 'spec': {'mode': '%s', 'rules': [%s]}}", i,
		     i < audits ? "Audit" : "Enforce", rules.data);
}

static void cluster_denies_that_are_too_many_deny_all(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set(state, STATE_CLUSTER_POLICY, CLUSTER("a", "'rules': [{'action': 'Deny', 'ports': [22]}], 'mode': 'Audit'"));
	set_wide_cluster_policies(state, 0);
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 9), BC_DENY);
	assert_finding(&made.findings, FINDING_WARNING, "ClusterBindPolicy", "", "c4", "it is denied all");
	assert_contains(made.text.data, "deny cgroup " P1 " port any netns any # ClusterBindPolicy c4\n");
	state_free(state);
}

/* What only reports is not to refuse because there is much of it. */
static void cluster_audits_that_are_too_many_deny_nothing(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set_wide_cluster_policies(state, 5);
	set(state, STATE_CLUSTER_POLICY, CLUSTER("d", "'rules': [{'action': 'Deny', 'ports': [22]}]"));
	set(state, STATE_BIND_POLICY, POLICY("dns", "b", "", GRANT("443")));
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 9), BC_NONE);
	assert_verdict(&made, bind_of(P1, false, 22), BC_DENY);
	assert_verdict(&made, bind_of(PATH_OF(3), false, 443), BC_GRANT);
	assert_finding(&made.findings, FINDING_WARNING, "ClusterBindPolicy", "", "c4",
		       "is Audit, and with its rules the ClusterBindPolicies have more than 4096 pairs");
	made_done(&made);
	made = (struct made){};
	/* Nor are the others fewer by it. */
	set_wide_cluster_policies(state, 2);
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 9), BC_NONE);
	assert_verdict(&made, bind_of(P1, false, 22), BC_DENY);
	state_free(state);
}

/* A pair is work, whether anything is left of it or not. */
static void rules_that_give_nothing_count_like_others(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(bc_text_done) struct bc_text rule = {};
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	bc_text_addf(&rule, "{'action': 'Grant', 'ports': [");
	for (int i = 0; i < 64; i++)
		bc_text_addf(&rule, "%s%d", i ? ", " : "", 1000 + 2 * i);
	bc_text_addf(&rule, "], 'addresses': [");
	for (int i = 0; i < 16; i++)
		bc_text_addf(&rule, "%s'10.0.%d.0/24'", i ? ", " : "", i);
	for (int i = 0; i < 5; i++)
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': 'web', 'name': 'p%d'}, 'spec': {'podSelector': {}, 'mode': 'Audit', "
		     "'rules': [%s]}]}}",
		     i, rule.data);
	set(state, STATE_BIND_POLICY, POLICY("web", "q", "", GRANT("443")));
	make(state, &cluster_config, &made);
	assert_finding(&made.findings, FINDING_NOTE, "BindPolicy", "web", "p3", "gives nothing yet");
	assert_finding(&made.findings, FINDING_WARNING, "BindPolicy", "web", "p4", "this one is left out");
	assert_finding(&made.findings, FINDING_WARNING, "BindPolicy", "web", "q", "this one is left out");
	assert_verdict(&made, bind_of(P1, false, 443), BC_NONE);
	state_free(state);
}

/* What does not overlap, but is long. */
static void too_long_rules_are_cut_off_and_the_clusters_stay(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set_long_policies(state, "web", 16);
	set(state, STATE_BIND_POLICY, POLICY("dns", "b", "", GRANT("443")));
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': [22]}]"));
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 22), BC_DENY);
	assert_verdict(&made, bind_of(PATH_OF(3), false, 443), BC_GRANT);
	assert_finding(&made.findings, FINDING_WARNING, "Pod", "web", "edge",
		       "in force is only what the cluster's deny");
	print_message("# %zu bytes of text\n", made.text.len);
	assert_true(made.text.len < 10000);
	state_free(state);
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* 25 namespaces of 10 pods and 40 policies each, 4 of which select a pod. */
static struct state *large_cluster(void)
{
	struct state *state = state_new();

	for (int n = 0; n < 25; n++) {
		setf(state, STATE_NAMESPACE, "{'metadata': {'name': 'n%d', 'labels': {'team': 't%d'}}}", n, n % 5);
		for (int p = 0; p < 10; p++)
			setf(state, STATE_POD,
			     "{'metadata': {'namespace': 'n%d', 'name': 'p%d', 'uid': '00000000-0000-4000-8000-%012d', "
			     "'labels': {'app': 'a%d', 'tier': 'front', 'pod-template-hash': 'abcdef'}}, 'spec': "
			     "{'nodeName': "
			     "'n1', 'hostNetwork': %s}, 'status': {'qosClass': 'Burstable', 'phase': 'Running'}}",
			     n, p, n * 10 + p, p, p % 4 ? "false" : "true");
		for (int b = 0; b < 40; b++)
			setf(state, STATE_BIND_POLICY,
			     "{'metadata': {'namespace': 'n%d', 'name': 'b%d'}, 'spec': {'podSelector': "
			     "{'matchLabels': "
			     "{'app': 'a%d'}}, 'rules': [{'action': 'Grant', 'protocol': 'TCP', 'ports': [%d, "
			     "'%d-%d']}, "
			     "{'action': 'Deny', 'ports': ['1-1023']}]}}",
			     n, b, b % 10, 80 + b, 8000 + b, 8100 + b);
	}
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("a", "'ceiling': [{'ports': ['1-9000']}], 'allowHostNetwork': true, 'rules': [{'action': 'Deny', "
			 "'ports': "
			 "['100-110', 22]}]"));
	return state;
}

static void node_of_250_pods_takes_no_time(void **unused)
{
	struct state *state = large_cluster();
	_cleanup_(made_done) struct made made = {};
	double before = milliseconds(), after;

	(void)unused;
	assert_int_equal(intent_make(state, &cluster_config, &made.text, &made.findings, &made.counts, NULL), 0);
	after = milliseconds();
	print_message("# 250 pods, 1000 policies: %.1f ms with the sanitizers, %zu rules, %zu bytes\n", after - before,
		      made.counts.rules, made.text.len);
	assert_int_equal(made.counts.pods, 250);
	assert_int_equal(made.counts.pods_ruled, 250);
	state_free(state);
}

static void config_that_is_none_is_refused(void **unused)
{
	const struct intent_config config = { NODE, { "kubelet", PODPATH_CGROUPFS } };
	struct state *state = small_cluster();
	struct made made = {};
	struct bc_error error = {};

	(void)unused;
	assert_int_equal(intent_make(state, &config, &made.text, &made.findings, &made.counts, &error), -EINVAL);
	assert_contains(error.text, "begins with /");
	assert_null(made.text.data);
	state_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_objects_are_named_and_the_others_stay),
		cmocka_unit_test(too_many_rules_are_cut_off_and_denies_stay),
		cmocka_unit_test(cluster_denies_that_are_too_many_deny_all),
		cmocka_unit_test(cluster_audits_that_are_too_many_deny_nothing),
		cmocka_unit_test(rules_that_give_nothing_count_like_others),
		cmocka_unit_test(too_long_rules_are_cut_off_and_the_clusters_stay),
		cmocka_unit_test(node_of_250_pods_takes_no_time),
		cmocka_unit_test(config_that_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("intent_limits", tests, NULL, NULL);
}

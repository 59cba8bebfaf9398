// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may write objects in one namespace, and wants to be all that the agent has time, room and words for. */
#include <time.h>
#include <unistd.h>

#include "cluster.h"

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* Rejected by the thousand, each a finding; named so that they come first by any order. */
static void two_thousand_bad_policies_hide_nobody_elses(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set(state, STATE_NAMESPACE, NAMESPACE("aaa", ""));
	for (int i = 0; i < 2000; i++)
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': 'aaa', 'name': 'a%d'}, 'spec': {'podSelector': {}, 'rules': "
		     "[{'action': "
		     "'Grant', 'ports': ['9-%d']}]}}",
		     i, i % 8 + 1);
	set(state, STATE_BIND_POLICY, POLICY("web", "bad", "", GRANT("'9-8'")));
	set(state, STATE_CLUSTER_POLICY, CLUSTER("bad", "'rules': [{'action': 'Deny', 'ports': [0]}]"));
	set(state, STATE_POD,
	    "{'metadata': {'namespace': 'dns', 'name': 'bad', 'uid': ''}, 'spec': {'nodeName': 'n1'}}");
	make(state, &cluster_config, &made);
	assert_finding(&made.findings, FINDING_REJECTED, "BindPolicy", "aaa", "a0", "runs backwards");
	assert_finding(&made.findings, FINDING_REJECTED, "BindPolicy", "web", "bad", "runs backwards");
	assert_finding(&made.findings, FINDING_REJECTED, "ClusterBindPolicy", "", "bad", "port 0");
	assert_finding(&made.findings, FINDING_REJECTED, "Pod", "dns", "bad", "uid");
	/* What is not told is counted, so that the numbers do not lie. */
	assert_int_equal(made.findings.n + made.findings.dropped, 2003);
	assert_int_equal(made.counts.rejected, 2003);
	state_free(state);
}

/* A hundred pods of the namespace aaa on the node; `spec` is what else theirs has. */
static void set_hundred_pods(struct state *state, const char *spec)
{
	set(state, STATE_NAMESPACE, NAMESPACE("aaa", ""));
	for (int i = 0; i < 100; i++)
		setf(state, STATE_POD,
		     "{'metadata': {'namespace': 'aaa', 'name': 'a%d', 'uid': '00000000-0000-3000-8000-%012d'}, "
		     "'spec': {'nodeName': 'n1'%s}, 'status': {'qosClass': 'Guaranteed'}}",
		     i, i, spec);
}

/* The agent has 128 MiB. Of a hundred pods whose rules would have 40 MiB, each of them legal. */
static void hundred_pods_of_long_policies_leave_room_for_others(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};
	double before;

	(void)unused;
	set_hundred_pods(state, ", 'hostNetwork': true");
	/* As long as one pod may have them, for all of their namespace's pods. */
	set_long_policies(state, "aaa", 8);
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': [22]}]"));
	before = milliseconds();
	make(state, &cluster_config, &made);
	print_message("# %zu bytes of text, %.0f ms with the sanitizers\n", made.text.len, milliseconds() - before);
	assert_in_range(made.text.len, 1u << 20, 6u << 20);
	assert_verdict(&made, bind_of(P1, false, 443), BC_GRANT);
	for (int i = 0; i < 100; i++) {
		char path[80];

		snprintf(path, sizeof(path), "/kubepods/pod00000000-0000-3000-8000-%012d", i);
		assert_verdict(&made, bind_of(path, true, 22), BC_DENY);
	}
	assert_finding(&made.findings, FINDING_WARNING, "Pod", "aaa", "a99",
		       "in force is only what the cluster's deny");
	state_free(state);
}

/* Rules that overlap in as many ways as there are. */
static void hundred_pods_of_overlapping_rules_come_to_an_end(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};
	double before;

	(void)unused;
	set_hundred_pods(state, "");
	set_overlapping_policies(state, "aaa", 16);
	before = milliseconds();
	/* What has not ended by then never will. */
	alarm(600);
	assert_int_equal(intent_make(state, &cluster_config, &made.text, &made.findings, &made.counts, NULL), 0);
	print_message("# %.0f ms with the sanitizers\n", milliseconds() - before);
	alarm(0);
	state_free(state);
}

/* As many policies as may be kept, each rule of which would be a word in the log, for each of a hundred pods. */
static void hundred_pods_of_rules_that_give_nothing_come_to_an_end(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};
	_cleanup_(bc_text_done) struct bc_text rules = {};
	double before;

	(void)unused;
	set_hundred_pods(state, "");
	for (int i = 0; i < 64; i++)
		bc_text_addf(&rules, "%s" GRANT("%d"), i ? ", " : "", 1000 + i);
	for (int i = 0; i < 1000; i++)
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': 'aaa', 'name': 'a%d'}, 'spec': {'podSelector': {}, 'mode': 'Audit', "
		     "'rules': [%s]}}",
		     i, rules.data);
	set(state, STATE_BIND_POLICY, POLICY("dns", "b", "", GRANT("443")));
	before = milliseconds();
	make(state, &cluster_config, &made);
	print_message("# %.0f ms with the sanitizers\n", milliseconds() - before);
	/* Of each pod the rules of 64 policies, and the others' names. */
	assert_int_equal(made.findings.n, 200);
	assert_int_equal(made.findings.n + made.findings.dropped, 100 * (4096 + 1000 - 64));
	assert_verdict(&made, bind_of(PATH_OF(3), false, 443), BC_GRANT);
	state_free(state);
}

/* Four thousand users, each with rules of his own among all that are everyone's. */
static void hundred_pods_of_as_many_users_as_rules_come_to_an_end(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set_hundred_pods(state, "");
	for (int i = 0; i < 64; i++) {
		_cleanup_(bc_text_done) struct bc_text rules = {};

		for (int k = 0; k < 64; k++)
			bc_text_addf(&rules, "%s{'action': 'Deny', 'ports': [22], 'runAsUser': %d}", k ? ", " : "",
				     1000 + 64 * i + k);
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': 'aaa', 'name': 'a%d'}, 'spec': {'podSelector': {}, 'rules': [%s]}}", i,
		     rules.data);
	}
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of("/kubepods/pod00000000-0000-3000-8000-000000000000", false, 22), BC_DENY);
	assert_finding(&made.findings, FINDING_WARNING, "Pod", "aaa", "a0",
		       "in force is only what they and the cluster's deny");
	state_free(state);
}

/* A policy that selects by four thousand values is a quarter of a MiB, and the API takes as many of them as one likes. */
static void hundred_policies_of_a_quarter_mebibyte_take_eight(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(bc_text_done) struct bc_text selector = {};
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	for (int i = 0; i < 64; i++) {
		bc_text_addf(&selector, "%s{'key': 'k%d', 'operator': 'NotIn', 'values': [", i ? ", " : "", i);
		for (int k = 0; k < 64; k++)
			bc_text_addf(&selector, "%s'%063d'", k ? ", " : "", k);
		bc_text_addf(&selector, "]}");
	}
	for (int i = 0; i < 100; i++)
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': 'aaa', 'name': 'a%02d'}, 'spec': {'podSelector': {'matchExpressions': "
		     "[%s]}, 'rules': [{'action': 'Grant', 'ports': [443]}]}}",
		     i, selector.data);
	assert_int_equal(rejected(state, STATE_BIND_POLICY), 69);
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 443), BC_GRANT);
	assert_finding(&made.findings, FINDING_REJECTED, "BindPolicy", "aaa", "a99", "take more than 8 MiB");
	/* One in the place of itself, and one where there is room, are taken. */
	setf(state, STATE_BIND_POLICY,
	     "{'metadata': {'namespace': 'aaa', 'name': 'a00'}, 'spec': {'podSelector': {'matchExpressions': [%s]}, "
	     "'rules': [{'action': 'Grant', 'ports': [444]}]}}",
	     selector.data);
	set(state, STATE_BIND_POLICY, POLICY("aaa", "small", "", GRANT("443")));
	assert_int_equal(rejected(state, STATE_BIND_POLICY), 69);
	unset(state, STATE_BIND_POLICY, "{'metadata': {'namespace': 'aaa', 'name': 'a00'}}");
	setf(state, STATE_BIND_POLICY,
	     "{'metadata': {'namespace': 'aaa', 'name': 'a99'}, 'spec': {'podSelector': {'matchExpressions': [%s]}, "
	     "'rules': [{'action': 'Grant', 'ports': [444]}]}}",
	     selector.data);
	assert_int_equal(rejected(state, STATE_BIND_POLICY), 68);
	state_free(state);
}

/* Bytes of labels that are kept of the namespace's pods. */
static size_t labels_of(const struct state *state, const char *prefix)
{
	const struct state_entry *entry;
	size_t len = 0;

	for (size_t i = 0; (entry = state_at(state, STATE_POD, i)); i++)
		len += strncmp(entry->key, prefix, strlen(prefix)) ? 0 : entry->pod->labels.len;
	for (size_t i = 0; (entry = state_gone_at(state, i)); i++)
		len += strncmp(entry->key, prefix, strlen(prefix)) ? 0 : entry->pod->labels.len;
	return len;
}

static bool nowhere(void *ctx, const struct pod *pod)
{
	(void)ctx;
	(void)pod;
	return false;
}

/* With labels of as many bytes as one may have, on whichever node he likes. */
static void set_labelled_pod(struct state *state, int number, const char *labels, const char *status)
{
	setf(state, STATE_POD,
	     "{'metadata': {'namespace': 'aaa', 'name': 'a%d', 'uid': '00000000-0000-3000-8000-%012d', 'labels': "
	     "{%s}}, "
	     "'spec': {'nodeName': 'n1'}, 'status': {'qosClass': 'Guaranteed'%s}}",
	     number, number, labels, status);
}

static void hundred_pods_of_a_thousand_labels_keep_a_mebibyte(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(bc_text_done) struct bc_text labels = {};
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	for (int i = 0; i < 900; i++)
		bc_text_addf(&labels, "%s'label-%04d': '%060d'", i ? ", " : "", i, i);
	set(state, STATE_NAMESPACE, NAMESPACE("aaa", ""));
	for (int i = 0; i < 100; i++)
		set_labelled_pod(state, i, labels.data, "");
	assert_in_range(labels_of(state, "aaa/"), 900u << 10, 1u << 20);
	assert_in_range(rejected(state, STATE_POD), 80, 90);
	set(state, STATE_BIND_POLICY, POLICY("aaa", "all", "", GRANT("80")));
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "'matchLabels': {'app': 'edge'}", GRANT("443")));
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'podSelector': {'matchLabels': {'label-0000': 'x'}}, 'rules': [{'action': 'Deny', 'ports': "
			 "[22]}]"));
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 443), BC_GRANT);
	assert_finding(&made.findings, FINDING_REJECTED, "Pod", "aaa", "a99", "take more than 1 MiB");
	/* It may have any, of those that count. */
	assert_verdict(&made, bind_of("/kubepods/pod00000000-0000-3000-8000-000000000099", false, 22), BC_DENY);
	assert_verdict(&made, bind_of("/kubepods/pod00000000-0000-3000-8000-000000000099", false, 80), BC_NONE);
	assert_verdict(&made, bind_of("/kubepods/pod00000000-0000-3000-8000-000000000000", false, 22), BC_NONE);
	assert_verdict(&made, bind_of("/kubepods/pod00000000-0000-3000-8000-000000000000", false, 80), BC_GRANT);
	/* One that has no labels needs no room, and neither does one that has ended. */
	set_labelled_pod(state, 99, "", "");
	assert_null(state_find(state, STATE_POD, "aaa/a99")->error);
	set_labelled_pod(state, 98, labels.data,
			 ", 'phase': 'Failed', 'containerStatuses': [{'state': {'terminated': {}}}]");
	assert_null(state_find(state, STATE_POD, "aaa/a98")->error);
	set_labelled_pod(state, 0, labels.data,
			 ", 'phase': 'Failed', 'containerStatuses': [{'state': {'terminated': {}}}]");
	set_labelled_pod(state, 97, labels.data, "");
	assert_null(state_find(state, STATE_POD, "aaa/a97")->error);
	/* Nor do those that kubelet had no place for. */
	for (int i = 200; i < 220; i++)
		set_labelled_pod(state, i, "'a': 'b'", ", 'phase': 'Failed'");
	state_forget(state, nowhere, NULL);
	for (int i = 200; i < 220; i++)
		set_labelled_pod(state, i, labels.data, ", 'phase': 'Failed'");
	assert_null(state_find(state, STATE_POD, "aaa/a219")->error);
	assert_in_range(labels_of(state, "aaa/"), 900u << 10, 1u << 20);
	/* Who deletes them by force, and makes others, has no more. */
	for (int i = 1; i < 20; i++) {
		_cleanup_free_ char *name = NULL;

		assert_true(asprintf(&name, "{'metadata': {'namespace': 'aaa', 'name': 'a%d'}}", i) > 0);
		unset(state, STATE_POD, name);
		set_labelled_pod(state, 100 + i, labels.data, "");
	}
	assert_in_range(labels_of(state, "aaa/"), 900u << 10, 1u << 20);
	state_free(state);
}

/* Selectors that ask for what no label says, of pods that have all the labels that there is room for. */
static void thousand_policies_that_ask_of_a_thousand_labels_come_to_an_end(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(bc_text_done) struct bc_text labels = {}, asked = {};
	_cleanup_(made_done) struct made made = {};
	double before;

	(void)unused;
	for (int i = 0; i < 9000; i++)
		bc_text_addf(&labels, "%s'%x': ''", i ? ", " : "", i);
	for (int i = 0; i < 256; i++)
		bc_text_addf(&asked, "%s{'key': 'z%d', 'operator': 'DoesNotExist'}", i ? ", " : "", i);
	set(state, STATE_NAMESPACE, NAMESPACE("aaa", ""));
	for (int i = 0; i < 20; i++)
		set_labelled_pod(state, i, labels.data, "");
	for (int i = 0; i < 1500; i++)
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': 'aaa', 'name': 'a%d'}, 'spec': {'podSelector': {'matchExpressions': "
		     "[%s]}, 'rules': [{'action': 'Grant', 'ports': [443]}]}}",
		     i, asked.data);
	assert_int_equal(rejected(state, STATE_POD) + rejected(state, STATE_BIND_POLICY), 0);
	before = milliseconds();
	/* What has not ended by then never will. */
	alarm(600);
	make(state, &cluster_config, &made);
	print_message("# %.0f ms with the sanitizers\n", milliseconds() - before);
	alarm(0);
	assert_verdict(&made, bind_of("/kubepods/pod00000000-0000-3000-8000-000000000019", false, 443), BC_GRANT);
	state_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_thousand_bad_policies_hide_nobody_elses),
		cmocka_unit_test(hundred_pods_of_long_policies_leave_room_for_others),
		cmocka_unit_test(hundred_policies_of_a_quarter_mebibyte_take_eight),
		cmocka_unit_test(hundred_pods_of_overlapping_rules_come_to_an_end),
		cmocka_unit_test(hundred_pods_of_rules_that_give_nothing_come_to_an_end),
		cmocka_unit_test(hundred_pods_of_as_many_users_as_rules_come_to_an_end),
		cmocka_unit_test(hundred_pods_of_a_thousand_labels_keep_a_mebibyte),
		cmocka_unit_test(thousand_policies_that_ask_of_a_thousand_labels_come_to_an_end),
	};

	return cmocka_run_group_tests_name("attack_limits", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects that are there and cannot be read: who is named, and what stays in force. */
#include "cluster.h"

static struct state *new_state(void)
{
	struct state *state = state_new();

	set(state, STATE_NAMESPACE, "{'metadata': {'name': 'web'}}");
	setf(state, STATE_POD,
	     "{'metadata': {'name': 'edge', 'namespace': 'web', 'uid': '%s', 'labels': {'app': 'edge'}},"
	     " 'spec': {'nodeName': 'n1'}, 'status': {'phase': 'Running', 'qosClass': 'Guaranteed'}}",
	     UID_OF(1));
	set(state, STATE_BIND_POLICY,
	    "{'metadata': {'name': 'edge', 'namespace': 'web'}, 'spec': {'podSelector': {},"
	    " 'rules': [{'action': 'Grant', 'protocol': 'TCP', 'ports': [443]}]}}");
	set(state, STATE_CLUSTER_POLICY,
	    "{'metadata': {'name': 'all'}, 'spec': {'podSelector': {}, 'rules': [{'action': 'Deny', 'ports': [22]}]}}");
	return state;
}

/* What the file says, and the findings as "KIND NAMESPACE/NAME: TEXT" a line each; both malloc'ed. */
static void make_both(const struct state *state, char **ret_text, char **ret_findings)
{
	_cleanup_(findings_done) struct findings findings = {};
	struct bc_text text = {}, said = {};
	struct intent_counts counts;
	struct bc_error error;

	assert_int_equal(intent_make(state, &cluster_config, &text, &findings, &counts, &error), 0);
	for (size_t i = 0; i < findings.n; i++)
		bc_text_addf(&said, "%s %s/%s: %s\n", findings.items[i].kind, findings.items[i].namespace,
			     findings.items[i].name, findings.items[i].text);
	*ret_text = text.data;
	*ret_findings = said.data ? said.data : strdup("");
}

static void assert_made(const struct state *state, bool grants, bool denies, const char *finding)
{
	_cleanup_free_ char *text = NULL, *findings = NULL;

	make_both(state, &text, &findings);
	assert_true((strstr(text, "\ngrant ") != NULL) == grants);
	assert_true((strstr(text, "port 22 ") != NULL) == denies);
	if (finding)
		assert_contains(findings, finding);
	else
		assert_string_equal(findings, "");
}

static void a_policy_is_named_and_gone(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_made(state, true, true, NULL);
	assert_int_equal(state_unreadable(state, STATE_BIND_POLICY, "web", "edge", "", "too large"), STATE_CHANGED);
	assert_made(state, false, true, "BindPolicy web/edge: too large\n");
	assert_int_equal(state_unreadable(state, STATE_BIND_POLICY, "web", "edge", "", "too large"), STATE_UNCHANGED);
	assert_int_equal(state_rejected(state, STATE_BIND_POLICY), 1);
	state_free(state);
}

static void a_cluster_policy_goes_on_denying(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_CLUSTER_POLICY, "", "all", "", "too large"), STATE_CHANGED);
	assert_made(state, true, true, "ClusterBindPolicy /all: too large; its last readable version stays in force\n");
	/* Also over a list that has it, unreadable as it is; not over one that does not. */
	state_begin_list(state, STATE_CLUSTER_POLICY);
	assert_int_equal(state_unreadable(state, STATE_CLUSTER_POLICY, "", "all", "", "too large"), STATE_UNCHANGED);
	assert_int_equal(state_end_list(state, STATE_CLUSTER_POLICY), STATE_UNCHANGED);
	assert_made(state, true, true, "ClusterBindPolicy /all: ");
	state_begin_list(state, STATE_CLUSTER_POLICY);
	assert_int_equal(state_end_list(state, STATE_CLUSTER_POLICY), STATE_CHANGED);
	assert_made(state, true, false, NULL);
	state_free(state);
}

static void a_pod_is_given_nothing_and_denied_all(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "edge", "", "no UTF-8"), STATE_CHANGED);
	assert_made(state, false, true, "Pod web/edge: no UTF-8; it is given nothing\n");
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "edge", "", "no UTF-8"), STATE_UNCHANGED);
	/* One that was never read has no place. */
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "other", "", "no UTF-8"), STATE_CHANGED);
	assert_made(state, false, true, "Pod web/other: no UTF-8\n");
	state_free(state);
}

static void one_without_a_name_is_counted(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_BIND_POLICY, "web", "", "", "too large"), STATE_CHANGED);
	assert_int_equal(state_lost_count(state, STATE_BIND_POLICY), 1);
	assert_int_equal(state_unreadable(state, STATE_BIND_POLICY, "", "edge", "", "too large"), STATE_CHANGED);
	assert_int_equal(state_lost_count(state, STATE_BIND_POLICY), 2);
	assert_int_equal(state_count(state, STATE_BIND_POLICY), 1);
	assert_made(state, true, true, "BindPolicy /?: ");
	state_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_is_named_and_gone),
		cmocka_unit_test(a_cluster_policy_goes_on_denying),
		cmocka_unit_test(a_pod_is_given_nothing_and_denied_all),
		cmocka_unit_test(one_without_a_name_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
	assert_int_equal(state_unreadable(state, STATE_BIND_POLICY, "web", "edge", "too large"), STATE_CHANGED);
	assert_made(state, false, true, "BindPolicy web/edge: too large\n");
	assert_int_equal(state_unreadable(state, STATE_BIND_POLICY, "web", "edge", "too large"), STATE_UNCHANGED);
	assert_int_equal(rejected(state, STATE_BIND_POLICY), 1);
	state_free(state);
}

static void a_cluster_policy_goes_on_denying(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_CLUSTER_POLICY, "", "all", "too large"), STATE_CHANGED);
	assert_made(state, true, true, "ClusterBindPolicy /all: too large; its last readable version stays in force\n");
	/* Also over a list that has it, unreadable as it is; not over one that does not. */
	state_begin_list(state, STATE_CLUSTER_POLICY);
	assert_int_equal(state_unreadable(state, STATE_CLUSTER_POLICY, "", "all", "too large"), STATE_UNCHANGED);
	assert_int_equal(state_end_list(state, STATE_CLUSTER_POLICY), STATE_UNCHANGED);
	assert_made(state, true, true, "ClusterBindPolicy /all: ");
	state_begin_list(state, STATE_CLUSTER_POLICY);
	assert_int_equal(state_end_list(state, STATE_CLUSTER_POLICY), STATE_CHANGED);
	assert_made(state, true, false, NULL);
	state_free(state);
}

/* Both namespaces give their pods 443 and deny them 8080, and the cluster lets them, on the host's network, too. */
static struct state *giving_cluster(void)
{
	struct state *state = small_cluster();

	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443") ", " DENY("8080")));
	set(state, STATE_BIND_POLICY, POLICY("dns", "b", "", GRANT("443") ", " DENY("8080")));
	set(state, STATE_CLUSTER_POLICY, CLUSTER("ceiling", "'ceiling': [{'ports': [443]}], 'allowHostNetwork': true"));
	return state;
}

/*
 * What the pods web/edge, web/host and dns/other get of port 443, while they are denied 8080 in any case; and what is said
 * of the cluster policy of that name, unless that is NULL.
 */
static void assert_given(const struct state *state, bool web, bool dns, const char *name, const char *said)
{
	_cleanup_(made_done) struct made made = {};
	_cleanup_free_ char *why = NULL;

	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 443), web ? BC_GRANT : BC_NONE);
	assert_verdict(&made, bind_of(P2, true, 443), web ? BC_GRANT : BC_NONE);
	assert_verdict(&made, bind_of(PATH_OF(3), false, 443), dns ? BC_GRANT : BC_NONE);
	assert_verdict(&made, bind_of(P1, false, 8080), BC_DENY);
	assert_verdict(&made, bind_of(PATH_OF(3), false, 8080), BC_DENY);
	if (!name)
		return;
	assert_finding(&made.findings, FINDING_REJECTED, "ClusterBindPolicy", "", name, said);
	assert_true(asprintf(&why, "as long as ClusterBindPolicy %s, which may deny it, cannot be read", name) > 0);
	if (!web)
		assert_finding(&made.findings, FINDING_WARNING, "BindPolicy", "web", "b", why);
}

static void a_cluster_policy_that_never_was_read_may_deny_anything(void **unused)
{
	static const struct {
		const char *text, *said;
		bool dns;
	} cases[] = {
		{ CLUSTER("x", "'namespaceSelector': {'matchLabels': {'team': 'a'}}, 'rules': [" DENY("'9-8'") "]"),
		  "runs backwards; until it is put right the pods that it may select are given nothing", true },
		{ CLUSTER("x", "'namespaceSelector': {'matchLabels': {'team': 'a'}}, 'ceiling': [{}]"), "is missing",
		  true },
		{ CLUSTER("x", "'namespaceSelector': {'matchLabels': {'team': 'a'}}, 'news': 1"), "'news' is not known",
		  true },
		{ CLUSTER("x", "'namespaceSelector': {'matchLabels': {'team': 1}}, 'rules': [" DENY("1") "]"),
		  "spec.namespaceSelector.matchLabels: is a whole number", false },
		{ CLUSTER("x", "'podSelector': []"), "spec.podSelector: is a list", false },
		{ "{'metadata': {'name': 'x'}}", "spec: is missing", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct state *state = giving_cluster();

		assert_given(state, true, true, NULL, NULL);
		assert_int_equal(set(state, STATE_CLUSTER_POLICY, cases[i].text), STATE_CHANGED);
		assert_int_equal(set(state, STATE_CLUSTER_POLICY, cases[i].text), STATE_UNCHANGED);
		assert_int_equal(rejected(state, STATE_CLUSTER_POLICY), 1);
		assert_given(state, false, cases[i].dns, "x", cases[i].said);
		set(state, STATE_CLUSTER_POLICY, CLUSTER("x", "'rules': [" DENY("1") "]"));
		assert_given(state, true, true, NULL, NULL);
		/* Once read, it is known what it denies, and no more is taken away than that. */
		set(state, STATE_CLUSTER_POLICY, cases[i].text);
		assert_given(state, true, true, "x", "; its last readable version stays in force");
		state_free(state);
	}
}

static void one_of_which_nothing_can_be_read_is_about_all(void **unused)
{
	struct state *state = giving_cluster();

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_CLUSTER_POLICY, "", "x", "too large"), STATE_CHANGED);
	assert_int_equal(state_unreadable(state, STATE_CLUSTER_POLICY, "", "x", "too large"), STATE_UNCHANGED);
	assert_given(state, false, false, "x", "too large; until it is put right");
	unset(state, STATE_CLUSTER_POLICY, "{'metadata': {'name': 'x'}}");
	assert_given(state, true, true, NULL, NULL);
	state_free(state);
}

static void one_of_which_nothing_is_known_is_about_all(void **unused)
{
	struct state *state = giving_cluster();

	(void)unused;
	state_begin_list(state, STATE_CLUSTER_POLICY);
	assert_int_equal(state_lost(state, STATE_CLUSTER_POLICY), STATE_CHANGED);
	state_end_list(state, STATE_CLUSTER_POLICY);
	assert_given(state, false, false, "?", "cannot be read, not even their names");
	state_free(state);
}

/* An agent that has just been started knows no version but the bad one. */
static void what_can_be_read_of_a_bad_cluster_policy_is_denied(void **unused)
{
	struct state *state = giving_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("x",
		    "'namespaceSelector': {'matchLabels': {'team': 'a'}}, 'rules': [" DENY(
			    "22, '9-8', 'x', '30-31'") ", " DENY("'9-8'") ", {'action': 'Deny', 'ports': [24], 'to': "
									  "{}}, " DENY("23") "], "
											     "'reservedPorts': "
											     "[{'ports': [25, 0]}, "
											     "{'ports': ['any']}, "
											     "{'ports': [26], "
											     "'protocol': 'SCTP'}]"));
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 22), BC_DENY);
	assert_verdict(&made, bind_of(P1, false, 31), BC_DENY);
	assert_verdict(&made, bind_of(P2, true, 23), BC_DENY);
	assert_verdict(&made, bind_of(PATH_OF(3), false, 22), BC_NONE);
	assert_verdict(&made, bind_of(NULL, true, 25), BC_DENY);
	/* The rest is not guessed at. */
	assert_verdict(&made, bind_of(P1, false, 8), BC_NONE);
	assert_verdict(&made, bind_of(P1, false, 24), BC_NONE);
	assert_verdict(&made, bind_of(NULL, true, 26), BC_NONE);
	assert_verdict(&made, bind_of(NULL, true, 27), BC_NONE);
	state_free(state);
}

static void a_pod_is_given_nothing_and_denied_all(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "edge", "no UTF-8"), STATE_CHANGED);
	assert_made(state, false, true, "Pod web/edge: no UTF-8; it is given nothing\n");
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "edge", "no UTF-8"), STATE_UNCHANGED);
	/* One that was never read has no place. */
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "other", "no UTF-8"), STATE_CHANGED);
	assert_made(state, false, true, "Pod web/other: no UTF-8\n");
	state_free(state);
}

static void one_without_a_name_is_counted(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_BIND_POLICY, "web", "", "too large"), STATE_CHANGED);
	assert_int_equal(state_lost_count(state, STATE_BIND_POLICY), 1);
	assert_int_equal(state_unreadable(state, STATE_BIND_POLICY, "", "edge", "too large"), STATE_CHANGED);
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
		cmocka_unit_test(a_cluster_policy_that_never_was_read_may_deny_anything),
		cmocka_unit_test(one_of_which_nothing_can_be_read_is_about_all),
		cmocka_unit_test(one_of_which_nothing_is_known_is_about_all),
		cmocka_unit_test(what_can_be_read_of_a_bad_cluster_policy_is_denied),
		cmocka_unit_test(a_pod_is_given_nothing_and_denied_all),
		cmocka_unit_test(one_without_a_name_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent remembers, and what it takes for a change. */
#include "cluster.h"

static struct json_object *pod_with(const char *status)
{
	_cleanup_free_ char *text = NULL;

	assert_true(asprintf(&text,
			     "{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(
				     1) "', 'labels': {'app': 'edge'}}, "
					"'spec': {'nodeName': 'n1'}, 'status': {'qosClass': 'Burstable', %s}}",
			     status) > 0);
	return json(text);
}

static int set_pod(struct state *state, const char *status)
{
	struct json_object *object = pod_with(status);
	int change = state_set(state, STATE_POD, object);

	json_object_put(object);
	return change;
}

static void what_does_not_count_is_no_change(void **unused)
{
	struct state *state = state_new();

	(void)unused;
	assert_int_equal(set_pod(state, "'phase': 'Pending'"), STATE_CHANGED);
	assert_int_equal(set_pod(state, "'phase': 'Pending'"), STATE_UNCHANGED);
	assert_int_equal(set_pod(state, "'phase': 'Running', 'podIP': '10.0.0.1', 'conditions': [{}]"),
			 STATE_UNCHANGED);
	assert_int_equal(set_pod(state, "'phase': 'Succeeded'"), STATE_CHANGED);
	assert_int_equal(set_pod(state, "'phase': 'Failed'"), STATE_UNCHANGED);
	assert_int_equal(state_count(state, STATE_POD), 1);
	assert_int_equal(state_count(state, STATE_NAMESPACE), 0);
	state_free(state);
}

static void all_that_counts_is_a_change(void **unused)
{
	static const struct {
		enum state_kind kind;
		const char *texts[8];
	} cases[] = {
		{ STATE_POD,
		  { POD("a", "b", 1, "", ""), POD("a", "b", 2, "", ""), POD("a", "b", 2, "'x': 'y'", ""),
		    POD("a", "b", 2, "'x': 'z'", ""), POD("a", "b", 2, "'x': 'z'", HOST),
		    POD("a", "b", 2, "'x': 'z'", ", 'hostUsers': false") } },
		{ STATE_NAMESPACE, { NAMESPACE("a", ""), NAMESPACE("a", "'b': 'c'"), NAMESPACE("a", "'b': ''") } },
		{ STATE_BIND_POLICY,
		  { POLICY("a", "b", "", "{'action': 'Grant', 'ports': [1]}"),
		    POLICY("a", "b", "'matchLabels': {'a': 'b'}", "{'action': 'Grant', 'ports': [1]}"),
		    POLICY("a", "b", "", "{'action': 'Grant', 'ports': [2]}"),
		    POLICY("a", "b", "", "{'action': 'Deny', 'ports': [2]}"),
		    POLICY("a", "b", "", "{'action': 'Deny', 'ports': [2], 'addresses': ['::']}"),
		    POLICY("a", "b", "", "{'action': 'Deny', 'ports': [2], 'addresses': ['::1']}"),
		    POLICY("a", "b", "", "{'action': 'Rewrite', 'ports': [2], 'to': {'port': 1}}"),
		    POLICY("a", "b", "", "{'action': 'Rewrite', 'ports': [2], 'to': {'port': 1, 'hidden': true}}") } },
		{ STATE_CLUSTER_POLICY,
		  { CLUSTER("a", ""), CLUSTER("a", "'ceiling': []"),
		    CLUSTER("a", "'ceiling': [], 'allowHostNetwork': true"),
		    CLUSTER("a", "'reservedPorts': [{'ports': [1]}]"),
		    CLUSTER("a", "'reservedPorts': [{'ports': [1]}], 'mode': 'Audit'"),
		    CLUSTER("a", "'namespaceSelector': {'matchLabels': {'a': 'b'}}"),
		    CLUSTER("a", "'podSelector': {'matchLabels': {'a': 'b'}}"),
		    CLUSTER("a", "'rules': [{'action': 'Deny', 'ports': [1]}]") } },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct state *state = state_new();

		for (size_t k = 0; k < ARRAY_SIZE(cases[i].texts) && cases[i].texts[k]; k++) {
			if (set(state, cases[i].kind, cases[i].texts[k]) != STATE_CHANGED)
				fail_msg("no change: %s", cases[i].texts[k]);
			if (set(state, cases[i].kind, cases[i].texts[k]) != STATE_UNCHANGED)
				fail_msg("a change: %s", cases[i].texts[k]);
		}
		assert_int_equal(state_count(state, cases[i].kind), 1);
		state_free(state);
	}
}

static void list_takes_away_what_is_not_in_it(void **unused)
{
	struct state *state = state_new();

	(void)unused;
	set(state, STATE_NAMESPACE, NAMESPACE("a", ""));
	set(state, STATE_NAMESPACE, NAMESPACE("b", ""));
	set(state, STATE_POD, POD("a", "p", 1, "", ""));
	/* One that breaks off and is begun again takes nothing away. */
	state_begin_list(state, STATE_NAMESPACE);
	set(state, STATE_NAMESPACE, NAMESPACE("b", ""));
	state_begin_list(state, STATE_NAMESPACE);
	assert_int_equal(state_count(state, STATE_NAMESPACE), 2);
	set(state, STATE_NAMESPACE, NAMESPACE("a", ""));
	set(state, STATE_NAMESPACE, NAMESPACE("c", ""));
	assert_int_equal(state_end_list(state, STATE_NAMESPACE), STATE_CHANGED);
	assert_int_equal(state_count(state, STATE_NAMESPACE), 2);
	assert_non_null(state_find(state, STATE_NAMESPACE, "a"));
	assert_null(state_find(state, STATE_NAMESPACE, "b"));
	assert_non_null(state_find(state, STATE_NAMESPACE, "c"));
	/* Another kind's is not concerned. */
	assert_int_equal(state_count(state, STATE_POD), 1);
	state_begin_list(state, STATE_NAMESPACE);
	assert_int_equal(set(state, STATE_NAMESPACE, NAMESPACE("c", "")), STATE_UNCHANGED);
	assert_int_equal(set(state, STATE_NAMESPACE, NAMESPACE("a", "")), STATE_UNCHANGED);
	assert_int_equal(state_end_list(state, STATE_NAMESPACE), STATE_UNCHANGED);
	assert_int_equal(state_count(state, STATE_NAMESPACE), 2);
	state_free(state);
}

static void removal_needs_no_more_than_the_name(void **unused)
{
	struct state *state = state_new();

	(void)unused;
	set(state, STATE_POD, POD("a", "b", 1, "", ""));
	assert_int_equal(unset(state, STATE_POD, "{'metadata': {'name': 'b', 'namespace': 'c'}}"), STATE_UNCHANGED);
	assert_int_equal(unset(state, STATE_POD, "{'metadata': {'name': 'b'}}"), STATE_UNCHANGED);
	assert_int_equal(unset(state, STATE_POD, "{}"), STATE_UNCHANGED);
	assert_int_equal(unset(state, STATE_POD, "{'metadata': {'name': 'b', 'namespace': 'a'}}"), STATE_CHANGED);
	assert_int_equal(state_count(state, STATE_POD), 0);
	state_free(state);
}

#define GOOD POLICY("a", "b", "", "{'action': 'Grant', 'ports': [1]}")
#define BAD POLICY("a", "b", "", "{'action': 'Grant', 'ports': [70000]}")
#define WORSE POLICY("a", "b", "", "{'action': 'Grant', 'ports': [80000]}")

static void rejected_object_is_named_until_it_is_gone(void **unused)
{
	struct state *state = state_new();

	(void)unused;
	assert_int_equal(set(state, STATE_BIND_POLICY, GOOD), STATE_CHANGED);
	assert_int_equal(set(state, STATE_BIND_POLICY, BAD), STATE_CHANGED);
	assert_int_equal(set(state, STATE_BIND_POLICY, BAD), STATE_UNCHANGED);
	assert_int_equal(rejected(state, STATE_BIND_POLICY), 1);
	assert_null(state_find(state, STATE_BIND_POLICY, "a/b")->object);
	assert_int_equal(set(state, STATE_BIND_POLICY, WORSE), STATE_CHANGED);
	assert_string_equal(state_find(state, STATE_BIND_POLICY, "a/b")->error,
			    "spec.rules[0].ports[0]: port 80000 is out of range (1 to 65535)");
	assert_int_equal(set(state, STATE_BIND_POLICY, GOOD), STATE_CHANGED);
	assert_int_equal(rejected(state, STATE_BIND_POLICY), 0);
	set(state, STATE_BIND_POLICY, BAD);
	state_begin_list(state, STATE_BIND_POLICY);
	assert_int_equal(state_end_list(state, STATE_BIND_POLICY), STATE_CHANGED);
	assert_int_equal(state_count(state, STATE_BIND_POLICY), 0);
	state_free(state);
}

#define DENIAL(port) CLUSTER("a", "'rules': [{'action': 'Deny', 'ports': [" #port "]}]")

static void cluster_policy_stands_until_it_can_be_read_again(void **unused)
{
	struct state *state = state_new();
	const struct state_entry *entry;

	(void)unused;
	/* For one that never could be read there stands what can be read of it, and all may be denied. */
	assert_int_equal(set(state, STATE_CLUSTER_POLICY, DENIAL(70000)), STATE_CHANGED);
	assert_int_equal(set(state, STATE_CLUSTER_POLICY, DENIAL(70000)), STATE_UNCHANGED);
	assert_true(state_find(state, STATE_CLUSTER_POLICY, "a")->cluster->doubtful);
	/* The last of them, not the first. */
	assert_int_equal(set(state, STATE_CLUSTER_POLICY, CLUSTER("a", "'news': 1, 'rules': [" DENY("22") "]")),
			 STATE_CHANGED);
	assert_true(state_find(state, STATE_CLUSTER_POLICY, "a")->cluster->doubtful);
	assert_int_equal(state_find(state, STATE_CLUSTER_POLICY, "a")->cluster->rules.n, 1);
	assert_int_equal(set(state, STATE_CLUSTER_POLICY, DENIAL(80)), STATE_CHANGED);
	assert_false(state_find(state, STATE_CLUSTER_POLICY, "a")->cluster->doubtful);
	assert_int_equal(set(state, STATE_CLUSTER_POLICY, DENIAL(70000)), STATE_CHANGED);
	assert_int_equal(set(state, STATE_CLUSTER_POLICY, DENIAL(70000)), STATE_UNCHANGED);
	entry = state_find(state, STATE_CLUSTER_POLICY, "a");
	assert_non_null(entry->error);
	assert_int_equal(entry->cluster->rules.ranges[0].first, 80);
	assert_int_equal(rejected(state, STATE_CLUSTER_POLICY), 1);
	/* The version that stood is the version that comes back, and yet there is something to be said no more. */
	assert_int_equal(set(state, STATE_CLUSTER_POLICY, DENIAL(80)), STATE_CHANGED);
	assert_int_equal(set(state, STATE_CLUSTER_POLICY, DENIAL(80)), STATE_UNCHANGED);
	set(state, STATE_CLUSTER_POLICY, DENIAL(70000));
	assert_int_equal(unset(state, STATE_CLUSTER_POLICY, "{'metadata': {'name': 'a'}}"), STATE_CHANGED);
	assert_int_equal(state_count(state, STATE_CLUSTER_POLICY), 0);
	state_free(state);
}

static void what_was_too_large_may_be_any_of_them(void **unused)
{
	struct state *state = state_new();

	(void)unused;
	set(state, STATE_CLUSTER_POLICY, DENIAL(80));
	set(state, STATE_BIND_POLICY, GOOD);
	state_begin_list(state, STATE_CLUSTER_POLICY);
	state_begin_list(state, STATE_BIND_POLICY);
	assert_int_equal(state_lost(state, STATE_CLUSTER_POLICY), STATE_CHANGED);
	assert_int_equal(state_lost(state, STATE_BIND_POLICY), STATE_CHANGED);
	state_end_list(state, STATE_CLUSTER_POLICY);
	state_end_list(state, STATE_BIND_POLICY);
	assert_int_equal(state_lost_count(state, STATE_CLUSTER_POLICY), 1);
	assert_int_equal(state_count(state, STATE_CLUSTER_POLICY), 1);
	assert_int_equal(state_count(state, STATE_BIND_POLICY), 0);
	state_begin_list(state, STATE_CLUSTER_POLICY);
	assert_int_equal(state_end_list(state, STATE_CLUSTER_POLICY), STATE_CHANGED);
	assert_int_equal(state_lost_count(state, STATE_CLUSTER_POLICY), 0);
	assert_int_equal(state_count(state, STATE_CLUSTER_POLICY), 0);
	state_free(state);
}

static void order_is_that_of_the_keys(void **unused)
{
	static const char *const keys[] = { "a-b/c", "a.b/c", "a/b", "a/c", "a/d", "ab/c" };
	struct state *state = state_new();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *key = keys[(i * 5 + 3) % ARRAY_SIZE(keys)], *slash = strchr(key, '/');

		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': '%.*s', 'name': '%s'}, 'spec': {'podSelector': {}, 'rules': "
		     "[{'action': "
		     "'Deny', 'ports': [1]}]}}",
		     (int)(slash - key), key, slash + 1);
	}
	assert_int_equal(state_count(state, STATE_BIND_POLICY), ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_string_equal(state_at(state, STATE_BIND_POLICY, i)->key, keys[i]);
	assert_null(state_at(state, STATE_BIND_POLICY, ARRAY_SIZE(keys)));
	assert_int_equal(state_lower(state, STATE_BIND_POLICY, "a/"), 2);
	assert_int_equal(state_lower(state, STATE_BIND_POLICY, "b/"), ARRAY_SIZE(keys));
	state_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_count_is_no_change),
		cmocka_unit_test(all_that_counts_is_a_change),
		cmocka_unit_test(list_takes_away_what_is_not_in_it),
		cmocka_unit_test(removal_needs_no_more_than_the_name),
		cmocka_unit_test(rejected_object_is_named_until_it_is_gone),
		cmocka_unit_test(cluster_policy_stands_until_it_can_be_read_again),
		cmocka_unit_test(what_was_too_large_may_be_any_of_them),
		cmocka_unit_test(order_is_that_of_the_keys),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}

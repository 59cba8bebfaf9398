// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of the node's file, and what it decides. */
#include "cluster.h"

static void pod_gets_what_its_namespace_grants(void **unused)
{
	struct state *state = state_new();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set(state, STATE_NAMESPACE, NAMESPACE("web", ""));
	set(state, STATE_POD, POD("web", "edge", 1, "'app': 'edge'", ""));
	set(state, STATE_POD, POD("web", "api", 2, "'app': 'api'", ""));
	set(state, STATE_BIND_POLICY,
	    POLICY("web", "https", "'matchLabels': {'app': 'edge'}",
		   "{'action': 'Grant', 'protocol': 'TCP', 'ports': [443, '8000-8100']}"));
	make(state, &cluster_config, &made);
	print_message("%s", made.text.data);
	assert_verdict(&made, bind_of(PATH_OF(1), false, 443), BC_GRANT);
	assert_verdict(&made, bind_of(PATH_OF(1) "/container", false, 8050), BC_GRANT);
	assert_verdict(&made, bind_of(PATH_OF(1), false, 444), BC_NONE);
	assert_verdict(&made, bind_of(PATH_OF(1), true, 443), BC_DENY);
	assert_verdict(&made, bind_of(PATH_OF(2), false, 443), BC_NONE);
	assert_verdict(&made, bind_of(NULL, false, 443), BC_NONE);
	state_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pod_gets_what_its_namespace_grants),
	};

	return cmocka_run_group_tests_name("intent", tests, NULL, NULL);
}

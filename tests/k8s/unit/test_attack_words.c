// SPDX-License-Identifier: GPL-2.0-or-later
/* Who chooses the words of objects with care: numbers, names, selectors and rules at the edge of what they can be. */
#include "cluster.h"

/* Of what 443 looks like after one thing or another has been made of it, nothing is. */
static void numbers_that_wrap_or_are_nearly_ports_give_nothing(void **unused)
{
	static const char *const ports[] = {
		"4294967739",
		"18446744073709552059",
		"-4294966853",
		"443.0",
		"4.43e2",
		"1e400",
		"true",
		"null",
		"[443]",
		"{'443': 1}",
		"'443 '",
		"' 443'",
		"'+443'",
		"'0443x'",
		"'0x1bb'",
		"'4_43'",
		"'443\\u0000'",
		"'４４３'",
		"'443-'",
		"'-443'",
		"'442-443-444'",
		"'442–443'",
		"'443,444'",
		"'1-65979'",
		"'4294967739'",
		"'ANY'",
		"'any '",
		"'*'",
		"''",
		"-443",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		struct state *state = small_cluster();

		setf(state, STATE_BIND_POLICY, POLICY("web", "b", "", "{'action': 'Grant', 'ports': [%s]}"), ports[i]);
		setf(state, STATE_BIND_POLICY,
		     POLICY("web", "c", "", "{'action': 'Rewrite', 'ports': [80], 'to': {'port': %s}}"), ports[i]);
		if (rejected(state, STATE_BIND_POLICY) != 2)
			fail_msg("%s is taken for a port", ports[i]);
		assert_bind(state, P1, false, 443, BC_NONE);
		assert_bind(state, P1, false, 80, BC_NONE);
		state_free(state);
	}
}

static void numbers_that_wrap_or_are_nearly_users_give_nothing(void **unused)
{
	static const char *const users[] = {
		"4294968296", "4294967295", "-1", "1000.0", "'1000'", "null", "1e3", "true"
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		struct state *state = small_cluster();

		setf(state, STATE_BIND_POLICY,
		     POLICY("web", "b", "", "{'action': 'Grant', 'ports': [443], 'runAsUser': %s}"), users[i]);
		/* One that is not there is nobody's in particular. */
		assert_int_equal(rejected(state, STATE_BIND_POLICY), strcmp(users[i], "null") != 0);
		assert_bind(state, P1, false, 443, strcmp(users[i], "null") ? BC_NONE : BC_GRANT);
		state_free(state);
	}
}

/* A watch of pods that tells of policies, and every other mix of them. */
static void object_of_another_kind_is_none_of_this(void **unused)
{
	static const char *const texts[] = {
		POD("web", "edge", 9, "'app': 'edge'", HOST),
		NAMESPACE("web", "'team': 'b'"),
		POLICY("web", "edge", "", GRANT("22")),
		CLUSTER("edge", "'ceiling': [{'ports': ['any']}], 'allowHostNetwork': true"),
	};

	(void)unused;
	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++) {
		struct state *state = small_cluster();

		set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
		for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
			if (i != kind && (i != STATE_POD || kind != STATE_NAMESPACE))
				set(state, kind, texts[i]);
		assert_bind(state, PATH_OF(9), true, 22, BC_NONE);
		assert_bind(state, P2, true, 22, BC_NONE);
		assert_bind(state, P2, true, 443, BC_NONE);
		assert_bind(state, PATH_OF(3), false, 443, BC_NONE);
		state_free(state);
	}
}

/* A server that gives a uid twice: nobody can tell whose the cgroup is. */
static void uid_of_another_pod_gives_neither_anything(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("dns", "b", "", GRANT("53")));
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
	assert_bind(state, P1, false, 443, BC_GRANT);
	set(state, STATE_POD, POD("dns", "twin", 1, "", ""));
	assert_bind(state, P1, false, 443, BC_NONE);
	assert_bind(state, P1, false, 53, BC_NONE);
	assert_bind(state, PATH_OF(3), false, 53, BC_GRANT);
	state_free(state);
}

/* "web" and "web-a" lie beside each other in any order, and behind "web" stands what a name can go on with. */
static void namespace_named_nearly_alike_gets_nothing(void **unused)
{
	static const char *const names[] = { "we", "web-a", "web0", "webb", "w" };
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'web'}}, 'ceiling': "
			 "[{'ports': [443]}], 'allowHostNetwork': true"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		setf(state, STATE_NAMESPACE,
		     "{'metadata': {'name': '%s', 'labels': {'kubernetes.io/metadata.name': '%s'}}}", names[i],
		     names[i]);
		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': '%s', 'name': 'b'}, 'spec': {'podSelector': {}, 'rules': [" GRANT(
			     "443") "]}}",
		     names[i]);
		setf(state, STATE_POD,
		     "{'metadata': {'namespace': '%s', 'name': 'p', 'uid': '00000000-0000-4000-8000-10000000000%zu', "
		     "'labels': {'kubernetes.io/metadata.name': 'web'}}, 'spec': {'nodeName': 'n1', 'hostNetwork': "
		     "true}, "
		     "'status': {'qosClass': 'Guaranteed'}}",
		     names[i], i);
	}
	assert_bind(state, P1, false, 443, BC_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[80];

		snprintf(path, sizeof(path), "/kubepods/pod00000000-0000-4000-8000-10000000000%zu", i);
		assert_bind(state, path, true, 443, BC_NONE);
	}
	state_free(state);
}

/* What matches what is not there stays within the namespace, and a pod without labels is one like others. */
static void selectors_by_what_is_absent_reach_no_other_namespace(void **unused)
{
	static const char *const selectors[] = {
		"",
		"'matchExpressions': [{'key': 'x', 'operator': 'DoesNotExist'}]",
		"'matchExpressions': [{'key': 'app', 'operator': 'NotIn', 'values': ['', 'none']}]",
		"'matchExpressions': [{'key': 'app', 'operator': 'NotIn', 'values': ['none']}, {'key': 'kubernetes.io/"
		"metadata.name', 'operator': 'DoesNotExist'}]",
		"'matchLabels': {}, 'matchExpressions': []",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++) {
		struct state *state = small_cluster();

		setf(state, STATE_BIND_POLICY,
		     "{'metadata': {'namespace': 'dns', 'name': 'b'}, 'spec': {'podSelector': {%s}, 'rules': [" GRANT(
			     "443") ", " DENY("8080") "]}}",
		     selectors[i]);
		assert_bind(state, PATH_OF(3), false, 443, BC_GRANT);
		assert_bind(state, P1, false, 443, BC_NONE);
		assert_bind(state, P1, false, 8080, BC_NONE);
		assert_bind(state, P2, true, 8080, BC_NONE);
		state_free(state);
	}
}

/* 443 in ten ways, of which each is as near as can be to another port, protocol or address. */
static void edges_of_a_ceiling_are_where_it_says(void **unused)
{
	static const struct {
		const char *ceiling, *rule;
		unsigned port;
		enum bc_verdict verdict;
	} rows[] = {
		{ "{'ports': ['444-65535']}", "'ports': ['any']", 443, BC_NONE },
		{ "{'ports': ['444-65535']}", "'ports': ['any']", 65535, BC_GRANT },
		{ "{'ports': ['444-65535']}", "'ports': ['any']", 0, BC_NONE },
		{ "{'ports': ['1-65535']}", "'ports': ['any']", 0, BC_NONE },
		{ "{'ports': ['any']}", "'ports': ['any']", 0, BC_GRANT },
		{ "{'ports': ['1-442', '444-65535']}", "'ports': ['1-65535']", 443, BC_NONE },
		{ "{'ports': ['1-442', '444-65535']}", "'ports': ['442-444']", 444, BC_GRANT },
		{ "{'ports': [443], 'protocol': 'UDP'}", "'ports': [443]", 443, BC_NONE },
		{ "{'ports': [443], 'protocol': 'UDP'}, {'ports': [443], 'protocol': 'TCP'}", "'ports': [443]", 443,
		  BC_GRANT },
		{ "{'ports': [443], 'protocol': 'UDP'}", "'ports': [443], 'protocol': 'TCP'", 443, BC_NONE },
		{ "{'ports': [443], 'addresses': ['0.0.0.1/32']}", "'ports': [443]", 443, BC_NONE },
		{ "{'ports': [443], 'addresses': ['::/0']}", "'ports': [443]", 443, BC_NONE },
		{ "{'ports': [443], 'addresses': ['::/0']}", "'ports': [443], 'addresses': ['::ffff:0.0.0.0']", 443,
		  BC_NONE },
		{ "{'ports': [443], 'addresses': ['0.0.0.0/1']}", "'ports': [443], 'addresses': ['0.0.0.0/0']", 443,
		  BC_GRANT },
		{ "{'ports': [443], 'addresses': ['128.0.0.0/1']}", "'ports': [443], 'addresses': ['0.0.0.0/0']", 443,
		  BC_NONE },
		{ "", "'ports': [443]", 443, BC_NONE },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct state *state = small_cluster();

		setf(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'ceiling': [%s], 'allowHostNetwork': true"),
		     rows[i].ceiling);
		setf(state, STATE_BIND_POLICY, POLICY("web", "b", "", "{'action': 'Grant', %s}"), rows[i].rule);
		assert_bind(state, P1, false, rows[i].port, rows[i].verdict);
		assert_bind(state, P2, true, rows[i].port, rows[i].verdict);
		state_free(state);
	}
}

/* A rewrite needs no capability where it leads to, so it leads nowhere that its pods could not have been given. */
static void rewrite_leads_out_of_no_ceiling(void **unused)
{
	static const struct {
		const char *to;
		bool in;
	} rows[] = {
		{ "'port': 8080", true },
		{ "'port': 8079", false },
		{ "'address': '10.0.0.1', 'port': 8080", true },
		{ "'address': '10.0.1.1', 'port': 8080", false },
		{ "'address': '::ffff:10.0.0.1', 'port': 8080", true },
		{ "'address': '::ffff:10.0.1.1', 'port': 8080", false },
		/* These take ports at all addresses. */
		{ "'address': '0.0.0.0', 'port': 8080", false },
		{ "'address': '::', 'port': 8080", false },
		{ "'address': '::10.0.0.1', 'port': 8080", false },
		{ "'address': '10.0.0.1'", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct state *state = small_cluster();
		_cleanup_(made_done) struct made made = {};
		struct bc_question question;

		set(state, STATE_CLUSTER_POLICY,
		    CLUSTER("c",
			    "'ceiling': [{'ports': [8080], 'addresses': ['10.0.0.0/24']}], 'allowHostNetwork': true"));
		setf(state, STATE_BIND_POLICY,
		     POLICY("web", "b", "", "{'action': 'Rewrite', 'ports': [80], 'to': {%s, 'hidden': true}}"),
		     rows[i].to);
		make(state, &cluster_config, &made);
		question = ask(1000, 80, "10.0.0.1");
		question.cgroup = P2;
		assert_verdict(&made, question, rows[i].in ? BC_REWRITE : BC_NONE);
		state_free(state);
	}
}

/*
 * A dual-stack socket at [::] takes 0.0.0.0 with it wherever it is led. That one address of it is asked about by a rewrite
 * takes nothing from what holds of the other.
 */
static void rewrite_of_one_wildcard_takes_no_other_along(void **unused)
{
#define V4 "'addresses': ['0.0.0.0']"
#define V6 "'addresses': ['::']"
#define TO(port) "'action': 'Rewrite', 'to': {'port': " port "}, 'ports': "
#define GIVEN "'action': 'Grant', 'ports': "
#define DENIED "'rules': [{'action': 'Deny', 'ports': "
#define CEILING(a, b) "'allowHostNetwork': true, 'ceiling': [" a ", " b "]"
	static const struct {
		const char *cluster, *first, *second;
		unsigned port;
		bool led;
	} rows[] = {
		{ DENIED "[8080], 'addresses': ['0.0.0.0/0']}]", TO("8080") "[80], " V6, GIVEN "[80], " V4, 80, false },
		{ DENIED "[8080], 'addresses': ['::/0']}]", TO("8080") "[80], " V4, GIVEN "[80], " V6, 80, false },
		{ DENIED "[8080], " V4 "}]", TO("8080") "[80], 'addresses': ['::/1']", GIVEN "[80], " V4, 80, false },
		{ DENIED "[8080], " V6 "}]", TO("8080") "[80], 'addresses': ['0.0.0.0/7']", GIVEN "[80], " V6, 80,
		  false },
		/* Of two rewrites the first holds for both. */
		{ DENIED "[8080], " V6 "}]", TO("8080") "[80], " V4, TO("9090") "[80], " V6, 80, false },
		{ DENIED "[8080], " V4 "}]", TO("8080") "[80], " V6, TO("9090") "[80], " V4, 80, false },
		{ DENIED "[8081], " V4 "}]", TO("8080") "[80], " V6, GIVEN "[80], " V4, 80, true },
		{ DENIED "[8080], 'addresses': ['10.0.0.0/8']}]", TO("8080") "[80], " V6, GIVEN "[80], " V4, 80, true },
		{ CEILING("{'ports': [443], 'addresses': ['::/0']}", "{'ports': [8443], 'addresses': ['0.0.0.0/0']}"),
		  TO("443") "[8443], " V6, GIVEN "[8443], " V4, 8443, false },
		{ CEILING("{'ports': [443], 'addresses': ['0.0.0.0/0']}", "{'ports': [8443], 'addresses': ['::/0']}"),
		  TO("443") "[8443], " V4, GIVEN "[8443], " V6, 8443, false },
		/* The ceiling alone makes it be about one of them. */
		{ CEILING("{'ports': [443], 'addresses': ['::/0']}", "{'ports': [8443], 'addresses': ['0.0.0.0/0']}"),
		  TO("443") "[8443]", GIVEN "[8443], " V4, 8443, false },
		{ CEILING("{'ports': [443], " V6 "}, {'ports': [443], 'protocol': 'UDP', " V4 "}",
			  "{'ports': [8443], " V4 "}"),
		  TO("443") "[8443], " V6, GIVEN "[8443], " V4, 8443, false },
		{ CEILING("{'ports': [443], " V6 "}, {'ports': [443], 'protocol': 'TCP', " V4 "}",
			  "{'ports': [8443], " V4 "}"),
		  TO("443") "[8443], " V6, GIVEN "[8443], " V4, 8443, true },
		{ CEILING("{'ports': [443], 'addresses': ['::/0']}", "{'ports': [443], 'addresses': ['0.0.0.0/0']}"),
		  TO("443") "[8443]", TO("443") "[9443]", 8443, true },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct state *state = small_cluster();
		_cleanup_(made_done) struct made made = {};
		struct bc_question question = ask(1000, rows[i].port, "::");

		setf(state, STATE_CLUSTER_POLICY, CLUSTER("c", "%s"), rows[i].cluster);
		setf(state, STATE_BIND_POLICY, POLICY("web", "b", "", "{%s}, {%s}"), rows[i].first, rows[i].second);
		make(state, &cluster_config, &made);
		/* What a ceiling is for is the pod on the host's network. */
		question.host_netns = strstr(rows[i].cluster, "ceiling");
		question.cgroup = question.host_netns ? P2 : P1;
		if ((ask_made(&made, &question) == BC_REWRITE) != rows[i].led)
			fail_msg("row %zu: verdict %d, in:\n%s", i, ask_made(&made, &question), made.text.data);
		state_free(state);
	}
}

/* 256 KiB, of commas, of one word, of what a terminal obeys; and items that look like others. */
static void annotation_of_any_kind_only_narrows(void **unused)
{
	_cleanup_free_ char *commas = calloc(1, 262145), *word = calloc(1, 262145);
	static const char *const odd[] = { "443/tcp\\n443", "443\\u202e/udp", "４４３", "443/TCP,",
					   "any/sctp",	    "443\\u0085",     "443;80" };
	struct state *state = small_cluster();

	(void)unused;
	memset(commas, ',', 262144);
	memset(word, '4', 262144);
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
	for (size_t i = 0; i < ARRAY_SIZE(odd) + 2; i++) {
		const char *text = i < ARRAY_SIZE(odd) ? odd[i] : i == ARRAY_SIZE(odd) ? commas : word;
		_cleanup_(made_done) struct made made = {};

		setf(state, STATE_POD,
		     "{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(
			     1) "', 'annotations': {'" OBJECT_PORTS "': '%s'}}, 'spec': "
				"{'nodeName': 'n1'}, "
				"'status': "
				"{'qosClass': "
				"'Guaranteed'}}",
		     text);
		make(state, &cluster_config, &made);
		assert_verdict(&made, bind_of(P1, false, 443), BC_NONE);
		for (size_t k = 0; k < made.findings.n; k++) {
			const char *said = made.findings.items[k].text;

			assert_true(strlen(said) < 512);
			/* Nothing that turns a line around, or ends it. */
			assert_null(strstr(said, "\xe2\x80\xae"));
			assert_null(strstr(said, "\xc2\x85"));
			assert_null(strchr(said, '\n'));
		}
	}
	state_free(state);
}

/* What they only try out must not keep anybody from what is in force. */
static void audit_of_an_editor_lifts_nothing(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'rules': [" DENY("'8000-8999'") "]"));
	set(state, STATE_BIND_POLICY,
	    "{'metadata': {'namespace': 'web', 'name': 'b'}, 'spec': {'podSelector': {}, 'mode': 'Audit', 'rules': "
	    "[" DENY("8080") ", " GRANT("8080") ", " GRANT("443") "]}}");
	assert_bind(state, P1, false, 8080, BC_DENY);
	assert_bind(state, P1, false, 443, BC_NONE);
	state_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_that_wrap_or_are_nearly_ports_give_nothing),
		cmocka_unit_test(numbers_that_wrap_or_are_nearly_users_give_nothing),
		cmocka_unit_test(object_of_another_kind_is_none_of_this),
		cmocka_unit_test(uid_of_another_pod_gives_neither_anything),
		cmocka_unit_test(namespace_named_nearly_alike_gets_nothing),
		cmocka_unit_test(selectors_by_what_is_absent_reach_no_other_namespace),
		cmocka_unit_test(edges_of_a_ceiling_are_where_it_says),
		cmocka_unit_test(rewrite_leads_out_of_no_ceiling),
		cmocka_unit_test(rewrite_of_one_wildcard_takes_no_other_along),
		cmocka_unit_test(annotation_of_any_kind_only_narrows),
		cmocka_unit_test(audit_of_an_editor_lifts_nothing),
	};

	return cmocka_run_group_tests_name("attack_words", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of the node's file, and what it decides. */
#include "cluster.h"

static void pod_gets_what_its_namespace_grants(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set(state, STATE_POD, POD("web", "api", 4, "'app': 'api'", ""));
	set(state, STATE_BIND_POLICY,
	    POLICY("web", "https", "'matchLabels': {'app': 'edge'}",
		   "{'action': 'Grant', 'protocol': 'TCP', 'ports': [443, '8000-8100']}"));
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 443), BC_GRANT);
	assert_verdict(&made, bind_of(P1 "/container", false, 8050), BC_GRANT);
	assert_verdict(&made, bind_of(P1, false, 444), BC_NONE);
	/* Not on the node's network, whoever hands the socket over. */
	assert_verdict(&made, bind_of(P1, true, 443), BC_DENY);
	/* Nor to a pod on the node's network, to another pod, to one of another namespace, or to anybody else. */
	assert_verdict(&made, bind_of(P2, true, 443), BC_NONE);
	assert_verdict(&made, bind_of(PATH_OF(3), false, 443), BC_NONE);
	assert_verdict(&made, bind_of(PATH_OF(4), false, 443), BC_NONE);
	assert_verdict(&made, bind_of("/kubepods", false, 443), BC_NONE);
	assert_verdict(&made, bind_of(NULL, true, 443), BC_NONE);
	assert_int_equal(made.counts.pods, 4);
	assert_int_equal(made.counts.pods_ruled, 1);
	assert_finding(&made.findings, FINDING_WARNING, "BindPolicy", "web", "https",
		       "spec.rules[0]: no ClusterBindPolicy allows any of it to pods on the host's network");
	state_free(state);
}

static void text_is_what_the_manual_shows(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set(state, STATE_BIND_POLICY,
	    POLICY("web", "https", "", "{'action': 'Grant', 'protocol': 'TCP', 'ports': [443]}"));
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("edges",
		    "'ceiling': [{'ports': [443]}], 'allowHostNetwork': true, 'reservedPorts': [{'ports': [443]}]"));
	make(state, &cluster_config, &made);
	assert_string_equal(made.text.data,
			    "# Written by bindctl-agent, and written again whenever the cluster's policy changes.\n"
			    "\n# Reserved ports\n"
			    "deny port 443 # ClusterBindPolicy edges\n"
			    "\n# Pod web/edge\n"
			    "grant cgroup " P1 " port 443 proto tcp netns any # BindPolicy web/https\n"
			    "deny cgroup " P1 " port 443 proto tcp # BindPolicy web/https\n"
			    "\n# Pod web/host\n"
			    "grant cgroup " P2 " port 443 proto tcp # BindPolicy web/https\n");
	state_free(state);
}

static void ceiling_is_the_most_a_namespace_may_give(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443, '8000-8100'")));
	assert_bind(state, P1, false, 8050, BC_GRANT);
	assert_bind(state, P2, true, 443, BC_NONE);
	/* One that selects another namespace is none for this. */
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'namespaceSelector': {'matchLabels': {'team': 'b'}}, 'ceiling': [{'ports': [1]}]"));
	assert_bind(state, P1, false, 8050, BC_GRANT);
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'ceiling': [{'ports': ['443-8049']}]"));
	assert_bind(state, P1, false, 443, BC_GRANT);
	assert_bind(state, P1, false, 8049, BC_GRANT);
	assert_bind(state, P1, false, 8050, BC_NONE);
	/* It says nothing of pods on the node's network until it says so. */
	assert_bind(state, P2, true, 443, BC_NONE);
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'ceiling': [{'ports': ['443-8049']}], 'allowHostNetwork': true"));
	assert_bind(state, P2, true, 443, BC_GRANT);
	assert_bind(state, P2, true, 8050, BC_NONE);
	/* Ceilings add up; one that is empty allows nothing. */
	set(state, STATE_CLUSTER_POLICY, CLUSTER("d", "'ceiling': [{'ports': [8050], 'protocol': 'UDP'}]"));
	assert_bind(state, P1, false, 8050, BC_NONE);
	set(state, STATE_CLUSTER_POLICY, CLUSTER("d", "'ceiling': [{'ports': [8050]}]"));
	assert_bind(state, P1, false, 8050, BC_GRANT);
	assert_bind(state, P2, true, 8050, BC_NONE);
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'ceiling': []"));
	assert_bind(state, P1, false, 443, BC_NONE);
	unset(state, STATE_CLUSTER_POLICY, "{'metadata': {'name': 'd'}}");
	assert_bind(state, P1, false, 8050, BC_NONE);
	assert_said(state, FINDING_WARNING, "BindPolicy", "web", "b",
		    "the ceiling of the ClusterBindPolicies leaves nothing");
	state_free(state);
}

/* The narrower rule decides in the kernel: what is cut to be narrow must not pass for it. */
static void what_is_cut_stands_where_it_stood(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("'8000-8100'") ", " DENY("'8000-8049'")));
	assert_bind(state, P1, false, 8000, BC_DENY);
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'ceiling': [{'ports': ['8000-8001']}, {'ports': ['8050-8060']}]"));
	assert_bind(state, P1, false, 8000, BC_DENY);
	assert_bind(state, P1, false, 8050, BC_GRANT);
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': ['8002-8099']}]"));
	assert_bind(state, P1, false, 8000, BC_DENY);
	assert_bind(state, P1, false, 8100, BC_GRANT);
	/* And a grant that stood before a deny still does. */
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("8000") ", " DENY("'any'")));
	assert_bind(state, P1, false, 8000, BC_GRANT);
	assert_bind(state, P1, false, 8001, BC_DENY);
	assert_bind(state, P1, false, 0, BC_DENY);
	state_free(state);
}

static void cluster_deny_wins_over_what_is_narrower(void **unused)
{
	struct state *state = small_cluster();
	struct bc_question question;

	(void)unused;
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': ['1-1023']}]"));
	set(state, STATE_BIND_POLICY,
	    POLICY("web", "b", "",
		   "{'action': 'Grant', 'ports': [443], 'protocol': 'TCP', 'addresses': ['0.0.0.0/32'], 'runAsUser': "
		   "1000}, "
		   "{'action': 'Rewrite', 'ports': [444], 'to': {'port': 8444}}, "
		   "{'action': 'Rewrite', 'ports': [8443], 'to': {'port': 443}}, "
		   "{'action': 'Allow', 'ports': [445]}, " GRANT("1024")));
	for (unsigned port = 443; port <= 445; port++)
		assert_bind(state, P1, false, port, BC_DENY);
	assert_bind(state, P1, false, 1024, BC_GRANT);
	/* Nor is one led to what is denied. */
	assert_bind(state, P1, false, 8443, BC_NONE);
	assert_bind(state, P2, true, 443, BC_DENY);
	assert_bind(state, PATH_OF(3), false, 443, BC_DENY);
	assert_bind(state, NULL, true, 443, BC_NONE);
	assert_said(state, FINDING_NOTE, "BindPolicy", "web", "b",
		    "spec.rules[0]: ClusterBindPolicy c denies it, or a part");
	assert_said(state, FINDING_WARNING, "BindPolicy", "web", "b",
		    "spec.rules[2].to: leads to what a ClusterBindPolicy");
	/* Of one user alone. */
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': [1024], 'runAsUser': 0}]"));
	assert_bind(state, P1, false, 1024, BC_GRANT);
	{
		_cleanup_(made_done) struct made made = {};

		make(state, &cluster_config, &made);
		question = bind_of(P1, false, 1024);
		question.uid = 0;
		assert_verdict(&made, question, BC_DENY);
	}
	state_free(state);
}

/* Of all ports but some, the rest has a name but for port 0. */
static void rewrite_of_any_port_is_cut_at_either_end(void **unused)
{
	static const char *const denied[] = { "1", "'1-5'", "'65530-65535'", "'any'", "'1-65535'", "80" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
		static const unsigned ports[] = { 0, 1, 5, 6, 80, 81, 65529, 65530, 65535 };
		struct state *state = small_cluster();
		_cleanup_(made_done) struct made made = {};
		unsigned first = 0, last = 65535;

		set(state, STATE_BIND_POLICY,
		    POLICY("web", "b", "", "{'action': 'Rewrite', 'ports': ['any'], 'to': {'address': '127.0.0.1'}}"));
		/* Another user's, so that it is no deny of the bind itself. */
		setf(state, STATE_CLUSTER_POLICY,
		     CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': [%s], 'runAsUser': 7}]"), denied[i]);
		make(state, &cluster_config, &made);
		if (sscanf(denied[i], "'%u-%u'", &first, &last) != 2 && sscanf(denied[i], "%u", &first) == 1)
			last = first;
		for (size_t k = 0; k < ARRAY_SIZE(ports); k++)
			assert_verdict(&made, bind_of(P1, false, ports[k]),
				       !ports[k] || (first <= ports[k] && ports[k] <= last) ? BC_NONE : BC_REWRITE);
		state_free(state);
	}
}

static void annotation_narrows_and_never_grants(void **unused)
{
	static const char text[] = "{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(
		1) "', 'annotations': {'" OBJECT_PORTS
		   "': '%s'}}, 'spec': {'nodeName': 'n1'}, 'status': {'qosClass': 'Guaranteed'}}";
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443, 80") ", " DENY("81")));
	setf(state, STATE_POD, text, "443/tcp,8443");
	assert_bind(state, P1, false, 443, BC_GRANT);
	assert_bind(state, P1, false, 80, BC_NONE);
	assert_bind(state, P1, false, 8443, BC_NONE);
	assert_bind(state, P1, false, 81, BC_DENY);
	setf(state, STATE_POD, text, "443/tcp,\\n443");
	assert_bind(state, P1, false, 443, BC_NONE);
	assert_bind(state, P1, false, 81, BC_DENY);
	assert_said(state, FINDING_WARNING, "Pod", "web", "edge", "metadata.annotations.bindctl.io/ports: ");
	setf(state, STATE_POD, text, "22");
	assert_said(state, FINDING_NOTE, "BindPolicy", "web", "b",
		    "the annotation bindctl.io/ports of a pod leaves nothing");
	state_free(state);
}

static void audit_only_reports(void **unused)
{
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};
	struct bc_question question = bind_of(P1, false, 443);
	struct bc_answer answer = {};
	bool audited = false;

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
	set(state, STATE_BIND_POLICY,
	    "{'metadata': {'namespace': 'web', 'name': 'a'}, 'spec': {'podSelector': {}, 'mode': 'Audit', 'rules': "
	    "[" GRANT("80") ", " DENY("81") "]}}");
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'mode': 'Audit', 'rules': [{'action': 'Deny', 'ports': ['any']}], 'reservedPorts': "
			 "[{'ports': [22]}]"));
	make(state, &cluster_config, &made);
	assert_int_equal(bc_decide_image(&made.image, &question, &answer), 0);
	for (size_t i = 0; i < answer.ntried; i++)
		audited |= answer.tried[i].failed == BC_TRIED_AUDITS;
	assert_true(audited && answer.verdict == BC_GRANT);
	bc_answer_done(&answer);
	assert_verdict(&made, bind_of(P1, false, 80), BC_NONE);
	assert_verdict(&made, bind_of(P1, false, 81), BC_NONE);
	assert_verdict(&made, bind_of(NULL, true, 22), BC_NONE);
	assert_finding(&made.findings, FINDING_NOTE, "BindPolicy", "web", "a",
		       "spec.mode: is Audit, so spec.rules[0] gives");
	state_free(state);
}

static void reserved_ports_are_everyones_on_the_node(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c",
		    "'namespaceSelector': {'matchLabels': {'team': 'nobody'}}, 'reservedPorts': [{'ports': [10250], "
		    "'protocol': 'TCP'}]"));
	assert_bind(state, NULL, true, 10250, BC_DENY);
	assert_bind(state, "/system.slice/sshd.service", true, 10250, BC_DENY);
	assert_bind(state, P2, true, 10250, BC_DENY);
	assert_bind(state, P1, false, 10250, BC_NONE);
	/* A grant of a pod with a network of its own is none on the node's; neither is an Allow. */
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", "{'action': 'Allow', 'ports': [10250]}"));
	assert_bind(state, P1, true, 10250, BC_DENY);
	assert_bind(state, P2, true, 10250, BC_DENY);
	set(state, STATE_CLUSTER_POLICY, CLUSTER("d", "'allowHostNetwork': true, 'ceiling': [{'ports': [10250]}]"));
	assert_bind(state, P2, true, 10250, BC_ALLOW);
	state_free(state);
}

static void equal_rules_that_disagree_are_named(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "a", "", GRANT("443")));
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("80") ", " DENY("443")));
	assert_bind(state, P1, false, 443, BC_DENY);
	assert_said(
		state, FINDING_WARNING, "BindPolicy", "web", "a",
		"spec.rules[0]: conflicts with spec.rules[1] of BindPolicy web/b, which is as specific and decides");
	state_free(state);
}

static void users_of_the_pods_own_are_not_the_nodes(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_POD, POD("web", "edge", 1, "", ", 'hostUsers': false"));
	set(state, STATE_BIND_POLICY,
	    POLICY("web", "b", "",
		   "{'action': 'Grant', 'ports': [443], 'runAsUser': 1000}, {'action': 'Deny', 'ports': [80], "
		   "'runAsUser': 5}"));
	assert_bind(state, P1, false, 443, BC_NONE);
	assert_bind(state, P1, false, 80, BC_DENY);
	assert_said(state, FINDING_WARNING, "BindPolicy", "web", "b",
		    "spec.rules[0].runAsUser: gives nothing to pods with");
	assert_said(state, FINDING_WARNING, "BindPolicy", "web", "b",
		    "spec.rules[1].runAsUser: pods with users of their own");
	set(state, STATE_CLUSTER_POLICY, CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': [81], 'runAsUser': 5}]"));
	assert_bind(state, P1, false, 81, BC_DENY);
	assert_said(state, FINDING_WARNING, "ClusterBindPolicy", "", "c", "spec.rules[0].runAsUser: pods with users");
	state_free(state);
}

#define MIRROR(ns, name, digit)                                                                                     \
	"{'metadata': {'namespace': '" ns "', 'name': '" name                                                       \
	"', 'uid': '" UID_OF(digit) "', 'annotations': {'" OBJECT_MIRROR                                            \
				    "': '0123456789abcdef0123456789abcdef'}, 'ownerReferences': [{'kind': 'Node', " \
				    "'name': 'n1'}]}, "                                                             \
				    "'spec': {'nodeName': 'n1'}, 'status': {'qosClass': 'Guaranteed'}}"
#define HASH_PATH "/kubepods/pod0123456789abcdef0123456789abcdef"

static void nobody_gets_the_cgroup_of_a_static_pod(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_NAMESPACE, NAMESPACE("kube-system", ""));
	set(state, STATE_BIND_POLICY, POLICY("kube-system", "b", "", GRANT("443")));
	set(state, STATE_BIND_POLICY, POLICY("dns", "b", "", GRANT("444") ", " DENY("443")));
	set(state, STATE_POD, MIRROR("kube-system", "proxy", 5));
	assert_bind(state, HASH_PATH, false, 443, BC_GRANT);
	/* Another claims to be the same: neither is given anything, or denied by its namespace. */
	set(state, STATE_POD, MIRROR("dns", "forged", 6));
	assert_bind(state, HASH_PATH, false, 443, BC_NONE);
	assert_bind(state, HASH_PATH, false, 444, BC_NONE);
	assert_said(state, FINDING_WARNING, "Pod", "dns", "forged", "the same static pod as kube-system/proxy");
	assert_said(state, FINDING_WARNING, "Pod", "kube-system", "proxy", "the same static pod as dns/forged");
	/* What the cluster denies either of them is denied. */
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'namespaceSelector': {'matchLabels': {'team': 'b'}}, 'rules': [{'action': 'Deny', 'ports': "
			 "[53]}]"));
	assert_bind(state, HASH_PATH, false, 53, BC_DENY);
	/* One that nothing speaks for is a pod like others, but is given nothing. */
	set(state, STATE_POD,
	    "{'metadata': {'namespace': 'dns', 'name': 'forged', 'uid': '" UID_OF(
		    6) "', 'annotations': {'" OBJECT_MIRROR
		       "': '0123456789abcdef0123456789abcdef'}}, 'spec': {'nodeName': 'n1'}, 'status': {'qosClass': "
		       "'Guaranteed'}}");
	assert_bind(state, HASH_PATH, false, 443, BC_GRANT);
	assert_bind(state, HASH_PATH, false, 53, BC_NONE);
	assert_bind(state, PATH_OF(6), false, 444, BC_NONE);
	assert_bind(state, PATH_OF(6), false, 53, BC_DENY);
	assert_said(state, FINDING_REJECTED, "Pod", "dns", "forged",
		    "metadata.annotations.kubernetes.io/config.mirror: ");
	state_free(state);
}

static void pods_that_are_not_here_get_nothing(void **unused)
{
	static const char *const texts[] = {
		"{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(
			1) "'}, 'spec': {'nodeName': 'n2'}}",
		"{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(1) "'}, 'spec': {}}",
		"{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(
			1) "'}, 'spec': {'nodeName': 'n1'}, 'status': {'phase': 'Succeeded', 'qosClass': "
			   "'Guaranteed'}}",
		"{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(
			1) "'}, 'spec': {'nodeName': 'n1'}, 'status': {'phase': 'Failed', 'qosClass': 'Guaranteed'}}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct state *state = small_cluster();

		set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
		assert_bind(state, P1, false, 443, BC_GRANT);
		set(state, STATE_POD, texts[i]);
		assert_bind(state, P1, false, 443, BC_NONE);
		state_free(state);
	}
}

static void pod_of_an_unknown_namespace_is_given_nothing(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'namespaceSelector': {'matchLabels': {'team': 'z'}}, 'rules': [{'action': 'Deny', 'ports': "
			 "[53]}]"));
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("d", "'podSelector': {'matchLabels': {'app': 'z'}}, 'rules': [{'action': 'Deny', 'ports': [54]}]"));
	assert_bind(state, P1, false, 53, BC_NONE);
	unset(state, STATE_NAMESPACE, NAMESPACE("web", ""));
	assert_bind(state, P1, false, 443, BC_NONE);
	assert_bind(state, P1, false, 53, BC_DENY);
	assert_bind(state, P1, false, 54, BC_NONE);
	assert_said(
		state, FINDING_NOTE, "Pod", "web", "edge",
		"its namespace is not known: it is given nothing, and denied what any ClusterBindPolicy denies that "
		"selects it by its own labels");
	state_free(state);
}

static void pod_is_looked_for_wherever_it_may_be(void **unused)
{
	static const char *const paths[] = {
		"/kubelet/kubepods/pod" UID_OF(1), "/kubelet/kubepods/burstable/pod" UID_OF(1),
		"/kubelet/kubepods/besteffort/pod" UID_OF(1),
		"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
		"kubelet-kubepods-burstable-pod00000000_0000_4000_8000_000000000001.slice"
	};
	const struct intent_config both = { NODE, { "/kubelet", PODPATH_SYSTEMD | PODPATH_CGROUPFS } };
	struct state *state = small_cluster();
	_cleanup_(made_done) struct made made = {};

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
	set(state, STATE_POD,
	    "{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(1) "'}, 'spec': {'nodeName': 'n1'}}");
	make(state, &both, &made);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_verdict(&made, bind_of(paths[i], false, 443), BC_GRANT);
	assert_int_equal(made.counts.rules, 6 * 2);
	state_free(state);
}

static void doubtful_pod_is_denied_what_any_policy_denies(void **unused)
{
	struct state *state = small_cluster();

	(void)unused;
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443")));
	set(state, STATE_CLUSTER_POLICY,
	    CLUSTER("c", "'podSelector': {'matchLabels': {'app': 'z'}}, 'rules': [{'action': 'Deny', 'ports': [53]}]"));
	assert_bind(state, P1, false, 53, BC_NONE);
	set(state, STATE_POD, POD("web", "edge", 1, "'app': 'a\\nb'", ""));
	assert_bind(state, P1, false, 53, BC_DENY);
	assert_bind(state, P1, false, 443, BC_NONE);
	state_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pod_gets_what_its_namespace_grants),
		cmocka_unit_test(text_is_what_the_manual_shows),
		cmocka_unit_test(ceiling_is_the_most_a_namespace_may_give),
		cmocka_unit_test(what_is_cut_stands_where_it_stood),
		cmocka_unit_test(cluster_deny_wins_over_what_is_narrower),
		cmocka_unit_test(rewrite_of_any_port_is_cut_at_either_end),
		cmocka_unit_test(annotation_narrows_and_never_grants),
		cmocka_unit_test(audit_only_reports),
		cmocka_unit_test(reserved_ports_are_everyones_on_the_node),
		cmocka_unit_test(equal_rules_that_disagree_are_named),
		cmocka_unit_test(users_of_the_pods_own_are_not_the_nodes),
		cmocka_unit_test(nobody_gets_the_cgroup_of_a_static_pod),
		cmocka_unit_test(pods_that_are_not_here_get_nothing),
		cmocka_unit_test(pod_of_an_unknown_namespace_is_given_nothing),
		cmocka_unit_test(pod_is_looked_for_wherever_it_may_be),
		cmocka_unit_test(doubtful_pod_is_denied_what_any_policy_denies),
	};

	return cmocka_run_group_tests_name("intent", tests, NULL, NULL);
}

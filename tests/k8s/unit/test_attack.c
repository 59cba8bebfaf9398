// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may make pods in one namespace, and wants to get away from what the cluster denies, or at what others have. */
#include "cluster.h"

#define DENY_80 CLUSTER("c", "'rules': [{'action': 'Deny', 'ports': [80]}]")
#define CRIT(name) CLUSTER(name, "'namespaceSelector': {'matchLabels': {'team': 'b'}}, 'rules': [" DENY("81") "]")
#define OBJECT(ns, name) "{'metadata': {'namespace': '" ns "', 'name': '" name "'}}"

/* The small cluster, where port 80 is denied to all, 81 to team b, and web grants 443 and 80. */
static struct state *new_state(void)
{
	struct state *state = small_cluster();

	set(state, STATE_CLUSTER_POLICY, DENY_80);
	set(state, STATE_CLUSTER_POLICY, CRIT("d"));
	set(state, STATE_BIND_POLICY, POLICY("web", "b", "", GRANT("443, 80")));
	return state;
}

static bool nowhere(void *ctx, const struct pod *pod)
{
	(void)ctx;
	(void)pod;
	return false;
}

static bool everywhere(void *ctx, const struct pod *pod)
{
	(void)ctx;
	(void)pod;
	return true;
}

/* 600 KiB of labels, which the API takes and the agent does not: of the pod there are but its names and its uid. */
static void pod_that_was_never_readable_is_denied_all_the_same(void **unused)
{
	static const char *const classes[] = { "", "burstable/", "besteffort/" };
	struct state *state = new_state();
	char path[128];

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "new", UID_OF(7), "too large"), STATE_CHANGED);
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "new", UID_OF(7), "too large"), STATE_UNCHANGED);
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		snprintf(path, sizeof(path), "/kubepods/%spod" UID_OF(7), classes[i]);
		assert_bind(state, path, true, 80, BC_DENY);
		assert_bind(state, path, false, 80, BC_DENY);
		assert_bind(state, path, false, 443, BC_NONE);
		assert_bind(state, path, false, 81, BC_NONE);
	}
	assert_said(state, FINDING_REJECTED, "Pod", "web", "new", "too large; it is given nothing");
	/* When it can be read it is as any other, and is nowhere else. */
	set(state, STATE_POD, POD("web", "new", 7, "", ""));
	assert_bind(state, PATH_OF(7), false, 443, BC_GRANT);
	assert_bind(state, path, false, 80, BC_NONE);
	/* What is no uid of the API server's is no part of a path. */
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "odd", "../../x-y", "too large"), STATE_CHANGED);
	assert_int_equal(
		state_unreadable(state, STATE_POD, "web", "hash", "0123456789abcdef0123456789abcdef", "too large"),
		STATE_CHANGED);
	assert_bind(state, "/kubepods/pod0123456789abcdef0123456789abcdef", false, 80, BC_NONE);
	state_free(state);
}

static void pod_made_anew_unreadably_is_denied_too(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "edge", UID_OF(7), "too large"), STATE_CHANGED);
	assert_bind(state, PATH_OF(7), true, 80, BC_DENY);
	assert_bind(state, P1, false, 80, BC_DENY);
	assert_bind(state, P1, false, 443, BC_NONE);
	/* The same pod, which can be read no more, is where it was. */
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "host", UID_OF(2), "too large"), STATE_CHANGED);
	assert_bind(state, P2, true, 80, BC_DENY);
	assert_null(state_gone_at(state, 1));
	state_free(state);
}

#define FAILED(containers)                                                                                             \
	"{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(                                           \
		1) "'}, 'spec': {'nodeName': 'n1'}, 'status': {'qosClass': 'Guaranteed', 'phase': 'Failed'" containers \
		   "}}"
#define RUNS "{'state': {'running': {'startedAt': 'now'}}}"
#define WAITS "{'state': {'waiting': {'reason': 'ContainerCreating'}}}"
#define ENDED "{'state': {'terminated': {'exitCode': 1}}}"

/* activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 86400, and a program that does not listen. */
static void failed_pod_whose_containers_run_is_denied_what_it_was(void **unused)
{
	static const char *const running[] = {
		FAILED(""),
		FAILED(", 'containerStatuses': []"),
		FAILED(", 'containerStatuses': [" RUNS "]"),
		FAILED(", 'containerStatuses': [" ENDED ", " RUNS "]"),
		FAILED(", 'containerStatuses': [{}]"),
		/* The deadline was over while it was about to start: what it says of that is one look old. */
		FAILED(", 'containerStatuses': [" ENDED ", " WAITS "]"),
		FAILED(", 'containerStatuses': [" ENDED "], 'ephemeralContainerStatuses': [" RUNS "]"),
		FAILED(", 'containerStatuses': [" ENDED "], 'initContainerStatuses': [" RUNS "]"),
	};
	struct state *state = new_state();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(running); i++) {
		set(state, STATE_POD, running[i]);
		assert_bind(state, P1, false, 80, BC_DENY);
		assert_bind(state, P1, false, 443, BC_NONE);
	}
	set(state, STATE_POD, FAILED(", 'initContainerStatuses': [" ENDED "], 'containerStatuses': [" ENDED "]"));
	assert_bind(state, P1, false, 80, BC_NONE);
	assert_bind(state, P1, false, 443, BC_NONE);
	state_free(state);
}

/* Kubelet rejects what the node has no place for, and the object stays: somebody's Deployment makes thousands of these. */
static void failed_pod_without_a_cgroup_has_no_rules(void **unused)
{
	struct state *state = new_state();
	_cleanup_(made_done) struct made before = {}, made = {};

	(void)unused;
	make(state, &cluster_config, &before);
	set(state, STATE_POD, FAILED(""));
	assert_int_equal(state_forget(state, everywhere, NULL), STATE_UNCHANGED);
	assert_bind(state, P1, false, 80, BC_DENY);
	assert_int_equal(state_forget(state, nowhere, NULL), STATE_CHANGED);
	assert_int_equal(state_forget(state, nowhere, NULL), STATE_UNCHANGED);
	make(state, &cluster_config, &made);
	assert_verdict(&made, bind_of(P1, false, 80), BC_NONE);
	assert_null(strstr(made.text.data, "web/edge"));
	assert_int_equal(made.counts.pods, before.counts.pods - 1);
	/* What says nothing new does not make it a new one. */
	assert_int_equal(set(state, STATE_POD, FAILED("")), STATE_UNCHANGED);
	assert_int_equal(state_forget(state, nowhere, NULL), STATE_UNCHANGED);
	/* It is looked at again. */
	assert_int_equal(state_forget(state, everywhere, NULL), STATE_CHANGED);
	assert_bind(state, P1, false, 80, BC_DENY);
	assert_bind(state, P1, false, 443, BC_NONE);
	assert_int_equal(state_forget(state, nowhere, NULL), STATE_CHANGED);
	/* Of one that may begin any time nobody asks that. */
	set(state, STATE_POD, POD("web", "edge", 1, "'app': 'edge'", ""));
	assert_int_equal(state_forget(state, nowhere, NULL), STATE_UNCHANGED);
	assert_bind(state, P1, false, 443, BC_GRANT);
	state_free(state);
}

/* kubectl delete --force: the object goes at once, the processes when they like. */
static void pod_deleted_by_force_is_denied_what_it_was(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	assert_int_equal(unset(state, STATE_POD, OBJECT("web", "host")), STATE_CHANGED);
	assert_bind(state, P2, true, 80, BC_DENY);
	assert_bind(state, P2, true, 443, BC_NONE);
	assert_said(state, FINDING_NOTE, "Pod", "web", "host", "was deleted, but its cgroup is there");
	assert_int_equal(state_forget(state, everywhere, NULL), STATE_UNCHANGED);
	assert_bind(state, P2, true, 80, BC_DENY);
	assert_int_equal(state_forget(state, nowhere, NULL), STATE_CHANGED);
	assert_bind(state, P2, true, 80, BC_NONE);
	/* So it is where the object is not in a list any more. */
	state_begin_list(state, STATE_POD);
	set(state, STATE_POD, POD("dns", "other", 3, "", ""));
	assert_int_equal(state_end_list(state, STATE_POD), STATE_CHANGED);
	assert_bind(state, P1, false, 80, BC_DENY);
	assert_bind(state, P1, false, 443, BC_NONE);
	/* And when its namespace is gone, or forgets its labels, no policy is taken not to mean it. */
	unset(state, STATE_NAMESPACE, NAMESPACE("web", ""));
	assert_bind(state, P1, false, 81, BC_DENY);
	/* One that comes back is what it was. */
	set(state, STATE_NAMESPACE, NAMESPACE("web", "'team': 'a'"));
	set(state, STATE_POD, POD("web", "edge", 1, "", ""));
	assert_null(state_gone_at(state, 0));
	assert_bind(state, P1, false, 443, BC_GRANT);
	state_free(state);
}

static void pod_made_anew_under_its_name_leaves_no_hole(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	set(state, STATE_POD, POD("web", "edge", 7, "'app': 'edge'", ""));
	assert_bind(state, P1, false, 80, BC_DENY);
	assert_bind(state, P1, false, 443, BC_NONE);
	assert_bind(state, PATH_OF(7), false, 443, BC_GRANT);
	/* Nor does one that has ended stay. */
	assert_int_equal(state_forget(state, nowhere, NULL), STATE_CHANGED);
	set(state, STATE_POD, FAILED(", 'containerStatuses': [" ENDED "]"));
	unset(state, STATE_POD, OBJECT("web", "edge"));
	assert_int_equal(state_forget(state, nowhere, NULL), STATE_CHANGED);
	assert_bind(state, P1, false, 80, BC_NONE);
	state_free(state);
}

#define HASH "0123456789abcdef0123456789abcdef"
#define MIRROR(ns, name, digit)                                                                                 \
	"{'metadata': {'namespace': '" ns "', 'name': '" name "', 'uid': '" UID_OF(                             \
		digit) "', 'annotations': {'" OBJECT_MIRROR "': '" HASH                                         \
		       "'}, 'ownerReferences': [{'kind': 'Node', 'name': 'n1'}]}, 'spec': {'nodeName': 'n1'}, " \
		       "'status': {'qosClass': 'Guaranteed'}}"

/* A mirror that is deleted is no end of a static pod; and one that was forged must leave nothing to it. */
static void mirror_that_was_forged_leaves_nothing_behind(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	set(state, STATE_POD, MIRROR("web", "static", 5));
	assert_bind(state, "/kubepods/pod" HASH, false, 443, BC_GRANT);
	set(state, STATE_POD, MIRROR("dns", "forged", 6));
	assert_bind(state, "/kubepods/pod" HASH, false, 443, BC_NONE);
	assert_bind(state, "/kubepods/pod" HASH, false, 81, BC_DENY);
	unset(state, STATE_POD, OBJECT("dns", "forged"));
	assert_bind(state, "/kubepods/pod" HASH, false, 443, BC_GRANT);
	assert_bind(state, "/kubepods/pod" HASH, false, 81, BC_NONE);
	state_free(state);
}

/* The agent was away meanwhile: nothing is known of the pod but its cgroup. */
static void cgroup_of_no_pod_is_denied_what_any_policy_denies(void **unused)
{
	_cleanup_(made_done) struct made made = {};
	struct state *state = new_state();
	const size_t pods = state_count(state, STATE_POD);

	(void)unused;
	state_leftover(state, UID_OF(1));
	assert_null(state_gone_at(state, 0));
	state_leftover(state, UID_OF(9));
	assert_bind(state, PATH_OF(9), true, 80, BC_DENY);
	assert_bind(state, PATH_OF(9), true, 81, BC_DENY);
	assert_bind(state, PATH_OF(9), true, 443, BC_NONE);
	assert_said(state, FINDING_NOTE, "Pod", "", UID_OF(9), "was deleted, but its cgroup is there");
	/* It is none of the pods that are counted, and neither are rules for it. */
	make(state, &cluster_config, &made);
	assert_int_equal(made.counts.pods, pods);
	assert_int_equal(made.counts.pods_ruled, pods);
	/* It was only faster than we are. */
	set(state, STATE_POD, POD("web", "new", 9, "", ""));
	assert_bind(state, PATH_OF(9), false, 81, BC_NONE);
	assert_bind(state, PATH_OF(9), false, 443, BC_GRANT);
	/* Looked for again, it is the same one, be it one whose object was known. */
	unset(state, STATE_POD, OBJECT("web", "new"));
	state_leftover(state, UID_OF(8));
	state_leftover(state, UID_OF(8));
	state_leftover(state, UID_OF(9));
	assert_string_equal(state_gone_at(state, 0)->key, "web/new");
	assert_string_equal(state_gone_at(state, 1)->key, "/" UID_OF(8));
	assert_null(state_gone_at(state, 2));
	/* Nor does its object, when it comes and cannot be read, make it two. */
	assert_int_equal(state_unreadable(state, STATE_POD, "web", "large", UID_OF(8), "too large"), STATE_CHANGED);
	assert_null(state_gone_at(state, 1));
	/* A static pod may be there before the API server is that it is part of. */
	state_leftover(state, HASH);
	assert_bind(state, "/kubepods/pod" HASH, true, 80, BC_NONE);
	state_free(state);
}

static void class_that_nobody_knows_is_denied_in_all_of_them(void **unused)
{
	struct state *state = new_state();

	(void)unused;
	set(state, STATE_POD,
	    "{'metadata': {'namespace': 'web', 'name': 'edge', 'uid': '" UID_OF(
		    1) "'}, 'spec': {'nodeName': 'n1'}, 'status': {'qosClass': 'Best\\u0435ffort'}}");
	assert_bind(state, P1, false, 80, BC_DENY);
	assert_bind(state, "/kubepods/burstable/pod" UID_OF(1), false, 80, BC_DENY);
	assert_bind(state, "/kubepods/besteffort/pod" UID_OF(1), false, 443, BC_GRANT);
	/* Resized in place, it cannot be of another class; if it says so, the old place is nobody's. */
	set(state, STATE_POD, POD("web", "edge", 1, "", ""));
	assert_bind(state, "/kubepods/besteffort/pod" UID_OF(1), false, 443, BC_NONE);
	state_free(state);
}

/* hostPort is no bind: the node's ports that a network plugin redirects are not ours to give or deny. */
static void host_port_of_a_container_gives_and_denies_nothing(void **unused)
{
	struct state *state = new_state();
	_cleanup_(made_done) struct made before = {}, after = {};

	(void)unused;
	make(state, &cluster_config, &before);
	set(state, STATE_POD,
	    POD("web", "edge", 1, "'app': 'edge'",
		", 'containers': [{'ports': [{'hostPort': 80, 'containerPort': 8080}], 'securityContext': "
		"{'procMount': 'Unmasked'}}], 'securityContext': {'sysctls': [{'name': "
		"'net.ipv4.ip_unprivileged_port_start', 'value': '0'}]}"));
	make(state, &cluster_config, &after);
	assert_string_equal(before.text.data, after.text.data);
	state_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pod_that_was_never_readable_is_denied_all_the_same),
		cmocka_unit_test(pod_made_anew_unreadably_is_denied_too),
		cmocka_unit_test(failed_pod_whose_containers_run_is_denied_what_it_was),
		cmocka_unit_test(failed_pod_without_a_cgroup_has_no_rules),
		cmocka_unit_test(pod_deleted_by_force_is_denied_what_it_was),
		cmocka_unit_test(pod_made_anew_under_its_name_leaves_no_hole),
		cmocka_unit_test(mirror_that_was_forged_leaves_nothing_behind),
		cmocka_unit_test(cgroup_of_no_pod_is_denied_what_any_policy_denies),
		cmocka_unit_test(class_that_nobody_knows_is_denied_in_all_of_them),
		cmocka_unit_test(host_port_of_a_container_gives_and_denies_nothing),
	};

	return cmocka_run_group_tests_name("attack", tests, NULL, NULL);
}

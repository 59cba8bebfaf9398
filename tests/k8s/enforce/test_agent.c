// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent's loop calls, turn by turn: of a cluster that was listed once, its policy, and what it tells of itself. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/log.h"
#include "pods.h"

#define UID_OF(digit) "00000000-0000-4000-8000-00000000000" #digit
#define CGROUP_OF(digit) "kubepods/burstable/pod" UID_OF(digit)
#define RUNNING "\"containerStatuses\": [{\"state\": {\"running\": {}}}], "
#define POD_ON(node, name, digit, status)                                                                   \
	"{\"metadata\": {\"namespace\": \"web\", \"name\": \"" name                                         \
	"\", \"uid\": \"" UID_OF(digit) "\"}, \"spec\": {\"nodeName\": \"" node "\"}, \"status\": {" status \
					"\"qosClass\": \"Burstable\", "                                     \
					"\"phase\": \"Running\"}}"
#define DENY                                                           \
	"{\"metadata\": {\"name\": \"deny\"}, \"spec\": {\"rules\": [" \
	"{\"action\": \"Deny\", \"ports\": [8443]}]}}"

static struct agent agent;

/* The request that is under way is answered so. */
static void answer(enum state_kind kind, unsigned status, const char *body)
{
	struct reflector *reflector = agent.sources.items[kind].reflector;

	reflector_step(reflector, reflector_next(reflector));
	assert_non_null(reflector_target(reflector));
	if (!reflector_head(reflector, status, -1))
		(void)reflector_data(reflector, body, strlen(body));
	reflector_done(reflector, HTTP_COMPLETE, "");
}

static void list(enum state_kind kind, const char *items)
{
	_cleanup_(bc_text_done) struct bc_text body = {};

	bc_text_addf(&body, "{\"metadata\": {\"resourceVersion\": \"7\"}, \"items\": [%s]}", items);
	answer(kind, 200, body.data);
}

static int open_agent(void **state)
{
	static const struct options options = {};

	(void)state;
	log_setup(LOG_FORMAT_TEXT, LEVEL_ERROR);
	pods_forget();
	agent = (struct agent){
		.options = &options,
		.signals = -1,
		.pace = PACE_NONE,
		.synced = true,
		.intent = { "n1", { bed.scope, PODPATH_SYSTEMD | PODPATH_CGROUPFS } },
	};
	assert_int_equal(sources_init(&agent.sources, NULL, "n1"), 0);
	pods_open(&agent.enforcer);
	list(STATE_NAMESPACE, "{\"metadata\": {\"name\": \"web\"}}");
	list(STATE_BIND_POLICY, "");
	list(STATE_CLUSTER_POLICY, DENY);
	return 0;
}

static int close_agent(void **state)
{
	(void)state;
	sources_done(&agent.sources);
	enforcer_done(&agent.enforcer);
	findings_done(&agent.findings);
	findings_done(&agent.complaints);
	findings_done(&agent.lost);
	astray_done(&agent.astray);
	return 0;
}

/* Whether the page has that status, and the text in it. */
static void assert_page(const char *path, unsigned status, const char *text)
{
	_cleanup_(bc_text_done) struct bc_text body = {};
	const struct serve_page *page = agent_pages;

	while (strcmp(page->path, path) != 0)
		page++;
	assert_int_equal(page->make(&agent, &body), status);
	if (!strstr(body.data, text))
		fail_msg("'%s' is not in:\n%s", text, body.data);
}

static void assert_lost(const char *name)
{
	assert_int_equal(agent.lost.n, name != NULL);
	if (name)
		assert_string_equal(agent.lost.items[0].name, name);
}

/* Looks once more, at pods that are missed since then. */
static void look_again(int64_t since)
{
	for (size_t i = 0; i < agent.astray.n; i++)
		agent.astray.missed[i].since = since;
	agent_check(&agent);
}

static void pods_that_have_no_cgroup_are_told(void **state)
{
	(void)state;
	list(STATE_POD, POD_ON("n1", "a", 1, RUNNING) "," POD_ON("n1", "b", 2, RUNNING) "," POD_ON(
				"n1", "new", 3, "") "," POD_ON("n2", "other", 4, RUNNING));
	agent_apply(&agent);
	/* It may have ended just now. */
	look_again(INT64_MAX);
	assert_page("/readyz", 200, "ok\n");
	assert_page("/metrics", 200, "\nbindctl_agent_pods_without_cgroup 0\n");
	look_again(-ASTRAY_AFTER);
	assert_page("/readyz", 503, "cgroups: no pod that runs, of 2, has one where its rules are for it");
	assert_page("/metrics", 200, "\nbindctl_agent_pods_without_cgroup 2\n");
	assert_page("/metrics", 200, "\nbindctl_agent_findings 2\n");
	/* With one that has, the agent knows where they are. */
	bed_make_cgroup(CGROUP_OF(1));
	agent_check(&agent);
	assert_page("/readyz", 200, "ok\n");
	assert_page("/metrics", 200, "\nbindctl_agent_pods_without_cgroup 1\n");
	assert_lost("b");
	bed_make_cgroup(CGROUP_OF(2));
	agent_apply(&agent);
	assert_lost(NULL);
	bed_remove_cgroup("kubepods");
}

/* While nobody tells of them, they may have ended. */
static void pods_are_not_missed_while_the_api_is_away(void **state)
{
	(void)state;
	list(STATE_POD, POD_ON("n1", "a", 1, RUNNING));
	bed_make_cgroup(CGROUP_OF(1));
	agent_apply(&agent);
	answer(STATE_POD, 503, "{}");
	bed_remove_cgroup("kubepods");
	agent_check(&agent);
	look_again(-ASTRAY_AFTER);
	assert_page("/readyz", 200, "ok\n");
	assert_lost(NULL);
}

static void assert_applies(uint64_t changed, uint64_t unchanged, uint64_t failed, uint64_t mended)
{
	const struct metrics *metrics = &agent.metrics;

	assert_int_equal(metrics->applies[METRICS_CHANGED], changed);
	assert_int_equal(metrics->applies[METRICS_UNCHANGED], unchanged);
	assert_int_equal(metrics->applies[METRICS_FAILED], failed);
	assert_int_equal(metrics->mended, mended);
	assert_int_equal(metrics->apply.count, changed + unchanged + failed);
}

/* To look at what is in force is to apply nothing, unless there is something to mend. */
static void only_what_is_applied_is_counted(void **state)
{
	(void)state;
	list(STATE_POD, POD_ON("n1", "a", 1, ""));
	agent_apply(&agent);
	assert_applies(1, 0, 0, 0);
	agent.metrics.applied_ms = 0;
	agent_check(&agent);
	assert_applies(1, 0, 0, 0);
	assert_true(agent.metrics.applied_ms);
	agent_apply(&agent);
	assert_applies(1, 1, 0, 0);
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	agent_check(&agent);
	assert_applies(2, 1, 0, 1);
	bed_write("10-host.conf", "grant nobody\n", 13);
	agent_check(&agent);
	assert_applies(2, 1, 1, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_agent, close_agent)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(pods_that_have_no_cgroup_are_told),
		TEST(pods_are_not_missed_while_the_api_is_away),
		TEST(only_what_is_applied_is_counted),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}

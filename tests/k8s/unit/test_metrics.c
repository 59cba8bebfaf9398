// SPDX-License-Identifier: GPL-2.0-or-later
/* What Prometheus is told. tests/k8s/ops asks promtool about the whole. */
#include "../../unit/unit.h"
#include "agent/metrics.h"

static void assert_value(const char *value, const char *expected)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	metrics_add_value(&text, value);
	assert_string_equal(text.data ? text.data : "", expected);
}

static void values_are_escaped(void **state)
{
	(void)state;
	assert_value("", "");
	assert_value("kube-system", "kube-system");
	assert_value("a\"} 1\nevil{x=\"", "a\\\"} 1\\nevil{x=\\\"");
	assert_value("\\", "\\\\");
	assert_value("ö", "ö");
	assert_value("\xff", "\\\\xff");
}

static void buckets_hold_all_up_to_their_bound(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct metrics metrics = {};

	(void)state;
	metrics_observe(&metrics.apply, 0);
	metrics_observe(&metrics.apply, 0.001);
	metrics_observe(&metrics.apply, 0.0011);
	metrics_observe(&metrics.apply, 0.3);
	metrics_observe(&metrics.apply, 31);
	metrics_text(&metrics, &text);
	assert_contains(text.data, "# TYPE bindctl_agent_apply_duration_seconds histogram\n");
	assert_contains(text.data, "bindctl_agent_apply_duration_seconds_bucket{le=\"0.001\"} 2\n");
	assert_contains(text.data, "bindctl_agent_apply_duration_seconds_bucket{le=\"0.0025\"} 3\n");
	assert_contains(text.data, "bindctl_agent_apply_duration_seconds_bucket{le=\"0.25\"} 3\n");
	assert_contains(text.data, "bindctl_agent_apply_duration_seconds_bucket{le=\"0.5\"} 4\n");
	assert_contains(text.data, "bindctl_agent_apply_duration_seconds_bucket{le=\"30\"} 4\n");
	assert_contains(text.data, "bindctl_agent_apply_duration_seconds_bucket{le=\"+Inf\"} 5\n");
	assert_contains(text.data, "bindctl_agent_apply_duration_seconds_sum 31.3021\n");
	assert_contains(text.data, "bindctl_agent_apply_duration_seconds_count 5\n");
	assert_contains(text.data, "bindctl_agent_event_to_enforced_seconds_count 0\n");
}

static void resources_are_told_apart(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct metrics metrics = {
		.resources = { { .name = "pods",
				 .answers = { 1, 0, 12, 3, 4, 5 },
				 .gone = 7,
				 .expired = 2,
				 .event_ms = 1795514400123,
				 .synced = true },
			       { .name = "namespaces" },
			       { .name = "bindpolicies" },
			       { .name = "clusterbindpolicies" } },
		.applies = { [METRICS_FAILED] = 9 },
	};

	(void)state;
	metrics_text(&metrics, &text);
	assert_contains(text.data, "bindctl_agent_api_requests_total{resource=\"pods\",code=\"2xx\"} 12\n");
	assert_contains(text.data, "bindctl_agent_api_requests_total{resource=\"pods\",code=\"none\"} 1\n");
	assert_contains(text.data, "bindctl_agent_api_requests_total{resource=\"pods\",code=\"5xx\"} 5\n");
	assert_contains(text.data, "bindctl_agent_api_requests_total{resource=\"namespaces\",code=\"2xx\"} 0\n");
	assert_contains(text.data, "bindctl_agent_events_total{resource=\"pods\",type=\"gone\"} 7\n");
	assert_contains(text.data, "bindctl_agent_api_faults_total{resource=\"pods\",reason=\"expired\"} 2\n");
	assert_contains(text.data, "bindctl_agent_last_event_timestamp_seconds{resource=\"pods\"} 1795514400.123\n");
	assert_contains(text.data, "bindctl_agent_synced{resource=\"pods\"} 1\n");
	assert_contains(text.data, "bindctl_agent_synced{resource=\"clusterbindpolicies\"} 0\n");
	assert_contains(text.data, "bindctl_agent_applies_total{result=\"failed\"} 9\n");
	assert_contains(text.data, "process_resident_memory_bytes ");
}

/* A cluster full of rubbish must not become a million series. */
static void rejected_objects_are_named_up_to_a_hundred(void **state)
{
	static struct metrics_object objects[250];
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct metrics metrics = { .rejected = objects, .nrejected = ARRAY_SIZE(objects), .objects_rejected = 2000 };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = (struct metrics_object){ "BindPolicy", "default", i == 1 ? "x\"\n" : "edge" };
	metrics_text(&metrics, &text);
	for (const char *at = text.data; (at = strstr(at, "\nbindctl_agent_object_rejected{")); at++)
		n++;
	assert_int_equal(n, METRICS_REJECTED_MAX);
	assert_contains(text.data, "\nbindctl_agent_objects_rejected 2000\n");
	assert_contains(text.data, "{kind=\"BindPolicy\",namespace=\"default\",name=\"x\\\"\\n\"} 1\n");
}

/* Each sample belongs to a metric that was explained, once. */
static void each_metric_has_its_head(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct metrics metrics = {};
	char name[128], seen[128];
	int used;

	(void)state;
	metrics_text(&metrics, &text);
	for (const char *line = text.data; *line; line = strchr(line, '\n') + 1) {
		if (sscanf(line, "# TYPE %127s %n", name, &used) == 1) {
			snprintf(seen, sizeof(seen), "\n# TYPE %.100s ", name);
			assert_null(strstr(strstr(text.data, seen) + 1, seen));
			continue;
		}
		if (*line == '#')
			continue;
		assert_int_equal(strncmp(line, name, strlen(name)), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_escaped),
		cmocka_unit_test(buckets_hold_all_up_to_their_bound),
		cmocka_unit_test(resources_are_told_apart),
		cmocka_unit_test(rejected_objects_are_named_up_to_a_hundred),
		cmocka_unit_test(each_metric_has_its_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/metrics.h"
#include "agent/usage.h"

const double metrics_bounds[METRICS_BUCKETS] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30 };

void metrics_observe(struct metrics_histogram *histogram, double seconds)
{
	size_t i = 0;

	while (i < METRICS_BUCKETS && seconds > metrics_bounds[i])
		i++;
	if (i < METRICS_BUCKETS)
		histogram->buckets[i]++;
	histogram->count++;
	histogram->sum += seconds;
}

/* Prometheus wants UTF-8, and three characters escaped. */
void metrics_add_value(struct bc_text *to, const char *value)
{
	_cleanup_free_ char *clean = bc_utf8(value);
	const char *from = clean ? clean : "";

	while (*from) {
		size_t len = strcspn(from, "\"\\\n");

		bc_text_add(to, from, len);
		from += len;
		if (*from == '\n')
			bc_text_addf(to, "\\n");
		else if (*from)
			bc_text_addf(to, "\\%c", *from);
		from += *from != '\0';
	}
}

/* Before the first sample of a metric. The name is whole. */
static void head(struct bc_text *to, const char *name, const char *type, const char *help)
{
	bc_text_addf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(struct bc_text *to, const char *name, const char *type, const char *help, uint64_t value)
{
	head(to, name, type, help);
	bc_text_addf(to, "%s %" PRIu64 "\n", name, value);
}

static const char *name_of(const struct metrics_resource *resource)
{
	return resource->name ? resource->name : "";
}

/* A metric with one sample for each resource, the number at that offset in it. */
static void add_numbers(const struct metrics *metrics, struct bc_text *to, const char *name, const char *type,
			const char *help, size_t offset)
{
	head(to, name, type, help);
	for (size_t i = 0; i < METRICS_RESOURCES; i++) {
		const struct metrics_resource *resource = &metrics->resources[i];

		bc_text_addf(to, "%s{resource=\"%s\"} %" PRIu64 "\n", name, name_of(resource),
			     *(const uint64_t *)((const char *)resource + offset));
	}
}

/* The same of a time. */
static void add_times(const struct metrics *metrics, struct bc_text *to, const char *name, const char *help,
		      size_t offset)
{
	head(to, name, "gauge", help);
	for (size_t i = 0; i < METRICS_RESOURCES; i++) {
		const struct metrics_resource *resource = &metrics->resources[i];

		bc_text_addf(to, "%s{resource=\"%s\"} %.3f\n", name, name_of(resource),
			     *(const int64_t *)((const char *)resource + offset) / 1000.0);
	}
}

/* The samples of a metric whose second label says which of several counts of the resource it is. */
static void add_kinds(const struct metrics *metrics, struct bc_text *to, const char *name, const char *label,
		      const char *const *kinds, size_t n, const size_t *offsets)
{
	for (size_t i = 0; i < METRICS_RESOURCES; i++) {
		const struct metrics_resource *resource = &metrics->resources[i];

		for (size_t kind = 0; kind < n; kind++) {
			uint64_t value = *(const uint64_t *)((const char *)resource + offsets[kind]);

			bc_text_addf(to, "%s{resource=\"%s\",%s=\"%s\"} %" PRIu64 "\n", name, name_of(resource), label,
				     kinds[kind], value);
		}
	}
}

#define AT(member) offsetof(struct metrics_resource, member)

static void add_traffic(const struct metrics *metrics, struct bc_text *to)
{
	static const char *const classes[] = { "none", "2xx", "3xx", "4xx", "5xx" };
	static const size_t class_at[] = { AT(answers[0]), AT(answers[2]), AT(answers[3]), AT(answers[4]),
					   AT(answers[5]) };
	static const char *const events[] = { "set", "gone", "bookmark" };
	static const size_t event_at[] = { AT(set), AT(gone), AT(bookmarks) };
	static const char *const faults[] = { "expired", "truncated", "silent" };
	static const size_t fault_at[] = { AT(expired), AT(truncated), AT(silent) };

	head(to, "bindctl_agent_api_requests_total", "counter",
	     "Requests to the Kubernetes API, by the class of the answer; none: there was no answer.");
	add_kinds(metrics, to, "bindctl_agent_api_requests_total", "code", classes, ARRAY_SIZE(classes), class_at);
	head(to, "bindctl_agent_events_total", "counter", "What lists and watches brought.");
	add_kinds(metrics, to, "bindctl_agent_events_total", "type", events, ARRAY_SIZE(events), event_at);
	head(to, "bindctl_agent_api_faults_total", "counter",
	     "Answers that could not be gone on from: history expired (410), broken off, or silent for too long.");
	add_kinds(metrics, to, "bindctl_agent_api_faults_total", "reason", faults, ARRAY_SIZE(faults), fault_at);
}

static void add_resources(const struct metrics *metrics, struct bc_text *to)
{
	add_numbers(metrics, to, "bindctl_agent_lists_total", "counter", "Lists that were read to their end.",
		    AT(lists));
	add_numbers(metrics, to, "bindctl_agent_watches_total", "counter", "Watches that were begun.", AT(watches));
	add_times(metrics, to, "bindctl_agent_last_event_timestamp_seconds", "When the last object came; 0: none did.",
		  AT(event_ms));
	add_times(metrics, to, "bindctl_agent_last_bookmark_timestamp_seconds",
		  "When the last bookmark came; 0: none did.", AT(bookmark_ms));
	add_times(metrics, to, "bindctl_agent_last_contact_timestamp_seconds",
		  "When the API was last heard of; 0: never.", AT(contact_ms));
	add_numbers(metrics, to, "bindctl_agent_synced", "gauge",
		    "Whether the resource was listed as a whole since the start.", AT(synced));
	add_numbers(metrics, to, "bindctl_agent_watching", "gauge", "Whether it is followed now, without a fault.",
		    AT(watching));
	add_numbers(metrics, to, "bindctl_agent_objects", "gauge", "Objects that the agent holds.", AT(objects));
}

static void add_rejected(const struct metrics *metrics, struct bc_text *to)
{
	number(to, "bindctl_agent_objects_rejected", "gauge",
	       "Objects that are not in force for what is wrong with them.", metrics->objects_rejected);
	head(to, "bindctl_agent_object_rejected", "gauge", "The first 100 of these; the log says what is wrong.");
	for (size_t i = 0; i < metrics->nrejected && i < METRICS_REJECTED_MAX; i++) {
		const struct metrics_object *object = &metrics->rejected[i];

		bc_text_addf(to, "bindctl_agent_object_rejected{kind=\"");
		metrics_add_value(to, object->kind);
		bc_text_addf(to, "\",namespace=\"");
		metrics_add_value(to, object->namespace);
		bc_text_addf(to, "\",name=\"");
		metrics_add_value(to, object->name);
		bc_text_addf(to, "\"} 1\n");
	}
}

static void add_histogram(struct bc_text *to, const char *name, const char *help,
			  const struct metrics_histogram *histogram)
{
	uint64_t sum = 0;

	head(to, name, "histogram", help);
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		sum += histogram->buckets[i];
		bc_text_addf(to, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, metrics_bounds[i], sum);
	}
	bc_text_addf(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, histogram->count);
	bc_text_addf(to, "%s_sum %.9g\n%s_count %" PRIu64 "\n", name, histogram->sum, name, histogram->count);
}

static void add_policy(const struct metrics *metrics, struct bc_text *to)
{
	static const char *const results[] = { "changed", "unchanged", "failed" };

	number(to, "bindctl_agent_ready", "gauge", "Whether /readyz says so.", metrics->ready);
	number(to, "bindctl_agent_enforced", "gauge", "Whether the kernel holds what the cluster means for this node.",
	       metrics->enforced);
	number(to, "bindctl_agent_pods", "gauge", "Pods of this node.", metrics->pods);
	number(to, "bindctl_agent_pods_with_rules", "gauge", "Those of them that rules are meant for.",
	       metrics->pods_with_rules);
	number(to, "bindctl_agent_pods_without_cgroup", "gauge",
	       "Those of them that run, and have no cgroup where their rules are for it.",
	       metrics->pods_without_cgroup);
	number(to, "bindctl_agent_rules", "gauge", "Rules in the agent's policy file.", metrics->rules);
	number(to, "bindctl_agent_findings", "gauge", "Things that are wrong with objects; the log says which.",
	       metrics->findings);
	head(to, "bindctl_agent_applies_total", "counter", "Times that the policy was applied, or tried to be.");
	for (size_t i = 0; i < METRICS_RESULTS; i++)
		bc_text_addf(to, "bindctl_agent_applies_total{result=\"%s\"} %" PRIu64 "\n", results[i],
			     metrics->applies[i]);
	number(to, "bindctl_agent_drift_mended_total", "counter",
	       "Times that file or kernel held something else than the agent had left there.", metrics->mended);
	head(to, "bindctl_agent_last_apply_timestamp_seconds", "gauge",
	     "When the policy was last known to be in force; 0: never.");
	bc_text_addf(to, "bindctl_agent_last_apply_timestamp_seconds %.3f\n", metrics->applied_ms / 1000.0);
	add_histogram(to, "bindctl_agent_apply_duration_seconds", "How long it took to compute and apply the policy.",
		      &metrics->apply);
	add_histogram(to, "bindctl_agent_event_to_enforced_seconds",
		      "From the first event of a burst to the policy that it means being in force.",
		      &metrics->event_to_enforced);
}

/* What cannot be told is left out. */
static void add_process(const struct metrics *metrics, struct bc_text *to)
{
	struct usage usage;

	if (usage_read(&usage))
		return;
	number(to, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", usage.resident);
	head(to, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.");
	bc_text_addf(to, "process_cpu_seconds_total %.2f\n", usage.cpu);
	head(to, "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.");
	bc_text_addf(to, "process_start_time_seconds %.3f\n", metrics->started_ms / 1000.0);
	number(to, "process_open_fds", "gauge", "Number of open file descriptors.", usage.fds);
}

void metrics_text(const struct metrics *metrics, struct bc_text *to)
{
	head(to, "bindctl_agent_build_info", "gauge", "Always 1; the label says which build this is.");
	bc_text_addf(to, "bindctl_agent_build_info{version=\"%s\"} 1\n", BINDCTL_VERSION);
	add_traffic(metrics, to);
	add_resources(metrics, to);
	add_rejected(metrics, to);
	add_policy(metrics, to);
	add_process(metrics, to);
}

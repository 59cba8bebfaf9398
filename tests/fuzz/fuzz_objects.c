// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes as what the API server tells bindctl-agent, a line each: a letter, p, n, b or c for a pod, a namespace, a BindPolicy
 * or a ClusterBindPolicy, in upper case when it is gone, and the object.
 *
 * Whatever it was, the node's file must be policy in which no rule contradicts another, and every rule of a cgroup must be of
 * a pod's.
 */
#include <json-c/json.h>

#include "agent/intent/intent.h"
#include "fuzz.h"

static const char kinds[] = "pnbc";

static void tell(struct state *state, const char *line, size_t len)
{
	const char *kind = strchr(kinds, *line | 0x20);
	struct json_tokener *tokener;
	struct json_object *object;

	if (!kind || !*kind)
		return;
	tokener = json_tokener_new();
	require(tokener);
	object = json_tokener_parse_ex(tokener, line + 1, len - 1);
	if (object) {
		int change = *line & 0x20 ? state_set(state, kind - kinds, object) :
					    state_remove(state, kind - kinds, object);

		require(change == STATE_CHANGED || change == STATE_UNCHANGED);
		/* Once more is no change. */
		require(!(*line & 0x20) || state_set(state, kind - kinds, object) == STATE_UNCHANGED);
	}
	json_object_put(object);
	json_tokener_free(tokener);
}

static void check_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->items[i];

		for (const char *c = finding->text; *c; c++)
			require((unsigned char)*c >= ' ' && *c != 0x7f);
		for (const char *c = finding->name; *c; c++)
			require((unsigned char)*c >= ' ' && *c != 0x7f);
	}
}

static void check_text(const struct bc_text *text)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_cells_done) struct bc_cells cells = {};
	struct bc_error error;

	require(!bc_parse(&policy, "60-kubernetes.conf", text->data, text->len, FUZZ_BASE, &report));
	require(!bc_compile(&policy, BC_ERROR, &cells, &report, &error) && !report.n);
	for (size_t i = 0; i < policy.n; i++) {
		const char *path = bc_policy_path(&policy, &policy.rules[i]);

		/* Everyone's are the reserved ports. */
		require(path ? bc_path_within(path, "/kubepods") && strstr(path, "/pod") :
			       policy.rules[i].verb == BC_VERB_DENY && !policy.rules[i].any_netns);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct intent_config config = { .node = "n1", .path = { .drivers = PODPATH_CGROUPFS } };
	_cleanup_free_ char *copy = malloc(size + 1);
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct state *state = state_new();
	struct findings findings = {};
	struct intent_counts counts;
	size_t len;

	require(copy && state);
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	for (char *line = copy; line < copy + size; line += len + 1) {
		char *end = memchr(line, '\n', copy + size - line);

		len = end ? (size_t)(end - line) : (size_t)(copy + size - line);
		if (len)
			tell(state, line, len);
	}
	require(!intent_make(state, &config, &text, &findings, &counts, NULL));
	check_findings(&findings);
	check_text(&text);
	findings_done(&findings);
	state_free(state);
	return 0;
}

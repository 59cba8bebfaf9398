// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent answers to kubelet and to Prometheus. */
#include <string.h>

#include "agent/agent.h"
#include "agent/log.h"

/* A line for each reason why the agent is not ready; nothing when it is. */
static void add_reasons(const struct agent *agent, struct bc_text *to)
{
	sources_reasons(&agent->sources, to);
	if (*agent->failure.text) {
		bc_text_addf(to, "policy: not enforced: ");
		log_place(to, &agent->failure);
		bc_text_addf(to, "%s%s\n", *agent->failure.source ? ": " : "", agent->failure.text);
	} else if (!agent->applied) {
		bc_text_addf(to, "policy: not applied yet\n");
	}
	if (agent->astray.astray && agent->astray.astray == agent->astray.running)
		bc_text_addf(to,
			     "cgroups: no pod that runs, of %zu, has one where its rules are for it; see --cgroup-root "
			     "and --cgroup-driver\n",
			     agent->astray.running);
}

/* Whoever gets an answer knows that the loop goes round. */
static unsigned make_health(void *ctx, struct bc_text *body)
{
	(void)ctx;
	bc_text_addf(body, "ok\n");
	return 200;
}

static unsigned make_ready(void *ctx, struct bc_text *body)
{
	const struct agent *agent = ctx;

	add_reasons(agent, body);
	if (body->len || body->failed)
		return 503;
	bc_text_addf(body, "ok\n");
	return 200;
}

static int compare_objects(const void *a, const void *b)
{
	const struct metrics_object *left = a, *right = b;
	/* What is in no namespace first: of what is too much the last are left out. */
	int r = strcmp(left->namespace, right->namespace);

	if (!r)
		r = strcmp(left->kind, right->kind);
	return r ? r : strcmp(left->name, right->name);
}

/* The objects that are rejected, malloc'ed, each once: a sample that comes twice spoils the whole page. */
static struct metrics_object *rejected_of(const struct findings *findings, size_t *ret_n)
{
	struct metrics_object *objects = calloc(findings->n + 1, sizeof(*objects));
	size_t n = 0, unique = 0;

	if (!objects)
		return NULL;
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *finding = &findings->items[i];

		if (finding->level == FINDING_REJECTED)
			objects[n++] = (struct metrics_object){ finding->kind, finding->namespace, finding->name };
	}
	qsort(objects, n, sizeof(*objects), compare_objects);
	for (size_t i = 0; i < n; i++)
		if (!i || compare_objects(&objects[i], &objects[unique - 1]))
			objects[unique++] = objects[i];
	*ret_n = unique;
	return objects;
}

static unsigned make_metrics(void *ctx, struct bc_text *body)
{
	const struct agent *agent = ctx;
	_cleanup_(bc_text_done) struct bc_text reasons = {};
	_cleanup_free_ struct metrics_object *rejected = NULL;
	struct metrics metrics = agent->metrics;

	rejected = rejected_of(&agent->findings, &metrics.nrejected);
	if (!rejected)
		return 503;
	add_reasons(agent, &reasons);
	sources_metrics(&agent->sources, metrics.resources);
	metrics.rejected = rejected;
	metrics.objects_rejected = agent->counts.rejected;
	metrics.findings = agent->findings.n + agent->findings.dropped + agent->lost.n + agent->lost.dropped;
	metrics.pods = agent->counts.pods;
	metrics.pods_with_rules = agent->counts.pods_ruled;
	metrics.pods_without_cgroup = agent->astray.astray;
	metrics.rules = agent->counts.rules;
	metrics.enforced = agent->applied && !*agent->failure.text;
	metrics.ready = !reasons.len && !reasons.failed;
	metrics_text(&metrics, body);
	return 200;
}

const struct serve_page agent_pages[] = {
	{ "/healthz", "text/plain; charset=utf-8", make_health },
	{ "/readyz", "text/plain; charset=utf-8", make_ready },
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8", make_metrics },
	{},
};

// SPDX-License-Identifier: GPL-2.0-or-later
/* A random cluster as plain values, and as the agent is told of it. */
#ifndef BINDCTL_TESTS_MODEL_H
#define BINDCTL_TESTS_MODEL_H

#include "cluster.h"

#define MODEL_PODS 5
#define MODEL_POLICIES 7
#define MODEL_CLUSTERS 4
#define MODEL_RULES 3
#define MODEL_RANGES 2
#define MODEL_PREFIXES 2

struct model_rule {
	enum bc_verb verb;
	unsigned proto; /* 0: both */
	struct bc_range ranges[MODEL_RANGES];
	unsigned nranges;
	int prefixes[MODEL_PREFIXES]; /* in model_prefixes */
	unsigned nprefixes;
	int user;	  /* -1: everyone */
	int to_addr;	  /* in model_targets; -1: as asked for */
	unsigned to_port; /* 0: as asked for */
};

struct model_list {
	struct model_rule rules[MODEL_RULES];
	unsigned n;
};

struct model_pod {
	int namespace; /* 0 and 1 are known, 2 is not */
	int app;
	bool host, own_users, elsewhere, finished, narrowed, malformed, forged;
	struct model_list narrow;
};

struct model_policy {
	int namespace;
	int app; /* -1: all pods */
	bool audit;
	struct model_list rules;
};

struct model_cluster {
	int team; /* of the namespace's label; -1: all */
	int app;
	bool audit, host, has_ceiling;
	struct model_list ceiling, reserved, rules;
};

struct model {
	struct model_pod pods[MODEL_PODS];
	struct model_policy policies[MODEL_POLICIES];
	struct model_cluster clusters[MODEL_CLUSTERS];
	unsigned npods, npolicies, nclusters;
};

static const char *const model_prefixes[] = { "0.0.0.0/0", "10.0.0.0/8", "10.0.0.1", "0.0.0.0", "::/0", "::1", "::" };
static const char *const model_targets[] = { "10.0.0.1", "::1", "::", "0.0.0.0" };
static const char *const model_addrs[] = { "0.0.0.0", "10.0.0.1", "10.9.9.9", "::", "::1", "2001:db8::1" };
static const int model_users[] = { 0, 1000, 1001 };

#define MODEL_PORTS 12 /* that most ranges and binds are of */

/* Namespace 0 has the label team: 0, namespace 1 has team: 1. */
static inline int model_team(int namespace)
{
	return namespace;
}

/* ---- chance ---- */

static inline void model_random_rule(uint64_t *state, struct model_rule *rule)
{
	static const enum bc_verb verbs[] = { BC_VERB_GRANT, BC_VERB_GRANT, BC_VERB_ALLOW, BC_VERB_DENY,
					      BC_VERB_REWRITE };
	unsigned next = 1;

	*rule = (struct model_rule){ .user = -1, .to_addr = -1 };
	rule->verb = verbs[random_below(state, ARRAY_SIZE(verbs))];
	rule->proto = random_below(state, 3);
	rule->nranges = 1 + random_below(state, MODEL_RANGES);
	for (unsigned i = 0; i < rule->nranges; i++) {
		unsigned first = next + random_below(state, MODEL_PORTS / 2);

		rule->ranges[i].first = first;
		rule->ranges[i].last = first + (random_below(state, 3) ? random_below(state, 6) : 0);
		/* They only touch, at times. */
		next = rule->ranges[i].last + 1;
	}
	if (!random_below(state, 6)) {
		rule->nranges = 1;
		rule->ranges[0] =
			random_below(state, 2) ? (struct bc_range){ 0, 65535 } : (struct bc_range){ 1, 65535 };
	}
	rule->nprefixes = random_below(state, 5) < 3 ? 0 : 1 + random_below(state, MODEL_PREFIXES);
	for (unsigned i = 0; i < rule->nprefixes; i++)
		rule->prefixes[i] = random_below(state, ARRAY_SIZE(model_prefixes));
	if (!random_below(state, 4))
		rule->user = model_users[random_below(state, ARRAY_SIZE(model_users))];
	rule->to_port = random_below(state, 3) ? 1 + random_below(state, MODEL_PORTS) : 0;
	if (!rule->to_port || !random_below(state, 3))
		rule->to_addr = random_below(state, ARRAY_SIZE(model_targets));
}

static inline void model_random_list(uint64_t *state, unsigned least, struct model_list *list)
{
	list->n = least + random_below(state, MODEL_RULES + 1 - least);
	for (unsigned i = 0; i < list->n; i++)
		model_random_rule(state, &list->rules[i]);
}

static inline void model_random_pod(uint64_t *state, struct model_pod *pod)
{
	*pod = (struct model_pod){ .namespace = random_below(state, 12) ? !random_below(state, 4) : 2,
				   .app = random_below(state, 2),
				   .host = random_below(state, 2),
				   .own_users = !random_below(state, 6),
				   .elsewhere = !random_below(state, 20),
				   .finished = !random_below(state, 20),
				   .narrowed = !random_below(state, 4),
				   .malformed = !random_below(state, 8),
				   .forged = !random_below(state, 12) };
	model_random_list(state, 1, &pod->narrow);
	/* It has no addresses. */
	for (unsigned i = 0; i < pod->narrow.n; i++)
		pod->narrow.rules[i].nprefixes = 0;
}

static inline void model_random(uint64_t *state, struct model *model)
{
	*model = (struct model){ .npods = 1 + random_below(state, MODEL_PODS),
				 .npolicies = MODEL_POLICIES - random_below(state, MODEL_POLICIES),
				 .nclusters = random_below(state, MODEL_CLUSTERS + 1) };
	for (unsigned i = 0; i < model->npods; i++)
		model_random_pod(state, &model->pods[i]);
	for (unsigned i = 0; i < model->npolicies; i++) {
		struct model_policy *policy = &model->policies[i];

		*policy = (struct model_policy){ .namespace = !random_below(state, 4),
						 .app = random_below(state, 2) ? -1 : (int)random_below(state, 2),
						 .audit = !random_below(state, 4) };
		model_random_list(state, 1, &policy->rules);
	}
	for (unsigned i = 0; i < model->nclusters; i++) {
		struct model_cluster *cluster = &model->clusters[i];

		*cluster = (struct model_cluster){ .team = random_below(state, 2) ? -1 : (int)random_below(state, 2),
						   .app = (int)random_below(state, 3) - 1,
						   .audit = !random_below(state, 3),
						   .host = random_below(state, 2),
						   .has_ceiling = random_below(state, 2) };
		if (cluster->has_ceiling)
			model_random_list(state, 0, &cluster->ceiling);
		if (random_below(state, 2))
			model_random_list(state, 0, &cluster->rules);
		if (!random_below(state, 3))
			model_random_list(state, 0, &cluster->reserved);
		for (unsigned k = 0; k < cluster->rules.n; k++)
			cluster->rules.rules[k].verb = BC_VERB_DENY;
		/* All ports of a node cannot be reserved. */
		for (unsigned k = 0; k < cluster->reserved.n; k++)
			if (!cluster->reserved.rules[k].ranges[0].first)
				cluster->reserved.rules[k].ranges[0].first = 1;
	}
}

/* ---- as JSON ---- */

static inline void model_add_ports(struct bc_text *text, const struct model_rule *rule)
{
	bc_text_addf(text, "'ports': [");
	for (unsigned i = 0; i < rule->nranges; i++) {
		const struct bc_range *range = &rule->ranges[i];

		if (!range->first)
			bc_text_addf(text, "'any'");
		else if (range->first == range->last)
			bc_text_addf(text, "%s%u", i ? ", " : "", range->first);
		else
			bc_text_addf(text, "%s'%u-%u'", i ? ", " : "", range->first, range->last);
	}
	bc_text_addf(text, "]");
}

/* `kind`: what members it may have. */
static inline void model_add_rule(struct bc_text *text, const struct model_rule *rule, enum rules_kind kind)
{
	static const char *const actions[] = { "", "Grant", "Allow", "Deny", "Rewrite" };

	bc_text_addf(text, "{");
	model_add_ports(text, rule);
	if (rule->proto)
		bc_text_addf(text, ", 'protocol': '%s'", rule->proto == BC_TCP ? "TCP" : "UDP");
	if (rule->nprefixes && kind != RULES_RESERVED) {
		bc_text_addf(text, ", 'addresses': [");
		for (unsigned i = 0; i < rule->nprefixes; i++)
			bc_text_addf(text, "%s'%s'", i ? ", " : "", model_prefixes[rule->prefixes[i]]);
		bc_text_addf(text, "]");
	}
	if (kind == RULES_OF_NAMESPACE || kind == RULES_OF_CLUSTER) {
		bc_text_addf(text, ", 'action': '%s'", actions[rule->verb]);
		if (rule->user >= 0)
			bc_text_addf(text, ", 'runAsUser': %d", rule->user);
	}
	if (rule->verb == BC_VERB_REWRITE && kind == RULES_OF_NAMESPACE) {
		bc_text_addf(text, ", 'to': {'hidden': %s", rule->to_port & 1 ? "true" : "false");
		if (rule->to_port)
			bc_text_addf(text, ", 'port': %u", rule->to_port);
		if (rule->to_addr >= 0)
			bc_text_addf(text, ", 'address': '%s'", model_targets[rule->to_addr]);
		bc_text_addf(text, "}");
	}
	bc_text_addf(text, "}");
}

static inline void model_add_list(struct bc_text *text, const char *name, const struct model_list *list,
				  enum rules_kind kind)
{
	bc_text_addf(text, ", '%s': [", name);
	for (unsigned i = 0; i < list->n; i++) {
		bc_text_addf(text, i ? ", " : "");
		model_add_rule(text, &list->rules[i], kind);
	}
	bc_text_addf(text, "]");
}

static inline void model_add_selector(struct bc_text *text, const char *name, const char *label, int value)
{
	if (value < 0)
		bc_text_addf(text, "'%s': {}", name);
	else
		bc_text_addf(text, "'%s': {'matchExpressions': [{'key': '%s', 'operator': 'In', 'values': ['%d']}]}",
			     name, label, value);
}

static inline void model_pod_path(unsigned i, char *path, size_t size)
{
	snprintf(path, size, "/kubepods/pod00000000-0000-4000-8000-%012u", i);
}

/* The list of the annotation: a rule's ranges, one by one. */
static inline void model_add_annotation(struct bc_text *text, const struct model_pod *pod)
{
	static const char *const suffix[] = { "", "/tcp", "/udp" };

	bc_text_addf(text, ", 'bindctl.io/ports': '");
	for (unsigned i = 0; i < pod->narrow.n; i++)
		for (unsigned k = 0; k < pod->narrow.rules[i].nranges; k++) {
			const struct model_rule *rule = &pod->narrow.rules[i];
			const struct bc_range *range = &rule->ranges[k];

			bc_text_addf(text, "%s", i + k ? "," : "");
			bc_text_addf(text, range->first ? "%u-%u" : "any", range->first, range->last);
			bc_text_addf(text, "%s", suffix[rule->proto]);
		}
	bc_text_addf(text, "%s'", pod->malformed ? ",x" : "");
}

static inline void model_set_pod(struct state *state, const struct model_pod *pod, unsigned i)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_text_addf(
		&text,
		"{'metadata': {'namespace': 'n%d', 'name': 'p%u', 'uid': '00000000-0000-4000-8000-%012u', 'labels': "
		"{'app': '%d'}, 'annotations': {'x': ''",
		pod->namespace, i, i, pod->app);
	if (pod->narrowed)
		model_add_annotation(&text, pod);
	if (pod->forged)
		bc_text_addf(&text, ", 'kubernetes.io/config.mirror': '0123456789abcdef0123456789abcdef'");
	bc_text_addf(&text, "}}, 'spec': {'nodeName': '%s', 'hostNetwork': %s, 'hostUsers': %s}",
		     pod->elsewhere ? "n2" : NODE, pod->host ? "true" : "false", pod->own_users ? "false" : "true");
	bc_text_addf(
		&text,
		", 'status': {'qosClass': 'Guaranteed', 'phase': '%s', 'containerStatuses': [{'state': {'%s': {}}}]}}",
		pod->finished ? "Failed" : "Running", pod->finished ? "terminated" : "running");
	set(state, STATE_POD, text.data);
}

static inline void model_set_policy(struct state *state, const struct model_policy *policy, unsigned i)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_text_addf(&text, "{'metadata': {'namespace': 'n%d', 'name': 'b%u'}, 'spec': {", policy->namespace, i);
	model_add_selector(&text, "podSelector", "app", policy->app);
	if (policy->audit)
		bc_text_addf(&text, ", 'mode': 'Audit'");
	model_add_list(&text, "rules", &policy->rules, RULES_OF_NAMESPACE);
	bc_text_addf(&text, "}}");
	set(state, STATE_BIND_POLICY, text.data);
}

static inline void model_set_cluster(struct state *state, const struct model_cluster *cluster, unsigned i)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_text_addf(&text, "{'metadata': {'name': 'c%u'}, 'spec': {", i);
	model_add_selector(&text, "podSelector", "app", cluster->app);
	bc_text_addf(&text, ", ");
	model_add_selector(&text, "namespaceSelector", "team", cluster->team);
	bc_text_addf(&text, ", 'mode': '%s', 'allowHostNetwork': %s", cluster->audit ? "Audit" : "Enforce",
		     cluster->host ? "true" : "false");
	if (cluster->has_ceiling)
		model_add_list(&text, "ceiling", &cluster->ceiling, RULES_CEILING);
	model_add_list(&text, "reservedPorts", &cluster->reserved, RULES_RESERVED);
	model_add_list(&text, "rules", &cluster->rules, RULES_OF_CLUSTER);
	bc_text_addf(&text, "}}");
	set(state, STATE_CLUSTER_POLICY, text.data);
}

/* In any order: it must not matter. */
static inline struct state *model_state(const struct model *model, uint64_t *chance)
{
	struct state *state = state_new();
	bool clusters_first = random_below(chance, 2);

	for (int i = 0; i < 2; i++) {
		for (unsigned k = model->nclusters; clusters_first == !i && k-- > 0;)
			model_set_cluster(state, &model->clusters[k], k);
		for (unsigned k = model->npods; clusters_first == i && k-- > 0;)
			model_set_pod(state, &model->pods[k], k);
	}
	set(state, STATE_NAMESPACE, NAMESPACE("n0", "'team': '0'"));
	set(state, STATE_NAMESPACE, NAMESPACE("n1", "'team': '1'"));
	for (unsigned k = 0; k < model->npolicies; k++)
		model_set_policy(state, &model->policies[k], k);
	return state;
}

#endif

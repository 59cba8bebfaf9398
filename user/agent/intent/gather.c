// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/intent/gather.h"

/* One pod, and what has been found for it so far. */
struct gathering {
	const struct gather *g;
	const struct state_entry *entry;
	const struct pod *pod;
	const struct labels *namespace; /* NULL: not known */
	struct claims *claims;
	struct claims ceiling, narrow;
	bool limited;	    /* to the ceiling */
	const char *unsure; /* a cluster policy that may deny anything; NULL: there is none. Nothing is given then */
	size_t ndenies;	    /* of the claims, those of the cluster, which come first */
	size_t pairs;	    /* in the BindPolicies looked at so far, as they were written */
};

const char *gather_split(const char *key, char namespace[OBJECT_KEY_MAX])
{
	const char *slash = strchr(key, '/');

	snprintf(namespace, OBJECT_KEY_MAX, "%.*s", slash ? (int)(slash - key) : 0, key);
	return slash ? slash + 1 : key;
}

const struct state_entry *gather_policy(const struct state *state, uint32_t policy, enum state_kind *ret_kind)
{
	size_t clusters = state_count(state, STATE_CLUSTER_POLICY);

	*ret_kind = policy < clusters ? STATE_CLUSTER_POLICY : STATE_BIND_POLICY;
	return state_at(state, *ret_kind, policy < clusters ? policy : policy - clusters);
}

#define note(in, level, kind, key, ...) gather_note((in)->g->findings, level, kind, key, __VA_ARGS__)

static int add_all(struct claims *claims, const struct rules *rules)
{
	int r = 0;

	for (size_t i = 0; !r && i < rules->n; i++)
		r = claims_add(claims, rules, &rules->items[i], &(struct claim){});
	return r;
}

/* What is not certain of it, its namespace's labels or its own, is taken to be what the policy asks for. */
static bool is_selected(const struct gathering *in, const struct cluster_policy *policy)
{
	if (in->namespace && !selector_matches(&policy->namespaces, in->namespace))
		return false;
	return in->pod->doubtful || selector_matches(&policy->pods, &in->pod->labels);
}

static int add_denies(struct gathering *in, const struct state_entry *entry, uint32_t number)
{
	const struct rules *rules = &entry->cluster->rules;
	int r = 0;

	for (size_t i = 0; !r && i < rules->n; i++) {
		struct rule rule = rules->items[i];
		struct claim like = { .cluster = true,
				      .audit = entry->cluster->audit,
				      .policy = number,
				      .rule = i,
				      .has_user = rule.has_user && !in->pod->own_users,
				      .user = rule.user };

		if (rule.has_user && in->pod->own_users)
			note(in, FINDING_WARNING, STATE_CLUSTER_POLICY, entry->key,
			     "spec.rules[%zu].runAsUser: pods with users of their own (hostUsers: false) are denied "
			     "it whoever asks",
			     i);
		r = claims_add(in->claims, rules, &rule, &like);
	}
	return r;
}

/* Rather too little than too much. */
static void deny_all(struct gathering *in, const struct state_entry *entry, uint32_t number)
{
	note(in, FINDING_WARNING, STATE_CLUSTER_POLICY, entry->key,
	     "the ClusterBindPolicies have more than %d pairs of a port range and an address for a pod: it is denied "
	     "all",
	     GATHER_MAX);
	in->claims->n = 1;
	in->claims->items[0] = (struct claim){ .range = { 0, UINT16_MAX },
					       .width = UINT16_MAX,
					       .proto = BC_TCP | BC_UDP,
					       .verb = BC_VERB_DENY,
					       .cluster = true,
					       .policy = number };
}

/* The part of a ceiling that this policy is. */
static int add_ceiling(struct gathering *in, const struct state_entry *entry)
{
	const struct cluster_policy *policy = entry->cluster;
	const size_t before = in->ceiling.n;
	int r;

	if (policy->doubtful)
		in->unsure = entry->key;
	if (!policy->has_ceiling || (in->pod->host_network && !policy->host_network))
		return 0;
	in->limited = true;
	r = add_all(&in->ceiling, &policy->ceiling);
	if (in->ceiling.n > GATHER_MAX) {
		note(in, FINDING_WARNING, STATE_CLUSTER_POLICY, entry->key,
		     "the ceilings of the ClusterBindPolicies have more than %d pairs of a port range and an "
		     "address for a pod: this one is left out",
		     GATHER_MAX);
		in->ceiling.n = before;
	}
	return r;
}

/* What a policy says of the pod; one that only reports is not to have anything refused by how much it is. */
static int add_cluster_policy(struct gathering *in, const struct state_entry *entry, uint32_t number)
{
	const size_t before = in->claims->n;
	int r = add_denies(in, entry, number);

	if (r)
		return r;
	if (in->claims->n > GATHER_MAX && !entry->cluster->audit) {
		deny_all(in, entry, number);
		return -E2BIG;
	}
	if (in->claims->n > GATHER_MAX) {
		note(in, FINDING_WARNING, STATE_CLUSTER_POLICY, entry->key,
		     "spec.mode: is Audit, and with its rules the ClusterBindPolicies have more than %d pairs of a "
		     "port range and an address for a pod: they are left out",
		     GATHER_MAX);
		in->claims->n = before;
	}
	return add_ceiling(in, entry);
}

static int add_cluster_policies(struct gathering *in, bool audit)
{
	const struct state *state = in->g->state;
	const size_t n = state_count(state, STATE_CLUSTER_POLICY);
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		const struct state_entry *entry = state_at(state, STATE_CLUSTER_POLICY, i);

		if (entry->cluster->audit == audit && is_selected(in, entry->cluster))
			r = add_cluster_policy(in, entry, i);
	}
	return r;
}

static int gather_cluster(struct gathering *in)
{
	int r;

	in->limited = in->pod->host_network;
	in->unsure = state_lost_count(in->g->state, STATE_CLUSTER_POLICY) ? "?" : NULL;
	/* Those that refuse, which there must be room for, and then those that report. */
	r = add_cluster_policies(in, false) ?: add_cluster_policies(in, true);
	if (in->unsure) {
		in->limited = true;
		in->ceiling.n = 0;
	}
	in->ndenies = in->claims->n;
	return r == -E2BIG ? 0 : r;
}

/* How far a claim gets, from step to step. */
struct steps {
	struct claims written, allowed, narrowed;
};

static void steps_done(struct steps *steps)
{
	claims_done(&steps->written);
	claims_done(&steps->allowed);
	claims_done(&steps->narrowed);
}

static int cut_all(const struct claims *claims, bool limited, const struct claims *bounds, struct claims *ret)
{
	const struct claim all = { .range = { 0, UINT16_MAX }, .proto = BC_TCP | BC_UDP };
	const struct claims no_bounds = { .items = (struct claim *)&all, .n = 1 };
	int r = 0;

	for (size_t i = 0; !r && i < claims->n && ret->n <= GATHER_MAX; i++)
		r = claim_within(&claims->items[i], limited ? bounds : &no_bounds, ret);
	return r;
}

/* Says why nothing is left of a rule, and what has been left of it is known up to each step. */
static void explain(const struct gathering *in, const struct state_entry *entry, const struct steps *steps, size_t rule)
{
	if (!steps->allowed.n && in->unsure)
		note(in, FINDING_WARNING, STATE_BIND_POLICY, entry->key,
		     "spec.rules[%zu]: gives nothing as long as ClusterBindPolicy %s, which may deny it, cannot be "
		     "read",
		     rule, in->unsure);
	else if (!steps->allowed.n)
		note(in, FINDING_WARNING, STATE_BIND_POLICY, entry->key,
		     in->pod->host_network ?
			     "spec.rules[%zu]: no ClusterBindPolicy allows any of it to pods on the host's network" :
			     "spec.rules[%zu]: the ceiling of the ClusterBindPolicies leaves nothing of it",
		     rule);
	else if (!steps->narrowed.n)
		note(in, FINDING_NOTE, STATE_BIND_POLICY, entry->key,
		     "spec.rules[%zu]: the annotation " OBJECT_PORTS " of a pod leaves nothing of it", rule);
	else
		note(in, FINDING_WARNING, STATE_BIND_POLICY, entry->key,
		     "spec.rules[%zu].to: leads to what a ClusterBindPolicy denies", rule);
}

/* A rule that gives, as far as it may. */
static int add_given(struct gathering *in, const struct state_entry *entry, size_t i, const struct claim *like)
{
	const struct claims denies = { .items = in->claims->items, .n = in->ndenies };
	const struct rules *rules = &entry->policy->rules;
	_cleanup_(steps_done) struct steps steps = {};
	_cleanup_(claims_done) struct claims left = {};
	int r = claims_add(&steps.written, rules, &rules->items[i], like);

	r = r ?: cut_all(&steps.written, in->limited, &in->ceiling, &steps.allowed);
	r = r ?: cut_all(&steps.allowed, in->pod->narrowed, &in->narrow, &steps.narrowed);
	for (size_t k = 0; !r && k < steps.narrowed.n && left.n <= GATHER_MAX; k++)
		r = claim_undenied(&steps.narrowed.items[k], &denies, &left);
	if (!r && (steps.allowed.n > GATHER_MAX || steps.narrowed.n > GATHER_MAX || left.n > GATHER_MAX))
		return -E2BIG;
	if (!r && !left.n)
		explain(in, entry, &steps, i);
	if (!r && bc_grow(&in->claims->items, &in->claims->room, in->claims->n + left.n))
		r = -ENOMEM;
	if (!r && left.n)
		memcpy(in->claims->items + in->claims->n, left.items, left.n * sizeof(*left.items));
	in->claims->n += r ? 0 : left.n;
	return r;
}

static int add_rule(struct gathering *in, const struct state_entry *entry, size_t i, uint32_t number)
{
	const struct bind_policy *policy = entry->policy;
	const struct rule *rule = &policy->rules.items[i];
	bool denies = rule->verb == BC_VERB_DENY, other_users = rule->has_user && in->pod->own_users;
	struct claim like = { .policy = number,
			      .rule = i,
			      .audit = policy->audit,
			      .has_user = rule->has_user && !other_users,
			      .user = rule->user };

	if (policy->audit && !denies) {
		note(in, FINDING_NOTE, STATE_BIND_POLICY, entry->key,
		     "spec.mode: is Audit, so spec.rules[%zu] gives nothing yet", i);
		return 0;
	}
	if (other_users)
		note(in, FINDING_WARNING, STATE_BIND_POLICY, entry->key,
		     denies ?
			     "spec.rules[%zu].runAsUser: pods with users of their own (hostUsers: false) are denied it "
			     "whoever asks" :
			     "spec.rules[%zu].runAsUser: gives nothing to pods with users of their own (hostUsers: "
			     "false)",
		     i);
	if (denies)
		return claims_add(in->claims, &policy->rules, rule, &like);
	return other_users ? 0 : add_given(in, entry, i, &like);
}

/* Of a port range and an address, as written; each is work, whatever will be left of it. */
static size_t count_pairs(const struct rules *rules)
{
	size_t n = 0;

	for (size_t i = 0; i < rules->n; i++)
		n += (size_t)rules->items[i].nranges * (rules->items[i].nprefixes ?: 1);
	return n;
}

/* All of a policy or nothing. */
static int add_policy(struct gathering *in, const struct state_entry *entry, uint32_t number)
{
	size_t before = in->claims->n, pairs = count_pairs(&entry->policy->rules);
	int r = in->pairs + pairs > GATHER_MAX ? -E2BIG : 0;

	in->pairs += r ? 0 : pairs;
	for (size_t i = 0; !r && i < entry->policy->rules.n; i++) {
		r = add_rule(in, entry, i, number);
		if (!r && in->claims->n - in->ndenies > GATHER_MAX)
			r = -E2BIG;
	}
	if (r != -E2BIG)
		return r;
	in->claims->n = before;
	note(in, FINDING_WARNING, STATE_BIND_POLICY, entry->key,
	     "the BindPolicies of a pod have more than %d pairs of a port range and an address: this one is left out",
	     GATHER_MAX);
	return 0;
}

static int gather_namespace(struct gathering *in, const char *namespace)
{
	size_t clusters = state_count(in->g->state, STATE_CLUSTER_POLICY), len;
	const struct state_entry *entry;
	char prefix[OBJECT_KEY_MAX + 1];
	int r = 0;

	snprintf(prefix, sizeof(prefix), "%s/", namespace);
	len = strlen(prefix);
	for (size_t i = state_lower(in->g->state, STATE_BIND_POLICY, prefix);
	     !r && (entry = state_at(in->g->state, STATE_BIND_POLICY, i)) && !strncmp(entry->key, prefix, len); i++)
		if (entry->policy && selector_matches(&entry->policy->pods, &in->pod->labels))
			r = add_policy(in, entry, clusters + i);
	return r;
}

static int gather_pod(struct gathering *in, bool contested)
{
	const struct pod *pod = in->pod;
	const struct state_entry *namespace;
	char name[OBJECT_KEY_MAX];
	int r;

	gather_split(in->entry->key, name);
	namespace = state_find(in->g->state, STATE_NAMESPACE, name);
	if (namespace && namespace->ns)
		in->namespace = &namespace->ns->labels;
	else
		note(in, FINDING_NOTE, STATE_POD, in->entry->key,
		     "its namespace is not known: it is given nothing, and denied what any ClusterBindPolicy denies "
		     "that selects it by its own labels");
	r = gather_cluster(in);
	if (r || contested || pod->doubtful || !in->namespace)
		return r;
	if (pod->narrow_error)
		note(in, FINDING_WARNING, STATE_POD, in->entry->key,
		     "metadata.annotations." OBJECT_PORTS ": %s: the pod is given nothing", pod->narrow_error);
	r = add_all(&in->narrow, &pod->narrow);
	return r ?: gather_namespace(in, name);
}

int gather(const struct gather *g, const struct state_entry *entry, bool contested, struct claims *ret)
{
	struct gathering in = { .g = g, .entry = entry, .pod = entry->pod, .claims = ret };
	int r;

	ret->n = 0;
	r = gather_pod(&in, contested);
	claims_done(&in.ceiling);
	claims_done(&in.narrow);
	return r;
}

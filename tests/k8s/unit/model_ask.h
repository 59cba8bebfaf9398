// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a pod of a random cluster may bind, read off the rules as the manual tells them: slowly, one bind at a time, and with
 * nothing of the agent's code.
 */
#ifndef BINDCTL_TESTS_MODEL_ASK_H
#define BINDCTL_TESTS_MODEL_ASK_H

#include <limits.h>

#include "model.h"

struct model_bind {
	int pod; /* -1: no pod's */
	struct bc_question question;
};

/* One address of a bind. */
struct model_side {
	const struct bc_question *question;
	const uint32_t *addr;
	bool v4;
};

static inline bool model_prefix_holds(int prefix, const uint32_t addr[4], bool v4)
{
	_cleanup_free_ char *text = strdup(model_prefixes[prefix]);
	char *slash = strchr(text, '/');
	uint32_t words[4];
	unsigned bits = 128;
	bool prefix_v4;

	if (slash)
		*slash = '\0';
	prefix_v4 = random_addr(text, words);
	if (slash)
		bits = atoi(slash + 1) + (prefix_v4 ? 96 : 0);
	if (prefix_v4 != v4)
		return false;
	for (unsigned i = 0; i < bits; i++)
		if ((words[i / 32] ^ addr[i / 32]) >> (31 - i % 32) & 1)
			return false;
	return true;
}

static inline unsigned model_bits(int prefix)
{
	const char *slash = strchr(model_prefixes[prefix], '/');
	bool v4 = !strchr(model_prefixes[prefix], ':');

	return slash ? atoi(slash + 1) + (v4 ? 96 : 0) : 128;
}

static inline bool model_addr_holds(const struct model_rule *rule, const uint32_t addr[4], bool v4)
{
	for (unsigned i = 0; i < rule->nprefixes; i++)
		if (model_prefix_holds(rule->prefixes[i], addr, v4))
			return true;
	return !rule->nprefixes;
}

static inline bool model_port_holds(const struct model_rule *rule, unsigned port)
{
	for (unsigned i = 0; i < rule->nranges; i++)
		if (rule->ranges[i].first <= port && port <= rule->ranges[i].last)
			return true;
	return false;
}

static inline bool model_proto_holds(const struct model_rule *rule, unsigned proto)
{
	return !rule->proto || rule->proto == proto;
}

static inline bool model_user_holds(const struct model_rule *rule, const struct model_pod *pod, uint32_t uid)
{
	return rule->user < 0 || pod->own_users || (uint32_t)rule->user == uid;
}

static inline bool model_is_selected(const struct model_cluster *cluster, const struct model_pod *pod)
{
	if (pod->namespace < 2 && cluster->team >= 0 && cluster->team != model_team(pod->namespace))
		return false;
	return pod->forged || cluster->app < 0 || cluster->app == pod->app;
}

static const uint32_t model_v4_wildcard[4] = { 0, 0, 0xffff, 0 };
static const uint32_t model_v6_wildcard[4] = {};

static inline bool model_holds_wildcard(const struct model_rule *rule)
{
	return model_addr_holds(rule, model_v4_wildcard, true) || model_addr_holds(rule, model_v6_wildcard, false);
}

/* Whether the prefix that holds it is about a wildcard, which is what a dual-stack socket asks for twice. */
static inline bool model_prefix_is_wide(int prefix)
{
	return model_prefix_holds(prefix, model_v4_wildcard, true) ||
	       model_prefix_holds(prefix, model_v6_wildcard, false);
}

/* Whether what the entry leaves of the rule at this address is about a wildcard, however narrow a prefix is taken. */
static inline bool model_is_wide(const struct model_rule *rule, const struct model_rule *entry,
				 const struct model_side *side)
{
	for (unsigned i = 0; i < rule->nprefixes + entry->nprefixes; i++) {
		int prefix = i < rule->nprefixes ? rule->prefixes[i] : entry->prefixes[i - rule->nprefixes];

		if (model_prefix_holds(prefix, side->addr, side->v4) && !model_prefix_is_wide(prefix))
			return false;
	}
	return true;
}

/* Of which wildcards a port is held. */
struct model_wildcards {
	bool v4, v6;
};

static inline unsigned model_port_of(const struct model_rule *rule, const struct model_side *side)
{
	return rule->verb == BC_VERB_REWRITE && rule->to_port ? rule->to_port : side->question->port;
}

static inline void model_add_wildcards(const struct model_list *list, const struct model_rule *rule,
				       const struct model_side *side, struct model_wildcards *wildcards)
{
	for (unsigned i = 0; i < list->n; i++) {
		const struct model_rule *entry = &list->rules[i];

		if (!model_proto_holds(entry, side->question->proto) ||
		    !model_port_holds(entry, model_port_of(rule, side)))
			continue;
		wildcards->v4 |= model_addr_holds(entry, model_v4_wildcard, true);
		wildcards->v6 |= model_addr_holds(entry, model_v6_wildcard, false);
	}
}

/* Whether a list lets something be: the bind itself, or the target of a rewrite of it. */
static inline bool model_lets(const struct model_list *list, const struct model_rule *rule,
			      const struct model_side *side, struct model_wildcards held)
{
	bool rewrite = rule->verb == BC_VERB_REWRITE, by_port = rewrite && rule->to_addr < 0;
	bool wildcard = false, v4 = side->v4;
	unsigned port = model_port_of(rule, side);
	uint32_t addr[4];

	memcpy(addr, side->addr, sizeof(addr));
	if (rewrite && rule->to_addr >= 0) {
		v4 = random_addr(model_targets[rule->to_addr], addr);
		wildcard = !(addr[0] | addr[1] | addr[2] | addr[3]);
	}
	for (unsigned i = 0; i < list->n; i++) {
		const struct model_rule *entry = &list->rules[i];

		/* What leads to [::] takes 0.0.0.0 as well. */
		if (!model_proto_holds(entry, side->question->proto) || !model_port_holds(entry, port) ||
		    !(wildcard ? !entry->nprefixes : model_addr_holds(entry, addr, v4)))
			continue;
		if (!by_port || !model_is_wide(rule, entry, side) || (held.v4 && held.v6))
			return true;
	}
	return false;
}

enum model_doubt {
	MODEL_NO,
	MODEL_PERHAPS,
	MODEL_YES
};

/* Whether the rewrite may take a bind of this address to where the deny holds. */
static inline bool model_leads_to(const struct model_rule *rule, const struct model_rule *deny,
				  const struct model_side *side)
{
	uint32_t to[4];
	bool v4 = side->v4, wildcard;

	memcpy(to, side->addr, sizeof(to));
	if (rule->to_addr >= 0)
		v4 = random_addr(model_targets[rule->to_addr], to);
	wildcard = !(to[0] | to[1] | to[2] | to[3]) || (rule->to_addr < 0 && v4 && !(to[3]));
	return model_addr_holds(deny, to, v4) || (wildcard && model_holds_wildcard(deny));
}

/* Whether what the rewrite leads to is denied. Perhaps: for some other address that the rule is about. */
static inline enum model_doubt model_target_denied(const struct model *model, const struct model_pod *pod,
						   const struct model_rule *rule, const struct model_side *side)
{
	unsigned port = model_port_of(rule, side);
	enum model_doubt denied = MODEL_NO;

	for (unsigned i = 0; i < model->nclusters; i++) {
		const struct model_cluster *cluster = &model->clusters[i];

		for (unsigned k = 0; k < cluster->rules.n; k++) {
			const struct model_rule *deny = &cluster->rules.rules[k];

			if (cluster->audit || !model_is_selected(cluster, pod) ||
			    !model_proto_holds(deny, side->question->proto))
				continue;
			if (deny->user >= 0 && rule->user >= 0 && deny->user != rule->user && !pod->own_users)
				continue;
			/* Of all ports but some, port 0 has no name. */
			if (!model_port_holds(deny, port) && (port || rule->to_port))
				continue;
			if (model_leads_to(rule, deny, side))
				return MODEL_YES;
			if (rule->to_addr < 0)
				denied = MODEL_PERHAPS;
		}
	}
	return denied;
}

static inline bool model_has_ceiling(const struct model_cluster *cluster, const struct model_pod *pod)
{
	return cluster->has_ceiling && model_is_selected(cluster, pod) && (!pod->host || cluster->host);
}

/* Of ceilings: whether there is a limit, and whether the limits let it be. */
static inline bool model_within_ceiling(const struct model *model, const struct model_pod *pod,
					const struct model_rule *rule, const struct model_side *side)
{
	struct model_wildcards held = {};
	bool limited = pod->host;

	for (unsigned i = 0; i < model->nclusters; i++) {
		if (!model_has_ceiling(&model->clusters[i], pod))
			continue;
		limited = true;
		model_add_wildcards(&model->clusters[i].ceiling, rule, side, &held);
	}
	for (unsigned i = 0; i < model->nclusters; i++)
		if (model_has_ceiling(&model->clusters[i], pod) &&
		    model_lets(&model->clusters[i].ceiling, rule, side, held))
			return true;
	return !limited;
}

/* Of the pod's annotation, which has no addresses. */
static inline bool model_within_narrow(const struct model_pod *pod, const struct model_rule *rule,
				       const struct model_side *side)
{
	return !pod->narrowed ||
	       (!pod->malformed && model_lets(&pod->narrow, rule, side, (struct model_wildcards){ true, true }));
}

/* A rule as it competes, by one of its ranges and one of its prefixes; less is nearer. */
#define MODEL_RANK 7
struct model_rank {
	int parts[MODEL_RANK];
};

static inline bool model_is_nearer(const struct model_rank *a, const struct model_rank *b)
{
	for (int i = 0; i < MODEL_RANK; i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i];
	return false;
}

/* The nearest way in which the rule is about the bind; false: in none. */
static inline bool model_rank_of(const struct model_rule *rule, const struct model_pod *pod,
				 const struct model_side *side, int number, struct model_rank *ret)
{
	static const int privilege[] = {
		[BC_VERB_DENY] = 0, [BC_VERB_ALLOW] = 1, [BC_VERB_REWRITE] = 2, [BC_VERB_GRANT] = 3
	};
	bool found = false;
	int bits = 0, width = 0;

	if (!model_proto_holds(rule, side->question->proto) || !model_user_holds(rule, pod, side->question->uid) ||
	    !model_port_holds(rule, side->question->port) || !model_addr_holds(rule, side->addr, side->v4))
		return false;
	for (unsigned i = 0; i < rule->nranges; i++)
		if (rule->ranges[i].first <= side->question->port && side->question->port <= rule->ranges[i].last)
			width = rule->ranges[i].last - rule->ranges[i].first;
	for (unsigned i = 0; i < rule->nprefixes; i++) {
		int more = 1 + model_bits(rule->prefixes[i]);

		if (model_prefix_holds(rule->prefixes[i], side->addr, side->v4) && (!found || more > bits)) {
			bits = more;
			found = true;
		}
	}
	*ret = (struct model_rank){ { rule->user >= 0 && !pod->own_users ? 0 : 1, width, -bits, rule->proto ? 0 : 1,
				      privilege[rule->verb], number, 0 } };
	return true;
}

struct model_answer {
	enum bc_verdict verdict;
	bool audited, cluster, unsure;
	const struct model_rule *rule; /* with BC_REWRITE */
};

/* What of the cluster's rules is about the bind. */
static inline void model_ask_cluster(const struct model *model, const struct model_pod *pod,
				     const struct model_side *side, struct model_answer *ret)
{
	for (unsigned i = 0; i < model->nclusters; i++) {
		const struct model_cluster *cluster = &model->clusters[i];

		for (unsigned k = 0; model_is_selected(cluster, pod) && k < cluster->rules.n; k++) {
			struct model_rank rank;

			if (!model_rank_of(&cluster->rules.rules[k], pod, side, 0, &rank))
				continue;
			ret->audited |= cluster->audit;
			ret->cluster |= !cluster->audit;
		}
	}
}

/* Whether a rule that gives may do so; `unsure`: whether an address that is not this one's counts. */
static inline bool model_may_give(const struct model *model, const struct model_pod *pod,
				  const struct model_policy *policy, const struct model_rule *rule,
				  const struct model_side *side, bool generous, bool *ret_unsure)
{
	enum model_doubt denied = MODEL_NO;

	if (policy->audit || (rule->user >= 0 && pod->own_users) || !model_within_ceiling(model, pod, rule, side))
		return false;
	if (!model_within_narrow(pod, rule, side))
		return false;
	if (rule->verb == BC_VERB_REWRITE)
		denied = model_target_denied(model, pod, rule, side);
	*ret_unsure |= denied == MODEL_PERHAPS;
	return denied == MODEL_NO || (denied == MODEL_PERHAPS && generous);
}

static inline void model_ask_namespace(const struct model *model, const struct model_pod *pod,
				       const struct model_side *side, bool generous, struct model_answer *ret)
{
	struct model_rank best = { { INT_MAX } }, audited = { { INT_MAX } };

	for (unsigned i = 0; i < model->npolicies; i++) {
		const struct model_policy *policy = &model->policies[i];

		if (policy->namespace != pod->namespace || (policy->app >= 0 && policy->app != pod->app))
			continue;
		for (unsigned k = 0; k < policy->rules.n; k++) {
			const struct model_rule *rule = &policy->rules.rules[k];
			struct model_rank rank;

			if (!model_rank_of(rule, pod, side, i * MODEL_RULES + k, &rank))
				continue;
			if (rule->verb == BC_VERB_DENY && policy->audit) {
				if (model_is_nearer(&rank, &audited))
					audited = rank;
				continue;
			}
			if (rule->verb != BC_VERB_DENY &&
			    !model_may_give(model, pod, policy, rule, side, generous, &ret->unsure))
				continue;
			if (model_is_nearer(&rank, &best)) {
				best = rank;
				ret->rule = rule;
			}
		}
	}
	ret->audited |= model_is_nearer(&audited, &best);
	if (ret->rule)
		ret->verdict = bc_verb_verdict(ret->rule->verb);
}

static inline bool model_is_reserved(const struct model *model, const struct bc_question *question)
{
	for (unsigned i = 0; i < model->nclusters; i++)
		for (unsigned k = 0; k < model->clusters[i].reserved.n; k++)
			if (!model->clusters[i].audit &&
			    model_port_holds(&model->clusters[i].reserved.rules[k], question->port) &&
			    model_proto_holds(&model->clusters[i].reserved.rules[k], question->proto))
				return question->host_netns;
	return false;
}

static inline struct model_answer model_ask_side(const struct model *model, const struct model_bind *bind,
						 const uint32_t addr[4], bool v4, bool generous)
{
	const struct model_pod *pod = bind->pod >= 0 ? &model->pods[bind->pod] : NULL;
	const struct model_side side = { &bind->question, addr, v4 };
	struct model_answer answer = { .verdict = BC_NONE };

	if (pod && !pod->elsewhere && !pod->finished && (!pod->host || bind->question.host_netns)) {
		model_ask_cluster(model, pod, &side, &answer);
		if (answer.cluster) {
			answer.verdict = BC_DENY;
			return answer;
		}
		if (!pod->forged && pod->namespace < 2)
			model_ask_namespace(model, pod, &side, generous, &answer);
		/* It is given where it is, and not on the node's network. */
		if (answer.rule && !pod->host && bind->question.host_netns)
			answer.verdict = BC_DENY;
	}
	if (answer.verdict == BC_NONE && model_is_reserved(model, &bind->question))
		answer.verdict = BC_DENY;
	return answer;
}

/* Which of two rewrites stands first in the file: everyone's before a user's. */
static inline bool model_is_first(const struct model_rule *a, const struct model_rule *b)
{
	return a->user != b->user ? a->user < b->user : a < b;
}

static inline struct model_answer model_ask(const struct model *model, const struct model_bind *bind, bool generous)
{
	struct model_answer answer = model_ask_side(model, bind, bind->question.addr, bind->question.v4, generous);

	if (reference_is_dual(&bind->question)) {
		struct model_answer v4 = model_ask_side(model, bind, model_v4_wildcard, true, generous);

		v4.unsure |= answer.unsure;
		v4.audited |= answer.audited;
		answer.audited |= v4.audited;
		answer.unsure |= v4.unsure;
		if (v4.verdict < answer.verdict)
			return v4;
		if (v4.verdict == BC_REWRITE && answer.verdict == BC_REWRITE && model_is_first(v4.rule, answer.rule))
			return v4;
	}
	return answer;
}

/* Whether the cluster, and the pod itself, would let the pod have this address and port if it asked for them. */
static inline bool model_may_be_at(const struct model *model, const struct model_bind *bind, unsigned port,
				   const uint32_t addr[4], bool v4)
{
	static const struct model_rule plain = { .verb = BC_VERB_GRANT, .user = -1, .to_addr = -1 };
	const struct model_pod *pod = &model->pods[bind->pod];
	struct bc_question question = bind->question;
	const struct model_side side = { &question, addr, v4 };
	struct model_answer answer = {};

	question.port = port;
	model_ask_cluster(model, pod, &side, &answer);
	return !answer.cluster && model_within_ceiling(model, pod, &plain, &side) &&
	       model_within_narrow(pod, &plain, &side);
}

#endif

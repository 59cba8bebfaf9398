// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The decision once more, slow and plain, from what DESIGN.md says of the policy language: every rule is looked at for
 * every bind, and the nearest of those that hold is kept. Shares no code with compile, segment and match.h: it reads
 * the rules as parse and resolve left them, and no image.
 *
 * For the unit tests and the kernel's: includes nothing but the library's headers.
 */
#ifndef BINDCTL_REFERENCE_H
#define BINDCTL_REFERENCE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "pure/decide.h"
#include "pure/policy.h"

struct reference_answer {
	enum bc_verdict verdict;
	int rule;    /* its number; -1: no rule decides */
	int audited; /* the first that would have refused, but only audits; -1: none */
	int err;     /* with BC_DENY */
	bool v4;     /* it is what IPv4 says to a dual-stack bind */
	/* With BC_REWRITE: where the bind goes. An IPv4 address is ::ffff:a.b.c.d; a socket may not be able to take it. */
	uint32_t addr[4];
	uint16_t port;
	bool hidden;
};

/* One reading of a rule: a reserve has two of them. */
struct reference_reading {
	bool others; /* what a reserve means to everyone else */
	/* How near it is, compared from left to right; less is nearer. Its number comes last, so no two are equal. */
	int rank[7];
};

#define REFERENCE_NEARNESS 7

/* The range that holds the port, or NULL. */
static inline const struct bc_range *reference_range(const struct bc_policy *policy, const struct bc_rule *rule,
						     unsigned port)
{
	for (uint32_t i = rule->ranges; i < rule->ranges + rule->nranges; i++)
		if (policy->ranges[i].first <= port && port <= policy->ranges[i].last)
			return &policy->ranges[i];
	return NULL;
}

static inline bool reference_addr_holds(const struct bc_rule *rule, const uint32_t addr[4], bool v4)
{
	if (rule->v4 != v4)
		return false;
	for (unsigned bit = 0; bit < rule->prefix; bit++)
		if ((rule->addr[bit / 32] ^ addr[bit / 32]) >> (31 - bit % 32) & 1)
			return false;
	return true;
}

/* What a rule asks for besides port and subject; the same for everyone. */
static inline bool reference_holds(const struct bc_rule *rule, const struct bc_question *bind, const uint32_t addr[4],
				   bool v4)
{
	if (rule->clauses & BC_CLAUSE_PROTO && rule->proto != bind->proto)
		return false;
	if (!rule->any_netns && !bind->host_netns)
		return false;
	if (rule->clauses & BC_CLAUSE_UNTIL && bind->now >= rule->until)
		return false;
	return !(rule->clauses & BC_CLAUSE_ADDR) || reference_addr_holds(rule, addr, v4);
}

/* Cgroups in the rule's path: 0 for the root. */
static inline int reference_depth(const struct bc_policy *policy, const struct bc_rule *rule)
{
	const char *path = rule->path ? policy->strings.data + rule->path : "/";
	int depth = 0;

	for (; path[0] == '/' && path[1]; path++) {
		depth++;
		path += strcspn(path + 1, "/");
	}
	return depth;
}

/* Whether the task is in the rule's cgroup or below. */
static inline bool reference_in_cgroup(const struct bc_policy *policy, const struct bc_rule *rule, const char *cgroup)
{
	const char *path = rule->path ? policy->strings.data + rule->path : "/";
	size_t len = strlen(path);

	if (len == 1)
		return true;
	return cgroup && !strncmp(cgroup, path, len) && (!cgroup[len] || cgroup[len] == '/');
}

static inline bool reference_in_group(const struct bc_question *bind, uint32_t gid)
{
	if (bind->gid == gid)
		return true;
	for (size_t i = 0; i < bind->ngroups; i++)
		if (bind->groups[i] == gid)
			return true;
	return false;
}

static inline bool reference_is_subject(const struct bc_policy *policy, const struct bc_rule *rule,
					const struct bc_question *bind)
{
	if (rule->clauses & BC_CLAUSE_USER && bind->uid != rule->id)
		return false;
	if (rule->clauses & BC_CLAUSE_GROUP && !reference_in_group(bind, rule->id))
		return false;
	return reference_in_cgroup(policy, rule, bind->cgroup);
}

static inline enum bc_verdict reference_verdict(const struct bc_rule *rule, bool others)
{
	if (others)
		return BC_DENY;
	return rule->verb == BC_VERB_DENY    ? BC_DENY :
	       rule->verb == BC_VERB_ALLOW   ? BC_ALLOW :
	       rule->verb == BC_VERB_REWRITE ? BC_REWRITE :
					       BC_GRANT;
}

/* "The narrowest range; then the longest prefix; then a protocol given over none", then the least privilege. */
static inline struct reference_reading reference_read(const struct bc_policy *policy, const struct bc_rule *rule,
						      const struct bc_range *range, bool others)
{
	static const int privilege[] = { [BC_DENY] = 0, [BC_ALLOW] = 1, [BC_REWRITE] = 2, [BC_GRANT] = 3 };
	int subject = rule->clauses & BC_CLAUSE_USER ? 0 : rule->clauses & BC_CLAUSE_GROUP ? 1 : 2;

	/* Everyone else is anyone in any cgroup. */
	return (struct reference_reading){ others,
					   {
						   others ? 0 : -reference_depth(policy, rule),
						   others ? 2 : subject,
						   range->last - range->first,
						   rule->clauses & BC_CLAUSE_ADDR ? -1 - rule->prefix : 0,
						   rule->clauses & BC_CLAUSE_PROTO ? 0 : 1,
						   privilege[reference_verdict(rule, others)],
						   rule - policy->rules,
					   } };
}

static inline bool reference_is_nearer(const struct reference_reading *a, const struct reference_reading *b)
{
	int i = 0;

	while (i + 1 < REFERENCE_NEARNESS && a->rank[i] == b->rank[i])
		i++;
	return a->rank[i] < b->rank[i];
}

/* The answer for one address. */
static inline void reference_decide(const struct bc_policy *policy, const struct bc_question *bind,
				    const uint32_t addr[4], bool v4, struct reference_answer *ret)
{
	const struct reference_reading none = { .rank = { INT_MAX } };
	struct reference_reading decides = none, audits = none;

	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		const struct bc_range *range = reference_range(policy, rule, bind->port);
		struct reference_reading reading, *best;
		bool others;

		if (!range || !reference_holds(rule, bind, addr, v4))
			continue;
		others = !reference_is_subject(policy, rule, bind);
		if (others && rule->verb != BC_VERB_RESERVE)
			continue;
		reading = reference_read(policy, rule, range, others);
		best = rule->clauses & BC_CLAUSE_AUDIT && reference_verdict(rule, others) == BC_DENY ? &audits :
												       &decides;
		if (reference_is_nearer(&reading, best))
			*best = reading;
	}
	*ret = (struct reference_answer){ .verdict = BC_NONE, .rule = -1, .audited = -1 };
	/* What would have refused is what came to it, before something decided. */
	if (reference_is_nearer(&audits, &decides))
		ret->audited = audits.rank[REFERENCE_NEARNESS - 1];
	if (!reference_is_nearer(&decides, &none))
		return;
	ret->rule = decides.rank[REFERENCE_NEARNESS - 1];
	ret->verdict = reference_verdict(&policy->rules[ret->rule], decides.others);
	ret->err = ret->verdict == BC_DENY ? policy->rules[ret->rule].err : 0;
}

/* How much an answer leaves: that of no rule is the kernel's own, just as that of an `allow`, which is a rule's word. */
static inline int reference_privilege(const struct reference_answer *answer)
{
	return answer->verdict == BC_DENY    ? 0 :
	       answer->verdict == BC_ALLOW   ? 1 :
	       answer->verdict == BC_NONE    ? 2 :
	       answer->verdict == BC_REWRITE ? 3 :
					       4;
}

/* [::] of a dual-stack socket is 0.0.0.0, too: the lesser privilege holds. */
static inline bool reference_is_dual(const struct bc_question *bind)
{
	const uint32_t *addr = bind->addr;

	return !bind->v4 && !bind->v6only && !(addr[0] | addr[1] | addr[2] | addr[3]);
}

static inline void reference_ask(const struct bc_policy *policy, const struct bc_question *bind,
				 struct reference_answer *ret)
{
	static const uint32_t wildcard[4] = { 0, 0, 0xffff, 0 };
	struct reference_answer answer, v4;

	reference_decide(policy, bind, bind->addr, bind->v4, &answer);
	if (reference_is_dual(bind)) {
		int audited = answer.audited;
		int mine = reference_privilege(&answer), other;

		reference_decide(policy, bind, wildcard, true, &v4);
		other = reference_privilege(&v4);
		/* Of two rewrites, the first by file name and line. */
		if (other < mine || (other == mine && v4.verdict == BC_REWRITE && v4.rule < answer.rule)) {
			answer = v4;
			answer.v4 = true;
		}
		answer.audited = audited >= 0 ? audited : v4.audited;
	}
	if (answer.verdict == BC_REWRITE) {
		const struct bc_rule *rule = &policy->rules[answer.rule];

		memcpy(answer.addr, rule->to_addr ? rule->to : bind->addr, sizeof(answer.addr));
		answer.port = rule->to_port ? rule->to_port : bind->port;
		answer.hidden = rule->clauses & BC_CLAUSE_HIDDEN;
	}
	*ret = answer;
}

#endif

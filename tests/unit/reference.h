// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The decision once more, slow and plain: every rule of the policy is looked at and the most specific kept. Shares no
 * code with compile, segment and match.h. With it the random policies and binds that the two are compared on.
 */
#ifndef BINDCTL_REFERENCE_H
#define BINDCTL_REFERENCE_H

#include "unit.h"

/* Less is nearer; compared from left to right. */
struct reference_rank {
	int parts[6];
};

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

static inline bool reference_holds(const struct bc_rule *rule, const struct bc_question *bind, const uint32_t addr[4],
				   bool v4)
{
	if (rule->kind == BC_USER && rule->id != bind->uid)
		return false;
	if (!(rule->proto & bind->proto) || (!rule->any_netns && !bind->host_netns))
		return false;
	return !(rule->clauses & BC_CLAUSE_ADDR) || reference_addr_holds(rule, addr, v4);
}

static inline struct reference_rank reference_rank(const struct bc_rule *rule, const struct bc_range *range, int number)
{
	return (struct reference_rank){ {
		rule->kind == BC_USER ? 0 : 1,
		range->last - range->first,
		rule->clauses & BC_CLAUSE_ADDR ? -1 - rule->prefix : 0,
		rule->clauses & BC_CLAUSE_PROTO ? 0 : 1,
		rule->verb == BC_VERB_DENY  ? 0 :
		rule->verb == BC_VERB_ALLOW ? 1 :
					      2,
		number,
	} };
}

/* The rule that decides the bind at one address, or -1. */
static inline int reference_decide(const struct bc_policy *policy, const struct bc_question *bind,
				   const uint32_t addr[4], bool v4)
{
	struct reference_rank best = {};
	int found = -1;

	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_range *range = reference_range(policy, &policy->rules[i], bind->port);
		struct reference_rank rank;
		int part = 0;

		if (!range || !reference_holds(&policy->rules[i], bind, addr, v4))
			continue;
		rank = reference_rank(&policy->rules[i], range, i);
		while (part < 5 && rank.parts[part] == best.parts[part])
			part++;
		if (found < 0 || rank.parts[part] < best.parts[part]) {
			best = rank;
			found = i;
		}
	}
	return found;
}

/* How much the rule leaves: 0 refused, 1 the kernel's rule by a rule's word, 2 without one, 3 granted. */
static inline int reference_privilege(const struct bc_policy *policy, int rule)
{
	if (rule < 0)
		return 2;
	return policy->rules[rule].verb == BC_VERB_GRANT ? 3 : policy->rules[rule].verb == BC_VERB_ALLOW ? 1 : 0;
}

static inline bool reference_agrees(const struct bc_policy *policy, const struct bc_question *bind,
				    const struct bc_answer *answer)
{
	static const enum bc_verdict verdicts[] = { BC_DENY, BC_ALLOW, BC_NONE, BC_GRANT };
	const uint32_t wildcard4[4] = { 0, 0, 0xffff, 0 };
	int rule = reference_decide(policy, bind, bind->addr, bind->v4), other = rule;
	int privilege = reference_privilege(policy, rule);
	int got = answer->rule == BC_RULE_NONE ? -1 : (int)answer->rule;

	if (!bind->v4 && !bind->v6only && !bind->addr[0] && !bind->addr[1] && !bind->addr[2] && !bind->addr[3]) {
		other = reference_decide(policy, bind, wildcard4, true);
		if (reference_privilege(policy, other) < privilege) {
			privilege = reference_privilege(policy, other);
			rule = other;
		} else if (reference_privilege(policy, other) > privilege) {
			other = rule;
		}
	}
	/* Where both sides come to the same, either may be named. */
	if (answer->verdict != verdicts[privilege] || (got != rule && got != other))
		return false;
	return answer->err == (privilege ? 0 : (int)policy->rules[got].err);
}

/* Few ports, addresses and users, so that rules overlap in every way. */
static inline void reference_random_ports(uint64_t *state, struct bc_text *text)
{
	unsigned port = 0, n = 1 + random_below(state, 3);

	if (!random_below(state, 8)) {
		bc_text_addf(text, " port any");
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned first = port + 1 + random_below(state, 12);
		unsigned last = first + (random_below(state, 2) ? 0 : random_below(state, 20));

		if (!random_below(state, 20))
			last = 65535;
		bc_text_addf(text, "%s%u-%u", i ? "," : " port ", first, last);
		port = last;
		if (last == 65535)
			break;
	}
}

static const char *const reference_prefixes[] = {
	"0.0.0.0/0", "0.0.0.0", "10.0.0.0/8",	 "10.1.0.0/16", "10.1.2.0/25",	 "10.1.2.3",	"::ffff:10.0.0.0/105",
	"::/0",	     "::",	"::ffff:0:0/96", "2001::/16",	"2001:db8::/32", "2001:db8::1", "2001:db8::/65",
};

static const char *const reference_addrs[] = {
	"0.0.0.0",  "::",	  "::",		"10.0.0.1",    "10.1.0.1",
	"10.1.2.3", "10.1.2.127", "10.128.0.0", "2001:db8::1", "2001:db8::8000:0:0:0",
	"2001:1::", "::1",
};

static inline void reference_random_policy(uint64_t *state, struct bc_text *text, unsigned rules, unsigned users)
{
	static const char *const verbs[] = { "grant", "allow", "deny" };
	static const char *const errnos[] = { "EACCES", "EPERM", "EADDRINUSE", "EADDRNOTAVAIL" };

	for (unsigned i = 0; i < rules; i++) {
		unsigned verb = random_below(state, 3);

		bc_text_addf(text, "%s", verbs[verb]);
		if (random_below(state, 2))
			bc_text_addf(text, " user %u", random_below(state, users));
		reference_random_ports(state, text);
		if (!random_below(state, 3))
			bc_text_addf(text, " proto %s", random_below(state, 2) ? "tcp" : "udp");
		if (!random_below(state, 2))
			bc_text_addf(text, " addr %s",
				     reference_prefixes[random_below(state, ARRAY_SIZE(reference_prefixes))]);
		if (!random_below(state, 3))
			bc_text_addf(text, " netns any");
		if (verb == 2 && random_below(state, 2))
			bc_text_addf(text, " errno %s", errnos[random_below(state, ARRAY_SIZE(errnos))]);
		bc_text_addf(text, "\n");
	}
}

static inline struct bc_question reference_random_bind(uint64_t *state, unsigned users)
{
	static const unsigned far[] = { 0, 65535, 65534, 1000, 64, 128 };
	unsigned port = random_below(state, 8) ? random_below(state, 60) : far[random_below(state, ARRAY_SIZE(far))];
	struct bc_question bind = ask(random_below(state, users + 1), port,
				      reference_addrs[random_below(state, ARRAY_SIZE(reference_addrs))]);

	bind.proto = random_below(state, 2) ? BC_TCP : BC_UDP;
	bind.host_netns = random_below(state, 3);
	bind.v6only = !random_below(state, 3);
	return bind;
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/pattern.h"

bool bc_rule_matches(const struct bc_policy *pattern_policy, const struct bc_rule *pattern,
		     const struct bc_policy *policy, const struct bc_rule *rule)
{
	const uint32_t flags = BC_CLAUSE_LOG | BC_CLAUSE_AUDIT | BC_CLAUSE_HIDDEN;

	if (pattern->kind != rule->kind || pattern->id != rule->id ||
	    !bc_same_text(bc_policy_path(pattern_policy, pattern), bc_policy_path(policy, rule)))
		return false;
	if (pattern->clauses & BC_CLAUSE_PROTO && (!(rule->clauses & BC_CLAUSE_PROTO) || pattern->proto != rule->proto))
		return false;
	if (pattern->clauses & BC_CLAUSE_ADDR &&
	    (!(rule->clauses & BC_CLAUSE_ADDR) || pattern->v4 != rule->v4 || pattern->prefix != rule->prefix ||
	     memcmp(pattern->addr, rule->addr, sizeof(rule->addr))))
		return false;
	if (pattern->clauses & BC_CLAUSE_NETNS && pattern->any_netns != rule->any_netns)
		return false;
	if (pattern->clauses & BC_CLAUSE_TO && !(rule->clauses & BC_CLAUSE_TO && bc_rule_leads_alike(pattern, rule)))
		return false;
	if (pattern->clauses & BC_CLAUSE_UNTIL && (!(rule->clauses & BC_CLAUSE_UNTIL) || pattern->until != rule->until))
		return false;
	if (pattern->clauses & flags & ~rule->clauses)
		return false;
	return !(pattern->clauses & BC_CLAUSE_ERRNO) || (bc_rule_denies(rule) && pattern->err == rule->err);
}

static bool is_any(const struct bc_range *ranges, size_t n)
{
	return n == 1 && ranges[0].first == 0 && ranges[0].last == UINT16_MAX;
}

int bc_rule_subtract(const struct bc_range *rule, size_t nrule, const struct bc_range *pattern, size_t npattern,
		     struct bc_range **ret, size_t *ret_n)
{
	/* Each range of the pattern can part one range of the rule in two. */
	_cleanup_free_ struct bc_range *left = calloc(nrule + npattern + 1, sizeof(*left));
	bool shared = false;
	size_t n = 0;

	if (!left)
		return -ENOMEM;
	if (is_any(rule, nrule) && !is_any(pattern, npattern))
		return -ERANGE;
	for (size_t i = 0; i < nrule; i++) {
		unsigned first = rule[i].first, last = rule[i].last;

		for (size_t k = 0; k < npattern && first <= last; k++) {
			if (pattern[k].last < first || pattern[k].first > last)
				continue;
			shared = true;
			if (pattern[k].first > first)
				left[n++] = (struct bc_range){ first, pattern[k].first - 1 };
			first = pattern[k].last + 1u;
		}
		if (first <= last)
			left[n++] = (struct bc_range){ first, last };
	}
	if (!shared)
		return -ENOENT;
	*ret = TAKE_PTR(left);
	*ret_n = n;
	return 0;
}

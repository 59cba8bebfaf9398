/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be revoked, written as a rule: which rules it speaks of, and what it leaves of them. */
#ifndef BINDCTL_PATTERN_H
#define BINDCTL_PATTERN_H

#include "pure/policy.h"

/*
 * Whether `rule` is one that `pattern` speaks of: the same subject, every clause of the pattern but its ports equal in
 * the rule. Clauses that the pattern does not have may be anything; verbs are not compared. Resolve both first.
 */
bool bc_rule_matches(const struct bc_policy *pattern_policy, const struct bc_rule *pattern,
		     const struct bc_policy *policy, const struct bc_rule *rule);

/*
 * The ports of `rule` that `pattern` does not name, malloc'ed; *ret_n is 0 when none are left. -ENOENT when the two
 * share no port; -ERANGE when the rule is `port any` and the pattern is not (the rest has no name); -ENOMEM.
 */
int bc_rule_subtract(const struct bc_range *rule, size_t nrule, const struct bc_range *pattern, size_t npattern,
		     struct bc_range **ret, size_t *ret_n);

#endif

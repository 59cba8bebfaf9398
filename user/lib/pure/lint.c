// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/lint.h"

/* Rules before one in a list that are compared with it: keeps a list of a million from taking forever. */
#define COMPARED_MAX 256

/* What is known of a rule so far. */
struct fate {
	bool decides;	 /* in some segment nothing that always holds with it comes before it */
	bool hidden;	 /* in some segment something does */
	uint32_t behind; /* that rule */
};

struct lint {
	const struct bc_policy *policy;
	const struct bc_cells *cells;
	struct fate *fates;
};

static bool within(const struct bc_rule *inner, const struct bc_rule *outer)
{
	for (unsigned i = 0; i < 4; i++) {
		int bits = outer->prefix - 32 * (int)i;
		uint32_t mask = bits >= 32 ? ~0u : bits <= 0 ? 0 : ~0u << (32 - bits);

		if ((inner->addr[i] ^ outer->addr[i]) & mask)
			return false;
	}
	return inner->v4 == outer->v4 && inner->prefix >= outer->prefix;
}

/* Whether `first` holds for every bind that `rule` holds for, the port aside. */
static bool always_holds(const struct bc_rule *first, const struct bc_rule *rule)
{
	if (first->clauses & BC_CLAUSE_PROTO && (!(rule->clauses & BC_CLAUSE_PROTO) || first->proto != rule->proto))
		return false;
	if (first->clauses & BC_CLAUSE_ADDR && (!(rule->clauses & BC_CLAUSE_ADDR) || !within(rule, first)))
		return false;
	return first->any_netns || !rule->any_netns;
}

static void look_at_list(struct lint *lint, const uint32_t *refs, size_t n)
{
	const struct bc_rule *rules = lint->policy->rules;

	for (size_t i = 0; i < n; i++) {
		uint32_t number = refs[i] & BC_REF_NUMBER;
		struct fate *fate = &lint->fates[number];
		size_t k = 0;

		while (k < i && k < COMPARED_MAX && !always_holds(&rules[refs[k] & BC_REF_NUMBER], &rules[number]))
			k++;
		if (k == i || k == COMPARED_MAX) {
			fate->decides = true;
		} else if (!fate->hidden) {
			fate->hidden = true;
			fate->behind = refs[k] & BC_REF_NUMBER;
		}
	}
}

/* Walks the lists section, which is one list behind another. */
static void look_at_lists(struct lint *lint)
{
	const struct bc_header *h = &lint->cells->cells[0].header;
	const uint32_t *refs = lint->cells->cells[h->lists].refs;
	size_t n = (size_t)(h->rules - h->lists) * BC_REFS;

	for (size_t i = 0, first = 0; i < n; i++) {
		if (refs[i] & BC_REF_LAST) {
			look_at_list(lint, refs + first, i + 1 - first);
			first = i + 1;
		}
	}
}

/* A rule that stands alone in a segment decides there. */
static void look_at_segments(struct lint *lint)
{
	const struct bc_header *h = &lint->cells->cells[0].header;

	for (uint32_t i = 0; i < h->buckets * BC_SLOTS; i++) {
		const struct bc_slot *slot = &lint->cells->cells[h->index + i / BC_SLOTS].slots[i % BC_SLOTS];

		if (slot->key && !(slot->ref & (BC_REF_RUN | BC_REF_LIST)))
			lint->fates[slot->ref & BC_REF_NUMBER].decides = true;
		if (!(slot->ref & BC_REF_RUN))
			continue;
		for (uint32_t k = slot->ref & BC_REF_NUMBER, n = 0; n < slot->ports; k++, n++) {
			uint32_t ref = lint->cells->cells[h->segments + k / BC_SEGMENTS].segments[k % BC_SEGMENTS].ref;

			if (!(ref & BC_REF_LIST))
				lint->fates[ref & BC_REF_NUMBER].decides = true;
		}
	}
}

static void report_hidden(const struct lint *lint, uint32_t number, enum bc_severity severity, struct bc_report *report)
{
	const struct bc_policy *policy = lint->policy;
	const struct bc_rule *rule = &policy->rules[number], *first = &policy->rules[lint->fates[number].behind];
	bool same = bc_rule_digest(policy, rule) == bc_rule_digest(policy, first);
	struct bc_error error;

	bc_fail_at(&error, 0, bc_policy_source_of(policy, rule), rule->line, 0,
		   same ? "this rule says the same as %s:%u" :
			  "this rule never decides: %s:%u always decides before it",
		   bc_policy_source_of(policy, first), first->line);
	error.severity = severity;
	bc_report_add(report, &error);
}

/* Whether the two differ in their outcome alone: the compiler has said so already. */
static bool is_conflict(const struct bc_policy *policy, uint32_t a, uint32_t b)
{
	struct bc_rule left = policy->rules[a], right = policy->rules[b];

	if (left.verb == right.verb && left.err == right.err)
		return false;
	left.verb = right.verb = BC_VERB_DENY;
	left.err = right.err = 0;
	return bc_rule_digest(policy, &left) == bc_rule_digest(policy, &right);
}

int bc_lint(const struct bc_policy *policy, const struct bc_cells *cells, enum bc_severity severity,
	    struct bc_report *report)
{
	_cleanup_free_ struct fate *fates = calloc(policy->n + 1, sizeof(*fates));
	struct lint lint = { policy, cells, fates };

	if (!fates)
		return -ENOMEM;
	look_at_lists(&lint);
	look_at_segments(&lint);
	for (uint32_t i = 0; i < policy->n; i++)
		if (!fates[i].decides && fates[i].hidden && !is_conflict(policy, i, fates[i].behind))
			report_hidden(&lint, i, severity, report);
	return 0;
}

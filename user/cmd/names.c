// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/names.h"
#include "host/names.h"

static int compare_subjects(const void *left, const void *right, void *ctx)
{
	const struct bc_policy *policy = ctx;
	const struct bc_rule *a = &policy->rules[*(const uint32_t *)left],
			     *b = &policy->rules[*(const uint32_t *)right];

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

void add_names(struct bc_policy *policy)
{
	_cleanup_free_ uint32_t *order = calloc(policy->n + 1, sizeof(*order));
	uint32_t name = 0;

	if (!order)
		return;
	for (size_t i = 0; i < policy->n; i++)
		order[i] = i;
	qsort_r(order, policy->n, sizeof(*order), compare_subjects, policy);
	for (size_t i = 0; i < policy->n; i++) {
		struct bc_rule *rule = &policy->rules[order[i]];

		if (rule->kind != BC_USER)
			continue;
		if (i == 0 || policy->rules[order[i - 1]].kind != BC_USER ||
		    policy->rules[order[i - 1]].id != rule->id) {
			_cleanup_free_ char *found = bc_user_name(rule->id);

			name = found ? bc_policy_string(policy, found, strlen(found)) : 0;
		}
		rule->name = name;
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "pure/diff.h"

struct numbered {
	uint64_t digest;
	uint32_t rule;
};

static int compare_digests(const void *left, const void *right)
{
	const struct numbered *a = left, *b = right;

	if (a->digest != b->digest)
		return a->digest < b->digest ? -1 : 1;
	return a->rule < b->rule ? -1 : 1;
}

static int compare_numbers(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return BC_COMPARE(*a, *b);
}

static struct numbered *sorted_digests(const struct bc_policy *policy)
{
	struct numbered *items = calloc(policy->n + 1, sizeof(*items));

	if (!items)
		return NULL;
	for (size_t i = 0; i < policy->n; i++)
		items[i] = (struct numbered){ bc_rule_digest(policy, &policy->rules[i]), i };
	qsort(items, policy->n, sizeof(*items), compare_digests);
	return items;
}

void bc_diff_done(struct bc_diff *diff)
{
	free(diff->removed);
	free(diff->added);
	*diff = (struct bc_diff){};
}

int bc_diff(const struct bc_policy *old, const struct bc_policy *new, struct bc_diff *ret_diff)
{
	_cleanup_free_ struct numbered *a = sorted_digests(old), *b = sorted_digests(new);
	struct bc_diff diff = {
		.removed = calloc(old->n + 1, sizeof(*diff.removed)),
		.added = calloc(new->n + 1, sizeof(*diff.added)),
	};

	if (!a || !b || !diff.removed || !diff.added) {
		bc_diff_done(&diff);
		return -ENOMEM;
	}
	for (size_t i = 0, k = 0; i < old->n || k < new->n;) {
		if (k == new->n || (i < old->n && a[i].digest < b[k].digest))
			diff.removed[diff.nremoved++] = a[i++].rule;
		else if (i == old->n || b[k].digest < a[i].digest)
			diff.added[diff.nadded++] = b[k++].rule;
		else if (bc_rule_same(old, &old->rules[a[i].rule], new, &new->rules[b[k].rule]))
			i++, k++;
		else {
			diff.removed[diff.nremoved++] = a[i++].rule;
			diff.added[diff.nadded++] = b[k++].rule;
		}
	}
	qsort(diff.removed, diff.nremoved, sizeof(*diff.removed), compare_numbers);
	qsort(diff.added, diff.nadded, sizeof(*diff.added), compare_numbers);
	*ret_diff = diff;
	return 0;
}

int bc_differ(const struct bc_policy *old, const struct bc_policy *new, bool *ret_differ)
{
	_cleanup_(bc_diff_done) struct bc_diff diff = {};
	int r = bc_diff(old, new, &diff);

	*ret_differ = diff.nremoved || diff.nadded;
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/tally.h"

void bc_hits_done(struct bc_hits *hits)
{
	free(hits->items);
	*hits = (struct bc_hits){};
}

uint32_t bc_tally_find(const union bc_cell *head, uint32_t n, uint32_t *ret_cell)
{
	const struct bc_header *h = n > BC_INDEX ? &head[0].header : NULL;

	*ret_cell = 0;
	if (!h || h->magic != BC_MAGIC || h->schema != BC_SCHEMA || h->rules > n ||
	    head[1].about.nrules > (uint64_t)(n - h->rules) * BC_RULES)
		return 0;
	*ret_cell = h->rules;
	return head[1].about.nrules;
}

int bc_tally_take(struct bc_hits *hits, const struct bc_rule_cell *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!rules[i].hits)
			continue;
		if (bc_grow(&hits->items, &hits->room, hits->n + 1))
			return -ENOMEM;
		hits->items[hits->n] = (struct bc_hit){ rules[i], hits->n, false };
		hits->n++;
	}
	return 0;
}

static int compare_hits(const void *left, const void *right)
{
	const struct bc_hit *a = left, *b = right;

	if (a->rule.id != b->rule.id)
		return a->rule.id < b->rule.id ? -1 : 1;
	return BC_COMPARE(a->number, b->number);
}

/*
 * An id is half a digest, and two rules may share one: what else their cells say is compared. A detail's number is not:
 * that depends on the rules before.
 */
static bool is_same(const struct bc_rule_cell *a, const struct bc_rule_cell *b)
{
	return a->id == b->id && a->verdict == b->verdict && a->conditions == b->conditions && a->proto == b->proto &&
	       a->err == b->err && a->flags == b->flags && (bc_has_details(a) || a->more == b->more);
}

static struct bc_hit *find_hit(const struct bc_hits *hits, const struct bc_rule_cell *rule)
{
	size_t low = 0, high = hits->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (hits->items[middle].rule.id < rule->id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < hits->n && hits->items[low].rule.id == rule->id; low++)
		if (!hits->items[low].taken && is_same(&hits->items[low].rule, rule))
			return &hits->items[low];
	return NULL;
}

int bc_tally_carry(struct bc_hits *hits, const struct bc_cells *to, struct bc_tally **ret, size_t *ret_n)
{
	_cleanup_free_ struct bc_tally *tallies = calloc(hits->n + 1, sizeof(*tallies));
	const struct bc_rule_cell *rules;
	uint32_t cell, nrules;
	size_t n = 0;

	if (!tallies)
		return -ENOMEM;
	if (hits->n)
		qsort(hits->items, hits->n, sizeof(*hits->items), compare_hits);
	nrules = bc_tally_find(to->cells, to->n, &cell);
	rules = to->cells[cell].rules;
	for (uint32_t i = 0; n < hits->n && i < nrules; i++) {
		struct bc_hit *hit = find_hit(hits, &rules[i]);

		if (!hit)
			continue;
		hit->taken = true;
		tallies[n++] = (struct bc_tally){ i, hit->rule.last, hit->rule.hits };
	}
	*ret = TAKE_PTR(tallies);
	*ret_n = n;
	return 0;
}

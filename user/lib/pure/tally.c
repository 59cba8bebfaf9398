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

void bc_tally_find(const union bc_cell *head, uint32_t n, uint32_t *ret_first, uint32_t *ret_last)
{
	const struct bc_header *h = n > BC_INDEX ? &head[0].header : NULL;

	*ret_first = *ret_last = 0;
	if (!h || h->magic != BC_MAGIC || h->schema != BC_SCHEMA || h->rules > n || head[1].about.nrules > n - h->rules)
		return;
	*ret_first = h->rules;
	*ret_last = h->rules + head[1].about.nrules;
}

int bc_tally_take(struct bc_hits *hits, const union bc_cell *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!rules[i].rule.hits)
			continue;
		if (bc_grow(&hits->items, &hits->room, hits->n + 1))
			return -ENOMEM;
		hits->items[hits->n] = (struct bc_hit){ rules[i].rule, hits->n, false };
		hits->n++;
	}
	return 0;
}

static int compare_hits(const void *left, const void *right)
{
	const struct bc_hit *a = left, *b = right;

	if (a->rule.id != b->rule.id)
		return a->rule.id < b->rule.id ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

/* An id is half a digest, and two rules may share one: what else can be compared without their ports and cgroup is. */
static bool is_same(const struct bc_rule_cell *a, const struct bc_rule_cell *b)
{
	return a->id == b->id && a->verdict == b->verdict && a->conditions == b->conditions && a->proto == b->proto &&
	       a->prefix == b->prefix && a->err == b->err && a->gid == b->gid && a->until == b->until &&
	       a->to_port == b->to_port && a->flags == b->flags && !memcmp(a->addr, b->addr, sizeof(a->addr));
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
	uint32_t first, last;
	size_t n = 0;

	if (!tallies)
		return -ENOMEM;
	if (hits->n)
		qsort(hits->items, hits->n, sizeof(*hits->items), compare_hits);
	bc_tally_find(to->cells, to->n, &first, &last);
	for (uint32_t i = first; n < hits->n && i < last; i++) {
		struct bc_hit *hit = find_hit(hits, &to->cells[i].rule);

		if (!hit)
			continue;
		hit->taken = true;
		tallies[n++] = (struct bc_tally){ i, hit->rule.last, hit->rule.hits };
	}
	*ret = TAKE_PTR(tallies);
	*ret_n = n;
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/tally.h"

/* A rule of the old image that was hit. */
struct hit {
	uint32_t id;
	uint32_t cell;
	bool taken;
};

struct hits {
	struct hit *items;
	size_t n, room;
};

static int compare_hits(const void *left, const void *right)
{
	const struct hit *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return (a->cell > b->cell) - (a->cell < b->cell);
}

static const struct bc_rule_cell *rule_at(const struct bc_cells *image, uint32_t cell)
{
	return &image->cells[cell].rule;
}

/* The cells of its rules: [first, last). None in what does not fit together. */
static void find_rules(const struct bc_cells *image, uint32_t *ret_first, uint32_t *ret_last)
{
	const struct bc_header *h = image->n > BC_INDEX ? &image->cells[0].header : NULL;

	*ret_first = *ret_last = 0;
	if (!h || h->magic != BC_MAGIC || h->schema != BC_SCHEMA || h->rules > image->n ||
	    image->cells[1].about.nrules > image->n - h->rules)
		return;
	*ret_first = h->rules;
	*ret_last = h->rules + image->cells[1].about.nrules;
}

static int find_hits(const struct bc_cells *image, struct hits *hits)
{
	uint32_t first, last;

	find_rules(image, &first, &last);
	for (uint32_t i = first; i < last; i++) {
		const struct bc_rule_cell *rule = rule_at(image, i);

		if (!rule->hits)
			continue;
		if (bc_grow(&hits->items, &hits->room, hits->n + 1))
			return -ENOMEM;
		hits->items[hits->n++] = (struct hit){ rule->id, i, false };
	}
	if (hits->n)
		qsort(hits->items, hits->n, sizeof(*hits->items), compare_hits);
	return 0;
}

/* An id is half a digest, and two rules may share one: what else can be compared without their ports and cgroup is. */
static bool is_same(const struct bc_rule_cell *a, const struct bc_rule_cell *b)
{
	return a->id == b->id && a->verdict == b->verdict && a->conditions == b->conditions && a->proto == b->proto &&
	       a->prefix == b->prefix && a->err == b->err && a->gid == b->gid && a->until == b->until &&
	       a->to_port == b->to_port && a->flags == b->flags && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static struct hit *find_hit(struct hits *hits, const struct bc_cells *from, const struct bc_rule_cell *rule)
{
	size_t low = 0, high = hits->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (hits->items[middle].id < rule->id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < hits->n && hits->items[low].id == rule->id; low++)
		if (!hits->items[low].taken && is_same(rule_at(from, hits->items[low].cell), rule))
			return &hits->items[low];
	return NULL;
}

int bc_tally_carry(const struct bc_cells *from, const struct bc_cells *to, struct bc_tally **ret, size_t *ret_n)
{
	_cleanup_free_ struct bc_tally *tallies = NULL;
	struct hits hits = {};
	uint32_t first, last;
	size_t n = 0;
	int r = find_hits(from, &hits);

	if (!r && hits.n) {
		tallies = calloc(hits.n, sizeof(*tallies));
		r = tallies ? 0 : -ENOMEM;
	}
	find_rules(to, &first, &last);
	for (uint32_t i = first; !r && n < hits.n && i < last; i++) {
		struct hit *hit = find_hit(&hits, from, rule_at(to, i));

		if (!hit)
			continue;
		hit->taken = true;
		tallies[n++] = (struct bc_tally){ i, rule_at(from, hit->cell)->last, rule_at(from, hit->cell)->hits };
	}
	free(hits.items);
	if (r)
		return r;
	*ret = TAKE_PTR(tallies);
	*ret_n = n;
	return 0;
}

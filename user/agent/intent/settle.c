// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "agent/intent/column.h"

struct settling {
	const struct claims *claims;
	uint32_t *order;   /* claims, the nearest first */
	uint32_t *members; /* of these, the ones that are about the user in question; in the same order */
	size_t nmembers;
	uint32_t *starts; /* members, by the first of their ports */
	uint32_t *active; /* members that are about the port in question; in order */
	size_t nactive;
	unsigned char *settled; /* of each claim, whether its user's rows are there */
	unsigned *bounds;	/* ports at which some member begins, or that are the first behind one */
	struct column now, before, everywhere;
	struct columns columns;
	struct rows *rows;
};

static int compare_starts(const void *left, const void *right, void *ctx)
{
	const struct settling *s = ctx;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	unsigned first_a = s->claims->items[s->members[a]].range.first;
	unsigned first_b = s->claims->items[s->members[b]].range.first;

	return first_a != first_b ? BC_COMPARE(first_a, first_b) : BC_COMPARE(a, b);
}

static int compare_bounds(const void *left, const void *right)
{
	return BC_COMPARE(*(const unsigned *)left, *(const unsigned *)right);
}

static int add_rows(struct settling *s, const struct column *column, struct bc_range range, const struct claim *about)
{
	if (s->rows->n + column->n > SETTLE_ROWS_MAX)
		return -E2BIG;
	if (bc_grow(&s->rows->items, &s->rows->room, s->rows->n + column->n))
		return -ENOMEM;
	for (size_t i = 0; i < column->n; i++) {
		const struct left *left = &column->items[i];

		s->rows->items[s->rows->n++] = (struct row){ .range = range,
							     .claim = left->claim,
							     .place = left->place,
							     .proto = left->proto,
							     .has_user = about->has_user,
							     .user = about->user };
	}
	return 0;
}

/* The members that are about this port and were not about the last one; those that no longer are. Keeps the order. */
static void activate(struct settling *s, unsigned port, size_t *next)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->nactive; i++)
		if (s->claims->items[s->members[s->active[i]]].range.last >= port)
			s->active[kept++] = s->active[i];
	s->nactive = kept;
	for (; *next < s->nmembers; (*next)++) {
		uint32_t member = s->starts[*next];
		size_t at = s->nactive;

		if (s->claims->items[s->members[member]].range.first > port)
			break;
		for (; at && s->active[at - 1] > member; at--)
			s->active[at] = s->active[at - 1];
		s->active[at] = member;
		s->nactive++;
	}
}

/* Members to s->starts; s->bounds to the ports where something changes. Returns how many of these there are. */
static size_t find_bounds(struct settling *s)
{
	size_t n = 0, kept = 0;

	s->bounds[n++] = 1;
	s->bounds[n++] = UINT16_MAX + 1u;
	for (size_t i = 0; i < s->nmembers; i++) {
		const struct bc_range *range = &s->claims->items[s->members[i]].range;

		s->starts[i] = i;
		s->bounds[n++] = range->first ? range->first : 1;
		s->bounds[n++] = range->last + 1u;
	}
	qsort_r(s->starts, s->nmembers, sizeof(*s->starts), compare_starts, s);
	qsort(s->bounds, n, sizeof(*s->bounds), compare_bounds);
	for (size_t i = 0; i < n; i++)
		if (!kept || s->bounds[kept - 1] != s->bounds[i])
			s->bounds[kept++] = s->bounds[i];
	return kept;
}

/*
 * The rows of one user, or of everyone. Port 0 has no name but in `any`, which is the widest of ranges: what holds there is
 * written so, and ports at which nothing else holds need no rule of their own.
 */
static int settle_members(struct settling *s, const struct claim *about)
{
	size_t n = find_bounds(s), next = 0, nany = 0;
	struct bc_range range = { 0, UINT16_MAX };
	int r;

	while (nany < s->nmembers && !s->claims->items[s->members[s->starts[nany]]].range.first)
		nany++;
	r = column_make(&s->columns, &s->everywhere, s->members, s->starts, nany);
	r = r ?: add_rows(s, &s->everywhere, range, about);
	s->nactive = 0;
	s->before.n = 0;
	for (size_t i = 0; !r && i + 1 < n; i++) {
		activate(s, s->bounds[i], &next);
		r = column_make(&s->columns, &s->now, s->members, s->active, s->nactive);
		if (!r && i && column_equal(&s->now, &s->before)) {
			range.last = s->bounds[i + 1] - 1;
			continue;
		}
		if (!r && i && !column_equal(&s->before, &s->everywhere))
			r = add_rows(s, &s->before, range, about);
		range = (struct bc_range){ s->bounds[i], s->bounds[i + 1] - 1 };
		struct column swap = s->before;
		s->before = s->now;
		s->now = swap;
	}
	if (!r && !column_equal(&s->before, &s->everywhere))
		r = add_rows(s, &s->before, range, about);
	return r;
}

static bool same_user(const struct claim *a, const struct claim *b)
{
	return a->has_user == b->has_user && (!a->has_user || a->user == b->user);
}

/*
 * The claims about the same user as this one. A user's rules go before everyone's, so what the cluster denies everyone stands
 * among them, too. 0, or -E2BIG beyond SETTLE_STEPS_MAX.
 */
static int find_members(struct settling *s, const struct claim *about)
{
	bool own = false;

	s->columns.steps += s->claims->n;
	if (s->columns.steps > SETTLE_STEPS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < s->claims->n; i++)
		own |= !s->claims->items[i].cluster && same_user(&s->claims->items[i], about);
	s->nmembers = 0;
	for (size_t i = 0; i < s->claims->n; i++) {
		const struct claim *claim = &s->claims->items[s->order[i]];
		bool same = same_user(claim, about);

		s->settled[s->order[i]] |= same;
		if (same || (own && claim->cluster && !claim->has_user))
			s->members[s->nmembers++] = s->order[i];
	}
	return 0;
}

static int settle_all(struct settling *s)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->claims->n; i++) {
		if (s->settled[i])
			continue;
		r = find_members(s, &s->claims->items[i]);
		r = r ?: settle_members(s, &s->claims->items[i]);
	}
	return r;
}

int settle(const struct claims *claims, struct rows *ret, settle_fn *overruled, void *ctx)
{
	size_t room = claims->n + 1;
	_cleanup_free_ uint32_t *numbers = calloc(4 * room, sizeof(*numbers));
	_cleanup_free_ unsigned *bounds = calloc(2 * room, sizeof(*bounds));
	_cleanup_free_ unsigned char *told = calloc(2 * room, 1);
	struct settling s = { .claims = claims, .rows = ret };
	int r;

	if (!numbers || !bounds || !told)
		return -ENOMEM;
	s.order = numbers;
	s.members = numbers + room;
	s.starts = numbers + 2 * room;
	s.active = numbers + 3 * room;
	s.settled = told + room;
	s.bounds = bounds;
	s.columns = (struct columns){ .claims = claims, .told = told, .overruled = overruled, .ctx = ctx };
	for (size_t i = 0; i < claims->n; i++)
		s.order[i] = i;
	qsort_r(s.order, claims->n, sizeof(*s.order), column_compare, (void *)claims);
	r = settle_all(&s);
	free(s.now.items);
	free(s.before.items);
	free(s.everywhere.items);
	return r;
}

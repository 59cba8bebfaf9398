// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settle.h"

/* What is left of a claim at some port. */
struct left {
	uint32_t claim;
	uint32_t place; /* the claim whose prefix it has */
	uint32_t proto;
};

/* What holds at a range of ports, the nearest first. */
struct column {
	struct left *items;
	size_t n, room;
};

struct settling {
	const struct claims *claims;
	uint32_t *order;   /* claims, the nearest first */
	uint32_t *members; /* of these, the ones that are about the user in question; in the same order */
	size_t nmembers;
	uint32_t *starts; /* members, by the first of their ports */
	uint32_t *active; /* members that are about the port in question; in order */
	size_t nactive;
	unsigned *bounds; /* ports at which some member begins, or that are the first behind one */
	struct column now, before, everywhere;
	size_t steps;
	unsigned char *told; /* of each claim, what `overruled` was told */
	settle_fn *overruled;
	void *ctx;
	struct rows *rows;
};

#define compare(a, b) (((a) > (b)) - ((a) < (b)))

/* As the policy language has it, by what the rules were as written. */
static int compare_rank(const struct claim *a, const struct claim *b)
{
	if (a->cluster != b->cluster)
		return a->cluster ? -1 : 1;
	if (a->width != b->width)
		return compare(a->width, b->width);
	if (a->bits != b->bits)
		return compare(b->bits, a->bits);
	return compare(b->one_proto, a->one_proto);
}

static int compare_claims(const void *left, const void *right, void *ctx)
{
	const struct claims *claims = ctx;
	const struct claim *a = &claims->items[*(const uint32_t *)left], *b = &claims->items[*(const uint32_t *)right];
	int rank = compare_rank(a, b);

	if (rank)
		return rank;
	if (a->verb != b->verb)
		return compare(bc_verb_verdict(a->verb), bc_verb_verdict(b->verb));
	/* Two rewrites: the first policy by name, and in it the first rule. */
	if (a->policy != b->policy)
		return compare(a->policy, b->policy);
	if (a->rule != b->rule)
		return compare(a->rule, b->rule);
	return compare(*(const uint32_t *)left, *(const uint32_t *)right);
}

static int compare_starts(const void *left, const void *right, void *ctx)
{
	const struct settling *s = ctx;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	unsigned first_a = s->claims->items[s->members[a]].range.first;
	unsigned first_b = s->claims->items[s->members[b]].range.first;

	return first_a != first_b ? compare(first_a, first_b) : compare(a, b);
}

static int compare_bounds(const void *left, const void *right)
{
	return compare(*(const unsigned *)left, *(const unsigned *)right);
}

static bool same_outcome(const struct claim *a, const struct claim *b)
{
	return a->verb == b->verb && (a->verb != BC_VERB_REWRITE || !memcmp(&a->to, &b->to, sizeof(a->to)));
}

/* The winner, which is nearer, leaves nothing of the loser where both hold. */
static void tell(struct settling *s, uint32_t winner, uint32_t loser)
{
	const struct claim *won = &s->claims->items[winner], *lost = &s->claims->items[loser];
	unsigned char which = won->cluster ? 1 : 2;

	if (!s->overruled || lost->cluster || lost->audit || won->audit || s->told[loser] & which)
		return;
	if (won->cluster ? !claim_gives(lost) : compare_rank(won, lost) || same_outcome(won, lost))
		return;
	s->told[loser] |= which;
	s->overruled(s->ctx, won, lost);
}

static int add_left(struct column *column, struct left left)
{
	if (bc_grow(&column->items, &column->room, column->n + 1))
		return -ENOMEM;
	column->items[column->n++] = left;
	return 0;
}

/* What nearer claims leave of it. A deny that only reports takes nothing away but from others of its kind. */
static int add_claim(struct settling *s, struct column *column, uint32_t number)
{
	const struct claim *claim = &s->claims->items[number];
	uint32_t proto = claim->proto;

	s->steps += 1 + column->n;
	if (s->steps > SETTLE_STEPS_MAX)
		return -E2BIG;
	for (size_t i = 0; proto && i < column->n; i++) {
		const struct left *nearer = &column->items[i];
		const struct claim *other = &s->claims->items[nearer->claim];

		if ((other->audit && !claim->audit) || !(proto & nearer->proto) || !claim_covers(other, claim))
			continue;
		tell(s, nearer->claim, number);
		proto &= ~nearer->proto;
	}
	return proto ? add_left(column, (struct left){ number, number, proto }) : 0;
}

static bool has_left(const struct settling *s, const struct column *column, const struct left *left)
{
	for (size_t i = 0; i < column->n; i++) {
		const struct left *known = &column->items[i];

		if (known->claim == left->claim && known->proto == left->proto &&
		    claim_covers(&s->claims->items[known->place], &s->claims->items[left->place]) &&
		    claim_covers(&s->claims->items[left->place], &s->claims->items[known->place]))
			return true;
	}
	return false;
}

/*
 * A deny that only reports is seen when it is tried before the rule that decides. So it stands once more wherever one that
 * was to come behind it has a longer prefix, or names a protocol.
 */
static int add_reports(struct settling *s, struct column *column)
{
	size_t n = column->n;

	for (size_t i = 0; i < n; i++) {
		const struct claim *claim = &s->claims->items[column->items[i].claim];

		for (size_t k = i + 1; claim->audit && k < n; k++) {
			struct left left = { column->items[i].claim, column->items[k].claim,
					     column->items[i].proto & column->items[k].proto };

			if (s->steps++ > SETTLE_STEPS_MAX)
				return -E2BIG;
			if (!left.proto || s->claims->items[left.place].audit ||
			    !claim_covers(claim, &s->claims->items[left.place]) || has_left(s, column, &left))
				continue;
			if (add_left(column, left))
				return -ENOMEM;
		}
	}
	return 0;
}

static int make_column(struct settling *s, struct column *column, const uint32_t *members, size_t n)
{
	int r = 0;

	column->n = 0;
	for (size_t i = 0; !r && i < n; i++)
		r = add_claim(s, column, s->members[members[i]]);
	return r ?: add_reports(s, column);
}

static bool same_column(const struct column *a, const struct column *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->items, b->items, a->n * sizeof(*a->items)));
}

static int add_rows(struct settling *s, const struct column *column, struct bc_range range, const struct claim *about)
{
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
	r = make_column(s, &s->everywhere, s->starts, nany);
	r = r ?: add_rows(s, &s->everywhere, range, about);
	s->nactive = 0;
	s->before.n = 0;
	for (size_t i = 0; !r && i + 1 < n; i++) {
		activate(s, s->bounds[i], &next);
		r = make_column(s, &s->now, s->active, s->nactive);
		if (!r && i && same_column(&s->now, &s->before)) {
			range.last = s->bounds[i + 1] - 1;
			continue;
		}
		if (!r && i && !same_column(&s->before, &s->everywhere))
			r = add_rows(s, &s->before, range, about);
		range = (struct bc_range){ s->bounds[i], s->bounds[i + 1] - 1 };
		struct column swap = s->before;
		s->before = s->now;
		s->now = swap;
	}
	if (!r && !same_column(&s->before, &s->everywhere))
		r = add_rows(s, &s->before, range, about);
	return r;
}

static bool same_user(const struct claim *a, const struct claim *b)
{
	return a->has_user == b->has_user && (!a->has_user || a->user == b->user);
}

/*
 * The claims about the same user as this one. A user's rules go before everyone's, so what the cluster denies everyone stands
 * among them, too.
 */
static void find_members(struct settling *s, const struct claim *about)
{
	bool own = false;

	for (size_t i = 0; i < s->claims->n; i++)
		own |= !s->claims->items[i].cluster && same_user(&s->claims->items[i], about);
	s->nmembers = 0;
	for (size_t i = 0; i < s->claims->n; i++) {
		const struct claim *claim = &s->claims->items[s->order[i]];

		if (same_user(claim, about) || (own && claim->cluster && !claim->has_user))
			s->members[s->nmembers++] = s->order[i];
	}
}

/* Whether a claim before the i-th is about the same user. */
static bool is_settled(const struct claims *claims, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_user(&claims->items[k], &claims->items[i]))
			return true;
	return false;
}

static int settle_all(struct settling *s)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->claims->n; i++) {
		if (is_settled(s->claims, i))
			continue;
		find_members(s, &s->claims->items[i]);
		r = settle_members(s, &s->claims->items[i]);
	}
	return r;
}

int settle(const struct claims *claims, struct rows *ret, settle_fn *overruled, void *ctx)
{
	size_t room = claims->n + 1;
	_cleanup_free_ uint32_t *numbers = calloc(4 * room, sizeof(*numbers));
	_cleanup_free_ unsigned *bounds = calloc(2 * room, sizeof(*bounds));
	_cleanup_free_ unsigned char *told = calloc(room, 1);
	struct settling s = { .claims = claims, .overruled = overruled, .ctx = ctx, .rows = ret };
	int r;

	if (!numbers || !bounds || !told)
		return -ENOMEM;
	s.order = numbers;
	s.members = numbers + room;
	s.starts = numbers + 2 * room;
	s.active = numbers + 3 * room;
	s.bounds = bounds;
	s.told = told;
	for (size_t i = 0; i < claims->n; i++)
		s.order[i] = i;
	qsort_r(s.order, claims->n, sizeof(*s.order), compare_claims, (void *)claims);
	r = settle_all(&s);
	free(s.now.items);
	free(s.before.items);
	free(s.everywhere.items);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "agent/intent/column.h"

/* As the policy language has it, by what the rules were as written. */
static int compare_rank(const struct claim *a, const struct claim *b)
{
	if (a->cluster != b->cluster)
		return a->cluster ? -1 : 1;
	if (a->width != b->width)
		return BC_COMPARE(a->width, b->width);
	if (a->bits != b->bits)
		return BC_COMPARE(b->bits, a->bits);
	return BC_COMPARE(b->one_proto, a->one_proto);
}

int column_compare(const void *left, const void *right, void *ctx)
{
	const struct claims *claims = ctx;
	const struct claim *a = &claims->items[*(const uint32_t *)left], *b = &claims->items[*(const uint32_t *)right];
	int rank = compare_rank(a, b);

	if (rank)
		return rank;
	if (a->verb != b->verb)
		return BC_COMPARE(bc_verb_verdict(a->verb), bc_verb_verdict(b->verb));
	/* Two rewrites: the first policy by name, and in it the first rule. */
	if (a->policy != b->policy)
		return BC_COMPARE(a->policy, b->policy);
	if (a->rule != b->rule)
		return BC_COMPARE(a->rule, b->rule);
	return BC_COMPARE(*(const uint32_t *)left, *(const uint32_t *)right);
}

static bool same_target(const struct target *a, const struct target *b)
{
	return a->has_addr == b->has_addr && a->v4 == b->v4 && a->hidden == b->hidden && a->port == b->port &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static bool same_outcome(const struct claim *a, const struct claim *b)
{
	return a->verb == b->verb && (a->verb != BC_VERB_REWRITE || same_target(&a->to, &b->to));
}

/* The winner, which is nearer, leaves nothing of the loser where both hold. */
static void tell(struct columns *c, uint32_t winner, uint32_t loser)
{
	const struct claim *won = &c->claims->items[winner], *lost = &c->claims->items[loser];
	unsigned char which = won->cluster ? 1 : 2;

	if (!c->overruled || lost->cluster || lost->audit || won->audit || c->told[loser] & which)
		return;
	if (won->cluster ? !claim_gives(lost) : compare_rank(won, lost) || same_outcome(won, lost))
		return;
	c->told[loser] |= which;
	c->overruled(c->ctx, won, lost);
}

static int add_left(struct column *column, struct left left)
{
	if (bc_grow(&column->items, &column->room, column->n + 1))
		return -ENOMEM;
	column->items[column->n++] = left;
	return 0;
}

/* What nearer claims leave of it. A deny that only reports takes nothing away but from others of its kind. */
static int add_claim(struct columns *c, struct column *column, uint32_t number)
{
	const struct claim *claim = &c->claims->items[number];
	uint32_t proto = claim->proto;

	c->steps += 1 + column->n;
	if (c->steps > SETTLE_STEPS_MAX)
		return -E2BIG;
	for (size_t i = 0; proto && i < column->n; i++) {
		const struct left *nearer = &column->items[i];
		const struct claim *other = &c->claims->items[nearer->claim];

		if ((other->audit && !claim->audit) || !(proto & nearer->proto) || !claim_covers(other, claim))
			continue;
		tell(c, nearer->claim, number);
		proto &= ~nearer->proto;
	}
	return proto ? add_left(column, (struct left){ number, number, proto }) : 0;
}

static bool has_left(struct columns *c, const struct column *column, const struct left *left)
{
	c->steps += column->n;
	for (size_t i = 0; i < column->n; i++) {
		const struct left *known = &column->items[i];

		if (known->claim == left->claim && known->proto == left->proto &&
		    claim_covers(&c->claims->items[known->place], &c->claims->items[left->place]) &&
		    claim_covers(&c->claims->items[left->place], &c->claims->items[known->place]))
			return true;
	}
	return false;
}

/*
 * A deny that only reports is seen when it is tried before the rule that decides. So it stands once more wherever one that
 * was to come behind it has a longer prefix, or names a protocol.
 */
static int add_reports(struct columns *c, struct column *column)
{
	size_t n = column->n;

	for (size_t i = 0; i < n; i++) {
		const struct claim *claim = &c->claims->items[column->items[i].claim];

		for (size_t k = i + 1; claim->audit && k < n; k++) {
			struct left left = { column->items[i].claim, column->items[k].claim,
					     column->items[i].proto & column->items[k].proto };

			if (c->steps++ > SETTLE_STEPS_MAX)
				return -E2BIG;
			if (!left.proto || c->claims->items[left.place].audit ||
			    !claim_covers(claim, &c->claims->items[left.place]) || has_left(c, column, &left))
				continue;
			if (add_left(column, left))
				return -ENOMEM;
		}
	}
	return 0;
}

int column_make(struct columns *c, struct column *column, const uint32_t *members, const uint32_t *about, size_t n)
{
	int r = 0;

	column->n = 0;
	for (size_t i = 0; !r && i < n; i++)
		r = add_claim(c, column, members[about[i]]);
	return r ?: add_reports(c, column);
}

bool column_equal(const struct column *a, const struct column *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->items, b->items, a->n * sizeof(*a->items)));
}

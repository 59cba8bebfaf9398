// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/intent/gather.h"
#include "agent/intent/write.h"

#define RANGES_MAX 64 /* in a line: 12 bytes each, beside a path of 2,047 in a line of 4,096 */

/* Rows of which one line can be made, with all their ranges, are equal. */
static int compare_lines(const struct row *a, const struct row *b, const struct claims *claims)
{
	const struct claim *ca = &claims->items[a->claim], *cb = &claims->items[b->claim];
	const struct claim *pa = &claims->items[a->place], *pb = &claims->items[b->place];

	if (a->has_user != b->has_user)
		return BC_COMPARE(a->has_user, b->has_user);
	if (a->user != b->user)
		return BC_COMPARE(a->user, b->user);
	if (ca->policy != cb->policy)
		return BC_COMPARE(ca->policy, cb->policy);
	if (ca->rule != cb->rule)
		return BC_COMPARE(ca->rule, cb->rule);
	if (a->proto != b->proto)
		return BC_COMPARE(a->proto, b->proto);
	if (pa->has_prefix != pb->has_prefix || !pa->has_prefix)
		return BC_COMPARE(pa->has_prefix, pb->has_prefix);
	if (pa->prefix.bits != pb->prefix.bits)
		return BC_COMPARE(pa->prefix.bits, pb->prefix.bits);
	for (int i = 0; i < 4; i++)
		if (pa->prefix.addr[i] != pb->prefix.addr[i])
			return BC_COMPARE(pa->prefix.addr[i], pb->prefix.addr[i]);
	return BC_COMPARE(pa->prefix.v4, pb->prefix.v4);
}

static int compare_rows(const void *left, const void *right, void *ctx)
{
	const struct row *a = left, *b = right;

	return compare_lines(a, b, ctx)				  ?:
		       BC_COMPARE(a->range.first, b->range.first) ?:
								    BC_COMPARE(a->range.last, b->range.last);
}

static struct bc_rule rule_of(const struct writing *w, const struct row *row)
{
	const struct claim *claim = &w->claims->items[row->claim], *place = &w->claims->items[row->place];
	struct bc_rule rule = { .verb = claim->verb,
				.kind = row->has_user ? BC_USER : BC_ANYONE,
				.id = row->user,
				.proto = row->proto,
				.any_netns = w->own_netns,
				.err = claim_gives(claim) ? 0 : EACCES };

	if (row->proto != (BC_TCP | BC_UDP))
		rule.clauses |= BC_CLAUSE_PROTO;
	if (claim->audit)
		rule.clauses |= BC_CLAUSE_AUDIT;
	if (place->has_prefix) {
		rule.clauses |= BC_CLAUSE_ADDR;
		rule.v4 = place->prefix.v4;
		rule.prefix = place->prefix.bits;
		memcpy(rule.addr, place->prefix.addr, sizeof(rule.addr));
	}
	if (claim->verb == BC_VERB_REWRITE) {
		rule.clauses |= BC_CLAUSE_TO | (claim->to.hidden ? BC_CLAUSE_HIDDEN : 0);
		rule.to_addr = claim->to.has_addr;
		rule.to_v4 = claim->to.v4;
		rule.to_port = claim->to.port;
		memcpy(rule.to, claim->to.addr, sizeof(rule.to));
	}
	return rule;
}

static int write_line(struct writing *w, struct bc_policy *scratch, struct bc_rule *rule, const struct claim *claim)
{
	enum state_kind kind;
	const struct state_entry *entry = gather_policy(w->state, claim->policy, &kind);

	if (w->path) {
		rule->path = bc_policy_string(scratch, w->path, strlen(w->path));
		if (!rule->path)
			return -ENOMEM;
	}
	bc_format_rule(w->text, scratch, rule);
	bc_text_addf(w->text, " # %s %s\n", state_kind_name(kind), entry ? entry->key : "?");
	w->lines++;
	return 0;
}

/*
 * What a pod with a network namespace of its own is given, it is given there: `netns any` is the node's as well, and a
 * socket of the node's can be handed to the pod by another. There the same is denied, which decides at equal rank.
 */
static int write_twin(struct writing *w, struct bc_policy *scratch, const struct bc_rule *rule,
		      const struct claim *claim)
{
	struct bc_rule twin = *rule;

	twin.verb = BC_VERB_DENY;
	twin.err = EACCES;
	twin.any_netns = false;
	twin.clauses &= ~(BC_CLAUSE_TO | BC_CLAUSE_HIDDEN);
	return write_line(w, scratch, &twin, claim);
}

/* The ranges that are in the scratch policy, all of them of one rule. */
static int write_rule(struct writing *w, struct bc_policy *scratch, const struct row *row)
{
	const struct claim *claim = &w->claims->items[row->claim];
	struct bc_rule rule = rule_of(w, row);
	int r;

	rule.nranges = scratch->nranges;
	r = write_line(w, scratch, &rule, claim);
	if (!r && w->own_netns && claim_gives(claim))
		r = write_twin(w, scratch, &rule, claim);
	return r;
}

int write_rows(struct writing *w, struct rows *rows)
{
	_cleanup_(bc_policy_done) struct bc_policy scratch = {};
	int r = bc_grow(&scratch.ranges, &scratch.ranges_room, RANGES_MAX);

	if (rows->n)
		qsort_r(rows->items, rows->n, sizeof(*rows->items), compare_rows, (void *)w->claims);
	for (size_t i = 0, end; !r && i < rows->n; i = end) {
		const struct row *row = &rows->items[i];

		scratch.nranges = 0;
		for (end = i;
		     end < rows->n && scratch.nranges < RANGES_MAX && !compare_lines(row, &rows->items[end], w->claims);
		     end++) {
			const struct bc_range *range = &rows->items[end].range;
			const struct bc_range *last = scratch.nranges ? &scratch.ranges[scratch.nranges - 1] : NULL;

			/* Claims that only deny may overlap; a line's ranges may not. */
			if (last && range->first <= last->last)
				break;
			scratch.ranges[scratch.nranges++] = *range;
		}
		r = write_rule(w, &scratch, row);
	}
	return r ?: w->text->failed ? -ENOMEM : 0;
}

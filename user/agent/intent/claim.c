// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "agent/intent/claim.h"

static int add(struct claims *claims, const struct claim *claim)
{
	if (bc_grow(&claims->items, &claims->room, claims->n + 1))
		return -ENOMEM;
	claims->items[claims->n++] = *claim;
	return 0;
}

int claims_add(struct claims *claims, const struct rules *rules, const struct rule *rule, const struct claim *like)
{
	struct claim claim = *like;
	int r = 0;

	claim.verb = rule->verb;
	claim.proto = rule->proto;
	claim.one_proto = rule->proto != (BC_TCP | BC_UDP);
	claim.to = rule->to;
	/* No address is one more way to have addresses. */
	for (uint32_t i = 0; !r && i < (rule->nprefixes ?: 1); i++) {
		claim.has_prefix = rule->nprefixes;
		if (claim.has_prefix)
			claim.prefix = rules->prefixes[rule->prefixes + i];
		claim.bits = claim.has_prefix ? claim.prefix.bits + 1 : 0;
		for (uint32_t k = 0; !r && k < rule->nranges; k++) {
			claim.range = rules->ranges[rule->ranges + k];
			claim.width = claim.range.last - claim.range.first;
			r = add(claims, &claim);
		}
	}
	return r;
}

/* Whether the address, all of whose bits count, or the prefix is within the prefix. */
static bool is_within(const struct prefix *prefix, const uint32_t addr[4], unsigned bits, bool v4)
{
	if (prefix->v4 != v4 || prefix->bits > bits)
		return false;
	for (unsigned i = 0; i < 4 && 32 * i < prefix->bits; i++) {
		unsigned kept = prefix->bits - 32 * i;
		uint32_t mask = kept >= 32 ? ~0u : ~0u << (32 - kept);

		if ((prefix->addr[i] ^ addr[i]) & mask)
			return false;
	}
	return true;
}

bool claim_covers(const struct claim *a, const struct claim *b)
{
	if (!a->has_prefix || !b->has_prefix)
		return !a->has_prefix;
	return is_within(&a->prefix, b->prefix.addr, b->prefix.bits, b->prefix.v4);
}

/* Whether any address of `b` is one of `a`. */
static bool meets(const struct claim *a, const struct claim *b)
{
	return claim_covers(a, b) || claim_covers(b, a);
}

/* Whether the claim is about the wildcard of IPv6 or of IPv4. */
static bool holds_wildcard(const struct claim *claim, bool v4)
{
	static const uint32_t wildcards[][4] = { { 0, 0, 0, 0 }, { 0, 0, 0xffff, 0 } };

	return !claim->has_prefix || is_within(&claim->prefix, wildcards[v4], 128, v4);
}

static bool holds_any_wildcard(const struct claim *claim)
{
	return holds_wildcard(claim, false) || holds_wildcard(claim, true);
}

/*
 * Whether a rewrite may lead to both wildcards at once. A dual-stack socket at [::] takes 0.0.0.0, too, and a rewrite that
 * is about either of them may be what holds for it.
 */
static bool leads_to_both(const struct claim *claim)
{
	const struct target *to = &claim->to;

	if (!to->has_addr)
		return holds_any_wildcard(claim);
	return !(to->addr[0] | to->addr[1] | to->addr[2] | to->addr[3]);
}

/* Whether the address that a rewrite of the claim leads to, whoever asks, is one of the bound's. */
static bool leads_within(const struct claim *claim, const struct claim *bound)
{
	const struct target *to = &claim->to;

	if (!bound->has_prefix)
		return true;
	return !leads_to_both(claim) && is_within(&bound->prefix, to->addr, 128, to->v4);
}

/* Whether a rewrite of the claim may lead somebody to an address of the bound's. */
static bool may_lead_to(const struct claim *claim, const struct claim *bound)
{
	const struct target *to = &claim->to;

	if (!bound->has_prefix || (leads_to_both(claim) && holds_any_wildcard(bound)))
		return true;
	return to->has_addr ? is_within(&bound->prefix, to->addr, 128, to->v4) : meets(bound, claim);
}

static bool in_range(const struct bc_range *range, unsigned port)
{
	return range->first <= port && port <= range->last;
}

/* The ports that both have. */
static bool meet(struct bc_range *range, const struct bc_range *bound)
{
	if (bound->first > range->last || bound->last < range->first)
		return false;
	if (bound->first > range->first)
		range->first = bound->first;
	if (bound->last < range->last)
		range->last = bound->last;
	return true;
}

/* What of the claim is within one bound; false: nothing. */
static bool cut(struct claim *claim, const struct claim *bound)
{
	bool rewrites = claim->verb == BC_VERB_REWRITE;

	claim->proto &= bound->proto;
	if (!claim->proto)
		return false;
	if (rewrites && claim->to.port ? !in_range(&bound->range, claim->to.port) : !meet(&claim->range, &bound->range))
		return false;
	if (rewrites && claim->to.has_addr)
		return leads_within(claim, bound);
	if (!meets(claim, bound))
		return false;
	if (!claim_covers(bound, claim)) {
		claim->has_prefix = true;
		claim->prefix = bound->prefix;
	}
	return true;
}

static bool is_same_place(const struct claim *a, const struct claim *b)
{
	return a->proto == b->proto && a->range.first == b->range.first && a->range.last == b->range.last &&
	       a->has_prefix == b->has_prefix && (!a->has_prefix || a->prefix.bits == b->prefix.bits);
}

/* The protocols of which the bounds hold the port at both wildcards. */
static uint8_t protos_at_both(const struct claims *bounds, unsigned port)
{
	uint8_t protos[2] = {};

	for (size_t i = 0; i < bounds->n; i++)
		for (int v4 = 0; v4 < 2; v4++)
			if (in_range(&bounds->items[i].range, port) && holds_wildcard(&bounds->items[i], v4))
				protos[v4] |= bounds->items[i].proto;
	return protos[0] & protos[1];
}

int claim_within(const struct claim *claim, const struct claims *bounds, struct claims *ret)
{
	bool by_port = claim->verb == BC_VERB_REWRITE && !claim->to.has_addr;
	uint8_t both = by_port ? protos_at_both(bounds, claim->to.port) : 0;
	size_t before = ret->n;

	for (size_t i = 0; i < bounds->n; i++) {
		struct claim piece = *claim;

		if (!cut(&piece, &bounds->items[i]))
			continue;
		/* The bound itself need hold but one of the two. */
		if (by_port && leads_to_both(&piece))
			piece.proto &= both;
		if (!piece.proto)
			continue;
		/* One that is whole needs no other. */
		if (is_same_place(&piece, claim))
			ret->n = before;
		if (add(ret, &piece))
			return -ENOMEM;
		if (is_same_place(&piece, claim))
			return 0;
	}
	return 0;
}

/* Whether the deny may be of the same user's binds. */
static bool same_user(const struct claim *deny, const struct claim *claim)
{
	return !deny->has_user || !claim->has_user || deny->user == claim->user;
}

/* What one deny leaves of a rewrite: up to three pieces. Returns their number. */
static size_t spare(const struct claim *claim, const struct claim *deny, struct claim pieces[3])
{
	const struct bc_range *bad = &deny->range;
	struct claim denied = *claim;
	size_t n = 0;

	denied.proto &= deny->proto;
	if (deny->audit || !denied.proto || !same_user(deny, claim) || !may_lead_to(claim, deny) ||
	    (claim->to.port ? !in_range(bad, claim->to.port) :
			      bad->first > claim->range.last || bad->last < claim->range.first)) {
		pieces[n++] = *claim;
		return n;
	}
	if (claim->proto != denied.proto) {
		pieces[n] = *claim;
		pieces[n++].proto &= ~denied.proto;
	}
	/* The port that is asked for is the one that it leads to: the others are left. */
	if (!claim->to.port && bad->last < claim->range.last) {
		pieces[n] = denied;
		pieces[n++].range.first = bad->last + 1;
	}
	if (!claim->to.port && bad->first > claim->range.first && bad->first > 1) {
		pieces[n] = denied;
		/* Port 0 has no name but in `any`, and the rest of that is not all ports. */
		pieces[n].range.first = claim->range.first ? claim->range.first : 1;
		pieces[n++].range.last = bad->first - 1;
	}
	return n;
}

int claim_undenied(const struct claim *claim, const struct claims *denies, struct claims *ret)
{
	size_t first = ret->n;
	int r = add(ret, claim);

	for (size_t i = 0; !r && claim->verb == BC_VERB_REWRITE && i < denies->n; i++) {
		size_t end = ret->n, kept = first;
		_cleanup_(claims_done) struct claims more = {};

		for (size_t k = first; !r && k < end; k++) {
			struct claim pieces[3];
			size_t n = spare(&ret->items[k], &denies->items[i], pieces);

			if (n)
				ret->items[kept++] = pieces[0];
			for (size_t p = 1; !r && p < n; p++)
				r = add(&more, &pieces[p]);
		}
		ret->n = kept;
		for (size_t k = 0; !r && k < more.n; k++)
			r = add(ret, &more.items[k]);
	}
	return r;
}

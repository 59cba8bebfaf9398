/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims: what the policies say of one pod, a rule's word on one range of ports and one prefix of addresses at a time, and
 * how claims are cut to what may be given. However small a claim is cut, it stands as near as the rule it is of: by what it
 * was as written, among the policies of a namespace, the most specific decides.
 */
#ifndef BINDCTL_AGENT_CLAIM_H
#define BINDCTL_AGENT_CLAIM_H

#include "agent/intent/rules.h"

struct claim {
	/* The binds that it is about. */
	struct bc_range range;
	bool has_prefix; /* else all addresses */
	struct prefix prefix;
	uint8_t proto; /* enum bc_proto, a mask */
	bool has_user; /* else everyone */
	uint32_t user;
	/* What it says of them. */
	uint8_t verb; /* enum bc_verb */
	bool audit;   /* a deny that only reports */
	struct target to;
	/* How near it is. */
	bool cluster;	/* before all claims that are not */
	uint16_t width; /* of the range as written: last - first */
	uint16_t bits;	/* of the prefix as written, and one more; 0: it had none */
	bool one_proto; /* as written */
	/* Whose it is: the caller's numbers. */
	uint32_t policy;
	uint32_t rule;
};

/* Owns `items`. Zero-initialised is empty. */
struct claims {
	struct claim *items;
	size_t n, room;
};

static inline void claims_done(struct claims *claims)
{
	free(claims->items);
	*claims = (struct claims){};
}

static inline bool claim_gives(const struct claim *claim)
{
	return claim->verb != BC_VERB_DENY;
}

/* The claims of one rule; what is the same for all of them is in `like`. 0 or -ENOMEM. */
int claims_add(struct claims *claims, const struct rules *rules, const struct rule *rule, const struct claim *like);

/*
 * Adds what of the claim is within the bounds, each of which says nothing but where it holds. Of a rewrite it is the
 * target that must be; of one by port alone that is about a wildcard, that port at both wildcards. 0 or -ENOMEM.
 */
int claim_within(const struct claim *claim, const struct claims *bounds, struct claims *ret);

/*
 * Adds what of a rewrite does not lead, or cannot be told not to lead, to what one of the denies speaks of; of another claim
 * the whole. Denies that only report are left out. 0 or -ENOMEM.
 */
int claim_undenied(const struct claim *claim, const struct claims *denies, struct claims *ret);

/* Whether every address of `b` is one of `a`. */
bool claim_covers(const struct claim *a, const struct claim *b);

#endif

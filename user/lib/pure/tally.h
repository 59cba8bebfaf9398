/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs count of each rule, taken along from one image to the next. */
#ifndef BINDCTL_TALLY_H
#define BINDCTL_TALLY_H

#include "pure/compile.h"

/* What a rule's cell in the new image is to say. */
struct bc_tally {
	uint32_t rule; /* its number */
	uint32_t last; /* as in struct bc_rule_cell */
	uint64_t hits;
};

/* A rule of the old image that was hit. */
struct bc_hit {
	struct bc_rule_cell rule;
	uint32_t number; /* among those that were hit */
	bool taken;
};

/* Owns its items. Zero-initialised is none. */
struct bc_hits {
	struct bc_hit *items;
	size_t n, room;
};

void bc_hits_done(struct bc_hits *hits);

/*
 * Where an image's rules are, as its first two cells tell: the cell that they begin with. Returns how many there are.
 * None of the `n` cells of the image need have been checked: what does not fit together has no rules.
 */
uint32_t bc_tally_find(const union bc_cell *head, uint32_t n, uint32_t *ret_cell);

/* Takes those of the rules that were hit, after what it has taken before. 0 or -ENOMEM. */
int bc_tally_take(struct bc_hits *hits, const struct bc_rule_cell *rules, size_t n);

/*
 * The tallies of those rules that `to` has, too, in the order of their numbers: a rule is the same when it means the same,
 * wherever it is written; of several that mean the same, the first is the first. malloc'ed. Puts `hits` into another
 * order, and is done once with them. 0 or -ENOMEM.
 */
int bc_tally_carry(struct bc_hits *hits, const struct bc_cells *to, struct bc_tally **ret, size_t *ret_n);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs count of each rule, taken along from one image to the next. */
#ifndef BINDCTL_TALLY_H
#define BINDCTL_TALLY_H

#include "pure/compile.h"

/* What a rule's cell in the new image is to say. */
struct bc_tally {
	uint32_t cell; /* its number */
	uint32_t last; /* as in struct bc_rule_cell */
	uint64_t hits;
};

/*
 * The tallies of the rules of `from` that `to` has, too, in the order of their cells in `to`: a rule is the same when it
 * means the same, wherever it is written; of several that mean the same, the first is the first. malloc'ed. 0 or
 * -ENOMEM; an image that is not sound has none.
 */
int bc_tally_carry(const struct bc_cells *from, const struct bc_cells *to, struct bc_tally **ret, size_t *ret_n);

#endif

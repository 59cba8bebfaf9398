/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between two policies, by meaning: files, lines and order do not count. */
#ifndef BINDCTL_DIFF_H
#define BINDCTL_DIFF_H

#include "pure/policy.h"

/* Numbers of rules, ascending. Owns its arrays. */
struct bc_diff {
	uint32_t *removed; /* rules of the old policy that the new one lacks */
	size_t nremoved;
	uint32_t *added; /* rules of the new policy that the old one lacks */
	size_t nadded;
};

void bc_diff_done(struct bc_diff *diff);

/* Both resolved. A rule written twice counts twice. 0 or -ENOMEM. */
int bc_diff(const struct bc_policy *old, const struct bc_policy *new, struct bc_diff *ret_diff);

/* Whether there is any difference: digests are short enough that two policies can be made to have the same. 0 or -ENOMEM. */
int bc_differ(const struct bc_policy *old, const struct bc_policy *new, bool *ret_differ);

#endif

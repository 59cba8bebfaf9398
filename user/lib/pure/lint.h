/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is allowed in a policy but can hardly be meant. */
#ifndef BINDCTL_LINT_H
#define BINDCTL_LINT_H

#include "base/error.h"
#include "pure/compile.h"

/* What there is to know of the host. */
struct bc_ephemeral {
	struct bc_range range; /* that the kernel chooses ports from; 0 to 0: not known */
	struct bc_range *kept; /* ports that it leaves alone; owned */
	size_t nkept;
};

/*
 * Adds a warning for each rule that
 * - says what an earlier one says already,
 * - can never decide because another rule of its subject decides before it wherever it could,
 * - has expired at `now`,
 * - reserves ports for everyone,
 * - rewrites IPv4 addresses to an IPv6 one, which IPv4 sockets cannot take,
 * - rewrites to a port that a reserve, or a deny of another file, keeps from the rule's subject.
 * `cells` is what the resolved policy compiled to. 0 or -ENOMEM.
 */
int bc_lint(const struct bc_policy *policy, const struct bc_cells *cells, int64_t now, struct bc_report *report);

/* Adds a warning for each reserve of a port that the kernel may still give to whoever binds none: no hook sees that. */
void bc_lint_ephemeral(const struct bc_policy *policy, const struct bc_ephemeral *ephemeral, struct bc_report *report);

#endif

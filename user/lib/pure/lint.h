/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is allowed in a policy but can hardly be meant. */
#ifndef BINDCTL_LINT_H
#define BINDCTL_LINT_H

#include "base/error.h"
#include "pure/compile.h"

/*
 * Adds a finding of `severity` for each rule that says what an earlier one says already, and for each that can never
 * decide because another rule of its subject decides before it wherever it could. `cells` is what the resolved policy
 * compiled to. 0 or -ENOMEM.
 */
int bc_lint(const struct bc_policy *policy, const struct bc_cells *cells, enum bc_severity severity,
	    struct bc_report *report);

#endif

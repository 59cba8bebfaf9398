/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What another tool's configuration has become: for the tests of what bindctl imports. */
#ifndef BINDCTL_IMPORTED_H
#define BINDCTL_IMPORTED_H

#include "unit.h"

#include "pure/import.h"

/* The whole of what is printed of it, and that it reads back as the same rules. Takes the import. */
static inline void assert_imported(struct bc_import *import, size_t lost, const char *expected)
{
	struct bc_policy policy = {};
	struct bc_text made = {};

	bc_import_format(&made, import);
	assert_string_equal(made.data ?: "", expected);
	assert_int_equal(import->lost, lost);
	if (made.data)
		policy_from_text(&policy, made.data);
	assert_int_equal(policy.n, import->policy.n);
	for (size_t i = 0; i < policy.n; i++)
		assert_true(bc_rule_digest(&policy, &policy.rules[i]) ==
			    bc_rule_digest(&import->policy, &import->policy.rules[i]));
	bc_policy_done(&policy);
	bc_text_done(&made);
	bc_import_done(import);
}

#endif

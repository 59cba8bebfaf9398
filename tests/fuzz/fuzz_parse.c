// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes as the text of a policy file. A rule that was read is written as one line, which must read as the same rule; a
 * file without a fault that is about to be written again must keep its rules, whenever that is.
 * Two rules have the same digest when they mean the same, and only then.
 */
#include "fuzz.h"
#include "pure/edit.h"

static void tidy(const struct bc_policy *policy, const char *text, size_t len)
{
	_cleanup_(bc_policy_done) struct bc_policy back = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_text_done) struct bc_text tidied = {};
	size_t pruned, expired = 0;
	uint64_t expected = 0;

	require(!bc_edit_tidy(text, len, FUZZ_BASE, FUZZ_NOW, &tidied, &pruned));
	for (size_t i = 0; i < policy->n; i++) {
		bool gone = policy->rules[i].clauses & BC_CLAUSE_UNTIL && policy->rules[i].until <= FUZZ_NOW;

		expired += gone;
		expected += gone ? 0 : bc_rule_digest(policy, &policy->rules[i]);
	}
	require(pruned == expired);
	require(!bc_parse(&back, "fuzz.conf", tidied.data, tidied.len, 0, &report));
	require(!bc_resolve(&back, &fuzz_names, BC_ERROR, &report));
	require(back.n == policy->n - pruned && bc_policy_digest(&back) == expected);
}

/* Rules share a digest when they mean the same, and only then. */
static void compare_digests(const struct bc_policy *policy)
{
	size_t n = policy->n < 24 ? policy->n : 24;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			require((bc_rule_digest(policy, &policy->rules[i]) ==
				 bc_rule_digest(policy, &policy->rules[k])) ==
				fuzz_same(policy, &policy->rules[i], policy, &policy->rules[k]));
}

/* In a file that begins with it, what denies only reports. */
static void look_at_mode(const struct bc_policy *policy, const void *text, size_t len)
{
	static const char mode[] = "mode audit\n";

	if (len < strlen(mode) || memcmp(text, mode, strlen(mode)))
		return;
	for (size_t i = 0; i < policy->n; i++)
		require(!bc_rule_denies(&policy->rules[i]) || policy->rules[i].clauses & BC_CLAUSE_AUDIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	size_t faults = fuzz_policy(&policy, data, size);

	for (size_t i = 0; i < policy.n; i++)
		fuzz_read_again(&policy, &policy.rules[i]);
	compare_digests(&policy);
	look_at_mode(&policy, data, size);
	/* Moments written in full make lines longer than they were. */
	if (!faults && size < BC_LINE_MAX / 2)
		tidy(&policy, (const char *)data, size);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/scope.h"
#include "unit.h"

static uint32_t scope_of(struct bc_tree *tree, const char *path)
{
	uint32_t scope = 0;

	assert_int_equal(bc_tree_add(tree, path, &scope), 0);
	return scope;
}

/* An id that two names have under each seed would keep the compiler looking for a seed without end. */
static void names_that_differ_in_any_bit_have_other_ids(void **state)
{
	(void)state;
	for (unsigned len = 1; len <= BC_NAME_MAX; len++) {
		char path[BC_NAME_MAX + 2] = "/";

		memset(path + 1, 'n', len);
		for (unsigned bit = 0; bit<8 * len; bit += len> 64 ? 13 : 1) {
			_cleanup_(bc_tree_done) struct bc_tree tree = {};
			unsigned same = 0;

			scope_of(&tree, path);
			path[1 + bit / 8] ^= 1u << bit % 8;
			if (path[1 + bit / 8] != '/')
				scope_of(&tree, path);
			path[1 + bit / 8] ^= 1u << bit % 8;
			for (uint32_t seed = 0; seed < 4 && tree.n == 3; seed++)
				same += bc_tree_hash(&tree, 2, seed) == bc_tree_hash(&tree, 3, seed);
			if (same)
				fail_msg("bit %u of %u bytes", bit, len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_differ_in_any_bit_have_other_ids),
	};

	return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}

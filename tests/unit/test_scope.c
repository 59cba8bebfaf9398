// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/scope.h"
#include "unit.h"

static uint32_t scope_of(struct bc_tree *tree, const char *path)
{
	uint32_t scope = 0;

	assert_int_equal(bc_tree_add(tree, path, &scope), 0);
	return scope;
}

static int compare_words(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
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

static void tree_holds_every_cgroup_on_the_way_once(void **state)
{
	_cleanup_(bc_tree_done) struct bc_tree tree = {};

	(void)state;
	assert_int_equal(scope_of(&tree, "/a/b/c"), 4);
	assert_int_equal(tree.n, 4);
	assert_int_equal(scope_of(&tree, "/a/b"), 3);
	assert_int_equal(scope_of(&tree, "/a/b/c"), 4);
	assert_int_equal(scope_of(&tree, NULL), BC_SCOPE_ROOT);
	assert_int_equal(scope_of(&tree, "/"), BC_SCOPE_ROOT);
	assert_int_equal(tree.n, 4);
	assert_int_equal(scope_of(&tree, "/b/b"), 6);
	assert_int_equal(tree.n, 6);
	assert_int_equal(tree.nodes[5].parent, 5);
	assert_int_equal(tree.nodes[4].parent, BC_SCOPE_ROOT);
}

static void only_cgroups_that_rules_name_are_ruled(void **state)
{
	_cleanup_(bc_tree_done) struct bc_tree tree = {};

	(void)state;
	scope_of(&tree, "/a/b/c");
	assert_false(tree.nodes[0].ruled || tree.nodes[1].ruled || tree.nodes[2].ruled);
	assert_true(tree.nodes[3].ruled);
	scope_of(&tree, "/a");
	assert_true(tree.nodes[1].ruled);
	assert_false(tree.nodes[2].ruled);
}

static void way_up_leads_over_ruled_scopes_alone(void **state)
{
	/* /a/b/c/d and /a are ruled; the root is not. */
	static const struct bc_scope expected[] = { { 0, 0, 0, 0 }, { 2, 0, 1, 0 }, { 2, 2, 2, 0 }, { 2, 2, 3, 0 },
						    { 5, 2, 4, 0 }, { 0, 0, 1, 0 }, { 7, 0, 6, 0 } };
	_cleanup_(bc_tree_done) struct bc_tree tree = {};
	struct bc_scope scopes[ARRAY_SIZE(expected)];

	(void)state;
	scope_of(&tree, "/a/b/c/d");
	scope_of(&tree, "/a");
	scope_of(&tree, "/x/y");
	assert_int_equal(tree.n, ARRAY_SIZE(expected));
	bc_tree_write(&tree, scopes);
	for (size_t i = 0; i < tree.n; i++) {
		assert_int_equal(scopes[i].first, expected[i].first);
		assert_int_equal(scopes[i].up, expected[i].up);
		assert_int_equal(scopes[i].parent, expected[i].parent);
	}
	scope_of(&tree, NULL);
	bc_tree_write(&tree, scopes);
	assert_int_equal(scopes[0].first, BC_SCOPE_ROOT);
	assert_int_equal(scopes[1].up, BC_SCOPE_ROOT);
	assert_int_equal(scopes[5].first, BC_SCOPE_ROOT);
	assert_int_equal(scopes[6].up, BC_SCOPE_ROOT);
}

static void name_is_kept_in_padded_parts(void **state)
{
	static const unsigned lengths[] = { 1, 31, 32, 33, 63, 64, 65, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		_cleanup_(bc_tree_done) struct bc_tree tree = {};
		char path[BC_NAME_MAX + 2] = "/", padded[BC_NAME_PARTS * BC_PART_SIZE] = "";
		struct bc_scope scopes[2];
		unsigned parts = (lengths[i] + 31) / 32;

		memset(path + 1, 'n', lengths[i]);
		memset(padded, 'n', lengths[i]);
		scope_of(&tree, path);
		bc_tree_write(&tree, scopes);
		assert_int_equal(tree.nlabels, parts);
		assert_int_equal(scopes[1].label, parts);
		assert_memory_equal(tree.labels, padded, parts * BC_PART_SIZE);
	}
}

static void names_that_begin_alike_are_two(void **state)
{
	_cleanup_(bc_tree_done) struct bc_tree tree = {};
	char path[BC_NAME_MAX + 2] = "/";

	(void)state;
	for (unsigned len = 1; len <= BC_NAME_MAX; len++) {
		path[len] = 'n';
		assert_int_equal(scope_of(&tree, path), len + 1);
	}
	for (unsigned len = BC_NAME_MAX; len >= 1; len--) {
		path[len + 1] = '\0';
		assert_int_equal(scope_of(&tree, path), len + 1);
	}
}

static void path_that_is_none_is_refused(void **state)
{
	_cleanup_(bc_tree_done) struct bc_tree tree = {};
	char path[BC_NAME_MAX + 3] = "/";
	uint32_t scope = 4711;

	(void)state;
	memset(path + 1, 'n', BC_NAME_MAX + 1);
	assert_int_equal(bc_tree_add(&tree, path, &scope), -EINVAL);
	assert_int_equal(bc_tree_add(&tree, "/a//b", &scope), -EINVAL);
	assert_int_equal(scope, 4711);
}

static void every_one_of_many_is_found_again(void **state)
{
	_cleanup_(bc_tree_done) struct bc_tree tree = {};
	char path[64];

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 20000; i++) {
			snprintf(path, sizeof(path), "/slice-%u/unit-%u.service", i / 100, i);
			assert_int_equal(scope_of(&tree, path), 1 + i + 1 + i / 100 + 1);
		}
	}
	assert_int_equal(tree.n, 1 + 200 + 20000);
}

static void more_scopes_than_an_image_can_number_are_refused(void **state)
{
	_cleanup_(bc_tree_done) struct bc_tree tree = {};
	uint32_t scope;
	char path[64];
	int r = 0;

	(void)state;
	for (unsigned i = 0; !r && i < BC_SCOPES_MAX; i++) {
		snprintf(path, sizeof(path), "/%u", i);
		r = bc_tree_add(&tree, path, &scope);
	}
	assert_int_equal(r, -E2BIG);
	assert_int_equal(tree.n, BC_SCOPES_MAX);
	/* What is there may still be named. */
	assert_int_equal(bc_tree_add(&tree, "/7", &scope), 0);
}

#define PART "0123456789abcdef0123456789abcdef" /* a whole part of a name */

/* Two names of that form, children of one cgroup, with one id under seed 0: they are among some hundred thousand. */
static void find_collision(const char *before, const char *behind, char names[2][256])
{
	const size_t n = 200000;
	_cleanup_free_ uint64_t *ids = calloc(n, sizeof(*ids));
	bool found = false;

	for (uint32_t i = 0; i < n; i++) {
		union bc_part parts[BC_NAME_PARTS] = {};
		unsigned len = snprintf((char *)parts, sizeof(parts), "%s%06x%s", before, i, behind);
		uint64_t hash = 0;

		for (unsigned k = 0; k < (len + BC_PART_SIZE - 1) / BC_PART_SIZE; k++)
			hash = bc_name_hash(hash, &parts[k]);
		ids[i] = (uint64_t)bc_name_id(hash) << 32 | i;
	}
	qsort(ids, n, sizeof(*ids), compare_words);
	for (uint32_t i = 1; !found && i < n; i++) {
		found = ids[i] >> 32 == ids[i - 1] >> 32;
		snprintf(names[0], 256, "%s%06x%s", before, (uint32_t)ids[i - 1], behind);
		snprintf(names[1], 256, "%s%06x%s", before, (uint32_t)ids[i], behind);
	}
	assert_true(found);
}

static void names_of_one_id_make_the_compiler_take_another_seed(void **state)
{
	_cleanup_(bc_cells_done) struct bc_cells apart = {}, together = {};
	char names[2][256], text[1024];

	(void)state;
	find_collision("", "", names);
	snprintf(text, sizeof(text), "grant cgroup /%s port 80\ndeny cgroup /x/%s port 80\n", names[0], names[1]);
	image_from_text(&apart, text);
	assert_int_equal(apart.cells[0].header.seed, 0);
	snprintf(text, sizeof(text), "grant cgroup /%s port 80\ndeny cgroup /%s port 80\n", names[0], names[1]);
	image_from_text(&together, text);
	assert_int_not_equal(together.cells[0].header.seed, 0);
	for (int i = 0; i < 2; i++) {
		struct bc_question question = ask(5, 80, "::1");
		char path[512];

		snprintf(path, sizeof(path), "/%s", names[i]);
		question.cgroup = path;
		assert_decides(text, question, i ? BC_DENY : BC_GRANT, i + 1);
	}
}

/* The slot of a cgroup is found by the id of its name: whoever has that id, but not that name, is in no scope. */
static void name_of_another_with_the_same_id_does_not_match(void **state)
{
	static const char *const forms[][2] = { { "", "" }, { PART, "" }, { "", PART PART }, { PART PART, PART } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct bc_question question = ask(5, 80, "::1");
		_cleanup_(bc_cells_done) struct bc_cells image = {};
		char names[2][256], text[512], path[512];

		find_collision(forms[i][0], forms[i][1], names);
		snprintf(text, sizeof(text), "grant cgroup /%s port 80\n", names[0]);
		image_from_text(&image, text);
		assert_int_equal(image.cells[0].header.seed, 0);
		question.cgroup = path;
		snprintf(path, sizeof(path), "/%s", names[0]);
		assert_decides(text, question, BC_GRANT, 1);
		snprintf(path, sizeof(path), "/%s", names[1]);
		assert_decides(text, question, BC_NONE, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_differ_in_any_bit_have_other_ids),
		cmocka_unit_test(tree_holds_every_cgroup_on_the_way_once),
		cmocka_unit_test(only_cgroups_that_rules_name_are_ruled),
		cmocka_unit_test(way_up_leads_over_ruled_scopes_alone),
		cmocka_unit_test(name_is_kept_in_padded_parts),
		cmocka_unit_test(names_that_begin_alike_are_two),
		cmocka_unit_test(path_that_is_none_is_refused),
		cmocka_unit_test(every_one_of_many_is_found_again),
		cmocka_unit_test(more_scopes_than_an_image_can_number_are_refused),
		cmocka_unit_test(names_of_one_id_make_the_compiler_take_another_seed),
		cmocka_unit_test(name_of_another_with_the_same_id_does_not_match),
	};

	return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Cgroups in an image, where policies, or those who make up images, try to break it. */
#include <sys/resource.h>
#include <time.h>

#include "pure/decompile.h"
#include "pure/inspect.h"
#include "pure/scope.h"
#include "unit.h"

/* Compiles, and that every cgroup named decides for itself: the rule of line n allows port n. */
static void assert_all_found(const char *text, const char *const *paths, size_t n)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	image_from_text(&image, text);
	for (size_t i = 0; i < n; i++) {
		struct bc_question question = ask(0, i + 1, "10.0.0.1");
		_cleanup_(bc_answer_done) struct bc_answer answer = {};

		question.cgroup = paths[i];
		assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
		assert_int_equal(answer.verdict, BC_ALLOW);
		assert_int_equal(bc_rule_at(&image, answer.rule)->line, i + 1);
	}
}

/* Names that a weak hash takes for one another under every seed: no image would hold both. */
static void names_alike_are_told_apart(void **state)
{
	static const char *const paths[] = {
		"/pod-0000000000000000000000000001",
		"/pod-0000000000000000000000000002",
		"/aaaaaaaaaaaaaaaa",
		"/aaaaaaa\xe1"
		"aaa\xe1"
		"aaa\xe1",
		"/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
		"/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
		"/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
	};
	const struct rlimit limit = { 10, 10 };
	_cleanup_(bc_text_done) struct bc_text text = {};

	(void)state;
	/* Instead of a test that never ends. */
	assert_int_equal(setrlimit(RLIMIT_CPU, &limit), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		bc_text_addf(&text, "allow cgroup %s port %zu\n", paths[i], i + 1);
	assert_all_found(text.data, paths, ARRAY_SIZE(paths));
}

/* As deep as a line of policy can name one. */
static void deepest_cgroup_is_found(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {}, path = {};
	const char *paths[1];

	(void)state;
	while (path.len + strlen("/aallow cgroup  port 1") <= BC_LINE_MAX)
		bc_text_addf(&path, "/a");
	bc_text_addf(&text, "allow cgroup %s port 1\n", path.data);
	paths[0] = path.data;
	assert_all_found(text.data, paths, 1);
}

/* The names of all cgroups above one that rules name are a thousand times as long as its own path. */
static void paths_take_no_more_memory_than_the_rules(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {}, back = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	_cleanup_(bc_text_done) struct bc_text text = {};

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		bc_text_addf(&text, "allow cgroup /%u", i);
		for (unsigned k = 0; k < 2000; k++)
			bc_text_addf(&text, "/a");
		bc_text_addf(&text, " port 80\n");
	}
	policy_from_text(&policy, text.data);
	image_from_policy(&image, &policy);
	assert_int_equal(bc_decompile(&image, &back, NULL), 0);
	assert_true(bc_policy_digest(&policy) == bc_policy_digest(&back));
	assert_in_range(back.strings.len, 0, policy.strings.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_alike_are_told_apart),
		cmocka_unit_test(deepest_cgroup_is_found),
		cmocka_unit_test(paths_take_no_more_memory_than_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

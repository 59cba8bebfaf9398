// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/decompile.h"
#include "pure/diff.h"
#include "unit.h"

/* Both sides as lists of lines: "1 3" of the old, "2" of the new. */
static void assert_differs(const char *old_text, const char *new_text, const char *removed, const char *added)
{
	_cleanup_(bc_policy_done) struct bc_policy old = {}, new = {};
	_cleanup_(bc_text_done) struct bc_text gone = {}, come = {};
	_cleanup_(bc_diff_done) struct bc_diff diff = {};

	policy_from_text(&old, old_text);
	policy_from_text(&new, new_text);
	assert_int_equal(bc_diff(&old, &new, &diff), 0);
	bc_text_add(&gone, "", 0);
	bc_text_add(&come, "", 0);
	for (size_t i = 0; i < diff.nremoved; i++)
		bc_text_addf(&gone, "%s%u", i ? " " : "", old.rules[diff.removed[i]].line);
	for (size_t i = 0; i < diff.nadded; i++)
		bc_text_addf(&come, "%s%u", i ? " " : "", new.rules[diff.added[i]].line);
	assert_string_equal(gone.data, removed);
	assert_string_equal(come.data, added);
}

static void same_meaning_is_no_difference(void **state)
{
	(void)state;
	assert_differs("", "", "", "");
	assert_differs("grant port 80\ndeny port 81\n", "# c\ndeny port 81 errno EACCES\n\ngrant  port 80-80\n", "",
		       "");
	assert_differs("grant user alice port 80\n", "grant port 80 user 1000\n", "", "");
	assert_differs("grant group web port 80\n", "grant group 2001 port 80\n", "", "");
	assert_differs("grant unit a.service port 80\n", "grant cgroup /system.slice/a.service port 80\n", "", "");
	assert_differs("mode audit\ndeny port 80\n", "deny port 80 audit\n", "", "");
	assert_differs("grant port 80 until +1h\n", "grant port 80 until 1970-01-01T01:00:00Z\n", "", "");
}

static void rules_of_one_side_are_told_in_order(void **state)
{
	(void)state;
	assert_differs("", "grant port 3\ngrant port 1\ngrant port 2\n", "", "1 2 3");
	assert_differs("grant port 3\ngrant port 1\ngrant port 2\n", "", "1 2 3", "");
	assert_differs("grant port 1\ngrant port 2\ngrant port 3\n", "grant port 4\ngrant port 2\ngrant port 5\n",
		       "1 3", "1 3");
	assert_differs("grant port 1\n", "deny port 1\n", "1", "1");
	assert_differs("grant user 5 port 1\n", "grant group 5 port 1\n", "1", "1");
	assert_differs("grant cgroup /a port 1\ngrant port 2\n", "grant port 2\ngrant cgroup /b port 1\n", "1", "2");
	assert_differs("deny port 1\n", "deny port 1 audit\n", "1", "1");
	assert_differs("grant port 1\n", "grant port 1 log\n", "1", "1");
	assert_differs("rewrite port 1 to :2\n", "rewrite port 1 to :2 hidden\n", "1", "1");
	assert_differs("grant port 1 until +1h\n", "grant port 1 until +2h\n", "1", "1");
	assert_differs("grant user 5 port 1\n", "reserve user 5 port 1\n", "1", "1");
}

static void rule_written_twice_counts_twice(void **state)
{
	(void)state;
	assert_differs("grant port 1\n", "grant port 1\ngrant port 1\n", "", "2");
	assert_differs("grant port 1\ngrant port 1\ngrant port 1\n", "grant port 1\n", "2 3", "");
	assert_differs("grant port 1\ngrant port 1\n", "grant port 1\ngrant port 1\n", "", "");
}

static void image_differs_from_its_policy_in_nothing(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {}, back = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	_cleanup_(bc_diff_done) struct bc_diff diff = {};

	(void)state;
	policy_from_text(&policy,
			 "grant user alice port 80,443 proto tcp\ndeny port any errno EPERM\n"
			 "allow port 1-100 addr 10.0.0.0/8 netns any\nreserve group web unit a.service port 1\n"
			 "rewrite cgroup /a/b port 1 to [::1]:2 hidden\ndeny port 3 audit log until +1h\n");
	image_from_policy(&image, &policy);
	assert_int_equal(bc_decompile(&image, &back, NULL), 0);
	assert_int_equal(bc_diff(&back, &policy, &diff), 0);
	assert_int_equal(diff.nremoved + diff.nadded, 0);
}

static void rule_is_found_by_what_it_means(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {}, twin = {};

	(void)state;
	policy_from_text(&policy,
			 "grant port 1\ndeny port 2\ndeny port 2\ngrant user 4001 port 22 cgroup /Y_Pf6tJWolH\n");
	assert_int_equal(bc_policy_find(&policy, &policy, &policy.rules[2]), 1);
	/* Of one digest with a rule that there is, and another. */
	policy_from_text(&twin, "deny user 4001 port 80 cgroup /fLEO1LSJSZN\n");
	assert_int_equal(bc_rule_digest(&twin, twin.rules), bc_rule_digest(&policy, &policy.rules[3]));
	assert_int_equal(bc_policy_find(&policy, &twin, twin.rules), -1);
}

/* Whatever differs between two rules: their digests could be the same. */
static void rules_are_the_same_only_if_all_is(void **state)
{
	static const char text[] =
		"grant port 80\nallow port 80\ndeny port 80\ndeny port 80 errno EPERM\nreserve user alice port 80\n"
		"reserve user alice port 80 errno EPERM\ngrant user alice port 80\ngrant user bob port 80\n"
		"grant group 1000 port 80\ngrant cgroup /a port 80\ngrant cgroup /b port 80\ngrant cgroup /a/b port "
		"80\n"
		"grant port 81\ngrant port 80-81\ngrant port 80,82\ngrant port 80 proto tcp\ngrant port 80 proto udp\n"
		"grant port 80 addr 1.2.3.4\ngrant port 80 addr 1.2.3.5\ngrant port 80 addr 1.2.3.4/31\n"
		"grant port 80 addr ::102:304\ngrant port 80 netns any\ngrant port 80 log\ndeny port 80 audit\n"
		"grant port 80 until 2030-01-01T00:00:00Z\ngrant port 80 until 2031-01-01T00:00:00Z\n"
		"rewrite port 80 to :81\nrewrite port 80 to :82\nrewrite port 80 to :81 hidden\nrewrite port 80 to "
		"1.2.3.4\n"
		"rewrite port 80 to 1.2.3.5\nrewrite port 80 to ::102:304\nrewrite port 80 to 1.2.3.4:81\n";
	_cleanup_(bc_policy_done) struct bc_policy left = {}, right = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_error error = {};

	(void)state;
	policy_from_text(&left, text);
	/* As the kernel holds them, and as a file does. */
	image_from_policy(&image, &left);
	assert_int_equal(bc_decompile(&image, &right, &error), 0);
	assert_int_equal(right.n, left.n);
	for (size_t i = 0; i < left.n; i++)
		for (size_t k = 0; k < right.n; k++)
			if (bc_rule_same(&left, &left.rules[i], &right, &right.rules[k]) != (i == k))
				fail_msg("lines %zu and %zu are%s the same", i + 1, k + 1, i == k ? " not" : "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_meaning_is_no_difference),
		cmocka_unit_test(rules_of_one_side_are_told_in_order),
		cmocka_unit_test(rule_written_twice_counts_twice),
		cmocka_unit_test(image_differs_from_its_policy_in_nothing),
		cmocka_unit_test(rule_is_found_by_what_it_means),
		cmocka_unit_test(rules_are_the_same_only_if_all_is),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* decide: whom a rule speaks of: users, groups, cgroups, and which of them goes before which. */
#include "unit.h"

static void users_rule_decides_before_everyones(void **state)
{
	(void)state;
	assert_decides("deny port 80\ngrant user alice port any\n", ALICE(80), BC_GRANT, 2);
	assert_decides("deny port 80 addr 0.0.0.0 proto tcp\ngrant user alice port 1-65535\n", ALICE(80), BC_GRANT, 2);
	assert_decides("deny port 80\ngrant user alice port any\n", ask(1001, 80, "0.0.0.0"), BC_DENY, 1);
	assert_decides("deny port 80\ngrant user 0 port any\n", ask(0, 80, "0.0.0.0"), BC_GRANT, 2);
}

static void everyones_rule_decides_where_the_users_is_absent(void **state)
{
	(void)state;
	assert_decides("deny port 80\ngrant user alice port 81-90\n", ALICE(80), BC_DENY, 1);
	assert_decides("deny port 80\ngrant user alice port 70-79,81-90\n", ALICE(80), BC_DENY, 1);
	assert_decides("deny port 80\ngrant user alice port 80 proto udp\n", ALICE(80), BC_DENY, 1);
	assert_decides("deny port 80\ngrant user alice port 80 addr 10.0.0.1\n", ALICE(80), BC_DENY, 1);
}

static void group_is_the_effective_or_a_supplementary_one(void **state)
{
	static const uint32_t groups[] = { 7, 2001, 9 };

	(void)state;
	assert_decides("grant group web port 80\n", member(2001, NULL, 0), BC_GRANT, 1);
	assert_decides("grant group web port 80\n", member(5, groups, 3), BC_GRANT, 1);
	assert_decides("grant group 9 port 80\n", member(5, groups, 3), BC_GRANT, 1);
	assert_decides("grant group 9 port 80\n", member(5, groups, 2), BC_NONE, 0);
	assert_decides("grant group 1000 port 80\n", member(5, groups, 3), BC_NONE, 0);
	assert_decides("grant group 0 port 80\n", member(5, groups, 3), BC_NONE, 0);
	assert_decides("grant group 0 port 80\n", member(0, NULL, 0), BC_GRANT, 1);
}

static void all_of_very_many_groups_count(void **state)
{
	static uint32_t groups[65536];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i] = i + 10;
	assert_decides("grant group 10 port 80\n", member(5, groups, ARRAY_SIZE(groups)), BC_GRANT, 1);
	assert_decides("grant group 65545 port 80\n", member(5, groups, ARRAY_SIZE(groups)), BC_GRANT, 1);
	assert_decides("grant group 65546 port 80\n", member(5, groups, ARRAY_SIZE(groups)), BC_NONE, 0);
}

static void groups_rule_stands_between_users_and_everyones(void **state)
{
	(void)state;
	assert_decides("grant group 5 port any\ndeny port 80 proto tcp\n", member(5, NULL, 0), BC_GRANT, 1);
	assert_decides("grant user alice port any\ndeny group 5 port 80\n", member(5, NULL, 0), BC_GRANT, 1);
	assert_decides("deny group 6 port 80\ngrant port any\n", member(5, NULL, 0), BC_GRANT, 2);
}

static void rules_of_all_groups_compete_by_rank(void **state)
{
	static const uint32_t groups[] = { 6, 7 };
	static const char text[] = "grant group 5 port 80-81\ndeny group 6 port 80-82\nallow group 7 port 80-90\n";

	(void)state;
	assert_decides(text, member(5, groups, 2), BC_GRANT, 1);
	assert_decides(text, member(9, groups, 2), BC_DENY, 2);
	assert_decides(text, member(9, groups + 1, 1), BC_ALLOW, 3);
	assert_decides("grant group 5 port 80\ndeny group 6 port 80\n", member(5, groups, 1), BC_DENY, 2);
}

static void cgroup_covers_itself_and_all_below(void **state)
{
	static const char text[] = "grant cgroup /a/b port 80\n";
	static const char *const in[] = { "/a/b", "/a/b/c", "/a/b/c/d/e/f", "/a/b/b" };
	static const char *const out[] = {
		"/", "/a", "/b", "/a/bb", "/a/b2", "/a/B", "/aa/b", "/a/a/b", "/a b", "/b/a"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		assert_decides(text, within(in[i]), BC_GRANT, 1);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		assert_decides(text, within(out[i]), BC_NONE, 0);
	assert_decides(text, within(NULL), BC_NONE, 0);
	assert_decides("grant cgroup / port 80\n", within("/x/y"), BC_GRANT, 1);
	assert_decides("grant unit nginx.service port 80\n", within("/system.slice/nginx.service/w"), BC_GRANT, 1);
}

static void deepest_cgroups_rule_decides(void **state)
{
	static const char text[] = "deny user alice port 80 proto tcp addr 0.0.0.0\nallow cgroup /a port any\n"
				   "grant cgroup /a/b/c port any\n";

	(void)state;
	assert_decides(text, within("/"), BC_DENY, 1);
	assert_decides(text, within("/x"), BC_DENY, 1);
	assert_decides(text, within("/a"), BC_ALLOW, 2);
	assert_decides(text, within("/a/b"), BC_ALLOW, 2);
	assert_decides(text, within("/a/b/c"), BC_GRANT, 3);
	assert_decides(text, within("/a/b/c/d"), BC_GRANT, 3);
	assert_decides(text, within("/a/b/cc"), BC_ALLOW, 2);
}

static void within_a_cgroup_the_user_goes_before_the_group_and_everyone(void **state)
{
	static const char text[] = "grant cgroup /a port 80\nallow cgroup /a group 5 port 80-90\n"
				   "deny cgroup /a user alice port any\ngrant user alice port 80\n";
	struct bc_question question = within("/a");

	(void)state;
	assert_decides(text, question, BC_DENY, 3);
	question.uid = 7;
	assert_decides(text, question, BC_GRANT, 1);
	question.gid = 5;
	assert_decides(text, question, BC_ALLOW, 2);
}

static void outer_cgroups_decide_where_inner_ones_do_not_hold(void **state)
{
	static const char text[] = "deny port 80\nallow cgroup /a port 80 proto tcp\n"
				   "grant cgroup /a/b port 80 addr 10.0.0.1\ngrant cgroup /a/b/c port 81\n";
	struct bc_question udp = within("/a/b/c");

	(void)state;
	udp.proto = BC_UDP;
	assert_decides(text, within("/a/b/c"), BC_ALLOW, 2);
	assert_decides(text, udp, BC_DENY, 1);
}

static void name_matches_whole_whatever_its_length(void **state)
{
	static const unsigned lengths[] = { 1, 31, 32, 33, 63, 64, 65, 254, 255 };
	char name[257], text[600], path[300];

	(void)state;
	memset(name, 'n', sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		unsigned len = lengths[i];

		snprintf(text, sizeof(text), "grant cgroup /%.*s port 80\n", len, name);
		snprintf(path, sizeof(path), "/%.*s", len, name);
		assert_decides(text, within(path), BC_GRANT, 1);
		snprintf(path, sizeof(path), "/%.*s/x", len, name);
		assert_decides(text, within(path), BC_GRANT, 1);
		snprintf(path, sizeof(path), "/x/%.*s", len, name);
		assert_decides(text, within(path), BC_NONE, 0);
		if (len < 255) {
			snprintf(path, sizeof(path), "/%.*s", len + 1, name);
			assert_decides(text, within(path), BC_NONE, 0);
		}
		snprintf(path, sizeof(path), "/%.*s", len - 1, name);
		assert_decides(text, within(path), BC_NONE, 0);
		/* A byte in each part and the last one of all. */
		for (unsigned at = 0; at < len; at = at + 31 < len - 1 || at == len - 1 ? at + 31 : len - 1) {
			snprintf(path, sizeof(path), "/%.*s", len, name);
			path[1 + at] = 'm';
			assert_decides(text, within(path), BC_NONE, 0);
		}
	}
}

static void path_deeper_than_the_tree_ends_where_the_rules_do(void **state)
{
	char path[4 * BC_DEPTH_MAX + 16] = "/a";
	_cleanup_(bc_text_done) struct bc_text text = {};

	(void)state;
	for (unsigned i = 1; i < BC_DEPTH_MAX + 10; i++)
		strcat(path, "/a");
	assert_decides("grant cgroup /a port 80\n", within(path), BC_GRANT, 1);
	assert_decides("grant cgroup /a/a/b port 80\ngrant port 80-81\n", within(path), BC_GRANT, 2);
	bc_text_addf(&text, "deny port 80\ngrant cgroup %.*s port 80\n", 2 * 900, path);
	assert_decides(text.data, within(path), BC_GRANT, 2);
	path[2 * 899] = '\0';
	assert_decides(text.data, within(path), BC_DENY, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_rule_decides_before_everyones),
		cmocka_unit_test(everyones_rule_decides_where_the_users_is_absent),
		cmocka_unit_test(group_is_the_effective_or_a_supplementary_one),
		cmocka_unit_test(all_of_very_many_groups_count),
		cmocka_unit_test(groups_rule_stands_between_users_and_everyones),
		cmocka_unit_test(rules_of_all_groups_compete_by_rank),
		cmocka_unit_test(cgroup_covers_itself_and_all_below),
		cmocka_unit_test(deepest_cgroups_rule_decides),
		cmocka_unit_test(within_a_cgroup_the_user_goes_before_the_group_and_everyone),
		cmocka_unit_test(outer_cgroups_decide_where_inner_ones_do_not_hold),
		cmocka_unit_test(name_matches_whole_whatever_its_length),
		cmocka_unit_test(path_deeper_than_the_tree_ends_where_the_rules_do),
	};

	return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/names.h"
#include "pure/lint.h"
#include "unit.h"

/* A user database that counts how often it is asked. */
struct database {
	int asked;
	int answer; /* for `broken` */
};

static int count_and_look_up(void *ctx, const char *name, uint32_t *ret_uid)
{
	struct database *database = ctx;

	database->asked++;
	if (!strcmp(name, "broken"))
		return database->answer;
	if (!strcmp(name, "liar")) {
		*ret_uid = 4711;
		return -ENOENT;
	}
	return known_users(NULL, name, ret_uid);
}

static void parse_only(struct bc_policy *policy, const char *text)
{
	struct bc_report report = {};

	assert_int_equal(bc_parse(policy, SOURCE, text, strlen(text), 0, &report), 0);
	bc_report_done(&report);
}

static void name_is_looked_up_once_however_often_it_occurs(void **state)
{
	struct database database = {};
	const struct bc_names names = { .user = count_and_look_up, .ctx = &database };
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	static const uint32_t ids[] = { 1000, 1001, 1000, 1000, 7, 1001, 0 };

	(void)state;
	parse_only(&policy, "grant user alice port 1\ngrant user bob port 2\ngrant user alice port 3\n"
			    "grant user alice port 4\ngrant user 7 port 5\ngrant user bob port 6\ngrant port 7\n");
	assert_int_equal(bc_resolve(&policy, &names, BC_ERROR, &report), 0);
	assert_int_equal(database.asked, 2);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(policy.rules[i].id, ids[i]);
	assert_int_equal(report.n, 0);
}

static void policy_without_names_asks_nobody(void **state)
{
	struct database database = {};
	const struct bc_names names = { .user = count_and_look_up, .ctx = &database };
	_cleanup_(bc_policy_done) struct bc_policy policy = {}, empty = {};
	struct bc_report report = {};

	(void)state;
	parse_only(&policy, "grant user 0 port 1\ndeny port any\n");
	assert_int_equal(bc_resolve(&policy, &names, BC_ERROR, &report), 0);
	assert_int_equal(bc_resolve(&empty, &names, BC_ERROR, &report), 0);
	assert_int_equal(database.asked, 0);
	assert_int_equal(policy.rules[0].id, 0);
}

static void unknown_name_is_reported_at_each_of_its_rules(void **state)
{
	struct database database = {};
	const struct bc_names names = { .user = count_and_look_up, .ctx = &database };
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	parse_only(&policy, "grant user ghost port 1\ngrant user alice port 2\n\n  grant port 3 user ghost\n");
	assert_int_equal(bc_resolve(&policy, &names, BC_WARNING, &report), -ENOENT);
	assert_int_equal(report.n, 2);
	assert_int_equal(report.errors, 0);
	assert_fault(&report.items[0], 1, 12, "unknown user 'ghost'");
	assert_fault(&report.items[1], 4, 21, "unknown user 'ghost'");
	assert_int_equal(report.items[1].severity, BC_WARNING);
	assert_int_equal(policy.rules[0].id, BC_UNRESOLVED);
	assert_int_equal(policy.rules[1].id, 1000);
	assert_int_equal(policy.rules[2].id, BC_UNRESOLVED);
	assert_int_equal(database.asked, 2);
}

static void severity_is_the_callers(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	parse_only(&policy, "grant user ghost port 1\n");
	assert_int_equal(bc_resolve(&policy, &unit_names, BC_ERROR, &report), -ENOENT);
	assert_int_equal(report.errors, 1);
}

static void failed_look_up_goes_before_an_unknown_name(void **state)
{
	static const char *const texts[] = { "grant user ghost port 1\ngrant user broken port 2\n",
					     "grant user broken port 1\ngrant user ghost port 2\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct database database = { .answer = -EIO };
		const struct bc_names names = { .user = count_and_look_up, .ctx = &database };
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_(bc_report_done) struct bc_report report = {};

		parse_only(&policy, texts[i]);
		assert_int_equal(bc_resolve(&policy, &names, BC_ERROR, &report), -EIO);
		assert_int_equal(report.n, 2);
		assert_contains(report.items[!i].text, "cannot look up user 'broken': Input/output error");
		assert_int_equal(policy.rules[!i].id, BC_UNRESOLVED);
	}
}

static void id_left_behind_by_a_failure_is_not_taken(void **state)
{
	struct database database = {};
	const struct bc_names names = { .user = count_and_look_up, .ctx = &database };
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	parse_only(&policy, "grant user liar port 1\n");
	assert_int_equal(bc_resolve(&policy, &names, BC_ERROR, &report), -ENOENT);
	assert_int_equal(policy.rules[0].id, BC_UNRESOLVED);
}

static void unresolved_rule_speaks_of_no_process(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	static const uint32_t uids[] = { 0, 1000, 65534, UINT32_MAX - 1 };

	(void)state;
	parse_only(&policy, "grant user ghost port 80\n");
	bc_resolve(&policy, &unit_names, BC_WARNING, &report);
	image_from_policy(&image, &policy);
	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		struct bc_question question = ask(uids[i], 80, "0.0.0.0");
		struct bc_answer answer = {};

		assert_int_equal(bc_decide_image(&image, &question, &answer), 0);
		assert_int_equal(answer.verdict, BC_NONE);
		bc_answer_done(&answer);
	}
}

/* Two names that nobody has are still two users: `check` on another machine must not compare their rules. */
static void two_unknown_names_are_not_one_subject(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report unknown = {}, findings = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_error error;

	(void)state;
	parse_only(&policy, "grant user ghost port 80\ndeny user spirit port 80\n");
	bc_resolve(&policy, &unit_names, BC_WARNING, &unknown);
	assert_int_equal(bc_policy_drop_unresolved(&policy), 2);
	assert_int_equal(bc_compile(&policy, BC_WARNING, &image, &findings, &error), 0);
	if (!findings.n)
		bc_lint(&policy, &image, 0, &findings);
	if (findings.n)
		fail_msg("%s", findings.items[0].text);
}

static void hosts_own_users_are_found(void **state)
{
	_cleanup_free_ char *root = bc_user_name(0);
	uint32_t uid = 4711;

	(void)state;
	assert_int_equal(bc_user_by_name(NULL, "root", &uid), 0);
	assert_int_equal(uid, 0);
	assert_string_equal(root, "root");
	uid = 4711;
	assert_int_equal(bc_user_by_name(NULL, "no-such-user-here", &uid), -ENOENT);
	assert_int_equal(uid, 4711);
	assert_null(bc_user_name(4294967290u));
}

/* Units that are there, are not, or cannot be asked for. */
static int look_up_unit(void *ctx, const char *name, uint32_t uid, char **ret_path, bool *ret_known)
{
	struct database *database = ctx;

	database->asked++;
	if (!strcmp(name, "broken.service"))
		return database->answer;
	if (!strcmp(name, "root.slice"))
		*ret_path = strdup("/");
	else if (asprintf(ret_path, uid == BC_UNRESOLVED ? "/system/%s" : "/user/%2$u/%1$s", name, uid) < 0)
		return -ENOMEM;
	*ret_known = strncmp(name, "ghost", 5) != 0;
	return 0;
}

static int look_up_group(void *ctx, const char *name, uint32_t *ret_gid)
{
	struct database *database = ctx;

	database->asked++;
	return !strcmp(name, "broken") ? database->answer : known_groups(NULL, name, ret_gid);
}

#define NAMES(database)                                                                                     \
	{                                                                                                   \
		.user = count_and_look_up, .group = look_up_group, .unit = look_up_unit, .ctx = &(database) \
	}

static void groups_are_not_taken_for_users_of_that_name(void **state)
{
	struct database database = {};
	const struct bc_names names = NAMES(database);
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	parse_only(&policy, "grant group web port 1\ngrant group staff port 2\ngrant group web port 3\n"
			    "grant group alice port 4\ngrant user web port 5\n");
	assert_int_equal(bc_resolve(&policy, &names, BC_ERROR, &report), -ENOENT);
	assert_int_equal(policy.rules[0].id, 2001);
	assert_int_equal(policy.rules[1].id, 2000);
	assert_int_equal(policy.rules[2].id, 2001);
	assert_int_equal(policy.rules[3].id, BC_UNRESOLVED);
	assert_int_equal(policy.rules[4].id, BC_UNRESOLVED);
	assert_int_equal(database.asked, 4);
	assert_int_equal(report.n, 2);
	assert_fault(&report.items[0], 4, 13, "unknown group 'alice'");
	assert_fault(&report.items[1], 5, 12, "unknown user 'web'");
}

static void unit_becomes_its_cgroup(void **state)
{
	struct database database = {};
	const struct bc_names names = NAMES(database);
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	static const char *const paths[] = { "/system/a.service", "/system/b.service", "/system/a.service",
					     "/user/1000/a.service", "/system/a.service" };

	(void)state;
	parse_only(&policy, "grant unit a.service port 1\ngrant unit b.service port 2\ngrant unit a.service port 3\n"
			    "grant unit a.service user alice port 4\ngrant group web unit a.service port 5\n"
			    "grant unit root.slice port 6\n");
	assert_int_equal(bc_resolve(&policy, &names, BC_ERROR, &report), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_string_equal(bc_policy_path(&policy, &policy.rules[i]), paths[i]);
	assert_null(bc_policy_path(&policy, &policy.rules[5]));
	/* Two units, one of them also alice's; alice, web, and the root's. */
	assert_int_equal(database.asked, 6);
	assert_int_equal(report.n, 0);
}

static void unit_that_the_host_does_not_have_is_covered_all_the_same(void **state)
{
	static const char text[] = "grant port 1\n grant port 2 unit ghost.service\n";
	struct database database = {};
	const struct bc_names names = NAMES(database);

	(void)state;
	for (int severity = BC_ERROR; severity <= BC_WARNING; severity++) {
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_(bc_report_done) struct bc_report report = {};

		parse_only(&policy, text);
		assert_int_equal(bc_resolve(&policy, &names, severity, &report), 0);
		assert_string_equal(bc_policy_path(&policy, &policy.rules[1]), "/system/ghost.service");
		assert_int_equal(report.errors, 0);
		assert_int_equal(report.n, severity == BC_WARNING);
		if (report.n)
			assert_fault(&report.items[0], 2, 20, "this host has no unit 'ghost.service'");
		assert_int_equal(bc_policy_drop_unresolved(&policy), 0);
	}
}

static void rule_whose_unit_could_not_be_looked_up_is_nobodys(void **state)
{
	static const char *const texts[] = {
		"grant unit broken.service port 80\n",		"grant unit broken.service user alice port 80\n",
		"grant unit broken.service user 0 port 80\n",	"grant unit broken.service group 0 port 80\n",
		"rewrite unit broken.service port 80 to :81\n", "reserve unit broken.service port 80\n"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (int severity = BC_ERROR; severity <= BC_WARNING; severity++) {
			struct database database = { .answer = -ETIMEDOUT };
			const struct bc_names names = NAMES(database);
			_cleanup_(bc_policy_done) struct bc_policy policy = {};
			_cleanup_(bc_report_done) struct bc_report report = {};

			parse_only(&policy, texts[i]);
			assert_int_equal(bc_resolve(&policy, &names, severity, &report), -ETIMEDOUT);
			assert_int_equal(report.n, 1);
			assert_contains(report.items[0].text, "cannot look up unit 'broken.service': ");
			assert_int_equal(policy.rules[0].id, BC_UNRESOLVED);
			assert_int_equal(bc_policy_drop_unresolved(&policy), 1);
			assert_int_equal(policy.n, 0);
		}
	}
}

static void failed_look_up_of_any_kind_is_the_result(void **state)
{
	static const char *const texts[] = { "grant group broken port 1\n",
					     "grant group ghost unit broken.service port 1\n",
					     "grant group broken unit a.service port 1\n",
					     "grant user ghost port 2\ngrant unit broken.service port 1\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct database database = { .answer = -EIO };
		const struct bc_names names = NAMES(database);
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_(bc_report_done) struct bc_report report = {};

		parse_only(&policy, texts[i]);
		if (bc_resolve(&policy, &names, BC_WARNING, &report) != -EIO)
			fail_msg("%s", texts[i]);
		bc_policy_drop_unresolved(&policy);
		assert_int_equal(policy.n, 0);
	}
}

static void hosts_own_groups_are_found(void **state)
{
	_cleanup_free_ char *root = bc_group_name(0);
	uint32_t gid = 4711;

	(void)state;
	assert_int_equal(bc_group_by_name(NULL, "root", &gid), 0);
	assert_int_equal(gid, 0);
	assert_string_equal(root, "root");
	gid = 4711;
	assert_int_equal(bc_group_by_name(NULL, "no-such-group-here", &gid), -ENOENT);
	assert_int_equal(gid, 4711);
	assert_null(bc_group_name(4294967290u));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_is_looked_up_once_however_often_it_occurs),
		cmocka_unit_test(policy_without_names_asks_nobody),
		cmocka_unit_test(unknown_name_is_reported_at_each_of_its_rules),
		cmocka_unit_test(severity_is_the_callers),
		cmocka_unit_test(failed_look_up_goes_before_an_unknown_name),
		cmocka_unit_test(id_left_behind_by_a_failure_is_not_taken),
		cmocka_unit_test(unresolved_rule_speaks_of_no_process),
		cmocka_unit_test(two_unknown_names_are_not_one_subject),
		cmocka_unit_test(hosts_own_users_are_found),
		cmocka_unit_test(groups_are_not_taken_for_users_of_that_name),
		cmocka_unit_test(unit_becomes_its_cgroup),
		cmocka_unit_test(unit_that_the_host_does_not_have_is_covered_all_the_same),
		cmocka_unit_test(rule_whose_unit_could_not_be_looked_up_is_nobodys),
		cmocka_unit_test(failed_look_up_of_any_kind_is_the_result),
		cmocka_unit_test(hosts_own_groups_are_found),
	};

	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}

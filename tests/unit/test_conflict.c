// SPDX-License-Identifier: GPL-2.0-or-later
/* compile: what it finds fault with in a policy: rules of equal rank that disagree, and too many of them. */
/* compile.c and segment.c: the image, section by section. */
#include "pure/segment.h"
#include "pure/gate.h"
#include "unit.h"

/* Compiles and gives back the findings. */
static int findings(const char *text, enum bc_severity severity, struct bc_report *report)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	struct bc_cells image = {};
	struct bc_error error = {};
	int r;

	policy_from_text(&policy, text);
	r = bc_compile(&policy, severity, &image, report, &error);
	assert_int_equal(!r, !!image.cells);
	if (r)
		assert_contains(error.text, "rules of equal rank disagree");
	bc_cells_done(&image);
	return r;
}

static void disagreement_at_equal_rank_names_both_places(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *said;
	} cases[] = {
		{ "grant port 80\ndeny port 80\n", 1, "this grant and the deny at web.conf:2" },
		{ "grant port 80-89\n\nallow port 85-94\n", 1, "this grant and the allow at web.conf:3" },
		{ "deny port 80\ngrant user 5 port 80\ndeny port 80 errno EPERM\n", 3, "of the earlier line, decides" },
		{ "grant user alice port 1\ndeny user 1000 port 1\n", 1, "the deny, of the lesser privilege, decides" },
		{ "grant port 80 addr ::1\ndeny port 80 addr ::1/128\n", 1, "equally specific" },
		{ "grant port 80 netns host\ndeny port 80 netns any\n", 1, "equally specific" },
		{ "deny port 80\ngrant port 80 netns any\nallow port 80 netns any\n", 2, "the allow at web.conf:3" },
		{ "deny port 80\ngrant port 80 netns any\ngrant port 80\n", 3, "the deny at web.conf:1" },
		{ "rewrite port 80 to :81\nrewrite port 80 to :82\n", 2, "the rewrite, of the earlier line, decides" },
		{ "rewrite port 80 to :81\nrewrite port 80 to ::1\n", 2, "of the earlier line" },
		{ "rewrite port 80 to ::1\nrewrite port 80 to 10.0.0.1\n", 2, "of the earlier line" },
		{ "rewrite port 80 to :81\nrewrite port 80 to :81 hidden\n", 2, "of the earlier line" },
		{ "rewrite port 80 to :81\ngrant port 80\n", 2, "the rewrite, of the lesser privilege" },
		{ "rewrite port 80 to :81\nallow port 80\n", 1, "the allow, of the lesser privilege" },
		{ "grant group 5 port 80\ndeny group 5 port 80\n", 1, "the deny, of the lesser privilege" },
		{ "grant cgroup /a port 80\ndeny cgroup /a port 80\n", 1, "the deny, of the lesser privilege" },
		{ "grant unit a.service port 80\ndeny cgroup /system.slice/a.service port 80\n", 1,
		  "equally specific" },
		{ "grant cgroup / port 80\ndeny port 80\n", 1, "equally specific" },
		/* What a reserve is to others meets everyone's rules; another reserve's, too. */
		{ "grant port 80\nreserve user 5 port 80\n", 1, "the reserve, of the lesser privilege" },
		{ "reserve user 5 port 80\nreserve user 6 port 80 errno EPERM\n", 2, "of the earlier line" },
		{ "reserve user 5 port 80\ndeny user 5 port 80\n", 1, "this reserve and the deny" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_report_done) struct bc_report report = {}, strict = {};

		assert_int_equal(findings(cases[i].text, BC_WARNING, &report), 0);
		assert_int_equal(report.n, 1);
		assert_int_equal(report.items[0].severity, BC_WARNING);
		assert_fault(&report.items[0], cases[i].line, 0, cases[i].said);
		assert_int_equal(findings(cases[i].text, BC_ERROR, &strict), -EINVAL);
		assert_int_equal(strict.errors, 1);
	}
}

static void rules_that_cannot_meet_or_agree_are_not_reported(void **state)
{
	static const char *const texts[] = {
		"grant port 80\ngrant port 80\n",
		"deny port 80\ndeny port 80 errno EACCES\n",
		"grant port 80\ndeny port 81\n",
		"grant port 80-81\ndeny port 80\n",
		"grant port 80 proto tcp\ndeny port 80 proto udp\n",
		"grant port 80\ndeny port 80 proto udp\n",
		"grant port 80 addr 10.0.0.1\ndeny port 80 addr 10.0.0.2\n",
		"grant port 80 addr 0.0.0.0\ndeny port 80 addr ::\n",
		"grant port 80 addr 10.0.0.0/8\ndeny port 80 addr 10.0.0.0/9\n",
		"grant port 80 user alice\ndeny port 80 user bob\n",
		"grant port 80 user alice\ndeny port 80\n",
		"grant group 5 port 80\ndeny group 6 port 80\n",
		"grant user 5 port 80\ndeny group 5 port 80\n",
		"grant cgroup /a port 80\ndeny cgroup /b port 80\n",
		"grant cgroup /a port 80\ndeny cgroup /a/b port 80\n",
		"grant port 80\ndeny port 80 audit\n",
		"grant port 80 netns any\ndeny port 80\n",
		"deny port 80 audit errno EPERM\ngrant port 80\nreserve user 5 port 80 audit\n",
		"rewrite port 80 to :81\nrewrite port 80 to :81 log\n",
		"reserve user 5 port 80\nreserve user 6 port 80\n",
		"reserve user 5 port 80\ngrant user 5 port 80\n",
		"reserve cgroup / port 80\ngrant port 80\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(bc_report_done) struct bc_report report = {};

		assert_int_equal(findings(texts[i], BC_ERROR, &report), 0);
		assert_int_equal(report.n, 0);
	}
}

static void disagreement_at_several_ports_is_reported_once(void **state)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	assert_int_equal(findings("grant port 80,443\ndeny port 80,443\n", BC_WARNING, &report), 0);
	assert_int_equal(report.n, 1);
}

/* 80-90 of the first, then 91-92 where the second and the third disagree. */
static void disagreement_behind_a_third_rule_is_reported(void **state)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	bool found = false;

	(void)state;
	assert_int_equal(findings("deny port 80-90\nallow port 82-92\ngrant port 82-92\n", BC_WARNING, &report), 0);
	for (size_t i = 0; i < report.n; i++)
		found |= report.items[i].line == 3 && strstr(report.items[i].text, "allow at web.conf:2");
	assert_true(found);
}

static void lists_beyond_their_limit_are_refused(void **state)
{
	struct bc_report report = {};
	struct bc_plan plan = { .nlists = BC_LISTED_MAX - 1, .report = &report };
	const struct bc_entry entries[] = { { bc_key(1, BC_ANYONE), 0, 80, 80, 0 },
					    { bc_key(1, BC_ANYONE), 0, 80, 80, 1 } };
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	(void)state;
	policy_from_text(&policy, "grant port 80\ngrant port 80\n");
	assert_int_equal(bc_plan_segments(&plan, &policy, entries, 2), -E2BIG);
	bc_plan_done(&plan);
}

static void cgroups_beyond_their_limit_are_refused(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	struct bc_cells image = {};
	struct bc_error error = {};

	(void)state;
	/* Each line names a thousand cgroups that no other does. */
	for (unsigned i = 0; i < 1049; i++) {
		bc_text_addf(&text, "grant cgroup /%u", i);
		for (int k = 0; k < 999; k++)
			bc_text_add(&text, "/a", 2);
		bc_text_addf(&text, " port 80\n");
	}
	policy_from_text(&policy, text.data);
	assert_int_equal(bc_compile(&policy, BC_WARNING, &image, &report, &error), -E2BIG);
	assert_contains(error.text, "more than 1048576 cgroups");
	assert_null(image.cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disagreement_at_equal_rank_names_both_places),
		cmocka_unit_test(rules_that_cannot_meet_or_agree_are_not_reported),
		cmocka_unit_test(disagreement_at_several_ports_is_reported_once),
		cmocka_unit_test(disagreement_behind_a_third_rule_is_reported),
		cmocka_unit_test(lists_beyond_their_limit_are_refused),
		cmocka_unit_test(cgroups_beyond_their_limit_are_refused),
	};

	return cmocka_run_group_tests_name("conflict", tests, NULL, NULL);
}

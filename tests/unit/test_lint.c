// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/lint.h"
#include "reference.h"
#include "unit.h"

static void lint(const char *text, enum bc_severity severity, struct bc_report *report)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	policy_from_text(&policy, text);
	image_from_policy(&image, &policy);
	assert_int_equal(bc_lint(&policy, &image, UNIT_NOW, severity, report), 0);
}

static void assert_clean(const char *text)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	lint(text, BC_WARNING, &report);
	if (report.n)
		fail_msg("line %u: %s, in:\n%s", report.items[0].line, report.items[0].text, text);
}

static void assert_found(const char *text, unsigned line, const char *said)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	lint(text, BC_WARNING, &report);
	if (report.n != 1)
		fail_msg("%zu findings in:\n%s", report.n, text);
	assert_fault(&report.items[0], line, 0, said);
	assert_int_equal(report.items[0].severity, BC_WARNING);
}

static void rule_that_can_decide_is_not_reported(void **state)
{
	(void)state;
	assert_clean("");
	assert_clean("grant port 80\ndeny port 81\n");
	assert_clean("grant port 80-90\ndeny port 80-89\n");
	assert_clean("deny port any\ngrant port 80\n");
	assert_clean("deny port 80 proto tcp\ngrant port 80\n");
	assert_clean("deny port 80-81 addr 10.0.0.0/8\ngrant port 80-82\n");
	assert_clean("deny port 80 addr ::/0\ngrant port 80 addr 0.0.0.0/0\n");
	assert_clean("deny port 80\ngrant port 80-81 netns any\n");
	assert_clean("deny port 80\ngrant user alice port 80\n");
	assert_clean("grant user bob port 80\ngrant user alice port 80\n");
}

static void rule_said_twice_is_reported(void **state)
{
	(void)state;
	assert_found("grant port 80\n\ngrant port 80\n", 3, "this rule says the same as web.conf:1");
	assert_found("grant user alice port 80-80\ngrant port 80 user 1000\n", 2, "says the same as web.conf:1");
	assert_found("deny port 80,443 addr ::1\ndeny addr ::1/128 port 443,80\n", 2, "says the same as web.conf:1");
}

static void rule_that_never_decides_is_reported(void **state)
{
	static const char never[] = "this rule never decides: web.conf:";

	(void)state;
	assert_found("grant port 1-65535\ndeny port 1-65534\ndeny port 65535\n", 1, never);
	assert_found("grant port 80-81\ndeny port 80\nallow port 81\n", 1, never);
	assert_found("deny port 80 netns any\ngrant port 80-80\n", 2, never);
	assert_found("deny user 5 port 80\ngrant user 5 port 80-81\ngrant user 5 port 81\n", 2, never);
	assert_found("grant port 79-80 addr 10.1.0.0/16\ndeny port 80 addr 10.0.0.0/8\ndeny port 79\n", 1, never);
	assert_found("grant port 79-80 proto udp\ndeny port 80\ndeny port 79 proto udp\n", 1, never);
}

/* Two rules that differ in their outcome alone: the compiler reports that, once is enough. */
static void disagreement_is_left_to_the_compiler(void **state)
{
	(void)state;
	assert_clean("grant port 80\ndeny port 80\n");
	assert_clean("deny port 80\nallow port 80 netns host\ndeny port 81\n");
	assert_clean("grant port 80 addr 10.0.0.0/8\ndeny port 80 addr 10.0.0.0/8\n");
	assert_clean("deny port 80\ndeny port 80 errno EPERM\n");
}

static void severity_is_the_callers(void **state)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	lint("grant port 80\ngrant port 80\n", BC_ERROR, &report);
	assert_int_equal(report.errors, 1);
}

/* Which rules have a say, as a reserve's others too, in any of many binds; `said` has room for all of them. */
static void ask_often(const struct bc_policy *policy, uint64_t *seed, bool *said)
{
	for (int i = 0; i < 4000; i++) {
		struct reference_answer answer;
		struct random_bind bind;

		random_ask(seed, &unit_tables, &bind);
		reference_decide(policy, &bind.question, bind.question.addr, bind.question.v4, &answer);
		if (answer.rule >= 0)
			said[answer.rule] = true;
		if (answer.audited >= 0)
			said[answer.audited] = true;
	}
}

static void rule_reported_never_decides_by_the_reference(void **state)
{
	uint64_t seed = 0x11d7;
	unsigned found = 0;

	(void)state;
	for (int i = 0; i < 150; i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};
		_cleanup_(bc_policy_done) struct bc_policy policy = {};
		_cleanup_(bc_report_done) struct bc_report report = {};
		bool said[100] = {};

		random_policy(&seed, &unit_tables, ARRAY_SIZE(said), &text);
		policy_from_text(&policy, text.data);
		lint(text.data, BC_WARNING, &report);
		ask_often(&policy, &seed, said);
		for (size_t k = 0; k < report.n; k++) {
			if (strstr(report.items[k].text, "IPv4 sockets cannot take"))
				continue;
			found++;
			if (said[report.items[k].line - 1])
				fail_msg("line %u: %s, but it does, in:\n%s", report.items[k].line,
					 report.items[k].text, text.data);
		}
	}
	assert_true(found > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_that_can_decide_is_not_reported),
		cmocka_unit_test(rule_said_twice_is_reported),
		cmocka_unit_test(rule_that_never_decides_is_reported),
		cmocka_unit_test(disagreement_is_left_to_the_compiler),
		cmocka_unit_test(severity_is_the_callers),
		cmocka_unit_test(rule_reported_never_decides_by_the_reference),
	};

	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/lint.h"
#include "reference.h"
#include "unit.h"

static void lint(const char *text, struct bc_report *report)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	policy_from_text(&policy, text);
	image_from_policy(&image, &policy);
	assert_int_equal(bc_lint(&policy, &image, UNIT_NOW, report), 0);
}

static void assert_clean(const char *text)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	lint(text, &report);
	if (report.n)
		fail_msg("line %u: %s, in:\n%s", report.items[0].line, report.items[0].text, text);
}

static void assert_found(const char *text, unsigned line, const char *said)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	lint(text, &report);
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

static void findings_are_warnings(void **state)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	lint("grant port 80\ngrant port 80\n", &report);
	assert_int_equal(report.n, 1);
	assert_int_equal(report.errors, 0);
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
		lint(text.data, &report);
		ask_often(&policy, &seed, said);
		for (size_t k = 0; k < report.n; k++) {
			if (strstr(report.items[k].text, "IPv4 sockets cannot take") ||
			    strstr(report.items[k].text, "denies nobody") ||
			    strstr(report.items[k].text, "is not decided again"))
				continue;
			found++;
			if (said[report.items[k].line - 1])
				fail_msg("line %u: %s, but it does, in:\n%s", report.items[k].line,
					 report.items[k].text, text.data);
		}
	}
	assert_true(found > 500);
}

static void expired_rule_is_reported(void **state)
{
	static const char expired[] = "this rule has expired, at 2026-11-24T10:00:00Z";

	(void)state;
	assert_found("grant port 80 until 2026-11-24T10:00:00Z\n", 1, expired);
	assert_found("grant port 81\ndeny port 80 log until 2026-11-24T12:00:00+02:00\n", 2, expired);
	assert_clean("grant port 80 until 2026-11-24T10:00:00.000000001Z\n");
}

static void rewrite_that_ipv4_sockets_cannot_follow_is_reported(void **state)
{
	static const char cannot[] = "IPv4 sockets cannot take the IPv6 address of this rewrite: their binds fail";

	(void)state;
	assert_found("rewrite port 80 addr 10.0.0.0/8 to ::1\n", 1, cannot);
	assert_found("rewrite port 80 addr 0.0.0.0 to [::1]:81\n", 1, cannot);
	assert_clean("rewrite port 80 addr 10.0.0.0/8 to :81\n");
	assert_clean("rewrite port 80 addr 10.0.0.0/8 to [::ffff:10.0.0.1]:81\n");
	assert_clean("rewrite port 80 addr ::/0 to ::1\n");
	assert_clean("rewrite port 80 to ::1\n");
}

static void rule_of_another_group_cgroup_or_time_hides_none(void **state)
{
	(void)state;
	assert_clean("deny group 5 port 80\ngrant group 6 port 80-81\ndeny group 5 port 81\n");
	assert_clean("deny cgroup /a port 80\ngrant port 80\ngrant cgroup /a/b port 80\n");
	assert_clean("deny port 80 until 2030-01-01T00:00:00Z\ngrant port 80-80 until 2030-01-01T00:00:01Z\n");
	assert_clean("deny port 80 until 2030-01-01T00:00:00Z\ngrant port 80-81\ndeny port 81 until "
		     "2030-01-01T00:00:00Z\n");
	assert_clean("deny port 80 audit\ngrant port 80-81\ndeny port 81 audit\n");
}

static void rule_behind_one_of_its_own_subject_is_reported(void **state)
{
	static const char never[] = "this rule never decides: web.conf:";

	(void)state;
	assert_found("deny group 5 port 80\ngrant group 5 port 80-81\ndeny group 5 port 81\n", 2, never);
	assert_found("deny cgroup /a port 80\ngrant cgroup /a port 80-81\ndeny cgroup /a port 81\n", 2, never);
	assert_found("deny port 80\nallow port 80-81 until 2030-01-01T00:00:00Z\ndeny port 81\n", 2, never);
	assert_found("deny port 80 until 2030-01-01T00:00:01Z\nallow port 80-81 until 2030-01-01T00:00:00Z\n"
		     "deny port 81\n",
		     2, never);
	assert_found("grant unit a.service port 80\ngrant cgroup /system.slice/a.service port 80\n", 2,
		     "this rule says the same as web.conf:1");
}

static void reserve_for_everyone_is_reported(void **state)
{
	(void)state;
	assert_found("reserve cgroup / port 80\n", 1, "this reserve is for all and denies nobody");
	assert_clean("reserve cgroup /a port 80\nreserve user 5 cgroup / port 81\n");
}

/* What a reserve is to everyone else hides their rules, and keeps itself from being one that never decides. */
static void both_sides_of_a_reserve_count(void **state)
{
	(void)state;
	assert_found("reserve user 5 port 80\ngrant port 80-81\ndeny port 81\n", 2,
		     "this rule never decides: web.conf:1 always decides before it");
	assert_clean("grant user 5 port 80\nreserve user 5 port 80-81\nallow user 5 port 81\n");
	assert_found(
		"grant user 5 port 80-81\nreserve user 5 port 80-82\nallow user 5 port 82\ndeny port 80-81,82 netns "
		"any\n",
		2, "this rule never decides");
}

/* The kernel chooses from 32768 to 60999, but for 40000-40009 and 50000. */
static void ephemeral(const char *text, struct bc_report *report)
{
	static struct bc_range kept[] = { { 40000, 40009 }, { 50000, 50000 } };
	const struct bc_ephemeral host = { .range = { 32768, 60999 }, .kept = kept, .nkept = ARRAY_SIZE(kept) };
	_cleanup_(bc_policy_done) struct bc_policy policy = {};

	policy_from_text(&policy, text);
	bc_lint_ephemeral(&policy, &host, report);
}

static void reserved_port_that_the_kernel_may_choose_is_reported(void **state)
{
	static const struct {
		const char *text;
		unsigned port; /* 0: nothing is reported */
	} cases[] = {
		{ "reserve user 5 port 80\n", 0 },
		{ "reserve user 5 port 32767\n", 0 },
		{ "reserve user 5 port 32768\n", 32768 },
		{ "reserve user 5 port 60999\n", 60999 },
		{ "reserve user 5 port 61000\n", 0 },
		{ "reserve user 5 port 40000-40009\n", 0 },
		{ "reserve user 5 port 50000\n", 0 },
		{ "reserve user 5 port 40005-40010\n", 40010 },
		{ "reserve user 5 port 39999-40001\n", 39999 },
		{ "reserve user 5 port 80,50000,50002\n", 50002 },
		{ "reserve user 5 port 1-65535\n", 32768 },
		{ "reserve user 5 port any\n", 32768 },
		{ "deny port 33000\n", 0 },
		{ "grant user 5 port 33000\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_report_done) struct bc_report report = {};
		char said[64];

		ephemeral(cases[i].text, &report);
		assert_int_equal(report.n, !!cases[i].port);
		if (!cases[i].port)
			continue;
		snprintf(said, sizeof(said), "the kernel may give the reserved port %u to a", cases[i].port);
		assert_fault(&report.items[0], 1, 0, said);
		assert_int_equal(report.items[0].severity, BC_WARNING);
	}
}

static void unknown_ephemeral_range_reports_nothing(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	const struct bc_ephemeral host = {};
	struct bc_report report = {};

	(void)state;
	policy_from_text(&policy, "reserve user 5 port any\n");
	bc_lint_ephemeral(&policy, &host, &report);
	assert_int_equal(report.n, 0);
}

/* Of another file, which does not stand in line 1 of web.conf. */
static void lint_two(const char *admin, const char *text, struct bc_report *report)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	struct bc_report parsed = {};

	assert_int_equal(bc_parse(&policy, "admin.conf", admin, strlen(admin), 0, &parsed), 0);
	policy_from_text(&policy, text);
	image_from_policy(&image, &policy);
	assert_int_equal(bc_lint(&policy, &image, UNIT_NOW, report), 0);
}

static void rewrite_past_what_another_keeps_is_reported(void **state)
{
	static const struct {
		const char *admin, *text;
		bool found;
	} rows[] = {
		{ "deny port 1-1023\n", "rewrite user 1 port 8080 to :22\n", true },
		{ "deny port 1-1023\n", "rewrite port 8080 to :1024\n", false },
		{ "deny port 1-1023\n", "rewrite port 22 to 127.0.0.1\n", false },
		{ "deny user 2 port 22\n", "rewrite user 1 port 8080 to :22\n", false },
		{ "deny user 1 port 22\n", "rewrite user 1 port 8080 to :22\n", true },
		{ "deny group 2 port 22\n", "rewrite group 2 port 8080 to :22\n", true },
		{ "deny cgroup /a port 22\n", "rewrite cgroup /a/b port 8080 to :22\n", true },
		{ "deny cgroup /a port 22\n", "rewrite cgroup /b port 8080 to :22\n", false },
		{ "deny port 22 proto udp\n", "rewrite port 8080 proto udp to :22\n", true },
		{ "deny port 22 proto udp\n", "rewrite port 8080 proto tcp to :22\n", false },
		{ "deny port 22 addr 127.0.0.1\n", "rewrite port 8080 to 127.0.0.1:22\n", true },
		{ "deny port 22 addr 127.0.0.1\n", "rewrite port 8080 to 127.0.0.2:22\n", false },
		{ "deny port 22 addr ::1\n", "rewrite port 8080 to [::1]:22\n", true },
		{ "deny port 22 addr ::/0\n", "rewrite port 8080 addr ::/0 to :22\n", true },
		/* At [::] a dual-stack socket takes 0.0.0.0 along. */
		{ "deny port 22 addr ::\n", "rewrite port 8080 to :22\n", true },
		{ "deny port 22 addr 0.0.0.0\n", "rewrite port 8080 to :22\n", true },
		{ "deny port 22 addr 0.0.0.0/0\n", "rewrite port 8080 addr :: to :22\ngrant port 8080 addr 0.0.0.0\n",
		  true },
		{ "deny port 22 addr ::/0\n", "rewrite port 8080 addr 0.0.0.0 to :22\ngrant port 8080 addr ::\n",
		  true },
		{ "deny port 22 addr ::\n", "rewrite port 8079-8080 addr 0.0.0.0/0 to :22\ngrant port 8080 addr ::/0\n",
		  true },
		{ "deny port 22 addr ::\n", "rewrite port 80 addr 0.0.0.0 to :22\nrewrite port 80 addr :: to :23\n",
		  true },
		{ "deny port 22 addr ::/0\n", "rewrite port 80 addr 0.0.0.0 to 0.0.0.0:22\ngrant port 80 addr ::\n",
		  false },
		{ "deny port 22 addr ::/0\n", "rewrite port 80 addr 10.0.0.0/8 to :22\ngrant port 80 addr ::\n",
		  false },
		{ "deny port 22 addr ::/0\n", "rewrite port 8080 addr 0.0.0.0 to :22\n", false },
		{ "deny port 22 addr 0.0.0.0/0\n", "rewrite port 8080 addr ::1 to :22\n", false },
		{ "deny port 22 audit\n", "rewrite port 8080 to :22\n", false },
		{ "reserve user 1 port 22\n", "rewrite user 2 port 8080 to :22\n", true },
		{ "reserve user 1 port 22\n", "rewrite user 1 port 8080 to :22\n", false },
		{ "deny port 22\nallow user 1 port 22\n", "rewrite user 1 port 8080 to :22\n", false },
		/* In one file a deny is what the rewrite goes past on purpose; a reserve is another's port all the same. */
		{ "", "deny port 22\nrewrite port 8080 to :22\n", false },
		{ "", "reserve user 1 port 22\nrewrite user 2 port 8080 to :22\n", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(bc_report_done) struct bc_report report = {};

		lint_two(rows[i].admin, rows[i].text, &report);
		if (report.n != rows[i].found)
			fail_msg("row %zu, of %s: %s", i, rows[i].text,
				 report.n ? report.items[0].text : "nothing is said");
		if (rows[i].found)
			assert_non_null(strstr(report.items[0].text, "what a rewrite leads to is not decided again"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_that_can_decide_is_not_reported),
		cmocka_unit_test(rule_said_twice_is_reported),
		cmocka_unit_test(rule_that_never_decides_is_reported),
		cmocka_unit_test(disagreement_is_left_to_the_compiler),
		cmocka_unit_test(findings_are_warnings),
		cmocka_unit_test(rule_reported_never_decides_by_the_reference),
		cmocka_unit_test(expired_rule_is_reported),
		cmocka_unit_test(rewrite_that_ipv4_sockets_cannot_follow_is_reported),
		cmocka_unit_test(rule_of_another_group_cgroup_or_time_hides_none),
		cmocka_unit_test(rule_behind_one_of_its_own_subject_is_reported),
		cmocka_unit_test(reserve_for_everyone_is_reported),
		cmocka_unit_test(both_sides_of_a_reserve_count),
		cmocka_unit_test(reserved_port_that_the_kernel_may_choose_is_reported),
		cmocka_unit_test(unknown_ephemeral_range_reports_nothing),
		cmocka_unit_test(rewrite_past_what_another_keeps_is_reported),
	};

	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings are said when they appear and when they go, and not in between. */
#include "../../unit/unit.h"
#include "agent/notices.h"

static void note(void *ctx, const struct finding *finding, bool appeared)
{
	bc_text_addf(ctx, "%c%s/%s ", appeared ? '+' : '-', finding->namespace, finding->name);
}

static void assert_difference(const struct findings *before, const struct findings *now, const char *expected)
{
	_cleanup_(bc_text_done) struct bc_text said = {};

	assert_int_equal(notices_compare(before, now, note, &said), 0);
	assert_string_equal(said.data ? said.data : "", expected);
}

static void add(struct findings *findings, const char *name, const char *text)
{
	findings_add(findings, FINDING_REJECTED, "BindPolicy", "default", name, "%s", text);
}

static void only_what_is_new_or_gone_is_said(void **state)
{
	_cleanup_(findings_done) struct findings none = {}, first = {}, second = {};

	(void)state;
	add(&first, "a", "spec.rules: missing");
	add(&first, "b", "spec.rules: missing");
	add(&second, "c", "spec.rules: missing");
	add(&second, "b", "spec.rules: missing");
	assert_difference(&none, &none, "");
	assert_difference(&none, &first, "+default/a +default/b ");
	assert_difference(&first, &first, "");
	assert_difference(&first, &second, "-default/a +default/c ");
	assert_difference(&second, &none, "-default/c -default/b ");
}

/* The same object with another fault is another finding. */
static void another_fault_is_said(void **state)
{
	_cleanup_(findings_done) struct findings before = {}, now = {};

	(void)state;
	add(&before, "a", "spec.rules: missing");
	add(&now, "a", "spec.rules: empty");
	assert_difference(&before, &now, "-default/a +default/a ");
}

static void what_is_found_takes_the_place_of_what_is_known(void **state)
{
	_cleanup_(findings_done) struct findings known = {};
	struct findings found = {};

	(void)state;
	add(&known, "a", "spec.rules: missing");
	add(&found, "b", "spec.rules: missing");
	notices_log(&known, &found);
	assert_int_equal(found.n, 0);
	assert_null(found.items);
	assert_int_equal(known.n, 1);
	assert_string_equal(known.items[0].name, "b");
}

static void reports_name_their_places(void **state)
{
	_cleanup_(findings_done) struct findings found = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	struct bc_error error;

	(void)state;
	bc_fail_at(&error, -EINVAL, "/etc/bindctl/policy.d/x.conf", 7, 3, "unknown '%s'", "tpc");
	bc_report_add(&report, &error);
	bc_fail_at(&error, 0, "/etc/bindctl/policy.d/y\n.conf", 0, 0, "odd");
	error.severity = BC_WARNING;
	bc_report_add(&report, &error);
	notices_of_report(&report, &found);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.items[0].name, "/etc/bindctl/policy.d/x.conf:7:3");
	assert_string_equal(found.items[0].text, "unknown 'tpc'");
	assert_int_equal(found.items[0].level, FINDING_REJECTED);
	assert_string_equal(found.items[1].name, "/etc/bindctl/policy.d/y\\x0a.conf");
	assert_int_equal(found.items[1].level, FINDING_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_new_or_gone_is_said),
		cmocka_unit_test(another_fault_is_said),
		cmocka_unit_test(what_is_found_takes_the_place_of_what_is_known),
		cmocka_unit_test(reports_name_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

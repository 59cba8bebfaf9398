// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "host/build.h"
#include "unit.h"

static const struct bc_names no_names;

/* Builds a policy of one more file on top of what is there. */
static int build_more(struct bc_build *build, struct bc_report *report, struct bc_error *reterr)
{
	static const char text[] = "# mine\ngrant user 1 port 1\n";
	_cleanup_(bc_files_done) struct bc_files files = {};

	assert_int_equal(bc_files_set(&files, "more.conf", text, strlen(text), 0), 0);
	return bc_build_policy(&files, &no_names, BC_WARNING, BC_ERROR, build, report, reterr);
}

static void number_of_files_is_limited(void **state)
{
	_cleanup_(bc_build_done) struct bc_build build = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	struct bc_error error = {};

	(void)state;
	build.policy.sources = calloc(UINT16_MAX, sizeof(*build.policy.sources));
	assert_non_null(build.policy.sources);
	for (; build.policy.nsources < UINT16_MAX; build.policy.nsources++)
		build.policy.sources[build.policy.nsources] = strdup("file");
	assert_int_equal(build_more(&build, &report, &error), -E2BIG);
	assert_string_equal(error.text, "the policy is too large: at most 65535 files and 4194304 rules");
	assert_null(build.cells.cells);
}

static void number_of_rules_is_limited(void **state)
{
	_cleanup_(bc_build_done) struct bc_build build = { .policy = { .n = BC_RULES_MAX, .room = BC_RULES_MAX } };
	_cleanup_(bc_report_done) struct bc_report report = {};
	struct bc_error error = {};

	(void)state;
	assert_int_equal(build_more(&build, &report, &error), -E2BIG);
	assert_string_equal(error.text, "the policy is too large: at most 65535 files and 4194304 rules");
	assert_int_equal(report.n, 1);
	assert_string_equal(report.items[0].text, "a policy holds at most 4194304 rules");
	assert_string_equal(report.items[0].source, "more.conf");
	assert_int_equal(report.items[0].line, 2);
	assert_null(build.cells.cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_of_files_is_limited),
		cmocka_unit_test(number_of_rules_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

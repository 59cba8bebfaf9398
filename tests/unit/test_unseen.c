// SPDX-License-Identifier: GPL-2.0-or-later
/* What in a line of policy its reader may not see. */
#include "pure/unseen.h"
#include "unit.h"

#define BLANKS16 "                "
#define BLANKS64 BLANKS16 BLANKS16 BLANKS16 BLANKS16
#define HIDES "does not show, or turns text around"
#define GAP "stands behind more than 64 blanks"

static const struct {
	const char *line;
	unsigned column; /* 0: nothing is said */
	const char *said;
} rows[] = {
	{ "deny port 22", 0, NULL },
	{ "", 0, NULL },
	{ "deny cgroup /gr\xc3\xbcn port 22 # sch\xc3\xb6n", 0, NULL },
	{ "deny cgroup /a\xe2\x80\x8b port 22", 15, HIDES },
	{ "deny cgroup /a\xe2\x80\x8b", 15, HIDES },
	{ "deny cgroup /\xd8\x9c port 22", 14, HIDES },
	{ "deny cgroup /a\xc2\xa0"
	  "b port 22",
	  15, HIDES },
	/* A comment begins at the start of a word, outside of quotes. */
	{ "deny port 22 # \xe2\x80\x8b", 0, NULL },
	{ "# \xef\xb8\x8f", 0, NULL },
	{ "# \xe2\x80\xae", 3, HIDES },
	{ "deny port 22 #\xe2\x81\xa6", 15, HIDES },
	{ "deny cgroup /a#\xe2\x80\x8b port 22", 16, HIDES },
	{ "deny cgroup \"/a # \xe2\x80\x8b\" port 22", 19, HIDES },
	{ "deny cgroup \"/a\\\" # \xe2\x80\x8b\" port 22", 21, HIDES },
	{ "deny cgroup /a\"b # \xe2\x80\x8b", 0, NULL },
	{ "deny cgroup \"/a\" # \xe2\x80\x8b", 0, NULL },
	/* Bytes that are no character are nothing that hides; nor is one that the end cuts short. */
	{ "# \x80\x9b\xff", 0, NULL },
	{ "deny cgroup /a\xe2\x80", 0, NULL },
	{ "deny cgroup /a\xe2\x80\x8b\xff", 15, HIDES },
	/* Gaps. */
	{ "deny port 22" BLANKS64 "user 1", 0, NULL },
	{ "deny port 22" BLANKS64 " user 1", 78, GAP },
	{ "deny port 22" BLANKS64 " # user 1", 0, NULL },
	{ "deny port 22" BLANKS64 " ", 0, NULL },
	{ BLANKS64 " deny port 22", 66, GAP },
	{ BLANKS64 " # deny port 22", 0, NULL },
	{ "deny port 22\t\t\t\t\t\t\t\tuser 1", 0, NULL },
	{ "deny port 22\t\t\t\t\t\t\t\t user 1", 22, GAP },
	{ "# a" BLANKS64 " b", 0, NULL },
	{ "#a" BLANKS64 " b", 0, NULL },
};

static void what_is_not_seen_is_said(void **state)
{
	const struct bc_place place = { .source = SOURCE, .line = 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].line);
		/* To the byte, so that the sanitizer sees who reads on. */
		char *line = malloc(len ?: 1);
		struct bc_error error = {};
		bool said;

		memcpy(line, rows[i].line, len);
		said = bc_line_misleads(&place, line, len, bc_text_hides(line, len), &error);
		if (said != !!rows[i].column)
			fail_msg("row %zu: %s", i, said ? error.text : "nothing is said");
		if (said) {
			assert_fault(&error, 7, rows[i].column, rows[i].said);
			assert_int_equal(error.severity, BC_WARNING);
		}
		free(line);
	}
}

/* Nine tabs are a gap, and eight are none, wherever in the line they begin. */
static void gap_is_found_wherever_it_begins(void **state)
{
	const struct bc_place place = { .source = SOURCE, .line = 7 };

	(void)state;
	for (unsigned begin = 0; begin < 16; begin++)
		for (unsigned tabs = 8; tabs <= 9; tabs++) {
			struct bc_error error = {};
			char line[40];

			memset(line, 'x', begin);
			memset(line + begin, '\t', tabs);
			line[begin + tabs] = 'y';
			if (bc_line_misleads(&place, line, begin + tabs + 1, false, &error) != (tabs == 9))
				fail_msg("%u tabs at %u", tabs, begin);
		}
}

/* A warning of the parser's, which keeps no rule from being one. */
static void rule_counts_all_the_same(void **state)
{
	static const char text[] =
		"deny cgroup /a\xe2\x80\x8b port 22\n" BLANKS64 " grant port 23\ndeny\xe2\x80\x8b port 24\n";
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	assert_int_equal(bc_parse(&policy, SOURCE, text, strlen(text), 0, &report), -EINVAL);
	assert_int_equal(policy.n, 2);
	assert_int_equal(report.n, 3);
	assert_int_equal(report.errors, 1);
	assert_fault(&report.items[0], 1, 15, HIDES);
	assert_fault(&report.items[1], 2, 66, GAP);
	/* One finding a line. */
	assert_fault(&report.items[2], 3, 1, "unknown verb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_seen_is_said),
		cmocka_unit_test(gap_is_found_wherever_it_begins),
		cmocka_unit_test(rule_counts_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

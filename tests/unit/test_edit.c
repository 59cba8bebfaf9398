// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/edit.h"
#include "pure/moment.h"
#include "unit.h"

#define LEFT "443,8000-8100"

static void assert_edited(const char *text, const struct bc_line_edit *edits, size_t n, const char *expected)
{
	_cleanup_(bc_text_done) struct bc_text result = {};
	/* Exactly as long as the text. */
	_cleanup_free_ char *copy = malloc(strlen(text) + 1);

	memcpy(copy, text, strlen(text));
	assert_int_equal(bc_edit_lines(copy, strlen(text), edits, n, &result), 0);
	assert_string_equal(result.data, expected);
	assert_int_equal(result.len, strlen(expected));
}

static void rule_is_appended_as_a_line(void **state)
{
	_cleanup_(bc_text_done) struct bc_text first = {}, second = {};

	(void)state;
	assert_int_equal(bc_edit_append(NULL, 0, "grant port 80", &first), 0);
	assert_string_equal(first.data, "grant port 80\n");
	assert_int_equal(bc_edit_append("# a\n\n", 5, "deny port 81", &second), 0);
	assert_string_equal(second.data, "# a\n\ndeny port 81\n");
}

/* "The text with one more line": it must not end up in a comment that somebody left without a newline. */
static void rule_appended_behind_a_cut_line_is_a_line_of_its_own(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	assert_int_equal(bc_edit_append("# web", 5, "grant port 80", &text), 0);
	bc_parse(&policy, SOURCE, text.data, text.len, 0, &report);
	if (!policy.n)
		fail_msg("lost in: %s", text.data);
	assert_int_equal(policy.rules[0].line, 2);
}

static void other_lines_stay_as_they_are(void **state)
{
	static const char text[] =
		"# first\n\n\tgrant  port 80 \t# keep\nbroken line\r\n\"q\" \\x\ngrant port 80\n  \n# last";
	const struct bc_line_edit edit = { .line = 6 };

	(void)state;
	assert_edited(text, NULL, 0, text);
	assert_edited(text, &edit, 1, "# first\n\n\tgrant  port 80 \t# keep\nbroken line\r\n\"q\" \\x\n  \n# last");
}

static void lines_are_removed_from_both_ends(void **state)
{
	const struct bc_line_edit edits[] = { { .line = 1 }, { .line = 3 } };
	const struct bc_line_edit last = { .line = 3 };

	(void)state;
	assert_edited("grant port 1\ngrant port 2\ngrant port 3\n", edits, 2, "grant port 2\n");
	assert_edited("grant port 1\n\ngrant port 3", edits, 2, "\n");
	assert_edited("grant port 1\ngrant port 2\ngrant port 3", &last, 1, "grant port 1\ngrant port 2\n");
	assert_edited("grant port 1\n", edits, 1, "");
	assert_edited("", NULL, 0, "");
}

static void ports_are_replaced_and_the_rest_of_the_line_kept(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "grant port 80,443,8000-8100\n", "grant port 443,8000-8100\n" },
		{ "grant port 80\n", "grant port 443,8000-8100\n" },
		{ "  grant\tuser a  port\t80-9000  proto tcp # 80\n",
		  "  grant\tuser a  port\t443,8000-8100  proto tcp # 80\n" },
		{ "grant user \"a b\" port 80\n", "grant user \"a b\" port 443,8000-8100\n" },
		{ "grant user \"a\\\"\\\\b\" port 80 proto udp\n",
		  "grant user \"a\\\"\\\\b\" port 443,8000-8100 proto udp\n" },
		{ "grant user port port 80\n", "grant user port port 443,8000-8100\n" },
		{ "grant user \"port\" port 80\n", "grant user \"port\" port 443,8000-8100\n" },
		{ "grant \"port\" \"80,81\" user a\n", "grant \"port\" 443,8000-8100 user a\n" },
		{ "grant port \"80\"\n", "grant port 443,8000-8100\n" },
		{ "grant port \"80\" # \"port 80\"\n", "grant port 443,8000-8100 # \"port 80\"\n" },
		{ "\"deny\" port 1\t\n", "\"deny\" port 443,8000-8100\t\n" },
		{ "deny port 1", "deny port 443,8000-8100\n" },
	};
	const struct bc_line_edit edit = { .line = 1, .clause = "port", .value = LEFT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_edited(cases[i].from, &edit, 1, cases[i].to);
}

static void edits_of_several_lines_keep_their_places(void **state)
{
	const struct bc_line_edit edits[] = { { .line = 2, .clause = "port", .value = "443" },
					      { .line = 4 },
					      { .line = 5, .clause = "port", .value = LEFT } };

	(void)state;
	assert_edited("# c\ngrant port 1\n\ngrant port 2\ngrant port 3\ngrant port 4\n", edits, 3,
		      "# c\ngrant port 443\n\ngrant port 443,8000-8100\ngrant port 4\n");
}

static void edit_of_what_is_no_rule_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "# c\n", "\n", "grant user a\n", "grant port\n", "grant user \"a port 1\n"
	};
	const struct bc_line_edit edit = { .line = 1, .clause = "port", .value = "443" }, beyond = { .line = 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(bc_text_done) struct bc_text result = {};

		assert_int_equal(bc_edit_lines(texts[i], strlen(texts[i]), &edit, 1, &result), -EINVAL);
	}
	_cleanup_(bc_text_done) struct bc_text result = {};

	assert_int_equal(bc_edit_lines("grant port 1\n", 13, &beyond, 1, &result), -EINVAL);
}

static void value_of_any_clause_is_replaced(void **state)
{
	static const struct {
		const char *from, *clause, *value, *to;
	} cases[] = {
		{ "grant port 80 until +1h # x\n", "until", "T", "grant port 80 until T # x\n" },
		{ "grant until +1h port 80\n", "until", "T", "grant until T port 80\n" },
		{ "grant port 80 until \"+1h\" log\n", "until", "T", "grant port 80 until T log\n" },
		{ "deny log audit until +1h port 80\n", "until", "T", "deny log audit until T port 80\n" },
		{ "deny log port 80 audit until +1h\n", "port", "1", "deny log port 1 audit until +1h\n" },
		{ "deny audit port 80\n", "port", "1", "deny audit port 1\n" },
		{ "rewrite to :1 hidden port 80\n", "port", "1", "rewrite to :1 hidden port 1\n" },
		{ "rewrite to :1 hidden until +1h port 80\n", "until", "T", "rewrite to :1 hidden until T port 80\n" },
		{ "rewrite to :1 port 80\n", "port", "1", "rewrite to :1 port 1\n" },
		{ "grant user until until +1h port 80\n", "until", "T", "grant user until until T port 80\n" },
		{ "grant user log until +1h port 80\n", "until", "T", "grant user log until T port 80\n" },
		{ "grant cgroup \"/until +1h\" until +1h port 80\n", "until", "T",
		  "grant cgroup \"/until +1h\" until T port 80\n" },
		{ "grant user \"\\\\\\\"\" until +1h port 80\n", "until", "T",
		  "grant user \"\\\\\\\"\" until T port 80\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct bc_line_edit edit = { 1, cases[i].clause, (char *)cases[i].value };

		assert_edited(cases[i].from, &edit, 1, cases[i].to);
	}
}

static void assert_tidied(const char *text, const char *expected, size_t expected_pruned)
{
	_cleanup_(bc_text_done) struct bc_text result = {};
	size_t pruned = 4711;

	/* The file was written at 1000, and now it is 2000. */
	assert_int_equal(bc_edit_tidy(text, strlen(text), 1000 * BC_SECOND, 2000 * BC_SECOND, &result, &pruned), 0);
	assert_string_equal(result.data, expected);
	assert_int_equal(pruned, expected_pruned);
}

static void expired_rules_are_taken_out(void **state)
{
	(void)state;
	assert_tidied("# a\ngrant port 1 until +10m\ngrant port 2\ngrant port 3 until 1970-01-01T00:30:00Z\n# b\n",
		      "# a\ngrant port 2\n# b\n", 2);
	assert_tidied("grant port 1 until +1000s\n", "", 1);
	assert_tidied("grant port 1 until 1970-01-01T00:33:20Z\n", "", 1);
	assert_tidied("mode audit\ndeny port 1 until +1s\n", "mode audit\n", 1);
	assert_tidied("", "", 0);
}

static void times_from_now_become_the_moments_that_they_mean(void **state)
{
	(void)state;
	assert_tidied("grant port 1 until +1001s # x\n", "grant port 1 until 1970-01-01T00:33:21Z # x\n", 0);
	assert_tidied("  deny audit until  +1h log port 1\n", "  deny audit until  1970-01-01T01:16:40Z log port 1\n",
		      0);
	assert_tidied(
		"rewrite to :5 hidden until \"+1h\" port 1\ngrant port 2 until +1s\ngrant port 3 until +2h\n",
		"rewrite to :5 hidden until 1970-01-01T01:16:40Z port 1\ngrant port 3 until 1970-01-01T02:16:40Z\n", 1);
}

static void rules_that_still_hold_stay_as_they_are(void **state)
{
	static const char text[] = "# c\n\n\tgrant  port 1 until 1970-01-01T00:33:20.000000001Z # x\n"
				   "grant port 2\ngrant user until port 3 until 2030-01-01T00:00:00+01:00\n";

	(void)state;
	assert_tidied(text, text, 0);
}

static void tidying_what_does_not_parse_changes_nothing(void **state)
{
	_cleanup_(bc_text_done) struct bc_text result = {};
	static const char text[] = "grant port 1 until +1s\ngrnt port 2\n";
	size_t pruned = 4711;

	(void)state;
	assert_int_equal(bc_edit_tidy(text, strlen(text), 0, 2000 * BC_SECOND, &result, &pruned), -EINVAL);
	assert_int_equal(pruned, 4711);
	assert_int_equal(result.len, 0);
}

/* Tidied rules are what they were, but for those that hold no more. */
static void tidied_random_rules_mean_the_same(void **state)
{
	uint64_t seed = 0x71d7;

	(void)state;
	for (int i = 0; i < 200; i++) {
		_cleanup_(bc_policy_done) struct bc_policy before = {}, after = {};
		_cleanup_(bc_text_done) struct bc_text text = {}, tidied = {};
		size_t pruned = 0, k = 0;

		random_policy(&seed, &unit_tables, 20, &text);
		policy_from_text(&before, text.data);
		assert_int_equal(bc_edit_tidy(text.data, text.len, 0, UNIT_NOW, &tidied, &pruned), 0);
		policy_from_text(&after, tidied.data);
		assert_int_equal(after.n + pruned, before.n);
		for (size_t b = 0; b < before.n; b++) {
			if (before.rules[b].clauses & BC_CLAUSE_UNTIL && before.rules[b].until <= UNIT_NOW)
				continue;
			assert_true(bc_rule_digest(&before, &before.rules[b]) ==
				    bc_rule_digest(&after, &after.rules[k]));
			k++;
		}
		assert_int_equal(k, after.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_is_appended_as_a_line),
		cmocka_unit_test(rule_appended_behind_a_cut_line_is_a_line_of_its_own),
		cmocka_unit_test(other_lines_stay_as_they_are),
		cmocka_unit_test(lines_are_removed_from_both_ends),
		cmocka_unit_test(ports_are_replaced_and_the_rest_of_the_line_kept),
		cmocka_unit_test(edits_of_several_lines_keep_their_places),
		cmocka_unit_test(edit_of_what_is_no_rule_is_refused),
		cmocka_unit_test(value_of_any_clause_is_replaced),
		cmocka_unit_test(expired_rules_are_taken_out),
		cmocka_unit_test(times_from_now_become_the_moments_that_they_mean),
		cmocka_unit_test(rules_that_still_hold_stay_as_they_are),
		cmocka_unit_test(tidying_what_does_not_parse_changes_nothing),
		cmocka_unit_test(tidied_random_rules_mean_the_same),
	};

	return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}

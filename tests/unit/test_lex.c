// SPDX-License-Identifier: GPL-2.0-or-later
/* parse.c once more: bytes, lines, words and quotes; what is in a rule is test_parse.c's. */
#include "unit.h"

struct parsed {
	struct bc_policy policy;
	struct bc_report report;
	int result;
};

static void parsed_done(struct parsed *parsed)
{
	bc_policy_done(&parsed->policy);
	bc_report_done(&parsed->report);
}

static struct parsed parse(const char *text, size_t len)
{
	struct parsed parsed = {};
	/* Exactly as long as the text: a byte read too far is seen by the sanitizer. */
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	parsed.result = bc_parse(&parsed.policy, SOURCE, copy, len, 0, &parsed.report);
	return parsed;
}

static void assert_one_fault(const char *text, size_t len, unsigned line, unsigned column, const char *fragment)
{
	_cleanup_(parsed_done) struct parsed parsed = parse(text, len);

	assert_int_equal(parsed.result, -EINVAL);
	assert_int_equal(parsed.report.n, 1);
	assert_fault(&parsed.report.items[0], line, column, fragment);
}

static void blanks_and_comments_make_no_rule(void **state)
{
	static const char text[] = "\n   \t\n# grant port 80\n   # x\n#\n";
	_cleanup_(parsed_done) struct parsed parsed = parse(text, sizeof(text) - 1), empty = parse("", 0);

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.policy.n, 0);
	assert_int_equal(empty.result, 0);
	assert_int_equal(empty.policy.nsources, 1);
}

static void hash_begins_a_comment_only_at_a_words_start(void **state)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	static const char text[] = "grant user a#b port 80 # c\ngrant user \"#b\" port 80 #c \"\n";

	(void)state;
	assert_int_equal(bc_parse(&policy, SOURCE, text, sizeof(text) - 1, 0, &report), 0);
	assert_string_equal(bc_policy_name(&policy, &policy.rules[0]), "a#b");
	assert_string_equal(bc_policy_name(&policy, &policy.rules[1]), "#b");
}

static void quotes_hold_blanks_and_two_escapes(void **state)
{
	static const struct {
		const char *word, *name;
	} cases[] = {
		{ "\"a b\"", "a b" },
		{ "\"a\\\"b\"", "a\"b" },
		{ "\"a\\\\b\"", "a\\b" },
		{ "a\\x2db", "a\\x2db" },
		{ "a\"b", "a\"b" },
		{ "\"\\\\\\\"\"", "\\\"" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[64];
		int len = snprintf(line, sizeof(line), "grant user %s port 80\n", cases[i].word);
		_cleanup_(parsed_done) struct parsed parsed = parse(line, len);

		assert_int_equal(parsed.result, 0);
		assert_string_equal(bc_policy_name(&parsed.policy, &parsed.policy.rules[0]), cases[i].name);
	}
}

static void quote_must_end_before_a_blank(void **state)
{
	static const char *const words[] = { "\"a", "\"a\\n\"", "\"a\"b", "\"a\\", "\"a\\\"", "\"", "\"a\"#" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char line[64];
		int len = snprintf(line, sizeof(line), "\ngrant port 80 user %s\n", words[i]);

		assert_one_fault(line, len, 2, 20, "a quoted word ends in \" before a blank");
	}
}

static void control_bytes_are_refused_where_they_stand(void **state)
{
	char line[] = "grant port 80 # x\n";

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		char fragment[64];

		if (byte == '\t' || byte == '\n' || byte == '\r' || (byte >= 0x20 && byte != 0x7f))
			continue;
		line[16] = byte;
		snprintf(fragment, sizeof(fragment), "byte 0x%02x does not belong in a policy", byte);
		assert_one_fault(line, sizeof(line) - 1, 1, 17, fragment);
	}
}

static void nul_does_not_end_the_text(void **state)
{
	static const char text[] = "grant port 80\0deny port 81\ngrant port 82\n";
	_cleanup_(parsed_done) struct parsed parsed = parse(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(parsed.result, -EINVAL);
	assert_fault(&parsed.report.items[0], 1, 14, "byte 0x00 does not belong in a policy; is this a text file?");
	assert_int_equal(parsed.policy.n, 1);
	assert_int_equal(parsed.policy.rules[0].line, 2);
}

static void cr_is_told_from_other_bytes(void **state)
{
	(void)state;
	assert_one_fault("grant port 80\r\n", 15, 1, 14, "the line ends in CR LF; convert the file to plain newlines");
	assert_one_fault("grant\rport 80\n", 14, 1, 6, "byte 0x0d does not belong in a policy");
	assert_one_fault("\r\n", 2, 1, 1, "CR LF");
}

static void line_of_4096_bytes_is_the_longest(void **state)
{
	char line[BC_LINE_MAX + 2];

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		memset(line, 'c', sizeof(line));
		memcpy(line, "grant port 80 #", 15);
		line[BC_LINE_MAX + extra] = '\n';
		if (extra) {
			assert_one_fault(line, BC_LINE_MAX + 2, 1, 4097, "the line is longer than 4096 bytes");
		} else {
			_cleanup_(parsed_done) struct parsed parsed = parse(line, BC_LINE_MAX + 1);

			assert_int_equal(parsed.result, 0);
			assert_int_equal(parsed.policy.n, 1);
		}
	}
}

static void line_of_10_mb_costs_one_fault_and_no_other_line(void **state)
{
	enum {
		BIG = 10 << 20
	};
	_cleanup_free_ char *text = malloc(BIG);
	_cleanup_(parsed_done) struct parsed parsed = {};

	(void)state;
	memset(text, 'x', BIG);
	memcpy(text, "grant port 80\n", 14);
	memcpy(text + BIG - 15, "\ngrant port 81\n", 15);
	parsed = parse(text, BIG);
	assert_int_equal(parsed.result, -EINVAL);
	assert_int_equal(parsed.report.n, 1);
	assert_fault(&parsed.report.items[0], 2, 4097, "the line is longer than 4096 bytes");
	assert_int_equal(parsed.policy.n, 2);
	assert_int_equal(parsed.policy.rules[1].line, 3);
}

static void sixty_four_words_are_the_most(void **state)
{
	char line[256];

	(void)state;
	for (int n = 64; n <= 65; n++) {
		size_t len = 0;

		for (int i = 0; i < n; i++)
			len += sprintf(line + len, "w ");
		line[len - 1] = '\n';
		if (n == 64)
			assert_one_fault(line, len, 1, 1, "unknown verb 'w'");
		else
			assert_one_fault(line, len, 1, 129, "more than 64 words in a rule");
	}
}

static void end_without_newline_is_a_fault(void **state)
{
	(void)state;
	assert_one_fault("grant port 80\ngrant port 8", 26, 2, 13,
			 "no newline at the end of the file; is it cut short?");
	assert_one_fault("# x", 3, 1, 4, "no newline");
	assert_one_fault("grant port 80\n ", 15, 2, 2, "no newline");
}

/* parse.h: "a line with a fault adds no rule". */
static void line_without_newline_adds_no_rule(void **state)
{
	_cleanup_(parsed_done) struct parsed parsed = parse("grant port 80\ngrant port 8", 26);

	(void)state;
	assert_int_equal(parsed.policy.n, 1);
	assert_int_equal(parsed.policy.nranges, 1);
}

static void every_fault_is_reported_and_good_lines_are_kept(void **state)
{
	static const char text[] = "grant port 80\n"
				   "grnat port 80\n"
				   "grant port 81 user alice\n"
				   "\n"
				   "grant port 0 user bob\n"
				   "deny port 1 addr 10.0.0.1/8\n"
				   "deny port 82 # kept\n"
				   "deny\n";
	static const unsigned lines[] = { 2, 5, 6, 8 }, columns[] = { 1, 12, 18, 5 };
	static const unsigned good[] = { 1, 3, 7 };
	_cleanup_(parsed_done) struct parsed parsed = parse(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(parsed.result, -EINVAL);
	assert_int_equal(parsed.report.n, ARRAY_SIZE(lines));
	assert_int_equal(parsed.report.errors, ARRAY_SIZE(lines));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_fault(&parsed.report.items[i], lines[i], columns[i], "");
	assert_int_equal(parsed.policy.n, ARRAY_SIZE(good));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(parsed.policy.rules[i].line, good[i]);
	assert_int_equal(parsed.policy.nranges, 3);
	assert_int_equal(parsed.policy.ranges[parsed.policy.rules[2].ranges].first, 82);
}

static void random_bytes_are_refused_without_harm(void **state)
{
	uint64_t seed = 0x5eed1e;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		static const char alphabet[] = "grant deny port user \"\\#,-0189./:\n\n\t\x01\xff";
		size_t len = random_below(&seed, 200);
		char text[200];

		for (size_t i = 0; i < len; i++)
			text[i] = round % 2 ? (char)random_below(&seed, 256) :
					      alphabet[random_below(&seed, sizeof(alphabet) - 1)];
		struct parsed parsed = parse(text, len);

		assert_true(parsed.result == 0 || parsed.result == -EINVAL);
		assert_int_equal(!parsed.result, !parsed.report.n);
		parsed_done(&parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_and_comments_make_no_rule),
		cmocka_unit_test(hash_begins_a_comment_only_at_a_words_start),
		cmocka_unit_test(quotes_hold_blanks_and_two_escapes),
		cmocka_unit_test(quote_must_end_before_a_blank),
		cmocka_unit_test(control_bytes_are_refused_where_they_stand),
		cmocka_unit_test(nul_does_not_end_the_text),
		cmocka_unit_test(cr_is_told_from_other_bytes),
		cmocka_unit_test(line_of_4096_bytes_is_the_longest),
		cmocka_unit_test(line_of_10_mb_costs_one_fault_and_no_other_line),
		cmocka_unit_test(sixty_four_words_are_the_most),
		cmocka_unit_test(end_without_newline_is_a_fault),
		cmocka_unit_test(line_without_newline_adds_no_rule),
		cmocka_unit_test(every_fault_is_reported_and_good_lines_are_kept),
		cmocka_unit_test(random_bytes_are_refused_without_harm),
	};

	return cmocka_run_group_tests_name("lex", tests, NULL, NULL);
}

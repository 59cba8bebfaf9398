// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>

#include "base/error.h"
#include "unit.h"

/* An allocation too large shall fail, as it does without the sanitizer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void array_grows_and_keeps_its_items(void **state)
{
	_cleanup_free_ uint32_t *items = NULL;
	size_t room = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(bc_grow(&items, &room, i + 1), 0);
		assert_true(room > i);
		items[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
}

static void array_beyond_memory_is_refused_and_untouched(void **state)
{
	_cleanup_free_ uint64_t *items = NULL;
	uint64_t *before;
	size_t room = 0;

	(void)state;
	assert_int_equal(bc_grow(&items, &room, 1), 0);
	before = items;
	assert_int_equal(bc_grow(&items, &room, SIZE_MAX / 2 + 1), -ENOMEM);
	assert_ptr_equal(items, before);
	assert_int_equal(room, 16);
}

static void text_is_terminated_after_every_addition(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	(void)state;
	bc_text_add(&text, NULL, 0);
	assert_string_equal(text.data, "");
	bc_text_add(&text, "abc", 2);
	assert_string_equal(text.data, "ab");
	bc_text_addf(&text, "%d-%s", 7, "x");
	assert_string_equal(text.data, "ab7-x");
	assert_int_equal(text.len, 5);
	assert_false(text.failed);
}

static void formatted_text_of_any_length_is_kept_whole(void **state)
{
	char word[1001];

	(void)state;
	memset(word, 'w', 1000);
	for (size_t len = 250; len < 262; len++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		bc_text_addf(&text, "%.*s!", (int)len, word);
		assert_int_equal(text.len, len + 1);
		assert_int_equal(text.data[len - 1], 'w');
		assert_int_equal(text.data[len], '!');
	}
}

static void number_is_digits_within_its_bounds(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{ "1", 0, 1 },
		{ "65535", 0, 65535 },
		{ "00080", 0, 80 },
		{ "0", -ERANGE, 0 },
		{ "65536", -ERANGE, 0 },
		{ "18446744073709551615", -ERANGE, 0 },
		{ "18446744073709551617", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "99999999999999999999999999x", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 4711;

		assert_int_equal(bc_parse_number(cases[i].text, strlen(cases[i].text), 1, 65535, &value),
				 cases[i].result);
		assert_int_equal(value, cases[i].result ? 4711 : cases[i].value);
	}
}

static void number_reads_no_further_than_its_length(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(bc_parse_number("80,81", 2, 0, 100, &value), 0);
	assert_int_equal(value, 80);
	assert_int_equal(bc_parse_number("18446744073709551615", 20, 0, UINT64_MAX, &value), -ERANGE);
}

static void printable_text_moves_no_cursor(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "plain text", "plain text" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9d", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9d" },
		{ "\x1b[2J", "\\x1b[2J" },
		{ "a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f" },
		{ "\xc2\x9b", "\\xc2\\x9b" },	       /* C1 control: CSI */
		{ "\xc0\xaf", "\\xc0\\xaf" },	       /* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" }, /* overlong */
		{ "\xe0\x83\xa9", "\\xe0\\x83\\xa9" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond Unicode */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },		/* right-to-left override */
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },		/* isolate */
		{ "\xe2\x82", "\\xe2\\x82" },			/* cut short */
		{ "\xff", "\\xff" },
	};
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(bc_printable(buffer, sizeof(buffer), cases[i].from), cases[i].to);
}

static void word_is_one_of_a_shell(void **state)
{
	static const struct {
		const char *word, *written;
	} cases[] = {
		{ "/etc/bindctl/policy.d/50-bindctl.conf", "/etc/bindctl/policy.d/50-bindctl.conf" },
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "~", "'~'" },
		{ "$(reboot)", "'$(reboot)'" },
		{ "it's", "'it'\\''s'" },
		{ "back\\slash", "'back\\slash'" },
		{ "\xc3\xa9", "'\xc3\xa9'" },
		{ "a\nb c", "$'a\\x0ab\\x20c'" },
		{ "'\\\x1b", "$'\\x27\\x5c\\x1b'" },
		{ "\xff", "$'\\xff'" },
		/* Turns what follows around. */
		{ "\xe2\x80\xae", "$'\\xe2\\x80\\xae'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		bc_text_add_word(&text, cases[i].word);
		assert_string_equal(text.data, cases[i].written);
	}
}

static void printable_text_is_cut_between_characters(void **state)
{
	char *buffer = malloc(5);

	(void)state;
	assert_string_equal(bc_printable(buffer, 5, "abc\xe2\x82\xac"), "abc");
	assert_string_equal(bc_printable(buffer, 5, "\x1bx"), "\\x1b");
	assert_string_equal(bc_printable(buffer, 4, "\x1bx"), "");
	assert_string_equal(bc_printable(buffer, 1, "abc"), "");
	strcpy(buffer, "keep");
	bc_printable(buffer, 0, "abc");
	assert_string_equal(buffer, "keep");
	free(buffer);
}

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
	static const char *const good[] = {
		"", "abc\n", "\x7f", "\xc2\x80", "\xe2\x82\xac", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"
	};
	static const char *const bad[] = { "\x80",
					   "a\xff",
					   "\xc0\xaf",
					   "\xc1\xbf",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xc2",
					   "\xe2\x82",
					   "\xc3(",
					   "\xf8\x88\x80\x80\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!bc_is_utf8(good[i], strlen(good[i])))
			fail_msg("good %zu", i);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (bc_is_utf8(bad[i], strlen(bad[i])))
			fail_msg("bad %zu", i);
	assert_false(bc_is_utf8("a\0b", 3));
}

static void pipe_is_read_whole_and_too_much_is_refused(void **state)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0;

	(void)state;
	for (size_t max = 4999; max <= 5000; max++) {
		char sent[5000];
		int ends[2];

		memset(sent, 'p', sizeof(sent));
		assert_int_equal(pipe(ends), 0);
		assert_int_equal(bc_write_all(ends[1], sent, sizeof(sent)), 0);
		close(ends[1]);
		assert_int_equal(bc_read_all(ends[0], max, &data, &len), max < 5000 ? -EFBIG : 0);
		close(ends[0]);
		assert_true(max == 5000 || !data);
	}
	assert_int_equal(len, 5000);
	assert_int_equal(strlen(data), 5000);
	assert_int_equal(bc_read_all(-1, 10, &data, &len), -EBADF);
	assert_int_equal(bc_write_all(-1, "x", 1), -EBADF);
}

static void hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(bc_fnv(BC_FNV_START, "", 0) == 0xcbf29ce484222325u);
	assert_true(bc_fnv(BC_FNV_START, "foobar", 6) == 0x85944171f73967e8u);
}

static void failure_tells_text_place_and_code(void **state)
{
	struct bc_error error;
	char longest[8192];

	(void)state;
	memset(longest, 'l', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(bc_fail_at(&error, -EINVAL, "a.conf", 3, 7, "bad %s", "thing"), -EINVAL);
	assert_string_equal(error.text, "bad thing");
	assert_string_equal(error.source, "a.conf");
	assert_int_equal(error.line, 3);
	assert_int_equal(error.column, 7);
	assert_int_equal(error.severity, BC_ERROR);
	assert_int_equal(bc_fail(&error, -EPERM, "wrapped: %s", error.text), -EPERM);
	assert_string_equal(error.text, "wrapped: bad thing");
	assert_string_equal(error.source, "");
	assert_int_equal(error.line, 0);
	bc_fail_at(&error, 0, longest, 1, 1, "%s", longest);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_int_equal(strlen(error.source), sizeof(error.source) - 1);
	assert_int_equal(bc_fail(NULL, -EIO, "nobody asks"), -EIO);
}

static void failure_with_errno_says_it_in_words(void **state)
{
	struct bc_error error;

	(void)state;
	assert_int_equal(bc_fail_errno(&error, -ENOENT, "cannot open %s", "x"), -ENOENT);
	assert_string_equal(error.text, "cannot open x: No such file or directory");
	assert_int_equal(bc_fail_errno(NULL, -ENOENT, "nobody asks"), -ENOENT);
}

static void failure_with_errno_says_it_however_long_the_rest(void **state)
{
	char longest[600] = "";
	struct bc_error error;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	bc_fail_errno(&error, -ENOENT, "cannot open %s", longest);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_non_null(strstr(error.text, "xxx...: No such file or directory"));
	/* Just what there is room for. */
	longest[sizeof(error.text) - 1 - strlen("cannot open : No such file or directory")] = '\0';
	bc_fail_errno(&error, -ENOENT, "cannot open %s", longest);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_null(strstr(error.text, "..."));
	/* Not within a character. */
	for (size_t i = 0; i < sizeof(longest) - 4; i += 3)
		strcpy(longest + i, "\xe2\x82\xac");
	for (int i = 0; i < 3; i++) {
		bc_fail_errno(&error, -ENOENT, "%.*s%s", i, "ab", longest);
		assert_true(bc_is_utf8(error.text, strlen(error.text)));
		assert_non_null(strstr(error.text, "...: No such file or directory"));
	}
}

static void report_keeps_a_thousand_and_counts_the_rest(void **state)
{
	_cleanup_(bc_report_done) struct bc_report report = {};

	(void)state;
	for (unsigned i = 0; i < BC_REPORT_MAX + 10; i++) {
		struct bc_error error = { .line = i, .severity = i % 2 ? BC_WARNING : BC_ERROR };

		bc_report_add(&report, &error);
	}
	assert_int_equal(report.n, BC_REPORT_MAX);
	assert_int_equal(report.dropped, 10);
	assert_int_equal(report.errors, BC_REPORT_MAX / 2 + 5);
	assert_int_equal(report.items[BC_REPORT_MAX - 1].line, BC_REPORT_MAX - 1);
	bc_report_done(&report);
	assert_null(report.items);
	assert_int_equal(report.errors, 0);
}

static void ownership_moves_and_leaves_nothing_behind(void **state)
{
	_cleanup_free_ char *owner = strdup("x");
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *taken = TAKE_PTR(owner);
	int moved = TAKE_FD(fd);

	(void)state;
	assert_null(owner);
	assert_string_equal(taken, "x");
	assert_int_equal(fd, -1);
	assert_true(moved >= 0);
	bc_closep(&moved);
	assert_int_equal(fcntl(moved, F_GETFD), -1);
	free(taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(array_grows_and_keeps_its_items),
		cmocka_unit_test(array_beyond_memory_is_refused_and_untouched),
		cmocka_unit_test(text_is_terminated_after_every_addition),
		cmocka_unit_test(formatted_text_of_any_length_is_kept_whole),
		cmocka_unit_test(number_is_digits_within_its_bounds),
		cmocka_unit_test(number_reads_no_further_than_its_length),
		cmocka_unit_test(printable_text_moves_no_cursor),
		cmocka_unit_test(word_is_one_of_a_shell),
		cmocka_unit_test(printable_text_is_cut_between_characters),
		cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
		cmocka_unit_test(pipe_is_read_whole_and_too_much_is_refused),
		cmocka_unit_test(hash_is_fnv_1a),
		cmocka_unit_test(failure_tells_text_place_and_code),
		cmocka_unit_test(failure_with_errno_says_it_in_words),
		cmocka_unit_test(failure_with_errno_says_it_however_long_the_rest),
		cmocka_unit_test(report_keeps_a_thousand_and_counts_the_rest),
		cmocka_unit_test(ownership_moves_and_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("util", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <time.h>

#include "pure/moment.h"
#include "unit.h"

#define BASE (INT64_C(1795514400) * BC_SECOND) /* 2026-11-24T10:00:00Z */

static int64_t moment_of(const char *word)
{
	bool relative = true;
	char text[256];
	int64_t moment;

	if (bc_parse_moment(word, strlen(word), BASE, &moment, &relative, text, sizeof(text)))
		fail_msg("%s", text);
	assert_int_equal(relative, *word == '+');
	return moment;
}

static void assert_moment(int64_t moment, const char *expected)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_moment(&text, moment);
	assert_string_equal(text.data, expected);
}

/* A word and what is said against it. */
struct word_fault {
	const char *word, *fragment;
};

/* The word stands alone in its memory, so that the sanitizer sees a look behind its end. */
static void assert_moment_faults(const struct word_fault *faults, size_t n, int64_t base)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(faults[i].word);
		_cleanup_free_ char *word = memcpy(malloc(len), faults[i].word, len);
		bool relative = true;
		int64_t moment = 4711;
		char text[256] = "";

		if (bc_parse_moment(word, len, base, &moment, &relative, text, sizeof(text)) != -EINVAL)
			fail_msg("'%s' is taken", faults[i].word);
		assert_contains(text, faults[i].fragment);
		assert_int_equal(moment, 4711);
		assert_true(relative);
	}
}

static void date_time_is_read(void **state)
{
	static const struct {
		const char *word;
		int64_t seconds, ns;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0, 0 },
		{ "2026-11-24T10:00:00Z", 1795514400, 0 },
		{ "2026-11-24t10:00:00z", 1795514400, 0 },
		{ "2026-11-24T11:00:00+01:00", 1795514400, 0 },
		{ "2026-11-24T02:00:00-08:00", 1795514400, 0 },
		{ "2026-11-25T09:59:00+23:59", 1795514400, 0 },
		{ "2026-11-23T10:01:00-23:59", 1795514400, 0 },
		{ "2026-11-24T10:00:00-00:00", 1795514400, 0 },
		{ "2026-11-24T15:45:00+05:45", 1795514400, 0 },
		{ "2026-11-24T10:00:00.5Z", 1795514400, 500000000 },
		{ "2026-11-24T10:00:00.000000001Z", 1795514400, 1 },
		{ "2026-11-24T10:00:00.123456789+00:00", 1795514400, 123456789 },
		{ "2026-11-24T10:00:00.000Z", 1795514400, 0 },
		{ "1970-01-01T00:30:00-01:00", 5400, 0 },
		{ "2000-02-29T23:59:59Z", 951868799, 0 },
		{ "2024-02-29T00:00:00Z", 1709164800, 0 },
		{ "2100-02-28T23:59:60Z", 4107542400, 0 }, /* no leap year: the first of March */
		{ "2016-12-31T23:59:60Z", 1483228800, 0 },
		{ "2016-12-31T23:59:60.25Z", 1483228800, 250000000 },
		{ "2017-01-01T00:59:60+01:00", 1483228800, 0 },
		{ "2261-12-31T23:59:59.999999999Z", 9214646399, 999999999 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (moment_of(cases[i].word) != cases[i].seconds * BC_SECOND + cases[i].ns)
			fail_msg("%s is %lld", cases[i].word, (long long)moment_of(cases[i].word));
}

static void date_time_must_be_one(void **state)
{
	static const struct word_fault faults[] = {
		{ "", "'' is not a time: write 2026-11-24T10:00:00Z, or +10m" },
		{ "tomorrow", "'tomorrow' is not a time" },
		{ "10m", "'10m' is not a time" },
		{ "-10m", "'-10m' is not a time" },
		{ "20261124T100000Z", "is not a time" },
		{ "26-11-24T10:00:00Z", "is not a time" },
		{ "2026-11-2", "is not a time" },
		{ "2026-1-24T10:00:00Z", "is not a time" },
		{ "2026/11/24T10:00:00Z", "is not a time" },
		{ "+2026-11-24T10:00:00Z", "has an unknown unit" },
		{ " 2026-11-24T10:00:00Z", "is not a time" },
		{ "1795514400", "is not a time" },
		{ "2026-11-24", "'2026-11-24' names a day but no time: write 2026-11-24T00:00:00Z" },
		{ "2026-11-24Z", "does not go on with the time behind the day: write 2026-11-24T10:00:00Z" },
		{ "2026-11-24 10:00:00Z", "does not go on with the time" },
		{ "2026-11-24T", "does not go on with the time" },
		{ "2026-11-24T10", "does not go on with the time" },
		{ "2026-11-24T10:00", "does not go on with the time" },
		{ "2026-11-24T10:00Z", "does not go on with the time" },
		{ "2026-11-24T10:00:0Z", "does not go on with the time" },
		{ "2026-11-24T1:00:00Z", "does not go on with the time" },
		{ "2026-11-241T10:00:00Z", "does not go on with the time" },
		{ "2026-11-24T10:00:00", "'2026-11-24T10:00:00' does not say in which time zone: add Z or an offset" },
		{ "2026-11-24T10:00:00.5", "add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00UTC", "does not end in a time zone: add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00 Z", "add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00+01", "add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00+0100", "add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00+1:00", "add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00+", "add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00:00Z", "add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00,5Z", "add Z or an offset like +01:00" },
		{ "2026-11-24T10:00:00Zz", "goes on behind the time zone" },
		{ "2026-11-24T10:00:00+01:000", "goes on behind the time zone" },
		{ "2026-11-24T10:00:00+01:00Z", "goes on behind the time zone" },
		{ "2026-11-24T10:00:00.Z", "does not have 1 to 9 digits" },
		{ "2026-11-24T10:00:00.", "does not have 1 to 9 digits" },
		{ "2026-11-24T10:00:00.0123456789Z", "does not have 1 to 9 digits" },
		{ "2026-11-24T10:00:00.99999999999999999999Z", "does not have 1 to 9 digits" },
	};

	(void)state;
	assert_moment_faults(faults, ARRAY_SIZE(faults), BASE);
}

static void field_must_be_in_range(void **state)
{
	static const struct word_fault faults[] = {
		{ "1969-12-31T23:30:00-01:00", "year 1969 is out of range (1970 to 2261)" },
		{ "0000-01-01T00:00:00Z", "year 0000 is out of range" },
		{ "2262-01-01T00:00:00Z", "year 2262 is out of range (1970 to 2261)" },
		{ "9999-12-31T00:00:00Z", "year 9999 is out of range" },
		{ "2026-00-24T10:00:00Z", "month 00 is out of range (01 to 12)" },
		{ "2026-13-24T10:00:00Z", "month 13 is out of range (01 to 12)" },
		{ "2026-11-00T10:00:00Z", "day 00 is out of range (2026-11 has 01 to 30)" },
		{ "2026-11-31T10:00:00Z", "day 31 is out of range (2026-11 has 01 to 30)" },
		{ "2026-02-29T10:00:00Z", "day 29 is out of range (2026-02 has 01 to 28)" },
		{ "2026-02-29", "day 29 is out of range" },
		{ "2100-02-29T10:00:00Z", "day 29 is out of range (2100-02 has 01 to 28)" },
		{ "2024-02-30T10:00:00Z", "day 30 is out of range (2024-02 has 01 to 29)" },
		{ "2026-11-24T24:00:00Z", "hour 24 is out of range (00 to 23)" },
		{ "2026-11-24T10:60:00Z", "minute 60 is out of range (00 to 59)" },
		{ "2026-11-24T10:00:61Z", "second 61 is out of range (00 to 59, or 60 for a leap second)" },
		{ "2026-11-24T10:00:00+24:00", "offset 24:00 is out of range (00:00 to 23:59)" },
		{ "2026-11-24T10:00:00-01:60", "offset 01:60 is out of range" },
		{ "1970-01-01T00:59:59+01:00", "is out of range (1970 to 2261, in UTC)" },
		{ "2261-12-31T23:00:00-01:00", "is out of range (1970 to 2261, in UTC)" },
		{ "2261-12-31T23:59:60Z", "is out of range (1970 to 2261, in UTC)" },
	};

	(void)state;
	assert_moment_faults(faults, ARRAY_SIZE(faults), BASE);
}

static void plus_counts_from_the_base(void **state)
{
	(void)state;
	assert_true(moment_of("+10m") == BASE + 600 * BC_SECOND);
	assert_true(moment_of("+1h30m") == BASE + 5400 * BC_SECOND);
	assert_true(moment_of("+2d") == BASE + 2 * 86400 * BC_SECOND);
	assert_true(moment_of("+1w1d1h1m1s") == BASE + (604800 + 86400 + 3600 + 60 + 1) * BC_SECOND);
}

static void plus_wants_a_duration(void **state)
{
	static const struct word_fault relative[] = {
		{ "+", "'+' is not a duration" },	  { "+10", "'+10' lacks the unit behind its number (w, d" },
		{ "++10m", "'++10m' is not a duration" }, { "+0m", "'+0m' is no time at all" },
		{ "+-1m", "'+-1m' is not a duration" },	  { "+1m1h", "the units of '+1m1h' are not in the order" },
	};

	(void)state;
	assert_moment_faults(relative, ARRAY_SIZE(relative), BASE);
}

static void plus_that_leads_too_far_is_refused(void **state)
{
	static const struct word_fault late[] = {
		{ "+1s", "'+1s' from now is after the year 2261" },
		{ "+106000d", "'+106000d' from now is after the year 2261" },
	};
	static const struct word_fault always[] = {
		{ "+106651d", "too long: no time after the year 2261" },
		{ "+15250w", "too long" },
		{ "+9223372036854775807s", "too long" },
		{ "+9223372036854775808s", "too long" },
		{ "+18446744073709551617s", "too long" },
		{ "+184467440737095516170s", "too long" },
		{ "+99999999999999999999999999999s", "too long" },
		{ "+9214646399s1s", "each once" },
		{ "+106650d24h", "too long" },
	};
	bool relative;
	int64_t moment;
	char text[256];

	(void)state;
	assert_moment_faults(late, ARRAY_SIZE(late), BC_MOMENT_END - BC_SECOND);
	assert_moment_faults(late, ARRAY_SIZE(late), INT64_MAX);
	assert_moment_faults(always, ARRAY_SIZE(always), 0);
	assert_int_equal(bc_parse_moment("+1s", 3, BC_MOMENT_END - BC_SECOND - 1, &moment, &relative, text, 256), 0);
	assert_true(moment == BC_MOMENT_END - 1);
	assert_int_equal(bc_parse_moment("+106650d23h59m59s", 17, 0, &moment, &relative, text, 256), 0);
	assert_true(moment == BC_MOMENT_END - BC_SECOND);
}

/* A word of a line ends at its length, and may hold a NUL when it comes from elsewhere. */
static void nothing_is_read_behind_the_word(void **state)
{
	bool relative;
	int64_t value;
	char text[256];

	(void)state;
	assert_int_equal(bc_parse_duration("10m30s", 3, &value, text, sizeof(text)), 0);
	assert_true(value == 600 * BC_SECOND);
	assert_int_equal(bc_parse_duration("10m", 2, &value, text, sizeof(text)), -EINVAL);
	assert_string_equal(text, "'10' lacks the unit behind its number (w, d, h, m or s)");
	assert_int_equal(bc_parse_duration("10m\0", 4, &value, text, sizeof(text)), -EINVAL);
	assert_int_equal(bc_parse_moment("2026-11-24T10:00:00Z+01:00", 20, 0, &value, &relative, text, 256), 0);
	assert_true(value == BASE);
	assert_int_equal(bc_parse_moment("2026-11-24T10:00:00\0", 20, 0, &value, &relative, text, 256), -EINVAL);
	assert_int_equal(bc_parse_moment("2026-11-24T10:00:00Z", 19, 0, &value, &relative, text, 256), -EINVAL);
	assert_contains(text, "'2026-11-24T10:00:00' does not say in which time zone");
}

static void long_word_is_cut_in_messages(void **state)
{
	char word[5001], text[256];
	bool relative;
	int64_t value;

	(void)state;
	memset(word, '1', 5000);
	word[5000] = '\0';
	assert_int_equal(bc_parse_duration(word, 5000, &value, text, sizeof(text)), -EINVAL);
	assert_contains(text, "1111' lacks the unit");
	assert_int_equal(strchr(text + 1, '\'') - text, 65);
	assert_int_equal(bc_parse_moment(word, 5000, 0, &value, &relative, text, 8), -EINVAL);
	assert_int_equal(strlen(text), 7);
}

/* The word's every prefix, and the word with each of its bytes another: taken only where that is a time as well. */
static void every_cut_or_changed_word_is_refused_or_another_time(void **state)
{
	static const char word[] = "2026-11-24T10:00:00.123456789+01:00";
	size_t len = strlen(word);
	bool relative;
	char text[256];
	int64_t value;

	(void)state;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bc_parse_moment(word, i, 0, &value, &relative, text, sizeof(text)), -EINVAL);
	for (size_t i = 0; i < len; i++) {
		for (int c = 0; c < 256; c++) {
			char changed[sizeof(word)];
			bool digit = word[i] >= '0' && word[i] <= '9' && c >= '0' && c <= '9';
			bool sign = word[i] == '+' && c == '-', lower = word[i] == 'T' && c == 't';

			memcpy(changed, word, sizeof(word));
			changed[i] = c;
			if (!bc_parse_moment(changed, len, 0, &value, &relative, text, sizeof(text)) && word[i] != c &&
			    !digit && !sign && !lower)
				fail_msg("byte %zu as 0x%02x is taken", i, c);
		}
	}
}

static void moment_is_written_in_rfc_3339(void **state)
{
	(void)state;
	assert_moment(0, "1970-01-01T00:00:00Z");
	assert_moment(BASE, "2026-11-24T10:00:00Z");
	assert_moment(BASE + 1, "2026-11-24T10:00:00.000000001Z");
	assert_moment(BASE + 500000000, "2026-11-24T10:00:00.5Z");
	assert_moment(BASE + 10203000, "2026-11-24T10:00:00.010203Z");
	assert_moment(BASE + 999999999, "2026-11-24T10:00:00.999999999Z");
	assert_moment(BC_MOMENT_END - 1, "2261-12-31T23:59:59.999999999Z");
	assert_moment(BC_MOMENT_END, "2262-01-01T00:00:00Z");
	assert_moment(moment_of("2024-02-29T23:59:60Z"), "2024-03-01T00:00:00Z");
	assert_moment(moment_of("2023-12-31T23:59:59-00:01"), "2024-01-01T00:00:59Z");
}

/* No parser makes these, but a broken image may hold them. */
static void moment_out_of_range_is_written_as_it_is(void **state)
{
	(void)state;
	assert_moment(-1, "1969-12-31T23:59:59.999999999Z");
	assert_moment(-BC_SECOND, "1969-12-31T23:59:59Z");
	assert_moment(-BC_SECOND - 500000000, "1969-12-31T23:59:58.5Z");
	assert_moment(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
	assert_moment(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
}

static int64_t random_moment(uint64_t *seed)
{
	int64_t second = ((int64_t)random_below(seed, 0x10000) << 17 | random_below(seed, 0x20000)) % 9214646400;
	int64_t fraction = random_below(seed, 3) ? random_below(seed, BC_SECOND) : 0;

	/* Zeroes at the end, too. */
	for (unsigned i = random_below(seed, 9); i > 0; i--)
		fraction /= 10;
	for (unsigned i = random_below(seed, 9); i > 0; i--)
		fraction = fraction * 10 % BC_SECOND;
	return second * BC_SECOND + fraction;
}

static void random_moments_are_as_the_c_library_has_them(void **state)
{
	uint64_t seed = 0x71;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};
		int64_t moment = random_moment(&seed);
		time_t second = moment / BC_SECOND;
		char expected[64];
		struct tm tm;

		gmtime_r(&second, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		bc_format_moment(&text, moment);
		if (strncmp(text.data, expected, 19) || (text.data[19] == 'Z') != (moment % BC_SECOND == 0))
			fail_msg("%s is not %s", text.data, expected);
		assert_true(moment_of(text.data) == moment);
	}
}

/* Any day numbers: those that the calendar does not have must be refused, the others be what timegm() makes of them. */
static void random_dates_are_as_the_c_library_has_them(void **state)
{
	uint64_t seed = 0xda7e;
	unsigned refused = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct tm tm = { .tm_year = 69 + random_below(&seed, 294),
				 .tm_mon = random_below(&seed, 13),
				 .tm_mday = random_below(&seed, 33),
				 .tm_hour = random_below(&seed, 24),
				 .tm_min = random_below(&seed, 60),
				 .tm_sec = random_below(&seed, 60) };
		int offset = (int)random_below(&seed, 2880) - 1440, minutes = offset < 0 ? -offset : offset;
		struct tm norm = tm;
		bool relative, valid;
		int64_t moment, expected = timegm(&norm) - offset * 60;
		char word[64], text[256];
		int r;

		snprintf(word, sizeof(word), "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, offset < 0 ? '-' : '+',
			 minutes / 60, minutes % 60);
		/* timegm() moved a day that there is not to another month. */
		valid = norm.tm_mon == tm.tm_mon && norm.tm_mday == tm.tm_mday && minutes < 1440 && tm.tm_year >= 70 &&
			tm.tm_year <= 361 && expected >= 0 && expected < BC_MOMENT_END / BC_SECOND;
		r = bc_parse_moment(word, strlen(word), 0, &moment, &relative, text, sizeof(text));
		if (!!r == valid || (!r && moment != expected * BC_SECOND))
			fail_msg("%s gives %d", word, r);
		refused += !!r;
	}
	assert_in_range(refused, 20000, 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(date_time_is_read),
		cmocka_unit_test(date_time_must_be_one),
		cmocka_unit_test(field_must_be_in_range),
		cmocka_unit_test(plus_counts_from_the_base),
		cmocka_unit_test(plus_wants_a_duration),
		cmocka_unit_test(plus_that_leads_too_far_is_refused),
		cmocka_unit_test(nothing_is_read_behind_the_word),
		cmocka_unit_test(long_word_is_cut_in_messages),
		cmocka_unit_test(every_cut_or_changed_word_is_refused_or_another_time),
		cmocka_unit_test(moment_is_written_in_rfc_3339),
		cmocka_unit_test(moment_out_of_range_is_written_as_it_is),
		cmocka_unit_test(random_moments_are_as_the_c_library_has_them),
		cmocka_unit_test(random_dates_are_as_the_c_library_has_them),
	};

	return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}

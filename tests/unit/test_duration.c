// SPDX-License-Identifier: GPL-2.0-or-later
/* moment: durations. */
#include "pure/moment.h"
#include "unit.h"

static int64_t duration_of(const char *word)
{
	char text[256];
	int64_t ns;

	if (bc_parse_duration(word, strlen(word), &ns, text, sizeof(text)))
		fail_msg("%s", text);
	return ns;
}

static void assert_duration(int64_t ns, const char *expected)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_duration(&text, ns);
	assert_string_equal(text.data, expected);
}

/* A word and what is said against it. */
struct word_fault {
	const char *word, *fragment;
};

/* The word stands alone in its memory, so that the sanitizer sees a look behind its end. */
static void assert_duration_faults(const struct word_fault *faults, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t ns = 4711;
		char text[256] = "";

		if (bc_parse_duration(faults[i].word, strlen(faults[i].word), &ns, text, sizeof(text)) != -EINVAL)
			fail_msg("'%s' is taken", faults[i].word);
		assert_contains(text, faults[i].fragment);
		assert_int_equal(ns, 4711);
	}
}

static void duration_is_read(void **state)
{
	(void)state;
	assert_true(duration_of("1s") == BC_SECOND);
	assert_true(duration_of("10m") == 600 * BC_SECOND);
	assert_true(duration_of("010m") == 600 * BC_SECOND);
	assert_true(duration_of("90m") == 5400 * BC_SECOND);
	assert_true(duration_of("24h") == duration_of("1d"));
	assert_true(duration_of("7d") == duration_of("1w"));
	assert_true(duration_of("0h5s") == 5 * BC_SECOND);
	assert_true(duration_of("3w2d1h59m30s") == (3 * 604800 + 2 * 86400 + 3600 + 59 * 60 + 30) * BC_SECOND);
	assert_true(duration_of("106650d") == INT64_C(106650) * 86400 * BC_SECOND);
}

static void duration_must_be_one(void **state)
{
	static const struct word_fault faults[] = {
		{ "", "'' is not a duration: write a number and a unit (w, d, h, m or s), like 1h30m" },
		{ "m", "'m' is not a duration" },
		{ "+10m", "'+10m' is not a duration" },
		{ "-10m", "'-10m' is not a duration" },
		{ " 10m", "' 10m' is not a duration" },
		{ "1hm", "'1hm' is not a duration" },
		{ "10m ", "'10m ' is not a duration" },
		{ "10", "'10' lacks the unit behind its number (w, d, h, m or s)" },
		{ "1h30", "'1h30' lacks the unit behind its number" },
		{ "10M", "'10M' has an unknown unit (w, d, h, m or s)" },
		{ "10 m", "'10 m' has an unknown unit" },
		{ "1.5h", "'1.5h' has an unknown unit" },
		{ "10ms", "'10ms' is not a duration" },
		{ "1y", "'1y' has an unknown unit" },
		{ "30m1h", "the units of '30m1h' are not in the order w, d, h, m, s, each once" },
		{ "1d1w", "are not in the order" },
		{ "1h1h", "each once" },
		{ "1s1s", "each once" },
		{ "0s", "'0s' is no time at all: write at least 1s" },
		{ "0w0d0h0m0s", "no time at all" },
	};

	(void)state;
	assert_duration_faults(faults, ARRAY_SIZE(faults));
}

static void duration_is_written_in_two_units(void **state)
{
	static const int64_t s = BC_SECOND;

	(void)state;
	assert_duration(0, "0s");
	assert_duration(-1, "0s");
	assert_duration(INT64_MIN, "0s");
	assert_duration(1, "1s");
	assert_duration(s, "1s");
	assert_duration(s + 1, "2s");
	assert_duration(59 * s, "59s");
	assert_duration(59 * s + 1, "1m");
	assert_duration(598 * s, "9m58s");
	assert_duration(597 * s + 1, "9m58s");
	assert_duration(3599 * s + 1, "1h");
	assert_duration(3600 * s + 59 * s, "1h");
	assert_duration(3600 * s + 60 * s, "1h1m");
	assert_duration(86399 * s, "23h59m");
	assert_duration(86400 * s, "1d");
	assert_duration((2 * 86400 + 3 * 3600 + 59 * 60) * s, "2d3h");
	assert_duration(15 * 86400 * s, "15d");
	assert_duration(INT64_MAX, "106751d23h");
}

static void random_durations_come_back(void **state)
{
	static const char names[] = "wdhms";
	static const int seconds[] = { 604800, 86400, 3600, 60, 1 };
	uint64_t seed = 0xd0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		_cleanup_(bc_text_done) struct bc_text word = {}, shown = {};
		unsigned mask = 1 + random_below(&seed, 31);
		int64_t sum = 0, back;

		for (int unit = 0; unit < 5; unit++) {
			unsigned number = 1 + random_below(&seed, 1000);

			if (!(mask >> unit & 1))
				continue;
			bc_text_addf(&word, "%u%c", number, names[unit]);
			sum += (int64_t)number * seconds[unit] * BC_SECOND;
		}
		assert_true(duration_of(word.data) == sum);
		/* What is shown is less by what its second unit cannot say, an hour at most. */
		bc_format_duration(&shown, sum);
		back = duration_of(shown.data);
		assert_true(back <= sum && sum - back < 3600 * BC_SECOND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_is_read),
		cmocka_unit_test(duration_must_be_one),
		cmocka_unit_test(duration_is_written_in_two_units),
		cmocka_unit_test(random_durations_come_back),
	};

	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}

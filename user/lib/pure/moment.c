// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pure/clause.h"
#include "pure/moment.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

/* The largest first: a duration is written in this order. */
static const struct {
	char name;
	int seconds;
} units[] = {
	{ 'w', 7 * DAY }, { 'd', DAY }, { 'h', HOUR }, { 'm', MINUTE }, { 's', 1 },
};

/* The text that is read, how far, and where to complain. */
struct reader {
	const char *s;
	size_t len;
	size_t at;
	char *text;
	size_t size;
};

#define WORD(in) bc_word_cut((in)->s, (in)->len, 64), (in)->s

static int __attribute__((format(printf, 2, 3))) fail(const struct reader *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(in->text, in->size, format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_digit(const struct reader *in)
{
	return in->at < in->len && in->s[in->at] >= '0' && in->s[in->at] <= '9';
}

/* Steps over one of the characters. */
static bool take(struct reader *in, const char *characters)
{
	if (in->at == in->len || !in->s[in->at] || !strchr(characters, in->s[in->at]))
		return false;
	in->at++;
	return true;
}

static bool take_digits(struct reader *in, int n, int *ret)
{
	int value = 0;

	for (; n > 0; n--) {
		if (!is_digit(in))
			return false;
		value = value * 10 + in->s[in->at++] - '0';
	}
	*ret = value;
	return true;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from the epoch to the year's first. Every int64_t moment lies in years of four digits. */
static int days_before_year(int year)
{
	int past = year - 1;

	/* 477 leap days lie before 1970. */
	return (year - 1970) * 365 + past / 4 - past / 100 + past / 400 - 477;
}

static int parse_date(struct reader *in, int64_t *ret_days)
{
	int year, month, day;

	if (!take_digits(in, 4, &year) || !take(in, "-") || !take_digits(in, 2, &month) || !take(in, "-") ||
	    !take_digits(in, 2, &day))
		return fail(in, "'%.*s' is not a time: write 2026-11-24T10:00:00Z, or +10m for ten minutes from now",
			    WORD(in));
	if (year < 1970 || year > 2261)
		return fail(in, "year %04d is out of range (1970 to 2261)", year);
	if (month < 1 || month > 12)
		return fail(in, "month %02d is out of range (01 to 12)", month);
	if (day < 1 || day > days_of_month(year, month))
		return fail(in, "day %02d is out of range (%04d-%02d has 01 to %02d)", day, year, month,
			    days_of_month(year, month));
	if (in->at == in->len)
		return fail(in, "'%.*s' names a day but no time: write %.*sT00:00:00Z", WORD(in), WORD(in));
	*ret_days = days_before_year(year) + day - 1;
	while (--month > 0)
		*ret_days += days_of_month(year, month);
	return 0;
}

static int parse_clock(struct reader *in, int64_t *ret_seconds)
{
	int hour, minute, second;

	if (!take(in, "Tt") || !take_digits(in, 2, &hour) || !take(in, ":") || !take_digits(in, 2, &minute) ||
	    !take(in, ":") || !take_digits(in, 2, &second))
		return fail(in, "'%.*s' does not go on with the time behind the day: write %.10sT10:00:00Z", WORD(in),
			    in->s);
	if (hour > 23)
		return fail(in, "hour %02d is out of range (00 to 23)", hour);
	if (minute > 59)
		return fail(in, "minute %02d is out of range (00 to 59)", minute);
	if (second > 60)
		return fail(in, "second %02d is out of range (00 to 59, or 60 for a leap second)", second);
	*ret_seconds = hour * HOUR + minute * MINUTE + second;
	return 0;
}

static int parse_fraction(struct reader *in, int64_t *ret_ns)
{
	int64_t ns = 0;
	int n = 0;

	if (!take(in, "."))
		return 0;
	for (; is_digit(in); n++)
		if (n < 9)
			ns = ns * 10 + in->s[in->at++] - '0';
		else
			break;
	if (!n || is_digit(in))
		return fail(in, "the fraction of a second in '%.*s' does not have 1 to 9 digits", WORD(in));
	for (; n < 9; n++)
		ns *= 10;
	*ret_ns = ns;
	return 0;
}

static int parse_offset(struct reader *in, int64_t *ret_seconds)
{
	int hour = 0, minute = 0, sign = 0;

	if (in->at == in->len)
		return fail(in, "'%.*s' does not say in which time zone: add Z or an offset like +01:00", WORD(in));
	if (!take(in, "Zz")) {
		sign = in->s[in->at] == '-' ? -1 : 1;
		if (!take(in, "+-") || !take_digits(in, 2, &hour) || !take(in, ":") || !take_digits(in, 2, &minute))
			return fail(in, "'%.*s' does not end in a time zone: add Z or an offset like +01:00", WORD(in));
	}
	if (in->at < in->len)
		return fail(in, "'%.*s' goes on behind the time zone", WORD(in));
	if (hour > 23 || minute > 59)
		return fail(in, "offset %02d:%02d is out of range (00:00 to 23:59)", hour, minute);
	*ret_seconds = (int64_t)sign * (hour * HOUR + minute * MINUTE);
	return 0;
}

static int parse_absolute(struct reader *in, int64_t *ret)
{
	int64_t days = 0, clock = 0, fraction = 0, offset = 0, moment;
	int r = parse_date(in, &days);

	if (!r)
		r = parse_clock(in, &clock);
	if (!r)
		r = parse_fraction(in, &fraction);
	if (!r)
		r = parse_offset(in, &offset);
	if (r)
		return r;
	moment = (days * DAY + clock - offset) * BC_SECOND + fraction;
	/* An offset or a leap second may lead out of the years that were asked for. */
	if (moment < 0 || moment >= BC_MOMENT_END)
		return fail(in, "'%.*s' is out of range (1970 to 2261, in UTC)", WORD(in));
	*ret = moment;
	return 0;
}

/* The unit at the reader, which must come behind number `least` of the table; its number, or -EINVAL. */
static int parse_unit(struct reader *in, size_t least)
{
	if (in->at == in->len)
		return fail(in, "'%.*s' lacks the unit behind its number (w, d, h, m or s)", WORD(in));
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (in->s[in->at] != units[i].name)
			continue;
		if (i < least)
			return fail(in, "the units of '%.*s' are not in the order w, d, h, m, s, each once", WORD(in));
		in->at++;
		return i;
	}
	return fail(in, "'%.*s' has an unknown unit (w, d, h, m or s)", WORD(in));
}

/* Reads to the end. */
static int parse_units(struct reader *in, int64_t *ret)
{
	size_t least = 0;
	int64_t sum = 0;

	do {
		int64_t number = 0;
		bool excess = false;
		int unit;

		if (!is_digit(in))
			return fail(in,
				    "'%.*s' is not a duration: write a number and a unit (w, d, h, m or s), like 1h30m",
				    WORD(in));
		for (; is_digit(in); in->at++)
			excess |= __builtin_mul_overflow(number, 10, &number) ||
				  __builtin_add_overflow(number, in->s[in->at] - '0', &number);
		unit = parse_unit(in, least);
		if (unit < 0)
			return unit;
		least = unit + 1;
		if (excess || __builtin_mul_overflow(number, units[unit].seconds * BC_SECOND, &number) ||
		    __builtin_add_overflow(sum, number, &sum) || sum >= BC_MOMENT_END)
			return fail(in, "'%.*s' is too long: no time after the year 2261 can be kept", WORD(in));
	} while (in->at < in->len);
	if (!sum)
		return fail(in, "'%.*s' is no time at all: write at least 1s", WORD(in));
	*ret = sum;
	return 0;
}

int bc_parse_duration(const char *s, size_t len, int64_t *ret, char *text, size_t size)
{
	struct reader in = { s, len, 0, text, size };

	return parse_units(&in, ret);
}

int bc_parse_moment(const char *s, size_t len, int64_t base, int64_t *ret, bool *ret_relative, char *text, size_t size)
{
	struct reader in = { s, len, 0, text, size };
	bool relative = take(&in, "+");
	int64_t moment = 0;
	int r;

	r = relative ? parse_units(&in, &moment) : parse_absolute(&in, &moment);
	if (r)
		return r;
	if (relative && (__builtin_add_overflow(base, moment, &moment) || moment < 0 || moment >= BC_MOMENT_END))
		return fail(&in, "'%.*s' from now is after the year 2261", WORD(&in));
	*ret = moment;
	*ret_relative = relative;
	return 0;
}

void bc_format_moment(struct bc_text *text, int64_t moment)
{
	/* Down, not towards zero: an image may hold any number. */
	int fraction = moment % BC_SECOND + (moment % BC_SECOND < 0 ? BC_SECOND : 0), digits = 9;
	int64_t second = moment / BC_SECOND - (moment % BC_SECOND < 0);
	int day = second / DAY - (second % DAY < 0), clock = second - (int64_t)day * DAY;
	int year = 1970 + day / 366, month = 1;

	while (days_before_year(year) > day)
		year--;
	while (days_before_year(year + 1) <= day)
		year++;
	day -= days_before_year(year);
	for (; day >= days_of_month(year, month); month++)
		day -= days_of_month(year, month);
	bc_text_addf(text, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day + 1, clock / HOUR, clock / MINUTE % 60,
		     clock % 60);
	for (; fraction && fraction % 10 == 0; digits--)
		fraction /= 10;
	if (fraction)
		bc_text_addf(text, ".%0*d", digits, fraction);
	bc_text_add(text, "Z", 1);
}

void bc_format_duration(struct bc_text *text, int64_t ns)
{
	int64_t seconds = ns <= 0 ? 0 : (ns - 1) / BC_SECOND + 1;
	size_t unit = 1; /* weeks say little in numbers */

	while (unit + 1 < ARRAY_SIZE(units) && seconds < units[unit].seconds)
		unit++;
	bc_text_addf(text, "%lld%c", (long long)(seconds / units[unit].seconds), units[unit].name);
	seconds %= units[unit].seconds;
	unit++;
	if (unit < ARRAY_SIZE(units) && seconds >= units[unit].seconds)
		bc_text_addf(text, "%lld%c", (long long)(seconds / units[unit].seconds), units[unit].name);
}

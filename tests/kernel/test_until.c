// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules that end: at their moment the next one takes over, with nobody about to see to it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bed.h"
#include "pure/moment.h"

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time.tv_sec * BC_SECOND + time.tv_nsec;
}

static int bind_443(int family)
{
	const struct try try = { .uid = NOBODY, .family = family, .port = 443 };

	return bed_try(&try).error;
}

/* A policy in which @ stands for that moment. */
static void policy_until(const char *format, int64_t moment)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	for (; *format; format++) {
		if (*format == '@')
			bc_format_moment(&text, moment);
		else
			bc_text_add(&text, format, 1);
	}
	bed_policy(text.data);
}

/*
 * Binds from before the end to behind it: each answer must be that of the side of it that the bind lies on; one that
 * was under way at the moment itself may have either. False when the moment was over before anybody had bound.
 */
static bool hand_over_within(int64_t lead, const char *format, int before, int after)
{
	int64_t end = now() + lead;
	int seen_before = 0, seen_after = 0;

	policy_until(format, end);
	while (!seen_after || now() < end + BC_SECOND / 10) {
		int64_t start = now();
		int error = bind_443(seen_before % 2 ? AF_INET6 : AF_INET);

		if (now() < end) {
			assert_int_equal(error, before);
			seen_before++;
		} else if (start >= end) {
			assert_int_equal(error, after);
			seen_after++;
		}
	}
	return seen_before > 0;
}

/* On a machine that is slow the moment may be over before the policy is in force: then once more, with more time. */
static void hand_over(const char *format, int before, int after)
{
	int64_t lead = BC_SECOND * 3 / 2;

	while (!hand_over_within(lead, format, before, after)) {
		lead *= 4;
		assert_true(lead < 60 * BC_SECOND);
	}
}

static void next_rule_takes_over_at_that_moment(void **state)
{
	(void)state;
	hand_over("grant user nobody port 443 until @\n", 0, EACCES);
	hand_over("deny user nobody port 443 until @ errno EPERM\ngrant user nobody port 443\n", EPERM, 0);
	hand_over("reserve user root port 443 until @\ngrant port 443\n", EACCES, 0);
	hand_over("rewrite user nobody port 443 until @ to :1\ndeny port 443\n", 0, EACCES);
}

static void past_and_future(void **state)
{
	(void)state;
	policy_until("grant user nobody port 443 until @\n", now() - BC_SECOND);
	assert_int_equal(bind_443(AF_INET), EACCES);
	policy_until("grant user nobody port 443 until @\n", 0);
	assert_int_equal(bind_443(AF_INET), EACCES);
	policy_until("grant user nobody port 443 until @\n", now() + 3600 * BC_SECOND);
	assert_int_equal(bind_443(AF_INET), 0);
	policy_until("grant user nobody port 443 until @\n", BC_MOMENT_END - BC_SECOND);
	assert_int_equal(bind_443(AF_INET6), 0);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(next_rule_takes_over_at_that_moment),
		cmocka_unit_test(past_and_future),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}

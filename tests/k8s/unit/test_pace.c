// SPDX-License-Identifier: GPL-2.0-or-later
/* When the agent applies: bursts at once, never all of the time, and failures ever more seldom. */
#include "../../unit/unit.h"
#include "agent/pace.h"

static void nothing_happens_without_an_event(void **state)
{
	struct pace pace = PACE_NONE;

	(void)state;
	assert_true(pace_due(&pace) == PACE_NEVER);
	pace_event(&pace, 5000);
	pace_done(&pace, 5020, 5030, false);
	assert_true(pace_due(&pace) == PACE_NEVER);
	assert_int_equal(pace_check(&pace), 5030 + PACE_CHECK);
}

static void a_burst_is_counted_from_its_first_event(void **state)
{
	struct pace pace = PACE_NONE;

	(void)state;
	pace_event(&pace, 5000);
	pace_event(&pace, 5019);
	assert_int_equal(pace_due(&pace), 5020);
	assert_true(pace_check(&pace) == PACE_NEVER);
}

/* An apply that took 300 ms leaves at least as much to others. */
static void half_of_the_time_is_left(void **state)
{
	struct pace pace = PACE_NONE;

	(void)state;
	pace_event(&pace, 5000);
	pace_done(&pace, 5020, 5320, false);
	pace_event(&pace, 5321);
	assert_int_equal(pace_due(&pace), 5620);
	/* And does not delay what comes much later. */
	pace_done(&pace, 5620, 5920, false);
	pace_event(&pace, 9000);
	assert_int_equal(pace_due(&pace), 9020);
}

static void failures_are_retried_later_and_later(void **state)
{
	static const int64_t pauses[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
	struct pace pace = PACE_NONE;
	int64_t now = 5000;

	(void)state;
	pace_event(&pace, now);
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		pace_done(&pace, now, now + 3, true);
		now += 3;
		/* What comes meanwhile does not hasten it. */
		pace_event(&pace, now + 1);
		assert_int_equal(pace_due(&pace), now + pauses[i]);
		now = pace_due(&pace);
	}
	/* The event that has not come into force is the first one still. */
	assert_int_equal(pace.first, 5000);
	pace_done(&pace, now, now + 3, false);
	pace_event(&pace, now + 10);
	assert_int_equal(pace_due(&pace), now + 30);
	pace_done(&pace, now + 30, now + 33, true);
	assert_int_equal(pace_due(&pace), now + 33 + 1000);
}

/* A look that finds what it cannot mend is a reason to apply. */
static void a_check_that_fails_is_retried(void **state)
{
	struct pace pace = PACE_NONE;

	(void)state;
	pace_event(&pace, 5000);
	pace_done(&pace, 5020, 5025, false);
	pace_done(&pace, 65025, 65030, true);
	assert_int_equal(pace_due(&pace), 66030);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happens_without_an_event),
		cmocka_unit_test(a_burst_is_counted_from_its_first_event),
		cmocka_unit_test(half_of_the_time_is_left),
		cmocka_unit_test(failures_are_retried_later_and_later),
		cmocka_unit_test(a_check_that_fails_is_retried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

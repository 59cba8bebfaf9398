// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/pace.h"

void pace_event(struct pace *pace, int64_t now)
{
	if (pace->first == PACE_NEVER)
		pace->first = now;
}

static int64_t pause_of(const struct pace *pace)
{
	int64_t pause = PACE_RETRY;

	if (!pace->failures)
		return pace->took;
	for (unsigned i = 1; i < pace->failures && pause < PACE_RETRY_MAX; i++)
		pause *= 2;
	return pause < PACE_RETRY_MAX ? pause : PACE_RETRY_MAX;
}

int64_t pace_due(const struct pace *pace)
{
	int64_t burst, rest;

	if (pace->first == PACE_NEVER)
		return PACE_NEVER;
	burst = pace->first + PACE_BURST;
	rest = pace->ended + pause_of(pace);
	return burst > rest ? burst : rest;
}

int64_t pace_check(const struct pace *pace)
{
	return pace->first == PACE_NEVER ? pace->ended + PACE_CHECK : PACE_NEVER;
}

void pace_done(struct pace *pace, int64_t begun, int64_t now, bool failed)
{
	pace->took = now - begun;
	pace->ended = now;
	if (failed) {
		pace->failures++;
		pace_event(pace, now);
	} else {
		pace->failures = 0;
		pace->first = PACE_NEVER;
	}
}

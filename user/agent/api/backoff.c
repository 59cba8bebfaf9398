// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/backoff.h"

/* A step and a mix, so that seeds that are next to each other have nothing in common. */
static uint32_t roll(struct backoff *backoff)
{
	uint32_t x = backoff->seed += 0x9e3779b9u;

	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

int64_t backoff_between(struct backoff *backoff, int64_t least, int64_t most)
{
	if (most <= least)
		return least;
	return least + (int64_t)((uint64_t)roll(backoff) * (uint64_t)(most - least + 1) >> 32);
}

int64_t backoff_next(struct backoff *backoff)
{
	int64_t wait = backoff->first_ms;

	for (unsigned i = 0; i < backoff->tries && wait < backoff->most_ms / 2; i++)
		wait *= 2;
	if (wait > backoff->most_ms / 2)
		wait = backoff->most_ms / 2;
	if (backoff->tries < 64)
		backoff->tries++;
	return backoff_between(backoff, wait, 2 * wait);
}

void backoff_reset(struct backoff *backoff)
{
	backoff->tries = 0;
}

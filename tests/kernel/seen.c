// SPDX-License-Identifier: GPL-2.0-or-later
#include "bed.h"
#include "seen.h"

static int keep(void *ctx, const struct bc_event *event)
{
	struct seen *seen = ctx;

	if (seen->n < SEEN_KEPT)
		seen->events[seen->n] = *event;
	seen->n++;
	return 0;
}

struct bc_events *seen_open(const struct bc_wanted *wanted)
{
	struct bc_events *events = NULL;
	struct bc_error error = {};

	if (bc_events_open(bed.pins, wanted, &events, &error))
		fail_msg("%s", error.text);
	return events;
}

void seen_read(struct bc_events *events, struct seen *ret)
{
	ret->n = 0;
	assert_int_equal(bc_events_read(events, keep, ret), 0);
}
